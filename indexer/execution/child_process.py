"""A process for work that never ends, as reading a camera, and the messages between it and the one that started it.

It promises that neither side ever waits for the other: a message that finds no space is kept by its sender. The child
ends with the process that started it, and its memory is limited. The module does not know what the work is.
"""

import multiprocessing
import pickle
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

from indexer.execution.forkserver import describe_exit, follow_parent, limit_memory, start_forkserver

_BUFFER_BYTES = 2**20
_LARGEST_BYTES = 2**17
_JOIN_S = 5.0


class ChannelClosedError(Exception):
    """The process at the other end is gone."""


class Channel:
    """One end of a pair of messages. `fileno`: readable when there is a message, or when the other end is gone."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)

    def fileno(self) -> int:
        """The descriptor."""
        return self._end.fileno()

    def send(self, message: object) -> bool:
        """Sends a message; False if there is no space for it now.

        Raises `ChannelClosedError` if the other end is gone, and `ValueError` if the message is too large.
        """
        data = pickle.dumps(message)
        if len(data) > _LARGEST_BYTES:
            raise ValueError(f"a message of {len(data)} bytes is larger than {_LARGEST_BYTES}")
        try:
            self._end.send(data)
        except BlockingIOError:
            return False
        except OSError as problem:
            raise ChannelClosedError from problem
        return True

    def receive(self) -> Any:
        """The next message; None if there is none now. Raises `ChannelClosedError` if the other end is gone."""
        try:
            data = self._receive()
        except BlockingIOError:
            return None
        except OSError as problem:
            raise ChannelClosedError from problem
        if not data:
            raise ChannelClosedError
        return pickle.loads(data)

    def _receive(self) -> bytes:
        """The next message; b"" if the other end is gone. Raises `OSError`."""
        try:
            return self._end.recv(_LARGEST_BYTES)
        except ConnectionResetError:
            # Linux says so once, and before the messages that are there, if the other end closed with some not taken.
            return self._end.recv(_LARGEST_BYTES)

    def close(self) -> None:
        """Closes this end."""
        self._end.close()


class Child:
    """A process at work."""

    def __init__(self, process: BaseProcess, channel: Channel) -> None:
        self._process, self.channel = process, channel

    @property
    def pid(self) -> int | None:
        """Its number."""
        return self._process.pid

    def end(self) -> str:
        """Ends the process, if it did not end by itself, and returns how it ended."""
        self._process.join(0)
        if self._process.exitcode is None:
            self._process.kill()
        self._process.join(_JOIN_S)
        text = describe_exit(self._process.exitcode)
        with suppress(ValueError):
            self._process.close()
        self.channel.close()
        return text


def start_child(
    work: Callable[[Any, Channel], None], task: object, *, modules: Sequence[str], memory_bytes: int | None
) -> Child:
    """A new process that does `work` with the task and its end of the messages.

    Parameters
    ----------
    modules : names of modules
        Imported once for all children.
    memory_bytes : int or None
        So much may its address space grow; None does not limit it.

    Raises
    ------
    OSError, EOFError
        If no process can be started.
    """
    start_forkserver(modules)
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_work, args=(work, task, other, memory_bytes), daemon=True)
    try:
        process.start()
    except BaseException:
        own.close()
        raise
    finally:
        other.close()
    return Child(process, Channel(own))


def _work(work: Callable[[Any, Channel], None], task: object, end: socket.socket, memory_bytes: int | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the process that started it tells it when to end
    follow_parent()
    limit_memory(memory_bytes)
    with suppress(ChannelClosedError):
        work(task, Channel(end))
