"""How often a camera takes images: too often, by what fewer would show, or too seldom."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.advice.findings import CameraFinding, CannotTell, Kind
from indexer.domain.advice.interval import examine_interval, examine_sparseness, longest_step
from indexer.domain.advice.measurements import MeasuredFrame
from tests.domain.advice.test_capture import BEGIN, captures, found
from tests.domain.advice.test_view import PLAIN, SAME


def test_too_often() -> None:
    """Nearly all are duplicates: fewer images would show the same scenes, and it is said how many."""
    images = captures(400)
    (dense,) = found(examine_interval(images, keepers={one.image_id: 1 + 200 * (one.image_id > 200) for one in images}))
    assert (dense.kind, dense.evidence["interval_s"], dense.evidence["longer_interval_s"]) == (
        Kind.INTERVAL,
        300,
        60000,
    )
    assert (dense.evidence["scenes"], dense.evidence["scenes_left"]) == (2, 2)
    kept = {one.image_id: one.image_id - one.image_id % 20 if one.image_id > 20 else one.image_id for one in images}
    assert list(examine_interval(images, keepers=kept)) == []


def test_few_decided_cannot_tell() -> None:
    """Of images that compare did not decide nothing is told."""
    (answer,) = examine_interval(captures(400), keepers=dict.fromkeys(range(1, 11), 1))
    assert isinstance(answer, CannotTell)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=300))
def test_step_leaves_nine_of_ten_scenes(scenes: list[int]) -> None:
    """Whichever image is the first, every so many-th one shows at least as many scenes as promised, and nine of ten."""
    step, left = longest_step(scenes)
    assert left >= 0.9 * len(set(scenes))
    assert min(len(set(scenes[begin::step])) for begin in range(step)) == left


def sparse(things: list[int], *, kept: int = 400) -> list[CameraFinding]:
    """What is found of 400 images, of which so many are kept, and of frames with these things."""
    images = captures(400)
    keepers = {one.image_id: one.image_id if one.image_id <= kept else 1 for one in images}
    frames = [
        MeasuredFrame(number + 1, BEGIN + number * timedelta(hours=1), PLAIN, replace(SAME, things=bits))
        for number, bits in enumerate(things)
    ]
    return found(examine_sparseness(list(pairwise(frames)), images, keepers=keepers))


def test_too_seldom() -> None:
    """Nearly all images are kept, and no two neighbours show the same thing: too seldom. Things that stay, things that
    are too small, and a camera with duplicates are not."""
    passing = [0b1111 << 4 * (number % 5) for number in range(20)]
    (finding,) = sparse(passing)
    assert (finding.kind, finding.evidence["kept_share"], finding.evidence["pairs"]) == (Kind.INTERVAL, 1, 19)
    for things, kept in ((([0b1111] * 20), 400), ([1 << number for number in range(20)], 400), (passing, 300)):
        assert sparse(things, kept=kept) == []
