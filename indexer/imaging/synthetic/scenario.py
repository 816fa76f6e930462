"""A scenario for the demo and the tests: one day of three cameras in about seventy files, with the truth.

`Frame.new` is the truth by construction: a frame is new if no earlier frame of its camera has the same objects under
the same kind of light. tests/imaging/synthetic/test_scenario.py checks that the scores agree with it. The truth does
not say which of several similar frames is the best: the first with the red car is out of focus. The module gives bytes
and seconds. It does not name or write files, and it decides nothing.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from indexer.imaging.synthetic.scenes import DAYLIGHT, Light, Scene, Thing, draw, encode, truncated


@dataclass(frozen=True)
class Frame:
    """One file that a camera wrote.

    Attributes
    ----------
    camera : 'lot', 'gate' or 'road'
    seconds : float
        Since the start of the scenario. An integer where `stamp` is 'text', because that form has no fractions.
    data : bytes
        The file; its type is `suffix`.
    suffix : '.jpg' or '.png'
    what : str
        What a person sees in it.
    new : bool
        Whether it shows something that no earlier frame of its camera shows. False for a copy and for a broken file.
    stamp : 'epoch' or 'text'
        Which of the two forms of name the file gets.
    """

    camera: str
    seconds: float
    data: bytes
    suffix: Literal[".jpg", ".png"]
    what: str
    new: bool
    stamp: Literal["epoch", "text"]


@dataclass(frozen=True)
class _Moment:
    """What one camera sees for a while: one frame per light. The frames differ in light and noise only."""

    what: str
    things: tuple[Thing, ...] = ()
    lights: tuple[Light, ...] = (DAYLIGHT,)
    blur_px: float = 0.0
    fate: Literal["whole", "copied", "broken"] = "whole"


@dataclass(frozen=True)
class _Shift:
    """The moments of one camera, with the time of the first, the interval, and the form of the file names."""

    camera: Literal["lot", "gate", "road"]
    start_s: float
    interval_s: float
    suffix: Literal[".jpg", ".png"]
    stamp: Literal["epoch", "text"]
    moments: tuple[_Moment, ...]


def _day(*brightness: float) -> tuple[Light, ...]:
    """Daylight whose brightness changes with the clouds."""
    return tuple(Light(brightness) for brightness in brightness)


def _dusk(*brightness: float) -> tuple[Light, ...]:
    """The light after sunset, with these levels of brightness."""
    return tuple(Light(brightness, "dusk") for brightness in brightness)


def _night(count: int) -> tuple[Light, ...]:
    """`count` frames lit by the infrared lamp."""
    return (Light(1.0, "infrared"),) * count


def _sun(*centres: tuple[float, float]) -> tuple[Light, ...]:
    """Daylight with a moving patch of sun."""
    return tuple(Light(sun=centre) for centre in centres)


_WHITE_CAR = Thing("car", 314, 262, 62)
_BLUE_CAR = Thing("car", 314, 262, 62, (160, 90, 40))
_RED_CAR = Thing("car", 140, 408, 118, (50, 44, 190))
_YELLOW_CAR = Thing("passing", 350, 322, 170, (60, 180, 225))


def _visitor(x: float) -> Thing:
    """A person in orange on the lane of the lot."""
    return Thing("walker", x, 340, 92, (60, 140, 220))


_LOT = (
    _Moment("the lot in the morning: three cars that stay", lights=_day(0.97, 0.9, 1.03, 0.94)),
    _Moment("a white car parks in the back row", (_WHITE_CAR,), _day(0.96, 1.04, 1.0)),
    _Moment("a red car parks in front, the lens is out of focus", (_WHITE_CAR, _RED_CAR), _day(1.02), blur_px=1.6),
    _Moment("the same, clear again", (_WHITE_CAR, _RED_CAR), _day(1.0, 1.06, 0.98)),
    _Moment("a walker crosses the lot", (_WHITE_CAR, _RED_CAR, _visitor(400)), _day(1.0)),
    _Moment("the walker has come to the red car", (_WHITE_CAR, _RED_CAR, _visitor(236)), _day(1.03, 1.0)),
    _Moment("the same cars, nobody there", (_WHITE_CAR, _RED_CAR), _day(0.9, 1.05)),
    _Moment("an exact copy of the frame before", fate="copied"),
    _Moment("the red car has left, the white one stays", (_WHITE_CAR,), _day(1.0, 0.94)),
    _Moment("a yellow car drives through", (_WHITE_CAR, _YELLOW_CAR), _day(1.0)),
    _Moment("the white car has left too: the lot as in the morning", (), _day(1.08, 1.0)),
    _Moment("a file that broke off half way", fate="broken"),
    _Moment("a blue car parks where the white one stood", (_BLUE_CAR,), _day(1.0, 0.9)),
    _Moment("the lot in the afternoon, as in the morning", (), _day(0.92, 0.86)),
)
_ROAD = (
    _Moment("an empty road, patches of sun", lights=_sun((120, 330), (260, 310), (420, 350), (560, 320))),
    _Moment("a red car", (Thing("passing", 240, 318, 150, (50, 44, 190)),), _sun((560, 300))),
    _Moment("an empty road, cloudy", lights=_day(0.88, 0.92)),
    _Moment("a white car", (Thing("passing", 430, 352, 170),), _sun((100, 330))),
    _Moment("an empty road, sun again", lights=_sun((200, 340), (330, 300), (480, 330))),
    _Moment(
        "a blue car, and a green one behind",
        (
            Thing("passing", 470, 352, 170, (160, 90, 40)),
            Thing("passing", 190, 352, 170, (80, 130, 70)),
        ),
        _day(1.0),
    ),
    _Moment("an empty road", lights=_sun((300, 420), (460, 400))),
    _Moment(
        "somebody waits on the pavement", (Thing("walker", 500, 376, 104, (70, 60, 180)),), _sun((180, 330), (300, 330))
    ),
    _Moment("an empty road", lights=_day(1.0, 1.05)),
    _Moment("a yellow car", (Thing("passing", 330, 316, 150, (60, 180, 225)),), _day(0.96)),
    _Moment("an empty road in the evening", lights=_day(0.8, 0.76)),
)
_GUARD = Thing("walker", 330, 330, 124, (60, 60, 200))
_GATE_DUSK = (
    _Moment("the gate at dusk", lights=_dusk(1.2, 1.12, 1.04)),
    _Moment("a guard in red comes out", (_GUARD,), _dusk(1.0, 0.96)),
    _Moment("the gate at dusk, darker", lights=_dusk(0.9, 0.84, 0.78)),
)
_GATE_NIGHT = (
    _Moment("night: the camera has switched to infrared", lights=_night(4)),
    _Moment("somebody in the dark, hard to see", (Thing("walker", 296, 320, 104, (150, 146, 140)),), _night(1)),
    _Moment("they come closer", (Thing("walker", 356, 356, 132, (150, 146, 140)),), _night(2)),
    _Moment("infrared night, nobody", lights=_night(5)),
)
_SHIFTS = (
    _Shift("lot", 0.0, 600.0, ".jpg", "text", _LOT),
    _Shift("road", 7200.35, 240.5, ".png", "epoch", _ROAD),
    _Shift("gate", 39600.0, 300.0, ".jpg", "text", _GATE_DUSK),
    _Shift("gate", 43200.8, 300.0, ".jpg", "epoch", _GATE_NIGHT),
)


def iter_frames(seed: int = 0) -> Iterator[Frame]:
    """Every frame of the day, one shift of a camera after the other, each in order of time; equal for equal seeds.

    Parameters
    ----------
    seed : int, at least 0
        Seed of the trees, the textures, the cars that stay and the noise. The events are always the same.
    """
    shown_before: set[tuple[str, tuple[Thing, ...], str]] = set()
    noise_seeds = itertools.count(1000 * seed)
    data = b""
    for shift in _SHIFTS:
        shots = [(moment, light) for moment in shift.moments for light in moment.lights]
        for number, (moment, light) in enumerate(shots):
            if moment.fate != "copied":
                data = _file_bytes(
                    Scene(shift.camera, seed), moment, light=light, suffix=shift.suffix, seed=next(noise_seeds)
                )
            shown = (shift.camera, moment.things, light.tint)
            yield Frame(
                camera=shift.camera,
                seconds=shift.start_s + number * shift.interval_s,
                data=data,
                suffix=shift.suffix,
                what=moment.what,
                new=moment.fate == "whole" and shown not in shown_before,
                stamp=shift.stamp,
            )
            if moment.fate == "whole":
                shown_before.add(shown)


def _file_bytes(scene: Scene, moment: _Moment, *, light: Light, suffix: Literal[".jpg", ".png"], seed: int) -> bytes:
    """The file of one moment under one light, cut in half if `moment.fate` is 'broken'."""
    image = draw(scene, things=moment.things, light=light, blur_px=moment.blur_px, seed=seed)
    data = encode(image, format="jpg" if suffix == ".jpg" else "png")
    return truncated(data, share=0.5) if moment.fate == "broken" else data
