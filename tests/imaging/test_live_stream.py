"""Live streams: frames with times as they arrive, and an exception that says why for every end."""

import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.recording.sources import parse_source
from indexer.domain.videos import Sampling
from indexer.imaging import live_stream
from indexer.imaging.live_stream import LiveFrame, StreamEndedError, open_live
from tests.support.live_cameras import Answer, WebCamera, needs_rtsp_server, pipeline, rtsp_server, scene, web_camera


def look(
    address: str,
    number: int,
    *,
    every_s: float = 0.2,
    timeout_s: float = 10.0,
    transport: str = "tcp",
    codec: str | None = None,
) -> list[LiveFrame]:
    """So many frames of a camera; `codec`: what it must be."""
    taken, source = list[LiveFrame](), parse_source(f"gate={address}")
    with open_live(source, transport=transport, limits=Limits(), timeout_s=timeout_s) as stream:
        assert codec in {None, stream.codec}
        for frame in stream.frames(every_s=every_s, sampling=Sampling.AUTO):
            taken += [] if frame is None else [frame]
            if len(taken) == number:
                return taken
    raise AssertionError("a live stream never ends without an error")


def end_of(address: str, **how: float) -> StreamEndedError:
    """How a stream ends."""
    with pytest.raises(StreamEndedError) as caught:
        look(address, 1000, **how)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("path", ["stream", "snapshot"])
def test_pictures_by_http(path: str) -> None:
    """A stream of JPEGs and a single picture that is asked for again: whole frames with the times of their arrival."""
    with web_camera(picture=scene(40), rate=20.0, password="me:secret") as camera:
        begin = datetime.now(UTC)
        frames = look(camera.address(path), 3)
        assert all(begin <= frame.time.at <= datetime.now(UTC) for frame in frames)
    assert [frame.damage for frame in frames] == [None] * 3
    assert all(frame.picture is not None and frame.picture.size == (240, 320) for frame in frames)
    step = timedelta(seconds=0.15)  # the next frame after a late one comes sooner
    assert all(frame.time.at >= begin + number * step for number, frame in enumerate(frames))


def test_a_cut_picture_is_damaged() -> None:
    """A picture that ends early is never taken for what the camera sees."""
    with web_camera(cut_after=1000) as camera:
        (frame,) = look(camera.address("snapshot"), 1)
        assert frame.damage is not None


@pytest.mark.parametrize(
    ("path", "because", "refused"),
    [
        ("garbage", RecordingEnd.ERROR, False),
        ("silent", RecordingEnd.LOST, False),
        ("refused", RecordingEnd.LOST, True),
    ],
)
def test_what_is_no_stream(path: str, because: RecordingEnd, refused: bool) -> None:
    """Nonsense, silence, and a password that the camera refuses: an error in time, without the password in its text."""
    with web_camera(password="me:secret") as camera:
        address = camera.address(path)
        address = address.replace("secret", "wrong") if refused else address
        end = end_of(address, timeout_s=0.5 if path == "silent" else 20.0)  # the others answer: no time is waited for
    assert (end.because, end.is_refused) == (because, refused)
    assert "secret" not in end.detail
    assert "wrong" not in end.detail


@pytest.mark.parametrize(
    ("answer", "because", "refused"),
    [
        (Answer(b"<html>Please log in</html>"), RecordingEnd.ERROR, False),
        (Answer(b"<html>Please log in</html>", "image/jpeg"), RecordingEnd.ERROR, False),
        (Answer(b"", "image/jpeg"), RecordingEnd.ERROR, False),
        (Answer(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "application/x-mpegurl"), RecordingEnd.ERROR, False),
        (Answer(code=404), RecordingEnd.ERROR, False),
        (Answer(b"busy", code=503), RecordingEnd.ERROR, False),
        (Answer(code=401), RecordingEnd.LOST, True),
        (Answer(code=403), RecordingEnd.LOST, True),
        (Answer(code=302, location="/odd"), RecordingEnd.LOST, False),
        (Answer(code=302, location="file:///etc/hostname"), RecordingEnd.ERROR, False),
        (Answer(code=302, location="http://me:secret@127.0.0.1:1/"), RecordingEnd.LOST, False),
    ],
)
def test_what_is_no_picture(answer: Answer, because: RecordingEnd, refused: bool) -> None:
    """A web page, a playlist, an error, a redirect to nowhere: why it is none, and nothing of the address."""
    with web_camera(password="me:secret", answer=answer) as camera:
        end = end_of(f"{camera.address('odd')}")
    assert (end.because, end.is_refused) == (because, refused)
    assert not {"secret", "127.0.0.1", "hostname"} & set(re.split(r"[^a-z0-9.]+", end.detail))


