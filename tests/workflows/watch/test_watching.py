"""A watch at work: files that are written in every way, other commands beside it, and everything that goes wrong."""

import json
import os
import platform
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.arrivals import ArrivalTimes
from indexer.errors import DatabaseError
from indexer.execution import WorkerFailure
from indexer.files import filesystems
from indexer.files.inotify import EventKind, FileEvent, Inotify
from indexer.store import runs
from indexer.store.database import Database
from indexer.workflows.admin.status import status
from indexer.workflows.admin.status_check import check_status
from indexer.workflows.context import SystemTime
from indexer.workflows.runs.run import name_of_user, record_run
from indexer.workflows.watch.intake import Intake, IntakeResult
from tests.support.connections import END_OTHERS, connected
from tests.support.databases import on_postgresql, on_sqlite
from tests.support.index import CAR, Index, name, picture

Watch = Callable[..., Any]
WAYS = pytest.mark.parametrize("is_polled", [False, True], ids=["reported", "polled"])


def write_slowly(path: Path, content: bytes, *, pieces: int = 5, pause_s: float = 0.15) -> None:
    """Writes a file in place, in pieces, each later than files need to settle."""
    size = len(content) // pieces + 1
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), size):
            file.write(content[start : start + size])
            time.sleep(pause_s)


@contextmanager
def small_queue(reports: int) -> Iterator[None]:
    """Queues of reports that are made in the block hold so many; the test skips, visibly, where nobody may say so."""
    limit = Path("/proc/sys/fs/inotify/max_queued_events")
    try:
        before = limit.read_text()
        limit.write_text(str(reports))
    except OSError as problem:
        pytest.skip(f"needs the right to set fs.inotify.max_queued_events: {problem.strerror}")
    try:
        yield
    finally:
        limit.write_text(before)


@on_sqlite
@WAYS
def test_files_written_in_every_way_are_taken_in_whole(index: Index, watching: Watch, is_polled: bool) -> None:
    """Written slowly in place, under another name, linked, moved in from another disk, and in new folders: each file
    is taken in once, whole, and decided; none is ever recorded as damaged."""
    outside = index.folder.parent / "outside"
    outside.mkdir()
    with watching(is_polled=is_polled) as work:
        write_slowly(index.folder / name(0), picture(stamp=1))
        (index.folder / ".upload.png").write_bytes(picture(stamp=2))
        (index.folder / ".upload.png").rename(index.folder / name(1))
        (outside / "x.png").write_bytes(picture(stamp=3))
        os.link(outside / "x.png", index.folder / name(2))
        (index.folder / "deep" / "er").mkdir(parents=True)
        (index.folder / "deep" / "er" / name(3)).write_bytes(picture(stamp=4))
        (outside / "day").mkdir()
        (outside / "day" / name(4)).write_bytes(picture(stamp=5))
        shutil.move(outside / "day", index.folder / "day")
        files = (name(0), name(1), name(2), f"deep/er/{name(3)}", f"day/{name(4)}")
        work.until_ready(*files)
    assert sorted(index.states()) == sorted((file, "ready", None) for file in files)
    assert dict(work.report.outcomes) == {"added": 5}


@WAYS
def test_a_name_that_is_overwritten(index: Index, watching: Watch, is_polled: bool) -> None:
    """A camera that always writes one name: what is there in the end is taken in, and no half picture on the way."""
    with watching(is_polled=is_polled) as work:
        for stamp in range(30):
            (index.folder / "snapshot.png").write_bytes(picture(stamp=stamp))
            time.sleep(0.02)
        last = picture(CAR, stamp=99)
        (index.folder / "snapshot.png").write_bytes(last)
        work.until_ready("snapshot.png")
        work.until(lambda: index.rows("SELECT file_size FROM images WHERE state = 'ready'") == [(len(last),)])
    assert {(state, reason) for _, state, reason in index.states()} <= {("ready", None), ("missing", "replaced")}


@on_sqlite
def test_many_closings_before_a_file_is_read_give_advice(index: Index, watching: Watch) -> None:
    """A name that is overwritten faster than files are taken in is named, with advice."""
    with watching() as work, closing(Database(index.database.url)) as other:
        with record_run(other, "prune", arguments={}, clock=index.clock):  # nothing is taken in meanwhile
            for stamp in range(12):
                (index.folder / "snapshot.png").write_bytes(picture(stamp=stamp))
                (index.folder / "readme.txt").touch()  # else the kernel makes one report of them
                (index.folder / "readme.txt").unlink()
        work.until(lambda: any("give the camera a time" in line for line in work.lines))


