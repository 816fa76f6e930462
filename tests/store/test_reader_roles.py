"""Readers: roles of a server that may read an index and do nothing else, and what keeps a role from being one."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from os import getpid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL

from indexer.errors import DatabaseError, IndexerError, UsageError
from indexer.store import audit_queries, reader_roles
from indexer.store.database import Database, parse_database
from indexer.store.schema import open_database
from indexer.store.tables import Base
from tests.support.databases import Maker, on_postgresql, rows

pytestmark = on_postgresql

PASSWORD = "hunter2-é%'\"; --"
NUMBERS = count()
Name = Callable[[str], str]


def connected(url: URL, role: str | None = None) -> psycopg.Connection[Any]:
    """A connection past the tool, as the maker of the index or as another role."""
    who, password = (url.username, url.password) if role is None else (role, PASSWORD)
    return psycopg.connect(
        host=url.host, port=url.port, dbname=url.database, user=who, password=password, autocommit=True
    )


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The maker of the index, a superuser."""
    with closing(connected(database.url)) as connection:
        yield connection


@pytest.fixture
def named(owner: psycopg.Connection[Any]) -> Iterator[Name]:
    """Makes a name of a role that no other test has; the roles are dropped in the end."""
    names: list[str] = []

    def make(part: str = "reader") -> str:
        names.append(f"indexer_test_{getpid()}_{next(NUMBERS)}_{part}")
        return names[-1]

    yield make
    there = [name for (name,) in owner.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (names,))]
    for name in there:
        owner.execute(SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(Identifier(name)))
        owner.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
    for name in there:
        owner.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def roles(owner: psycopg.Connection[Any]) -> list[Any]:
    """The roles of this process and the maker's, with what they may, their settings and their memberships. Those of the
    server's other roles are left out: tests beside this one make and change them."""
    ours = f"(rolname = current_user OR rolname ^@ 'indexer_test_{getpid()}_')"
    asked = [f"SELECT * FROM pg_authid WHERE {ours} ORDER BY oid"]
    asked += [f"SELECT s.* FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE {ours} ORDER BY 1, 2"]
    members = "SELECT roleid, member FROM pg_auth_members m JOIN pg_roles r ON r.oid IN (m.roleid, m.member)"
    asked += [f"{members} WHERE {ours} ORDER BY 1, 2", "SELECT defaclacl FROM pg_default_acl"]
    asked += ["SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"]
    return [owner.execute(one).fetchall() for one in asked]


def asked_as(database: Database, role: str, sql: str) -> list[tuple[Any, ...]]:
    """What `audit --sql` answers a role."""
    with closing(open_database(url_of(database, role))) as opened, audit_queries.run_sql(opened, sql) as table:
        return list(table)


def url_of(database: Database, role: str) -> str:
    """The address of the index for a role, with its password."""
    return database.url.set(username=role, password=PASSWORD).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "part", ["reader", "Ada Lovelace", 'q"uote; DROP TABLE images; --', "50%s {} :x", "line\nend", "é" * 10, "\\'"]
)
def test_a_reader_reads_everything(database: Database, named: Name, part: str, add: Callable[..., int]) -> None:
    """Whatever its name is made of, a new reader gets answers from every table and view, at the URL that is given."""
    add("/frames/1.jpg")
    name = named(part)
    made = reader_roles.make_reader(database, name, password=PASSWORD)
    assert (made.role, made.state) == (name, "made")
    assert PASSWORD not in made.url
    views = [f"audit_{one}" for one in ("decisions", "removals", "scores", "cameras", "twins", "runs")]
    with closing(connected(database.url, name)) as connection:
        for one in [*Base.metadata.tables, *views]:
            connection.execute(SQL("SELECT * FROM {}").format(Identifier(one)))
    assert asked_as(database, name, "SELECT path FROM images") == [("/frames/1.jpg",)]
    assert parse_database(made.url) == database.url.set(username=name)


