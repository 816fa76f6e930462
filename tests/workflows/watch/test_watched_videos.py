"""Videos that arrive: read when they are whole, their frames stored and decided."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.errors import DatabaseError
from indexer.execution.process_pool import WorkGivenUpError
from indexer.store.database import Database
from indexer.workflows.capture.ingest_videos import VideoIngest
from indexer.workflows.capture.store_video import VideoStore
from indexer.workflows.runs.run import record_run
from indexer.workflows.watch.outcomes import WatchReport
from tests.support.databases import on_postgresql, on_sqlite
from tests.support.index import Index, name, picture
from tests.support.videos import make_video
from tests.workflows.watch.conftest import PATIENT, Alone, SteppedTime

NAME = "gate_20210616_120000.mp4"


def pictures() -> list[NDArray[np.uint8]]:
    """Two seconds of an empty place, and two with a car, at five frames a second."""
    empty = np.full((240, 320, 3), 90, dtype=np.uint8)
    car = empty.copy()
    car[120:180, 100:180] = 230
    return [empty] * 10 + [car] * 10


@on_sqlite
def test_a_video_is_read_when_it_is_whole(index: Index, watching: Callable[..., Any], tmp_path: Path) -> None:
    """A video that is written in pieces is read once, whole; its frames are images and are decided; a copy is not
    read again."""
    frames = tmp_path / "frames"
    frames.mkdir()
    content = make_video(tmp_path / NAME, rate=5, keyframe_every=5, pictures=pictures()).read_bytes()
    stepped = SteppedTime()
    with watching(frames=frames, times=PATIENT, time=stepped.clocks) as work:
        path = index.folder / NAME
        path.write_bytes(content[: len(content) // 2])
        with path.open("ab") as file:
            file.write(content[len(content) // 2 :])
        work.until(lambda: stepped.forward(PATIENT.grace_s) and len(index.decisions()) == 2)
        (index.folder / "copy").mkdir()
        (index.folder / "copy" / NAME).write_bytes(content)
        counts = "SELECT counts FROM runs"
        work.until(lambda: stepped.forward(PATIENT.grace_s) and '"equal": 1' in index.rows(counts)[0][0])
    assert index.rows("SELECT state, frames_read, frames_stored FROM videos") == [("read", 4, 2)]
    assert work.report.videos == {"read": 1, "equal": 1, "frames_read": 4, "frames_stored": 2}


@on_sqlite
def test_a_video_that_stays_cut_off_is_recorded_after_the_grace_time(
    index: Index, watch_once: Callable[..., Any], tmp_path: Path
) -> None:
    """A video without its index is unreadable when the grace time is over, and not before."""
    frames = tmp_path / "frames"
    frames.mkdir()
    content = make_video(tmp_path / NAME, rate=5, keyframe_every=5, pictures=pictures()).read_bytes()
    (index.folder / NAME).write_bytes(content[: len(content) // 2])
    watch_once(frames=frames)
    assert index.rows("SELECT state FROM videos") == [("unreadable",)]


class Held:
    """Executors that read the videos of a camera only when they may. `begun`: the cameras, in the order in which
    reading was to begin; `ended`: how many videos were read."""

    def __init__(self) -> None:
        self.free: dict[str, threading.Event] = defaultdict(threading.Event)
        self.begun: list[str] = []
        self.ended = 0

    @contextmanager
    def make(self, _time_s: float, is_over: Callable[[], bool]) -> Iterator[Callable[..., Iterator[Any]]]:
        """An executor for one video."""

        def execute(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            for item in items:
                self.begun.append(item.camera)
                while not self.free[item.camera].wait(0.01):
                    if is_over():
                        raise WorkGivenUpError
                yield function(item)
                self.ended += 1

        yield execute


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """The folder for frames."""
    (tmp_path / "frames").mkdir()
    return tmp_path / "frames"


@pytest.fixture
def put_video(index: Index, tmp_path: Path) -> Callable[..., Path]:
    """Puts a whole video into the folder, by a rename; other `more` gives other bytes and shows the same."""
    content = make_video(tmp_path / NAME, rate=5, keyframe_every=5, pictures=pictures()).read_bytes()

    def put(file: str, more: int = 0) -> Path:
        path = index.folder / file
        partial = path.with_suffix(".part")
        partial.write_bytes(content + bytes(more))
        return partial.rename(path)

    return put


STATES = "SELECT camera, state FROM audit_videos ORDER BY camera"


def test_nothing_waits_for_a_long_video(
    index: Index, watching: Callable[..., Any], frames: Path, put_video: Callable[..., Path]
) -> None:
    """While a video is read, images are taken in and decided, and videos of other cameras are read, but no second one
    of the same camera."""
    held = Held()
    put_video("gate_20210616_120000.mp4")
    put_video("gate_20210616_130000.mp4", 1)
    with watching(frames=frames, make_executor=held.make, reader=Alone(workers=2)) as work:
        work.until(lambda: held.begun == ["gate"])
        index.put(name(0, "shed"), picture())
        work.until_ready(name(0, "shed"))
        put_video("yard_20210616_120000.mp4", 2)
        held.free["yard"].set()
        work.until(lambda: index.rows(STATES) == [("yard", "read")])
        assert held.begun == ["gate", "yard"]
        held.free["gate"].set()
        work.until(lambda: index.rows(STATES) == [("gate", "read")] * 2 + [("yard", "read")])
    assert work.report.videos["read"] == 3


@on_sqlite
def test_a_video_that_is_being_read_at_the_end_is_read_by_the_next_watch(
    index: Index,
    watching: Callable[..., Any],
    watch_once: Callable[..., Any],
    frames: Path,
    put_video: Callable[..., Path],
) -> None:
    """A stop does not wait for a video: it is named, nothing of it is stored, and the next watch reads it."""
    held, path = Held(), put_video(NAME)
    with watching(frames=frames, make_executor=held.make) as work:
        work.until(lambda: held.begun == ["gate"])
    assert (work.report.waits, work.report.waiting) == (1, [(str(path), "it was being read")])
    assert (index.rows(STATES), list(frames.iterdir())) == ([], [])
    assert watch_once(frames=frames).report.videos["read"] == 1


@on_sqlite
@pytest.mark.parametrize("is_polled", [False, True], ids=["reported", "polled"])
def test_a_video_that_changes_while_it_is_read_is_read_again(
    index: Index,
    watching: Callable[..., Any],
    frames: Path,
    put_video: Callable[..., Path],
    is_polled: bool,
) -> None:
    """A video that was replaced while it was read is in the index as it is in the end, and nothing else is."""
    held = Held()
    with watching(frames=frames, make_executor=held.make, is_polled=is_polled) as work:
        put_video(NAME)
        work.until(lambda: held.begun == ["gate"])
        size = put_video(NAME, 1000).stat().st_size
        held.free["gate"].set()
        work.until(lambda: index.rows("SELECT file_size FROM videos WHERE missing_reason IS NULL") == [(size,)])
    assert index.rows(STATES) == [("gate", "read")]


@on_sqlite
def test_what_was_read_is_not_lost_when_the_index_refuses(
    index: Index,
    watching: Callable[..., Any],
    frames: Path,
    put_video: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A video that was read while the disk of the index is full is written when there is space, and read once."""
    real, held, refusals = VideoStore.add, Held(), list[int]()
    held.free["gate"].set()

    def refuse(store: VideoStore, *arguments: Any, **how: Any) -> Any:
        if len(refusals) < 2:
            refusals.append(1)
            raise DatabaseError("the disk is full")
        return real(store, *arguments, **how)

    monkeypatch.setattr(VideoStore, "add", refuse)
    put_video(NAME)
    with watching(frames=frames, make_executor=held.make) as work:
        work.until(lambda: len(index.decisions()) == 2)
    assert (held.ended, index.rows(STATES), work.report.videos["read"]) == (1, [("gate", "read")], 1)


