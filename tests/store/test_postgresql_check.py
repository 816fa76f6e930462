"""A server: what it says is one sentence with advice, and one that goes away loses nothing that was committed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from indexer.errors import DatabaseError
from indexer.store.database import Database
from indexer.store.schema import check_database, open_database
from indexer.store.tables import CameraRow
from tests.support.connections import END_OTHERS
from tests.support.databases import execute, on_postgresql, rows

pytestmark = on_postgresql

PASSWORD = "hunter2"  # what no message may say


def hang_up(database: Database) -> None:
    """Ends every connection to a database, as a server that is stopped does."""
    execute(database, END_OTHERS)


def test_a_restart_between_two_questions_is_not_noticed(database: Database) -> None:
    """A connection that ended while nobody used it is made again."""
    for _ in range(2):
        with database.write() as session:
            session.execute(insert(CameraRow).values(name=f"gate {len(rows(database, 'SELECT * FROM cameras'))}"))
        hang_up(database)
    assert rows(database, "SELECT name FROM cameras ORDER BY 1") == [("gate 0",), ("gate 1",)]


def test_a_restart_within_a_transaction_takes_it_back(database: Database) -> None:
    """What was not committed is not tried again: one sentence says so, and the same works afterwards."""

    def write(session: Session) -> None:
        session.execute(insert(CameraRow).values(name="gate"))

    def be_cut() -> None:
        with database.write() as session:
            write(session)
            hang_up(database)
            write(session)

    with pytest.raises(DatabaseError, match="the server went away; when it is back, run the command again") as problem:
        be_cut()
    assert "\n" not in str(problem.value)
    assert rows(database, "SELECT * FROM cameras") == []
    with database.write() as session:
        write(session)
    assert rows(database, "SELECT name FROM cameras") == [("gate",)]


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({"port": 1}, "no server answers there; start it, or check host and port"),
        ({"database": "nowhere"}, "createdb NAME"),
        ({"username": "nobody"}, "check user and password"),
        ({"host": "nowhere.invalid"}, "no such host"),
    ],
)
def test_what_cannot_be_reached(database: Database, changed: dict[str, Any], advice: str) -> None:
    """A wrong port, name, user or host is one sentence that says what to do, without the password."""
    url = database.url.set(password=PASSWORD).set(**changed)
    with pytest.raises(DatabaseError, match=re.escape(advice)) as problem:
        open_database(url.render_as_string(hide_password=False))
    assert "\n" not in str(problem.value)
    assert PASSWORD not in str(problem.value)


def test_who_may_not_write_learns_it(database: Database) -> None:
    """A user without rights on a table is told to ask for them."""
    execute(database, "DO $$ BEGIN CREATE ROLE indexer_guest LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    execute(database, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO indexer_guest")
    guest = Database(database.url.set(username="indexer_guest"))
    with pytest.raises(DatabaseError, match="may not do that"), guest.write() as session:
        session.execute(insert(CameraRow).values(name="gate"))
    guest.close()
    execute(database, "DROP OWNED BY indexer_guest")


def test_a_path_that_no_index_takes(database: Database, add: Callable[..., int]) -> None:
    """A path beyond what PostgreSQL can look up is refused with a sentence that says so."""
    long = "".join(f"/{number:x}" for number in range(10**9, 10**9 + 3000 * 997, 997))
    with pytest.raises(DatabaseError, match="path is too long"):
        add(long)


def test_check_finds_what_is_not_enforced(database: Database) -> None:
    """An index that was not finished, and a constraint that was never checked, are named; else all is well."""
    assert check_database(database).problems == ()
    execute(database, "ALTER TABLE pins DROP CONSTRAINT fk_pins_image_id")
    execute(
        database,
        "ALTER TABLE pins ADD CONSTRAINT fk_pins_image_id FOREIGN KEY (image_id) REFERENCES images (id) NOT VALID",
    )
    execute(database, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_pins_image_id'::regclass")
    assert check_database(database).problems == (
        "index ix_pins_image_id of pins is not usable; type in psql: REINDEX INDEX ix_pins_image_id",
        "constraint fk_pins_image_id of pins was not checked; "
        "type in psql: ALTER TABLE pins VALIDATE CONSTRAINT fk_pins_image_id",
    )


def test_check_finds_what_is_missing(database: Database) -> None:
    """An index or a constraint that someone dropped is named."""
    execute(database, "DROP INDEX uq_images_path")
    execute(database, "ALTER TABLE scores DROP CONSTRAINT ck_scores_ordered")
    assert check_database(database).problems == (
        "constraint ck_scores_ordered of scores is missing",
        "index uq_images_path of images is missing",
    )