def test_a_picture_that_turns_into_a_page() -> None:
    """As when the login to a camera is over: the pictures up to then count, and then the recording ends."""
    with web_camera(answer=Answer(WebCamera().jpeg(), "image/jpeg")) as camera:
        page = Answer(b"<html>Please log in</html>")
        with pytest.raises(StreamEndedError) as end:
            act_at_a_frame(camera.address("odd"), lambda: setattr(camera, "answer", page))
    assert end.value.because is RecordingEnd.ERROR
    assert camera.opened == 2


def test_a_redirect_to_a_picture() -> None:
    """It is followed, each time."""
    with web_camera(answer=Answer(code=302, location="/snapshot"), picture=scene(40)) as camera:
        frames = look(camera.address("odd"), 2)
        assert camera.opened == 4
    assert [frame.damage for frame in frames] == [None] * 2


@pytest.mark.parametrize("path", ["stream", "snapshot"])
def test_pictures_of_another_size(path: str) -> None:
    """From one picture to the next: each is decoded in its own size."""
    with web_camera() as camera:
        sizes = [(240, 320), (180, 320), (480, 640)]

        def change() -> None:
            camera.picture = np.full((*sizes[min(len(seen), 2)], 3), 90, np.uint8)

        seen: list[tuple[int, int]] = []
        with open_live(parse_source(f"a={camera.address(path)}"), transport="tcp", limits=Limits()) as stream:
            for frame in stream.frames(every_s=0.05, sampling=Sampling.AUTO):
                if frame is not None and frame.picture is not None and frame.picture.size not in seen:
                    assert frame.picture.colour().shape == (*frame.picture.size, 3)
                    seen.append(frame.picture.size)
                    change()
                if len(seen) == len(sizes):
                    break
    assert seen == sizes


@pytest.mark.parametrize("boundary", ["other", '"frame"', "--frame", ""])
def test_boundaries_of_a_stream(boundary: str) -> None:
    """Cameras write it in quotes, with its dashes, or another one than they send: the pictures are whole."""
    with web_camera(boundary=boundary, picture=scene(40)) as camera:
        frames = look(camera.address("stream"), 3)
    assert [frame.damage for frame in frames] == [None] * 3


@pytest.mark.parametrize("added", [-500, 500])
def test_pictures_of_another_length_than_announced(added: int) -> None:
    """A picture without its end is damaged; where one has bytes of the next, the stream ends with a reason."""
    frames = list[LiveFrame | None]()
    with web_camera(added_length=added, picture=scene(40)) as camera:
        source = parse_source(f"a={camera.address('stream')}")
        with pytest.raises(StreamEndedError) as end, open_live(source, transport="tcp", limits=Limits()) as stream:
            frames.extend(stream.frames(every_s=0.05, sampling=Sampling.AUTO))
    assert {frame.damage is None for frame in frames if frame is not None} == {added > 0}
    assert end.value.because is RecordingEnd.ERROR


def test_a_camera_that_is_away() -> None:
    """Nobody listens at the port, or the host is not known: away, and what to look at is said."""
    assert end_of("http://127.0.0.1:1/stream").because is RecordingEnd.LOST
    end = end_of(f"http://{70 * 'x'}/stream")  # longer than a name of the DNS: nobody is asked
    assert (end.because, "host" in end.detail) == (RecordingEnd.LOST, True)


def test_a_camera_that_wants_a_password() -> None:
    """The source has none: that is said, and not that one was refused."""
    with web_camera(password="me:secret") as camera:
        end = end_of(camera.address("stream").replace("me:secret@", ""))
    assert (end.is_refused, end.detail) == (True, "the camera wants a user and a password")


