"""Ctrl-C held back: never lost, never inside."""

import os
import signal
import threading

import pytest

from indexer.interrupts import uninterrupted


def test_interrupt_is_raised_when_the_block_ends() -> None:
    """An interrupt inside a block lets the block end and is raised after it, once."""
    reached: list[str] = []

    def work() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("end")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_blocks_nest() -> None:
    """An interrupt in an inner block waits for the outermost one."""
    reached: list[str] = []

    def work() -> None:
        with uninterrupted():
            with uninterrupted():
                os.kill(os.getpid(), signal.SIGINT)
            reached.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["outer"]


def test_problem_inside_keeps_its_name() -> None:
    """A problem inside the block goes out as it is, and the usual handler is back."""
    with pytest.raises(ValueError, match="mine"), uninterrupted():
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_let_through() -> None:
    """In a thread, where no interrupt arrives, the block simply runs."""
    done: list[bool] = []

    def work() -> None:
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
