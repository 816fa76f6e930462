"""Ctrl-C held back: never lost, never inside."""

import os
import select
import signal
import threading
import time

import pytest

from indexer.interrupts import stop_on_signals, uninterrupted


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


def test_a_stop_is_asked_for_first() -> None:
    """SIGTERM and Ctrl-C ask to stop, wake whoever waits, and interrupt nothing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        with stop_on_signals(within_s=60) as request:
            assert request.signal_number is None
            assert select.select([request], [], [], 0)[0] == []
            signal.raise_signal(number)
            assert request.signal_number == number
            assert select.select([request], [], [], 0)[0] == [request]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("second", [signal.SIGALRM, signal.SIGINT])
def test_a_late_stop_interrupts_what_is_not_protected(second: int) -> None:
    """When its time is over, or at a second signal, a command is interrupted, but not within a protected block."""
    steps = []

    def work() -> None:
        with uninterrupted():
            with uninterrupted():
                signal.raise_signal(second)
                steps.append("inner")
            steps.append("outer")

    with stop_on_signals(within_s=60):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            work()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(second)
    assert steps == ["inner", "outer"]


def test_the_time_to_stop_ends() -> None:
    """A command that does not stop in time is interrupted by itself."""

    def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        time.sleep(30)

    with stop_on_signals(within_s=0.2), pytest.raises(KeyboardInterrupt):
        work()


@pytest.mark.parametrize(("first", "ended"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)])
def test_a_late_end_after_a_request_to_terminate_is_no_failure(first: int, ended: type[BaseException]) -> None:
    """Also one that took too long to end, before it could say how: a service manager told it to, and it ended."""

    def work() -> None:
        with stop_on_signals(within_s=60):
            signal.raise_signal(first)
            signal.raise_signal(signal.SIGALRM)

    with pytest.raises(ended) as caught:
        work()
    assert getattr(caught.value, "code", None) in {0, None}
