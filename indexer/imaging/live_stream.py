"""The frames of a live camera as they arrive, with their times: keyframes where these suffice, else all frames.

It promises that

- no file and no other protocol is opened. Only the one address is opened, or the one that its host redirects to. It is
  read as a stream or a picture, never as a playlist;
- no read lasts longer than it may;
- every end of a stream is an exception which says why; and
- a frame which may show a decoder's guess is marked as damaged.

FFmpeg's words about an address are never passed on.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from indexer.domain.descriptions import Limits
from indexer.domain.recording.clock import ClockStepError, LiveClock
from indexer.domain.recording.keyframes import KeyframeChoice
from indexer.domain.recording.loss import READ_TIMEOUT_S, RecordingEnd
from indexer.domain.recording.sources import LiveSource, SourceKind
from indexer.domain.spans import FrameTime
from indexer.domain.videos import Sampling
from indexer.imaging.frame_times import SampleTimes
from indexer.imaging.video import FrameConverter, StreamFrame
from indexer.imaging.video_container import error_words, iter_packets, stamp_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from indexer.imaging.video_container import VideoPacket

_OPTIONS = {
    SourceKind.RTSP: {
        "protocol_whitelist": "rtsp,rtp,udp,tcp,tls,crypto",
        "format_whitelist": "rtsp,rtp,sdp,mpegts",
        "allowed_media_types": "video",
        "fpsprobesize": "0",
    },
    SourceKind.HTTP: {
        "protocol_whitelist": "http,https,tcp,tls,crypto,httpproxy",
        "format_whitelist": "mpjpeg,jpeg_pipe,image2,png_pipe,webp_pipe,bmp_pipe,mjpeg,mpegts,flv,mov,matroska",
        "multiple_requests": "0",
    },
    SourceKind.DEVICE: {},
}
_STILL_FORMATS = {"jpeg_pipe", "image2", "png_pipe", "webp_pipe", "bmp_pipe"}
_UNTIMED_FORMATS = {"mpjpeg", "mjpeg"}  # FFmpeg counts their frames; the time is that of the arrival
_TICK_S = 0.25


class StreamEndedError(Exception):
    """A live stream ended, or could not be opened.

    `because`: how it counts. `detail`: why, in a few words without any address. `is_refused`: the camera wants another
    password.
    """

    def __init__(self, because: RecordingEnd, detail: str, *, is_refused: bool = False) -> None:
        super().__init__(detail)
        self.because, self.detail, self.is_refused = because, detail, is_refused


@dataclass(frozen=True)
class LiveFrame:
    """A frame that is to be looked at.

    `time`: when it was taken. `damage`: why it is not to be trusted, None if it is whole. `picture`: its pixels; None
    if nothing could be decoded, then there is a damage.
    """

    time: FrameTime
    damage: str | None
    picture: StreamFrame | None


@contextmanager
def open_live(
    source: LiveSource, *, transport: str, limits: Limits, timeout_s: float = READ_TIMEOUT_S
) -> "Iterator[LiveStream]":
    """A live stream, open until the end of the block; `transport` of RTSP: 'tcp' or 'udp'.

    `timeout_s`: so long it may take to open it, and to get the next part of it. Raises `StreamEndedError` if it cannot
    be opened in time, or has no picture that can be used.
    """
    opening = _Opening(source, transport, timeout_s)
    container = opening.open()
    try:
        stream = _find_stream(container, limits)
        yield LiveStream(opening, container, stream, limits=limits)
    finally:
        container.close()


class LiveStream:
    """An open stream; `codec`: as FFmpeg calls it."""

    def __init__(
        self,
        opening: "_Opening",
        container: "InputContainer",
        stream: "VideoStream",
        *,
        limits: Limits,
    ) -> None:
        self.codec = str(stream.codec_context.name)
        self._opening, self._limits = opening, limits
        self._container, self._stream = container, stream
        self._is_still = container.format.name in _STILL_FORMATS
        is_timed = not self._is_still and container.format.name not in _UNTIMED_FORMATS
        self._is_timed = is_timed and opening.source.kind is not SourceKind.DEVICE
        self._converter = FrameConverter()
        self._has_failed = False  # the decoder, at the last packet
        self._clock: LiveClock | None = None
        self._choice: KeyframeChoice | None = None

    @property
    def size(self) -> tuple[int, int]:
        """The (height, width) of its pictures, as decoded."""
        codec = self._stream.codec_context
        return codec.height, codec.width

    @property
    def interval_s(self) -> float | None:
        """Seconds from one keyframe to the next, where keyframes are decoded; None: not known, or all frames are."""
        choice = self._choice
        return choice.interval_s if choice is not None and choice.current is Sampling.KEYFRAMES else None

    def frames(self, *, every_s: float, sampling: Sampling) -> Iterator[LiveFrame | None]:
        """The frames to look at, one each `every_s` seconds; None whenever something came that is none.

        So the caller can do other work several times a second. May be called once. It never ends otherwise than by
        `StreamEndedError`.
        """
        try:
            if self._is_still:
                yield from self._stills(every_s)
            else:
                yield from self._streamed(every_s, sampling)
        except ClockStepError as problem:
            raise StreamEndedError(RecordingEnd.CLOCK, str(problem)) from None

    def _streamed(self, every_s: float, sampling: Sampling) -> Iterator[LiveFrame | None]:
        every_us = round(every_s * 1_000_000)
        choice = self._choice = KeyframeChoice(sampling, every_s=every_s)
        times = SampleTimes(every_us=every_us, tolerance_us=every_us // 4)
        before, trusted, last_packet_s = choice.current, False, time.monotonic()
        for packet in self._packets():
            now_s = time.monotonic()
            if packet is None:
                if now_s - last_packet_s > self._opening.timeout_s:
                    raise StreamEndedError(RecordingEnd.STALLED, f"no picture came for {self._opening.timeout_s:g} s")
                yield None
                continue
            last_packet_s = now_s
            decoding = choice.note(is_keyframe=bool(packet.is_keyframe), now_s=now_s)
            if decoding is not before:
                self._stream.codec_context.flush_buffers()
                before, trusted = decoding, False
            if decoding is Sampling.KEYFRAMES:
                yield self._keyframe(packet, times) if packet.is_keyframe else None
            else:
                frames, trusted = self._all_frames(packet, times, trusted=trusted)
                yield None
                yield from frames

    def _keyframe(self, packet: "VideoPacket", times: SampleTimes) -> LiveFrame | None:
        """A keyframe, decoded alone, if it is due."""
        moment = self._time(stamp_of(packet))
        if not times.is_due(moment.offset_us):
            return None
        times.take(moment.offset_us)
        codec = self._stream.codec_context
        frames = [*self._decoded(packet), *self._decoded(None)]
        codec.flush_buffers()
        if not frames:
            return LiveFrame(moment, "cannot be decoded", None)
        is_whole = not (packet.is_corrupt or frames[0].is_corrupt)
        return self._frame(moment, frames[0], None if is_whole else "its data are incomplete")

    def _all_frames(self, packet: "VideoPacket", times: SampleTimes, *, trusted: bool) -> tuple[list[LiveFrame], bool]:
        """The frames that are due among those that a packet completes, and whether what comes next is to be trusted."""
        due, decoded = list[LiveFrame](), self._decoded(packet)
        if packet.is_corrupt or self._has_failed:
            trusted = False
        for frame in decoded:
            trusted = (trusted or bool(frame.key_frame)) and not frame.is_corrupt
            moment = self._time(frame.pts)
            if times.is_due(moment.offset_us):
                times.take(moment.offset_us)
                due.append(self._frame(moment, frame, None if trusted else "comes after damage, before a keyframe"))
        return due, trusted

    def _frame(self, moment: FrameTime, decoded: "VideoFrame", damage: str | None) -> LiveFrame:
        _require_size(decoded.height, decoded.width, self._limits)
        return LiveFrame(moment, damage, StreamFrame(moment.offset_us, damage, None, decoded, self._converter))

    def _decoded(self, packet: "VideoPacket | None") -> "list[VideoFrame]":
        from av.error import FFmpegError

        self._has_failed = False
        try:
            return list(self._stream.codec_context.decode(packet))
        except FFmpegError:
            self._has_failed = True
            return []

    def _time(self, stamp: int | None) -> FrameTime:
        """When a frame with this stamp, which arrived just now, was taken."""
        stamp_us = None
        if stamp is not None and self._is_timed and self._stream.time_base is not None:
            stamp_us = round(stamp * self._stream.time_base * 1_000_000)
        wall_at, monotonic_s = datetime.now(UTC), time.monotonic()
        if self._clock is None:
            self._clock = LiveClock(wall_at=wall_at, monotonic_s=monotonic_s, stamp_us=stamp_us)
        offset_us = self._clock.offset_us(stamp_us=stamp_us, wall_at=wall_at, monotonic_s=monotonic_s)
        return FrameTime(offset_us, self._clock.at(offset_us))

    def _packets(self) -> "Iterator[VideoPacket | None]":
        """The packets of the stream; None for one of another stream."""
        from av.error import FFmpegError

        asked_s = time.monotonic()
        try:
            for packet in iter_packets(self._container):
                if time.monotonic() - asked_s >= self._opening.timeout_s:  # then FFmpeg gives the rest of what it has
                    raise _stalled(self._opening)
                yield packet if packet.size and packet.stream is self._stream else None
                asked_s = time.monotonic()
        except (FFmpegError, OSError) as problem:
            raise _ended_by(problem, self._opening, is_open=True) from None
        raise StreamEndedError(RecordingEnd.LOST, "the camera ended the stream")

    def _stills(self, every_s: float) -> Iterator[LiveFrame | None]:
        """A picture that is asked for again and again; the first one is open already."""
        due_s = time.monotonic()
        yield self._still(self._container, self._stream)
        while True:
            due_s = max(due_s + every_s, time.monotonic())
            while (wait_s := due_s - time.monotonic()) > 0:
                time.sleep(min(wait_s, _TICK_S))
                yield None
            container = self._opening.open()
            try:
                yield self._still(container, _find_stream(container, self._limits))
            finally:
                container.close()

    def _still(self, container: "InputContainer", stream: "VideoStream") -> LiveFrame:
        from av.error import ExitError, FFmpegError

        try:
            decoded = next(iter(container.decode(stream)), None)
        except ExitError as problem:
            raise _ended_by(problem, self._opening, is_open=True) from None
        except FFmpegError:
            decoded = None
        moment = self._time(None)
        if decoded is None:
            return LiveFrame(moment, "cannot be decoded", None)
        return self._frame(moment, decoded, "its data are incomplete" if decoded.is_corrupt else None)


@dataclass(frozen=True)
class _Opening:
    """How a source is opened, each time that it is."""

    source: LiveSource
    transport: str
    timeout_s: float

    def open(self) -> "InputContainer":
        """Opens it; raises `StreamEndedError`."""
        import av
        from av.error import FFmpegError

        options = dict(_OPTIONS[self.source.kind])
        if self.source.kind is SourceKind.RTSP:
            options["rtsp_transport"] = self.transport
        try:
            return av.open(
                self.source.address,
                mode="r",
                format="v4l2" if self.source.kind is SourceKind.DEVICE else None,
                options=options,
                timeout=(self.timeout_s, self.timeout_s),
                metadata_errors="replace",
            )
        except (FFmpegError, OSError, ValueError) as problem:
            raise _ended_by(problem, self, is_open=False) from None


def _find_stream(container: "InputContainer", limits: Limits) -> "VideoStream":
    readable: list[Any] = [
        stream for stream in container.streams.video if getattr(stream, "codec_context", None) is not None
    ]
    if not readable:
        raise StreamEndedError(RecordingEnd.ERROR, "it has no video stream that can be decoded")
    stream: VideoStream = max(readable, key=lambda each: each.codec_context.width * each.codec_context.height)
    _require_size(stream.codec_context.height, stream.codec_context.width, limits)
    stream.codec_context.thread_count = 1  # a process reads one camera
    stream.codec_context.options = {"err_detect": "explode"}  # an error, and no guess of what was there
    return stream


def _require_size(height: int, width: int, limits: Limits) -> None:
    if height * width > limits.max_pixels or 0 < min(height, width) < limits.min_side_px:
        raise StreamEndedError(RecordingEnd.ERROR, f"pictures of {width} x {height} pixels are not recorded")


def _stalled(opening: _Opening) -> StreamEndedError:
    return StreamEndedError(RecordingEnd.STALLED, f"nothing came for {opening.timeout_s:g} s")


def _ended_by(problem: Exception, opening: _Opening, *, is_open: bool) -> StreamEndedError:
    """How a stream counts that ended by this error; what was opened is not named."""
    import av.error

    if isinstance(problem, av.error.HTTPUnauthorizedError):
        has_user = urlsplit(opening.source.address).username is not None
        detail = "the camera refused the password" if has_user else "the camera wants a user and a password"
        return StreamEndedError(RecordingEnd.LOST, detail, is_refused=True)
    if isinstance(problem, av.error.HTTPForbiddenError):
        return StreamEndedError(RecordingEnd.LOST, "the camera refused the user", is_refused=True)
    if isinstance(problem, av.error.ExitError):  # the time is over
        if is_open:
            return _stalled(opening)
        return StreamEndedError(RecordingEnd.LOST, f"the camera did not answer within {opening.timeout_s:g} s")
    if isinstance(problem, av.error.InvalidDataError):
        return StreamEndedError(RecordingEnd.ERROR, "what came is no stream that can be read")
    if isinstance(problem, OSError):
        is_unknown = problem.errno == EIO and not is_open and opening.source.kind is not SourceKind.DEVICE
        detail = "the host is not known, or the connection broke" if is_unknown else error_words(problem)
        return StreamEndedError(RecordingEnd.LOST, detail)
    return StreamEndedError(RecordingEnd.ERROR, error_words(problem))