def test_a_reader_writes_nothing(database: Database, named: Name, add: Callable[..., int]) -> None:
    """By whatever program it comes, and with its own settings taken back, a reader changes no row and makes nothing."""
    add("/frames/1.jpg")
    name = named()
    reader_roles.make_reader(database, name, password=PASSWORD)
    writing = [f"{act} {table}" for table in Base.metadata.tables for act in ("DELETE FROM", "TRUNCATE", "DROP TABLE")]
    writing += ["CREATE TABLE mine (x int)", "CREATE SCHEMA mine", "SELECT nextval('images_id_seq')"]
    writing += ["LOCK TABLE images IN EXCLUSIVE MODE", "CREATE ROLE other", "UPDATE images SET path=''"]
    with closing(connected(database.url, name)) as connection:
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("30s",)
        connection.execute("SET default_transaction_read_only = off")
        for sql in writing:
            with pytest.raises(psycopg.Error):
                connection.execute(sql)
    assert rows(database, "SELECT path FROM images") == [("/frames/1.jpg",)]


def test_what_a_reader_is(database: Database, named: Name, owner: psycopg.Connection[Any]) -> None:
    """A login role without any attribute, that inherits nothing, and is a member of nothing."""
    name = named()
    reader_roles.make_reader(database, name, password=PASSWORD)
    attributes = "rolcanlogin, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
    found = owner.execute(f"SELECT {attributes} FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    assert found == (True, False, False, False, False, False, False)
    member = "SELECT COUNT(*) FROM pg_auth_members WHERE member = (SELECT oid FROM pg_roles WHERE rolname = %s)"
    assert owner.execute(member, (name,)).fetchone() == (0,)


def test_tables_of_a_later_version(database: Database, named: Name, owner: psycopg.Connection[Any]) -> None:
    """What an upgrade adds later can be read too."""
    name = named()
    reader_roles.make_reader(database, name, password=PASSWORD)
    owner.execute("CREATE TABLE later (x int)")
    owner.execute("CREATE VIEW audit_later AS SELECT x + 1 AS x FROM later")
    owner.execute("INSERT INTO later VALUES (7)")
    try:
        assert asked_as(database, name, "SELECT x FROM later UNION SELECT x FROM audit_later ORDER BY 1") == [
            (7,),
            (8,),
        ]
    finally:
        owner.execute("DROP TABLE later CASCADE")


def verifies(stored: str, password: str) -> bool:
    """Whether a stored SCRAM-SHA-256 verifier is of a password (RFC 5803)."""
    _kind, salting, keys = stored.split("$")
    rounds, salt = salting.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return keys.split(":")[0] == base64.b64encode(key).decode()


def test_the_password(database: Database, named: Name, owner: psycopg.Connection[Any]) -> None:
    """The server has what it checks the password by, and never saw the password; another one takes its place."""
    name = named()
    stored = SQL("SELECT rolpassword FROM pg_authid WHERE rolname = {}").format(name)
    for password in (PASSWORD, "another"):
        reader_roles.make_reader(database, name, password=password)
        (found,) = owner.execute(stored).fetchone() or ("",)
        assert found.startswith("SCRAM-SHA-256$")
        assert verifies(found, password)
        assert not verifies(found, "guessed")


@pytest.mark.parametrize("password", ["", "a\0b", "caf\udce9"])
def test_passwords_that_are_none(
    database: Database, named: Name, owner: psycopg.Connection[Any], password: str
) -> None:
    """Without a password that a person can type again nothing is made."""
    before = roles(owner)
    with pytest.raises(UsageError, match=r"^the password is ") as problem:
        reader_roles.make_reader(database, named(), password=password)
    assert roles(owner) == before
    assert "caf" not in str(problem.value)


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "a\0b", "caf\udce9"])
def test_names_that_are_none(database: Database, owner: psycopg.Connection[Any], name: str) -> None:
    """A name that the server would cut or cannot have is refused, and nothing is made."""
    before = roles(owner)
    with pytest.raises(UsageError, match=r"is no name of a role; give one of 1 to 63 bytes in UTF-8$"):
        reader_roles.make_reader(database, name, password=PASSWORD)
    assert roles(owner) == before


@pytest.mark.parametrize("name", ["public", "none", "pg_mine"])
def test_names_that_the_server_keeps(database: Database, owner: psycopg.Connection[Any], name: str) -> None:
    """A name that the server keeps for itself is one sentence, and nothing is made."""
    before = roles(owner)
    with pytest.raises(IndexerError, match="is reserved"):
        reader_roles.make_reader(database, name, password=PASSWORD)
    assert roles(owner) == before


