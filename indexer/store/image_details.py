"""All that the index knows of one image, to explain its decision to a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from indexer.domain.images import Criterion, Image, find_ranking_criterion
from indexer.domain.similarity import closeness
from indexer.files.system_folders import count_system_folders
from indexer.store import profiles, removals
from indexer.store.pins import is_pinned, is_pinned_by_person
from indexer.store.profiles import StoredProfile
from indexer.store.recordings import find_recording_of_image
from indexer.store.removals import JournalEntry
from indexer.store.spans import sum_of_witness
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, ProfileRow, ScoreRow
from indexer.store.timezones import find_timezone
from indexer.store.twins import Twin, list_twins
from indexer.store.videos import FrameOrigin, find_frame_origin


@dataclass(frozen=True)
class DecisionDetails:
    """One decision with the facts that explain it; `superseded_at` None: it holds.

    `preferred_for` is what ranks the keeper above the image. It is a pin only if nothing else ranks it above, because a
    keeper of removed images is pinned in any case. `native`: the score is in native pixels, not in reference pixels.
    `largest_contour`, `changed_fraction` and `closeness` (`indexer.domain.similarity`) are of the image and its keeper;
    None if there is no keeper, or if no score decided.
    """

    verdict: str
    reason: str
    keeper_id: int | None
    keeper_path: str | None
    keeper_state: str | None
    keeper_captured_at: datetime | None
    preferred_for: Criterion | None
    score: float | None
    max_score: float
    profile: str
    native: bool
    decided_by: str
    decided_at: datetime
    run_id: int
    superseded_at: datetime | None
    min_contour_area: float = 0.0
    largest_contour: float | None = None
    changed_fraction: float | None = None
    closeness: float | None = None
    distance: float | None = None
    changed_area: float | None = None
    max_distance: float = 0.0
    veto_distance: float = 0.0


@dataclass(frozen=True)
class Neighbour:
    """The image with the smallest recorded score to a kept image. Another kept image comes before all others."""

    image_id: int
    path: str
    captured_at: datetime | None
    kept: bool
    score: float
    distance: float | None = None


@dataclass(frozen=True)
class ImageDetails:
    """One image: its facts, its decisions (newest first), and the journal of its file (oldest first)."""

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
    neighbour: Neighbour | None
    twins: tuple[Twin, ...]
    decisions: tuple[DecisionDetails, ...]
    removals: tuple[JournalEntry, ...]
    timezone: str | None = None
    """The one stored for its folder; None: UTC."""
    video: FrameOrigin | None = None
    """The video that it was stored of; None if it is of none."""
    source: str | None = None
    """The address of the camera that it was recorded from; None if it was not recorded."""
    spans: int = 0
    """How many spans it is the witness of."""
    span_frames: int = 0
    """How many frames these count: each showed nothing that the image does not show."""
    held_back: bool = False
    """Whether no plan takes it, as it came back after a removal that this index knows."""

    @property
    def decision(self) -> DecisionDetails | None:
        """The current decision; None if there is none."""
        return next((decision for decision in self.decisions if decision.superseded_at is None), None)


def get_image_details(session: Session, image_id: int) -> ImageDetails:
    """The details of the image with this id, which must exist."""
    conditions = is_pinned_by_person(ImageRow.id), is_pinned(ImageRow.id), removals.IS_HELD_BACK
    image, camera, *flags = session.execute(
        select(ImageRow, CameraRow.name, *conditions)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(ImageRow.id == image_id)
    ).one()
    by_person, pinned, held_back = map(bool, flags)
    spans, span_frames = sum_of_witness(session, image_id)
    return ImageDetails(
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
        pinned_by_person=by_person,
        pinned=pinned,
        stands_for=_count_duplicates(session, image_id),
        neighbour=_find_neighbour(session, image_id),
        twins=list_twins(session, image_id),
        decisions=_list_decisions(session, image),
        removals=tuple(removals.list_for_image(session, image_id)),
        timezone=find_timezone(session, image.path),
        video=find_frame_origin(session, image_id),
        source=None if (recording := find_recording_of_image(session, image_id)) is None else recording.source,
        spans=spans,
        span_frames=span_frames,
        held_back=held_back,
    )


def _count_duplicates(session: Session, image_id: int) -> int:
    query = select(func.count()).select_from(DecisionRow)
    is_current = (DecisionRow.keeper_id == image_id) & DecisionRow.superseded_at.is_(None)
    return session.scalar(query.where(is_current)) or 0


def _find_neighbour(session: Session, image_id: int) -> Neighbour | None:
    """The neighbour under the profile that keeps the image; None if it is not kept, or no score is recorded."""
    scoring_query = select(ProfileRow.scoring_id).join(DecisionRow, DecisionRow.profile_id == ProfileRow.id)
    current = DecisionRow.superseded_at.is_(None) & (DecisionRow.verdict == "keep")
    scoring_id = session.scalar(scoring_query.where(DecisionRow.image_id == image_id, current))
    if scoring_id is None:
        return None
    is_kept = select(DecisionRow.id).where(DecisionRow.image_id == ImageRow.id, current).exists()
    row = session.execute(
        select(
            ImageRow.id, ImageRow.path, ImageRow.captured_at, is_kept.label("kept"), ScoreRow.score, ScoreRow.distance
        )
        .join(ImageRow, ImageRow.id == ScoreRow.image_a_id + ScoreRow.image_b_id - image_id)
        .where(
            ScoreRow.scoring_id == scoring_id,
            or_(ScoreRow.image_a_id == image_id, ScoreRow.image_b_id == image_id),
        )
        .order_by(is_kept.desc(), ScoreRow.score, ImageRow.id)
        .limit(1)
    ).first()
    return (
        None if row is None else Neighbour(row.id, row.path, row.captured_at, bool(row.kept), row.score, row.distance)
    )


def _list_decisions(session: Session, image: ImageRow) -> tuple[DecisionDetails, ...]:
    stored = {stored.id: stored for stored in profiles.list_profiles(session)}
    keeper = aliased(ImageRow)
    rows: Any = session.execute(
        select(DecisionRow, keeper)
        .outerjoin(keeper, keeper.id == DecisionRow.keeper_id)
        .where(DecisionRow.image_id == image.id)
        .order_by(DecisionRow.id.desc())
    )
    return tuple(
        DecisionDetails(
            verdict=decision.verdict,
            reason=decision.reason,
            keeper_id=decision.keeper_id,
            keeper_path=None if keeper_row is None else keeper_row.path,
            keeper_state=None if keeper_row is None else keeper_row.state,
            keeper_captured_at=None if keeper_row is None else keeper_row.captured_at,
            preferred_for=None if keeper_row is None else _find_preference(keeper_row, image),
            score=decision.score,
            max_score=stored[decision.profile_id].profile.max_score,
            profile=stored[decision.profile_id].profile.name,
            native=stored[decision.profile_id].profile.preparation.native,
            decided_by=decision.decided_by,
            decided_at=decision.decided_at,
            run_id=decision.run_id,
            superseded_at=decision.superseded_at,
            **_closeness_facts(session, decision, stored[decision.profile_id]),
        )
        for decision, keeper_row in rows
    )


def _closeness_facts(session: Session, decision: DecisionRow, stored: StoredProfile) -> dict[str, Any]:
    """The minimum area of the profile, and what is recorded of an image and its keeper if a score decided."""
    scoring = stored.profile.scoring
    area = scoring.min_contour_area
    facts: dict[str, Any] = {
        "min_contour_area": area,
        "max_distance": scoring.max_distance,
        "veto_distance": scoring.veto_distance,
    }
    if decision.keeper_id is None or decision.reason not in {"similar", "identical"}:
        return facts
    if decision.reason == "identical":
        return facts | {"largest_contour": 0.0, "changed_fraction": 0.0, "closeness": 0.0}
    pair = sorted((decision.image_id, decision.keeper_id))
    row = session.get(ScoreRow, (stored.scoring_id, *pair))
    if row is None:  # a removal that another index decided
        return facts
    number = closeness(
        row.score,
        row.largest_contour,
        max_score=stored.profile.max_score,
        min_contour_area=area,
        distance=row.distance,
        max_distance=scoring.max_distance,
    )
    return facts | {
        "largest_contour": row.largest_contour,
        "changed_fraction": row.changed_fraction,
        "closeness": number,
        "distance": row.distance,
        "changed_area": row.changed_area,
    }


def _find_preference(keeper: ImageRow, image: ImageRow) -> Criterion | None:
    """What ranks the keeper above the image: a pin only if nothing else does.

    None if one of the two was never decoded, as an adopted image.
    """
    if keeper.sharpness is None or image.sharpness is None:
        return None
    return find_ranking_criterion(_unpinned_image(keeper), _unpinned_image(image)) or Criterion.PINNED


def _unpinned_image(row: ImageRow) -> Image:
    assert row.width is not None
    assert row.height is not None
    assert row.sharpness is not None
    return Image(
        row.id,
        row.path,
        row.width,
        row.height,
        row.sharpness,
        row.content_hash,
        row.captured_at,
        system_folders=count_system_folders(row.path),
    )
