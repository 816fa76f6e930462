"""Signatures of keepers stay in memory, and searched images take none of their space."""

import numpy as np
import pytest

from indexer.imaging.image_buffer import required_bytes, view
from indexer.workflows.compare import sieve
from indexer.workflows.compare.sieve import SignatureBuffer

SHAPE = (4, 64)
KEEPERS = {(number, "hash"): SHAPE for number in range(3)}


def filled(*, capacity: int) -> SignatureBuffer:
    """A buffer with space for so many signatures, after all keepers were offered, each of its own grey."""
    buffer = SignatureBuffer(capacity * required_bytes([SHAPE]))
    buffer.reserve(KEEPERS, preparation_id=1)
    for key in KEEPERS:
        assert buffer.add(key, np.full(SHAPE, key[0], dtype=np.uint8)) is (key[0] < capacity)
    return buffer


@pytest.mark.parametrize("capacity", [2, 3])
def test_a_full_buffer_goes_on_being_used(capacity: int) -> None:
    """With as many keepers as there is space for, or more, each searched image gets a slot, and nothing is freed."""
    buffer = filled(capacity=capacity)
    for grey in range(100, 105):
        buffer.reserve(KEEPERS, preparation_id=1)
        with buffer.spare(np.full(SHAPE, grey, dtype=np.uint8)) as slot:
            assert slot is not None
            assert (view(slot) == grey).all()
            assert [int(view(kept)[0, 0]) for kept in buffer.slots.values()] == list(range(capacity))


def test_it_begins_empty_again_only_for_keepers_that_do_not_fit() -> None:
    """Signatures of other images stay while there is space for those of all keepers."""
    buffer = filled(capacity=4)
    fewer = {key: KEEPERS[key] for key in list(KEEPERS)[:2]}
    buffer.reserve(fewer | {(8, "new"): SHAPE}, preparation_id=1)
    assert buffer.slots.keys() == KEEPERS.keys()
    buffer.reserve(fewer | {(8, "new"): SHAPE, (9, "new"): SHAPE}, preparation_id=1)
    assert buffer.slots == {}


def test_another_preparation_begins_empty() -> None:
    """The signature of an image in another preparation is another one."""
    buffer = filled(capacity=3)
    buffer.reserve(KEEPERS, preparation_id=2)
    assert buffer.slots == {}


def test_searched_images_of_many_shapes_have_bounded_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of one shape too many is searched without a signature; the others go on."""
    monkeypatch.setattr(sieve, "SPARE_BYTES", required_bytes([SHAPE, (2, 64)]))
    buffer = filled(capacity=3)
    for shape, has_slot in ((SHAPE, True), ((2, 64), True), ((8, 64), False), (SHAPE, True)):
        with buffer.spare(np.ones(shape, dtype=np.uint8)) as slot:
            assert (slot is not None) is has_slot
    assert [int(view(kept)[0, 0]) for kept in buffer.slots.values()] == [0, 1, 2]