@on_sqlite
@WAYS
@pytest.mark.parametrize("step_s", [-1e6, 1e6], ids=["back", "forth"])
def test_steps_of_the_clock_change_nothing(index: Index, watching: Watch, is_polled: bool, step_s: float) -> None:
    """Files that arrive before and after the clock of the machine stepped are taken in whole, none as damaged."""
    steps_s = list[float]()
    clocks = SystemTime(wall=lambda: time.time() + sum(steps_s))
    with watching(is_polled=is_polled, time=clocks, rescan_s=0.1) as work:
        index.put(name(0), picture())
        work.until_ready(name(0))
        steps_s.append(step_s)
        write_slowly(index.folder / name(1), picture(CAR))
        work.until_ready(name(0), name(1))
    assert dict(work.report.outcomes) == {"added": 2}


@on_sqlite
@WAYS
def test_renamed_folders_are_followed(index: Index, watching: Watch, is_polled: bool) -> None:
    """After a folder was renamed its images keep their rows, and what arrives in it is taken in by its new name."""
    with watching(is_polled=is_polled) as work:
        index.put(f"old/{name(0)}", picture())
        work.until_ready(f"old/{name(0)}")
        (index.folder / "old").rename(index.folder / "new")
        work.until_ready(f"new/{name(0)}")
        index.put(f"new/{name(1)}", picture(CAR))
        work.until_ready(f"new/{name(0)}", f"new/{name(1)}")
    assert dict(work.report.outcomes) == {"added": 2, "moved": 1}


@on_sqlite
@WAYS
def test_a_folder_that_is_away_comes_back(index: Index, watching: Watch, is_polled: bool) -> None:
    """While a folder is away nothing is marked missing; when it is back, what arrived in it is taken in."""
    with watching(is_polled=is_polled) as work:
        index.put(name(0), picture())
        work.until_ready(name(0))
        away = index.folder.rename(index.folder.parent / "away")
        work.until(lambda: any("is away" in line for line in work.lines))
        assert index.states() == [(name(0), "ready", None)]
        (away / name(1)).write_bytes(picture(CAR))
        away.rename(index.folder)
        work.until_ready(name(0), name(1))
        index.put(name(2), picture(CAR, stamp=3))
        work.until_ready(name(0), name(1), name(2))
    assert [line.rpartition("' ")[2] for line in work.lines if "frames" in line][-1] == "is back"


