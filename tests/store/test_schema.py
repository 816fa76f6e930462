"""The shape: what the migrations make is what the tables say, and rows outlive every change of it."""

import io
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_mock_engine, inspect

from indexer.domain.profiles import BUILT_IN
from indexer.store.database import Database, parse_database
from indexer.store.profiles import list_profiles
from indexer.store.schema import MIGRATIONS, head_revision, migrate, open_database, upgrade_database
from indexer.store.tables import Base
from tests.support.databases import Maker, execute, on_postgresql, on_sqlite, rows

REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]

VIEWS = {
    "audit_decisions": "image_id path camera captured_at verdict keeper_id keeper_path score max_score profile reason "
    "decided_by decided_at run_id state file_size largest_contour changed_fraction closeness decision",
    "audit_removals": "path camera keeper_path score max_score profile state quarantine_path content_hash keeper_hash "
    "removed_at restored_at run_id purged_at problem size_bytes image_id keeper_id reason keeper_path_then "
    "largest_contour changed_fraction closeness",
    "audit_scores": "scoring camera image_a_path image_b_path score largest_contour contour_count changed_fraction "
    "run_id",
    "audit_cameras": "camera images unreadable kept duplicates removed first_captured_at last_captured_at",
    "audit_twins": "camera image_a_path image_b_path captured_a_at captured_b_at apart_s state_a state_b image_a_id "
    "image_b_id",
    "audit_runs": "run_id command arguments version started_at finished_at outcome counts token username hostname",
    "audit_videos": "video_id path camera started_at started_at_source ended_at duration_s width height codec sampling "
    "interval_s frames_read frames_stored file_size state state_reason missing_reason idle_from idle_s run_id",
    "audit_spans": "span_id camera reason from_at to_at length_s frames every_s witness_id witness_path worst_score "
    "worst_at max_score profile detail video_id video_path run_id recording_id source",
    "audit_recordings": "recording_id camera source started_at seen_until length_s ended_at ended_because detail width "
    "height codec every_s frames_read frames_stored frames_missed frames_damaged profile run_id",
    "audit_findings": "finding_id camera kind light_class region opened_at since until strength evidence dismissed_at "
    "dismissed_by note run_id",
}

OBJECTS = {
    "sqlite": ["SELECT type, name, sql FROM sqlite_master ORDER BY name", "SELECT * FROM alembic_version"],
    "postgresql": [
        "SELECT table_name, column_name, data_type, column_default, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
        "SELECT objoid::regclass::text, objsubid, description FROM pg_description "
        "WHERE classoid = 'pg_class'::regclass AND objoid IN (SELECT oid FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace) ORDER BY 1, 2",
        "SELECT sequencename, data_type::text, start_value, increment_by FROM pg_sequences ORDER BY 1",
        "SELECT * FROM alembic_version",
    ],
}
"""Queries for all that the migrations make in an empty database, by its kind."""

