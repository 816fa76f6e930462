"""Signatures prove only pairs that score above the record limit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.evidence import ScoringParameters
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.imaging.matching import MatchTask, evidence_of_pair, load_kernel
from indexer.imaging.signatures import (
    can_prove,
    decode_signature,
    encode_signature,
    signature_of,
    signature_shape,
    unproved,
)

Planes = NDArray[np.uint8]


def proved(image: Planes, others: list[Planes], scoring: ScoringParameters) -> list[bool]:
    """Which of the others the signatures prove to be above the record limit."""
    signatures = [signature_of(frame, planes=scoring.planes) for frame in [image, *others]]
    with ImageBuffer(required_bytes([signature.shape for signature in signatures]), shared=False) as buffer:
        slot, *slots = [buffer.put(signature) for signature in signatures]
        task = MatchTask(slot, np.array([other.offset for other in slots], dtype=np.int64), scoring)
        search = load_kernel()
        assert search is not None
        return (~unproved(search, task, thumbnail_shape=(image.shape[0], image.shape[1]))).tolist()


rectangles = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 100), st.integers(1, 40), st.integers(1, 60), st.integers(-120, 120)),
    max_size=6,
)


def drawn(shape: tuple[int, int], rectangles: list[tuple[int, int, int, int, int]], noise: int) -> Planes:
    """A grey frame with rectangles, some of them hollow, and noise."""
    frame = np.full(shape, 120, dtype=np.int64)
    for top, left, height, width, change in rectangles:
        frame[top : top + height, left : left + width] += change
        if change % 3 == 0:
            frame[top + 4 : top + height - 4, left + 4 : left + width - 4] -= change
    frame += np.random.default_rng(noise).integers(-noise, noise + 1, shape)
    return np.clip(frame, 0, 255).astype(np.uint8)


@settings(deadline=None, max_examples=150)
@given(
    pairs=st.lists(st.tuples(rectangles, st.integers(0, 40)), min_size=2, max_size=6),
    size=st.tuples(st.integers(1, 40), st.integers(1, 130)),
    planes=st.sampled_from([1, 3]),
    dilations=st.integers(2, 4),
    threshold=st.integers(0, 60),
    min_contour_area=st.sampled_from([0.0, 100.0, 1000.0]),
    record_limit=st.sampled_from([0.0, 500.0, 4000.0]),
)
def test_what_is_proved_is_above_the_record_limit(
    pairs: list[tuple[list[tuple[int, int, int, int, int]], int]],
    size: tuple[int, int],
    planes: int,
    dilations: int,
    threshold: int,
    min_contour_area: float,
    record_limit: float,
) -> None:
    """Of any frames, of any size and in any number of planes, no pair is proved that must be compared."""
    scoring = ScoringParameters(
        threshold,
        dilations,
        min_contour_area,
        native=False,
        max_score=record_limit / 4,
        record_limit=record_limit,
        planes=planes,
    )
    image, *others = [drawn((planes * size[0], size[1]), shapes, noise) for shapes, noise in pairs]
    for other, is_proved in zip(others, proved(image, others, scoring), strict=True):
        if is_proved:
            assert evidence_of_pair(image, other, scoring=scoring).score > record_limit


def test_large_changes_are_proved() -> None:
    """A car in the picture is proved, and a leaf is not."""
    empty = drawn((180, 320), [], 2)
    car, leaf = drawn((180, 320), [(60, 80, 40, 60, 90)], 2), drawn((180, 320), [(60, 80, 6, 6, 90)], 2)
    scoring = ScoringParameters(30, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)
    assert proved(empty, [car, leaf, empty], scoring) == [True, False, False]


@pytest.mark.parametrize(("dilations", "native", "proves"), [(2, False, True), (1, False, False), (2, True, False)])
def test_what_can_be_proved(dilations: int, native: bool, proves: bool) -> None:
    """Without two dilations, a changed pixel does not spread over its block; at native size there is no thumbnail."""
    scoring = ScoringParameters(30, dilations, 1000.0, native=native, max_score=1000.0, record_limit=4000.0)
    assert can_prove(scoring) is proves


def test_a_stored_signature_is_read_back_or_refused() -> None:
    """The bytes give the same signature; changed, cut or of another size they give none."""
    frame = drawn((75, 100), [(10, 10, 20, 20, 90)], 30)
    shape = signature_shape((75, 100), planes=1)
    signature = signature_of(frame, planes=1)
    data = encode_signature(signature)
    assert signature.shape == shape == (25, 33)
    assert signature[0, 0] == frame[:3, :3].mean() // 1
    restored = decode_signature(data, shape)
    assert restored is not None
    assert np.array_equal(restored, signature)
    assert decode_signature(bytes([data[0] ^ 1]) + data[1:], shape) is None
    assert decode_signature(data[:-1], shape) is None
    assert decode_signature(b"", shape) is None
    assert decode_signature(data, (25, 32)) is None
