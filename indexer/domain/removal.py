"""Which files may be removed: the plan, made from current decisions alone.

It promises that a planned file has a keeper that is present and kept under the same profile, and that no later pin or
verdict of a person contradicts the removal. It does not touch files: whether a file is still what the index says is
checked just before its removal.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

DEFAULT_MAX_SHARE = 0.99
MIN_GUARDED_IMAGES = 20
UNANSWERED = "an ingest held back files of it, as it may be several cameras, and nobody answered yet"
"""Why a camera loses nothing that an ingest asked of."""


class ExclusionReason(StrEnum):
    """Why a duplicate is not in the plan: its decision is out of date, or it or its keeper lies in a system folder."""

    KEEPER_GONE = "its keeper is not present"
    KEEPER_UNDECIDED = "its keeper is no longer kept under the same profile"
    OTHER_PROFILE = "it was decided under another profile than the one in force"
    PINNED = "it was pinned since"
    VERDICT = "a person has judged the pair since"
    IN_SYSTEM_FOLDER = "it lies in a hidden or system folder that is not walked any more"
    KEEPER_APART = "its keeper lies in a hidden folder, a bin, a snapshot or the like, and may be gone tomorrow"
    HELD_BACK = "it is held back, as it came back after its removal"
    REMOVED = "a record says that it was removed, and it is not there"

    @property
    def is_resolved_by_compare(self) -> bool:
        """Whether `compare` alone can resolve it."""
        alone = {ExclusionReason.HELD_BACK, ExclusionReason.REMOVED}
        return not self.is_resolved_by_ingest and self not in alone

    @property
    def is_resolved_by_ingest(self) -> bool:
        """Whether the folder must be ingested again before `compare` can resolve it."""
        return self in {ExclusionReason.IN_SYSTEM_FOLDER, ExclusionReason.KEEPER_APART}


class RemovalState(StrEnum):
    """The state of a removal in the journal: where the file is."""

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

    `in_system_folder`: the image lies in a system folder below the ingested folder; earlier versions walked those.
    `keeper_apart`: its keeper lies in such a folder, or in any system folder that does not contain the image too.
    `held_back`: it came back after its removal, and no person said that a plan may take it again. `is_removed`: a run
    that the index does not know removed it, and it did not come back.
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
    held_back: bool = False
    is_removed: bool = False

    @property
    def exclusion_reason(self) -> ExclusionReason | None:
        """Why this image is not removed for now; None if it can be removed."""
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
        if self.in_system_folder:
            return ExclusionReason.IN_SYSTEM_FOLDER
        return self._record_reason

    @property
    def _record_reason(self) -> ExclusionReason | None:
        """Why an earlier removal of this image keeps it from the plan; None if none does."""
        if self.is_removed:
            return ExclusionReason.REMOVED
        return ExclusionReason.HELD_BACK if self.held_back else None


@dataclass(frozen=True)
class CameraPlan:
    """What the removal would do to one camera: present images, how many would go, and their bytes."""

    camera: str
    images: int
    victims: int
    size_bytes: int

    @property
    def share(self) -> float:
        """The share of the camera's present images that would go, 0 to 1."""
        return self.victims / self.images if self.images else 0.0


@dataclass(frozen=True)
class RemovalGuard:
    """Blocks all removals of a camera if its plan is more likely a mistake than a result.

    Rule 1: a plan may take at most `DEFAULT_MAX_SHARE` of a camera's images. Rule 2: it must leave at least a tenth of
    the smallest share that an earlier prune left. `largest_shares` has the largest share that earlier prunes took, by
    camera. A person's own `max_share` replaces the limit of rule 1 and switches rule 2 off. `questions`: the
    cameras that an ingest held back, which may be two: they lose nothing until a person has answered.

    Rule 2 catches a limit with one zero too many, or a covered lens, where a camera always kept a fair part of its
    images. It lets a camera pass that always kept few. Cameras with fewer than `MIN_GUARDED_IMAGES` images are exempt,
    because a share of so few images means little.
    """

    max_share: float | None = None
    largest_shares: Mapping[str, float] = field(default_factory=dict)
    questions: Collection[str] = ()

    def find_block_reason(self, camera: CameraPlan) -> str | None:
        """Why this camera is blocked, as a clause for people; None if it is not."""
        if camera.camera in self.questions:
            return UNANSWERED
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
    """A camera that the guard blocks, and why."""

    camera: CameraPlan
    reason: str


@dataclass(frozen=True)
class Plan:
    """The files to remove, in order; the number of duplicates left out, by reason; and the blocked cameras.

    `undecided`: present images that compare did not decide yet, so that the plan cannot hold them; `left_out` counts
    those of them that are held back, too. `recorded_returns`: how many of those left out are held back by the records
    beside the images alone, and not by the index.

    Of a plan whose files were looked for, `failures` are path and problem of each file that cannot be removed,
    `changed_in` the roots of files and keepers that are not there, and `missing_folders` their folders that are gone.
    `stopped` says why not all of its files can be removed; None: they can, as far as it is known.
    """

    victims: tuple[RemovalCandidate, ...]
    cameras: tuple[CameraPlan, ...]
    left_out: dict[ExclusionReason, int] = field(default_factory=dict)
    held_back: tuple[BlockedCamera, ...] = ()
    undecided: int = 0
    recorded_returns: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    changed_in: tuple[str, ...] = ()
    missing_folders: tuple[str, ...] = ()
    stopped: str | None = None

    @property
    def has_failed(self) -> bool:
        """Whether a person must look at files or cameras of the plan."""
        return bool(self.failures or self.held_back or self.stopped)

    @property
    def size_bytes(self) -> int:
        """Bytes that would be freed."""
        return sum(item.victim.size_bytes for item in self.victims)


def plan_removal(
    candidates: Iterable[RemovalCandidate], *, image_counts: Mapping[str, int], guard: RemovalGuard | None = None
) -> Plan:
    """The plan for these duplicates, in the order of the candidates; cameras are sorted by name.

    `image_counts` has the number of present images of each camera, by name. Without a `guard` the default one is used.
    Every victim has a keeper that stays, so the last present image of a camera can never be in a plan.
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
    """What these removals would do to each camera, sorted by name."""
    count, size_bytes = Counter[str](), Counter[str]()
    for item in removable:
        count[item.camera] += 1
        size_bytes[item.camera] += item.victim.size_bytes
    return [CameraPlan(name, image_counts[name], count[name], size_bytes[name]) for name in sorted(count)]
