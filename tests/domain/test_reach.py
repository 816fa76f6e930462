"""What a duplicate is looked up by: no duplicate that a new keeper concerns is missed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.camera_images import NO_TIME, CameraImages
from indexer.domain.decisions import Decision, Reason
from indexer.domain.images import Image
from indexer.domain.keeper_index import INFINITE_DISTANCE
from indexer.domain.reach import (
    UNLIMITED_REACH,
    OpeningKeeper,
    Placement,
    concerned_times,
    placements,
    rank_classes,
    reach_classes,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
times = st.one_of(st.none(), st.integers(0, 40).map(lambda second: NOON + timedelta(seconds=second)))


@st.composite
def images(draw: st.DrawFn) -> list[Image]:
    """A few images that differ in all that ranks them."""
    return [
        Image(
            number + 1,
            f"/lot/{number}.png",
            draw(st.sampled_from([320, 640])),
            240,
            draw(st.sampled_from([0.7, 7.9, 8.0, 9.0])),
            draw(st.sampled_from("ab")),
            draw(times),
            pinned=draw(st.integers(0, 9)) == 0,
            system_folders=draw(st.sampled_from([0, 0, 1, 300, 301])),
        )
        for number in range(draw(st.integers(3, 8)))
    ]


def distance(image: Image, other: Image) -> timedelta:
    """How far apart two images are; without a time, farther than any."""
    known = image.captured_at is not None and other.captured_at is not None
    return abs(image.captured_at - other.captured_at) if known else timedelta.max  # type: ignore[operator]


def concerns(new: Image, duplicate: Image, keeper: Image) -> bool:
    """Whether the decision rule compares a duplicate with a new keeper, written from the rule."""
    apart = (distance(duplicate, new), new.rank), (distance(duplicate, keeper), keeper.rank)
    return new.rank < duplicate.rank and apart[0] < apart[1]


def is_listed(place: Placement, keepers: Sequence[OpeningKeeper]) -> bool:
    """Whether a duplicate of that place is among those that are listed for the keepers."""
    assert place.rank_class is not None
    assert place.reach_class is not None
    ranges = concerned_times(keepers, rank_class=place.rank_class, reach_class=place.reach_class)
    if ranges is None:
        return True
    return place.captured_us is not None and any(begin <= place.captured_us <= end for begin, end in ranges)


@given(images=images())
def test_all_that_is_concerned_is_listed(images: list[Image]) -> None:
    """Whatever the ranks and times, each duplicate that a new keeper concerns is listed for it, also among others."""
    columns = CameraImages.of(images)
    opening = [
        OpeningKeeper(None if image.pinned else rank_class, image.captured_us)
        for image, rank_class in zip(images, rank_classes(columns).tolist(), strict=True)
    ]
    for keeper in images:
        duplicates = [image for image in images if keeper.rank < image.rank and not image.pinned]
        decided = [Decision(image.id, Reason.SIMILAR, keeper.id, 0.0) for image in duplicates]
        places = placements(columns, decided, camera_id=3)
        for duplicate in duplicates:
            for new in images:
                if new not in (keeper, duplicate) and concerns(new, duplicate, keeper):
                    assert is_listed(places[duplicate.id], [opening[new.id - 1]])
                    assert is_listed(places[duplicate.id], opening)


def test_a_higher_class_is_a_higher_rank() -> None:
    """More pixels, then a higher sharpness step, then fewer system folders make a higher class."""
    ranked = [
        Image(1, "/1", 640, 480, 1.0, ""),
        Image(2, "/2", 320, 240, 8.0, "", system_folders=9),
        Image(3, "/3", 320, 240, 7.9, ""),
        Image(4, "/4", 320, 240, 7.0, "", system_folders=1),
        Image(5, "/5", 320, 240, 1e-9, ""),
    ]
    classes = rank_classes(CameraImages.of(ranked)).tolist()
    assert classes == sorted(classes, reverse=True)
    assert len(set(classes)) == len(classes)
    assert min(classes) > 0


def test_kept_images_have_no_reach() -> None:
    """Of a kept image only the camera is noted; of a duplicate its time, unless that is unknown."""
    columns = CameraImages.of([Image(1, "/1", 8, 8, 8.0, "", NOON), Image(2, "/2", 8, 8, 8.0, "")])
    decided = [Decision(1, Reason.NEW), Decision(2, Reason.IDENTICAL, 1, 0.0)]
    assert columns.times_us[1] == NO_TIME
    assert placements(columns, decided, camera_id=3) == {
        1: Placement(3),
        2: Placement(3, int(rank_classes(columns)[1]), UNLIMITED_REACH, None),
    }


def test_a_reach_is_the_number_of_bits() -> None:
    """A distance is less than two to the power of its class, and an infinite one has a class of its own."""
    distances = np.array([0, 1, 2, 3, 4, INFINITE_DISTANCE - 1, INFINITE_DISTANCE])
    assert reach_classes(distances).tolist() == [0, 1, 2, 2, 3, 63, UNLIMITED_REACH]
