"""The details of an image, or of a pair, as text for a person who asks why."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import filesize
from rich.console import Console

from indexer.cli.render import explanation
from indexer.cli.render.tables import format_local_time, format_utc, name_of_source, zone_name
from indexer.domain.evidence import Evidence
from indexer.domain.plurals import counted
from indexer.domain.similarity import is_similar
from indexer.escaping import command_line, printable
from indexer.store.image_details import DecisionDetails, ImageDetails
from indexer.store.removals import JournalEntry
from indexer.workflows.review.explain import PairDetails

if TYPE_CHECKING:  # these load the image libraries
    from indexer.imaging.side_by_side import Captions
    from indexer.workflows.review.pair_picture import Illustration, ShownImage

_REASONS = {
    "new": "it is kept: no kept image ranked above it is similar to it",
    "pinned": "it is kept: it is pinned",
    "similar": "it is a duplicate: a kept image ranked above it is similar to it",
    "identical": "it is a duplicate: its bytes equal those of a kept image ranked above it",
    "verdict": "it is a duplicate: a person said that it shows the same as a kept image",
}

_SOURCES = {
    "file": "shown from its file",
    "quarantine": "shown from its file in quarantine",
    "stored": "the small picture that prune kept",
    "thumbnail": "the grey thumbnail that was compared: there is nothing else left of it",
}


def render_image(console: Console, details: ImageDetails, *, local: bool = False) -> None:
    """Prints everything about one image."""
    console.print(f"image {details.id}: {printable(details.path)}")
    for sentence in explanation.explain_decision(details):
        console.print(f"  {sentence}")
    _render_facts(console, details, local=local)
    if details.decision is None:
        console.print("  not decided" + (f"; next: {command_line('compare')}" if details.state == "ready" else ""))
    else:
        _render_decision(console, details.decision)
    _render_earlier_decisions(console, details.decisions)
    if details.stands_for:
        console.print(f"  it stands for {counted(details.stands_for, 'other image')}")
    for twin in details.twins:
        console.print(f"  twin of {twin.image_id}: {printable(twin.path)}, {twin.state}, {twin.apart_s:g} s apart")
    for removal in details.removals:
        console.print(f"  {_describe_removal(removal)}")


def render_pair(console: Console, details: PairDetails, *, local: bool = False) -> None:
    """Prints both images, and the evidence of the pair."""
    render_image(console, details.image_a, local=local)
    render_image(console, details.image_b, local=local)
    console.print("the pair:")
    for twin in details.image_a.twins:
        if twin.image_id == details.image_b.id:
            console.print(f"  twins: taken {twin.apart_s:g} s apart, one named by the epoch, one by date and time")
    if details.judged is not None:
        verdict = details.judged
        note = "" if verdict.note is None else f": {printable(verdict.note)}"
        console.print(
            f"  {verdict.verdict}, says {printable(verdict.by)} since {format_utc(verdict.judged_at)}{note}; "
            "this outranks the score"
        )
    if details.why_not is not None:
        console.print(f"  not scored now: {details.why_not}")
    for known in details.recorded:
        console.print(f"  recorded, as the profile {known.profile} scores: {_describe_evidence(known.evidence)}")
    if details.computed is not None:
        outcome = "similar" if is_similar(details.computed.score, max_score=details.max_score) else "different"
        console.print(
            f"  {outcome} under the profile {details.profile} (limit {details.max_score:g}), "
            f"from the thumbnails now: {_describe_evidence(details.computed)}"
        )


def render_pair_picture(console: Console, picture: "Illustration", *, local: bool = False) -> None:
    """Prints the details, and where the picture of them is."""
    if isinstance(picture.details, PairDetails):
        render_pair(console, picture.details, local=local)
    else:
        render_image(console, picture.details, local=local)
    console.print(f"drawn: {printable(picture.picture)}")
    console.print(f"  {_profile(picture)}")
    console.print(
        f"  {_sources(picture)}" + ("" if picture.why_not is None else f" Nothing is outlined: {picture.why_not}.")
    )


def captions(picture: "Illustration") -> "Captions":
    """The text on a picture of two images."""
    from indexer.imaging.side_by_side import Captions

    details = picture.details
    lines = (
        [] if isinstance(details, PairDetails) else explanation.explain_decision(details, name=f"Image {details.id}")
    )
    if picture.score is None:
        lines.append(f"Nothing is outlined: {picture.why_not}.")
    else:
        verdict = "similar" if is_similar(picture.score, max_score=picture.max_score) else "different"
        lines.append(
            f"{verdict}: {explanation.describe_score(picture.score, limit=picture.max_score, native=picture.native)}."
        )
        features = explanation.describe_distance(
            picture.distance, None, max_distance=picture.distances[0], veto_distance=picture.distances[1]
        )
        lines += [f"{features[0].upper()}{features[1:]}."] if features else []
    below = (*lines, _profile(picture), _sources(picture))
    difference = Captions.difference if picture.distance is None else f"{Captions.difference}, green: features differ"
    return Captions(_title(picture.left), _title(picture.right), difference, below)


def _profile(picture: "Illustration") -> str:
    """Which profile's scoring the outlines and the score are of."""
    which = "the profile that decided" if picture.by_decision else "the profile in force"
    return f"Drawn as {which}, {picture.profile}, scores."


