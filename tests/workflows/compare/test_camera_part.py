"""A camera that is decided from a part of its images ends as if it were read whole, to the last row."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.descriptions import Limits
from indexer.errors import DatabaseError
from indexer.execution import serial
from indexer.imaging import matching
from indexer.workflows.admin import forget
from indexer.workflows.admin.forget import parse_scope
from indexer.workflows.compare import camera, camera_part, sieve
from indexer.workflows.compare.camera import decide_camera
from indexer.workflows.compare.compare import CompareReport
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache
from indexer.workflows.context import ComparisonContext
from indexer.workflows.runs.run import record_run
from tests.support.brute_force import assert_promises
from tests.support.databases import Maker, on_postgresql, on_sqlite
from tests.support.index import BIRD, CAR, SECOND_BIRD, Index, name, picture
from tests.support.stub_network import stubbed_network
from tests.workflows.compare.test_incremental import History, first, new_history, often, seldom, steps, verdict

DECISIONS = """
    SELECT image_id, profile_id, verdict, keeper_id, score, reason, decided_by, run_id, of_camera_id, rank_class,
           reach_class, captured_us
    FROM decisions WHERE superseded_at IS NULL ORDER BY image_id
"""
SCORES = "SELECT * FROM scores ORDER BY scoring_id, image_a_id, image_b_id"
OPEN = "SELECT image_id FROM open_images ORDER BY image_id"
NOT_LISTED = """
    SELECT id FROM images WHERE state = 'ready'
    AND NOT EXISTS (SELECT 1 FROM decisions WHERE image_id = images.id AND superseded_at IS NULL)
    AND id NOT IN (SELECT image_id FROM open_images)
"""
MISPLACED = """
    SELECT images.id FROM images JOIN decisions ON decisions.image_id = images.id AND superseded_at IS NULL
    WHERE state = 'ready' AND of_camera_id <> images.camera_id