@on_sqlite
def test_a_video_is_counted_once_when_the_index_refuses_its_counts(
    index: Index,
    watching: Callable[..., Any],
    frames: Path,
    put_video: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A video whose rows are written, and whose counts are refused, is neither written nor counted again."""
    finished, refusals, ended, held = list[int](), list[int](), list[int](), Held()
    held.free["gate"].set()
    real_finish, real_add = VideoIngest.finish, WatchReport.add_videos

    def finish(*arguments: Any, **how: Any) -> Any:
        finished.append(1)
        return real_finish(*arguments, **how)

    def refuse(*arguments: Any, **how: Any) -> Any:
        if len(refusals) < 2:
            refusals.append(1)
            raise DatabaseError("the disk is full")
        ended.append(1)
        real_add(*arguments, **how)

    monkeypatch.setattr(VideoIngest, "finish", finish)
    monkeypatch.setattr(WatchReport, "add_videos", refuse)
    put_video(NAME)
    with watching(frames=frames, make_executor=held.make) as work:
        work.until(lambda: len(ended) == 1)
    assert (len(finished), len(refusals), index.rows(STATES)) == (1, 2, [("gate", "read")])
    assert (len(ended), work.report.videos["read"]) == (1, 1)


@on_postgresql
def test_a_camera_that_another_host_has_holds_no_other_up(
    index: Index, watching: Callable[..., Any], frames: Path, put_video: Callable[..., Path]
) -> None:
    """A video that was read while another command has its camera is written later; images of others are taken in."""
    held = Held()
    put_video(NAME)
    with watching(frames=frames, make_executor=held.make) as work, closing(Database(index.database.url)) as other:
        work.until(lambda: held.begun == ["gate"])
        with record_run(other, "compare", arguments={}, clock=index.clock, by_camera=True) as run:
            assert run.write_lock.acquire("gate") is None
            held.free["gate"].set()
            work.until(lambda: any("was read, and waits for" in line for line in work.lines))
            index.put(name(0, "shed"), picture())
            work.until_ready(name(0, "shed"))
            assert index.rows(STATES) == []
        work.until(lambda: index.rows(STATES) == [("gate", "read")])
    assert held.ended == 1


def test_two_watches_read_a_video_once_into_the_index(
    index: Index, watching: Callable[..., Any], frames: Path, put_video: Callable[..., Path]
) -> None:
    """Where two watches read the same video, the index has it once, with each of its frames once."""
    held = Held()
    with (
        watching(frames=frames, make_executor=held.make) as one,
        watching(frames=frames, make_executor=held.make) as two,
    ):
        put_video(NAME)
        one.until(lambda: held.begun == ["gate", "gate"])
        held.free["gate"].set()
        one.until(lambda: len(index.decisions()) == 2)
        one.until(lambda: held.ended == 2)
    assert index.rows("SELECT state, missing_reason, frames_stored FROM videos") == [("read", None, 2)]
    assert one.report.videos["read"] + two.report.videos["read"] == 1
    assert index.rows("SELECT COUNT(*) FROM images") == [(2,)]


@on_sqlite
def test_videos_that_arrive_alone_are_named_with_known_ones(
    index: Index, watch_once: Callable[..., Any], frames: Path, put_video: Callable[..., Path]
) -> None:
    """The numbers of events before the times of videos make no camera each, though each video comes alone."""
    (index.folder / "yard").mkdir()
    for number, hour in ((1, 12), (2, 13), (3, 14)):
        put_video(f"yard/{number:02}-20240501{hour}0000.mp4", number)
    watch_once(frames=frames)
    assert len({camera for camera, _ in index.rows(STATES)}) == 1
