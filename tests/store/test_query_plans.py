"""How questions are answered: by looking up, on both databases, where a person asks about one image or some files.

The plan is that of the statements which the store sends, on an index of 10 000 images of which a server knows what is
in it (`db copy` says `ANALYZE`): enough that it would not read a large table whole if it need not, and does if no index
answers. To read a table of few rows, such as `cameras`, is right, and not looked at. What must look at everything
(`status`, the plan of `prune`) is not here. The last tests plant a scan and see it caught.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from indexer.domain.reach import OpeningKeeper
from indexer.store import (
    audit_queries,
    camera_sources,
    concerned_images,
    decisions,
    image_details,
    image_lookup,
    images,
    open_images,
    ranked_images,
    removals,
    scores,
    signatures,
    thumbnails,
    twins,
    verdicts,
)
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.workflows.admin import copy_index
from tests.benchmarks.rows import FOLDER, captures, fill_rows, path_of, sizes
from tests.support.databases import Maker, execute, on_sqlite

IMAGES, CAMERA = 10_000, 9
KEPT, DUPLICATE = IMAGES // 2 + 1, IMAGES // 2 + 2
LARGE = {"images", "scores", "decisions", "thumbnails", "signatures", "removals"}
SMALL = {"cameras", "profiles", "scorings", "preparations", "naming_rules"} | {
    "camera",
    "profile",
    "chosen",
    "judged",
    "CONSTANT",
    "named",
    "anon_1",
    "open_images",
    "pins",
    "spans",
    "videos",
}  # and aliases
VAST = "(scoring_id|preparation_id|profile_id|state)"  # what so many rows share that it leaves most of a table
NEARLY_EMPTY = ("ix_removals_open", "ix_decisions_unplaced")  # indexes of what is open
PATHS = [path_of(capture) for capture in captures(CAMERA, sizes(IMAGES, 20)[CAMERA])][: IMAGES // 200]
HASHES = [f"{number:064x}" for number in range(IMAGES // 200)]
IDS = list(range(200, IMAGES, 1000))
YESTERDAY = datetime.now(UTC) - timedelta(days=1)

KEEPERS = [OpeningKeeper(None, 1_750_000_000_000_000), OpeningKeeper(1 << 62, 1_740_000_000_000_000)]

Ask = Callable[[Session], object]
QUESTIONS: dict[str, Ask] = {
    "what is known at the paths of files": lambda session: images.list_known(session, PATHS),
    "what is present at the paths of files": lambda session: list(images.iter_present(session, PATHS)),
    "what is present in a folder": lambda session: list(images.iter_present_under(session, f"{FOLDER}/c{CAMERA:02}")),
    "the cameras of the files below a folder": lambda session: camera_sources.list_read_files(
        session, folder=f"{FOLDER}/c{CAMERA:02}", limit=64
    ),
    "the last files of a camera": lambda session: camera_sources.list_read_files(session, camera="c20", limit=64),
    "equal bytes": lambda session: images.list_by_hash(session, HASHES),
    "an image by its path": lambda session: image_lookup.get_image_id(session, PATHS[0]),
    "all that is known of a kept image": lambda session: image_details.get_image_details(session, KEPT),
    "all that is known of a duplicate": lambda session: image_details.get_image_details(session, DUPLICATE),
    "the twins of an image": lambda session: twins.list_twins(session, DUPLICATE),
    "current decisions": lambda session: decisions.list_image_decisions(session, IDS),
    "the scores of an image": lambda session: scores.list_scores(session, DUPLICATE, scoring_id=1),
    "the scores of some images": lambda session: scores.list_scores_of(session, IDS, scoring_id=1),
    "the evidence of an image": lambda session: scores.list_image_evidence(session, DUPLICATE, scoring_id=1),
    "the evidence of a small camera": lambda session: scores.list_camera_evidence(session, [20], scoring_id=1),
    "whether a camera has scores": lambda session: scores.has_scores(session, 21, scoring_id=1),
    "the evidence of a pair": lambda session: scores.list_evidence(session, KEPT, DUPLICATE),
    "the verdict on a pair": lambda session: verdicts.find_verdict(session, (KEPT, DUPLICATE)),
    "thumbnails": lambda session: thumbnails.load_thumbnails(session, IDS, preparation_id=1),
    "signatures": lambda session: signatures.load_signatures(session, IDS, preparation_id=1),
    "which signatures there are": lambda session: signatures.list_without_signature(session, IDS, preparation_id=1),
    "what is open in a camera": lambda session: open_images.list_open(session, CAMERA + 1, limit=501),
    "how much is undecided": open_images.count_undecided,
    "the keepers of a camera": lambda session: concerned_images.list_kept(session, CAMERA + 1),
    "whether a camera has unplaced decisions": lambda session: concerned_images.has_unplaced(session, CAMERA + 1),
    "keepers that keep no more": lambda session: concerned_images.list_broken_keepers(session, CAMERA + 1),
    "what keepers stand for": lambda session: concerned_images.list_duplicates_of(session, CAMERA + 1, IDS),
    "duplicates that are pinned": lambda session: concerned_images.list_pinned_duplicates(session, CAMERA + 1),
    "what new keepers concern": lambda session: list(concerned_images.list_concerned(session, CAMERA + 1, KEEPERS)),
    "the decisions on them": lambda session: ranked_images.list_decisions_of(session, IDS, page_size=500),
    "removals that a cut left open": removals.list_pending,
    "the removals of an image": lambda session: removals.list_for_image(session, DUPLICATE),
    "the history of an image": lambda session: session.execute(
        text(audit_queries.get_audit("history").sql), {"image": str(DUPLICATE)}
    ),
}


@pytest.fixture(scope="module")
def filled(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An index of 10 000 images of 20 cameras, made once for each database."""
    folder = tmp_path_factory.mktemp("filled")
    fill_rows(folder / "rows.db", IMAGES)
    with closing(open_database(str(folder / "rows.db"))) as database:
        execute(database, "INSERT INTO signatures SELECT image_id, preparation_id, data FROM thumbnails")
    place = maker.place(folder)
    copy_index.copy(str(folder / "rows.db"), place, clock=lambda: datetime.now(UTC))
    with closing(open_database(place)) as database:
        yield database


