"""The numbers of cameras as a report shows them, and what a person may do next."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from indexer.domain.plurals import counted
from indexer.escaping import command_line
from indexer.store.cameras import CameraSummary
from indexer.store.profiles import StoredProfile
from indexer.web.view_models import CameraCard, Hour, NextStep
from indexer.workflows.report.pictures import LocalTimes


def camera_card(
    summary: CameraSummary,
    camera_id: int,
    stored: StoredProfile,
    captures: Iterable[tuple[datetime, bool]],
    *,
    local: LocalTimes,
) -> CameraCard:
    """The numbers of a camera, with times as they are shown; `captures`: when each image was taken, if it is kept."""
    taken, kept = Counter[int](), Counter[int]()
    for captured_at, is_kept in captures:
        shown = local.of(captured_at, camera=summary.camera)
        if shown is not None:
            taken[shown.hour] += 1
            kept[shown.hour] += is_kept
    return CameraCard(
        name=summary.camera,
        folder=f"cameras/{camera_id}",
        profile=stored.profile.name,
        images=summary.images,
        kept=summary.kept,
        duplicates=summary.duplicates,
        undecided=summary.undecided,
        unreadable=summary.unreadable,
        missing=summary.missing,
        removed=summary.removed,
        size_bytes=summary.size_bytes,
        first_captured_at=local.of(summary.first_captured_at, camera=summary.camera),
        last_captured_at=local.of(summary.last_captured_at, camera=summary.camera),
        hours=tuple(Hour(taken[hour], kept[hour]) for hour in range(24)),
    )


def total_card(cards: Sequence[CameraCard]) -> CameraCard:
    """The sums over cameras."""
    names = ("images", "kept", "duplicates", "undecided", "unreadable", "missing", "removed", "size_bytes")
    sums = {name: sum(getattr(card, name) for card in cards) for name in names}
    return CameraCard(name="", folder="", profile="", first_captured_at=None, last_captured_at=None, **sums)


def next_steps(total: CameraCard, *, borderline: int) -> tuple[NextStep, ...]:
    """What a person may do next, the most useful first: none if nothing is left to do."""
    steps = []
    if total.undecided:
        steps.append(
            NextStep(f"Decide the {counted(total.undecided, 'image')} without a decision:", command_line("compare"))
        )
    if borderline:
        steps.append(
            NextStep(f"Judge the {counted(borderline, 'decision')} closest to the limit:", command_line("review"))
        )
    if total.duplicates:
        steps.append(
            NextStep(
                f"See which of the {counted(total.duplicates, 'duplicate')} would be removed:",
                command_line("prune", "--dry-run"),
            )
        )
    return tuple(steps)