def test_again(database: Database, named: Name, owner: psycopg.Connection[Any]) -> None:
    """A reader that lost its rights, or never had all, is brought to what a reader is."""
    name = named()
    reader_roles.make_reader(database, name, password=PASSWORD)
    role = Identifier(name)
    owner.execute(SQL("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM {}").format(role))
    owner.execute(SQL("ALTER ROLE {} RESET ALL").format(role))
    assert reader_roles.make_reader(database, name, password=PASSWORD).state == "updated"
    assert asked_as(database, name, "SELECT COUNT(*) FROM images") == [(0,)]
    with closing(connected(database.url, name)) as connection:
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)


# What makes a role more than a reader: SQL for {role}, and {group}, a role of the test's own.
MORE = [
    "GRANT INSERT ON cameras TO {role}",
    "GRANT DELETE ON audit_cameras TO {role}",
    "GRANT UPDATE (name) ON cameras TO {role}",
    "GRANT TRUNCATE ON scores TO {role}",
    "GRANT TRIGGER ON scores TO {role}",
    "GRANT USAGE ON SEQUENCE images_id_seq TO {role}",
    "GRANT CREATE ON SCHEMA public TO {role}",
    "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {role}', current_database()); END $$",
    "ALTER ROLE {role} SUPERUSER",
    "ALTER ROLE {role} CREATEROLE",
    "ALTER ROLE {role} CREATEDB",
    "ALTER ROLE {role} REPLICATION",
    "ALTER ROLE {role} BYPASSRLS",
    "GRANT pg_signal_backend TO {role}",
    "GRANT pg_write_all_data TO {role}",
    "GRANT pg_execute_server_program TO {role}",
    "GRANT pg_read_server_files TO {role}",
    "GRANT pg_write_server_files TO {role}",
    "GRANT {maker} TO {role}",
    "GRANT INSERT ON cameras TO {group}; GRANT {group} TO {role}",
    "ALTER TABLE pins OWNER TO {group}; GRANT {group} TO {role}",
    "ALTER TABLE pins OWNER TO {role}",
    "ALTER VIEW audit_runs OWNER TO {role}",
    "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {role}",
    "CREATE FUNCTION kill(int) RETURNS bool LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_terminate_backend($1)'",
]


@pytest.fixture
def stronger(
    database: Database, named: Name, owner: psycopg.Connection[Any]
) -> Iterator[Callable[[str], tuple[str, str]]]:
    """Makes a reader, gives it more by SQL, and takes all back in the end: its name, and the SQL that was run."""

    def make(sql: str) -> tuple[str, str]:
        role, group = named(), named("group")
        reader_roles.make_reader(database, role, password=PASSWORD)
        owner.execute(SQL("CREATE ROLE {}").format(Identifier(group)))
        owner.execute(sql.format(role=role, group=group, maker=f'"{owner.info.user}"'))
        return role, sql

    yield make
    owner.execute("DROP FUNCTION IF EXISTS kill(int)")


@pytest.mark.parametrize("more", MORE)
def test_who_may_more_may_not_ask(database: Database, stronger: Callable[[str], tuple[str, str]], more: str) -> None:
    """A role that may do anything but read, itself or as another, is refused and told what to do; a reader before that
    it was answered."""
    role, _ = stronger("SELECT 1")
    assert asked_as(database, role, "SELECT COUNT(*) FROM images") == [(0,)]
    role, _ = stronger(more)
    with pytest.raises(DatabaseError, match=r"^audit --sql on a server is .* make-reader NAME$") as problem:
        asked_as(database, role, "SELECT pg_terminate_backend(1)")
    assert role in str(problem.value)


@pytest.mark.parametrize("more", MORE)
def test_who_may_more_is_made_no_reader(
    database: Database, stronger: Callable[[str], tuple[str, str]], owner: psycopg.Connection[Any], more: str
) -> None:
    """A role that exists and may more than read is left as it is."""
    role, _ = stronger(more)
    before = roles(owner)
    with pytest.raises(DatabaseError, match=rf"^there is a role {role} already, and {role} .*another name$"):
        reader_roles.make_reader(database, role, password="another")
    assert roles(owner) == before


