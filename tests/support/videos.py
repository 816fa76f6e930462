"""Videos made by PyAV: a scene with its frame number as 16 black and white blocks, which can be read back."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

VISITS = {
    "intel_one_by_one_person.mp4": (
        10.0, [(60, 202), (227, 452), (502, 701), (745, 873), (921, 1203), (1235, 1365)],
    ),
    "intel_car_detection.mp4": (12.5, [(55, 111), (180, 240), (315, 347)]),
    "bgslibrary_video.avi": (30.0, [(58, 175), (196, 248), (289, 351)]),
}  # fmt: skip
"""The visits of persons and cars in sample clips: frames a second, and the first and last frame of each. (README of the
sample data.)"""

BLOCK_PX = 16
HEIGHT, WIDTH = 240, 320


def numbered_frame(number: int, *, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A grey scene, (H, W, 3), with its number in blocks across the middle: black is 0, white is 1."""
    frame = np.full((height, width, 3), 90, dtype=np.uint8)
    frame[: height // 4] = 60
    top = height // 2
    for bit in range(16):
        left = (width - 16 * BLOCK_PX) // 2 + bit * BLOCK_PX
        frame[top : top + BLOCK_PX, left : left + BLOCK_PX] = 235 if number >> bit & 1 else 16
    return frame


def read_number(image_grey: NDArray[np.uint8]) -> int:
    """The number that is drawn on a frame of the size of the scene."""
    height, width = image_grey.shape
    row = image_grey[height // 2 + BLOCK_PX // 2]
    left = (width - 16 * BLOCK_PX) // 2 + BLOCK_PX // 2
    return sum(int(row[left + bit * BLOCK_PX] > 128) << bit for bit in range(16))


def make_video(
    path: Path,
    *,
    frames: int = 100,
    rate: int = 25,
    keyframe_every: int = 25,
    codec: str = "libx264",
    container: str | None = None,
    times_ms: Sequence[int] | None = None,
    pictures: Sequence[NDArray[np.uint8]] | None = None,
    metadata: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    rotation: int | None = None,
    size: tuple[int, int] = (HEIGHT, WIDTH),
) -> Path:
    """A video of numbered frames, or of `pictures`, (H, W, 3) RGB, with B-frames if the codec has them.

    `times_ms`: when each frame is shown; None: at a constant rate. `rotation`: degrees that a player turns it by.
    """
    av = pytest.importorskip("av", reason="needs PyAV: pip install av")
    height, width = size
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        options = {"bf": "2"} if codec == "libx264" else {}
        options |= {"sc_threshold": "0"} | (codec_options or {})
        stream: Any = output.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = keyframe_every
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        output.metadata.update(metadata or {})
        for number in range(frames if pictures is None else len(pictures)):
            picture = numbered_frame(number, height=height, width=width) if pictures is None else pictures[number]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number if times_ms is None else times_ms[number]
            frame.time_base = Fraction(1, rate) if times_ms is None else Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def cut_by_edit_list(source: Path, *, frames: int, rate: int = 25) -> bytes:
    """An MP4 of which so many frames at its begin are hidden, as programs leave it that cut without coding anew."""
    data = bytearray(source.read_bytes())
    edits, header = data.index(b"elst") + 4, data.index(b"mdhd") + 4
    (units_per_s,) = struct.unpack_from(">I", data, header + 12)
    version, count, duration_ms, begin, speed = struct.unpack_from(">IIIiI", data, edits)
    assert (version, count) == (0, 1)
    duration_ms, begin = duration_ms - frames * 1000 // rate, begin + frames * units_per_s // rate
    struct.pack_into(">IIIiI", data, edits, version, count, duration_ms, begin, speed)
    return bytes(data)


def list_missed(clip: str, times_s: Sequence[float]) -> list[tuple[int, int]]:
    """The visits in a sample clip in which none of these times lies."""
    rate, visits = VISITS.get(clip, (1.0, []))
    return [visit for visit in visits if not any(visit[0] / rate <= at <= visit[1] / rate for at in times_s)]


def repack(source: Path, path: Path) -> Path:
    """The packets of a video in another container: the same frames in other bytes."""
    av = pytest.importorskip("av", reason="needs PyAV: pip install av")
    with av.open(str(source)) as container, av.open(str(path), "w") as output:
        stream = container.streams.video[0]
        target: Any = output.add_stream_from_template(stream)
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = target
                output.mux(packet)
    return path
