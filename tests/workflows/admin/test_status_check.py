"""status --check: what needs a person is found, each kind alone, and nothing else."""

import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from indexer.domain.capture_gaps import usual_interval_s
from indexer.files.markers import QUARANTINE_NAME
from indexer.store.locks.run_lock import run_lock
from indexer.store.tables import RunRow
from indexer.workflows.admin.camera import confirm_camera
from indexer.workflows.admin.status import status
from indexer.workflows.admin.status_check import StatusCheck, check_status
from tests.support.index import BIRD, CAR, NOON_MS, Index, name, picture, prepared

NOTHING = StatusCheck(0, {}, 0, 0, 0, 0, ())
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)
LAST = NOON + timedelta(minutes=59)


def checked(index: Index, *, now: datetime | None = None, silent_after: float = 0) -> StatusCheck:
    """What needs a person, at a moment."""
    return check_status(index.database, silent_after=silent_after, clock=index.clock if now is None else lambda: now)


@prepared
def lot(index: Index) -> None:
    """A camera that took an image every ten minutes, and paused once for twenty; all is decided."""
    for minute in (0, 10, 20, 30, 50, 59):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.compare()


def test_nothing_needs_a_person(lot: Index) -> None:
    """An index in which all is decided needs nobody, and is not written to."""
    before = lot.dump()
    assert checked(lot) == NOTHING
    assert not NOTHING.needs_person
    assert lot.dump() == before


def test_a_question_without_an_answer(index: Index) -> None:
    """A camera that is wholly held back has no image here: both `status` and the check name it until it is answered."""
    for place in ("a", "b"):
        index.put(f"{place}/{name(0)}", picture())
    index.ingest()
    found = checked(index)
    assert (found.questions, found.held_back, found.needs_person) == (("gate",), {}, True)
    assert status(index.database).questions == ("gate",)
    confirm_camera(index.database, "gate", clock=index.clock)
    assert checked(index).questions == ()


def test_undecided_and_unreadable(lot: Index) -> None:
    """An image without a decision, and a file of the last day that cannot be used; of an earlier day it is no news."""
    lot.put(name(70), picture(CAR))
    lot.put(name(80), b"broken")
    lot.ingest()
    found = checked(lot)
    assert (found.undecided, found.unreadable_new, found.needs_person) == (1, 1, True)
    assert checked(lot, now=lot.clock() + timedelta(days=2)).unreadable_new == 0


def unfinish(index: Index) -> int:
    """Makes the last run a watch that was cut off, and returns its id. With its lock it still works."""
    with index.database.write() as session:
        last = session.scalar(select(func.max(RunRow.id)))
        session.execute(update(RunRow).where(RunRow.id == last).values(command="watch", finished_at=None, outcome=None))
    assert last is not None
    return last


@pytest.mark.parametrize(("hours", "undecided"), [(-23, 0), (-25, 1)])
def test_undecided_of_a_run_that_goes_on(lot: Index, hours: int, undecided: int) -> None:
    """What a run that still works took in is a backlog after a day, and that of a run that ended at once."""
    path = lot.put(name(70), picture(CAR))
    now = lot.clock()
    written = (now + timedelta(hours=hours)).timestamp()
    os.utime(path, (written, written))
    lot.ingest()
    assert checked(lot, now=now).undecided == 1
    with run_lock(lot.database, unfinish(lot)):
        assert checked(lot, now=now).undecided == undecided
    assert checked(lot, now=now).undecided == 1  # it was cut off: nobody decides what it took in
    assert status(lot.database).undecided == 1


@pytest.mark.parametrize(("days", "found"), [(29, 0), (31, 1)])
def test_unreadable_since_in_a_run_that_goes_on(lot: Index, days: int, found: int) -> None:
    """A run that began a month ago still finds files that cannot be used: those that were written in the last day."""
    path = lot.put(name(80), b"broken")
    now = lot.clock() + timedelta(days=31)
    written = (now + timedelta(days=days - 31, hours=-25 if days < 31 else -1)).timestamp()
    os.utime(path, (written, written))
    lot.ingest()
    assert checked(lot, now=now).unreadable_new == 0
    unfinish(lot)
    assert checked(lot, now=now).unreadable_new == found


