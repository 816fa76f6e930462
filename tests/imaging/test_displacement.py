"""The displacement of a frame: found to the pixel, by the vote of many blocks."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.imaging.condition import grey_for_comparison
from indexer.imaging.displacement import Reference, compare_with_reference, make_reference
from indexer.imaging.light_changes import change_kinds, measure_change
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw
from tests.support.camera_days import behind_box, brighter, shifted

CAR = (Thing("passing", 300, 340, 160),)


@pytest.fixture(scope="module")
def reference() -> Reference:
    """The reference of a lot in light that changes."""
    frames = [draw(Scene("lot", seed=1), light=Light(0.8 + number / 40), seed=number) for number in range(10)]
    return make_reference([grey_for_comparison(frame) for frame in frames])


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame as it is compared."""
    return grey_for_comparison(picture)


@pytest.mark.parametrize(("right", "down"), [(0, 0), (2, 0), (-3, 2), (0, -7), (9, -8), (12, 0)])
def test_shift_is_found(reference: Reference, right: int, down: int) -> None:
    """A shift is found within half a pixel, in other light and with a car in the view."""
    picture = shifted(draw(Scene("lot", seed=1), things=CAR, light=Light(0.7), seed=99), right=right, down=down)
    place = compare_with_reference(grey(picture), reference).displacement
    assert place is not None
    assert (place.right, place.down) == (pytest.approx(right, abs=0.5), pytest.approx(down, abs=0.5))


def test_turn_and_zoom_are_found(reference: Reference) -> None:
    """A rotation of a degree moves the corners by 3.5 px, a zoom of 2 % by 4 px."""
    lot = draw(Scene("lot", seed=1), seed=99)
    turned = compare_with_reference(grey(shifted(lot, turn=1)), reference).displacement
    zoomed = compare_with_reference(grey(shifted(lot, zoom=1.02)), reference).displacement
    assert turned is not None
    assert zoomed is not None
    assert abs(turned.turn) == pytest.approx(3.5, abs=0.7)
    assert zoomed.zoom == pytest.approx(4.0, abs=0.8)


def test_other_view_has_no_displacement(reference: Reference) -> None:
    """Blocks of another view do not agree on a place."""
    other = draw(Scene("road", seed=4), seed=3)
    assert compare_with_reference(grey(other), reference).displacement is None


def test_a_car_covers_the_same_in_any_light() -> None:
    """A parked car covers no more under clouds or in the sun: what surrounds it only got darker or brighter."""
    gate, car = Scene("gate", seed=100), (Thing("car", 150, 408, 118, (50, 44, 190)),)
    reference = make_reference([grey(draw(gate, light=Light(0.8 + number / 50), seed=number)) for number in range(5)])
    frames = [grey(draw(gate, things=car, light=Light(level), seed=99)) for level in (0.6, 0.85, 1.1)]
    shares = [compare_with_reference(frame, reference).covered_share for frame in frames]
    assert all(0.02 < share < 0.06 for share in shares)


def test_covered(reference: Reference) -> None:
    """A box before the camera is covered area; other light and a passing car are not, or little."""
    lot = draw(Scene("lot", seed=1), seed=99)
    assert compare_with_reference(grey(behind_box(lot)), reference).covered_share > 0.12
    assert (
        compare_with_reference(grey(draw(Scene("lot", seed=1), light=Light(0.6), seed=9)), reference).covered_share
        < 0.02
    )


def test_shapes_must_agree(reference: Reference) -> None:
    """Frames of another shape are refused."""
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_with_reference(np.zeros((10, 320), np.uint8), reference)
    with pytest.raises(ValueError, match="one shape"):
        make_reference([])


def test_light_and_things() -> None:
    """More light is light, a car is a thing, and a flat area that changes cannot be told."""
    lot = draw(Scene("lot", seed=1), seed=1)
    darker = draw(Scene("lot", seed=1), light=Light(0.75), seed=2)
    light = measure_change(change_kinds(grey(lot), grey(darker)))
    car = measure_change(change_kinds(grey(lot), grey(draw(Scene("lot", seed=1), things=CAR, seed=3))))
    flat = measure_change(change_kinds(np.full((180, 320), 90, np.uint8), np.full((180, 320), 140, np.uint8)))
    assert light.things <= 0.05 * light.total
    assert car.things >= 0.7 * car.total > 0
    assert (flat.light, flat.things, flat.unclear) == (0, 0, 1)


@pytest.mark.parametrize("levels", [20, 40])
def test_ramp_of_light_is_light(levels: int) -> None:
    """Made-up light that rises over the whole frame is at least 95 % light, of what can be told."""
    lot = draw(Scene("road", seed=2), seed=1)
    change = measure_change(change_kinds(grey(lot), grey(brighter(lot, levels=levels))))
    assert change.light >= 0.95 * (change.light + change.things)


@pytest.mark.parametrize("camera", ["c01", "c03", "c05", "c07", "c09"])
def test_real_frames(shared_data: Path, camera: str) -> None:
    """Real cameras that stand still lie within half a pixel, and a made shift is found in every frame."""
    files = sorted((shared_data / "frames").glob(f"{camera}*"))
    pictures = [np.asarray(cv2.imread(str(path)), np.uint8) for path in files]
    reference = make_reference([grey(picture) for picture in pictures[:10]])
    for picture in pictures[::3]:
        still = compare_with_reference(grey(picture), reference).displacement
        moved = compare_with_reference(grey(shifted(picture, right=3, down=-2)), reference).displacement
        assert still is not None
        assert moved is not None
        assert np.hypot(still.right, still.down) < 0.5
        assert (moved.right, moved.down) == (pytest.approx(3, abs=1), pytest.approx(-2, abs=1))
