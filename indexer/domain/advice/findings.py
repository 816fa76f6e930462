"""What is found about a camera, and the answer that too little is known to tell.

The rules make findings; `ledger` compares them with those that are stored. The module does not know how a finding is
shown, nor what a person should do about it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Union

from indexer.domain.advice.measurements import LightClass, MeasuredFrame
from indexer.domain.masks import Rectangle
from indexer.domain.plurals import counted

MIN_CLASS_FRAMES = 20
"""With fewer frames of a light class nothing is told of it."""

Number = int | float | str
"""A value of the evidence."""


class Kind(StrEnum):
    """What can be wrong with a camera. Only what is looked for has a name here."""

    MOVED = "moved"
    SWAYS = "sways"
    BLURRED = "blurred"
    DIRTY = "dirty"
    BLOCKED = "blocked"
    FROZEN = "frozen"
    SILENT = "silent"
    CLOCK = "clock"
    GLARE = "glare"
    TOO_DARK = "too_dark"
    FLICKER = "flicker"
    LIGHT_ONLY = "light_only"
    RESTLESS_AREA = "restless_area"
    INTERVAL = "interval"


@dataclass(frozen=True)
class CameraFinding:
    """One thing that is wrong with a camera, with its evidence.

    Attributes
    ----------
    kind : Kind
    since : datetime
        When it was first seen.
    until : datetime or None
        When it was over. None: it is not.
    strength : float
        How far it is over its limit, at least 1.
    evidence : numbers and texts, by name
    image_ids : of int
        Images that show it: the last one before and the first one of it, as far as there are any.
    light_class : LightClass or None
        The light that it was seen in. None: all.
    regions : of (left, top, width, height), per cent
        The parts of the frame that it concerns. Empty: all of it.
    last_seen : datetime or None
        The last frame that shows it, as far as that is known here; it is not stored.
    """

    kind: Kind
    since: datetime
    until: datetime | None
    strength: float
    evidence: Mapping[str, Number] = field(default_factory=dict)
    image_ids: tuple[int, ...] = ()
    light_class: LightClass | None = None
    regions: tuple[Rectangle, ...] = ()
    last_seen: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class CannotTell:
    """The answer of a rule that has too little to go by. `reason`: what is missing, as a part of a sentence."""

    kind: Kind
    reason: str
    light_class: LightClass | None = None


def cannot_tell(reason: str, light_class: LightClass, *kinds: Kind) -> Iterator[CannotTell]:
    """The same answer for several kinds."""
    return (CannotTell(kind, reason, light_class) for kind in kinds)


def too_few_frames(frames: Sequence[MeasuredFrame], light_class: LightClass, *kinds: Kind) -> Iterator[CannotTell]:
    """The answer for these kinds, as there are fewer than `MIN_CLASS_FRAMES` frames."""
    return cannot_tell(f"{counted(len(frames), 'frame')}, at least {MIN_CLASS_FRAMES} are needed", light_class, *kinds)


Answer = Union[CameraFinding, CannotTell]  # noqa: UP007
"""What a rule says; a rule that finds nothing wrong says nothing."""


@dataclass(frozen=True)
class Examination:
    """What was found about a camera, and what could not be told."""

    findings: tuple[CameraFinding, ...]
    untold: tuple[CannotTell, ...]

    @staticmethod
    def of(answers: list[Answer]) -> "Examination":
        """The answers, sorted into findings and what could not be told.

        Findings of one kind and part of the frame at times that meet, in several lights or by several rules, are one:
        the strongest, from the earliest time to the latest. The part may differ a little from one light to another.
        """
        merged: list[CameraFinding] = []
        findings = [answer for answer in answers if isinstance(answer, CameraFinding)]
        for finding in sorted(findings, key=lambda one: (one.since, one.kind, one.regions)):
            index = next((number for number, other in enumerate(merged) if _is_one(other, finding)), None)
            if index is None:
                merged.append(finding)
            else:
                merged[index] = _merge(merged[index], finding)
        return Examination(tuple(merged), tuple(_distinct_untold(answers)))


def _is_one(earlier: CameraFinding, later: CameraFinding) -> bool:
    """Whether two findings are about the same; both that last are, whenever they began."""
    is_alike = earlier.kind is later.kind and (
        earlier.regions == later.regions
        or (earlier.light_class is not later.light_class and regions_meet(earlier.regions, later.regions))
    )
    return is_alike and (earlier.until is None or later.since <= earlier.until)


def _merge(earlier: CameraFinding, later: CameraFinding) -> CameraFinding:
    stronger = max(earlier, later, key=lambda one: one.strength)
    last_seen = None
    if earlier.last_seen is not None and later.last_seen is not None:
        last_seen = max(earlier.last_seen, later.last_seen)
    return replace(stronger, since=earlier.since, until=_end(earlier, later, last_seen=last_seen), last_seen=last_seen)


def _end(one: CameraFinding, other: CameraFinding, *, last_seen: datetime | None) -> datetime | None:
    """When both were over: the first frame in any light after the last one that shows it."""
    if one.until is None or other.until is None:
        return None
    ends = sorted((one.until, other.until))
    return ends[0] if last_seen is not None and last_seen < ends[0] else ends[1]


def _distinct_untold(answers: list[Answer]) -> list[CannotTell]:
    """What could not be told, once for each kind and light; not where a finding of the kind was made."""
    found_kinds = {answer.kind for answer in answers if isinstance(answer, CameraFinding)}
    untold = [answer for answer in answers if isinstance(answer, CannotTell) and answer.kind not in found_kinds]
    return list({(answer.kind, answer.light_class): answer for answer in untold}.values())


def regions_meet(regions: Sequence[Rectangle], others: Sequence[Rectangle]) -> bool:
    """Whether some part of the frame is in both; no region is the whole frame."""
    if not regions or not others:
        return True
    return any(
        left < other_left + other_width
        and other_left < left + width
        and top < other_top + other_height
        and other_top < top + height
        for left, top, width, height in regions
        for other_left, other_top, other_width, other_height in others
    )
