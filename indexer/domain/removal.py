"""Which files may be taken away: the plan, made from current decisions alone.

It promises that a planned file has a keeper that is present and kept under the same profile, and that no later word
of a person speaks against it. It does not touch files: whether they are still what the index says is checked before
each one.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class LeftOut(StrEnum):
    """Why a duplicate is not in the plan: its decision is out of date, and `compare` would settle it."""

    KEEPER_GONE = "its keeper is not present"
    KEEPER_UNDECIDED = "its keeper is no longer kept under the same profile"
    PINNED = "it was pinned since"
    VERDICT = "a person has judged the pair since"


class RemovalState(StrEnum):
    """Where a removed file is."""

    PLANNED = "planned"
    QUARANTINED = "quarantined"
    DELETED = "deleted"
    RESTORED = "restored"
    PURGED = "purged"
    FAILED = "failed"


@dataclass(frozen=True)
class IndexedFile:
    """A file as the index knows it."""

    image_id: int
    path: str
    root: str
    size_bytes: int
    content_hash: str


@dataclass(frozen=True)
class Flagged:
    """A present image whose current decision is *duplicate*, with what the index knows of its keeper."""

    decision_id: int
    camera: str
    victim: IndexedFile
    keeper: IndexedFile
    score: float | None
    max_score: float
    profile: str
    captured_at: datetime | None
    keeper_present: bool
    keeper_kept: bool
    pinned: bool
    judged: bool

    @property
    def left_out(self) -> LeftOut | None:
        """Why this image stays for now, if it does."""
        if not self.keeper_present:
            return LeftOut.KEEPER_GONE
        if not self.keeper_kept:
            return LeftOut.KEEPER_UNDECIDED
        if self.pinned:
            return LeftOut.PINNED
        return LeftOut.VERDICT if self.judged else None


@dataclass(frozen=True)
class CameraPlan:
    """What removal would do to one camera."""

    camera: str
    images: int
    victims: int
    size_bytes: int

    @property
    def share(self) -> float:
        """Part of the camera's present images that would go, 0 to 1."""
        return self.victims / self.images if self.images else 0.0


@dataclass(frozen=True)
class Plan:
    """The files to take away, in order, with what was left out and why."""

    victims: tuple[Flagged, ...]
    cameras: tuple[CameraPlan, ...]
    left_out: dict[LeftOut, int] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Bytes that would be freed."""
        return sum(item.victim.size_bytes for item in self.victims)


def plan_removal(flagged: Iterable[Flagged], *, present: dict[str, int]) -> Plan:
    """The plan for these duplicates; `present` counts the present images of each camera.

    Every victim names a keeper that stays, so the last present image of a camera can never be in a plan.
    """
    everyone = list(flagged)
    victims = tuple(item for item in everyone if item.left_out is None)
    count = Counter(item.camera for item in victims)
    size = Counter[str]()
    for item in victims:
        size[item.camera] += item.victim.size_bytes
    cameras = tuple(CameraPlan(name, present[name], count[name], size[name]) for name in sorted(count))
    left_out = Counter(item.left_out for item in everyone if item.left_out is not None)
    return Plan(victims, cameras, dict(left_out))
