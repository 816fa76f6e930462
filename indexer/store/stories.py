"""Everything the index knows of one image, for a person who asks why."""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from indexer.domain.images import State
from indexer.errors import ImageProblem
from indexer.store import removals
from indexer.store.pins import is_pinned, is_pinned_by_person
from indexer.store.removals import Removal
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, ProfileRow
from indexer.store.twins import Twin, list_twins

_DIGITS = 18  # of the numbers that a database can hold


@dataclass(frozen=True)
class DecisionStory:
    """One decision as a person asks about it; `superseded_at` None: it holds."""

    verdict: str
    reason: str
    keeper_id: int | None
    keeper_path: str | None
    keeper_state: str | None
    score: float | None
    max_score: float
    profile: str
    decided_by: str
    decided_at: datetime
    run_id: int
    superseded_at: datetime | None


@dataclass(frozen=True)
class ImageStory:
    """One image: what it is, what was decided of it (newest first), and what happened to its file (oldest first)."""

    id: int
    path: str
    camera: str
    camera_source: str
    captured_at: datetime | None
    captured_at_source: str | None
    width: int | None
    height: int | None
    size_bytes: int
    sharpness: float | None
    content_hash: str
    state: str
    state_reason: str | None
    pinned_by_person: bool
    pinned: bool
    stands_for: int
    twins: tuple[Twin, ...]
    decisions: tuple[DecisionStory, ...]
    removals: tuple[Removal, ...]

    @property
    def decision(self) -> DecisionStory | None:
        """The decision that holds, if there is one."""
        return next((decision for decision in self.decisions if decision.superseded_at is None), None)


def get_image_id(session: Session, name: str) -> int:
    """The id of the image that a person names by path or number; of several rows of one path, the one that is there."""
    if name.isdecimal() and len(name) <= _DIGITS and session.get(ImageRow, int(name)) is not None:
        return int(name)
    folder, base = os.path.split(os.path.abspath(name))
    path = os.path.join(os.path.realpath(folder), base)
    rows = session.execute(select(ImageRow.id, ImageRow.state).where(ImageRow.path == path)).all()
    if not rows:
        raise ImageProblem(f"image {name!a} is not in the index; ingest it, or type its number from: manage.py audit")
    order = {State.MISSING: 2, State.REMOVED: 1}
    best = min(rows, key=lambda row: (order.get(State(row.state), 0), -row.id))
    return int(best.id)


def get_story(session: Session, image_id: int) -> ImageStory:
    """What the index knows of an image."""
    row = session.execute(
        select(
            ImageRow,
            CameraRow.name,
            is_pinned_by_person(ImageRow.id).label("by_person"),
            is_pinned(ImageRow.id).label("pinned"),
        )
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(ImageRow.id == image_id)
    ).one()
    image, camera, by_person, pinned = row
    return ImageStory(
        id=image.id,
        path=image.path,
        camera=camera,
        camera_source=image.camera_source,
        captured_at=image.captured_at,
        captured_at_source=image.captured_at_source,
        width=image.width,
        height=image.height,
        size_bytes=image.file_size,
        sharpness=image.sharpness,
        content_hash=image.content_hash,
        state=image.state,
        state_reason=image.state_reason,
        pinned_by_person=bool(by_person),
        pinned=bool(pinned),
        stands_for=_count_family(session, image_id),
        twins=list_twins(session, image_id),
        decisions=_list_decisions(session, image_id),
        removals=tuple(removals.list_of_image(session, image_id)),
    )


def _count_family(session: Session, image_id: int) -> int:
    query = select(func.count()).select_from(DecisionRow)
    held = (DecisionRow.keeper_id == image_id) & DecisionRow.superseded_at.is_(None)
    return session.scalar(query.where(held)) or 0


def _list_decisions(session: Session, image_id: int) -> tuple[DecisionStory, ...]:
    keeper = aliased(ImageRow)
    rows: Any = session.execute(
        select(DecisionRow, ProfileRow, keeper)
        .join(ProfileRow, ProfileRow.id == DecisionRow.profile_id)
        .outerjoin(keeper, keeper.id == DecisionRow.keeper_id)
        .where(DecisionRow.image_id == image_id)
        .order_by(DecisionRow.id.desc())
    )
    return tuple(
        DecisionStory(
            verdict=decision.verdict,
            reason=decision.reason,
            keeper_id=decision.keeper_id,
            keeper_path=None if kept is None else kept.path,
            keeper_state=None if kept is None else kept.state,
            score=decision.score,
            max_score=profile.max_score,
            profile=profile.name,
            decided_by=decision.decided_by,
            decided_at=decision.decided_at,
            run_id=decision.run_id,
            superseded_at=decision.superseded_at,
        )
        for decision, profile, kept in rows
    )