TIME = "2026-01-01 12:00:00.000000"
ROWS: dict[str, dict[str, Any]] = {  # a row after those that it refers to
    "index_identity": {"id": "1de8" * 8},
    "preparations": {"id": 91, "digest": "p", "parameters": '{"mask": [5, 10, 5, 0]}'},
    "scorings": {"id": 92, "preparation_id": 91, "digest": "s", "parameters": "{}"},
    "profiles": {
        "id": 93,
        "name": "mine",
        "scoring_id": 92,
        "digest": "d",
        "max_score": 1,
        "record_limit": 4,
        "active": True,
    },
    "cameras": {"id": 94, "name": "gate", "profile_id": 93},
    "naming_rules": {
        "folder": "file:///caf%E9",
        "pattern": "(?P<camera>x)",
        "timezone": "Europe/Berlin",
        "is_earlier": False,
    },
    "camera_sources": {"camera_id": 94, "source": "/lot", "is_root": False, "is_confirmed": True},
    "runs": {"id": 95, "command": "ingest", "arguments": "{}", "version": "0", "started_at": TIME, "outcome": "done"},
    "images": {
        "id": 96,
        "path": "file:///caf%E9.jpg",
        "root": "/",
        "camera_id": 94,
        "camera_source": "name",
        "captured_at": TIME,
        "width": 640,
        "height": 480,
        "file_size": 2**40,
        "mtime_ns": 2**60,
        "content_hash": "c",
        "sharpness": 20.5,
        "state": "ready",
        "run_id": 95,
    },
    "thumbnails": {"image_id": 96, "preparation_id": 91, "width": 320, "height": 240, "data": b"\x89PNG"},
    "signatures": {"image_id": 96, "preparation_id": 91, "data": b"\x80"},
    "pictures": {"image_id": 96, "width": 320, "height": 240, "data": b"\xff\xd8"},
    "decisions": {
        "id": 97,
        "image_id": 96,
        "profile_id": 93,
        "verdict": "keep",
        "reason": "new",
        "decided_by": "compare",
        "decided_at": TIME,
        "run_id": 95,
    },
    "pins": {"id": 98, "image_id": 96, "reason": "pin", "pinned_at": TIME, "run_id": 95},
    "scores": {
        "scoring_id": 92,
        "image_a_id": 96,
        "image_b_id": 99,
        "score": 1.5,
        "largest_contour": 1.5,
        "contour_count": 1,
        "changed_fraction": 0.25,
        "run_id": 95,
    },
    "verdicts": {
        "id": 1,
        "image_a_id": 96,
        "image_b_id": 99,
        "verdict": "same",
        "judged_by": "Ada",
        "judged_at": TIME,
        "run_id": 95,
    },
    "removals": {
        "id": 1,
        "image_id": 99,
        "keeper_id": 96,
        "decision_id": 97,
        "path": "/2.jpg",
        "keeper_path": "/1.jpg",
        "size_bytes": 1,
        "content_hash": "c",
        "keeper_hash": "k",
        "state": "quarantined",
        "planned_at": TIME,
        "run_id": 95,
    },
    "open_images": {"image_id": 96},
    "twins": {"image_a_id": 96, "image_b_id": 99},
    "reconsidered": {"removal_id": 1, "profile_id": 93, "kept": True, "run_id": 95},
    "videos": {
        "id": 100,
        "path": "file:///caf%E9.mp4",
        "root": "/",
        "camera_id": 94,
        "camera_source": "name",
        "started_at": TIME,
        "started_at_source": "container",
        "ended_at": TIME,
        "duration_s": 20.0,
        "width": 640,
        "height": 480,
        "codec": "h264",
        "sampling": "keyframes",
        "interval_s": 1.0,
        "frames_read": 3,
        "frames_stored": 1,
        "file_size": 2**40,
        "mtime_ns": 2**60,
        "fingerprint": "f",
        "state": "partial",
        "state_reason": "ends early",
        "run_id": 95,
    },
    "video_frames": {"image_id": 96, "video_id": 100, "offset_us": 2**40},
    "recordings": {
        "id": 102,
        "camera_id": 94,
        "source": "rtsp://camera/live",
        "started_at": TIME,
        "seen_until": TIME,
        "ended_at": TIME,
        "ended_because": "lost",
        "detail": "the camera ended the stream",
        "width": 640,
        "height": 480,
        "codec": "h264",
        "every_s": 1.0,
        "frames_read": 3,
        "frames_stored": 1,
        "frames_missed": 2,
        "frames_damaged": 0,
        "profile_id": 93,
        "run_id": 95,
    },
    "recording_frames": {"image_id": 96, "recording_id": 102},
    "spans": {
        "id": 1,
        "camera_id": 94,
        "video_id": 100,
        "image_id": 96,
        "reason": "seen",
        "profile_id": 93,
        "from_at": TIME,
        "to_at": TIME,
        "frames": 2,
        "every_s": 1.0,
        "worst_score": 412.5,
        "worst_at": TIME,
        "run_id": 95,
    },
    "findings": {
        "id": 101,
        "camera_id": 94,
        "kind": "moved",
        "light_class": "colour",
        "region": "",
        "opened_at": TIME,
        "since": TIME,
        "strength": 8.5,
        "evidence": '{"right_px": 12.0, "image_ids": [96]}',
        "run_id": 95,
    },
}
ANOTHER_IMAGE = ROWS["images"] | {"id": 99, "path": "/2.jpg"}


def with_added_columns(said: str) -> str:
    """SQL in which columns that were added to a table stand among those that it was made with."""
    added = re.findall(r"^ALTER TABLE (\w+) ADD COLUMN (.+?);?$", said, flags=re.MULTILINE)
    for table, column in added:
        said = re.sub(rf"(CREATE TABLE {table} \()", rf"\1\n\t{column}, ", said)
    said = re.sub(r"^ALTER TABLE \w+ ADD COLUMN .*$", ";", said, flags=re.MULTILINE)
    # SQLite puts what was added on the line of the last column.
    return re.sub(r", (?=\w+ (?:TEXT|BOOLEAN|DOUBLE|INTEGER|BIGINT))", ",\n\t", said)


def with_changed_columns(said: str) -> str:
    """SQL in which what was changed of a table stands in the table."""
    changes = r"^ALTER TABLE (\w+) (?:ADD (CONSTRAINT .+?)|ALTER COLUMN (\w+) DROP NOT NULL);?$"
    for table, constraint, column in re.findall(changes, said, flags=re.MULTILINE):
        if constraint:
            said = said.replace(f"CREATE TABLE {table} (", f"CREATE TABLE {table} (\n\t{constraint}, ")
        else:
            said = re.sub(rf"(CREATE TABLE {table} \([^;]*?\s{column} \w+) NOT NULL", r"\1", said)
    said = re.sub(changes, ";", said, flags=re.MULTILINE)
    return re.sub(r", (?=\n)", ",", said)


