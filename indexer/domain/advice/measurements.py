"""What is measured of the frames of a camera: plain values that the rules of advice work on.

The measures are made in `indexer.imaging`: `condition`, `displacement` and `light_changes`. Any package may use the
values. The module does not know what is a fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median

GRID_ROWS, GRID_COLUMNS = 4, 6
"""The grid of cells that a frame is divided into; a cell's number is row * GRID_COLUMNS + column."""
GRID_CELLS = GRID_ROWS * GRID_COLUMNS

_MAX_MONO_CHROMA = 6.0
_MIN_CHROMA_RATIO = 2.5
_MAX_DARK_MEAN = 12.0
_MAX_DARK_HIGH = 40.0
_DAY_S, _AN_HOUR_S = 86_400, 3_600


class LightClass(StrEnum):
    """How a frame is lit. Frames are compared within a class only."""

    COLOUR = "colour"
    MONO = "mono"
    DARK = "dark"


@dataclass(frozen=True)
class Condition:
    """The measures of one frame.

    Attributes
    ----------
    brightness, high : float
        Mean and 95th percentile of the grey levels, 0 to 255.
    bright_share, dark_share : float
        Share of pixels of at least 251 levels and of at most 4, 0 to 1.
    chroma : float
        99th percentile of the distance from grey, in levels.
    main_share : float
        Largest share of the frame within 8 neighbouring grey levels, 0 to 1.
    detail, structure, bright : of GRID_CELLS float
        Per cell: variance of the fine detail and of the coarse structure, in squared levels, and share of pixels of at
        least 251 levels. Blur takes the detail and leaves the structure; other light changes both alike.
    """

    brightness: float
    high: float
    bright_share: float
    dark_share: float
    chroma: float
    main_share: float
    detail: tuple[float, ...]
    structure: tuple[float, ...]
    bright: tuple[float, ...]

    @property
    def light_class(self) -> LightClass:
        """Dark if nothing can be told apart; mono if it has no colour, as under infrared light; else colour."""
        if self.brightness < _MAX_DARK_MEAN and self.high < _MAX_DARK_HIGH:
            return LightClass.DARK
        return LightClass.MONO if self.chroma < _MAX_MONO_CHROMA else LightClass.COLOUR


def assign_light_classes(conditions: Sequence[Condition]) -> list[LightClass]:
    """The light class of each frame of a camera, in their order.

    A camera that always shows little colour is of one class: its frames are divided into colour and mono only if the
    colours of the two differ clearly.
    """
    classes = [condition.light_class for condition in conditions]
    chroma = {
        light_class: [one.chroma for one, assigned in zip(conditions, classes, strict=True) if assigned is light_class]
        for light_class in (LightClass.COLOUR, LightClass.MONO)
    }
    colour, mono = chroma[LightClass.COLOUR], chroma[LightClass.MONO]
    if not colour or not mono or median(colour) >= _MIN_CHROMA_RATIO * median(mono):
        return classes
    usual = LightClass.COLOUR if len(colour) >= len(mono) else LightClass.MONO
    return [assigned if assigned is LightClass.DARK else usual for assigned in classes]


@dataclass(frozen=True)
class Displacement:
    """How far a frame lies from the reference of its camera, in pixels of a frame 320 wide.

    `right`, `down`: its translation. `turn`, `zoom`: how far rotation and zoom move the corners.
    """

    right: float
    down: float
    turn: float = 0.0
    zoom: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """How a frame compares with the reference of its camera and class.

    `displacement`: None if too few blocks agree, which is the answer "cannot be told". `lost_share`: share of the cells
    with lasting edges in which these are gone, 0 to 1; None if no cell has such edges. `covered_share`: share of the
    frame under the largest connected area that shows another thing than the reference, 0 to 1. `likeness`: correlation
    of the coarse structure of each cell with the reference, -1 to 1; GRID_CELLS numbers. `things`: where another thing
    than in the reference is, a bit for each block of 8 x 8 pixels, row by row.
    """

    displacement: Displacement | None
    lost_share: float | None
    covered_share: float
    likeness: tuple[float, ...]
    things: int = 0


@dataclass(frozen=True)
class Change:
    """What changed between two neighbours in time, as shares of the frame, 0 to 1.

    `light`: the same texture in other light; `things`: another texture; `unclear`: flat areas, in which the two cannot
    be told apart.
    """

    light: float
    things: float
    unclear: float

    @property
    def total(self) -> float:
        """Share of the frame that changed."""
        return self.light + self.things + self.unclear


@dataclass(frozen=True)
class Rise:
    """How the light rose between two neighbours in time, all over the frame.

    Attributes
    ----------
    levels : float
        Median of what was added, in grey levels; below 0 if it became darker.
    offset : float
        What was added where the first frame is black, in grey levels. Sun and clouds multiply the levels and add
        nothing there.
    even_share : float
        Share of the frame that rose as the rest did, 0 to 1. Sun and shadow are not even, nor are things.
    """

    levels: float
    offset: float
    even_share: float


LEVEL = Rise(0.0, 0.0, 1.0)
"""No change of the light."""


@dataclass(frozen=True)
class MeasuredFrame:
    """A frame with its measures.

    `comparison`: None if its class has too few frames for a reference. `exif_at`: when it was taken by EXIF, if
    `captured_at` is from its name; None if EXIF has no time.
    """

    image_id: int
    captured_at: datetime
    condition: Condition
    comparison: Comparison | None = None
    exif_at: datetime | None = None


def is_of_other_day_at_that_hour(other: MeasuredFrame, frame: MeasuredFrame) -> bool:
    """Whether a frame was taken at about the same time of day as `frame`, on another day."""
    return is_same_hour_of_other_day(other.captured_at, frame.captured_at)


def is_same_hour_of_other_day(other: datetime, time: datetime) -> bool:
    """Whether a time is whole days apart from another one, give or take an hour. Times just before and after midnight
    are of one night."""
    apart_s = abs((time - other).total_seconds())
    days = round(apart_s / _DAY_S)
    return days > 0 and abs(apart_s - days * _DAY_S) <= _AN_HOUR_S


@dataclass(frozen=True)
class MeasuredPair:
    """Two neighbours in time and what changed between them."""

    earlier: MeasuredFrame
    later: MeasuredFrame
    change: Change
    rise: Rise = LEVEL


@dataclass(frozen=True)
class Capture:
    """A row of the index: an image that a camera took, present or removed.

    `from_name`: whether its time was read from its name, so that it can be compared with `mtime_s`, the seconds since
    1970 of the file's modification.
    """

    image_id: int
    captured_at: datetime
    content_hash: str
    mtime_s: float
    from_name: bool
