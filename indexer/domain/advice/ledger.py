"""What becomes of the findings that are stored when a camera is examined again.

A finding that is seen again is continued, not repeated. One that is not seen any more is closed, unless the examination
could not tell, or did not reach back to it. A dismissed finding stays dismissed until it is twice as strong; what
comes with the place of the camera, such as the sun at an hour, stays so also if it is gone for a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from indexer.domain.advice.findings import CameraFinding, Examination, Kind, regions_meet

_RETURN_FACTOR = 2.0
"""How much stronger than when it was dismissed a finding must be to be told again."""

_RECURRING = frozenset(
    {Kind.SWAYS, Kind.GLARE, Kind.TOO_DARK, Kind.FLICKER, Kind.LIGHT_ONLY, Kind.RESTLESS_AREA, Kind.INTERVAL}
)
"""What comes with the place and the settings of a camera: it goes and returns, and is the same then."""

_SAME_MOVE = timedelta(days=1)
"""Two moves that are found this near each other are one: another sample dates it a little differently."""


@dataclass(frozen=True)
class StoredFinding:
    """A finding of the index, its number, when it was first told, and its dismissal if a person dismissed it."""

    id: int
    camera: str
    finding: CameraFinding
    opened_at: datetime
    run_id: int
    dismissed_at: datetime | None = None
    dismissed_by: str | None = None
    note: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lasts, and nobody dismissed it."""
        return self.finding.until is None and self.dismissed_at is None


@dataclass(frozen=True)
class LedgerChanges:
    """New findings, and stored ones with what is to be written in their place, by number."""

    added: tuple[CameraFinding, ...]
    continued: dict[int, CameraFinding]


def update_ledger(
    stored: Sequence[StoredFinding], examination: Examination, *, reaches_back_to: datetime, at: datetime
) -> LedgerChanges:
    """What is to be written after an examination.

    Parameters
    ----------
    stored : of StoredFinding
        All findings of the camera.
    examination : Examination
    reaches_back_to : datetime
        From when on a move would be found: earlier frames are what the others are compared with.
    at : datetime
        The last frame that was looked at: a finding that is not seen any more was over by then.
    """
    added: list[CameraFinding] = []
    continued: dict[int, CameraFinding] = {}
    for finding in examination.findings:
        match = _best_match([one for one in stored if one.id not in continued], finding)
        if match is None or _returns(match, finding):
            added.append(finding)
            if match is not None:
                continued[match.id] = replace(
                    match.finding, until=match.finding.until or max(finding.since, match.finding.since)
                )
        else:
            continued[match.id] = _continue(match, finding)
    for one in stored:
        if one.id not in continued and one.finding.until is None:
            successor = next((finding for finding in added if _replaces(finding, one.finding)), None)
            if successor is not None:
                continued[one.id] = replace(one.finding, until=max(successor.since, one.finding.since))
            elif _was_looked_for(one.finding, examination, reaches_back_to=reaches_back_to):
                continued[one.id] = replace(one.finding, until=max(at, one.finding.since))
    return LedgerChanges(
        tuple(added), {key: finding for key, finding in continued.items() if finding != _by_id(stored, key)}
    )


def _best_match(stored: Sequence[StoredFinding], finding: CameraFinding) -> StoredFinding | None:
    """The stored finding that is seen again: an open one before a dismissed or closed one, the same region before one
    that only meets it."""
    matches = [one for one in stored if _is_same(one.finding, finding) or _is_dismissed_before(one, finding)]
    return min(matches, key=lambda one: (not one.is_open, one.finding.regions != finding.regions), default=None)


def _is_dismissed_before(stored: StoredFinding, finding: CameraFinding) -> bool:
    """Whether a person dismissed the same, which was gone meanwhile."""
    one = stored.finding
    is_alike = _is_same_kind(one, finding) and finding.kind in _RECURRING and regions_meet(one.regions, finding.regions)
    return is_alike and stored.dismissed_at is not None


def _replaces(finding: CameraFinding, other: CameraFinding) -> bool:
    """Whether a new finding ends another one: of a camera that moved again, the last move holds."""
    return finding.until is None and (finding.kind, finding.regions) == (other.kind, other.regions)


def _was_looked_for(finding: CameraFinding, examination: Examination, *, reaches_back_to: datetime) -> bool:
    """Whether the examination would have seen the finding if it lasted."""
    if finding.kind is Kind.MOVED and finding.since < reaches_back_to:
        return False
    return not any(
        answer.kind is finding.kind
        and (answer.light_class in (None, finding.light_class) or finding.light_class is None)
        for answer in examination.untold
    )


def _by_id(stored: Sequence[StoredFinding], number: int) -> CameraFinding:
    return next(one.finding for one in stored if one.id == number)


def _continue(match: StoredFinding, finding: CameraFinding) -> CameraFinding:
    """The finding as it is seen now, with its first time; a dismissed one keeps the strength that was dismissed."""
    strength = finding.strength if match.dismissed_at is None else match.finding.strength
    return replace(finding, since=min(match.finding.since, finding.since), strength=strength)


def _returns(match: StoredFinding, finding: CameraFinding) -> bool:
    """Whether a dismissed finding is told again."""
    return match.dismissed_at is not None and finding.strength >= _RETURN_FACTOR * match.finding.strength


def _is_same(one: CameraFinding, other: CameraFinding) -> bool:
    """Whether two findings are about the same: kind, part of the frame, and times that meet."""
    if not _is_same_kind(one, other) or not regions_meet(one.regions, other.regions):
        return False
    if one.kind is Kind.MOVED:
        return abs(one.since - other.since) < _SAME_MOVE
    return (one.until is None or other.since <= one.until) and (other.until is None or one.since <= other.until)


def _is_same_kind(one: CameraFinding, other: CameraFinding) -> bool:
    """Whether two findings are of one kind; images that are too frequent are not images that are too rare."""
    return one.kind is other.kind and ("kept_share" in one.evidence) == ("kept_share" in other.evidence)
