"""A video file as a container of packets: it is opened safely, and its first packets show how to read it.

It promises that only a video container is read, never a playlist or an address that the file names, and nothing that
another program writes to the file meanwhile. Whatever cannot be read at all is refused with a reason in a few words.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from indexer.domain.descriptions import Limits
from indexer.domain.videos import Sampling, VideoFacts
from indexer.imaging.container_parts import BoundedFile, is_cut, iter_boxes
from indexer.imaging.frame_times import FrameClock

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv"
_BUFFER_BYTES = 2**18  # of FFmpeg, so that it asks for few pieces
_PROBED_KEYFRAMES = 16
_MOST_FAILED_KEYFRAMES = 3  # so many after the first that cannot be decoded alone are no damage
_PROBED_BYTES = 64 * 2**20
_PROBED_S = 60.0
_LARGEST_PROBED_DISTANCE_US = 24 * 3600 * 1_000_000  # what is longer is no distance but another clock
_AVI_HEADER_BYTES = 8  # of a chunk, which the index points to
_REORDERED_FRAMES = 32  # so many packets hold the first frame, whatever the order of B-frames
_USUAL_FRAME_US = 40_000  # where the header has no rate
_LARGEST_KEYFRAME_DISTANCE_US = 2_000_000  # or twice the interval that was asked for


class VideoRefusedError(Exception):
    """A video cannot be read at all; `reason` says why, in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def quarter_turns(frame: "VideoFrame") -> int:
    """How many quarter turns, counterclockwise, bring a decoded frame upright: 0 to 3."""
    return round(frame.rotation / 90) % 4


@dataclass(frozen=True)
class VideoProbe:
    """What the first packets of a video show.

    `keyframes_suffice`: whether keyframes can be decoded without the frames before them. `is_cut`: whether the file
    ends inside a part of its container.
    """

    facts: VideoFacts
    time_base: Fraction
    first_stamp: int | None
    frame_us: int
    keyframe_us: int
    keyframes_suffice: bool = True
    is_cut: bool = False

    def clock(self) -> FrameClock:
        """The clock of the stream, at its start."""
        duration_s = self.facts.duration_s
        return FrameClock(
            time_base=self.time_base,
            first_stamp=self.first_stamp,
            frame_us=self.frame_us,
            duration_us=None if duration_s is None else round(duration_s * 1_000_000),
        )

    def choose(self, sampling: Sampling, *, every_us: int) -> Sampling:
        """Keyframes or all frames."""
        if sampling is not Sampling.AUTO:
            return sampling
        limit_us = max(_LARGEST_KEYFRAME_DISTANCE_US, 2 * every_us)
        is_enough = every_us > 0 and self.keyframes_suffice and self.keyframe_us <= limit_us
        return Sampling.KEYFRAMES if is_enough else Sampling.ALL

    def distance_us(self, sampling: Sampling) -> int:
        """Microseconds between two frames that are decoded."""
        return self.keyframe_us if sampling is Sampling.KEYFRAMES else self.frame_us

    def time_us(self, stamp: int, time_base: Fraction) -> int:
        """Microseconds from the first frame to a stamp of any stream, in units of `time_base` seconds."""
        begin = (self.first_stamp or 0) * self.time_base
        return round((stamp * time_base - begin) * 1_000_000)

    def correct_stamp(self, packet: "Packet[Any]", stream: "VideoStream") -> None:
        """Gives a packet of an AVI the time of its entry in the index; FFmpeg counts, so lost frames shift it."""
        if self.facts.container != "avi" or packet.pts is None or packet.pos is None:
            return
        entries = stream.index_entries
        number = bisect_left(range(len(entries)), packet.pos - _AVI_HEADER_BYTES, key=lambda index: entries[index].pos)
        if number < len(entries) and entries[number].pos == packet.pos - _AVI_HEADER_BYTES:
            packet.pts = packet.dts = entries[number].timestamp


