"""Engines: `map`, spread over processes: in order, bounded, and with nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing import forkserver
from pathlib import Path

import pytest

from indexer import engines
from indexer.engines import Bounds, Lost, engine, processes, serial
from indexer.errors import EngineProblem

ROOT = Path(__file__).resolve().parents[1]


def square(number: int) -> int:
    """The work."""
    return number * number


def slow_at_first(number: int) -> int:
    """The work, which takes longest for the first items."""
    time.sleep(0.05 if number < 2 else 0)
    return number


def whoami(_item: int) -> int:
    """The process that works."""
    return os.getpid()


def refuse_three(number: int) -> int:
    """The work, which fails for one item."""
    if number == 3:
        raise ValueError(f"not {number}")
    return number


def die_at_three(number: int) -> int:
    """The work, in which one item kills its worker."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def hang_at_three(number: int) -> int:
    """The work, in which one item never ends."""
    time.sleep(600 if number == 3 else 0)
    return number


def take_memory(megabytes: int) -> int:
    """The work, which takes that much memory."""
    return len(bytes(megabytes * 2**20))


class Counted:
    """Items that know how many of them were asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked = 0

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            self.asked += 1
            yield number


@pytest.mark.parametrize("count", [1, 2, 3])
def test_equal_results(count: int) -> None:
    """Any number of workers gives what `map` gives."""
    with engine(count) as spread:
        assert list(spread(square, range(50))) == list(map(square, range(50)))
        assert list(spread(square, [])) == []


def test_order() -> None:
    """Results come in the order of the items, whichever is ready first."""
    with processes(2) as spread:
        assert list(spread(slow_at_first, range(20))) == list(range(20))


def test_workers() -> None:
    """An engine says how many workers share the items, and it is they who work."""
    with serial() as alone, processes(2) as spread:
        assert (alone.workers, spread.workers) == (1, 2)
        assert set(alone(whoami, range(4))) == {os.getpid()}
        assert os.getpid() not in set(spread(whoami, range(4)))


def test_bounded_in_flight() -> None:
    """Items are asked for as results are taken: a million items do not wait in memory."""
    items = Counted(1_000_000)
    with processes(2) as spread:
        results = spread(square, items)
        assert [next(results) for _ in range(10)] == [number * number for number in range(10)]
    assert items.asked <= 10 + 2 * 4


def test_serial_takes_one_item_at_a_time() -> None:
    """One worker asks for an item when its result is wanted, not before."""
    items = Counted(1_000_000)
    with serial() as spread:
        next(spread(square, items))
    assert items.asked == 1


@pytest.mark.parametrize("count", [1, 2])
def test_problem_reaches_the_caller(count: int) -> None:
    """What the function raises is raised where its result is taken, after the results before it."""
    with engine(count) as spread:
        results = spread(refuse_three, range(10))
        assert list(islice(results, 3)) == [0, 1, 2]
        with pytest.raises(ValueError, match="not 3"):
            next(results)


def test_nobody_outlives_the_block() -> None:
    """Workers end with the block, also when it is left by an interrupt."""
    workers: set[int] = set()
    with pytest.raises(KeyboardInterrupt), processes(2) as spread:  # noqa: PT012 - the block is what is tested
        workers |= set(spread(whoami, range(8)))
        raise KeyboardInterrupt
    assert workers
    assert [pid for pid in workers if is_running(pid)] == []


def test_nobody_outlives_hanging_work() -> None:
    """Work that would never end is ended with the block."""
    with processes(2) as spread:
        workers = set(spread(whoami, range(8)))
        assert next(spread(hang_at_three, [1, 3, 3, 3])) == 1
    assert [pid for pid in workers if is_running(pid)] == []


def is_running(pid: int) -> bool:
    """Whether a process is there and no mere entry that waits to be read."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - of the kernel, not of the disk
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_worker_that_dies() -> None:
    """An item that kills its worker is lost, with the signal named, and no other item is."""
    with processes(2) as spread:
        results = list(spread(die_at_three, range(8)))
    assert results == [0, 1, 2, Lost("ended the process that worked on it (signal SIGKILL)"), 4, 5, 6, 7]


def test_worker_that_hangs() -> None:
    """An item that takes longer than it may is lost, and no other item is."""
    with processes(2, bounds=Bounds(time_s=1.0)) as spread:
        assert list(spread(hang_at_three, range(6))) == [0, 1, 2, Lost("took longer than 1 s"), 4, 5]


def test_worker_that_takes_too_much() -> None:
    """An item that needs more memory than it may have fails alone, in its worker."""
    with processes(1, bounds=Bounds(memory_bytes=256 * 2**20)) as spread:
        assert next(spread(take_memory, [10])) == 10 * 2**20
        assert list(spread(take_memory, [4096])) == [Lost("needed more memory than it may have")]


