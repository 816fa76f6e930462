"""How a frame compares with the reference of its camera: displaced, covered, or the same view.

Many blocks of the frame vote, so that a passing car, a shadow or a tree cannot decide. One phase correlation of the
whole frame gave displacements of up to 37 pixels for cameras that stood still. The module does not know which
displacement is a fault.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.measurements import Comparison, Displacement
from indexer.imaging.condition import coarse_structure, grid_cells
from indexer.imaging.light_changes import change_kinds, things_in
from indexer.imaging.preprocessing import resize_area

_BLOCKS = 5  # in a row and in a column; each is a third of the frame wide and high
_MIN_RESPONSE = 0.12
_MAX_SHIFT_PX = 16.0
_MIN_ANSWERS = 6
_MIN_AGREEING_SHARE = 0.6
_AGREEMENT_PX = 1.0
_WINDOW_PX = 33
_DIGITS = 3  # the last bits of a sum depend on where its numbers lie in memory
_MIN_EDGE = 4.0  # levels per pixel: weaker edges are noise
_LASTING_SHARE = 0.7  # of the frames of a reference in which an edge that lasts is there
_MIN_LASTING_PX = 12  # in a cell, else it says nothing
_GONE_SHARE = 0.3  # of the lasting edges of a cell: with fewer of them left, they are gone
_COVER_REDUCTION = 8
_COVER_WINDOW_PX = 7
_MIN_COVER_PX = 3  # thinner areas are edges of something that moved a little


@dataclass(frozen=True)
class Reference:
    """What a camera usually shows: `edges`, normalised, (H, W), float32; `lasting`, where there is always an edge,
    (H, W), bool; `grey`, the median of the frames, (H, W), uint8; `structure`, its coarse structure."""

    edges: NDArray[np.float32]
    lasting: NDArray[np.bool_]
    grey: NDArray[np.uint8]
    structure: NDArray[np.float32]


def make_reference(frames: Sequence[NDArray[np.uint8]]) -> Reference:
    """The reference of some frames of one camera in one light.

    Parameters
    ----------
    frames : of (H, W), uint8
        Of one shape; at least one.

    Raises
    ------
    ValueError
        If there is no frame, or if the shapes differ.
    """
    if len({frame.shape for frame in frames}) != 1:
        raise ValueError("a reference needs frames of one shape")
    edges = np.median([_normalised_edges(frame) for frame in frames], axis=0).astype(np.float32)
    lasting = np.mean([_edge_mask(frame) for frame in frames], axis=0) >= _LASTING_SHARE
    grey = np.median(frames, axis=0).astype(np.uint8)
    return Reference(edges, lasting, grey, coarse_structure(grey))


def compare_with_reference(frame: NDArray[np.uint8], reference: Reference) -> Comparison:
    """How a frame compares with the reference.

    Parameters
    ----------
    frame : (H, W), uint8
        Of the shape of the reference.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if frame.shape != reference.edges.shape:
        raise ValueError(f"a frame of {frame.shape} cannot be compared with a reference of {reference.edges.shape}")
    things = _things(reference.grey, frame)
    return Comparison(
        displacement=displacement(_normalised_edges(frame), reference.edges),
        lost_share=_lost_share(frame, reference.lasting),
        covered_share=_covered_share(things),
        likeness=_likeness(coarse_structure(frame), reference.structure),
        things=int.from_bytes(np.packbits(things).tobytes()),
    )


def displacement(edges: NDArray[np.float32], reference: NDArray[np.float32]) -> Displacement | None:
    """The displacement that most blocks of the frame agree on; None if there is no such majority.

    Parameters
    ----------
    edges, reference : (H, W), float32
        Normalised edges of one shape.

    Notes
    -----
    Phase correlation (Kuglin and Hines, 1975) of 25 overlapping blocks. A similarity transform is fitted to the answers
    by least squares, once to all and once to those that agree with the first fit.
    """
    height, width = edges.shape
    size = height // 3, width // 3
    window = cv2.createHanningWindow((size[1], size[0]), cv2.CV_32F)
    places, answers = [], []
    for row in range(_BLOCKS):
        for column in range(_BLOCKS):
            top, left = (height - size[0]) * row // (_BLOCKS - 1), (width - size[1]) * column // (_BLOCKS - 1)
            block = slice(top, top + size[0]), slice(left, left + size[1])
            shift, response = cv2.phaseCorrelate(reference[block], edges[block], window)
            if response > _MIN_RESPONSE and max(abs(shift[0]), abs(shift[1])) < _MAX_SHIFT_PX:
                places.append((left + (size[1] - width) / 2, top + (size[0] - height) / 2))
                answers.append(shift)
    if len(answers) < _MIN_ANSWERS:
        return None
    return _agreed(np.array(places), np.array(answers), radius=math.hypot(width, height) / 2)