def probe_video(file: BinaryIO, *, limits: Limits) -> VideoProbe:
    """What the first packets of a video show.

    Raises `VideoRefusedError` if it is no video, has no video stream, is too large or too small, or if none of its
    first frames can be decoded; `OSError` if the file cannot be read.
    """
    from av.error import FFmpegError

    is_cut_off = is_cut(BoundedFile(file))
    with opened_container(file) as (container, stream):
        codec = stream.codec_context
        _require_size(codec.height, codec.width, limits=limits)
        stamps: list[int] = []
        keyframes = _ProbedKeyframes(codec, limits=limits)
        read_bytes = 0
        try:
            for packet in iter_packets(container):
                read_bytes += packet.size
                if packet.stream is not stream:
                    continue
                stamp = stamp_of(packet)
                if packet.size and packet.is_keyframe:
                    keyframes.add(packet)
                if packet.size and stamp is not None and not packet.is_discard:
                    stamps.append(stamp)
                long_enough = bool(stamps) and (stamps[-1] - stamps[0]) * _time_base(stream) >= _PROBED_S
                if keyframes.are_enough or read_bytes >= _PROBED_BYTES or long_enough:
                    break
        except FFmpegError:
            pass  # what there is will be read, up to the same place
        if keyframes.size is None:
            raise VideoRefusedError("none of its first frames can be decoded")
        probe = _probe(container, stream, stamps=stamps, keyframes=keyframes.stamps, size=keyframes.size)
        return replace(probe, keyframes_suffice=keyframes.suffice, is_cut=is_cut_off)


class _ProbedKeyframes:
    """The first keyframes of a stream: their stamps, their size, and whether each can be decoded alone.

    After the first one a stream may have none that can: its frames renew the picture piece by piece.
    """

    def __init__(self, codec: "VideoCodecContext", *, limits: Limits) -> None:
        self._codec, self._limits = codec, limits
        self.size: tuple[int, int] | None = None
        self.stamps: list[int] = []
        self._any_is_shown = False
        self._failed = self._decoded = 0

    @property
    def are_enough(self) -> bool:
        """Whether no more of them are needed."""
        return len(self.stamps) >= _PROBED_KEYFRAMES

    @property
    def suffice(self) -> bool:
        """Whether there are any that are shown, and one after the first can be decoded alone as far as there is one."""
        return self._any_is_shown and (self._decoded > 0 or self._failed < _MOST_FAILED_KEYFRAMES)

    def add(self, packet: "VideoPacket") -> None:
        """Adds a keyframe. One that is not shown itself, as the video was cut after it, has a size all the same."""
        stamp = stamp_of(packet)
        if not packet.is_discard:
            self._any_is_shown = True
            self.stamps += [] if stamp is None else [stamp]
        if self.size is None:
            self.size = _upright_size(self._codec, _shown(packet), limits=self._limits)
        elif not packet.is_discard and not self._decoded and self._failed < _MOST_FAILED_KEYFRAMES:
            is_decoded = _upright_size(self._codec, packet, limits=None) is not None
            self._decoded, self._failed = self._decoded + is_decoded, self._failed + (not is_decoded)


def _shown(packet: "VideoPacket") -> "VideoPacket":
    """A packet whose frame the decoder gives, also if the container says that it is not shown."""
    from av import Packet

    if not packet.is_discard:
        return packet
    shown = cast("VideoPacket", Packet(bytes(packet)))
    shown.pts, shown.dts, shown.is_keyframe = packet.pts, packet.dts, True
    return shown


def _probe(
    container: "InputContainer",
    stream: "VideoStream",
    *,
    stamps: list[int],
    keyframes: list[int],
    size: tuple[int, int],
) -> VideoProbe:
    base = _time_base(stream)
    rate = stream.average_rate or stream.guessed_rate
    by_rate_us = max(1, round(1_000_000 / rate)) if rate else _USUAL_FRAME_US
    by_stamps_us = _median_step_us(sorted({*stamps}), base)  # the rate is a mean over pauses, too
    frame_us = min(by_rate_us, by_stamps_us or by_rate_us)
    first_stamp = min(stamps[:_REORDERED_FRAMES], default=None)
    whole_us = round((max(stamps) - stamps[0]) * base * 1_000_000) if stamps else 0
    keyframe_us = _median_step_us(keyframes, base) or whole_us
    height, width = size
    return VideoProbe(
        VideoFacts(
            container.format.name,
            stream.codec_context.name,
            width,
            height,
            _duration_s(container, stream),
            _creation_time(container, stream),
        ),
        base,
        first_stamp,
        frame_us,
        max(frame_us, min(keyframe_us, _LARGEST_PROBED_DISTANCE_US)),
    )


def _median_step_us(stamps: Sequence[int], time_base: Fraction) -> int:
    """Microseconds from one stamp to the next, as most have it; 0 if there is no step."""
    steps = [abs(later - earlier) for earlier, later in pairwise(stamps)]
    return round(median_low(steps) * time_base * 1_000_000) if steps else 0


