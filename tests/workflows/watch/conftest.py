"""A watch at work beside a test, or one that ends by itself; all its times are short."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.arrivals import ArrivalTimes
from indexer.domain.descriptions import Limits
from indexer.execution import ParallelMap, serial
from indexer.interrupts import StopRequest
from indexer.store.database import Database
from indexer.workflows.capture.options import VideoOptions
from indexer.workflows.context import ComparisonContext, SystemTime
from indexer.workflows.watch.intake import Intake, VideoIntake
from indexer.workflows.watch.options import WatchOptions, WatchOutput
from indexer.workflows.watch.outcomes import WatchReport
from indexer.workflows.watch.watch import watch
from tests.support.index import Index

SHORT = ArrivalTimes(settle_s=0.1, grace_s=0.8, retries_s=(0.05, 0.1, 0.2))
PATIENT = ArrivalTimes(settle_s=0.1, grace_s=60.0, retries_s=(0.05, 0.1, 0.2))
"""However slowly a busy machine writes the rest of a file, it is waited for."""
WAIT_S = 120.0


@dataclass(frozen=True)
class Alone:
    """An executor that says how many workers it has, and is this process."""

    workers: int = 1

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """As `map`."""
        return map(function, items)


@contextmanager
def alone(_time_s: float, _is_over: Callable[[], bool]) -> Iterator[ParallelMap]:
    """An executor for videos: this process."""
    with serial() as executor:
        yield executor


class SteppedTime:
    """`clocks`: those of this machine, set forward by a test. So it says itself when the grace time of a file ends."""

    def __init__(self) -> None:
        self._steps_s = list[float]()
        self.clocks = SystemTime(monotonic=lambda: time.monotonic() + sum(self._steps_s))

    def forward(self, step_s: float) -> bool:
        """Lets so many seconds pass; True, as there is always more time."""
        self._steps_s.append(step_s)
        return True


@dataclass
class Watching:
    """A watch: what it said, what it told the service manager, and its report when it has ended."""

    index: Index
    stop: StopRequest
    lines: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    report: WatchReport | None = None
    problem: BaseException | None = None

    def run(self, folders: tuple[Path, ...], frames: Path | None, options: dict[str, Any]) -> None:
        """Watches until it ends, with a connection of its own."""
        database = Database(self.index.database.url)
        clocks, make_executor = options.pop("time", None), options.pop("make_executor", alone)
        reader = options.pop("reader", Alone())
        chosen = WatchOptions(**{"every_s": 0.05, "times": SHORT, "pause_s": 0.1, "lock_wait_s": 0.1} | options)
        videos = None if frames is None else VideoIntake(VideoOptions(str(frames), time_s=60.0), make_executor)
        with closing(database), serial() as executor:
            context = ComparisonContext(database, executor, Limits(), self.index.clock)
            try:
                self.report = watch(
                    context,
                    [str(folder.resolve()) for folder in folders],
                    chosen,
                    make_intake=partial(Intake, context, reader, videos=videos),
                    stop=self.stop,
                    output=WatchOutput(self.lines.append, self.states.append),
                    time=clocks,
                )
            except BaseException as problem:
                self.problem = problem

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits until something holds; fails if that takes too long, or the watch ended."""
        end_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end_s, (self.lines, self.states, self.index.states())
            time.sleep(0.02)

    def until_ready(self, *files: str) -> None:
        """Waits until the index has exactly these images, ready and decided."""
        sql = "SELECT path FROM audit_decisions WHERE state = 'ready' AND verdict IS NOT NULL"
        self.until(lambda: sorted(self.index.file(path) for (path,) in self.index.rows(sql)) == sorted(files))


@pytest.fixture
def watch_once(index: Index) -> Callable[..., Watching]:
    """Watches the folder of an index until nothing waits any more."""

    def work(*folders: Path, frames: Path | None = None, **options: Any) -> Watching:
        stop = StopRequest(within_s=60)
        with closing(stop):
            watching = Watching(index, stop)
            watching.run(folders or (index.folder,), frames, {"is_once": True} | options)
        if watching.problem is not None:
            raise watching.problem
        return watching

    return work


@pytest.fixture
def watching(index: Index) -> Callable[..., Any]:
    """Watches the folder of an index until the block ends."""

    @contextmanager
    def work(*folders: Path, frames: Path | None = None, **options: Any) -> Iterator[Watching]:
        stop = StopRequest(within_s=60)
        with closing(stop):
            started = Watching(index, stop)
            options = {"times": PATIENT if frames is None else SHORT} | options
            thread = threading.Thread(target=started.run, args=(folders or (index.folder,), frames, options))
            thread.start()
            try:
                started.until(lambda: "WATCHDOG=1" in started.states)  # after the first walk
                yield started
            finally:
                stop.ask(signal.SIGTERM)
                thread.join(WAIT_S)
            if started.problem is not None:
                raise started.problem

    return work
