"""A small area that decides pairs: found where it is, and only told where it decides by the rule that scores pairs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.evidence import ScoringParameters
from indexer.domain.masks import Mask
from indexer.imaging.concentration import MAX_SHARE, MIN_DECIDED_SHARE, ImagePair, concentration
from indexer.imaging.masks import masked
from indexer.imaging.matching import evidence_of_pair

MEASURE = ScoringParameters(30, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)
NONE = Mask((0, 0, 0, 0))
HEIGHT, WIDTH = 90, 160

Box = tuple[int, int, int, int]
boxes = st.tuples(st.integers(0, 150), st.integers(0, 80), st.integers(2, 60), st.integers(2, 50))


def frame(*boxes: Box) -> NDArray[np.uint8]:
    """Grey with brighter boxes, each (left, top, wide, high) in pixels: (HEIGHT, WIDTH), uint8."""
    image = np.full((HEIGHT, WIDTH), 100, dtype=np.uint8)
    for left, top, wide, high in boxes:
        image[top : top + high, left : left + wide] = 200
    return image


def pairs(*changed: tuple[Box, ...]) -> list[ImagePair]:
    """An empty frame beside each of these."""
    return [(frame(), frame(*boxes)) for boxes in changed]


@given(st.lists(st.lists(boxes, max_size=3).map(tuple), max_size=6))
def test_reported_concentration_holds(changed: list[tuple[Box, ...]]) -> None:
    """Whatever changes: with the rectangles ignored as many pairs are similar as is reported, of those that differ."""
    found = concentration(pairs(*changed), scoring=MEASURE, mask=NONE)
    if found is None:
        return
    scores = [evidence_of_pair(*pair, scoring=MEASURE).score for pair in pairs(*changed)]
    wider = Mask(NONE.border, found.rectangles)
    painted = [[masked(image, mask=wider) for image in pair] for pair in pairs(*changed)]
    similar = [evidence_of_pair(*pair, scoring=MEASURE).score < 1000 for pair in painted]
    apart = [score >= 1000 for score in scores]
    assert found.pairs == sum(apart)
    assert found.decided == sum(one for one, differs in zip(similar, apart, strict=True) if differs)
    assert found.decided >= MIN_DECIDED_SHARE * found.pairs
    assert 0 < found.share <= MAX_SHARE
    for left, top, wide, high in found.rectangles:
        assert 0 <= left < left + wide <= 100.000001
        assert 0 <= top < top + high <= 100.000001


def test_two_areas_are_two_rectangles() -> None:
    """A date in one corner and a clock in the other are two small rectangles, and not one across the frame."""
    found = concentration(pairs(*[((8, 4, 16, 8), (130, 80, 16, 8))] * 5), scoring=MEASURE, mask=NONE)
    assert found is not None
    assert len(found.rectangles) == 2
    (first, second) = found.rectangles
    assert first[0] < 5 < first[0] + first[2] < 20
    assert second[0] < 82 < second[0] + second[2]
    assert found.share < 0.06


def test_seldom_changes_of_the_area_belong_to_it() -> None:
    """The hours of a clock, which change in one pair of five, are ignored with its seconds."""
    seconds, hours = (100, 70, 12, 10), (80, 70, 12, 10)
    found = concentration(pairs(*[(seconds,)] * 4, (seconds, hours)), scoring=MEASURE, mask=NONE)
    assert found is not None
    assert (len(found.rectangles), found.decided) == (1, 5)


@pytest.mark.parametrize(
    "changed",
    [[], [()], [((10, 10, 100, 60),)] * 5, [((8 + 30 * number, 30, 20, 20),) for number in range(5)]],
    ids=["no pair", "similar pairs", "a large area", "one place after the other"],
)
def test_no_area(changed: list[tuple[Box, ...]]) -> None:
    """Where nothing differs, or much of the frame, there is no area to tell."""
    assert concentration(pairs(*changed), scoring=MEASURE, mask=NONE) is None


@pytest.mark.parametrize("plane", [0, 1, 2])
def test_an_area_in_planes_is_the_area_of_the_frame(plane: int) -> None:
    """Prepared images of three planes, one of which changes, have the rectangles of that plane alone."""
    boxes = (((60, 30, 20, 12),),) * 5

    def stacked(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.vstack([image if number == plane else frame() for number in range(3)])

    in_planes = [(stacked(image), stacked(other)) for image, other in pairs(*boxes)]
    expected = concentration(pairs(*boxes), scoring=MEASURE, mask=NONE)
    assert expected is not None
    assert concentration(in_planes, scoring=replace(MEASURE, planes=3), mask=NONE) == expected
