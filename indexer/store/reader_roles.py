"""Roles of a server that may only read: makes one, and says why another role is none.

Decision 0028: on a server a person's own query runs only as a role that can do nothing but read.

The right to temporary tables is not checked. Everybody has it by default, and no SELECT makes such a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError

from indexer.errors import DatabaseError, UsageError
from indexer.store.database import Database

TIMEOUT_S = 30  # of each statement of a reader, in any program
_LONGEST_NAME_BYTES = 63  # the server would cut a longer name, and make another role

_CONNECTION_ROLES = "ARRAY[session_user, current_user]"
_NAMED_ROLE = "ARRAY[CAST(:role AS name), CAST(:role AS name)]"
_IS_USER_SCHEMA = r"nspname !~ '^pg_' AND nspname <> 'information_schema'"
_WRITE_PRIVILEGES = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"

# What a reader must not be, or not be able to do. The query of each gives one example, or NULL if there is none: the
# object for the {} in the text, or the role that the text is true for. `who` has all roles that the role can become,
# itself included.
_OBJECTIONS = {
    "is a superuser": "SELECT rolname FROM who WHERE rolsuper ORDER BY itself DESC, rolname LIMIT 1",
    "may make roles or databases, replicate, or pass row security": """
        SELECT rolname FROM who WHERE rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
        ORDER BY itself DESC, rolname LIMIT 1""",
    "owns a database or things in one": """
        SELECT rolname FROM who WHERE EXISTS (
            SELECT FROM pg_shdepend WHERE refobjid = who.oid AND refclassid = 'pg_authid'::regclass AND deptype = 'o'
        ) ORDER BY itself DESC, rolname LIMIT 1""",
    "has more rights than to read": """
        SELECT min(rolname) FROM who WHERE rolname ~ '^pg_' AND rolname <> 'pg_read_all_data'""",
    "may write to {}": f"""
        SELECT min(pg_class.relname) FROM who, pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE {_IS_USER_SCHEMA} AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (has_table_privilege(who.oid, pg_class.oid, '{_WRITE_PRIVILEGES}')
            OR has_any_column_privilege(who.oid, pg_class.oid, 'INSERT, UPDATE, REFERENCES'))""",
    "may change the sequence {}": f"""
        SELECT min(pg_class.relname) FROM who, pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE {_IS_USER_SCHEMA} AND CASE WHEN relkind = 'S'
            THEN has_sequence_privilege(who.oid, pg_class.oid, 'USAGE, UPDATE') ELSE false END""",
    "may make schemas in database {}": """
        SELECT min(current_database()) FROM who WHERE has_database_privilege(who.oid, current_database(), 'CREATE')""",
    "may make tables in schema {}": f"""
        SELECT min(nspname) FROM who, pg_namespace
        WHERE {_IS_USER_SCHEMA} AND has_schema_privilege(who.oid, pg_namespace.oid, 'CREATE')""",
    "may call {}, which acts with the rights of another role": f"""
        SELECT min(proname) FROM who, pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE {_IS_USER_SCHEMA} AND prosecdef AND has_function_privilege(who.oid, pg_proc.oid, 'EXECUTE')""",
    "was given the right to call {}": """
        SELECT min(proname) FROM who, pg_proc, aclexplode(proacl) AS given
        WHERE pronamespace = 'pg_catalog'::regnamespace AND given.grantee = who.oid""",
}


@dataclass(frozen=True)
class Reader:
    """A role that may read an index: `state` is made, updated, or not needed; `url` names the index as this role."""

    role: str
    state: str
    url: str


def find_objection(connection: Connection, *, role: str | None = None) -> str | None:
    """Why a role may do more than read, as a clause such as "anna is a superuser"; None if it may only read.

    If `role` is None, the role of the connection is checked. All roles that it can become are checked, too.
    """
    example_columns = ", ".join(f"({query})" for query in _OBJECTIONS.values())
    roles = _CONNECTION_ROLES if role is None else _NAMED_ROLE
    row = connection.execute(
        text(
            f"""WITH who AS (SELECT pg_roles.*, rolname = ({roles})[2] AS itself FROM pg_roles WHERE EXISTS (
                SELECT FROM unnest({roles}) AS role WHERE pg_has_role(role, pg_roles.oid, 'MEMBER')
            )) SELECT current_user, {example_columns}"""
        ),
        {} if role is None else {"role": role},
    ).one()
    for template, example in zip(_OBJECTIONS, row[1:], strict=True):
        if example is not None:
            return _objection_sentence(role or row[0], template, example)
    return None


def _objection_sentence(role: str, template: str, example: str) -> str:
    if "{}" in template:
        return f"{role} {template.format(example)}"
    return f"{role} {template}" if example == role else f"{role} can act as {example}, which {template}"


def check_reader(database: Database, name: str) -> None:
    """Checks that a reader of that name can be made.

    Raises
    ------
    UsageError
        If it is no valid name of a role.
    DatabaseError
        If there is a role of that name that is no reader.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= _LONGEST_NAME_BYTES or "\0" in name:
        raise UsageError(f"{name!r} is no name of a role; give one of 1 to {_LONGEST_NAME_BYTES} bytes in UTF-8")
    with database.read() as session:
        _reader_exists(session.connection(), name)


