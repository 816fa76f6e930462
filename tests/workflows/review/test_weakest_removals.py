"""The removals with the weakest case are found: a camera with known small changes, none of which counts."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from indexer.imaging import matching
from indexer.store.audit_queries import run_audit
from indexer.store.borderline import list_borderline
from indexer.store.report_queries import list_unjudged_duplicates
from tests.support.databases import on_sqlite
from tests.support.index import BIKE, Index, name, picture

MARKS = range(1, 51)
"""Sizes of marks, in cells, none of which is large enough to count."""


def marked(cells: int) -> bytes:
    """A frame with a mark of so many cells of 2 x 1 pixels, row by row: each mark lies within the next larger one."""
    frame = np.random.default_rng(7).integers(96, 104, (240, 320)).astype(np.uint8)
    for cell in range(cells):
        top, left = 120 + cell // 8, 140 + cell % 8 * 2
        frame[top : top + 1, left : left + 2] = 220
    return cv2.imencode(".png", frame)[1].tobytes()


@on_sqlite
@pytest.mark.parametrize("compiled", [False, True], ids=["opencv", "kernel"])
def test_the_weakest_removals_come_first(index: Index, monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    """The 40 removals with the largest changes are the first 40 of `borderline removed`, the largest first."""
    monkeypatch.setattr(matching, "PAIRS_BEFORE_COMPILED", 0 if compiled else 10**9)
    shuffled = np.random.default_rng(3).permutation(MARKS).tolist()
    files = {name(minute): cells for minute, cells in enumerate([0, *shuffled])}
    for file, cells in files.items():
        index.put(file, marked(cells))
    index.ingest()
    index.compare()
    index.prune()
    expected = [(cells, 0.0, "removed") for cells in sorted(MARKS)[:-41:-1]]
    assert weakest(index, files) == expected
    index.compare(profile="plain")
    assert weakest(index, files) == expected
    with index.database.read() as session:
        queue = list_borderline(session, limit=40, camera_id=None, removed=True)
    paths = dict(index.rows("SELECT image_id, path FROM audit_removals"))
    assert [files[index.file(paths[max(pair, key=lambda one: one in paths)])] for pair in queue] == [
        cells for cells, *_ in expected
    ]


def weakest(index: Index, files: dict[str, int]) -> list[tuple[int, float, str]]:
    """The first 40 rows of `borderline removed`: cells of the mark, score and state."""
    with run_audit(index.database, "borderline", {"side": "removed", "limit": "40"}) as table:
        columns = [table.columns.index(column) for column in ("path", "score", "state")]
        rows = [tuple(row[column] for column in columns) for row in table]
    return [(files[index.file(path)], score, state) for path, score, state in rows]


def test_the_strict_profile_of_the_docs_is_strict(index: Index) -> None:
    """With `strict`, as docs/profiles.md makes it, every image is kept that `balanced` keeps, and a smaller change
    counts, too."""
    page = (Path(__file__).parents[3] / "docs" / "profiles.md").read_text()
    command = re.search(r"profile make strict --base balanced --min-contour-area (\d+) --max-score (\d+)", page)
    assert command is not None
    index.make_profile("strict", min_contour_area=float(command[1]), max_score=float(command[2]))
    for cells in (0, 5, 50):
        index.put(name(cells), marked(cells))
    index.ingest()
    kept = {}
    for profile in ("balanced", "strict"):
        index.compare(profile=profile)
        kept[profile] = {file for file, (decision, *_) in index.decisions().items() if decision == "keep"}
    assert kept == {"balanced": {name(0)}, "strict": {name(0), name(50)}}


def test_duplicates_of_a_keeper_are_listed_from_the_closest(index: Index) -> None:
    """What a person judges in bulk begins with the largest change, also where no change counts; equal bytes end it."""
    files = {name(minute): cells for minute, cells in enumerate((0, 20, 50, 0, 5))}
    for file, cells in files.items():
        index.put(file, marked(cells))
    index.ingest()
    index.compare()
    ids = {image_id: files[index.file(path)] for image_id, path in index.rows("SELECT id, path FROM images")}
    ((keeper_id,),) = index.rows("SELECT image_id FROM decisions WHERE verdict = 'keep'")
    with index.database.read() as session:
        pairs = list_unjudged_duplicates(session, keeper_id, limit=9)
        assert list_unjudged_duplicates(session, keeper_id, limit=2) == pairs[:2]
    assert [ids[image_id] for pair in pairs for image_id in pair if image_id != keeper_id] == [50, 20, 5, 0]


def test_the_query_of_the_docs_finds_kept_pairs_under_a_derived_profile(index: Index) -> None:
    """The example of docs/audits.md has the kept pairs also of a profile that shares the scoring of its base."""
    page = (Path(__file__).parents[3] / "docs" / "audits.md").read_text()
    sql = re.findall(r"```sql\n(.*?)```", page, flags=re.DOTALL)[2]
    index.make_profile("mine", max_score=1500.0)
    for minute, marks in enumerate([(), (BIKE,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare(profile="mine")
    rows = [(index.file(path), index.file(other)) for path, other, *_ in index.rows(sql)]
    assert rows == [(name(0), name(1))]


def test_removals_are_listed_from_the_last_one(index: Index) -> None:
    """`audit removals` has the removals of a run in the reverse of their order, as it has the runs."""
    for minute in range(4):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.compare()
    index.prune()
    index.undo_run()
    index.prune(index.plan(include_restored=True), include_restored=True)
    with run_audit(index.database, "removals", {}) as table:
        columns = [table.columns.index(column) for column in ("run_id", "path")]
        rows = [tuple(row[column] for column in columns) for row in table]
    assert [(run_id, index.file(path)) for run_id, path in rows] == [
        (run_id, name(minute)) for run_id in (5, 3) for minute in (3, 2, 1)
    ]