"""


@contextmanager
def by_parts(*, page_size: int | None, sieved: bool = False) -> Iterator[list[bool]]:
    """Cameras of any size are decided from parts, read in such pages; without a size, they are read whole. `sieved`:
    every search of a part goes by signatures first.

    The list gets for each camera whether its part was enough.
    """
    used: list[bool] = []
    decide_part = camera_part.decide_part

    def noted(*what: Any, **how: Any) -> Any:
        result = None if page_size is None else decide_part(*what, **how)
        used.append(result is not None)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(camera, "decide_part", noted)
        patch.setattr(camera_part, "MIN_IMAGES", 0)
        patch.setattr(camera_part, "PAGE_SIZE", page_size or 1)
        if sieved:
            patch.setattr(camera_part, "MIN_KEEPERS", 0)
            patch.setattr(sieve, "MIN_CANDIDATES", 1)
            patch.setattr(matching, "PAIRS_BEFORE_COMPILED", 0)
        yield used


class TwoWays(History):
    """A history in which every compare is made by parts, and whole on a copy of the index."""

    def __init__(self, index: Index, maker: Maker, page_size: int, *, sieved: bool) -> None:
        super().__init__(index)
        self.maker, self.page_size, self.sieved = maker, page_size, sieved

    def compare(self, profile: str | None = None) -> None:
        """Decides in both ways, and holds the decisions against the rule."""
        self.profile = profile or self.profile
        assert self.index.rows(NOT_LISTED) == self.index.rows(MISPLACED) == []
        folder = self.index.folder.parent / f"copy-{self.index.clock().timestamp()}"
        folder.mkdir()
        copied = replace(self.index, database=self.maker.copy(self.index.database, folder))
        try:
            with by_parts(page_size=None):
                whole = outcome(copied, copied.compare(profile=profile))
        finally:
            self.maker.drop(copied.database)
        with by_parts(page_size=self.page_size, sieved=self.sieved):
            assert outcome(self.index, self.index.compare(profile=profile)) == whole
            assert_promises(self.index.rows, self.profile)
            assert self.index.compare().counts["decided"] == 0


def outcome(index: Index, report: CompareReport) -> tuple[Any, ...]:
    """What a compare reported and wrote."""
    return report.cameras, index.rows(DECISIONS), index.rows(SCORES), index.rows(OPEN)


def live(
    maker: Maker, folder: Path, page_size: int, first: list[Any], steps: list[tuple[Any, ...]], *, sieved: bool = False
) -> None:
    """Takes an index through a history in both ways."""
    history = TwoWays(new_history(maker, folder).index, maker, page_size, sieved=sieved)
    try:
        with stubbed_network():
            history.add(first)
            history.compare()
            for (what, *how), then_compare in [*steps, (("compare",), False)]:
                history.take(what, *how)
                if then_compare:
                    history.compare()
    finally:
        maker.drop(history.index.database)


page_sizes = st.sampled_from([1, 2, 7])
verdicts = st.lists(st.tuples(verdict, st.booleans()), min_size=2, max_size=8)


@on_sqlite
@settings(often, max_examples=6)
@given(page_size=page_sizes, first=first, steps=steps, sieved=st.booleans())
def test_a_part_decides_as_the_whole(
    maker: Maker, tmp_path: Path, page_size: int, first: list[Any], steps: list[tuple[Any, ...]], sieved: bool
) -> None:
    """After any history decisions, evidence and counts of a part are those of the whole camera, and of the rule; with
    and without signatures."""
    live(maker, tmp_path, page_size, first, steps, sieved=sieved)


@on_sqlite
@settings(often, max_examples=5)
@given(page_size=page_sizes, first=first, steps=verdicts)
def test_a_part_follows_verdicts(
    maker: Maker, tmp_path: Path, page_size: int, first: list[Any], steps: list[tuple[Any, ...]]
) -> None:
    """Verdicts in any order decide by parts what they decide in the whole camera."""
    live(maker, tmp_path, page_size, first, steps)


@on_postgresql
@seldom
@given(page_size=page_sizes, first=first, steps=steps)
def test_a_part_decides_as_the_whole_on_a_server(
    maker: Maker, tmp_path: Path, page_size: int, first: list[Any], steps: list[tuple[Any, ...]]
) -> None:
    """On a server, too, a part decides as the whole camera."""
    live(maker, tmp_path, page_size, first, steps)


def test_what_nothing_concerns_is_not_read(index: Index) -> None:
    """The thumbnails of duplicates may be spoiled: a new image is decided without them."""
    index.put(name(0), picture())
    for minute in range(1, 6):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.compare()
    index.execute(
        "UPDATE thumbnails SET data = ? WHERE image_id IN (SELECT image_id FROM decisions WHERE keeper_id IS NOT NULL)",
        b"spoiled",
    )
    index.put(name(9), picture(CAR))
    index.put(name(10), picture(CAR, stamp=1))
    index.ingest()
    with by_parts(page_size=2) as used:
        (result,) = index.compare().cameras
    assert used == [True]
    assert (result.images, result.kept, result.decided) == (8, 2, 2)


@pytest.mark.parametrize("damage", ["none", "of a signature"])
def test_a_proved_keeper_is_not_read(index: Index, damage: str) -> None:
    """A keeper whose signature proves a new image dissimilar needs no thumbnail. A corrupt signature proves nothing:
    the thumbnail is read, and made again if it is spoiled, too."""
    for minute, mark in enumerate([CAR, (10, 10, 20, 90)]):
        index.put(name(minute), picture(mark))
    index.ingest()
    index.compare()
    index.put(name(5), picture((60, 20, 24, 90)))
    index.ingest()
    with by_parts(page_size=2, sieved=True) as used:
        index.compare()  # it decodes the keepers, and stores their signatures
        assert index.rows("SELECT COUNT(*) FROM signatures") == [(3,)]
        index.execute("UPDATE thumbnails SET data = ?", b"spoiled")
        if damage != "none":
            index.execute("UPDATE signatures SET data = ?", b"spoiled")
        index.put(name(6), picture((20, 25, 30, 30)))
        index.ingest()
        (result,) = index.compare().cameras
    assert (result.kept, result.decided, result.scored) == (4, 1, 3)
    spoiled = [] if damage != "none" else [(1,), (2,), (3,)]
    assert index.rows("SELECT image_id FROM thumbnails WHERE data = ? ORDER BY image_id", b"spoiled") == spoiled
    assert used == [True] * len(used)


def test_a_keeper_that_differs_from_a_higher_one_is_not_read(index: Index) -> None:
    """A new image that ranks above old keepers is compared with none that their signatures prove to differ."""
    for minute, mark in enumerate([CAR, (10, 10, 20, 90), (60, 20, 24, 90)]):
        index.put(name(minute), picture(mark))
    index.ingest()
    index.compare()
    index.put(name(5), picture((20, 25, 30, 90)))
    index.ingest()
    with by_parts(page_size=2, sieved=True) as used:
        index.compare()  # it decodes the keepers, and stores their signatures
        index.execute("UPDATE thumbnails SET data = ?", b"spoiled")
        index.put(name(6), picture((70, 35, 20, 90)))
        index.ingest()
        index.execute("UPDATE images SET sharpness = 1e6 WHERE id = 5")
        (result,) = index.compare().cameras
    assert (result.kept, result.decided, result.scored) == (5, 1, 4)
    spoiled = index.rows("SELECT image_id FROM thumbnails WHERE data = ? ORDER BY image_id", b"spoiled")
    assert (spoiled, used) == ([(1,), (2,), (3,), (4,)], [True, True])


def test_an_index_of_an_earlier_version_is_read_whole_once(index: Index) -> None:
    """Where the places of decisions are not noted, the camera is read whole, and a part is enough from then on."""
    index.put(name(0), picture())
    index.put(name(1), picture(stamp=1))
    index.ingest()
    index.compare()
    noted = index.rows(DECISIONS)
    index.execute("UPDATE decisions SET of_camera_id = NULL, rank_class = NULL, reach_class = NULL, captured_us = NULL")
    with by_parts(page_size=2) as used:
        index.compare()
        assert index.rows(DECISIONS) == noted
        index.put(name(2), picture(stamp=2))
        index.ingest()
        index.compare()
    assert used == [False, True]


@pytest.mark.parametrize("page_size", [None, 2])
def test_a_keeper_with_another_time_reaches_farther(index: Index, page_size: int | None) -> None:
    """A duplicate whose keeper gets a time farther away keeps its decision. A new keeper that is nearer than the keeper
    is now, but not nearer than it was, takes the duplicate all the same."""
    begin_ms, minute_ms = 1_611_000_000_000, 60_000
    keeper, duplicate, new = (f"gate-{begin_ms + minute * minute_ms}.png" for minute in (9, 10, 6))
    index.put(keeper, picture())
    index.put(duplicate, picture(BIRD))
    index.ingest()
    with by_parts(page_size=page_size):
        index.compare()
        index.ingest(index.folder / keeper, pattern=r"-16(?P<timestamp>\d{10})\d\.png$")  # in 2004
        assert index.compare().counts["decided"] == 1
        index.put(new, picture(BIRD, SECOND_BIRD))
        index.ingest(index.folder / new)
        index.compare()
    assert_promises(index.rows, "balanced")
    assert index.decisions()[duplicate][1] == new


def test_a_process_that_stays_sees_what_others_write(index: Index) -> None:
    """With thumbnails kept from one batch to the next, pins and files of other commands count all the same."""
    index.put(name(0), picture())
    index.put(name(1), picture(CAR))
    index.ingest()
    index.compare()
    with by_parts(page_size=2) as used, ThumbnailCache(capacity_bytes=1 << 20) as cache:
        for minute, change in enumerate([lambda: None, lambda: index.pin(name(1)), lambda: vanish(index, name(0))]):
            change()
            index.put(name(5 + minute), picture(BIRD, stamp=minute))
            index.ingest()
            decide(index, cache)
            assert_promises(index.rows, "balanced")
    assert used == [True] * 3


@pytest.mark.parametrize("sieved", [False, True])
def test_a_new_image_with_the_id_of_a_forgotten_one_is_compared_by_its_own_pixels(index: Index, sieved: bool) -> None:
    """Thumbnails and signatures that a process keeps are never taken for those of another picture."""
    index.put(name(0), picture())
    index.put(name(1), picture(CAR))
    index.ingest()
    with by_parts(page_size=2, sieved=sieved) as used, ThumbnailCache(capacity_bytes=1 << 20) as cache:
        decide(index, cache)
        (index.folder / name(1)).unlink()
        index.ingest()
        forget.forget(index.database, parse_scope(str(index.folder / name(1)), camera=None), clock=index.clock)
        index.put(name(2), picture(stamp=1))
        index.ingest()
        index.put(name(3), picture(CAR, stamp=1))
        index.ingest()
        decide(index, cache)
        assert_promises(index.rows, "balanced")
    assert used[-1]
    images = "SELECT path FROM images JOIN decisions ON image_id = images.id"
    kept = index.rows(f"{images} WHERE superseded_at IS NULL AND keeper_id IS NULL")
    assert {Path(path).name for (path,) in kept} == {name(0), name(3)}


def test_signatures_that_cannot_be_stored_fail_nothing(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are optional: on a full disk the camera is decided all the same, and they are stored later."""

    def refuse(*_given: Any, **_more: Any) -> None:
        refusals.append(True)
        raise DatabaseError("the disk is full")

    refusals: list[bool] = []
    index.put(name(0), picture())
    index.put(name(1), picture(CAR))
    index.ingest()
    with by_parts(page_size=2, sieved=True), ThumbnailCache(capacity_bytes=1 << 20) as cache:
        with monkeypatch.context() as patch:
            patch.setattr(camera_part.signatures, "add_signatures", refuse)
            decide(index, cache)
        assert (refusals, index.rows("SELECT COUNT(*) FROM signatures")) == ([True], [(0,)])
        assert_promises(index.rows, "balanced")
        index.put(name(2), picture(BIRD))
        index.ingest()
        decide(index, cache)
        assert index.rows("SELECT image_id FROM signatures ORDER BY image_id") == [(1,), (2,)]


def vanish(index: Index, file: str) -> None:
    """A file that is gone."""
    (index.folder / file).unlink()
    index.ingest()


def decide(index: Index, cache: ThumbnailCache) -> None:
    """Decides what is new in the camera, as a process that stays does."""
    with serial() as executor:
        context = ComparisonContext(index.database, executor, Limits(), index.clock)
        with record_run(index.database, "compare", arguments={}, clock=index.clock, by_camera=True) as run:
            assert decide_camera(context, "gate", run=run, cache=cache).problem is None
