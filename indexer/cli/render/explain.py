"""How the story of an image, or of a pair, reads to a person who asks why."""

import os
from collections.abc import Sequence

from rich.console import Console

from indexer.cli.render import explanation
from indexer.cli.render.tables import format_size, format_time
from indexer.escaping import command_line, printable
from indexer.imaging.scoring import Evidence
from indexer.imaging.side_by_side import Captions
from indexer.store.image_details import DecisionDetails, ImageDetails
from indexer.store.removals import JournalEntry
from indexer.workflows.review.explain import PairDetails
from indexer.workflows.review.pair_picture import Illustration, PictureSource, ShownImage

_REASONS = {
    "new": "it is kept: no kept image ranked above it is similar to it",
    "pinned": "it is kept: it is pinned",
    "similar": "it is a duplicate: a kept image ranked above it is similar to it",
    "identical": "it is a duplicate: its bytes equal those of a kept image ranked above it",
    "verdict": "it is a duplicate: a person said that it shows the same as a kept image",
}

_SOURCES = {
    PictureSource.FILE: "shown from its file",
    PictureSource.QUARANTINE: "shown from its file in quarantine",
    PictureSource.STORED: "the small picture that prune kept",
    PictureSource.THUMBNAIL: "the grey thumbnail that was compared: there is nothing else left of it",
}


def render_image(console: Console, story: ImageDetails) -> None:
    """Everything about one image."""
    console.print(f"image {story.id}: {printable(story.path)}")
    for sentence in explanation.explain_decision(story):
        console.print(f"  {sentence}")
    _facts(console, story)
    if story.decision is None:
        console.print("  not decided" + (f"; next: {command_line('compare')}" if story.state == "ready" else ""))
    else:
        _decision(console, story.decision)
    _earlier(console, story.decisions)
    if story.stands_for:
        console.print(f"  it stands for {story.stands_for} other images")
    for twin in story.twins:
        console.print(f"  twin of {twin.image_id}: {printable(twin.path)}, {twin.state}, {twin.apart_s:g} s apart")
    for removal in story.removals:
        console.print(f"  {_what_happened(removal)}")


def render_pair(console: Console, story: PairDetails) -> None:
    """Both images, and what they show together."""
    render_image(console, story.image_a)
    render_image(console, story.image_b)
    console.print("the pair:")
    for twin in story.image_a.twins:
        if twin.image_id == story.image_b.id:
            console.print(f"  twins: taken {twin.apart_s:g} s apart, one named by the epoch, one by date and time")
    if story.judged is not None:
        told = story.judged
        note = "" if told.note is None else f": {printable(told.note)}"
        console.print(
            f"  {told.verdict}, says {printable(told.by)} since {format_time(told.judged_at)}{note}; "
            "this outranks the score"
        )
    if story.why_not is not None:
        console.print(f"  not scored now: {story.why_not}")
    for known in story.recorded:
        console.print(f"  recorded, as the profile {known.profile} scores: {_shown(known.evidence)}")
    if story.computed is not None:
        verdict = "similar" if story.computed.score < story.max_score else "different"
        console.print(
            f"  {verdict} under the profile {story.profile} (limit {story.max_score:g}), "
            f"from the thumbnails now: {_shown(story.computed)}"
        )


def render_pair_picture(console: Console, drawn: Illustration) -> None:
    """The story, and where the picture of it is."""
    if isinstance(drawn.story, PairDetails):
        render_pair(console, drawn.story)
    else:
        render_image(console, drawn.story)
    console.print(f"drawn: {printable(drawn.picture)}")
    console.print(f"  {_from(drawn)}" + ("" if drawn.why_not is None else f" Nothing is outlined: {drawn.why_not}."))


def captions(drawn: Illustration) -> Captions:
    """What is written on a picture of two images."""
    story = drawn.story
    told = [] if isinstance(story, PairDetails) else explanation.explain_decision(story, called=f"Image {story.id}")
    if drawn.score is None:
        told.append(f"Nothing is outlined: {drawn.why_not}.")
    else:
        verdict = "similar" if drawn.score < drawn.max_score else "different"
        told.append(
            f"{verdict}: {explanation.describe_score(drawn.score, limit=drawn.max_score, native=drawn.native)}."
        )
    return Captions(_title(drawn.left), _title(drawn.right), below=(*told, _from(drawn)))


def _title(shown: ShownImage) -> str:
    time = "at an unknown time" if shown.captured_at is None else f"{format_time(shown.captured_at)} UTC"
    return f"image {shown.image_id}, {time}: {os.path.basename(shown.path)}"


def _from(drawn: Illustration) -> str:
    """What the two pictures are made from."""
    left, right = (f"Image {shown.image_id} is {_SOURCES[shown.source]}." for shown in (drawn.left, drawn.right))
    return f"{left} {right}"


def _facts(console: Console, story: ImageDetails) -> None:
    """What the file is, where and when it was taken, and what became of it."""
    pixels = f"{story.width} x {story.height} pixels, " if story.width is not None else ""
    console.print(
        f"  camera {printable(story.camera)} (from its {story.camera_source}), {pixels}{format_size(story.size_bytes)}"
    )
    source = f" UTC (from its {story.captured_at_source})" if story.captured_at is not None else ""
    console.print(f"  captured {format_time(story.captured_at)}{source}")
    console.print(f"  state {story.state}{f': {story.state_reason}' if story.state_reason else ''}")
    if story.pinned:
        console.print(f"  pinned {'by a person' if story.pinned_by_person else 'as the keeper of removed images'}")


def _earlier(console: Console, decisions: Sequence[DecisionDetails]) -> None:
    """The decisions that do not hold any more."""
    for decision in decisions:
        if decision.superseded_at is not None:
            keeper = "" if decision.keeper_id is None else f" of image {decision.keeper_id}"
            console.print(
                f"  earlier: {decision.verdict}{keeper} under the profile {decision.profile}, run {decision.run_id}, "
                f"until {format_time(decision.superseded_at)}"
            )


def _decision(console: Console, decision: DecisionDetails) -> None:
    console.print(f"  {_REASONS[decision.reason]}")
    console.print(
        f"    decided {format_time(decision.decided_at)}, by {printable(decision.decided_by)}, run {decision.run_id}, "
        f"profile {decision.profile}"
    )
    if decision.keeper_path is not None:
        score = "" if decision.score is None else f", score {decision.score:g} (limit {decision.max_score:g})"
        console.print(
            f"    keeper {decision.keeper_id}: {printable(decision.keeper_path)}, {decision.keeper_state}{score}"
        )


def _what_happened(removal: JournalEntry) -> str:
    """One sentence on what was done to the file."""
    place = printable(removal.quarantine_path or "")
    return (
        f"run {removal.run_id}: "
        + {
            "planned": "about to be taken away when the run was cut off",
            "quarantined": f"taken away {format_time(removal.removed_at)}, to {place}",
            "deleted": f"deleted {format_time(removal.removed_at)}",
            "restored": "taken away and brought back",
            "purged": f"taken away {format_time(removal.removed_at)} and deleted for good",
            "failed": f"not taken away: {removal.problem}",
        }[removal.state]
    )


def _shown(evidence: Evidence) -> str:
    return (
        f"score {evidence.score:g}, {evidence.contour_count} contours that count, "
        f"largest {evidence.largest_contour:g}, "
        f"{evidence.changed_fraction:.3%} of the pixels changed"
    )
