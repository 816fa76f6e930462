"""The process of a camera: what waits for the other process is bounded, and each frame is reported once."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.profiles import BALANCED
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.recording.sources import parse_source
from indexer.domain.spans import Span
from indexer.domain.videos import Sampling
from indexer.execution.child_process import Channel, ChannelClosedError
from indexer.imaging.novelty import MemoryImage
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.record.messages import Ended, Order, Progress, SourceTask, Started
from indexer.workflows.record.read_source import MAX_WAITING, read_source
from tests.support.apart import until
from tests.support.live_cameras import WebCamera, scene, web_camera


class Reader:
    """A reader at work in a thread, and what it reports."""

    def __init__(self, camera: WebCamera, folder: Path, memory: tuple[MemoryImage, ...] = ()) -> None:
        recipe = thumbnail_recipe(BALANCED.preparation)
        assert recipe is not None
        folder.mkdir()
        task = SourceTask(
            parse_source(f"gate={camera.address('stream')}"),
            recipe,
            BALANCED.scoring_parameters,
            memory,
            0.01,
            Sampling.AUTO,
            str(folder),
            Limits(),
            100_000,
            0,
            "tcp",
            20.0,
        )
        own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = Channel(own)
        other_end = Channel(other)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**15)  # so that the system keeps few messages
        self.thread = threading.Thread(target=self._read, args=(task, other_end))
        self.messages: list[object] = []
        self.is_lost = False
        self.thread.start()

    def _read(self, task: SourceTask, channel: Channel) -> None:
        try:
            read_source(task, channel)
        except ChannelClosedError:
            self.is_lost = True
        finally:
            channel.close()

    def worked_s(self) -> float:
        """The processor time that it took so far: on a machine that is busy, time alone says nothing."""
        assert self.thread.ident is not None
        return time.clock_gettime(time.pthread_getcpuclockid(self.thread.ident))

    def take(self) -> None:
        """Takes what it reported so far."""
        while (message := self.channel.receive()) is not None:
            self.messages.append(message)
            if isinstance(message, Ended):
                return

    def take_until(self, condition: Callable[[Progress], bool]) -> None:
        """Takes what it reports until a progress meets a condition."""

        def is_met() -> bool:
            self.take()
            return any(isinstance(message, Progress) and condition(message) for message in self.messages)

        until(is_met)

    def take_all(self) -> None:
        """Takes all that it reports, up to its end."""

        def is_over() -> bool:
            self.take()
            return any(isinstance(message, Ended) for message in self.messages)

        until(is_over)


@contextmanager
def reading(camera: WebCamera, folder: Path, memory: tuple[MemoryImage, ...] = ()) -> Iterator[Reader]:
    """A reader at work, until the block ends; `memory`: the latest images of its camera."""
    reader = Reader(camera, folder, memory)
    try:
        yield reader
    finally:
        reader.channel.close()
        reader.thread.join(120)


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    """Nobody takes what it reports, and each frame is new: few are stored, the others counted, and all add up."""
    with web_camera(rate=100.0) as camera, reading(camera, tmp_path / "partial") as reader:
        end_s = time.monotonic() + 120
        sent, number = 0, 0
        while len(list((tmp_path / "partial").glob("*.jpg"))) < MAX_WAITING:
            assert time.monotonic() < end_s
            number += 1
            camera.picture = scene(number * 37 % 250, number * 91 % 250)
            time.sleep(0.01)
        worked_s = reader.worked_s()
        while reader.worked_s() < worked_s + 0.1:  # since the last file
            assert time.monotonic() < end_s
            number += 1
            camera.picture = scene(number * 53 % 250, number * 29 % 250)
            time.sleep(0.02)
            before, sent = sent, len(list((tmp_path / "partial").glob("*.jpg")))
            worked_s = worked_s if sent == before else reader.worked_s()
        reader.channel.send(Order(is_stop=True))
        reader.take_all()
        files = len(list((tmp_path / "partial").glob("*.jpg")))
    progress = [message for message in reader.messages if isinstance(message, Progress)]
    stored = [message.stored for message in progress if message.stored is not None]
    spans: list[Span] = [span for message in progress for span in message.ended]
    assert sent <= MAX_WAITING + 32, "what the system keeps of them is little"
    assert len(stored) == files
    assert isinstance(reader.messages[0], Started)
    assert any(span.detail == "the index was not ready" for span in spans)
    keys = {frame.key for frame in stored}
    assert {span.witness for span in spans} - {None} <= keys
    end = reader.messages[-1]
    assert isinstance(end, Ended)
    assert end.because is RecordingEnd.STOPPED


def test_last_words_wait_for_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the other process takes nothing, as another command may write for minutes, the end is reported."""
    with web_camera(rate=50.0) as camera, reading(camera, tmp_path / "partial") as reader:
        number = 0
        while len(list((tmp_path / "partial").glob("*.jpg"))) < MAX_WAITING:
            number += 1
            camera.picture = scene(number * 37 % 250, number * 91 % 250)
            time.sleep(0.01)
        clock = SimpleNamespace(monotonic=lambda: 1000 * time.monotonic(), sleep=time.sleep)
        monkeypatch.setattr("indexer.workflows.record.read_source.time", clock)
        reader.channel.send(Order(is_stop=True))
        reader.thread.join(0.5)
        assert reader.thread.is_alive()
        reader.take_all()
        files = len(list((tmp_path / "partial").glob("*.jpg")))
    stored = [message.stored for message in reader.messages if isinstance(message, Progress) and message.stored]
    assert len(stored) == files
    assert isinstance(reader.messages[-1], Ended)


def test_a_reader_ends_with_the_other_process(tmp_path: Path) -> None:
    """As soon as it notices."""
    with web_camera() as camera, reading(camera, tmp_path / "partial") as reader:
        until(lambda: bool(list((tmp_path / "partial").glob("*.jpg"))))
    assert reader.is_lost


def test_a_damaged_thumbnail_stands_for_nothing(tmp_path: Path) -> None:
    """The camera is read all the same, and its first frame is stored."""
    damaged = MemoryImage("/frames/gate.jpg", b"no PNG", flat=False)
    with web_camera() as camera, reading(camera, tmp_path / "partial", (damaged,)) as reader:
        reader.take_until(lambda message: message.stored is not None)


@pytest.mark.parametrize("removed", ["frame 0", "frame 77"])
def test_a_removed_witness_is_given_up(tmp_path: Path, removed: str) -> None:
    """The worst frame that it stood for is reported in its place; of an image that it does not know, none."""
    with web_camera(rate=50.0) as camera, reading(camera, tmp_path / "partial") as reader:
        reader.take_until(lambda message: bool(message.open))
        reader.channel.send(Order(removed=removed))
        reader.take_until(lambda message: message.witness is not None)
        reader.channel.send(Order(is_stop=True))
        reader.take_all()
    (answer,) = [message for message in reader.messages if isinstance(message, Progress) and message.witness]
    assert answer.witness == removed
    assert (answer.stored is not None) == (removed == "frame 0")
