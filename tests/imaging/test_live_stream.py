"""Live streams: frames with times as they arrive, and an exception that says why for every end."""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.recording.sources import parse_source
from indexer.domain.videos import Sampling
from indexer.imaging.live_stream import LiveFrame, StreamEndedError, open_live
from tests.support.live_cameras import needs_rtsp_server, pipeline, rtsp_server, scene, web_camera


def look(
    address: str, number: int, *, every_s: float = 0.2, sampling: Sampling = Sampling.AUTO, timeout_s: float = 10.0
) -> list[LiveFrame]:
    """So many frames of a camera."""
    taken = list[LiveFrame]()
    with open_live(parse_source(f"gate={address}"), transport="tcp", limits=Limits(), timeout_s=timeout_s) as stream:
        for frame in stream.frames(every_s=every_s, sampling=sampling):
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
    steps = [after.time.offset_us - before.time.offset_us for before, after in pairwise(frames)]
    assert min(steps) >= 100_000


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


def test_a_camera_that_is_away() -> None:
    """Nobody listens at the port."""
    assert end_of("http://127.0.0.1:1/stream").because is RecordingEnd.LOST


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


@needs_rtsp_server
def test_a_real_stream() -> None:
    """RTSP with a password: keyframes, then all frames where keyframes are far apart; a stall and a kill are losses."""
    streams = {"near": pipeline(), "far": pipeline(keyframe_s=4)}
    with rtsp_server(streams, password="me:secret") as server:
        near = server.address("near").replace("//", "//me:secret@")
        frames = look(near, 3, every_s=1.0)
        assert all(frame.damage is None and frame.picture is not None for frame in frames)
        assert all(frame.picture.decoded.key_frame for frame in frames if frame.picture is not None)
        far = look(near.replace("near", "far"), 3, every_s=1.0)
        assert not all(frame.picture.decoded.key_frame for frame in far if frame.picture is not None)
        assert end_of(near.replace("secret", "wrong")).is_refused
        began_s = time.monotonic()
        with pytest.raises(StreamEndedError) as caught:
            act_at_a_frame(near, lambda: server.signal(signal.SIGSTOP), timeout_s=3.0)
        assert caught.value.because is RecordingEnd.STALLED
        assert time.monotonic() - began_s > 2.9
