"""What changed between two frames: how the light rose all over, and whether anything did at all."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.imaging.condition import grey_for_comparison
from indexer.imaging.light_changes import change_kinds, equal_share, measure_change, measure_rise
from indexer.imaging.synthetic.scenes import Colour, Light, Scene, Thing, draw
from tests.support.camera_days import LOCATIONS, Location, brighter, covered

LOT = Scene("lot", seed=1)
CARS = (Thing("passing", 300, 340, 160), Thing("car", 150, 408, 118))


def grey(
    brightness: float = 0.8, *, things: tuple[Thing, ...] = (), levels: float = 0, seed: int = 1
) -> NDArray[np.uint8]:
    """A lot in this light, with so many levels added."""
    picture = draw(LOT, things=things, light=Light(brightness), seed=seed)
    return grey_for_comparison(brighter(picture, levels=levels))


def test_clouds_add_nothing_where_it_is_black() -> None:
    """Less light takes levels and has no offset; light that is added has both, with cars that come, too."""
    darker = measure_rise(grey(), grey(0.6, seed=2))
    added = measure_rise(grey(), grey(levels=10, things=CARS, seed=3))
    assert darker.levels < -15
    assert abs(darker.offset) < 1
    assert (added.levels, added.offset) == (pytest.approx(10, abs=0.5), pytest.approx(10, abs=0.7))
    assert min(darker.even_share, added.even_share) > 0.8


@pytest.mark.parametrize("location", ["lot", "gate", "road"])
def test_flat_parts_change_with_the_light(location: Location) -> None:
    """Where there is no texture, a change by as much as the rest of the frame changed is light."""
    scene = Scene(location, seed=11)
    frames = [grey_for_comparison(draw(scene, light=Light(level), seed=round(10 * level))) for level in (1, 0.7)]
    change = measure_change(change_kinds(*frames))
    assert change.total > 0.9
    assert change.light >= 0.95 * change.total


def test_patches_of_sun_are_light() -> None:
    """Sun on part of the view is light, on nine cameras, also where the view is flat; hardly any of it is a thing."""
    light, things, total = 0.0, 0.0, 0.0
    for seed in range(9):
        scene = Scene(LOCATIONS[seed % 3], seed=seed)
        lights = (Light(0.8, sun=(150 + 30 * seed, 220)), Light(0.8, sun=(480 - 30 * seed, 350)))
        frames = [grey_for_comparison(draw(scene, light=one, seed=number)) for number, one in enumerate(lights)]
        change = measure_change(change_kinds(*frames))
        light, things, total = light + change.light, things + change.things, total + change.total
    assert light >= 0.95 * total
    assert things <= 0.04 * total


def test_shadow_is_mostly_light() -> None:
    """A cast shadow keeps the texture inside; its edge, which is texture of its own, is at most a quarter."""
    outline = np.array([[60, 300], [330, 250], [560, 330], [420, 460]], np.int32)
    shadow = cv2.fillConvexPoly(np.zeros((480, 640), np.float32), outline, 0.45)
    shaded = draw(LOT, seed=2) * (1 - cv2.GaussianBlur(shadow, (0, 0), 3))[..., None]
    change = measure_change(change_kinds(grey(1, seed=1), grey_for_comparison(shaded.astype(np.uint8))))
    assert change.total > 0.1
    assert change.light >= 0.75 * change.total


@pytest.mark.parametrize("paint", [(30, 30, 35), (120, 125, 122), (235, 238, 240)])
def test_a_car_in_the_sun_is_a_thing(paint: Colour) -> None:
    """A car that came while a patch of sun did is a thing, nearly as much as without the sun, which makes dark paint
    more like the ground."""
    car = (Thing("car", 320, 400, 130, paint),)
    empty, parked = grey(seed=1), grey(things=car, seed=2)
    sunny = grey_for_comparison(draw(LOT, things=car, light=Light(0.8, sun=(330, 330)), seed=3))
    without_sun, with_sun = (measure_change(change_kinds(empty, frame)).things for frame in (parked, sunny))
    assert without_sun > 0.01
    assert with_sun >= 0.8 * without_sun


def test_a_sheet_is_no_light() -> None:
    """A grey sheet before the lens is no other light, though a line through its levels fits them all."""
    sheet = grey_for_comparison(covered(draw(LOT)))
    change = measure_change(change_kinds(grey(), sheet))
    assert change.light < 0.05


def test_another_view_is_not_even() -> None:
    """Where another view is, the light did not rise alike."""
    assert measure_rise(grey(), grey_for_comparison(draw(Scene("gate", seed=5), seed=2))).even_share < 0.5


def test_white_frames_have_no_rise() -> None:
    """Of clipped frames nothing is known."""
    white = np.full((240, 320), 255, np.uint8)
    assert measure_rise(white, white).levels == 0


def test_only_the_same_picture_has_the_same_noise() -> None:
    """A frame is equal to itself, also with a clock in it, and to no other frame; flat and clipped ones never are."""
    one, clock = grey(), grey()
    clock[220:235, 10:100] = 255
    assert equal_share(one, one) == 1
    assert 0.97 < equal_share(one, clock) < 1
    assert equal_share(one, grey(seed=2)) < 0.5
    bag = grey_for_comparison(covered(draw(LOT)))
    assert (equal_share(bag, bag), equal_share(one, one[:100])) == (0, 0)


def test_shapes_must_agree() -> None:
    """Frames of two shapes have no rise."""
    with pytest.raises(ValueError, match="cannot be compared"):
        measure_rise(grey(), grey()[:100])