def _title(image: "ShownImage") -> str:
    time = "at an unknown time" if image.captured_at is None else format_utc(image.captured_at)
    return f"image {image.image_id}, {time}: {os.path.basename(image.path)}"


def _sources(picture: "Illustration") -> str:
    """What the two sides of the picture were made from."""
    left, right = (f"Image {shown.image_id} is {_SOURCES[shown.source]}." for shown in (picture.left, picture.right))
    return f"{left} {right}"


def _render_facts(console: Console, details: ImageDetails, *, local: bool) -> None:
    """Prints what the file is, where and when it was taken, and its state."""
    pixels = f"{details.width} x {details.height} pixels, " if details.width is not None else ""
    camera = f"camera {printable(details.camera)} (from {name_of_source(details.camera_source)})"
    console.print(f"  {camera}, {pixels}{filesize.decimal(details.size_bytes)}")
    zone = zone_name(details.timezone, local=local)
    origin = name_of_source(details.captured_at_source)
    source = f" {printable(zone)} (from {origin})" if details.captured_at is not None else ""
    captured = format_local_time(details.captured_at, timezone=details.timezone, local=local)
    console.print(f"  captured {captured}{source}")
    _render_video(console, details)
    console.print(f"  state {details.state}{f': {details.state_reason}' if details.state_reason else ''}")
    if details.held_back and details.state == "ready":
        console.print(
            f"  held back, as it came back after its removal; to keep it: {command_line('pin', str(details.id))}"
        )
    if details.pinned:
        by = (
            "by a person"
            if details.pinned_by_person
            else "as the witness of frames that were not stored"
            if details.spans
            else "as the keeper of removed images"
        )
        console.print(f"  pinned {by}")


def _render_video(console: Console, details: ImageDetails) -> None:
    """Prints which video an image was stored of, and for how many of its frames it stands."""
    if details.video is not None:
        video, gone = details.video, details.video.missing_reason
        offset = f"{video.offset_us / 1_000_000:.3f} s after its first frame"
        origin = name_of_source(video.started_at_source)
        start = "" if video.started_at_source is None else f", whose time is from {origin}"
        console.print(f"  from the video {printable(video.path)}{f' ({gone})' if gone else ''}, {offset}{start}")
    if details.source is not None:
        console.print(f"  recorded from {printable(details.source)}")
    if details.spans:
        console.print(
            f"  it stands for {counted(details.span_frames, 'frame')} that showed nothing new, in "
            f"{counted(details.spans, 'span')}"
        )


def _render_earlier_decisions(console: Console, decisions: Sequence[DecisionDetails]) -> None:
    """Prints the decisions that were superseded."""
    for decision in decisions:
        if decision.superseded_at is not None:
            keeper = "" if decision.keeper_id is None else f" of image {decision.keeper_id}"
            console.print(
                f"  earlier: {decision.verdict}{keeper} under the profile {decision.profile}, run {decision.run_id}, "
                f"until {format_utc(decision.superseded_at)}"
            )


def _render_decision(console: Console, decision: DecisionDetails) -> None:
    console.print(f"  {_REASONS[decision.reason]}")
    console.print(
        f"    decided {format_utc(decision.decided_at)}, by {printable(decision.decided_by)}, run {decision.run_id}, "
        f"profile {decision.profile}"
    )
    if decision.keeper_path is not None:
        score = "" if decision.score is None else f", score {decision.score:g} (limit {decision.max_score:g})"
        score += "" if decision.distance is None else f", features {decision.distance:.3g} apart"
        score += "" if decision.closeness is None else f", closeness {decision.closeness:.3g} (kept from 1 on)"
        console.print(
            f"    keeper {decision.keeper_id}: {printable(decision.keeper_path)}, {decision.keeper_state}{score}"
        )


def _describe_removal(removal: JournalEntry) -> str:
    """One sentence about a removal of the file."""
    location = printable(removal.quarantine_path or "")
    return (
        f"run {removal.run_id}: "
        + {
            "planned": "about to be taken away when the run was cut off",
            "quarantined": f"taken away {format_utc(removal.removed_at)}, to {location}",
            "deleted": f"deleted {format_utc(removal.removed_at)}",
            "restored": f"taken away and brought back{', held back' * removal.held_back}",
            "purged": f"taken away {format_utc(removal.removed_at)} and deleted for good",
            "failed": f"not taken away: {removal.problem}",
        }[removal.state]
    )


def _describe_evidence(evidence: Evidence) -> str:
    return (
        f"score {evidence.score:g}, {counted(evidence.contour_count, 'contour that counts', 'contours that count')}, "
        f"largest {evidence.largest_contour:g}, "
        f"{evidence.changed_fraction:.3%} of the pixels changed"
        + ("" if evidence.distance is None else f", features {evidence.distance:.3g} apart")
        + ("" if evidence.changed_area in (None, evidence.score) else f", changed area {evidence.changed_area:g}")
    )
