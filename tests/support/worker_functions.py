"""What the workers of these tests are given to do: functions that end, fail, hang, take too much, or kill."""

import os
import signal
import time
from collections.abc import Iterator


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


def exit_at_three(number: int) -> int:
    """The work, in which one item ends its worker."""
    if number == 3:
        os._exit(3)
    return number


def hang_at_three(number: int) -> int:
    """The work, in which one item never ends."""
    time.sleep(600 if number == 3 else 0)
    return number


def take_memory(megabytes: int) -> int:
    """The work, which takes that much memory."""
    return len(bytes(megabytes * 2**20))


def half_a_megabyte(data: bytes) -> bytes:
    """The work, which says as much as it was told."""
    return data[::-1]


class Counted:
    """Items that know how many of them were asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked = 0

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            self.asked += 1
            yield number
