"""The facts of an image, and the order in which images stand for each other."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.images import Criterion, Image, find_ranking_criterion

NOON = datetime(2021, 3, 27, 12, tzinfo=UTC)

paths = st.binary(min_size=1, max_size=8).filter(lambda raw: b"\0" not in raw).map(os.fsdecode)


def image(path: str = "/lot/a.png", **more: object) -> Image:
    """An image like all others but for what is said of it."""
    plain: dict[str, object] = {"width": 640, "height": 480, "sharpness": 10.0, "content_hash": "50"}
    return Image(1, path, **({"captured_at": NOON} | plain | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (image("z", pinned=True, width=64, sharpness=1e-9, captured_at=None), image("a", content_hash="00")),
        (image("z", width=641, sharpness=1e-9, captured_at=None), image("a", content_hash="00")),
        (image("z", sharpness=16.0, captured_at=None), image("a", sharpness=15.9, content_hash="00")),
        (image("z", sharpness=1.0, captured_at=None), image("a", sharpness=0.9, content_hash="00")),
        (image("z", sharpness=16.0, system_folders=1), image("a", sharpness=15.9)),
        (image("z", captured_at=None), image("a", system_folders=1, content_hash="00")),
        (image("z", captured_at=NOON), image("a", captured_at=NOON + timedelta(microseconds=1), content_hash="00")),
        (image("z", captured_at=NOON), image("a", captured_at=None, content_hash="00")),
        (image("z", captured_at=datetime(1960, 1, 1, tzinfo=UTC)), image("a", captured_at=None, content_hash="00")),
        (image("z", content_hash="0f"), image("a", content_hash="10")),
        (image("a"), image("b")),
        (image("B"), image("a")),
        (image("\uff01"), image("\udcff")),
    ],
    ids=[
        "pin",
        "pixels",
        "step",
        "step-below-one",
        "step-before-folder",
        "folder",
        "time",
        "unknown-time",
        "before-1970",
        "hash",
        "path",
        "case",
        "path-bytes",
    ],
)
def test_rank_goes_criterion_by_criterion(above: Image, below: Image) -> None:
    """Pin, pixels, sharpness step, system folder, time (unknown last), hash, path bytes: each outranks all after it."""
    assert above.rank < below.rank


@pytest.mark.parametrize(
    ("above", "criterion"),
    [
        (image("z", pinned=True, width=64), Criterion.PINNED),
        (image("z", width=641, sharpness=1e-9), Criterion.PIXELS),
        (image("z", sharpness=16.0, captured_at=None), Criterion.SHARPNESS),
        (image("z", sharpness=10.1, captured_at=NOON - timedelta(hours=1)), Criterion.TIME),
        (image("z", content_hash="0f"), Criterion.CONTENT),
        (image("a"), Criterion.PATH),
    ],
)
def test_what_ranks_an_image_above_is_the_first_difference(above: Image, criterion: Criterion) -> None:
    """The first criterion in which two images differ is returned, and nothing for the image that ranks lower."""
    below = image("b")
    assert (find_ranking_criterion(above, below), find_ranking_criterion(below, above)) == (criterion, None)


def test_a_known_time_ranks_above_an_unknown_one() -> None:
    """It is the time that decides, also where one has none; nothing ranks an image above itself."""
    assert find_ranking_criterion(image("z"), image("a", captured_at=None)) is Criterion.TIME
    assert find_ranking_criterion(image("z", captured_at=None), image("a", system_folders=1)) is Criterion.FOLDER
    assert find_ranking_criterion(image(), image()) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (image(sharpness=8.0), image(sharpness=15.9)),
        (image(sharpness=0.25), image(sharpness=0.49)),
        (image(width=640, height=480), image(width=480, height=640)),
        (image(shape=(240, 320)), image(shape=None)),
    ],
    ids=["noise", "noise-below-one", "turned", "shape"],
)
def test_rank_does_not_see(one: Image, other: Image) -> None:
    """Noise within a sharpness step, the way a picture is turned and the shape of its thumbnail decide nothing."""
    assert one.rank == other.rank


@given(paths, paths)
def test_paths_rank_by_their_bytes(one: str, other: str) -> None:
    """Where nothing else differs the smaller path bytes come first, whatever bytes they are."""
    assert (image(one).rank < image(other).rank) == (os.fsencode(one) < os.fsencode(other))


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_times_are_whole_microseconds(one: datetime, other: datetime) -> None:
    """Distances between capture times are exact to the microsecond over all years, and unknown stays unknown."""
    here, there = image(captured_at=one).captured_us, image(captured_at=other).captured_us
    assert here is not None
    assert there is not None
    assert timedelta(microseconds=here - there) == one - other
    assert image(captured_at=None).captured_us is None
