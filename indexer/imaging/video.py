"""The frames of a video file, with their times: keyframes where these suffice, else all frames.

It promises that a frame's time comes from the stream's clock and never from counting, that times grow, and that a frame
which may show a decoder's guess is marked as damaged. Damage ends the reading, or costs the frames up to the next
keyframe; it is never an exception once the video is open. Memory does not grow with the length of a video. The module
opens no path: it reads a file object, as a video container alone, never as a playlist or an address.

PyAV, which reads videos, is optional. `require_video_library` says what to install.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits
from indexer.domain.videos import Sampling, VideoReading, VideoState
from indexer.errors import MissingLibraryError
from indexer.imaging.frame_times import SampleTimes
from indexer.imaging.video_container import (
    VideoProbe,
    error_words,
    iter_packets,
    opened_container,
    probe_video,
    quarter_turns,
    stamp_of,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from indexer.imaging.video_container import VideoPacket

_LONGEST_STEP_US = 2_000_000  # from one frame to the next: longer, and nobody looked between
_MISSING_TAIL_S = 0.5


@dataclass(frozen=True)
class StreamFrame:
    """One frame that is looked at.

    Attributes
    ----------
    offset_us : int
        Microseconds since the first frame of the stream.
    damage : str or None
        Why the picture is not to be trusted.
    gap : str or None
        Why nobody looked between the frame before and this one; None if it comes as soon as it should.
    """

    offset_us: int
    damage: str | None
    gap: str | None
    decoded: "VideoFrame" = field(repr=False)

    def grey(self) -> NDArray[np.uint8]:
        """The frame as shown in 8-bit grey: (H, W), uint8."""
        return self._pixels("gray")

    def colour(self) -> NDArray[np.uint8]:
        """The frame as shown: (H, W, 3), uint8, BGR."""
        return self._pixels("bgr24")

    def _pixels(self, form: str) -> NDArray[np.uint8]:
        pixels = np.asarray(self.decoded.to_ndarray(format=form), dtype=np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, quarter_turns(self.decoded)))


def require_video_library() -> None:
    """Raises `MissingLibraryError` if PyAV is not installed."""
    try:
        import av  # noqa: F401
    except ImportError as problem:
        raise MissingLibraryError(
            "videos are read by PyAV, which is not installed; type: pip install 'indexer[video]'"
        ) from problem


@contextmanager
def open_video(file: BinaryIO, *, limits: Limits) -> "Iterator[Video]":
    """An open video; `file` must be at its start, and seekable.

    Raises
    ------
    VideoRefusedError
        If it is no video, has no video stream, is too large or too small, or none of its first frames can be decoded.
    OSError
        If the file cannot be read.
    """
    probe = probe_video(file, limits=limits)
    file.seek(0)
    with opened_container(file) as (container, stream):
        yield Video(container, stream, probe)


class Video:
    """An open video: its header, its frames, and after them how the reading ended."""

    def __init__(self, container: "InputContainer", stream: "VideoStream", probe: "VideoProbe") -> None:
        self.facts = probe.facts
        self._probe = probe
        self._container = container
        self._stream = stream
        self._clock = probe.clock()
        self._last_us = 0  # of the frames that were looked at
        self._end_us = 0  # of the packets
        self._damaged_packets = 0
        self._damaged_since_frame = 0
        self._stopped_by: str | None = None
        self._sampling, self._interval_us = Sampling.ALL, probe.frame_us

    def frames(self, *, every_s: float, sampling: Sampling = Sampling.AUTO) -> Iterator[StreamFrame]:
        """The frames to look at, in the order of their times: one each `every_s` seconds; 0 gives every frame.

        With `auto`, keyframes are taken if their median distance is at most 2 s, or twice `every_s` if that is more.
        May be called once. Raises `OSError` if the file cannot be read.
        """
        every_us = round(every_s * 1_000_000)
        self._sampling = self._probe.choose(sampling, every_us=every_us)
        self._interval_us = max(every_us, self._probe.distance_us(self._sampling))
        if self._sampling is Sampling.KEYFRAMES:
            tolerance_us = min(every_us // 4, self._probe.keyframe_us // 2)
            times = SampleTimes(every_us=every_us, tolerance_us=tolerance_us, on_grid=False)
            decoded = self._decode_keyframes(times)
        else:
            times = SampleTimes(every_us=every_us, tolerance_us=min(self._probe.frame_us, every_us) // 2)
            decoded = self._decode_all(times)
        last_us: int | None = None
        for time_us, frame, damage in decoded:
            gap = None if last_us is None else self._gap(time_us - last_us)
            self._damaged_since_frame = 0
            last_us = self._last_us = time_us
            yield StreamFrame(time_us, damage, gap, frame)

    @property
    def reading(self) -> VideoReading:
        """How the reading ended; of use once all frames were taken."""
        # A damaged packet may say any time: beyond the last frame, not more is there than up to the next ones.
        longest_us = self._last_us + 2 * max(self._interval_us, self._probe.keyframe_us)
        duration_s = min(max(self._end_us, self._last_us), longest_us) / 1_000_000
        reasons = [reason for reason in (self._early_end(), self._damage()) if reason]
        return VideoReading(
            VideoState.PARTIAL if reasons else VideoState.READ,
            "; ".join(reasons) or None,
            self._sampling,
            self._interval_us / 1_000_000,
            duration_s,
            self._damaged_packets,
            self._clock.corrected,
        )

    def _early_end(self) -> str | None:
        duration_s, read_s = self.facts.duration_s, self._end_us / 1_000_000
        if duration_s is not None and duration_s - read_s > max(_MISSING_TAIL_S, 2 * self._probe.frame_us / 1_000_000):
            return f"ends early: {read_s:.1f} s of {duration_s:.1f} s are there"
        if self._stopped_by or self._probe.is_cut:
            return f"ends early: {self._stopped_by or 'its last part is not whole'}"
        return None

    def _damage(self) -> str | None:
        count = self._damaged_packets
        return f"{count} {'piece' if count == 1 else 'pieces'} of it cannot be decoded" if count else None

    def _gap(self, step_us: int) -> str | None:
        if self._damaged_since_frame and step_us > 1.5 * self._interval_us:
            return "cannot be decoded"
        if step_us > max(_LONGEST_STEP_US, 2.5 * self._interval_us):
            return "no keyframes" if self._sampling is Sampling.KEYFRAMES else "no frames"
        return None

    def _decode_keyframes(self, times: SampleTimes) -> "Iterator[tuple[int, VideoFrame, str | None]]":
        """The keyframes that are due. Each is decoded alone, so that its picture depends on nothing before it."""
        codec, frames = self._stream.codec_context, 0
        for packet in self._packets():
            frames += 1
            if not packet.is_keyframe:
                continue
            time_us = self._clock.time_us(stamp_of(packet), frames=frames)
            frames = 0
            if not times.is_due(time_us):
                continue
            decoded = self._decoded_alone(codec, packet)
            if decoded is not None:
                times.take(time_us)
                yield time_us, decoded, "its data are incomplete" if packet.is_corrupt or decoded.is_corrupt else None

    def _decoded_alone(self, codec: "VideoCodecContext", packet: "VideoPacket") -> "VideoFrame | None":
        """The picture of a keyframe; None, and a count, if it cannot be decoded."""
        before = self._damaged_packets
        frames = [*self._decoded(codec, packet), *self._decoded(codec, None)]
        codec.flush_buffers()
        if not frames and not packet.is_corrupt and self._damaged_packets == before:
            self._note_damage()
        return frames[0] if frames else None

    def _decode_all(self, times: SampleTimes) -> "Iterator[tuple[int, VideoFrame, str | None]]":
        """The frames that are due, of all. After damage, frames are not to be trusted up to the next keyframe."""
        codec, trusted = self._stream.codec_context, False
        for packet in chain[Any](self._packets(), (None,)):
            before = self._damaged_packets
            frames = self._decoded(codec, packet)
            if self._damaged_packets > before or (packet is not None and packet.is_corrupt):
                trusted = False
            for frame in frames:
                trusted = (trusted or bool(frame.key_frame)) and not frame.is_corrupt
                time_us = self._clock.time_us(frame.pts)
                if times.is_due(time_us):
                    times.take(time_us)
                    yield time_us, frame, None if trusted else "comes after damage, before a keyframe"

    def _decoded(self, codec: "VideoCodecContext", packet: "VideoPacket | None") -> "list[VideoFrame]":
        """The frames that the decoder gives for a packet, or for None at the end; none where it refuses the packet."""
        from av.error import FFmpegError

        try:
            return list(codec.decode(packet))
        except FFmpegError:
            if packet is None or not packet.is_corrupt:  # a corrupt packet is counted already
                self._note_damage()
            return []

    def _note_damage(self) -> None:
        self._damaged_packets += 1
        self._damaged_since_frame += 1

    def _packets(self) -> "Iterator[VideoPacket]":
        """The packets of the stream up to its end, or up to where the container is broken."""
        from av.error import FFmpegError

        try:
            for packet in iter_packets(self._container):
                if packet.size:
                    if packet.stream is self._stream:
                        self._probe.correct_stamp(packet, self._stream)
                    self._end_us = max(self._end_us, self._probe.end_us(packet))
                    if packet.stream is self._stream:
                        if packet.is_corrupt:
                            self._note_damage()
                        yield packet
        except FFmpegError as problem:
            self._stopped_by = error_words(problem)