def _agreed(places: NDArray[np.float64], answers: NDArray[np.float64], *, radius: float) -> Displacement | None:
    """The transform that at least `_MIN_AGREEING_SHARE` of the answers agree with; None if there is none.

    The first fit is the median translation; rotation and zoom are only fitted to answers that are near it.
    """
    median = np.median(answers, axis=0)
    near = np.hypot(*(answers - median).T) <= 4 * _AGREEMENT_PX
    if near.sum() < max(_MIN_ANSWERS, _MIN_AGREEING_SHARE * len(answers)):
        return None
    for _ in range(3):
        right, down, zoom, turn = _fit(places[near], answers[near])
        x, y = places.T
        expected = np.stack([right + zoom * x - turn * y, down + turn * x + zoom * y], axis=1)
        near = np.hypot(*(answers - expected).T) <= _AGREEMENT_PX
        if near.sum() < max(_MIN_ANSWERS, _MIN_AGREEING_SHARE * len(answers)):
            return None
    return Displacement(*(round(float(number), _DIGITS) for number in (right, down, turn * radius, zoom * radius)))


def _fit(places: NDArray[np.float64], answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """(right, down, zoom, turn) of the similarity transform with the least squares."""
    x, y = places.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([one, zero, x, -y], axis=1), np.stack([zero, one, y, x], axis=1)])
    solution = np.linalg.lstsq(rows, np.concatenate([answers[:, 0], answers[:, 1]]), rcond=None)[0]
    return np.asarray(solution, dtype=np.float64)


def _gradient(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The length of the gradient in levels per pixel."""
    blurred = cv2.GaussianBlur(frame, (3, 3), 0)
    across = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), dtype=np.float32)


def _normalised_edges(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The gradient divided by its mean over a window, so that light and contrast do not matter."""
    gradient = _gradient(frame)
    mean = cv2.boxFilter(gradient, cv2.CV_32F, (_WINDOW_PX, _WINDOW_PX))
    return np.asarray(np.minimum(gradient / (mean + 1), 8) - 1, dtype=np.float32)


def _edge_mask(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the gradient is well above its neighbourhood."""
    gradient = _gradient(frame)
    mean = cv2.boxFilter(gradient, cv2.CV_32F, (_WINDOW_PX, _WINDOW_PX))
    return np.asarray((gradient > 1.5 * mean) & (gradient > _MIN_EDGE), dtype=np.bool_)


def _lost_share(frame: NDArray[np.uint8], lasting: NDArray[np.bool_]) -> float | None:
    """The share of the cells with lasting edges in which these are gone; an edge may be a pixel or two off."""
    there = cv2.dilate(_edge_mask(frame).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    gone = [
        (seen & always).sum() < _GONE_SHARE * always.sum()
        for seen, always in zip(grid_cells(there), grid_cells(lasting), strict=True)
        if always.sum() >= _MIN_LASTING_PX
    ]
    return float(np.mean(gone)) if gone else None


def _things(reference: NDArray[np.uint8], frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where another thing is: (H // 8, W // 8), bool.

    Both are shrunk first, so that leaves in the wind and a camera that sways show nothing new.
    """
    height, width = max(frame.shape[0] // _COVER_REDUCTION, 1), max(frame.shape[1] // _COVER_REDUCTION, 1)
    small = [resize_area(image, size=(height, width)) for image in (reference, frame)]
    return things_in(change_kinds(small[0], small[1], window_px=_COVER_WINDOW_PX, local_light=False))


def _covered_share(things: NDArray[np.bool_]) -> float:
    """The share of the frame under the largest connected area of these."""
    solid = cv2.morphologyEx(things.astype(np.uint8), cv2.MORPH_OPEN, np.ones((_MIN_COVER_PX,) * 2, np.uint8))
    areas = cv2.connectedComponentsWithStats(solid)[2][1:, cv2.CC_STAT_AREA]
    return float(areas.max() / solid.size) if len(areas) else 0.0


def _likeness(structure: NDArray[np.float32], reference: NDArray[np.float32]) -> tuple[float, ...]:
    """The correlation of each cell with the same cell of the reference; 0 where one of them is flat."""
    return tuple(map(_correlation, grid_cells(structure), grid_cells(reference)))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return round(float((one * other).sum()) / length, _DIGITS) if length > 0 else 0.0
