"""Work in the background: its descriptor tells when it has ended, and it can be given up."""

import select
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from indexer.execution import processes
from indexer.execution.background import BackgroundWork
from indexer.execution.process_pool import WorkGivenUpError


def test_the_descriptor_tells_that_the_work_has_ended() -> None:
    """Before its end the descriptor is not readable; after it is, the result is there, or what the work raised."""
    may_end = threading.Event()
    with closing(BackgroundWork(lambda _is_over: may_end.wait(60))) as work:
        assert (select.select([work], [], [], 0.0)[0], work.is_done) == ([], False)
        may_end.set()
        assert select.select([work], [], [], 60.0)[0] == [work]
        assert (work.is_done, work.result()) == (True, True)
    with closing(BackgroundWork(lambda _is_over: 1 / 0)) as work, pytest.raises(ZeroDivisionError):
        work.result()


def test_workers_that_are_given_up_end() -> None:
    """Work that waits for a worker ends within moments when it is given up, and the worker with it."""

    def sleep(is_over: Callable[[], bool]) -> list[object]:
        with processes(1, is_over=is_over) as executor:
            return list(executor(time.sleep, [600.0]))

    work, start_s = BackgroundWork(sleep), time.monotonic()
    time.sleep(0.5)
    work.close()
    assert time.monotonic() - start_s < 60
    with pytest.raises(WorkGivenUpError):
        work.result()
