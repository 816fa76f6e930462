"""Other commands at work on the same index: their cameras are left alone and named, all else is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from indexer.domain.descriptions import FileDescription
from indexer.domain.removal import RemovalState
from indexer.errors import DatabaseError
from indexer.store.database import Database
from indexer.store.locks.writer_lock import writer_lock
from indexer.workflows.image_files import DescribeTask
from indexer.workflows.ingest import camera_claims
from indexer.workflows.ingest import ingest as ingesting
from indexer.workflows.ingest.camera_claims import CameraClaims
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.index_diff import IndexDiff
from indexer.workflows.runs.run import record_run
from tests.support.databases import on_postgresql
from tests.support.index import CAR, Index, name, picture

pytestmark = [on_postgresql]


@contextmanager
def at_work(index: Index, *cameras: str) -> Iterator[None]:
    """Another command that works on these cameras until the end of the block."""
    own = Database(index.database.url)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    with writer_lock(own, command="compare", since=since, by_camera=True) as right:
        assert [right.acquire(camera) for camera in cameras] == [None] * len(cameras)
        yield
    own.close()


def fill(index: Index, *cameras: str) -> None:
    """Two frames of each camera, taken in."""
    for number, camera in enumerate(cameras):
        for minute in range(2):
            index.put(name(minute, camera), picture(stamp=2 * number + minute))
    index.ingest()


def test_new_files_of_their_cameras_are_left(index: Index) -> None:
    """Files of a camera that others are at work on are skipped, and taken in by the next run; others are taken in."""
    for camera in ("gate", "yard"):
        index.put(name(0, camera), picture(stamp=len(camera)))
    with at_work(index, "gate"):
        report = index.ingest()
    assert (report.outcomes, report.seen) == ({"added": 1, "skipped": 1}, 2)
    assert report.held.keys() == {"gate"}
    assert "'compare' (process" in report.held["gate"]
    assert index.ingest().outcomes == {"added": 1, "unchanged": 1}


def test_nothing_new_asks_for_nothing(index: Index) -> None:
    """A run that has nothing to write to a camera is not kept from anything by those at work on it."""
    fill(index, "gate")
    with at_work(index, "gate"):
        report = index.ingest()
    assert (report.outcomes, report.held) == ({"unchanged": 2}, {})


def test_their_images_are_not_missed(index: Index) -> None:
    """An image that is gone is not marked while others are at work on its camera."""
    fill(index, "gate", "yard")
    (index.folder / name(0, "gate")).unlink()
    (index.folder / name(0, "yard")).unlink()
    with at_work(index, "gate"):
        report = index.ingest()
    assert (report.missing, report.held.keys()) == (1, {"gate"})
    assert index.ingest().missing == 1


def test_their_changed_files_are_left(index: Index) -> None:
    """A file with other bytes, of a camera that others are at work on, stays what it was in the index."""
    fill(index, "gate")
    index.put(name(0), picture(CAR))
    before = index.states()
    with at_work(index, "gate"):
        assert index.ingest().outcomes == {"skipped": 1, "unchanged": 1}
    assert index.states() == before


def test_their_rows_are_not_moved(index: Index) -> None:
    """Bytes that were in a camera of others, and are found elsewhere, wait until that camera is free."""
    fill(index, "gate")
    (index.folder / name(0)).rename(index.folder / name(0, "yard"))
    index.ingest(camera="gate")  # now it is missing, or moved
    index.execute("UPDATE images SET state = 'missing', path = ? WHERE id = 1", str(index.folder / "gone.png"))
    with at_work(index, "gate"):
        report = index.ingest()
    assert (report.outcomes, report.held.keys()) == ({"skipped": 1, "unchanged": 1}, {"gate"})
    assert index.ingest().outcomes == {"moved": 1, "unchanged": 1}


def test_equal_bytes_of_two_cameras_hold_nobody_up(index: Index) -> None:
    """Where a camera of others has the same bytes at their place, a black frame say, a file is taken in anyway."""
    fill(index, "gate")
    index.put(name(0, "yard"), picture(stamp=0))
    with at_work(index, "gate"):
        report = index.ingest()
    assert (report.outcomes, report.held) == ({"added": 1, "unchanged": 2}, {})


@pytest.mark.parametrize("camera", ["gate", "yard"])
def test_their_cameras_are_not_renamed(index: Index, camera: str) -> None:
    """Images are given to another camera only where neither the old nor the new one is others'."""
    fill(index, "gate")
    with at_work(index, camera):
        report = index.ingest(camera="yard")
    assert (report.outcomes, report.held.keys()) == ({"skipped": 2}, {camera})
    assert index.ingest(camera="yard").outcomes == {"renamed": 2}


@pytest.mark.parametrize("workers", [1, 2])
def test_their_cameras_are_held_back(index: Index, workers: int) -> None:
    """A camera that others are at work on is not compared, and named; the others are."""
    fill(index, "gate", "yard")
    with at_work(index, "gate"):
        report = index.compare()
    assert [(one.camera, one.decided, one.problem is None) for one in report.cameras] == [
        ("gate", 0, False),
        ("yard", 2, True),
    ]
    assert "'compare' (process" in (report.held_back[0].problem or "")
    assert [one.decided for one in index.compare().cameras] == [2, 0]


