"""Engines: `map`, spread over workers: in order, bounded, and a bad item costs itself; whichever the engine is."""

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from itertools import islice

import pytest

from indexer.execution import ParallelMap, ResourceLimits, WorkerFailure, processes
from tests.support.worker_functions import (
    Counted,
    die_at_three,
    exit_at_three,
    half_a_megabyte,
    hang_at_three,
    refuse_three,
    slow_at_first,
    square,
    take_memory,
    whoami,
)

Spreading = Callable[..., AbstractContextManager[ParallelMap]]


@pytest.fixture(params=["processes", "cluster"])
def spreading(request: pytest.FixtureRequest) -> Spreading:
    """Makes an engine of two workers."""
    if request.param == "processes":
        return partial(processes, 2)
    address = request.getfixturevalue("dask_cluster").address
    from indexer.execution.dask_cluster import cluster

    return partial(cluster, address, workers=2)


def test_order(spreading: Spreading) -> None:
    """Results come in the order of the items, whichever is ready first."""
    with spreading() as spread:
        assert list(spread(slow_at_first, range(20))) == list(range(20))


def test_bounded_in_flight(spreading: Spreading) -> None:
    """Items are asked for as results are taken: a million items do not wait in memory."""
    items = Counted(1_000_000)
    with spreading() as spread:
        results = spread(square, items)
        assert [next(results) for _ in range(10)] == [number * number for number in range(10)]
    assert items.asked <= 10 + 2 * 2 * 4  # as many answers may wait for an earlier one as items are in flight


@pytest.mark.parametrize("work", [die_at_three, exit_at_three])
def test_worker_that_dies(spreading: Spreading, work: Callable[[int], int]) -> None:
    """An item that kills its worker is lost, with what is known of that end, and no other item is."""
    with spreading() as spread:
        *others, last = list(spread(work, [0, 1, 2, 4, 5, 6, 7, 3]))
    assert others == [0, 1, 2, 4, 5, 6, 7]
    assert isinstance(last, WorkerFailure)
    words = r"ended (the process that worked on it \((signal SIGKILL|exit code 3)\)|every process that worked on it)"
    assert re.fullmatch(words, last.reason)


def test_worker_that_hangs(spreading: Spreading) -> None:
    """An item that takes longer than it may is lost, and no other item is."""
    with spreading(resource_limits=ResourceLimits(time_s=1.0)) as spread:
        assert list(spread(hang_at_three, range(6))) == [0, 1, 2, WorkerFailure("took longer than 1 s"), 4, 5]


def test_worker_that_takes_too_much(spreading: Spreading) -> None:
    """An item that needs more memory than it may have fails alone, in its worker."""
    with spreading(resource_limits=ResourceLimits(memory_bytes=256 * 2**20)) as spread:
        assert next(spread(take_memory, [10])) == 10 * 2**20
        assert list(spread(take_memory, [4096])) == [WorkerFailure("needed more memory than it may have")]


@pytest.mark.parametrize("time_s", [None, 60.0])
def test_worker_killed_while_it_waits(spreading: Spreading, time_s: float | None) -> None:
    """A worker that is killed from outside, busy or idle, costs at most the item it had: all others are answered."""
    with spreading(resource_limits=ResourceLimits(time_s=time_s)) as spread:
        answers = []
        for answer in spread(whoami, (number for number in range(60))):
            answers.append(answer)
            if len(answers) in {10, 30} and isinstance(answer, int):
                time.sleep(0.3)  # until the workers have nothing to do
                with suppress(ProcessLookupError):
                    os.kill(answer, signal.SIGKILL)
        lost = [answer for answer in answers if isinstance(answer, WorkerFailure)]
        assert (len(answers), len(lost) <= 2) == (60, True)


@pytest.mark.parametrize("at_once", [2, 8])
def test_items_that_travel_together(spreading: Spreading, at_once: int) -> None:
    """Whatever number of items goes at once, the results are those of `map`, in order."""
    with spreading(max_batch=at_once) as spread:
        assert list(spread(square, range(100))) == list(map(square, range(100)))


@pytest.mark.parametrize(
    ("work", "last", "reason"), [(die_at_three, [5, 3, 6], "ended"), (hang_at_three, [5, 6], "took longer")]
)
def test_items_that_travel_together_fail_alone(
    spreading: Spreading, work: Callable[[int], int], last: list[int], reason: str
) -> None:
    """Of items that travel together those that kill or hang are lost, and no other."""
    numbers = [0] * 20 + [1, 3, 2, 4, *last]
    with spreading(max_batch=8, resource_limits=ResourceLimits(time_s=1.0)) as spread:
        results = list(spread(work, numbers))
    expected = [WorkerFailure if number == 3 else number for number in numbers]
    assert [WorkerFailure if isinstance(result, WorkerFailure) else result for result in results] == expected
    assert all(result.reason.startswith(reason) for result in results if isinstance(result, WorkerFailure))


def test_problem_among_items_that_travel_together(spreading: Spreading) -> None:
    """What the function raises comes after the results before it, also of those that travelled with it."""
    with spreading(max_batch=8) as spread:
        results = spread(refuse_three, [0] * 20 + [1, 2, 3, 4])
        assert list(islice(results, 22)) == [0] * 20 + [1, 2]
        with pytest.raises(ValueError, match="not 3"):
            next(results)


def test_large_items(spreading: Spreading) -> None:
    """Items and results larger than a pipe holds pass each other: nobody waits for who waits for them."""
    items = [bytes([number]) * 2**19 for number in range(12)]
    with spreading() as spread:
        assert list(spread(half_a_megabyte, items)) == items


def test_two_maps_at_once(spreading: Spreading) -> None:
    """Two maps of one engine whose results are taken in turns do not mix them."""
    with spreading() as spread:
        squares, numbers = spread(square, range(20)), spread(slow_at_first, range(20))
        assert list(zip(squares, numbers, strict=True)) == [(number * number, number) for number in range(20)]
