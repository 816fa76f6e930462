"""The frames of a video file, with their times: keyframes where these suffice, else all frames.

It promises that

- a frame's time comes from the stream's clock and never from counting;
- times grow; and
- a frame which may show a decoder's guess is marked as damaged.

Damage ends the reading, or costs the frames up to the next keyframe; it is never an exception once the video is open.
Memory does not grow with the length of a video. The module opens no path: it reads a file object, as a video container
alone, never as a playlist or an address.

PyAV, which reads videos, is optional. `require_video_library` says what to install.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits
from indexer.domain.plurals import counted
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
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

    from indexer.imaging.video_container import VideoPacket

_LONGEST_STEP_US = 1_900_000  # from one frame to the next: where one of a second is lost, it is longer
_LONGEST_STEP = 1.75  # the same, in intervals
_LONGEST_GAP_US = 24 * 3600 * 1_000_000
_MISSING_TAIL_S = 0.5
_CODE_BYTES = 8  # in which every packet has a code or a length
_AREA = 0x20 | 0x40000 | 0x80000
"""FFmpeg's average by area, rounded exactly, with the same bits on every processor (SWS_AREA, SWS_ACCURATE_RND,
SWS_BITEXACT)."""


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
        Why nobody looked between the frame before, or the begin of the stream, and this one; None if it comes as soon
        as it should.
    """

    offset_us: int
    damage: str | None
    gap: str | None
    decoded: "VideoFrame" = field(repr=False)
    converter: "FrameConverter" = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """The (height, width) of the frame as shown."""
        return _turned((self.decoded.height, self.decoded.width), turns=quarter_turns(self.decoded))

    def grey(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """The frame as shown in 8-bit grey: (H, W), uint8; with a smaller `size`, (height, width), averaged by area."""
        return self.converter.pixels(self.decoded, form="gray", size=size)

    def colour(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """The frame as shown: (H, W, 3), uint8, BGR; at its own size, or as `grey` at a smaller one."""
        return self.converter.pixels(self.decoded, form="bgr24", size=size)


class FrameConverter:
    """Makes pixels of the frames of one video. FFmpeg keeps its tables for each form and size from frame to frame."""

    def __init__(self) -> None:
        self._reformatters: dict[tuple[str, bool], VideoReformatter] = {}

    def pixels(self, frame: "VideoFrame", *, form: str, size: tuple[int, int] | None) -> NDArray[np.uint8]:
        """The upright pixels of a frame in one of PyAV's formats, at its own size or at (height, width)."""
        from av.video.reformatter import VideoReformatter

        turns = quarter_turns(frame)
        height, width = (frame.height, frame.width) if size is None else _turned(size, turns=turns)
        reformatter = self._reformatters.setdefault((form, size is None), VideoReformatter())
        converted = reformatter.reformat(
            frame,
            width=width,
            height=height,
            format=form,
            interpolation=None if size is None else _AREA,
            threads=1,  # one process reads one video
        )
        pixels = np.asarray(converted.to_ndarray(), dtype=np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, turns))


def _turned(size: tuple[int, int], *, turns: int) -> tuple[int, int]:
    """A (height, width) after so many quarter turns."""
    return size[::-1] if turns % 2 else size


def require_video_library() -> None:
    """Raises `MissingLibraryError` if PyAV is not installed. It is not loaded: workers do that."""
    if not _is_installed("av"):
        raise MissingLibraryError("videos are read by PyAV, which is not installed; type: pip install av")


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # imported by hand, or kept from being imported
        return sys.modules.get(name) is not None


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


def _admit_all(_number: int) -> bool:
    return True


class Video:
    """An open video: its header, its frames, and after them how the reading ended."""

    def __init__(self, container: "InputContainer", stream: "VideoStream", probe: "VideoProbe") -> None:
        self.facts = probe.facts
        self._probe = probe
        self._container = container
        self._stream = stream
        self._clock = probe.clock()
        self._last_us = 0  # of the frames that were looked at; before the first one, the begin of the stream
        self._ends: dict[int, tuple[int, int]] = {}  # of each stream in its unit: when its last packet begins and ends
        self._units: dict[int, Fraction] = {}  # seconds, of each stream
        self._longest_steps: dict[int, int] = {}  # of each stream in its unit: of more the clock makes another clock
        self._damaged_packets = 0
        self._damaged_since_frame = 0
        self._stopped_by: str | None = None
        self._sampling, self._interval_us = Sampling.ALL, probe.frame_us

    def frames(
        self, *, every_s: float, sampling: Sampling = Sampling.AUTO, admit: Callable[[int], bool] = _admit_all
    ) -> Iterator[StreamFrame]:
        """The frames to look at, in the order of their times: one each `every_s` seconds; 0 gives every frame.

        With `auto`, keyframes are taken if their median distance is at most 2 s, or twice `every_s` if that is more.
        `admit` is called with the number of a packet before the decoder gets it; one that is not admitted counts as
        damaged, and what `admit` raises ends the frames. May be called once. Raises `OSError` if the file cannot be
        read.
        """
        every_us = round(every_s * 1_000_000)
        self._sampling = self._probe.choose(sampling, every_us=every_us)
        self._interval_us = max(every_us, self._probe.distance_us(self._sampling))
        if self._sampling is Sampling.KEYFRAMES:
            tolerance_us = min(every_us // 4, self._probe.keyframe_us // 2)
            times = SampleTimes(every_us=every_us, tolerance_us=tolerance_us, on_grid=False)
            decoded = self._decode_keyframes(times, admit)
        else:
            times = SampleTimes(every_us=every_us, tolerance_us=min(self._probe.frame_us, every_us) // 2)
            decoded = self._decode_all(times, admit)
        converter = FrameConverter()
        for time_us, frame, damage in decoded:
            gap = self._gap(time_us - self._last_us)
            self._damaged_since_frame = 0
            self._last_us = time_us
            yield StreamFrame(time_us, damage, gap, frame, converter)

    @property
    def reading(self) -> VideoReading:
        """How the reading ended; of use once all frames were taken."""
        reasons = [reason for reason in (self._early_end(), self._damage()) if reason]
        return VideoReading(
            VideoState.PARTIAL if reasons else VideoState.READ,
            "; ".join([*reasons, *self._doubts()]) or None,
            self._sampling,
            self._interval_us / 1_000_000,
            self._length_us / 1_000_000,
            self._damaged_packets,
        )

    @property
    def gap_at_end(self) -> str | None:
        """Why nobody looked from the last frame to the end; None if the end is where the next frame would be.

        If there was no frame, from the begin.
        """
        return self._gap(self._length_us - self._last_us)

    @property
    def _length_us(self) -> int:
        """Microseconds up to the end of the last packet, as far as that can be.

        A damaged packet may say any time, and one of another clock, too. What the header does not say ends where the
        next frames would be.
        """
        end_us, header_s = max(self._end_us, self._last_us), self.facts.duration_s
        is_stated = header_s is not None and end_us / 1_000_000 <= header_s + _MISSING_TAIL_S
        if is_stated and not self._clock.restarts:
            longest_us = _LONGEST_GAP_US
        else:
            longest_us = 2 * max(self._interval_us, self._probe.keyframe_us)
        return min(end_us, self._last_us + longest_us)

    def _early_end(self) -> str | None:
        read_s = self._end_us / 1_000_000
        duration_s = None if self._clock.restarts else self.facts.duration_s  # a header counts by one clock
        if duration_s is not None and duration_s - read_s > max(_MISSING_TAIL_S, 2 * self._probe.frame_us / 1_000_000):
            return f"ends early: {read_s:.1f} s of {duration_s:.1f} s are there"
        if self._stopped_by or self._probe.is_cut:
            return f"ends early: {'its last part is not whole' if self._probe.is_cut else self._stopped_by}"
        return None

    def _damage(self) -> str | None:
        count = self._damaged_packets
        return f"{count} {'piece' if count == 1 else 'pieces'} of it cannot be decoded" if count else None

    def _doubts(self) -> list[str]:
        """Why the times of some frames may be wrong."""
        count, doubts = self._clock.restarts, list[str]()
        if count:
            jumps = "jumps" if count == 1 else f"jumps {count} times"
            doubts.append(f"its clock {jumps}: times after that go on from the frame before")
        guessed = self._clock.corrected - count
        if guessed > 0:
            words = "frame has no usable time: it follows", "frames have no usable time: they follow"
            doubts.append(f"{counted(guessed, *words)} the frame before")
        return doubts

    def _gap(self, step_us: int) -> str | None:
        if self._damaged_since_frame and step_us > 1.5 * self._interval_us:
            return "cannot be decoded"
        if step_us > max(_LONGEST_STEP_US, _LONGEST_STEP * self._interval_us):
            return "no keyframes" if self._sampling is Sampling.KEYFRAMES else "no frames"
        return None

    def _decode_keyframes(
        self, times: SampleTimes, admit: Callable[[int], bool]
    ) -> "Iterator[tuple[int, VideoFrame, str | None]]":
        """The keyframes that are due. Each is decoded alone, so that its picture depends on nothing before it."""
        codec, frames = self._stream.codec_context, 0
        for number, packet in enumerate(self._packets()):
            frames += 1
            if not packet.is_keyframe or packet.is_discard:
                continue
            time_us = self._time_us(stamp_of(packet), frames=frames)
            frames = 0
            if not times.is_due(time_us):
                continue
            if not admit(number):
                self._note_damage()
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

    def _decode_all(
        self, times: SampleTimes, admit: Callable[[int], bool]
    ) -> "Iterator[tuple[int, VideoFrame, str | None]]":
        """The frames that are due, of all. After damage, frames are not to be trusted up to the next keyframe."""
        codec, trusted = self._stream.codec_context, False
        for number, packet in enumerate(chain[Any](self._packets(), (None,))):
            before = self._damaged_packets
            if admit(number):
                frames = self._decoded(codec, packet)
            else:
                frames = []
                self._note_damage()
            if self._damaged_packets > before or (packet is not None and packet.is_corrupt):
                trusted = False
            elif packet is not None and packet.is_discard and packet.is_keyframe and not self._damaged_packets:
                trusted = True  # the video was cut after this keyframe, which is not shown
            for frame in frames:
                trusted = (trusted or bool(frame.key_frame)) and not frame.is_corrupt
                time_us = self._time_us(frame.pts)
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

    def _time_us(self, stamp: int | None, *, frames: int = 1) -> int:
        """The time of a frame, as of `FrameClock`. What was noted by the clock before says nothing about the end."""
        before = self._clock.restarts
        time_us = self._clock.time_us(stamp, frames=frames)
        if stamp is not None and self._clock.restarts > before:
            self._ends = {self._stream.index: (stamp, stamp)} if self._stream.index in self._units else {}
        return time_us

    def _note_damage(self) -> None:
        self._damaged_packets += 1
        self._damaged_since_frame += 1

    def _note_end(self, packet: "VideoPacket") -> None:
        """Notes when a packet of any stream ends. A video has 100 000 an hour, so nothing but integers is counted.

        The last one to begin counts: with B-frames, one before a pause may say that it lasts beyond the ones after it.
        What says to begin more than a day later is of another clock.
        """
        begin, stream = packet.pts, packet.stream_index
        if begin is None or packet.is_discard:
            return
        if stream not in self._units:
            if packet.time_base is None:
                return
            self._units[stream] = packet.time_base
            self._longest_steps[stream] = round(_LONGEST_GAP_US / 1_000_000 / packet.time_base)
        last = self._ends.get(stream, (begin, begin))[0]
        if last <= begin <= last + self._longest_steps[stream]:
            self._ends[stream] = begin, begin + (packet.duration or 0)

    def _is_unwritten(self, packet: "VideoPacket") -> bool:
        """Whether nothing but zeros is where the container says that a packet is; no codec but raw pixels has such."""
        data = memoryview(packet)
        return not any(data[:_CODE_BYTES]) and self._stream.codec_context.name != "rawvideo" and not any(data)

    @property
    def _end_us(self) -> int:
        """When the last packet ends, in microseconds since the first frame."""
        ends = [self._probe.time_us(end, self._units[stream]) for stream, (_, end) in self._ends.items()]
        return max(0, max(ends) + self._clock.shift_us) if ends else 0

    def _packets(self) -> "Iterator[VideoPacket]":
        """The packets of the stream up to its end, or up to where the container is broken."""
        from av.error import FFmpegError

        try:
            for packet in iter_packets(self._container):
                if packet.size:
                    if packet.stream is self._stream:
                        self._probe.correct_stamp(packet, self._stream)
                        packet.is_corrupt = packet.is_corrupt or self._is_unwritten(packet)
                    self._note_end(packet)
                    if packet.stream is self._stream:
                        if packet.is_corrupt:
                            self._note_damage()
                        yield packet
        except FFmpegError as problem:
            self._stopped_by = error_words(problem)
