"""The sentences that explain a decision."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from indexer.cli.render.explanation import explain_decision
from indexer.domain.images import Criterion
from indexer.store.image_details import DecisionDetails, ImageDetails, Neighbour

T = TypeVar("T")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def made(kind: type[T], **known: Any) -> T:
    """The details of an image or a pair with these facts alone."""
    return kind(**({field.name: None for field in fields(kind)} | known))  # type: ignore[arg-type]


def told(
    *, at: datetime | None = NOON, stands_for: int = 0, neighbour: Neighbour | None = None, **known: Any
) -> list[str]:
    """The explanation of an image with this decision."""
    plain = {"max_score": 1000.0, "native": False, "decided_by": "compare"}
    decision = made(DecisionDetails, **(plain | known))
    return explain_decision(
        made(ImageDetails, captured_at=at, decisions=(decision,), stands_for=stands_for, neighbour=neighbour)
    )


def duplicate(reason: str = "similar", *, later: timedelta | None = timedelta(minutes=10), **known: Any) -> list[str]:
    """The explanation of a duplicate of image 9."""
    there = None if later is None else NOON + later
    plain = {"keeper_id": 9, "score": 0.0, "preferred_for": Criterion.SHARPNESS, "keeper_captured_at": there}
    return told(reason=reason, **(plain | known))


def test_a_duplicate_shows_nothing_new() -> None:
    """The explanation names the keeper, the score, the limit, and why the keeper ranks higher."""
    assert duplicate(score=812.5) == [
        "This image shows nothing that image 9, taken 10 minutes later, does not show: 812.5 of 307200 reference "
        "pixels differ enough to count (limit 1000).",
        "Image 9 was preferred because it is clearly sharper.",
    ]


@pytest.mark.parametrize(
    ("largest", "words"),
    [
        (886.0, "the largest change covers 886 of the 1000 that would count"),
        (0.5, "the largest change covers 0.5 of the 1000 that would count"),
        (0.0, "nothing changed at all"),
    ],
)
def test_where_nothing_counts_the_largest_change_is_shown(largest: float, words: str) -> None:
    """A score of 0 says nothing of how close the decision was; how large the largest change is does."""
    assert duplicate(largest_contour=largest, min_contour_area=1000.0)[0].endswith(
        f": 0 of 307200 reference pixels differ enough to count (limit 1000); {words}."
    )


def test_a_native_score_is_in_pixels() -> None:
    """Of a profile that compares whole images the unit is another, and a keeper without a time has none."""
    assert duplicate(score=4.0, native=True, later=None)[0] == (
        "This image shows nothing that image 9 does not show: 4 pixels differ enough to count (limit 1000)."
    )


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("identical", "This image has the same bytes as image 9, taken 10 minutes later."),
        ("verdict", "Ada\\n said that this image shows the same as image 9, taken 10 minutes later."),
    ],
)
def test_other_reasons_for_a_duplicate(reason: str, sentence: str) -> None:
    """Equal bytes and a verdict are given as the reason; no file name breaks the text."""
    assert duplicate(reason, decided_by="Ada\n")[0] == sentence


@pytest.mark.parametrize(
    ("criterion", "at", "because"),
    [
        (Criterion.PINNED, NOON, "it is pinned"),
        (Criterion.PIXELS, NOON, "it has more pixels"),
        (Criterion.FOLDER, NOON, "it lies in no hidden folder, bin or snapshot"),
        (Criterion.TIME, NOON, "it was taken earlier"),
        (Criterion.TIME, None, "its time is known"),
        (
            Criterion.CONTENT,
            NOON,
            "one of the two had to be preferred, and they do not differ in anything that can be seen",
        ),
        (Criterion.PATH, NOON, "one of the two had to be preferred, and they differ only in their paths"),
    ],
)
def test_why_the_keeper_was_preferred(criterion: Criterion, at: datetime | None, because: str) -> None:
    """Each criterion of the ranks has words of its own."""
    assert duplicate(preferred_for=criterion, at=at)[1] == f"Image 9 was preferred because {because}."


def test_a_kept_image_tells_why_and_for_how_many() -> None:
    """Nothing above shows the same; how many it stands for; and what is most like it."""
    near = Neighbour(24, "/lot/24.jpg", NOON - timedelta(hours=4), kept=True, score=3294.0)
    assert told(reason="new", stands_for=7, neighbour=near) == [
        "This image was kept, as no kept image ranked above it shows the same.",
        "It stands for 7 others that show nothing more.",
        "The kept image most like it is image 24, taken 4 hours earlier: 3294 of 307200 reference pixels differ enough "
        "to count (limit 1000).",
    ]


def test_two_kept_images_that_are_similar() -> None:
    """Of two kept images below the limit the explanation names what can be the reason, as a pin or a verdict."""
    near = Neighbour(24, "/lot/24.jpg", NOON, kept=True, score=0.0)
    assert told(reason="new", neighbour=near)[-1] == (
        "Both are kept because a person said that they differ, or because both are pinned."
    )


def test_a_pinned_image_that_stands_for_one() -> None:
    """A pin is a reason; one other is one other; a duplicate of it is not called a kept image."""
    near = Neighbour(24, "/lot/24.jpg", NOON, kept=False, score=1.0)
    assert told(reason="pinned", stands_for=1, neighbour=near) == [
        "This image was kept, because it is pinned.",
        "It stands for 1 other that shows nothing more.",
    ]


def test_nothing_decided_shows_nothing() -> None:
    """An image without a current decision has no explanation."""
    earlier = made(DecisionDetails, superseded_at=NOON)
    assert explain_decision(made(ImageDetails, decisions=(earlier,))) == []


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (timedelta(0), "at the same time"),
        (timedelta(milliseconds=-400), "less than a second earlier"),
        (timedelta(seconds=1), "1 second later"),
        (timedelta(seconds=119), "119 seconds later"),
        (timedelta(seconds=-120), "2 minutes earlier"),
        (timedelta(hours=1, minutes=59), "119 minutes later"),
        (timedelta(hours=47), "47 hours later"),
        (timedelta(days=-400), "400 days earlier"),
    ],
)
def test_times_apart(later: timedelta, words: str) -> None:
    """The time between two captures is given in the largest unit of which there are at least two."""
    assert duplicate(later=later)[0].startswith(f"This image shows nothing that image 9, taken {words}, does not show")


def test_on_a_picture_the_image_has_its_number() -> None:
    """Where two images are shown, the sentence names the image by its number."""
    decision = made(DecisionDetails, reason="verdict", keeper_id=9, decided_by="Ada", preferred_for=Criterion.PIXELS)
    story = made(ImageDetails, decisions=(decision,))
    assert explain_decision(story, name="Image 8")[0] == "Ada said that image 8 shows the same as image 9."
