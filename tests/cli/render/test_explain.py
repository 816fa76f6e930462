"""The captions of a picture, and the sentences beside it."""

import io
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from rich.console import Console

from indexer.cli.render import explain
from indexer.domain.images import Criterion
from indexer.imaging.side_by_side import Captions
from indexer.store.image_details import DecisionDetails, ImageDetails
from indexer.workflows.review.explain import PairDetails
from indexer.workflows.review.pair_picture import Illustration, PictureSource, ShownImage

T = TypeVar("T")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def made(kind: type[T], **known: Any) -> T:
    """The details of an image or a pair with these facts alone."""
    return kind(**({field.name: None for field in fields(kind)} | known))  # type: ignore[arg-type]


def image(image_id: int, *decisions: DecisionDetails) -> ImageDetails:
    """An image of which little is known."""
    return made(
        ImageDetails,
        id=image_id,
        path=f"/lot/{image_id}.jpg",
        camera="lot",
        size_bytes=1000,
        stands_for=0,
        twins=(),
        decisions=decisions,
        removals=(),
    )


SIMILAR = made(
    DecisionDetails,
    verdict="duplicate",
    reason="similar",
    keeper_id=9,
    score=812.0,
    max_score=1000.0,
    native=False,
    preferred_for=Criterion.PIXELS,
    profile="balanced",
    decided_by="compare",
)
ALONE = Illustration(
    details=image(8, SIMILAR),
    picture="why.png",
    left=ShownImage(8, "/lot/8.jpg", NOON, PictureSource.STORED),
    right=ShownImage(9, "/lot/9.jpg", None, PictureSource.FILE),
    score=812.0,
    distance=None,
    distances=(0.0, 0.0),
    max_score=1000.0,
    native=False,
    why_not=None,
    profile="balanced",
    by_decision=True,
)
PAIR = replace(
    ALONE,
    by_decision=False,
    details=made(PairDetails, image_a=image(8), image_b=image(9), recorded=(), max_score=1000.0),
)
DECIDED = "Drawn as the profile that decided, balanced, scores."
IN_FORCE = "Drawn as the profile in force, balanced, scores."
SOURCES = "Image 8 is the small picture that prune kept. Image 9 is shown from its file."


def test_a_picture_tells_which_is_which_and_why() -> None:
    """Each picture has number, time and name; below stand the reasons, what the outlines add up to, and the sources."""
    assert explain.captions(ALONE) == Captions(
        "image 8, 2026-03-01 12:00:00 UTC: 8.jpg",
        "image 9, at an unknown time: 9.jpg",
        below=(
            "Image 8 shows nothing that image 9 does not show: 812 of 307200 reference pixels differ enough to count "
            "(limit 1000).",
            "Image 9 was preferred because it has more pixels.",
            "similar: 812 of 307200 reference pixels differ enough to count (limit 1000).",
            DECIDED,
            SOURCES,
        ),
    )


def test_a_picture_of_a_pair_tells_what_the_pair_shows() -> None:
    """Without a decision to explain it is the score, from the limit on a difference; or why there is none."""
    native = replace(PAIR, score=1000.0, native=True)
    assert explain.captions(native).below == (
        "different: 1000 pixels differ enough to count (limit 1000).",
        IN_FORCE,
        SOURCES,
    )
    assert explain.captions(replace(PAIR, score=None, why_not="their shapes differ")).below == (
        "Nothing is outlined: their shapes differ.",
        IN_FORCE,
        SOURCES,
    )


def test_the_explanation_comes_with_the_picture() -> None:
    """The words are those of explain without a picture, and then where it is and what it was made from."""
    for drawn, told, by in ((ALONE, explain.render_image, DECIDED), (PAIR, explain.render_pair, IN_FORCE)):
        bare, full = (Console(file=io.StringIO(), width=400, markup=False, highlight=False) for _ in range(2))
        told(bare, drawn.details)  # type: ignore[operator]
        explain.render_pair_picture(full, drawn)
        assert full.file.getvalue() == bare.file.getvalue() + f"drawn: why.png\n  {by}\n  {SOURCES}\n"  # type: ignore[attr-defined]