def test_unwitnessed(lot: Index) -> None:
    """A removed file whose keeper is gone."""
    lot.prune()
    (lot.folder / name(0)).unlink()
    lot.put(name(90), picture(CAR))
    lot.ingest()
    lot.compare()
    found = checked(lot)
    assert (found.unwitnessed, found.needs_person) == (5, True)


def test_what_is_not_there(lot: Index) -> None:
    """A quarantine, and a folder of images, that somebody deleted or whose disk is away."""
    lot.prune()
    quarantine, away = lot.folder.parent / QUARANTINE_NAME, lot.folder.parent / "away"
    quarantine.rename(away)
    found = checked(lot)
    assert (found.missing_quarantines, found.needs_person) == ((str(quarantine),), True)
    away.rename(quarantine)
    lot.folder.rename(away)
    found = checked(lot)
    assert (found.missing_folders, found.missing_quarantines, found.needs_person) == ((str(lot.folder),), (), True)


@pytest.mark.parametrize("left", ["nothing", "quarantined", "present"])
def test_a_folder_that_went_on_purpose_needs_nobody(index: Index, left: str) -> None:
    """Once an ingest saw that its files are gone, a folder is missed only if files of it are in quarantine."""
    day = index.folder / "day"
    index.put(f"day/{name(0)}", picture())
    index.put(f"day/{name(1)}", picture(BIRD))
    index.put(f"day/{name(2)}", picture(CAR))
    index.ingest(day)
    index.compare()
    if left == "quarantined":
        assert index.prune(quarantine=str(index.folder.parent / "kept")).removed == 1
    shutil.rmtree(day)
    if left != "present":
        index.put(name(9), picture(BIRD, stamp=1))
        index.ingest()
    expected = () if left == "nothing" else (str(day),)
    assert checked(index).missing_folders == status(index.database).missing_folders == expected


def test_held_back(index: Index) -> None:
    """A camera of which nearly all would go."""
    for minute in range(250):
        index.put(name(minute), picture(BIRD) if minute % 2 else picture())
    index.ingest()
    index.compare()
    assert list(checked(index).held_back) == ["gate"]


@pytest.mark.parametrize(
    ("minutes", "silent_after", "silent"), [(60, 3, False), (61, 3, True), (61, 4, False), (10**6, 0, False)]
)
def test_silent(lot: Index, minutes: int, silent_after: float, silent: bool) -> None:
    """A camera without an image for longer than some of its longest pauses; 0 asks for none."""
    found = checked(
        lot, now=LAST + timedelta(minutes=minutes, seconds=-1 if not silent else 0), silent_after=silent_after
    )
    assert [(one.camera, one.interval_s) for one in found.silent] == ([("gate", 1200.0)] if silent else [])


def test_a_file_that_cannot_be_used_ends_no_silence(lot: Index) -> None:
    """An empty file is no image, whatever its time: it hides no silence, and makes no pause between images longer."""
    year_min = 365 * 24 * 60
    lot.put(name(year_min), b"")
    lot.ingest()
    found = checked(lot, now=LAST + timedelta(minutes=year_min), silent_after=3)
    assert [(one.camera, one.last_captured_at, one.interval_s) for one in found.silent] == [("gate", LAST, 1200.0)]


def test_interval_of_few_images() -> None:
    """Of a camera with few images nobody can tell when it is silent."""
    times = [NOON - timedelta(minutes=minute) for minute in (0, 1, 2, 7, 8, 9)]
    assert usual_interval_s(times) == 300.0
    assert usual_interval_s(times[:5]) is None
    assert usual_interval_s([]) is None
    assert usual_interval_s([NOON] * 9) is None
