"""A network for tests of the profile `learned` that need none: the features of a cell are an angle, by its grey level.

Two cells whose mean grey differs by 60 levels have vectors one radian apart, so a distance of 1 - cos(1) = 0.46.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import FeatureRecipe
from indexer.domain.feature_layout import CHANNELS, GRID
from indexer.domain.masks import Mask
from indexer.imaging.features import quantized, without_ignored

LEVELS_PER_RADIAN = 60.0


def stub_features(image_bgr: NDArray[np.uint8], *, mask: Mask) -> NDArray[np.uint8]:
    """The features of a picture as `make_features` gives them: (28, 28, 80), uint8."""
    grey = cv2.resize(image_bgr, (GRID * 4, GRID * 4), interpolation=cv2.INTER_NEAREST).mean(axis=2)
    angles = grey.reshape(GRID, 4, GRID, 4).mean(axis=(1, 3)) / LEVELS_PER_RADIAN
    vectors = np.zeros((GRID, GRID, CHANNELS), dtype=np.float32)
    vectors[:, :, 0], vectors[:, :, 1] = np.cos(angles), np.sin(angles)
    return without_ignored(quantized(vectors), mask=mask)


@contextmanager
def stubbed_network() -> Iterator[None]:
    """While it is entered, this process makes features by `stub_features`, whether the extra is installed or not."""
    with ExitStack() as patches:
        for target, stub in {
            "indexer.imaging.file_description.make_features": stub_features,
            "indexer.imaging.file_description.prove": lambda recipe: None,
            "indexer.workflows.profile_parameters.own_recipe": lambda measure: FeatureRecipe(measure, "stub"),
            "indexer.workflows.required_features.require_network": lambda measure: None,
        }.items():
            patches.enter_context(mock.patch(target, stub))
        yield
