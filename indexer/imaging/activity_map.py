"""A map of where things came and went in front of a camera, drawn over one of its frames.

It does not know what the things were, nor which frames are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Preview
from indexer.domain.masks import Rectangle
from indexer.imaging.light_changes import change_kinds, things_in
from indexer.imaging.side_by_side import in_ascii

MAP_ROWS, MAP_COLUMNS = 36, 64
WHOLE_FRAME: Rectangle = (0, 0, 100, 100)
_MIN_CELL_SHARE = 0.2  # of the pixels of a cell that must show another thing
_MIN_PAIRS = 20
_WIDTH = 960
_LINE_PX = 26
_ORANGE_BGR, _BLUE_BGR = (0, 159, 230), (178, 114, 0)  # of the palette of Okabe and Ito (2008)
_TEXT, _BACKGROUND = (235, 235, 235), (24, 24, 24)


@dataclass(frozen=True)
class ActivityMap:
    """How often each part of the frame showed another thing: `counts`, (MAP_ROWS, MAP_COLUMNS), int, of `pairs`."""

    counts: NDArray[np.int64]
    pairs: int

    @property
    def never_share(self) -> float:
        """Share of the frame in which nothing ever came or went, 0 to 1."""
        return float((self.counts == 0).mean())

    def largest_share(self, region: Rectangle) -> float:
        """The share of the pairs in which the cell of a region that changes most often showed another thing, 0 to 1.

        `region`: (left, top, width, height), per cent. With fewer than 20 pairs, 0.
        """
        left, top, width, height = region
        rows = slice(floor(top * MAP_ROWS / 100), ceil((top + height) * MAP_ROWS / 100))
        columns = slice(floor(left * MAP_COLUMNS / 100), ceil((left + width) * MAP_COLUMNS / 100))
        cells = self.counts[rows, columns]
        return float(cells.max() / self.pairs) if self.pairs >= _MIN_PAIRS and cells.size else 0.0


def count_activity(pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> ActivityMap:
    """The map of some pairs of neighbours in time.

    Parameters
    ----------
    pairs : of two (H, W), uint8
        Grey frames; the two of a pair have one shape.

    Raises
    ------
    ValueError
        If the shapes of a pair differ.
    """
    counts = np.zeros((MAP_ROWS, MAP_COLUMNS), dtype=np.int64)
    for one, other in pairs:
        counts += active_cells(change_kinds(one, other))
    return ActivityMap(counts, len(pairs))


def active_cells(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The cells of the map in which another thing is: (MAP_ROWS, MAP_COLUMNS), bool.

    Parameters
    ----------
    kinds : (H, W), uint8
        As `indexer.imaging.light_changes.change_kinds` gives it.
    """
    things = things_in(kinds).astype(np.float32)
    cells = cv2.resize(things, (MAP_COLUMNS, MAP_ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(cells >= _MIN_CELL_SHARE, dtype=np.bool_)


def draw_activity(
    frame: Preview, activity: ActivityMap, *, regions: Sequence[Rectangle] = (), lines: Sequence[str] = ()
) -> bytes:
    """A PNG of the frame in grey: orange where things come and go, the more the more often; the regions are outlined.

    Parameters
    ----------
    frame : Preview
    activity : ActivityMap
    regions : of (left, top, width, height), per cent
    lines : of str
        Texts below the picture.

    Raises
    ------
    ValueError
        If the bytes of the frame cannot be decoded.
    """
    grey = cv2.imdecode(np.frombuffer(frame.data, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ValueError("these bytes are not a picture")
    height = max(round(grey.shape[0] * _WIDTH / grey.shape[1]), 1)
    grey = cv2.resize(grey, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    canvas = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    weight = _weight(activity, height=height, width=_WIDTH)[..., None]
    canvas = (1 - weight) * canvas + weight * np.array(_ORANGE_BGR, dtype=np.float32)
    picture = np.clip(canvas, 0, 255).astype(np.uint8)
    for left, top, wide, high in regions:
        begin = round(left * _WIDTH / 100), round(top * height / 100)
        end = round((left + wide) * _WIDTH / 100), round((top + high) * height / 100)
        cv2.rectangle(picture, begin, end, (0, 0, 0), 5)
        cv2.rectangle(picture, begin, end, _BLUE_BGR, 3)
    texts = [_text_line(line) for line in lines]
    return cv2.imencode(".png", np.vstack([picture, *texts]))[1].tobytes()


def activity_overlay(activity: ActivityMap, *, height: int, width: int) -> bytes:
    """An overlay for a frame, as PNG of this size: orange where things come and go, transparent elsewhere."""
    overlay = np.zeros((height, width, 4), dtype=np.uint8)
    overlay[..., :3] = _ORANGE_BGR
    overlay[..., 3] = np.rint(255 * _weight(activity, height=height, width=width))
    return cv2.imencode(".png", overlay)[1].tobytes()


def clear_share(overlay: bytes) -> float:
    """Share of an overlay that is transparent: where nothing ever came or went, 0 to 1.

    Parameters
    ----------
    overlay : bytes
        As `activity_overlay` gives it.

    Raises
    ------
    ValueError
        If the bytes are no such picture.
    """
    pixels = cv2.imdecode(np.frombuffer(overlay, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
        raise ValueError("these bytes are not an overlay")
    return float((pixels[..., 3] == 0).mean())


def _weight(activity: ActivityMap, *, height: int, width: int) -> NDArray[np.float32]:
    """How strong the colour of each pixel is, 0 to 0.7: (height, width), float32."""
    share = (activity.counts / max(activity.counts.max(), 1)).astype(np.float32)
    enlarged = cv2.resize(share, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(0.7 * np.sqrt(enlarged), dtype=np.float32)


def _text_line(line: str) -> NDArray[np.uint8]:
    strip = np.full((_LINE_PX, _WIDTH, 3), _BACKGROUND, dtype=np.uint8)
    cv2.putText(strip, in_ascii(line), (12, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _TEXT, 1, cv2.LINE_AA)
    return strip
