"""Videos made by PyAV: a scene with its frame number as 16 black and white blocks, which can be read back."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

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