def test_a_profile_is_not_changed_beneath_others(index: Index) -> None:
    """The active profile stays what it is while others decide by it."""
    fill(index, "gate")
    with at_work(index, "yard"), pytest.raises(DatabaseError, match="written by 'compare'"):
        index.compare(profile="plain")
    assert index.rows("SELECT name FROM profiles WHERE active") == [("balanced",)]
    assert index.compare(profile="plain").activated == "plain"


def test_what_a_cut_left_open_waits_for_the_others(index: Index) -> None:
    """An open removal is settled by who has everything; while others are at work it stays, and work goes on."""
    fill(index, "gate")
    index.compare()
    index.prune()
    index.execute("UPDATE removals SET state = ?, pending = 'quarantine'", RemovalState.PLANNED)
    begin = partial(record_run, index.database, "ingest", arguments={}, clock=index.clock, by_camera=True)
    with at_work(index, "yard"), begin() as run:
        assert (run.recovery.finished, len(run.recovery.unresolved)) == (0, 1)
    with begin() as run:
        assert (run.recovery.finished, run.recovery.unresolved, run.write_lock.exclusive) == (1, frozenset(), False)
        with at_work(index, "yard"):
            assert run.write_lock.acquire("gate") is None


def test_others_may_have_written_meanwhile(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others wrote between the first look and the taking of a camera is seen: nothing is taken in twice."""
    index.put(name(0), picture())
    second, usual = Index(Database(index.database.url), index.folder), camera_claims.diff_with_index

    def look_first(database: Database, found: IngestRequest) -> IndexDiff:
        sorted_out = usual(database, found)
        monkeypatch.setattr(camera_claims, "diff_with_index", usual)
        assert second.ingest().outcomes == {"added": 1}
        return sorted_out

    monkeypatch.setattr(camera_claims, "diff_with_index", look_first)
    report = index.ingest()
    second.database.close()
    assert report.outcomes == {"unchanged": 1}


def test_a_return_that_others_saw_keeps_its_pins(index: Index) -> None:
    """A restore that was cut off, and that an ingest beside others comes upon, pins the file and its keeper."""
    fill(index, "gate")
    index.compare()
    index.prune()
    index.restore(pin=False)
    index.execute("UPDATE removals SET state = 'quarantined', pending = 'restore'")
    index.execute("UPDATE images SET state = 'removed' WHERE id IN (SELECT image_id FROM removals)")
    with at_work(index, "yard"):
        assert index.ingest().outcomes == {"returned": 1, "unchanged": 1}
    assert index.rows("SELECT state, pending FROM removals") == [("restored", None)]
    assert index.rows("SELECT image_id FROM pins ORDER BY 1") == [(1,), (2,)]


@pytest.mark.parametrize("grown", [False, True])
def test_two_that_name_the_same_new_file(index: Index, monkeypatch: pytest.MonkeyPatch, grown: bool) -> None:
    """A file that others took in, under another name, while it was read here, is known, renamed and taken in once."""
    index.put(name(0), picture())
    second, usual = Index(Database(index.database.url), index.folder), ingesting.describe_file

    def late(task: DescribeTask) -> FileDescription:
        description = usual(task)
        monkeypatch.setattr(ingesting, "describe_file", usual)
        if grown:
            index.put(name(0), picture(CAR))
        assert second.ingest(camera="west").outcomes == {"added": 1}
        return description

    monkeypatch.setattr(ingesting, "describe_file", late)
    report = index.ingest(camera="east")
    second.database.close()
    assert report.outcomes == {"changed" if grown else "renamed": 1}
    assert index.rows("SELECT COUNT(*) FROM images WHERE state = 'ready'") == [(1,)]


def test_a_rename_that_others_were_quicker_with(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that others gave to a camera that they are at work on stays there; one that they missed is reported."""
    fill(index, "gate")
    usual = CameraClaims.diff

    def late(claims: CameraClaims, database: Database) -> Any:
        answer = usual(claims, database)
        index.execute("INSERT INTO cameras (name) VALUES ('west')")
        index.execute("UPDATE images SET camera_id = (SELECT id FROM cameras WHERE name = 'west') WHERE id = 1")
        index.execute("UPDATE images SET state = 'missing' WHERE id = 2")
        return answer

    monkeypatch.setattr(CameraClaims, "diff", late)
    with at_work(index, "west"):
        report = index.ingest(camera="gate")
    assert report.outcomes == {"skipped": 2}
    assert (list(report.held), len(report.refused)) == (["west"], 1)


@pytest.mark.parametrize("pattern", [None, r"(?P<camera>[a-z]+)[-_].*"])
def test_rules_that_others_were_quicker_with(
    index: Index, monkeypatch: pytest.MonkeyPatch, pattern: str | None
) -> None:
    """Two that begin with a folder at once store its rule once; where a person said another one, that one stays, and
    the later command is refused before it writes anything."""
    index.put(name(0), picture())
    second, usual = Index(Database(index.database.url), index.folder), CameraClaims.diff

    def late(claims: CameraClaims, database: Database) -> Any:
        monkeypatch.setattr(CameraClaims, "diff", usual)
        assert second.ingest(pattern=pattern).outcomes == {"added": 1}
        second.database.close()
        return usual(claims, database)

    monkeypatch.setattr(CameraClaims, "diff", late)
    if pattern is None:
        assert index.ingest().outcomes == {"unchanged": 1}
    else:
        with pytest.raises(DatabaseError, match="another command changed meanwhile how files of"):
            index.ingest()
    assert index.rows("SELECT folder, pattern FROM naming_rules") == [(str(index.folder), pattern)]
