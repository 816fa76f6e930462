"""What the workers of these tests are given to do: functions that end, fail, hang, take too much, or kill."""

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


def square(number: int) -> int:
    """The work."""
    return number * number


def slow_at_first(number: int) -> int:
    """The work, which takes longest for the first items."""
    time.sleep(0.05 if number < 2 else 0)
    return number


def is_there_in_time(path: str) -> bool:
    """Whether a file was there within a minute; waits for it."""
    end = time.monotonic() + 60
    while not (there := os.path.exists(path)) and time.monotonic() < end:
        time.sleep(0.02)
    return there


def whoami(_item: int) -> int:
    """The process that works."""
    return os.getpid()


def whoami_slowly(_item: int) -> int:
    """The process that works, after a while."""
    time.sleep(0.02)
    return os.getpid()


def worker_process(_item: int) -> int:
    """The process that works or, in a guard, the worker that it works for."""
    parent = multiprocessing.parent_process()
    return os.getpid() if parent is None or not parent.is_alive() else int(parent.pid or 0)


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


def spin(_number: int) -> int:
    """The work, which never ends and holds the interpreter lock."""
    return sum(range(10**11))


def spin_at_three(number: int) -> int:
    """The work, in which one item never ends and holds the interpreter lock."""
    return spin(number) if number == 3 else number


def spin_where_named(folder: str) -> str:
    """The work, in which an item with a name never ends; a file in the folder of that name says that it began."""
    if folder:
        Path(folder, str(os.getpid())).touch()
        spin(0)
    return folder


def block_alarm_at_three(number: int) -> int:
    """The work, in which one item never ends and hears no alarm."""
    if number == 3:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    return spin_at_three(number)


def ignore_alarm_at_three(number: int) -> int:
    """The work, in which one item never ends and ignores the alarm in all threads."""
    if number == 3:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
    return spin_at_three(number)


def lack_memory_at_three(number: int) -> int:
    """The work, which lacks memory for one item."""
    if number == 3:
        raise MemoryError
    return number


def fill_memory_at_three(number: int) -> int:
    """The work, in which one item takes all the memory that there is, in small pieces."""
    return len([bytearray(1000) for _ in range(10**8)]) if number == 3 else number


def take_memory(megabytes: int) -> int:
    """The work, which takes that much memory."""
    return len(bytes(megabytes * 2**20))


_kept: list[bytes] = []


def keep_memory(megabytes: int) -> int:
    """How many items kept memory in this process, with this one, which keeps that much."""
    _kept.append(b"x" * (megabytes * 2**20))
    return len(_kept)


def die_twice(path: str) -> bool:
    """Whether the process was killed twice before; if not, it is killed."""
    deaths = Path(path).stat().st_size if Path(path).exists() else 0
    if deaths < 2:
        with Path(path).open("a") as log:
            log.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return True


def die_at_first(path: str) -> bool:
    """Whether a file exists; if not, it is made and the process killed, as something else on the machine may do."""
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return True


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


class Sink:
    """An actor that keeps an open file, and takes bytes."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - open until the actor is freed

    def take(self, data: bytes) -> tuple[int, int]:
        """The process of the worker, and the number of bytes; fails where there are none."""
        if not data:
            raise ValueError("no bytes")
        return os.getpid(), len(data)


class Register:
    """An actor that keeps numbers, and hangs or ends its worker where it is told to."""

    def __init__(self, first: int) -> None:
        self.numbers = [first]

    def add(self, number: int) -> tuple[int, list[int]]:
        """The process of the worker, and all numbers so far."""
        self.numbers.append(refuse_three(number))
        return os.getpid(), self.numbers

    def wait(self, seconds: float) -> None:
        """Nothing, after so many seconds."""
        time.sleep(seconds)

    def hang(self, path: str) -> None:
        """Never ends; a file says that it began."""
        Path(path).touch()
        time.sleep(600)
