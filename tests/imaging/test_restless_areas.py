"""Areas that change of themselves are found where they are, though people walk by: a clock, a tree, a flag."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from indexer.domain.profiles import DEFAULT
from indexer.imaging.concentration import RESTLESS, concentration
from indexer.imaging.condition import grey_for_comparison
from indexer.imaging.preprocessing import preprocess
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw
from indexer.workflows.profile_parameters import mask_parameters
from tests.support.camera_days import LOCATIONS, Picture

MASK = mask_parameters(DEFAULT.preparation)
Box = tuple[int, int, int, int]


def clock(picture: Picture, box: Box, number: int) -> None:
    """Writes a time into the picture that fills the box."""
    left, top, wide, high = box
    text = f"{number % 24:02d}:{number * 7 % 60:02d}:{number * 13 % 60:02d}"
    picture[top : top + high, left : left + wide] = 20
    cv2.putText(picture, text, (left, top + high - 6), cv2.FONT_HERSHEY_SIMPLEX, wide / 150, (255, 255, 255), 2)


def tree(picture: Picture, box: Box, number: int) -> None:
    """Draws leaves that the wind moves."""
    left, top, wide, high = box
    rng = np.random.default_rng(number)
    for x, y, size, shade in rng.uniform((0.1, 0.1, 8, 0.4), (0.9, 0.9, 18, 1.6), (60, 4)):
        place = int(left + x * wide), int(top + y * high)
        cv2.circle(picture, place, int(size), [int(level * shade) for level in (50, 90, 60)], -1)


def flag(picture: Picture, box: Box, number: int) -> None:
    """Draws stripes that wave."""
    left, top, wide, high = box
    phase = np.random.default_rng(number).uniform(0, 6.28)
    for column in range(wide):
        down = int(12 * np.sin(column / 14 + phase))
        colour = (30, 30, 200) if int(column / 20 + 3 * phase) % 2 else (230, 230, 230)
        picture[top + 12 + down : top + high - 12 + down, left + column] = colour


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("plant", "box"),
    [(clock, (440, 395, 150, 36)), (tree, (60, 200, 130, 110)), (flag, (420, 210, 130, 90))],
)
def test_restless_area_is_found(plant: Callable[[Picture, Box, int], None], box: Box, seed: int) -> None:
    """The area overlaps with what was planted by half or more, beside walkers in every seventh frame."""
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(25):
        walker = (Thing("walker", float(rng.uniform(60, 580)), 330, 90),) if rng.random() < 1 / 7 else ()
        light = Light(float(rng.uniform(0.8, 1)))
        picture = draw(Scene(LOCATIONS[seed], seed=seed), things=walker, light=light, seed=number)
        plant(picture, box, number)
        frames.append(preprocess(grey_for_comparison(picture), contrast=True, mask=MASK))
    found = concentration(list(pairwise(frames)), scoring=DEFAULT.scoring_parameters, mask=MASK, search=RESTLESS)
    assert found is not None
    planted, told = np.zeros((480, 640), bool), np.zeros((480, 640), bool)
    planted[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
    for left, top, wide, high in found.rectangles:
        told[round(4.8 * top) : round(4.8 * (top + high)), round(6.4 * left) : round(6.4 * (left + wide))] = True
    assert (planted & told).sum() >= 0.5 * (planted | told).sum()