def without_dropped_tables(said: str) -> str:
    """SQL without the tables that are dropped again, and their indexes."""
    kept = list[str]()
    for part in said.split(";"):
        if (dropped := re.match(r"\s*DROP TABLE (\w+)", part)) is None:
            kept.append(part)
        else:
            made = re.compile(rf"\s*CREATE (TABLE|INDEX \w+ ON) {dropped[1]}\b")
            kept = [before for before in kept if not made.match(before)]
    return ";".join(kept)


def without_triggers(said: str) -> str:
    """SQL without the triggers and their functions, which `test_open_images.py` and `test_twins.py` test."""
    said = re.sub(r"CREATE TRIGGER \w+ [^;]*? BEGIN .*?; END", "", said)
    return re.sub(r"CREATE (?:OR REPLACE )?(FUNCTION .*? END \$\$|TRIGGER .*? EXECUTE FUNCTION \w+\(\))", "", said)


def statements(said: str) -> list[list[str]]:
    """SQL as statements of lines, in an order of their own, as that of the clauses of a table means nothing; without
    indexes that are dropped and rows that are filled in."""
    said = with_changed_columns(with_added_columns(without_dropped_tables(without_triggers(said))))
    dropped = re.findall(r"^DROP INDEX (\w+)", said, flags=re.MULTILINE)
    gone = re.compile(rf"\s*(UPDATE|DROP INDEX|CREATE INDEX ({'|'.join(dropped) or '$'}) )")
    parts = (
        part
        for part in said.split(";")
        if "VIEW" not in part and part.strip() and "INSERT" not in part and not gone.match(part)
    )
    return sorted(sorted(line.strip().rstrip(",") for line in part.strip().splitlines()) for part in parts)


def said_by_migrations(dialect: str) -> str:
    said = io.StringIO()
    options = {"as_sql": True, "output_buffer": said, "target_metadata": Base.metadata}
    with Operations.context(MigrationContext.configure(dialect_name=dialect, opts=options)):
        for revision in REVISIONS:
            ScriptDirectory(str(MIGRATIONS)).get_revision(revision).module.upgrade()
    return said.getvalue()


def said_by_tables(dialect: str) -> str:
    said: list[str] = []
    engine = create_mock_engine(f"{dialect}://", lambda sql, *_: said.append(str(sql.compile(dialect=engine.dialect))))
    Base.metadata.create_all(engine, checkfirst=False)
    return ";".join(said)


def made_at(name: str, revision: str) -> Database:
    """An index as that revision left it."""
    opened = Database(parse_database(name))
    with opened.write_connection() as connection:
        migrate(connection, revision=revision)
    return opened


