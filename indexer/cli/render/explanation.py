"""Sentences on why an image was kept or flagged, from the facts in its details alone."""

from datetime import datetime

from indexer.domain.evidence import REFERENCE_PIXELS
from indexer.domain.images import Criterion
from indexer.domain.plurals import counted, describe_duration
from indexer.domain.similarity import is_similar
from indexer.escaping import printable
from indexer.store.image_details import DecisionDetails, ImageDetails

_PREFERRED = {
    Criterion.PINNED: "it is pinned",
    Criterion.PIXELS: "it has more pixels",
    Criterion.SHARPNESS: "it is clearly sharper",
    Criterion.FOLDER: "it lies in no hidden folder, bin or snapshot",
    Criterion.TIME: "it was taken earlier",
    Criterion.CONTENT: "one of the two had to be preferred, and they do not differ in anything that can be seen",
    Criterion.PATH: "one of the two had to be preferred, and they differ only in their paths",
}
_REFERENCE = f"of {REFERENCE_PIXELS} reference pixels"


def explain_decision(details: ImageDetails, *, name: str = "This image") -> list[str]:
    """Why the current decision is as it is; empty if nothing is decided. `name`: the image in a sentence."""
    decision = details.decision
    if decision is None:
        return []
    if decision.keeper_id is None:
        return _explain_kept(details, decision, name=name)
    return _explain_duplicate(details, decision, name=name)


def describe_score(score: float, *, limit: float, native: bool) -> str:
    """The meaning of a score: how much of the frame changed in a way that counts."""
    return f"{score:g} {'pixels' if native else _REFERENCE} differ enough to count (limit {limit:g})"


def describe_distance(
    distance: float | None, changed_area: float | None, *, max_distance: float, veto_distance: float
) -> str:
    """What the features say of a pair; empty if it has none."""
    if distance is None:
        return ""
    numbers = f"their features are {distance:.3g} apart"
    if distance < max_distance:
        area = "" if not changed_area else f", so the changed area of {changed_area:g} does not count"
        return f"{numbers} (alike below {max_distance:g}){area}"
    if distance < veto_distance:
        return f"{numbers} (from {max_distance:g} on the score decides, from {veto_distance:g} on they differ)"
    area = (
        "" if changed_area is None else f", so the whole frame counts, and not only the changed area {changed_area:g}"
    )
    return f"{numbers} (different from {veto_distance:g} on){area}"


def _explain_duplicate(details: ImageDetails, decision: DecisionDetails, *, name: str) -> list[str]:
    because = None if decision.preferred_for is None else _PREFERRED[decision.preferred_for]
    if decision.preferred_for is Criterion.TIME and details.captured_at is None:
        because = "its time is known"
    taken = _describe_time_apart(decision.keeper_captured_at, details.captured_at)
    return [
        _shows_the_same(decision, name=name, taken=taken),
        *([] if because is None else [f"Image {decision.keeper_id} was preferred because {because}."]),
    ]


def _shows_the_same(decision: DecisionDetails, *, name: str, taken: str) -> str:
    keeper = f"image {decision.keeper_id}{taken}"
    if decision.decided_by == "db adopt" and decision.score is None:
        return f"It was removed as a duplicate of {keeper}; this index did not compare the two."
    if decision.reason == "identical":
        return f"{name} has the same bytes as {keeper}."
    if decision.reason == "verdict":
        return f"{printable(decision.decided_by)} said that {_within(name)} shows the same as {keeper}."
    shown = [_score(decision.score, decision) + _largest(decision)]
    features = _features(decision.distance, decision.changed_area, decision)
    if features:  # where these decide they come first, and the area says nothing
        shown = [features] if (decision.distance or 0.0) < decision.max_distance else [*shown, features]
    return f"{name} shows nothing that {keeper}{',' * bool(taken)} does not show: {'; '.join(shown)}."


def _explain_kept(details: ImageDetails, decision: DecisionDetails, *, name: str) -> list[str]:
    pinned = decision.reason == "pinned"
    why = "because it is pinned" if pinned else "as no kept image ranked above it shows the same"
    sentences = [f"{name} was kept, {why}."]
    if details.stands_for:
        others = counted(details.stands_for, "other that shows", "others that show")
        sentences.append(f"It stands for {others} nothing more.")
    if details.neighbour is not None and details.neighbour.kept:
        near = details.neighbour
        taken = _describe_time_apart(near.captured_at, details.captured_at)
        sentences.append(
            f"The kept image most like it is image {near.image_id}{taken}: "
            f"{'; '.join(filter(None, [_score(near.score, decision), _features(near.distance, None, decision)]))}."
        )
        if is_similar(near.score, max_score=decision.max_score):  # no other rule keeps two similar images
            sentences.append("Both are kept because a person said that they differ, or because both are pinned.")
    return sentences


def _score(score: float | None, decision: DecisionDetails) -> str:
    return describe_score(score or 0.0, limit=decision.max_score, native=decision.native)


def _features(distance: float | None, changed_area: float | None, decision: DecisionDetails) -> str:
    return describe_distance(
        distance, changed_area, max_distance=decision.max_distance, veto_distance=decision.veto_distance
    )


def _largest(decision: DecisionDetails) -> str:
    """How near the largest change is to the area from which on it would count; empty if something counts."""
    if decision.score or decision.largest_contour is None:
        return ""
    return f"; {describe_largest(decision.largest_contour, min_contour_area=decision.min_contour_area)}"


def describe_largest(largest_contour: float, *, min_contour_area: float) -> str:
    """How near the largest change is to the area from which on it would count."""
    if not largest_contour:
        return "nothing changed at all"
    return f"the largest change covers {largest_contour:g} of the {min_contour_area:g} that would count"


def _within(name: str) -> str:
    """The image's name inside a sentence."""
    return name[0].lower() + name[1:]


def _describe_time_apart(keeper_at: datetime | None, image_at: datetime | None) -> str:
    """When the keeper was taken, as seen from this image; empty if a time is unknown."""
    if keeper_at is None or image_at is None:
        return ""
    apart_s = (keeper_at - image_at).total_seconds()
    if apart_s == 0:
        return ", taken at the same time"
    return f", taken {describe_duration(abs(apart_s))} {'later' if apart_s > 0 else 'earlier'}"