@contextmanager
def sent(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent within the block, with their values."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        found.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", note)
    yield found
    event.remove(database.engine, "before_cursor_execute", note)


def scans(database: Database, ask: Ask) -> set[str]:
    """The large tables that are read whole for a question."""
    with sent(database) as statements, database.read() as session:
        ask(session)
    asked = [(sql, values) for sql, values in statements if sql.lstrip().startswith(("SELECT", "WITH"))]
    assert asked
    read = _scans_of_file if database.path is not None else _scans_of_server
    with database.read() as session:
        return {table for sql, values in asked for table in read(session, sql, values)}


def _scans_of_file(session: Session, sql: str, values: Any) -> Iterator[str]:
    """What SQLite's plan reads whole, by table or alias, with an index or without."""
    for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values):
        if any(index in row.detail for index in NEARLY_EMPTY):
            continue
        act = re.match(r"(SCAN|SEARCH) (\w+)", row.detail)
        if act and act[2] not in SMALL and (act[1] == "SCAN" or re.search(rf"\({VAST}=\?\)", row.detail)):
            yield act[2]


def _scans_of_server(session: Session, sql: str, values: Any) -> Iterator[str]:
    """The large tables of which the server's plan reads all, with an index or without."""
    plan = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalar_one()
    nodes = [entry["Plan"] for entry in plan]
    for node in nodes:  # grows while it is walked
        nodes += node.get("Plans", [])
        if node.get("Index Name") in NEARLY_EMPTY:
            continue
        condition = node.get("Index Cond") or node.get("Recheck Cond") or ""
        if node.get("Relation Name") in LARGE and (not condition or re.fullmatch(rf"\({VAST} = \S+\)", condition)):
            yield node["Relation Name"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_is_looked_up(filled: Database, question: str) -> None:
    """None of the large tables is read whole for it."""
    assert scans(filled, QUESTIONS[question]) == set()


def test_images_that_a_comparison_ranks_are_looked_up(filled: Database) -> None:
    """Of the images of a camera only those that are asked for are read; whether some are pinned may read all of the
    removals, where these are few."""

    def ask(session: Session) -> object:
        return ranked_images.list_images(session, IDS, preparation_id=1, page_size=500)

    assert scans(filled, ask) <= {"removals"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: open_images.count_undecided(session, waiting_since=YESTERDAY, running_ids=[1]),
        lambda session: images.count_unusable_since(session, YESTERDAY),
    ],
)
def test_what_needs_a_person_is_looked_up(filled: Database, ask: Ask) -> None:
    """A nightly check reads all runs, and of images those alone that wait or cannot be used."""
    assert scans(filled, ask) <= {"runs"}


@on_sqlite
def test_verdicts_of_a_camera_do_not_meet_all_its_images_with_each_other(filled: Database) -> None:
    """For what a person said of a camera's pairs only the verdicts are gone through."""
    with sent(filled) as statements, filled.read() as session:
        verdicts.list_judgements(session, CAMERA + 1)
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[-1][0]}", statements[-1][1]).all()
    (scan,) = [row.detail for row in plan if "camera_id=?" in row.detail or row.detail.startswith("SCAN")]
    assert "verdicts" in scan


@pytest.mark.parametrize("column", ["state_reason", "root"])
def test_a_scan_is_seen(filled: Database, column: str) -> None:
    """A question that no index answers is seen to read the table, whatever else it looks up."""
    planted = text(
        f"SELECT image.id FROM images AS image JOIN decisions AS decision ON decision.image_id = image.id "
        f"WHERE image.{column} = 'nothing'"
    )
    assert len(scans(filled, lambda session: session.execute(planted))) == 1


def test_a_missing_index_is_seen(filled: Database) -> None:
    """Without the index on the larger image of a pair, the scores of an image are found by reading all."""
    with filled.write_connection() as connection:
        connection.exec_driver_sql("DROP INDEX ix_scores_image_b_id")
    filled.close()  # with the plans that were kept
    assert scans(filled, QUESTIONS["the scores of an image"]) != set()
    with filled.write_connection() as connection:
        connection.exec_driver_sql("CREATE INDEX ix_scores_image_b_id ON scores (image_b_id)")
