"""What changed between two frames: how the light rose all over, and whether anything did at all."""

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.imaging.condition import grey_for_comparison
from indexer.imaging.light_changes import change_kinds, equal_share, measure_change, measure_rise
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw
from tests.support.camera_days import Location, brighter, covered

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