@pytest.mark.parametrize(("device", "reason"), [("video99", "No such file"), ("null", "Inappropriate ioctl")])
def test_a_device_that_is_no_camera(device: str, reason: str) -> None:
    """It is missing, as before it is plugged in, or is another one: away, and tried again."""
    end = end_of(f"/dev/{device}")
    assert (end.because, reason in end.detail) == (RecordingEnd.LOST, True)


def test_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Video4Linux is opened, and no other format; when it is unplugged, it is lost. No machine of the tests has one: a
    file of pictures stands in for it."""
    file = tmp_path / "pictures.mjpeg"
    file.write_bytes(3 * WebCamera(picture=scene(40)).jpeg())
    opened, open_file = list[object](), av.open

    def open_device(address: str, **how: Any) -> object:
        opened.append((address, how["format"], how["options"]))
        return open_file(str(file), format="mjpeg")

    monkeypatch.setattr(av, "open", open_device)
    frames, source = list[LiveFrame | None](), parse_source("gate=/dev/video0")
    with pytest.raises(StreamEndedError) as end, open_live(source, transport="tcp", limits=Limits()) as stream:
        frames.extend(stream.frames(every_s=0.0, sampling=Sampling.AUTO))
    whole = [frame for frame in frames if frame is not None]
    assert opened == [("/dev/video0", "v4l2", {})]
    assert ([frame.damage for frame in whole], end.value.because) == ([None] * 3, RecordingEnd.LOST)


def act_at_a_frame(address: str, act: Callable[[], None], *, timeout_s: float = 10.0) -> None:
    """Looks at a camera without end, and does something at each frame."""
    with open_live(parse_source(f"a={address}"), transport="tcp", limits=Limits(), timeout_s=timeout_s) as stream:
        for frame in stream.frames(every_s=0.1, sampling=Sampling.AUTO):
            if frame is not None:
                act()


def test_a_stream_that_ends() -> None:
    """The end of a live stream is a loss."""
    with web_camera() as camera, pytest.raises(StreamEndedError) as caught:
        act_at_a_frame(camera.address("stream"), lambda: setattr(camera, "is_open", False))
    assert caught.value.because is RecordingEnd.LOST


def test_what_comes_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg gives its last packet when a read took too long: the camera is stalled, and no second time is waited."""
    late_s, iter_packets = [0.0], live_stream.iter_packets

    def iter_late(container: Any) -> Any:
        for number, packet in enumerate(iter_packets(container)):
            late_s[0] += 11.0 * (number == 1)
            yield packet

    monkeypatch.setattr(live_stream, "iter_packets", iter_late)
    monkeypatch.setattr(live_stream, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + late_s[0]))
    with web_camera(picture=scene(40)) as camera:
        end = end_of(camera.address("stream"))
    assert (end.because, end.detail) == (RecordingEnd.STALLED, "nothing came for 10 s")


@needs_rtsp_server
def test_a_real_stream() -> None:
    """RTSP with a password: keyframes; and all frames where these are far apart, here in HEVC by UDP; a stall is a
    loss."""
    streams = {"near": pipeline(), "far": pipeline(keyframe_s=2.5, codec="265")}
    with rtsp_server(streams, password="me:secret") as server:
        near = server.address("near").replace("//", "//me:secret@")
        frames = look(near, 2, every_s=1.0, codec="h264")
        assert all(frame.damage is None and frame.picture is not None for frame in frames)
        assert all(frame.picture.decoded.key_frame for frame in frames if frame.picture is not None)
        far = look(near.replace("near", "far"), 3, every_s=1.0, codec="hevc", transport="udp")
        assert all(frame.damage is None for frame in far)
        assert not all(frame.picture.decoded.key_frame for frame in far if frame.picture is not None)
        assert end_of(near.replace("secret", "wrong")).is_refused
        began_s = time.monotonic()
        with pytest.raises(StreamEndedError) as caught:
            act_at_a_frame(near, lambda: server.signal(signal.SIGSTOP), timeout_s=3.0)
        assert caught.value.because is RecordingEnd.STALLED
        assert time.monotonic() - began_s > 2.9
