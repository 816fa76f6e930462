"""Verdicts that a page sends: recorded as `verdict` records them, if the pair is still what the person saw.

It promises that

- the changes of one request are committed together or not at all;
- a page of an older state changes nothing; and
- a change that was made already is not made twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.domain.verdict_changes import PersonVerdict, VerdictChange
from indexer.errors import VerdictError
from indexer.store import verdicts
from indexer.store.database import Session
from indexer.store.verdicts import JudgedImage, JudgedPair
from indexer.workflows.review.verdict import supersede_verdict


@dataclass(frozen=True)
class AppliedChange:
    """A change that was made or had been made already, and the camera of its images."""

    change: VerdictChange
    camera: str
    camera_id: int


class VerdictConflictError(VerdictError):
    """Somebody else changed the verdict on a pair meanwhile; `current` is what holds now, None for no verdict."""

    def __init__(self, message: str, *, change: VerdictChange, current: JudgedPair | None) -> None:
        super().__init__(message)
        self.change, self.current = change, current


def apply_changes(
    session: Session,
    changes: Sequence[VerdictChange],
    *,
    run_id: int,
    at: datetime,
    decided_at: datetime | None = None,
) -> list[AppliedChange]:
    """Makes changes of verdicts, and supersedes the decisions that rest on their pairs.

    `decided_at`: when the person decided, if the changes waited since; then the last word counts, whoever has it.

    Raises
    ------
    ImageError
        If an image is not in the index.
    VerdictError
        If an image has other bytes, or if the two are of two cameras.
    VerdictConflictError
        If the verdict on a pair is neither what the person saw nor what is to be recorded.
    """
    return [_apply(session, change, run_id=run_id, at=at, decided_at=decided_at) for change in changes]


def _apply(
    session: Session, change: VerdictChange, *, run_id: int, at: datetime, decided_at: datetime | None
) -> AppliedChange:
    image = _get_shown_image(session, change)
    applied = AppliedChange(change, image.camera, image.camera_id)
    current = verdicts.find_verdict(session, change.pair)
    if _as_person_verdict(current) == change.after:
        return applied
    if _as_person_verdict(current) != change.before:
        if decided_at is None:
            raise VerdictConflictError(
                f"the verdict on images {change.pair[0]} and {change.pair[1]} was changed meanwhile",
                change=change,
                current=current,
            )
        if current is not None and current.judged_at > decided_at:
            return applied  # somebody judged again while this change waited
    supersede_verdict(session, change.pair, at=at)
    if change.after is not None:
        after = change.after
        verdicts.add_verdict(session, change.pair, after.verdict, by=after.by, note=after.note, at=at, run_id=run_id)
    return applied


def _get_shown_image(session: Session, change: VerdictChange) -> JudgedImage:
    """The first image of a pair; raises `VerdictError` if the two are not what the page showed."""
    images = verdicts.get_images(session, change.pair)
    if images[0].camera_id != images[1].camera_id:
        raise VerdictError(f"images {images[0].id} and {images[1].id} are of two cameras by now; load the page again")
    for image, content_hash in zip(images, change.content_hashes, strict=True):
        if image.content_hash != content_hash:
            raise VerdictError(f"image {image.id} has other bytes than the page showed; load the page again")
    return images[0]


def _as_person_verdict(current: JudgedPair | None) -> PersonVerdict | None:
    return None if current is None else PersonVerdict(current.verdict, current.by, current.note)