@on_sqlite
def test_lost_reports_cost_nothing(index: Index, watching: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernel lost reports, the folders are walked, and all files are taken in."""
    real, calls = Inotify.iter_events, []

    def lossy(inotify: Inotify) -> Any:
        events = list(real(inotify))
        calls.extend(events)
        return [FileEvent(EventKind.REPORTS_LOST, "")] if events else []

    monkeypatch.setattr(Inotify, "iter_events", lossy)
    with watching(rescan_s=1000) as work:
        for minute in range(5):
            index.put(f"cam/{name(minute)}", picture(stamp=minute))
        work.until_ready(*(f"cam/{name(minute)}" for minute in range(5)))
    assert calls


@on_sqlite
def test_a_queue_that_is_too_small(index: Index, watching: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernel's queue is full again and again, each file is taken in and decided, once."""
    real, reading, lost = Inotify.iter_events, threading.Lock(), list[FileEvent]()

    def count(inotify: Inotify) -> list[FileEvent]:
        with reading:
            events = list(real(inotify))
        lost.extend(event for event in events if event.kind is EventKind.REPORTS_LOST)
        return events

    monkeypatch.setattr(Inotify, "iter_events", count)
    files = [f"cam{number % 3}/{name(number, f'cam{number % 3}')}" for number in range(30)]
    with ExitStack() as stack:
        with small_queue(4):
            work = stack.enter_context(watching(rescan_s=1000, max_batch=8))
        for start in range(0, len(files), 10):
            with reading:  # else the watch may read each report before the next file is there
                for number in range(start, start + 10):
                    index.put(files[number], picture(stamp=number))
            work.until_ready(*files[: start + 10])
    assert len(lost) >= 2  # in the first round the folders are new, and report themselves alone
    assert (dict(work.report.outcomes), work.report.waits) == ({"added": 30}, 0)
    current = "SELECT COUNT(*), COUNT(DISTINCT image_id) FROM decisions WHERE superseded_at IS NULL"
    assert index.rows(current) == [(30, 30)]


@on_sqlite
def test_a_network_disk_below_a_folder_is_looked_at(
    index: Index, watching: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrives on a network disk that is mounted below a watched folder is found though nothing reports it, and a
    sentence says that the folder is looked at."""
    disk = index.folder / "nvr"
    disk.mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {disk} rw - nfs4 nvr:/ rw\n")
    monkeypatch.setattr(filesystems, "MOUNTS", mounts)
    monkeypatch.setattr(Inotify, "iter_events", lambda _inotify: [])
    with watching(rescan_s=1000) as work:
        index.put(f"nvr/{name(0)}", picture())
        work.until_ready(f"nvr/{name(0)}")
    assert [line.partition(": ")[2] for line in work.lines] == [f"{str(disk)!a} is a disk of the network"]


@on_sqlite
def test_no_reports_for_too_many_folders(index: Index, watching: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the kernel watches no more folders, they are looked at, and a sentence says why."""

    def refuse(_inotify: Inotify, _folder: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Inotify, "add", refuse)
    with watching() as work:
        index.put(name(0), picture())
        work.until_ready(name(0))
    assert any("max_user_watches" in line for line in work.lines)


def test_another_command_is_waited_for(index: Index, watching: Watch) -> None:
    """While another command has the index nothing is written, it is named once, and then all is taken in."""
    with watching() as work, closing(Database(index.database.url)) as other:
        with record_run(other, "prune", arguments={}, clock=index.clock):
            index.put(name(0), picture())
            work.until(lambda: bool(work.lines))
            assert index.states() == []
        work.until_ready(name(0))
    assert [line.startswith("waits for ") for line in work.lines].count(True) == 1


@on_sqlite
def test_a_watch_that_waits_from_the_start_is_alive(index: Index, watching: Watch) -> None:
    """While another command has the lock when a watch begins, the watch says that it is alive, and can be stopped."""
    index.put(name(0), picture())
    with closing(Database(index.database.url)) as other, record_run(other, "prune", arguments={}, clock=index.clock):
        with watching() as work:
            work.until(lambda: work.states.count("WATCHDOG=1") > 1)
        assert (index.states(), work.report.ended_by) == ([], "SIGTERM")


def test_an_index_that_cannot_be_written(index: Index, watching: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the index refuses, as its disk is full, the watch says so once, tries again, and loses nothing."""
    real, failures = Intake.take_in, []

    def full(intake: Intake, *arguments: Any, **how: Any) -> Any:
        if len(failures) < 3:
            failures.append(1)
            raise DatabaseError("the disk is full")
        return real(intake, *arguments, **how)

    monkeypatch.setattr(Intake, "take_in", full)
    with watching() as work:
        index.put(name(0), picture())
        work.until_ready(name(0))
    assert work.lines == ["the disk is full; tried again each 0.1 s", "the index can be written again"]
    assert index.rows("SELECT COUNT(*) FROM runs WHERE command = 'watch'") == [(1,)]


@on_postgresql
def test_a_server_that_restarts_unnoticed(index: Index, watching: Watch) -> None:
    """When the server ended all connections while nothing arrived, what arrives later is taken in, and the watch is
    still shown as one at work."""
    with watching() as work:
        index.put(name(0), picture())
        work.until_ready(name(0))
        with connected(index.database.url) as connection:
            connection.execute(END_OTHERS)
        index.put(name(1), picture(CAR))
        work.until_ready(name(0), name(1))
        (state,) = status(index.database).watches
        assert (state.folders, state.is_running) == ((str(index.folder),), True)
        assert not check_status(index.database, silent_after=0, clock=index.clock).watches_cut_off
    assert index.rows("SELECT DISTINCT outcome FROM runs") == [("done",)]


@on_sqlite
def test_an_index_that_was_replaced_ends_the_watch(index: Index, watching: Watch) -> None:
    """A watch whose index was deleted ends with an error: what it wrote would be lost."""
    path = Path(str(index.database.path))
    with watching() as work:
        path.rename(path.with_name("elsewhere.db"))
        index.put(name(0), picture())
        work.until(lambda: work.problem is not None)
        problem, work.problem = work.problem, None
    assert isinstance(problem, DatabaseError)


@WAYS
def test_two_watches_of_one_folder_harm_nothing(index: Index, watching: Watch, is_polled: bool) -> None:
    """Where two watches see the same files, each file is in the index once, decided once, and counted once."""
    files = [name(minute) for minute in range(12)]
    with watching(is_polled=is_polled) as one, watching(is_polled=is_polled, every_s=0.07) as two:
        for minute, file in enumerate(files):
            index.put(file, picture(stamp=minute))
            time.sleep(0.03)
        one.until_ready(*files)
    assert one.report.outcomes["added"] + two.report.outcomes["added"] == len(files)
    assert index.rows("SELECT COUNT(*), COUNT(DISTINCT path) FROM images") == [(12, 12)]
    twice = "SELECT image_id FROM decisions WHERE superseded_at IS NULL GROUP BY image_id HAVING COUNT(*) > 1"
    assert index.rows(twice) == []


@on_sqlite
def test_a_stop_records_no_file_whose_worker_it_ended(index: Index, watching: Watch, watch_once: Watch) -> None:
    """A service manager ends all processes at once: an old file that a worker was reading then is no bad file, and the
    next watch takes it in."""
    ended = Ended()
    with watching(reader=ended, times=ArrivalTimes(settle_s=0.05, grace_s=0.05)) as work:
        index.put(name(0), picture())
        assert ended.has_begun.wait(60)
        work.stop.ask(signal.SIGTERM)
        time.sleep(0.1)  # by now the file is old
        ended.goes_on.set()
    assert (index.states(), work.report.waits) == ([], 1)
    watch_once()
    assert index.states() == [(name(0), "ready", None)]


class Ended:
    """An executor whose workers are ended in the middle of their work, when the test says so."""

    workers = 1

    def __init__(self) -> None:
        self.has_begun, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, _function: Any, items: Iterable[Any]) -> Iterator[WorkerFailure]:
        """The results of items: that the worker of each was ended."""
        for _ in items:
            self.has_begun.set()
            self.goes_on.wait(60)
            yield WorkerFailure("ended the process that worked on it (signal SIGTERM)")


@on_sqlite
def test_a_file_that_changes_while_it_is_taken_in_has_no_reason(
    index: Index, watching: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is overwritten while it is read is taken in again, and nothing is said of other commands."""
    real, changes = Intake.take_in, list[int]()

    def change(intake: Intake, run: Any, candidates: Any, **how: Any) -> Any:
        if len(changes) < 2:
            changes.append(1)
            index.put(name(0), picture(CAR, stamp=len(changes)))
        return real(intake, run, candidates, **how)

    monkeypatch.setattr(Intake, "take_in", change)
    with watching() as work:
        index.put(name(0), picture())
        work.until(lambda: len(changes) == 2)
        work.until_ready(name(0))
    assert work.lines == []


@on_sqlite
def test_a_reason_is_reported_again_after_its_file_is_gone(
    index: Index, watching: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the file is gone that waited for a reason, that is said, and so is the next file that waits for it."""

    def refuse(_intake: Intake, _run: Any, candidates: Any, **_how: Any) -> IntakeResult:
        return IntakeResult(refused=dict.fromkeys([candidate.path for candidate in candidates], "no right (13)"))

    monkeypatch.setattr(Intake, "take_in", refuse)
    with watching() as work:
        for minute in range(2):
            path = index.put(name(minute), picture())
            work.until(lambda: len(work.lines) % 2 == 1)
            path.unlink()
            work.until(lambda: len(work.lines) % 2 == 0)
    begun, gone = "waits, and is tried again: no right (13)", "is gone"
    assert [line.partition(".png ")[2] for line in work.lines] == [begun, gone] * 2


def test_status_shows_who_watches(index: Index, watching: Watch) -> None:
    """The status names folders, user, start and last arrival of a watch at work, and folders that are away."""
    with watching() as work:
        (state,) = status(index.database).watches
        assert (state.folders, state.is_running, state.last_arrival_at) == ((str(index.folder),), True, None)
        assert (state.username, state.hostname) == (name_of_user(os.geteuid()), platform.node())
        index.put(name(0), picture())
        work.until_ready(name(0))
        (state,) = status(index.database).watches
        assert state.last_arrival_at is not None
        index.folder.rename(index.folder.parent / "away")
        work.until(lambda: status(index.database).watches[0].away == (str(index.folder),))
        checked = check_status(index.database, silent_after=0, clock=index.clock)
        assert (checked.folders_away, checked.needs_person) == ((str(index.folder),), True)
    assert status(index.database).watches == ()


def test_a_watch_that_was_cut_off_needs_a_person(index: Index, watch_once: Callable[..., Any]) -> None:
    """A watch that did not end by being stopped is listed, also after a later command, until it is started again."""
    arguments = json.dumps({"paths": [str(index.folder)]})
    with index.database.write() as session:
        runs.start_run(session, "watch", arguments=json.loads(arguments), at=index.clock(), is_long=True)
    for _ in range(2):
        (state,) = status(index.database).watches
        checked = check_status(index.database, silent_after=0, clock=index.clock)
        assert (state.is_running, checked.watches_cut_off, checked.needs_person) == (False, 1, True)
        with record_run(index.database, "pin", arguments={}, clock=index.clock):
            pass
    watch_once()
    assert status(index.database).watches == ()


def test_a_stop_ends_the_run(index: Index, watching: Watch) -> None:
    """A watch that is stopped has one finished run with its counts, and says by what it ended."""
    with watching() as work:
        index.put(name(0), picture())
        work.until_ready(name(0))
    assert work.report.ended_by == "SIGTERM"
    ((outcome, counts),) = index.rows("SELECT outcome, counts FROM runs")
    assert (outcome, '"added": 1' in counts, '"decided": 1' in counts) == ("done", True, True)
