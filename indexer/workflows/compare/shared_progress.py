"""How far workers are within their tasks, for a progress bar: each writes a number into a temporary file.

A worker that decides a whole camera returns one result, minutes later for a large one; meanwhile the bar would stand
still. A worker on another machine does not see the file, and writes nothing. No result depends on it.
"""

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread

from indexer.workflows.context import Advance

_NUMBER = struct.Struct("<q")
LOOK_INTERVAL_S = 0.25
"""How long a watch waits between two looks, in seconds."""


@dataclass(frozen=True)
class ProgressSlot:
    """Where a task writes how many of its items are done: the file, and the offset in it."""

    path: str
    offset: int


@contextmanager
def reporting(slot: ProgressSlot | None) -> Iterator[Advance]:
    """The function by which a task tells, within the block, that more of its items are done."""
    try:
        descriptor = None if slot is None else os.open(slot.path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:  # a worker of another machine
        descriptor = None
    if slot is None or descriptor is None:
        yield lambda _count: None
        return
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        with suppress(OSError):  # a full disk costs the bar its steps, and nothing else
            os.pwrite(descriptor, _NUMBER.pack(done), slot.offset)

    try:
        yield advance
    finally:
        os.close(descriptor)


class ProgressWatch:
    """Reads the file, and advances a bar by what was done since the last look.

    `slots` has one for each task. `finish` says that a task is done, whatever it wrote.
    """

    def __init__(self, path: str, tasks: int, advance: Advance) -> None:
        self.slots = [ProgressSlot(path, number * _NUMBER.size) for number in range(tasks)]
        self._advance = advance
        self._finished: dict[int, int] = {}
        self._shown = 0

    def finish(self, task: int, count: int) -> None:
        """Says that all `count` items of a task are done."""
        self._finished[task] = count

    def look(self) -> None:
        """Advances the bar by what was done since the last look."""
        data = b""
        with suppress(OSError), open(self.slots[0].path, "rb") as file:  # noqa: PTH123
            data = file.read()
        numbers = {number: value for number, (value,) in enumerate(_NUMBER.iter_unpack(data[: len(data) // 8 * 8]))}
        done = sum((numbers | self._finished).values())
        if done > self._shown:
            self._advance(done - self._shown)
            self._shown = done


@contextmanager
def watched(tasks: int, advance: Advance, *, live: bool) -> Iterator[ProgressWatch]:
    """A watch that looks some times a second until the end of the block; without `live` it looks at the end alone."""
    with tempfile.NamedTemporaryFile(prefix="indexer-progress-") as file:
        watch, ended = ProgressWatch(file.name, tasks, advance), Event()
        thread = Thread(target=_look_until, args=(watch.look, ended), daemon=True)
        if live:
            thread.start()
        try:
            yield watch
        finally:
            ended.set()
            if live:
                thread.join()
            watch.look()


def _look_until(look: Callable[[], None], ended: Event) -> None:
    while not ended.wait(LOOK_INTERVAL_S):
        look()
