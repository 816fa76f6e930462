"""After another profile came into force, the index tells which removed images it would keep, and restores them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.domain.descriptions import Limits
from indexer.execution import serial
from indexer.store.reconsidered import NotCompared, WouldKeep
from indexer.workflows.admin.shrink import shrink
from indexer.workflows.admin.status import status
from indexer.workflows.context import ComparisonContext
from indexer.workflows.tuning.sweep import SweepReport, sweep
from tests.support.index import BIKE, BIRD, GHOST, Index, name, picture, prepared


@prepared
def lot(index: Index) -> None:
    """A camera of which `plain` removed a ghost and a bird; `balanced` keeps the ghost."""
    for file, content in {name(0): picture(), name(1): picture(GHOST), name(2): picture(BIRD)}.items():
        index.put(file, content)
    index.ingest()
    index.compare(profile="plain")
    assert index.prune().removed == 2


def test_another_profile_tells_what_it_would_have_kept(lot: Index) -> None:
    """compare and status count the removed images that the new profile would have kept, and the journal has which."""
    assert lot.compare().would_keep == []
    expected = [WouldKeep("gate", "balanced", 1, 1)]
    assert lot.compare(profile="balanced").would_keep == expected
    assert status(lot.database).would_keep == tuple(expected)
    kept = lot.rows("SELECT r.path FROM reconsidered AS c JOIN removals AS r ON r.id = c.removal_id WHERE c.kept")
    assert [lot.file(path) for (path,) in kept] == [name(1)]


def test_what_would_be_kept_comes_back_and_is_kept(lot: Index) -> None:
    """`restore --would-keep` brings back those files alone, pins nothing, and compare keeps them."""
    lot.compare(profile="balanced")
    report = lot.restore_would_keep()
    assert (report.restored, report.pinned) == (1, False)
    assert (lot.folder / name(1)).read_bytes() == picture(GHOST)
    assert not (lot.folder / name(2)).exists()
    assert lot.compare().would_keep == []
    assert lot.decisions()[name(1)][0] == "keep"
    assert lot.rows("SELECT COUNT(*) FROM pins") == [(0,)]


def test_a_rerun_writes_nothing(lot: Index) -> None:
    """A second compare under the new profile reconsiders nothing and writes nothing but its run."""
    lot.compare(profile="balanced")
    before = lot.dump(without=("runs",))
    lot.compare()
    assert lot.dump(without=("runs",)) == before


def test_nothing_is_asked_while_one_profile_decides(index: Index) -> None:
    """Under the profile that removed them, removed images are not reconsidered."""
    for minute in range(3):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.compare()
    index.prune()
    assert index.compare().would_keep == []
    assert index.rows("SELECT COUNT(*) FROM reconsidered") == [(0,)]


def test_the_profile_in_force_back_again_counts_nothing(lot: Index) -> None:
    """Back under the profile that removed them, nothing would be kept."""
    lot.compare(profile="balanced")
    assert lot.compare(profile="plain").would_keep == []
    assert lot.compare(profile="balanced").would_keep == [WouldKeep("gate", "balanced", 1, 1)]


def test_purged_files_count_but_cannot_come_back(lot: Index) -> None:
    """A removed image that was deleted for good counts if its thumbnail is known, but not as restorable."""
    lot.purge()
    assert lot.compare(profile="balanced").would_keep == [WouldKeep("gate", "balanced", 1, 0)]


@pytest.mark.parametrize("gone", [False, True])
def test_another_preparation_reads_files_in_quarantine(lot: Index, gone: bool) -> None:
    """A profile with thumbnails of its own makes them from the quarantined files. While these are away, their removals
    stay open, and a compare that finds them back decides them."""
    expected = [WouldKeep("gate", "colour", 1, 1)]
    quarantine = lot.folder.parent / ".indexer-quarantine"
    away = quarantine.rename(lot.folder.parent.parent / "away") if gone else None
    first = lot.compare(profile="colour")
    assert (first.would_keep, first.not_compared) == (
        ([], [NotCompared("gate", "colour", 2, False)]) if gone else (expected, [])
    )
    assert status(lot.database).not_compared == tuple(first.not_compared)
    if away is not None:
        away.rename(quarantine)
        again = lot.compare()
        assert (again.would_keep, again.not_compared) == (expected, [])


def test_what_comes_back_later_corrects_what_was_recorded(lot: Index) -> None:
    """While one of two equal ghosts is away, the other would be kept; with both back, one stands for both."""
    lot.put(name(3), picture(GHOST, stamp=3))
    lot.ingest()
    lot.compare()
    assert lot.prune().removed == 1
    ((quarantined,),) = lot.rows("SELECT quarantine_path FROM audit_removals WHERE path LIKE ?", f"%{name(1)}")
    away = Path(quarantined).rename(lot.folder.parent.parent / "away.png")
    lot.compare(profile="colour")
    assert would_keep(lot) == {name(3)}
    away.rename(quarantined)
    lot.compare()
    assert would_keep(lot) == {name(1)}


def would_keep(index: Index) -> set[str]:
    """The files that are recorded as kept."""
    kept = index.rows("SELECT r.path FROM reconsidered AS c JOIN removals AS r ON r.id = c.removal_id WHERE c.kept")
    return {index.file(path) for (path,) in kept}


def test_a_profile_without_thumbnails_says_so(lot: Index) -> None:
    """Under `original`, which compares whole pictures, removed images count as not compared."""
    assert lot.compare(profile="original").not_compared == [NotCompared("gate", "original", 2, True)]


def swept(index: Index, *, with_removed: bool) -> SweepReport:
    """The sweep of the index."""
    with serial() as executor:
        context = ComparisonContext(index.database, executor, Limits(), index.clock)
        return sweep(context, max_scores=[5000], with_removed=with_removed)


def test_sweep_with_removed_images(index: Index) -> None:
    """With removed images sweep tells what it told before they were removed, and how many of them each limit keeps."""
    for file, content in {name(0): picture(), name(1): picture(BIKE), name(2): picture(BIRD)}.items():
        index.put(file, content)
    index.ingest()
    index.make_profile("loose", max_score=5000)
    index.compare(profile="loose")
    before = [(row.max_score, row.kept, row.duplicates) for row in swept(index, with_removed=False).cameras[0].rows]
    assert index.prune().removed == 2
    index.compare(profile="balanced")
    rows = swept(index, with_removed=True).cameras[0].rows
    assert [(row.max_score, row.kept, row.duplicates, row.removed_kept) for row in rows] == [
        (1000.0, 2, 1, 1),
        (5000.0, 1, 2, 0),
    ]
    assert before == [(5000.0, 1, 2)]
    assert {row.removed_kept for row in swept(index, with_removed=False).cameras[0].rows} == {None}


def test_sweep_counts_removed_images_that_it_cannot_try(lot: Index) -> None:
    """Removed images whose thumbnails were deleted are left out of a sweep with removed images, which says how many."""
    lot.purge()
    shrink(lot.database, removed_before=datetime(2030, 1, 1, tzinfo=UTC), clock=lot.clock)
    camera = swept(lot, with_removed=True).cameras[0]
    assert (camera.images, camera.removed_left_out, {row.kept for row in camera.rows}) == (1, 2, {1})
    assert swept(lot, with_removed=False).cameras[0].removed_left_out is None