@contextmanager
def opened_container(file: BinaryIO) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """The container in a file, and the video stream with most pixels. Raises `VideoRefusedError` if there is none."""
    import av
    from av.error import FFmpegError

    source = BoundedFile(file)
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
    try:
        container = av.open(source, mode="r", options=options, metadata_errors="replace", buffer_size=_BUFFER_BYTES)
    except FFmpegError as problem:
        raise VideoRefusedError(_refusal(source, problem)) from problem
    try:
        stream = _find_stream(container)
        stream.codec_context.thread_count = 1  # one process reads one video
        stream.codec_context.options = {"err_detect": "explode"}  # an error, and no guess of what was there
        yield container, stream
    finally:
        container.close()


def iter_packets(container: "InputContainer") -> "Iterator[Packet[Any]]":
    """All packets from here on. Raises `FFmpegError` where the container is broken."""
    while True:
        try:
            yield from container.demux()
        except IndexError:  # PyAV has no place for a stream that begins later; its packet is passed over
            continue
        return


def _find_stream(container: "InputContainer") -> "VideoStream":
    """The video stream with most pixels that can be decoded; raises `VideoRefusedError` if there is none.

    The picture of the cover of a song is none. Of a codec that FFmpeg does not know PyAV has no context.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & stream.disposition.attached_pic]
    if not streams:
        raise VideoRefusedError("it has no video stream")
    # PyAV's types say that there always is a context.
    readable = [stream for stream in streams if getattr(stream, "codec_context", None) is not None]
    if not readable:
        raise VideoRefusedError("there is no decoder for its video: encrypted, or of an unknown kind")
    return max(readable, key=lambda stream: stream.codec_context.width * stream.codec_context.height)


def _refusal(source: BoundedFile, problem: Exception) -> str:
    """Why a file cannot be opened as a video."""
    if source.size_bytes == 0:
        return "the file is empty"
    boxes = list(iter_boxes(source))
    if any(kind == b"moov" and end <= source.size_bytes for kind, end in boxes):
        return f"its index is damaged: {error_words(problem)}"
    if boxes:
        return "ends before its index: still being written, or cut off"
    return f"it is no video that can be read: {error_words(problem)}"


def _require_size(height: int, width: int, *, limits: Limits) -> None:
    """Raises `VideoRefusedError` if frames are too small or too large."""
    if height * width > limits.max_pixels:
        raise VideoRefusedError(f"{width} x {height} pixels are more than the limit of {limits.max_pixels}")
    if 0 < min(height, width) < limits.min_side_px:
        raise VideoRefusedError(f"{width} x {height} pixels: a side is under {limits.min_side_px}")


def _upright_size(
    codec: "VideoCodecContext", packet: "VideoPacket", *, limits: Limits | None
) -> tuple[int, int] | None:
    """The (height, width) of a keyframe as shown; None if it cannot be decoded alone."""
    from av.error import FFmpegError

    try:
        frames = [*codec.decode(packet), *codec.decode(None)]
    except FFmpegError:
        return None
    finally:
        codec.flush_buffers()
    if not frames:
        return None
    if limits is not None:
        _require_size(frames[0].height, frames[0].width, limits=limits)
    size = frames[0].height, frames[0].width
    return size[::-1] if quarter_turns(frames[0]) % 2 else size


def stamp_of(packet: "VideoPacket") -> int | None:
    """The time stamp of a packet: when it is shown, else when it is decoded; None if it has neither."""
    return packet.dts if packet.pts is None else packet.pts


def _time_base(stream: "VideoStream") -> Fraction:
    return stream.time_base or Fraction(1, 1_000_000)


def _duration_s(container: "InputContainer", stream: "VideoStream") -> float | None:
    """The length that the header says; None if it says none. Containers count microseconds."""
    if stream.duration is not None and stream.duration > 0:
        return float(stream.duration * _time_base(stream))
    return container.duration / 1_000_000 if container.duration and container.duration > 0 else None


def _creation_time(container: "InputContainer", stream: "VideoStream") -> str | None:
    for metadata in (container.metadata, stream.metadata):
        for key in ("com.apple.quicktime.creationdate", "creation_time", "date"):
            if metadata.get(key):
                return metadata[key]
    return None


def error_words(problem: Exception) -> str:
    """FFmpeg's own words for an error, in ASCII."""
    if isinstance(problem, MemoryError):
        return "it needs more memory than it may have"
    words = getattr(problem, "strerror", None) or type(problem).__name__
    return re.sub(r"[^\x20-\x7e]", "?", str(words))[:120]