def test_interrupts_are_the_parents(capfd: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C, which a terminal sends to all of a group, does not reach the workers."""
    with processes(1) as spread:
        (worker,) = set(spread(whoami, range(4)))
        os.kill(worker, signal.SIGINT)
        assert set(spread(whoami, range(4))) == {worker}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("time_s", [None, 60.0])
def test_worker_killed_while_it_waits(time_s: float | None) -> None:
    """A worker that is killed from outside, busy or idle, costs at most the item it had: all others are answered."""
    with processes(2, bounds=Bounds(time_s=time_s)) as spread:
        answers = []
        for answer in spread(whoami, (number for number in range(60))):
            answers.append(answer)
            if len(answers) in {10, 30} and isinstance(answer, int):
                time.sleep(0.3)  # until the workers have nothing to do
                with suppress(ProcessLookupError):
                    os.kill(answer, signal.SIGKILL)
        lost = [answer for answer in answers if isinstance(answer, Lost)]
        assert (len(answers), len(lost) <= 2) == (60, True)


def deaf(seconds: int) -> int:
    """The work, in which nothing but SIGKILL is heard for so many seconds."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    time.sleep(seconds)
    return seconds


class Sluggish:
    """What a worker does when it starts; the first has it at once, the others half a second later."""

    def __init__(self) -> None:
        self.started = 0

    def __reduce__(self) -> tuple[object, ...]:
        self.started += 1
        return late, (0.0 if self.started == 1 else 0.5,)


def late(seconds: float) -> object:
    """What a worker does when it starts, after so many seconds."""
    time.sleep(seconds)
    return engines._follow_the_parent


def test_a_worker_that_is_just_starting(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A worker that is only just starting when the block ends goes in silence, also while another takes its time."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # the next one's words come here
    monkeypatch.setattr(engines, "_follow_the_parent", Sluggish())
    with processes(2) as spread:
        assert next(spread(deaf, [0, 600])) == 0
        time.sleep(0.2)
    assert capfd.readouterr().err == ""


def test_workers_that_always_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every pool breaks at once the run ends with one sentence, and does not hang."""
    pools: list[object] = []

    class Broken:
        """A pool that takes nothing."""

        def schedule(self, *_given: object, **_how: object) -> None:
            raise RuntimeError("not active")

        def stop(self) -> None:
            pools.append(self)

        def join(self) -> None:
            """Nobody is there."""

    monkeypatch.setattr(engines, "_new_pool", lambda *_: Broken())
    with processes(1) as spread, pytest.raises(EngineProblem, match="again and again"):
        list(spread(square, range(8)))
    assert len(pools) == 3


@pytest.mark.parametrize("at_once", [2, 8])
def test_items_that_travel_together(at_once: int) -> None:
    """Whatever number of items goes at once, the results are those of `map`, in order."""
    with processes(2, at_once=at_once) as spread:
        assert list(spread(square, range(100))) == list(map(square, range(100)))


def test_items_that_travel_together_fail_alone() -> None:
    """Of items that travel together the one that kills, hangs or takes too much is lost, and no other."""
    numbers = [0] * 20 + [1, 3, 2, 4, 5, 3, 6]
    with processes(2, at_once=8, bounds=Bounds(time_s=1.0)) as spread:
        for work, reason in ((die_at_three, "ended"), (hang_at_three, "took longer")):
            results = list(spread(work, numbers))
            assert [result for result in results if not isinstance(result, Lost)] == [n for n in numbers if n != 3]
            assert [n for n, result in enumerate(results) if isinstance(result, Lost)] == [21, 25]
            assert all(result.reason.startswith(reason) for result in results if isinstance(result, Lost))


def test_problem_among_items_that_travel_together() -> None:
    """What the function raises comes after the results before it, also of those that travelled with it."""
    with processes(2, at_once=8) as spread:
        results = spread(refuse_three, [0] * 20 + [1, 2, 3, 4])
        assert list(islice(results, 22)) == [0] * 20 + [1, 2]
        with pytest.raises(ValueError, match="not 3"):
            next(results)


def half_a_megabyte(data: bytes) -> bytes:
    """The work, which says as much as it was told."""
    return data[::-1]


def test_large_items() -> None:
    """Items and results larger than a pipe holds pass each other: nobody waits for who waits for them."""
    items = [bytes([number]) * 2**19 for number in range(12)]
    with processes(2) as spread:
        assert list(spread(half_a_megabyte, items)) == items


def test_two_maps_at_once() -> None:
    """Two maps of one engine whose results are taken in turns do not mix them."""
    with processes(2) as spread:
        squares, numbers = spread(square, range(20)), spread(slow_at_first, range(20))
        assert list(zip(squares, numbers, strict=True)) == [(number * number, number) for number in range(20)]


def test_preloaded_modules_are_there_before_the_first_item(tmp_path: Path) -> None:
    """Workers have what was preloaded, and what their function's module needs is not loaded before it is called."""
    (tmp_path / "looking.py").write_text("import sys\n\ndef loaded(name):\n    return name in sys.modules\n")
    code = (
        "import looking\nfrom indexer.engines import processes\n"
        "with processes(1, preload=['wave']) as spread:\n    print(*spread(looking.loaded, ['wave', 'sndhdr']))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True False\n", "")