def make_reader(database: Database, name: str, *, password: str) -> Reader:
    """Makes a role that may read this index and do nothing else, or updates an existing reader.

    All changes are made together, or none. The server never gets the password, only its SCRAM-SHA-256 verifier.

    Raises
    ------
    UsageError
        For a bad name or password.
    DatabaseError
        If the role of the connection lacks the rights, or a role of that name is no reader. An error of the driver
        becomes one, too (`DBAPIError`, by `Database.translated_errors`).
    """
    check_reader(database, name)
    if not password or "\0" in password:
        raise UsageError("the password is empty or has a NUL in it; give another one")
    with database.write_connection() as connection:
        exists = _reader_exists(connection, name)
        raw: Any = connection.connection.dbapi_connection
        statements = _reader_statements(connection, name, exists=exists)
        manual_sql = f"{'; '.join(part.as_string(None) for part in statements)}; and then: \\password {_quoted(name)}"
        if missing_rights := _find_missing_rights(connection):
            raise _not_allowed_error(missing_rights, manual_sql)
        try:
            for statement in [*statements, _password_statement(raw, name, password)]:
                raw.execute(statement)
        except database.engine.dialect.loaded_dbapi.errors.InsufficientPrivilege as problem:
            raise _not_allowed_error(str(problem).splitlines()[0], manual_sql) from problem
        except database.engine.dialect.loaded_dbapi.Error as problem:
            raise DBAPIError(None, None, problem, connection_invalidated=raw.closed) from problem
        _verify_reader(connection, name, manual_sql)
    return Reader(name, "updated" if exists else "made", url_for_role(database.url, name))


def _reader_exists(connection: Connection, name: str) -> bool:
    """Whether there is a reader of that name; raises `DatabaseError` if the role exists and is no reader."""
    can_log_in = connection.execute(
        text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role"), {"role": name}
    ).scalar()
    if can_log_in is None:
        return False
    why = find_objection(connection, role=name) if can_log_in else f"{name} cannot log in"
    if why is not None:
        raise DatabaseError(f"there is a role {name} already, and {why}; give the reader another name")
    return True


def _reader_statements(connection: Connection, name: str, *, exists: bool) -> list[Any]:
    """The statements that make or update a reader, without its password."""
    from psycopg.sql import SQL, Identifier  # of the extra `postgres`

    current_names = connection.execute(text("SELECT current_database(), current_schema()")).one()
    role, database, schema = map(Identifier, (name, *current_names))
    login = (
        "ALTER ROLE {} LOGIN NOINHERIT"
        if exists
        else ("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS")
    )
    default_privileges = [
        SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT SELECT ON TABLES TO {}").format(
            Identifier(owner), schema, role
        )
        for owner in _list_table_owners(connection)
    ]
    return [
        SQL(login).format(role),
        SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role),
        SQL("ALTER ROLE {} SET statement_timeout = {}").format(role, SQL(f"'{TIMEOUT_S}s'")),
        SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}").format(role, database, schema),
        SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role),
        SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role),
        SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, role),
        *default_privileges,
    ]


def _password_statement(raw: Any, name: str, password: str) -> Any:
    from psycopg.sql import SQL, Identifier, Literal

    try:
        secret = password.encode()
    except UnicodeEncodeError:
        raise UsageError("the password is not in UTF-8; give another one") from None
    verifier = raw.pgconn.encrypt_password(secret, name.encode(), b"scram-sha-256").decode()
    return SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(name), Literal(verifier))


def _quoted(name: str) -> str:
    from psycopg.sql import Identifier

    return Identifier(name).as_string(None)


def _list_table_owners(connection: Connection) -> Sequence[str]:
    """The owners of the tables and views of the index."""
    query = """SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v') ORDER BY 1"""
    return connection.execute(text(query)).scalars().all()


def _find_missing_rights(connection: Connection) -> str | None:
    """The rights that the present role lacks to make a reader, as a clause; None if it lacks none."""
    can_create_roles = connection.execute(
        text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    ).scalar()
    has_rights_query = text("SELECT pg_has_role(current_user, CAST(:owner AS name), 'USAGE')")
    other_owners = [
        owner
        for owner in _list_table_owners(connection)
        if not connection.execute(has_rights_query, {"owner": owner}).scalar()
    ]
    parts = ([] if can_create_roles else ["CREATEROLE"]) + [
        f"the rights of {owner}, who owns the tables" for owner in other_owners
    ]
    return f"it lacks {' and '.join(parts)}" if parts else None


def _not_allowed_error(missing_rights: str, statements: str) -> DatabaseError:
    return DatabaseError(
        f"this role may not make a reader ({missing_rights}); an administrator of the server can, in psql, "
        f"connected to this database: {statements}"
    )


def _verify_reader(connection: Connection, name: str, statements: str) -> None:
    """Raises `DatabaseError` if the new role is no reader.

    The server only warns if it cannot grant a right, and PUBLIC may have a right that a reader should not have.
    """
    why = find_objection(connection, role=name)
    if why is not None:
        raise DatabaseError(
            f"nothing was done, as {why}, like every role here; revoke that from PUBLIC first, "
            "for example: REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        )
    unreadable = connection.execute(
        text("""SELECT min(relname) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
            AND relkind IN ('r', 'v') AND NOT (has_table_privilege(CAST(:role AS name), oid, 'SELECT')
                AND has_schema_privilege(CAST(:role AS name), relnamespace, 'USAGE')
                AND has_database_privilege(CAST(:role AS name), current_database(), 'CONNECT'))"""),
        {"role": name},
    ).scalar()
    if unreadable is not None:
        raise _not_allowed_error(f"it cannot give the right to read {unreadable}", statements)


def url_for_role(url: URL, name: str) -> str:
    """The URL of the index for another role, without a password."""
    query = {key: value for key, value in url.query.items() if key not in {"user", "password", "sslpassword"}}
    named = URL.create(url.drivername, name, None, url.host, url.port, url.database, query)
    return named.render_as_string(hide_password=False)