def test_a_group_is_made_no_reader(database: Database, named: Name, owner: psycopg.Connection[Any]) -> None:
    """A role that cannot log in is left as it is."""
    name = named("group")
    owner.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
    before = roles(owner)
    with pytest.raises(DatabaseError, match=r"cannot log in; give the reader another name$"):
        reader_roles.make_reader(database, name, password=PASSWORD)
    assert roles(owner) == before


def test_what_everybody_may(database: Database, named: Name, owner: psycopg.Connection[Any]) -> None:
    """Where everybody may write, no reader can be made: it says what to take away, and nothing is left behind."""
    name, before = named(), roles(owner)[0]
    owner.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    try:
        with pytest.raises(DatabaseError, match=r"may make tables in schema public, .* REVOKE CREATE ON SCHEMA public"):
            reader_roles.make_reader(database, name, password=PASSWORD)
    finally:
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    assert roles(owner)[0] == before


def test_the_rights_of_the_server_manage_less(database: Database, named: Name, owner: psycopg.Connection[Any]) -> None:
    """A user who may not make roles gets the SQL for an administrator; that SQL makes a reader."""
    weak, name = named("weak"), named('a "reader"')
    owner.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'hunter2-é%''\"; --'").format(Identifier(weak)))
    owner.execute(SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(Identifier(weak)))
    before = roles(owner)
    with (
        closing(open_database(url_of(database, weak))) as opened,
        pytest.raises(DatabaseError, match=r"it lacks CREATEROLE and the rights of \w+, who owns the tables\)") as told,
    ):
        reader_roles.make_reader(opened, name, password=PASSWORD)
    assert roles(owner) == before
    said = str(told.value)
    assert PASSWORD not in said
    assert "\n" not in said
    owner.execute(said.split("connected to this database: ")[1].split("; and then: ")[0])
    assert asked_as(database, name, "SELECT COUNT(*) FROM images") == [(0,)]


def test_an_owner_who_may_make_roles(
    maker: Maker, database: Database, named: Name, owner: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """The owner of an index needs no superuser: CREATEROLE is enough."""
    name, maker_of_roles = named(), named("owner")
    role = Identifier(maker_of_roles)
    owner.execute(SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'hunter2-é%''\"; --'").format(role))
    place = maker.place(tmp_path)
    with closing(open_database(place, create=True)) as made, closing(connected(made.url)) as inside:
        inside.execute(SQL("GRANT ALL ON SCHEMA public TO {} WITH GRANT OPTION").format(role))
        ours = "relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace"
        for table, kind in inside.execute(f"SELECT relname, relkind FROM pg_class WHERE {ours}").fetchall():
            act = "ALTER TABLE {} OWNER TO {}" if kind == "r" else "ALTER VIEW {} OWNER TO {}"
            inside.execute(SQL(act).format(Identifier(table), role))
        with closing(open_database(url_of(made, maker_of_roles))) as opened:
            assert reader_roles.make_reader(opened, name, password=PASSWORD).state == "made"
        assert asked_as(made, name, "SELECT COUNT(*) FROM images") == [(0,)]
        with pytest.raises(DatabaseError, match="make-reader"):
            asked_as(made, maker_of_roles, "SELECT 1")
        for one in (name, maker_of_roles):
            inside.execute(SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(Identifier(one)))
            inside.execute(SQL("DROP OWNED BY {}").format(Identifier(one)))


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("postgresql+psycopg://ada:x@host:1/lot", "postgresql+psycopg://r@host:1/lot"),
        (
            "postgresql+psycopg://host/lot?user=ada&password=x&sslmode=require",
            "postgresql+psycopg://r@host/lot?sslmode=require",
        ),
        ("postgresql+psycopg://ada@/lot?host=/run/pg", "postgresql+psycopg://r@/lot?host=%2Frun%2Fpg"),
    ],
)
def test_the_url_of_a_reader(maker: Maker, place: str, url: str) -> None:
    """The URL to use names the reader, and no password, whatever way the maker's has."""
    assert reader_roles.url_for_role(parse_database(place), "r") == url