def rows_of(database: Database, columns: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    """The content of these columns of these tables."""
    return {
        table: rows(database, f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(names[:2])}")
        for table, names in columns.items()
    }


def filled(database: Database) -> dict[str, list[str]]:
    """Puts rows into every table: the columns that were there."""
    with database.read() as session:
        there = inspect(session.connection())
        columns = {name: [column["name"] for column in there.get_columns(name)] for name in there.get_table_names()}
    del columns["alembic_version"]
    assert columns.keys() <= ROWS.keys()
    for name in ROWS:
        for row in [ROWS[name], *([ANOTHER_IMAGE] if name == "images" else [])] if name in columns else ():
            marks = ", ".join("?" * len(row))
            execute(database, f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", *row.values())
    return columns


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_migrations_say_what_the_tables_say(dialect: str) -> None:
    """Type, NULL, key, CHECK, index and comment: the migrations' SQL is that of the tables, for both databases."""
    assert statements(said_by_migrations(dialect)) == statements(said_by_tables(dialect))


def test_indexes_of_tests_are_what_the_migrations_make(maker: Maker, tmp_path: Path) -> None:
    """What tests make by the statements of the migrations is, object by object and row by row, what these make."""
    open_database(maker.place(tmp_path), create=True).close()
    replayed = open_database(maker.place(tmp_path), create=True)
    with closing(replayed), closing(Database(parse_database(maker.place(tmp_path)))) as migrated:
        with migrated.write_connection() as connection:
            migrate(connection)
        for query in OBJECTS[maker.kind]:
            assert rows(replayed, query) == rows(migrated, query) != []


def test_migrated_database_is_what_the_tables_say(database: Database) -> None:
    """Alembic finds nothing to change in a migrated database."""
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@on_sqlite
def test_migrated_file_says_what_the_tables_say(database: Database) -> None:
    """The SQL that a migrated SQLite file remembers is that of the tables."""
    made = rows(database, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'")
    assert statements(";".join(sql for (sql,) in made)) == statements(said_by_tables("sqlite"))


@on_postgresql
def test_text_is_ordered_by_bytes(database: Database) -> None:
    """On a server every column of text compares byte by byte, whatever the locale of the database."""
    text_of_ours = (
        "FROM information_schema.columns AS c JOIN pg_tables ON tablename = table_name AND schemaname = table_schema "
        "WHERE table_schema = 'public' AND data_type = 'text'"
    )
    collations = rows(database, f"SELECT DISTINCT collation_name {text_of_ours}")
    assert collations == [("C",)]
    assert rows(database, "SELECT 'a' < 'B' COLLATE \"default\"") == [(True,)], "the test server is of locale C"


@pytest.mark.parametrize("view", VIEWS)
def test_views_have_their_columns(database: Database, view: str) -> None:
    """Each audit view has the columns that are promised."""
    with database.read() as session:
        columns = session.connection().exec_driver_sql(f"SELECT * FROM {view}").keys()
        promised = VIEWS[view].split()
        assert list(columns)[: len(promised)] == promised


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_survive_an_upgrade(maker: Maker, tmp_path: Path, revision: str) -> None:
    """A database of any revision, with rows in every table, is upgraded and its rows are what they were."""
    place = maker.place(tmp_path)
    database = made_at(place, revision)
    columns = filled(database)
    before = rows_of(database, columns)
    assert upgrade_database(place).revision == head_revision()
    after = rows_of(database, columns)
    assert all(set(rows) <= set(after[table]) for table, rows in before.items())
    added = {table: len(after[table]) - len(rows) for table, rows in before.items() if len(after[table]) > len(rows)}
    assert added == {"preparations": 5, "scorings": 5, "profiles": 5}
    database.close()


def test_twins_of_an_older_database_are_seen(maker: Maker, tmp_path: Path) -> None:
    """Images that were there before the view are in it after the upgrade."""
    place = maker.place(tmp_path)
    database = made_at(place, "0003")
    filled(database)
    execute(database, "UPDATE images SET captured_at_source = 'name'")
    execute(database, "UPDATE images SET path = '/gate-1767268800000.jpg' WHERE id = 96")
    database.close()
    upgrade_database(place)
    seen = rows_of(database, {"audit_twins": ["image_a_id", "image_b_id", "apart_s"]})
    assert seen == {"audit_twins": [(96, 99, 0.0)]}


def test_thumbnails_of_an_older_database_count_as_not_flat(maker: Maker, tmp_path: Path) -> None:
    """What nobody looked at is taken for a picture of something, as before there was the column."""
    place = maker.place(tmp_path)
    database = made_at(place, "0007")
    filled(database)
    database.close()
    upgrade_database(place)
    assert rows_of(database, {"thumbnails": ["image_id", "flat"]}) == {"thumbnails": [(96, False)]}


def test_scorings_of_an_older_database_get_their_minimum_area(maker: Maker, tmp_path: Path) -> None:
    """The column that queries use is filled from the parameters; a scoring without one has NULL."""
    place = maker.place(tmp_path)
    database = made_at(place, "0009")
    filled(database)
    row = ROWS["scorings"] | {"id": 192, "digest": "other", "parameters": '{"min_contour_area": 12.5}'}
    marks = ", ".join("?" * len(row))
    execute(database, f"INSERT INTO scorings ({', '.join(row)}) VALUES ({marks})", *row.values())
    database.close()
    upgrade_database(place)
    areas = dict(rows(database, "SELECT id, min_contour_area FROM scorings"))
    assert (areas.pop(92), areas.pop(192)) == (None, 12.5)
    assert set(areas.values()) == {1000.0}


@pytest.mark.parametrize("own", [None, "colour"])
def test_an_older_database_gets_the_profile_that_it_lacks(maker: Maker, tmp_path: Path, own: str | None) -> None:
    """An index of the revision before gets `colour` by the upgrade, the active one stays; its own of that name too."""
    place = maker.place(tmp_path)
    database = made_at(place, "0008")
    filled(database)
    execute(database, "UPDATE preparations SET parameters = '{\"mask\": [1, 2, 3, 4]}'")
    if own is not None:
        execute(database, "UPDATE profiles SET name = ?", own)
    database.close()
    upgrade_database(place)
    with closing(open_database(place)) as database, database.read() as session:
        found = {one.profile.name: (one.active, one.profile.preparation.mask) for one in list_profiles(session)}
    usual = (False, (5, 10, 5, 0))
    built_in = {profile.name: usual for profile in BUILT_IN}
    assert found == built_in | {own or "mine": (True, (1, 2, 3, 4))}


def test_the_head_is_the_last_revision_of_alembic() -> None:
    """The head that is read from the names of the files is the one that Alembic would upgrade to."""
    assert head_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()
