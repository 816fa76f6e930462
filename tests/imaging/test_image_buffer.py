"""A buffer returns the images that were put into it, to any process, and allocates its space when it is made."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.errors import EngineError
from indexer.execution import processes
from indexer.imaging import image_buffer
from indexer.imaging.image_buffer import FillTask, ImageBuffer, Slot, fill, release_pages, required_bytes, view
from indexer.imaging.thumbnails import encode

SHAPES = [(1, 1), (7, 64), (30, 65), (180, 320)]


def grey(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture of noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.fixture(params=[True, False], ids=["shared", "own"])
def buffer(request: pytest.FixtureRequest) -> Iterator[ImageBuffer]:
    """A buffer for two images of each shape."""
    with ImageBuffer(2 * required_bytes(SHAPES), shared=request.param) as made:
        yield made


def test_a_slot_gives_back_what_was_put_there(buffer: ImageBuffer) -> None:
    """Every array comes back as it was, whatever was put after it; beyond its width the rows are black."""
    images = [grey(*shape, seed) for seed, shape in enumerate(SHAPES)]
    slots = [buffer.put(image) for image in images]
    assert all(np.array_equal(view(slot), image) for slot, image in zip(slots, images, strict=True))
    rows = [image_buffer.buffer_view(slot)[slot.offset :][: slot.stride] for slot in slots]
    assert [int(row[slot.width :].sum()) for row, slot in zip(rows, slots, strict=True)] == [0, 0, 0, 0]


def test_a_slot_that_was_given_back_is_used_again(buffer: ImageBuffer) -> None:
    """A buffer needs the capacity for the images that it holds at once, not for all that it ever held."""
    first = buffer.put(grey(180, 320, 1))
    buffer.free(first)
    again = buffer.put(grey(180, 320, 2))
    assert (again, np.array_equal(view(again), grey(180, 320, 2))) == (first, True)


def test_thumbnails_are_filled_into_their_slots(buffer: ImageBuffer) -> None:
    """Good thumbnails are in their slots, and the index of each damaged one is returned."""
    slots = (buffer.reserve(30, 65), buffer.reserve(30, 65), buffer.reserve(1, 1))
    problems = fill(FillTask(slots, (encode(grey(30, 65)), b"spoiled", encode(grey(30, 65)))))
    assert [problem is None for problem in problems] == [True, False, False]
    assert np.array_equal(view(slots[0]), grey(30, 65))


def _sum(slot: Slot) -> int:
    return int(view(slot).sum())


def test_other_processes_see_the_buffer() -> None:
    """A worker reads what was put before and after it first looked, and a second buffer after the first."""
    with processes(1) as spread:
        for seed in (1, 2):
            with ImageBuffer(required_bytes(SHAPES), shared=True) as buffer:
                images = [grey(180, 320, seed), grey(30, 65, seed)]
                sums = [next(spread(_sum, [buffer.put(image)])) for image in images]
                assert sums == [int(image.sum()) for image in images]


def test_a_full_disk_is_reported_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the space cannot be had nothing is promised."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with ImageBuffer(100_000, shared=True) as buffer, pytest.raises(EngineError, match=r"No space left.*TMPDIR"):
        buffer.reserve(180, 320)


def test_a_buffer_that_is_not_used_takes_no_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs no picture needs no disk."""
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: pytest.fail("space was taken"))
    with ImageBuffer(100_000, shared=True):
        """Nothing is put there."""


def test_a_slot_of_a_buffer_that_is_gone_touches_no_other_file(tmp_path: Path) -> None:
    """A task that comes late finds another file under the buffer's descriptor, and leaves it as it is."""
    with ImageBuffer(100_000, shared=True) as buffer:
        slot = buffer.reserve(180, 320)
    victim = tmp_path / "victim"
    victim.write_bytes(bytes(range(256)) * 5000)
    before = victim.read_bytes()
    descriptor = int(str(slot.path).rsplit("/", 1)[1])
    os.dup2(os.open(victim, os.O_RDWR), descriptor)
    with os.fdopen(descriptor), pytest.raises(EngineError, match="are gone"):
        fill(FillTask((slot,), (encode(grey(180, 320)),)))
    assert victim.read_bytes() == before


def test_a_large_process_lets_go_of_its_pages() -> None:
    """Pages that were dropped come back with what lay there."""
    with ImageBuffer(required_bytes(SHAPES), shared=True) as buffer:
        slot = buffer.put(grey(180, 320))
        release_pages(above_bytes=0)
        assert np.array_equal(view(slot), grey(180, 320))


@settings(max_examples=50)
@given(shapes=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 200)), max_size=6))
def test_capacity_for_shapes_is_enough_and_no_more(shapes: list[tuple[int, int]]) -> None:
    """The required capacity is the size of the slots, to the byte."""
    with ImageBuffer(required_bytes(shapes), shared=False) as buffer:
        slots = [buffer.reserve(*shape) for shape in shapes]
    assert sum(slot.height * slot.stride for slot in slots) == required_bytes(shapes)
