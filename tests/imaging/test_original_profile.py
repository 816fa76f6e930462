"""The profile `original`: the original script's numbers to the last digit."""

import csv
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.masks import Mask
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.original_profile import preprocess_native, same_size
from indexer.imaging.scoring import changed_area

MASK = Mask((5, 10, 5, 0))


def test_the_original_scores_are_met_exactly(shared_data: Path) -> None:
    """All 152 recorded pairs of the original's own functions have the same score, nine of different sizes."""

    @cache
    def image(name: str) -> np.ndarray:
        return preprocess_native((shared_data / "frames" / name).read_bytes(), mask=MASK)

    with (shared_data / "expected" / "original_scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ours = [
        changed_area(
            *same_size(image(row["file_a"]), image(row["file_b"])),
            threshold=45,
            dilations=2,
            min_contour_area=1000,
            unit=1.0,
        ).score
        for row in rows
    ]
    assert (len(rows), ours) == (152, [float(row["score"]) for row in rows])


def test_the_grey_is_made_of_the_colours_and_the_mask_is_black() -> None:
    """The picture is converted with OpenCV's weights at its own size and not blurred."""
    colours = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    expected = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)
    expected[:7], expected[:, :5], expected[:, 76:] = 0, 0, 0
    assert np.array_equal(preprocess_native(cv2.imencode(".png", colours)[1].tobytes(), mask=MASK), expected)


def test_a_bad_picture_is_refused() -> None:
    """Bytes that do not decode raise, they are not compared as black."""
    with pytest.raises(ImageRefusedError):
        preprocess_native(b"not an image", mask=MASK)


@given(st.lists(st.tuples(st.integers(8, 30), st.integers(8, 30)), min_size=2, max_size=2))
def test_the_smaller_image_is_left_alone(shapes: list[tuple[int, int]]) -> None:
    """Both come back in the size of the one with fewer pixels, which is untouched, in either order."""
    rng = np.random.default_rng(0)
    image_a, image_b = (rng.integers(0, 256, shape, np.uint8) for shape in shapes)
    forth, back = same_size(image_a, image_b), same_size(image_b, image_a)
    assert forth[0].shape == forth[1].shape == min(shapes, key=lambda shape: (shape[0] * shape[1], shape))
    assert np.array_equal(forth[0], back[1])
    assert np.array_equal(forth[1], back[0])
    assert forth[0] is image_a or forth[1] is image_b


def test_of_equally_many_pixels_the_flatter_shape_is_taken() -> None:
    """A 4 x 6 and a 6 x 4 image meet at 4 x 6, whichever comes first."""
    flat, tall = np.zeros((4, 6), np.uint8), np.zeros((6, 4), np.uint8)
    assert [image.shape for image in (*same_size(flat, tall), *same_size(tall, flat))] == [(4, 6)] * 4


def test_the_larger_image_is_resized_bicubically() -> None:
    """The interpolation is the original's, INTER_CUBIC."""
    large = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    resized = same_size(np.zeros((20, 30), np.uint8), large)[1]
    assert np.array_equal(resized, cv2.resize(large, (30, 20), interpolation=cv2.INTER_CUBIC))
