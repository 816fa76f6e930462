"""Videos of every kind whose frames have their number burnt in, and how far a stored frame is from that number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support.videos import cut_by_edit_list, make_video, numbered_frame, read_number

RATE = 25
START = "20210616_120000"
"""When each video begins, as its name says."""
START_MS = 1_623_844_800_000
CONSTANT_MS = tuple(number * 1000 // RATE for number in range(100))
VARIABLE_MS = (*range(0, 1000, 40), *range(1000, 3000, 125), *range(6000, 8000, 33))
_OPEN_GROUPS = {"codec_options": {"x264-params": "open-gop=1:keyint=25:min-keyint=25:scenecut=0"}}
_FRAGMENTED = {"container_options": {"movflags": "frag_keyframe+empty_moov"}}
_FASTSTART = {"container_options": {"movflags": "faststart"}}
_LATE = {"container": "mpegts", "container_options": {"output_ts_offset": "7000"}}


@dataclass(frozen=True)
class Kind:
    """A kind of video.

    `how`: as `make_video` takes it. `times_ms`: when each of its frames is shown, the `hidden` first ones not at all.
    `turns`: quarter turns that a player makes. `least`: so many frames at a frame a second, or keyframes a second, are
    stored at least.
    """

    suffix: str
    how: Mapping[str, Any] = field(default_factory=dict)
    times_ms: Sequence[int] = CONSTANT_MS
    change: Callable[[Path], bytes] = Path.read_bytes
    hidden: int = 0
    turns: int = 0
    least: int = 4

    def frames_off(self, path: Path, offset_us: int) -> float:
        """How many frames a stored file is from the time of the number that is burnt into it."""
        grey = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
        number = read_number(np.rot90(grey, -self.turns))
        shown_ms = self.times_ms[number] - self.hidden * 1000 // RATE
        return abs(offset_us / 1000 - shown_ms) * RATE / 1000


def _tenths(count: int) -> Callable[[Path], bytes]:
    """So many tenths of a file."""
    return lambda path: path.read_bytes()[: path.stat().st_size * count // 10]


KINDS = {
    "constant": Kind("mp4"),
    "mpeg2": Kind("mpeg", {"codec": "mpeg2video", "container": "mpeg"}),
    "mpeg4": Kind("avi", {"codec": "mpeg4"}),
    "opengroups": Kind("mp4", _OPEN_GROUPS),
    "variable": Kind("mkv", {"times_ms": VARIABLE_MS}, VARIABLE_MS),
    "left": Kind("mp4", {"rotation": 90}, turns=1),
    "over": Kind("mp4", {"rotation": 180}, turns=2),
    "late": Kind("ts", _LATE),
    "fragmented": Kind("mp4", _FRAGMENTED),
    "hiding": Kind("mp4", change=lambda path: cut_by_edit_list(path, frames=12), hidden=12, least=3),
    **{
        f"cut{tenths}": Kind("mp4", _FASTSTART, change=_tenths(tenths), least=max(0, tenths * 4 // 10 - 1))
        for tenths in range(1, 10)
    },
    **{
        f"short{tenths}": Kind("ts", _LATE, change=_tenths(tenths), least=max(0, tenths * 4 // 10 - 1))
        for tenths in range(1, 10)
    },
}
"""Each with B-frames where its codec has them; by the name of its camera."""


def make_kinds(folder: Path, *, scratch: Path) -> None:
    """A video of each kind, in a folder that exists; `scratch`: for what they are made of."""
    made = dict[str, Path]()
    for name, kind in KINDS.items():
        key = f"{kind.suffix} {kind.how!r}"
        if key not in made:
            made[key] = make_video(
                scratch / f"{len(made)}.{kind.suffix}",
                pictures=_drawn(kind.times_ms),
                rate=RATE,
                keyframe_every=RATE,
                **kind.how,
            )
        (folder / f"{name}_{START}.{kind.suffix}").write_bytes(kind.change(made[key]))


def _drawn(times_ms: Sequence[int]) -> list[NDArray[np.uint8]]:
    """A numbered frame for each time, with a square that moves each second, so that each second shows something new."""
    pictures = []
    for number, time_ms in enumerate(times_ms):
        picture = numbered_frame(number)
        left = 8 + 40 * (time_ms // 1000 % 8)
        picture[160:216, left : left + 36] = 230
        pictures.append(picture)
    return pictures
