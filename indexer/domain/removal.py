"""Which files may be taken away: the plan, made from current decisions alone.

It promises that a planned file has a keeper that is present and kept under the same profile, and that no later word
of a person speaks against it. It does not touch files: whether they are still what the index says is checked before
each one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

DEFAULT_MAX_SHARE = 0.99
MIN_GUARDED_IMAGES = 20


class ExclusionReason(StrEnum):
    """Why a duplicate is not in the plan: its decision is out of date, or a copy in a system folder has part in it."""

    KEEPER_GONE = "its keeper is not present"
    KEEPER_UNDECIDED = "its keeper is no longer kept under the same profile"
    OTHER_PROFILE = "they were decided under another profile than the one in force"
    PINNED = "it was pinned since"
    VERDICT = "a person has judged the pair since"
    IN_SYSTEM_FOLDER = "it lies in a hidden or system folder that is not walked any more"
    KEEPER_APART = "its keeper lies in a hidden folder, a bin, a snapshot or the like, and may be gone tomorrow"

    @property
    def is_resolved_by_compare(self) -> bool:
        """Whether `compare` alone can settle it; else the folder must be ingested again before."""
        return self not in {ExclusionReason.IN_SYSTEM_FOLDER, ExclusionReason.KEEPER_APART}


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
class RemovalCandidate:
    """A present image whose current decision is *duplicate*, with what the index knows of its keeper.

    `in_system_folder`: it lies in a system folder below the folder that was ingested, where an earlier version walked;
    `keeper_apart`: so does its keeper, or in a system folder in which it does not lie itself.
    """

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
    profile_in_force: bool
    pinned: bool
    judged: bool
    in_system_folder: bool = False
    keeper_apart: bool = False

    @property
    def exclusion_reason(self) -> ExclusionReason | None:
        """Why this image stays for now, if it does."""
        if not self.keeper_present:
            return ExclusionReason.KEEPER_GONE
        if not self.profile_in_force:
            return ExclusionReason.OTHER_PROFILE
        if not self.keeper_kept:
            return ExclusionReason.KEEPER_UNDECIDED
        if self.pinned:
            return ExclusionReason.PINNED
        if self.judged:
            return ExclusionReason.VERDICT
        if self.keeper_apart:
            return ExclusionReason.KEEPER_APART
        return ExclusionReason.IN_SYSTEM_FOLDER if self.in_system_folder else None


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
class RemovalGuard:
    """When a camera is held back whole, because its plan is more likely a mistake than a finding.

    Two rules, both lifted by a `max_share` of a person's own: a plan may not take more than `DEFAULT_MAX_SHARE` of a
    camera, and may not leave less than a tenth of the share that every earlier prune left (`largest_shares`: what the
    earlier ones took at most). The second catches a limit with one zero too many, or a lens that was covered, on a
    camera that always kept a fair part; a camera that was always dull is only held by the first. Cameras with fewer
    images than `MIN_GUARDED_IMAGES` are exempt: there a share means nothing.
    """

    max_share: float | None = None
    largest_shares: Mapping[str, float] = field(default_factory=dict)

    def find_block_reason(self, camera: CameraPlan) -> str | None:
        """Why this camera is held back, if it is."""
        if camera.images < MIN_GUARDED_IMAGES:
            return None
        limit = DEFAULT_MAX_SHARE if self.max_share is None else self.max_share
        if camera.share > limit:
            return f"{camera.share:.2%} of its images would go, more than {limit:.2%}"
        earlier = self.largest_shares.get(camera.camera)
        if self.max_share is None and earlier is not None and 1 - camera.share < (1 - earlier) / 10:
            return f"{camera.share:.2%} of its images would go, and never more than {earlier:.2%} did before"
        return None


@dataclass(frozen=True)
class BlockedCamera:
    """A camera that the brake holds back, and why."""

    camera: CameraPlan
    reason: str


@dataclass(frozen=True)
class Plan:
    """The files to take away, in order, with what was left out or held back, and why."""

    victims: tuple[RemovalCandidate, ...]
    cameras: tuple[CameraPlan, ...]
    left_out: dict[ExclusionReason, int] = field(default_factory=dict)
    held_back: tuple[BlockedCamera, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Bytes that would be freed."""
        return sum(item.victim.size_bytes for item in self.victims)


def plan_removal(
    candidates: Iterable[RemovalCandidate], *, image_counts: Mapping[str, int], guard: RemovalGuard | None = None
) -> Plan:
    """The plan for these duplicates; `image_counts` counts the present images of each camera.

    Every victim names a keeper that stays, so the last present image of a camera can never be in a plan.
    """
    listed = list(candidates)
    left_out = Counter(item.exclusion_reason for item in listed if item.exclusion_reason is not None)
    removable = [item for item in listed if item.exclusion_reason is None]
    cameras = _camera_plans(removable, image_counts=image_counts)
    reasons = {camera.camera: (guard or RemovalGuard()).find_block_reason(camera) for camera in cameras}
    return Plan(
        victims=tuple(item for item in removable if reasons[item.camera] is None),
        cameras=tuple(camera for camera in cameras if reasons[camera.camera] is None),
        left_out=dict(left_out),
        held_back=tuple(BlockedCamera(camera, reason) for camera in cameras if (reason := reasons[camera.camera])),
    )


def _camera_plans(removable: Iterable[RemovalCandidate], *, image_counts: Mapping[str, int]) -> list[CameraPlan]:
    """What these removals would do to each camera, by name."""
    count, size_bytes = Counter[str](), Counter[str]()
    for item in removable:
        count[item.camera] += 1
        size_bytes[item.camera] += item.victim.size_bytes
    return [CameraPlan(name, image_counts[name], count[name], size_bytes[name]) for name in sorted(count)]
