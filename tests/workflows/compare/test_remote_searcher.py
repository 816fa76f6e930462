"""Searches sent to workers that share no memory: the rows of the serial walk, whatever becomes of the workers."""

import pickle
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.evidence import ScoringParameters
from indexer.domain.masks import Mask
from indexer.errors import EngineError
from indexer.execution import UNLIMITED, ActorLostError, ParallelMap
from indexer.imaging.headers import ImageRefusedError
from indexer.workflows.compare import camera as comparing
from indexer.workflows.compare import remote_searcher, small_cameras
from indexer.workflows.compare.remote_buffer import ImageFile, RemoteBuffer, RemoteSearchResult, RemoteSearchTask
from tests.support.databases import on_sqlite
from tests.support.index import Index
from tests.workflows.compare.test_camera import copied, lots

__all__ = ["lots"]


class Remote:
    """Workers that are this process, and get copies of everything; each may be lost before and after any task."""

    def __init__(self, workers: int, *, is_lost: Callable[[], bool] = lambda: False) -> None:
        self.workers = workers
        self.file_limits = UNLIMITED
        self.is_lost = is_lost
        self.actors = self.closed = 0
        self.images = self.largest_task = 0
        self.tasks = 0

    def map_path(self, path: str) -> str:
        """The same path."""
        return path

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        """The results."""
        return (copy_of(function(copy_of(item))) for item in items)

    def map_files(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        """The results."""
        return self(function, items)

    def actor_workers(self) -> Sequence[str]:
        """The numbers of the workers; one is missing now and then, where workers are lost."""
        return list(map(str, range(self.workers - self.is_lost())))

    def start_actor(self, slot: str, factory: Callable[..., Any], /, *arguments: Any) -> "Actor":
        """An actor in this process."""
        assert slot in map(str, range(self.workers))
        self.actors += 1
        return Actor(self, factory(*copy_of(arguments)))


@dataclass
class Actor:
    """An actor of such a worker."""

    remote: Remote
    state: Any

    def call(self, method: Callable[[Any, Any], Any], task: RemoteSearchTask) -> Any:
        """Executes a method when its result is waited for."""
        assert self.state is not None
        self.remote.tasks += 1
        self.remote.images += len(task.images)
        self.remote.largest_task = max(self.remote.largest_task, len(task.images))
        return SimpleNamespace(result=lambda: self.execute(method, copy_of(task)))

    def close(self) -> None:
        """Frees the state."""
        assert self.state is not None
        self.state = None
        self.remote.closed += 1

    def execute(self, method: Callable[[Any, Any], Any], task: RemoteSearchTask) -> Any:
        """The result of the method."""
        if self.remote.is_lost():
            raise ActorLostError
        result = copy_of(method(self.state, task))
        if self.remote.is_lost():
            raise ActorLostError
        return result


def copy_of(value: Any) -> Any:
    """The value as it arrives elsewhere."""
    return pickle.loads(pickle.dumps(value))


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to do, it is sent, some pictures at a time."""
    monkeypatch.setattr(comparing, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_IMAGES", 0)
    monkeypatch.setattr(remote_searcher, "MIN_PAIRS_TO_SEND", 0)
    monkeypatch.setattr(remote_searcher, "MAX_IMAGES_PER_TASK", 5)


def compared(lots: Index, open_index: Callable[..., Index], spread: ParallelMap | None, **how: Any) -> tuple[Any, Any]:
    """What compare reports, and leaves in every table but that of runs."""
    copy = copied(lots, open_index)
    report = copy.compare(spread=spread, **how)
    return report, copy.dump(without=("runs",))


@on_sqlite  # as in the tests below whose subject is the workers: they never see the database
@pytest.mark.parametrize(
    ("workers", "profile"), [(1, "balanced"), (2, "balanced"), (5, "balanced"), (2, "colour"), (5, "original")]
)
def test_sent_searches_leave_the_rows_of_the_serial_walk(
    lots: Index, open_index: Callable[..., Index], workers: int, profile: str
) -> None:
    """Any number of workers far away find what this process alone finds, to the last row."""
    remote = Remote(workers)
    expected = compared(lots, open_index, None, profile=profile)
    assert compared(lots, open_index, remote, profile=profile) == expected
    assert remote.tasks > 50


@on_sqlite
@pytest.mark.parametrize("seed", range(5))
def test_workers_that_are_lost_change_nothing(lots: Index, open_index: Callable[..., Index], seed: int) -> None:
    """Where workers are lost with all they were sent, at any moment, others do their share, and the rows are equal."""
    chance = random.Random(seed)
    remote = Remote(3, is_lost=lambda: chance.random() < 0.1)
    expected = compared(lots, open_index, None)
    assert compared(lots, open_index, remote) == expected
    assert remote.actors > 3 * 3


@on_sqlite
def test_a_picture_is_sent_once(lots: Index, open_index: Callable[..., Index]) -> None:
    """No worker is sent what it has: at most every picture once to each."""
    remote = Remote(2)
    compared(lots, open_index, remote)
    assert 0 < remote.images <= 2 * 72
    assert remote.actors <= 2 * 3


@on_sqlite
@pytest.mark.parametrize("seed", range(3))
def test_all_actors_are_closed(lots: Index, open_index: Callable[..., Index], seed: int) -> None:
    """Each actor is closed once: when its camera is decided, or when it is lost."""
    chance = random.Random(seed)
    remote = Remote(3, is_lost=lambda: chance.random() < 0.1)
    compared(lots, open_index, remote)
    assert remote.closed == remote.actors > 0


@on_sqlite
def test_many_workers_are_sent_fewer_pictures_at_a_time(
    lots: Index, open_index: Callable[..., Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures that are on the way to all workers together are bounded."""
    monkeypatch.setattr(remote_searcher, "MAX_IMAGES_UNDER_WAY", 6)
    remote = Remote(3)
    assert compared(lots, open_index, remote) == compared(lots, open_index, None)
    assert remote.largest_task == 2


class Eager:
    """Five workers that have every picture they were ever sent, and say how many tasks were built when one was sent."""

    workers = 5
    file_limits = UNLIMITED

    def __init__(self) -> None:
        self.built = 0
        self.built_when_sent: list[int] = []

    def pictures(self, images: Sequence[Any]) -> list[Any]:
        """Nothing, for so many."""
        self.built += 1
        return [None] * len(images)

    def actor_workers(self) -> Sequence[str]:
        """Five."""
        return list("abcde")

    def start_actor(self, *_arguments: Any) -> "Eager":
        """All of them are this one."""
        return self

    def call(self, _method: Any, task: RemoteSearchTask) -> Any:
        """For each search its index."""
        self.built_when_sent.append(self.built)
        matches: Any = tuple(index for index, _ in task.searches)
        result = RemoteSearchResult(is_searched=bool(matches), matches=matches)
        return SimpleNamespace(result=lambda: result)


def test_tasks_are_built_as_they_are_sent() -> None:
    """The pictures for one worker are not fetched before those for the others before it are on their way."""
    remote: Any = Eager()
    measure: Any = SimpleNamespace(native=True)
    images: Any = [None] * 25
    searches: Any = remote_searcher.RemoteSearcher(
        images, remote, scoring=measure, executor=remote, image_source=remote.pictures, capacity_bytes=0
    )
    asked = [(index, np.arange(10 + index % 5)) for index in range(10, 25)]
    assert list(searches.search_many(asked)) == list(range(10, 25))
    assert remote.built_when_sent == list(range(1, len(remote.built_when_sent) + 1))


def test_a_picture_that_cannot_be_read_there(lots: Index, open_index: Callable[..., Index]) -> None:
    """A file that no worker can read holds its camera back, and is named as it is named here."""
    victim = lots.folder / sorted(path.name for path in lots.folder.iterdir())[0]
    victim.write_bytes(b"another content")
    report, _ = compared(lots, open_index, Remote(2), profile="original")
    (problem,) = (camera.problem for camera in report.cameras if camera.problem)
    assert problem == f"'{victim}': the file is not what was indexed; run ingest again"


def test_thumbnails_that_workers_find_spoiled_are_made_again(lots: Index, open_index: Callable[..., Index]) -> None:
    """A thumbnail that turns out to be spoiled far away is made again, as anywhere."""
    expected, _ = compared(lots, open_index, None)
    lots.execute("UPDATE thumbnails SET data = ? WHERE image_id IN (3, 30)", b"\0")
    report, _ = compared(lots, open_index, Remote(2))
    assert report == expected


def test_workers_that_are_always_lost(lots: Index, open_index: Callable[..., Index]) -> None:
    """Where no worker stays the run ends with one sentence, and does not go on for ever."""
    with pytest.raises(EngineError, match="again and again"):
        compared(lots, open_index, Remote(2, is_lost=lambda: True))


def test_many_workers_that_are_lost_at_once(lots: Index, open_index: Callable[..., Index]) -> None:
    """A machine with many workers that ends once is one loss: the others do its work."""
    lost = set[int]()
    asked = iter(range(10**6))

    def is_lost() -> bool:
        number = next(asked)
        if 60 <= number < 90:
            lost.add(number)
        return 60 <= number < 90

    expected, rows = compared(lots, open_index, None)
    report, found = compared(lots, open_index, Remote(64, is_lost=is_lost))
    assert (report, found) == (expected, rows)
    assert len(lost) == 30


def test_one_bad_file_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first file that cannot be read at native size, the others of the task are not read: each may hang."""
    read = list[str]()

    def refuse(path: str, **_how: Any) -> Any:
        read.append(path)
        raise ImageRefusedError("damaged", "bad")

    monkeypatch.setattr("indexer.workflows.compare.remote_buffer.read_native", refuse)
    buffer = RemoteBuffer(
        9, 0, ScoringParameters(25, 0, 1000.0, native=True, max_score=0.5, record_limit=0.5), UNLIMITED
    )
    files = [ImageFile(f"{number}.jpg", "0" * 64, Mask((0, 0, 0, 0)), Limits()) for number in range(9)]
    result = buffer.search(RemoteSearchTask((), tuple(enumerate(files)), ()))
    assert (result.problems, read) == (((0, "bad"),), ["0.jpg"])
