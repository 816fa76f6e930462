"""A video file as a container of packets: it is opened safely, and its first packets show how to read it.

It promises that only a video container is read, never a playlist or an address that the file names, and nothing that
another program writes to the file meanwhile. Whatever cannot be read at all is refused with a reason in a few words.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, BinaryIO

from indexer.domain.descriptions import Limits
from indexer.domain.videos import Sampling, VideoFacts
from indexer.imaging.frame_times import FrameClock

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv"
_BOXES = {b"ftyp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"sidx", b"styp", b"uuid", b"mfra", b"emsg"}
_MOST_BOXES = 100_000  # a fragment has two, and may last a second
_PROBED_KEYFRAMES = 16
_PROBED_BYTES = 64 * 2**20
_PROBED_S = 60.0
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
    """What the first packets of a video show."""

    facts: VideoFacts
    time_base: Fraction
    first_stamp: int | None
    frame_us: int
    keyframe_us: int
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
        return Sampling.KEYFRAMES if every_us > 0 and self.keyframe_us <= limit_us else Sampling.ALL

    def distance_us(self, sampling: Sampling) -> int:
        """Microseconds between two frames that are decoded."""
        return self.keyframe_us if sampling is Sampling.KEYFRAMES else self.frame_us

    def end_us(self, packet: "Packet[Any]") -> int:
        """When a packet of any stream ends, in microseconds since the first frame; 0 if it has no time."""
        if packet.pts is None or packet.time_base is None:
            return 0
        begin = (self.first_stamp or 0) * self.time_base
        return round(((packet.pts + (packet.duration or 0)) * packet.time_base - begin) * 1_000_000)

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

    is_cut = _is_cut(_BoundedFile(file))
    with opened_container(file) as (container, stream):
        codec = stream.codec_context
        _require_size(codec.height, codec.width, limits=limits)
        stamps: list[int] = []
        keyframes: list[int] = []
        upright: tuple[int, int] | None = None
        read_bytes = 0
        try:
            for packet in iter_packets(container):
                read_bytes += packet.size
                if packet.stream is not stream:
                    continue
                stamp = stamp_of(packet)
                if packet.size and stamp is not None:
                    stamps.append(stamp)
                if packet.size and packet.is_keyframe:
                    upright = upright or _upright_size(codec, packet, limits=limits)
                    keyframes += [] if stamp is None else [stamp]
                long_enough = bool(stamps) and (stamps[-1] - stamps[0]) * _time_base(stream) >= _PROBED_S
                if len(keyframes) >= _PROBED_KEYFRAMES or read_bytes >= _PROBED_BYTES or long_enough:
                    break
        except FFmpegError:
            pass  # what there is will be read, up to the same place
        if upright is None:
            raise VideoRefusedError("none of its first frames can be decoded")
        probe = _probe(container, stream, stamps=stamps, keyframes=keyframes, size=upright)
        return replace(probe, is_cut=is_cut)


def _probe(
    container: "InputContainer",
    stream: "VideoStream",
    *,
    stamps: list[int],
    keyframes: list[int],
    size: tuple[int, int],
) -> VideoProbe:
    base, rate = _time_base(stream), stream.average_rate or stream.guessed_rate
    frame_us = _USUAL_FRAME_US if not rate else max(1, round(1_000_000 / rate))
    first_stamp = min(stamps[:_REORDERED_FRAMES], default=None)
    whole = max(stamps) - stamps[0] if stamps else 0
    distance = median(abs(b - a) for a, b in pairwise(keyframes)) if len(keyframes) > 1 else whole
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
        max(frame_us, round(distance * base * 1_000_000)),
    )


@contextmanager
def opened_container(file: BinaryIO) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """The container in a file, and the video stream with most pixels. Raises `VideoRefusedError` if there is none."""
    import av
    from av.error import FFmpegError

    source = _BoundedFile(file)
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
    try:
        container = av.open(source, mode="r", options=options, metadata_errors="replace")
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


class _BoundedFile:
    """A file object that ends where the file ended when it was opened, as another program may still write to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int) -> bytes:
        """At most `size` bytes from here."""
        return self._file.read(max(0, min(size, self.size_bytes - self._file.tell())))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to an offset from the start, from here or from the end."""
        return self._file.seek(self.size_bytes + offset if whence == 2 else offset, 0 if whence == 2 else whence)

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._file.tell()


def _is_cut(source: _BoundedFile) -> bool:
    """Whether the outer parts of an AVI or MP4 say that there should be more bytes; False for other containers."""
    start = source.read(16)
    if start[:4] == b"RIFF":
        return int.from_bytes(start[4:8], "little") + 8 > source.size_bytes + 1
    at, boxes = 0, 0
    while start[4:8] in _BOXES and boxes < _MOST_BOXES:
        size = int.from_bytes(start[:4])
        size = int.from_bytes(start[8:16]) if size == 1 else size
        if size == 0:  # up to the end of the file
            return False
        at, boxes = at + max(size, 8), boxes + 1
        if at >= source.size_bytes:
            return at > source.size_bytes
        source.seek(at)
        start = source.read(16)
    return False


def _refusal(source: _BoundedFile, problem: Exception) -> str:
    """Why a file cannot be opened as a video."""
    if source.size_bytes == 0:
        return "the file is empty"
    source.seek(0)
    if source.read(12)[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"wide"}:
        return "ends before its index: still being written, or cut off"
    return f"it is no video that can be read: {error_words(problem)}"


def _require_size(height: int, width: int, *, limits: Limits) -> None:
    """Raises `VideoRefusedError` if frames are too small or too large."""
    if height * width > limits.max_pixels:
        raise VideoRefusedError(f"{width} x {height} pixels are more than the limit of {limits.max_pixels}")
    if 0 < min(height, width) < limits.min_side_px:
        raise VideoRefusedError(f"{width} x {height} pixels: a side is under {limits.min_side_px}")


def _upright_size(codec: "VideoCodecContext", packet: "VideoPacket", *, limits: Limits) -> tuple[int, int] | None:
    """The (height, width) of a keyframe as shown; None if it cannot be decoded."""
    from av.error import FFmpegError

    try:
        frames = [*codec.decode(packet), *codec.decode(None)]
    except FFmpegError:
        return None
    finally:
        codec.flush_buffers()
    if not frames:
        return None
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
