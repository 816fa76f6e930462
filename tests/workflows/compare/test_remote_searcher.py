"""Searches sent to workers that share no memory: the rows of the serial walk, whatever becomes of the workers."""

import pickle
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from indexer.errors import EngineError
from indexer.execution import ParallelMap
from indexer.workflows.compare import camera as comparing
from indexer.workflows.compare import remote_buffer, remote_searcher, small_cameras
from indexer.workflows.compare.remote_buffer import RemoteSearchResult, RemoteSearchTask
from tests.support.index import Index
from tests.workflows.compare.test_camera import copied, lots

__all__ = ["lots"]


EVERYBODY: list[remote_buffer._RemoteBuffers] = []


def emptied(shelves: remote_buffer._RemoteBuffers) -> None:
    """Lets go of all that a worker has."""
    if shelves.cleanup_timer is not None:
        shelves.cleanup_timer.cancel()
        shelves.cleanup_timer = None
    for camera in list(shelves.buffers):
        shelves.buffers.pop(camera).close()


class Far:
    """Workers that are this process, with shelves of their own; each may begin anew before any task."""

    def __init__(self, workers: int, *, restarts: Callable[[], bool] = lambda: False) -> None:
        self.workers = workers
        self._restarts = restarts
        self.shelves = [remote_buffer._RemoteBuffers() for _ in range(workers)]
        self.pictures = 0
        self.tasks = 0
        EVERYBODY.extend(self.shelves)

    def map_path(self, path: str) -> str:
        """The same path."""
        return path

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        """The results."""
        return (pickle.loads(pickle.dumps(function(pickle.loads(pickle.dumps(item))))) for item in items)

    def map_with_affinity(
        self, function: Callable[[Any], Any], items: Iterable[tuple[int, RemoteSearchTask]], /
    ) -> Iterator[Any]:
        """The results, each of the worker of its seat."""
        for seat, item in items:
            number = seat % self.workers
            if self._restarts():
                emptied(self.shelves[number])
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(remote_buffer, "_buffers", self.shelves[number])
                self.pictures += len(item.images)
                self.tasks += 1
                yield from self(function, [item])


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """However little there is to do, it is sent, some pictures at a time."""
    monkeypatch.setattr(comparing, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_IMAGES", 0)
    monkeypatch.setattr(remote_searcher, "_PAIRS_WORTH_SENDING", 0)
    monkeypatch.setattr(remote_searcher, "_MAX_IMAGES_PER_TASK", 5)
    yield
    while EVERYBODY:
        emptied(EVERYBODY.pop())


def compared(lots: Index, open_index: Callable[..., Index], spread: ParallelMap | None, **how: Any) -> tuple[Any, Any]:
    """What compare reports, and leaves in every table but that of runs."""
    copy = copied(lots, open_index)
    report = copy.compare(spread=spread, **how)
    return report, copy.dump(without=("runs",))


@pytest.mark.parametrize("profile", ["balanced", "colour", "original"])
@pytest.mark.parametrize("workers", [2, 5])
def test_sent_searches_leave_the_rows_of_the_serial_walk(
    lots: Index, open_index: Callable[..., Index], workers: int, profile: str
) -> None:
    """Any number of workers far away find what this process alone finds, to the last row."""
    far = Far(workers)
    expected = compared(lots, open_index, None, profile=profile)
    assert compared(lots, open_index, far, profile=profile) == expected
    assert far.tasks > 50


@pytest.mark.parametrize("seed", range(5))
def test_workers_that_begin_anew_change_nothing(lots: Index, open_index: Callable[..., Index], seed: int) -> None:
    """Workers that lose all they were sent, at any moment, say so, are sent it again, and the rows are the same."""
    chance = random.Random(seed)
    expected = compared(lots, open_index, None)
    assert compared(lots, open_index, Far(3, restarts=lambda: chance.random() < 0.2)) == expected


def test_a_picture_is_sent_once(lots: Index, open_index: Callable[..., Index]) -> None:
    """No worker is sent what it has: at most every picture once to each."""
    far = Far(2)
    compared(lots, open_index, far)
    assert 0 < far.pictures <= 2 * 72


class Eager:
    """Five workers that have every picture they were ever sent, and say how many tasks were built when one was sent."""

    workers = 5

    def __init__(self) -> None:
        self.built = 0
        self.built_when_sent: list[int] = []

    def pictures(self, images: Sequence[Any]) -> list[Any]:
        """Nothing, for so many."""
        self.built += 1
        return [None] * len(images)

    def map_with_affinity(
        self, _function: Any, items: Iterable[tuple[int, RemoteSearchTask]], /
    ) -> Iterator[RemoteSearchResult]:
        """For each search its place."""
        for seat, task in items:
            self.built_when_sent.append(self.built)
            yield RemoteSearchResult(str(seat), tuple(place for place, _ in task.searches))  # type: ignore[misc]


def test_tasks_are_built_as_they_are_sent() -> None:
    """The pictures for one worker are not fetched before those for the others before it are on their way."""
    far: Any = Eager()
    measure: Any = SimpleNamespace(native=True)
    images: Any = [None] * 25
    searches: Any = remote_searcher.RemoteSearcher(
        images, far, scoring=measure, executor=far, image_source=far.pictures, capacity_bytes=0
    )
    asked = [(place, np.arange(10 + place % 5)) for place in range(10, 25)]
    assert list(searches.search_many(asked)) == list(range(10, 25))
    assert far.built_when_sent == list(range(1, len(far.built_when_sent) + 1))


def test_a_picture_that_cannot_be_read_there(lots: Index, open_index: Callable[..., Index]) -> None:
    """A file that no worker can read holds its camera back, and is named as it is named here."""
    victim = lots.folder / sorted(path.name for path in lots.folder.iterdir())[0]
    victim.write_bytes(b"another content")
    report, _ = compared(lots, open_index, Far(2), profile="original")
    (problem,) = (one.problem for one in report.cameras if one.problem)
    assert problem == f"'{victim}': the file is not what was indexed; run ingest again"


def test_thumbnails_that_workers_find_spoiled_are_made_again(lots: Index, open_index: Callable[..., Index]) -> None:
    """A thumbnail that turns out to be spoiled far away is made again, as anywhere."""
    expected, _ = compared(lots, open_index, None)
    lots.execute("UPDATE thumbnails SET data = ? WHERE image_id IN (3, 30)", b"\0")
    report, _ = compared(lots, open_index, Far(2))
    assert report == expected


def test_workers_that_always_begin_anew(lots: Index, open_index: Callable[..., Index]) -> None:
    """Where no worker ever keeps anything the run ends with one sentence, and does not go on for ever."""
    with pytest.raises(EngineError, match="again and again"):
        compared(lots, open_index, Far(2, restarts=lambda: True))


def test_a_worker_has_few_idle_shelves(lots: Index, open_index: Callable[..., Index]) -> None:
    """A worker that is given many cameras lets go of those that nobody asks for any more, and of all in the end."""
    far = Far(2)
    for _ in range(3):
        compared(lots, open_index, far)
        for shelf in far.shelves[0].buffers.values():
            shelf.used_at -= 2 * remote_buffer._IDLE_S
    (shelves, *_) = far.shelves
    assert len(shelves.buffers) == remote_buffer._MAX_BUFFERS
    for shelf in shelves.buffers.values():
        shelf.used_at -= 2 * remote_buffer._EXPIRY_S
    shelves.close_expired()
    assert shelves.buffers == {}


def lent(shelves: remote_buffer._RemoteBuffers, camera: str) -> remote_buffer.RemoteBuffer:
    """The shelf of a camera, after its use."""
    measure: Any = None
    with shelves.borrow(RemoteSearchTask(camera, 1, 2**20, (), (), (), measure)) as shelf:
        return shelf


def test_shelves_in_use_by_turns_stay() -> None:
    """However many clients take turns at one worker, each finds its shelf as it left it."""
    EVERYBODY.append(shelves := remote_buffer._RemoteBuffers())
    cameras = [str(number) for number in range(2 * remote_buffer._MAX_BUFFERS)]
    first = [lent(shelves, camera) for camera in cameras]
    assert [lent(shelves, camera) for camera in cameras] == first


def test_an_idle_shelf_goes_when_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is set for the shelf that was used longest ago, not for so long after the last look."""
    EVERYBODY.append(shelves := remote_buffer._RemoteBuffers())
    lent(shelves, "a").used_at -= remote_buffer._EXPIRY_S + 1
    lent(shelves, "b").used_at -= remote_buffer._EXPIRY_S - 50
    shelves.close_expired()
    assert list(shelves.buffers) == ["b"]
    assert shelves.cleanup_timer is not None
    assert 40 < shelves.cleanup_timer.interval <= 50


def test_a_worker_whose_shelves_change_at_each_task() -> None:
    """A seat that finds another shelf each time ends the run, also where each answer lacks nothing."""
    searches: Any = remote_searcher.RemoteSearcher(
        [], None, scoring=None, executor=None, image_source=None, capacity_bytes=0
    )  # type: ignore[arg-type]
    seat = remote_searcher._WorkerState(np.zeros(3, dtype=bool))
    searches._apply_result(seat, (), RemoteSearchResult("first"))
    assert seat.attempts == 0
    for number in range(remote_searcher._MAX_ATTEMPTS):
        searches._apply_result(seat, (), RemoteSearchResult(str(number)))
    with pytest.raises(EngineError, match="again and again"):
        searches._apply_result(seat, (), RemoteSearchResult("last"))
