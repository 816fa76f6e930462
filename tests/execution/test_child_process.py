"""A process that works without end: its messages, its end, and that of the process that started it."""

import os
import signal
import socket
import time
from typing import Any

import pytest

from indexer.execution.child_process import Channel, ChannelClosedError, Child, start_child


def echo(task: Any, channel: Channel) -> None:
    """Sends its task, and then every message back, until it is told to stop."""
    channel.send(task)
    while (message := channel.receive()) != "stop":
        if message is not None:
            channel.send(message)
        time.sleep(0.005)


def hoard(_task: Any, channel: Channel) -> None:
    """Takes more memory than it may have."""
    try:
        bytearray(2**30)
    except MemoryError:
        channel.send("no memory")


def answer_of(child: Child) -> Any:
    """The next message of a child."""
    end_s = time.monotonic() + 30
    while (message := child.channel.receive()) is None:
        assert time.monotonic() < end_s
        time.sleep(0.005)
    return message


def test_messages_go_both_ways() -> None:
    """Whole and in order; after its end the channel says that nobody is there."""
    child = start_child(echo, ("a task", 1), modules=(), memory_bytes=None)
    assert answer_of(child) == ("a task", 1)
    for number in range(20):
        assert child.channel.send([number] * 1000)
        assert answer_of(child) == [number] * 1000
    child.channel.send("stop")
    with pytest.raises(ChannelClosedError):
        answer_of(child)
    assert child.end() == "exit code 0"


def test_last_messages_beside_one_that_nobody_took() -> None:
    """The other end sent its last messages and closed, and did not take what was sent to it: they are there."""
    own, other = (Channel(end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    try:
        assert own.send("an order")
        assert other.send("a frame")
        assert other.send("the end")
        other.close()
        assert [own.receive(), own.receive()] == ["a frame", "the end"]
        with pytest.raises(ChannelClosedError):
            own.receive()
    finally:
        own.close()


def test_a_full_channel_refuses() -> None:
    """Nobody takes the messages: one is refused, and the sender goes on. One that is too large is an error."""
    child = start_child(echo, "task", modules=(), memory_bytes=None)
    try:
        answer_of(child)
        os.kill(child.pid or 0, signal.SIGSTOP)
        assert not all(child.channel.send(bytes(50_000)) for _ in range(200))
        with pytest.raises(ValueError, match="larger"):
            child.channel.send(bytes(2**18))
    finally:
        assert child.end() == "signal SIGKILL"


def test_its_memory_is_limited() -> None:
    """More than it may have is an error in the child alone."""
    child = start_child(hoard, None, modules=(), memory_bytes=2**28)
    assert answer_of(child) == "no memory"
    child.end()
