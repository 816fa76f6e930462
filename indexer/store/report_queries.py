"""The queries of a report: small rows for a whole camera first, then all facts of the few images on one page.

It promises that a report keeps the decisions it began with: they are loaded by their ids, and the content of a decision
never changes. It does not know what a page is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, column, func, or_, select, table
from sqlalchemy.orm import Session

from indexer.domain.decisions import ordered_pair
from indexer.domain.images import ImageState
from indexer.domain.profiles import Preparation
from indexer.domain.verdicts import Pair
from indexer.store.bulk import chunks
from indexer.store.columns import stored_text
from indexer.store.profiles import preparation_of
from indexer.store.tables import (
    CameraRow,
    DecisionRow,
    ImageRow,
    PreparationRow,
    ProfileRow,
    RemovalRow,
    ScoreRow,
    ThumbnailRow,
    VerdictRow,
)

_REPORTED_STATES = (ImageState.READY, ImageState.REMOVED)


class DecidedImage(NamedTuple):
    """A decided image, ready or removed; a tuple, as there may be a million."""

    image_id: int
    decision_id: int
    keeper_id: int | None
    removed: bool
    path_length: int


@dataclass(frozen=True)
class ImageFacts:
    """The facts of an image that a page shows; `stored_path` is the path as the database stores it."""

    id: int
    path: str
    stored_path: str
    camera: str
    captured_at: datetime | None
    width: int | None
    height: int | None
    size_bytes: int
    content_hash: str
    state: ImageState
    state_reason: str | None


@dataclass(frozen=True)
class RemovalFacts:
    """The last journal row of an image; `ended_at`: when it was restored or purged, None if it was not."""

    state: str
    run_id: int
    quarantine_path: str | None
    removed_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class PairFacts:
    """A duplicate (`image_id`) and its keeper, or two images of which none is the other's keeper, with their recorded
    evidence."""

    image_id: int
    other_id: int
    duplicate: bool
    profile_id: int
    score: float | None
    reason: str
    decided_by: str
    decided_at: datetime
    run_id: int
    largest_contour: float | None
    contour_count: int | None
    changed_fraction: float | None
    verdict: str | None
    distance: float | None = None
    changed_area: float | None = None


def list_decided_images(session: Session, camera_id: int) -> list[DecidedImage]:
    """All decided images of a camera, ready or removed, sorted by capture time; those without a time come last."""
    query = (
        select(
            ImageRow.id,
            DecisionRow.id.label("decision_id"),
            DecisionRow.keeper_id,
            (ImageRow.state == ImageState.REMOVED).label("removed"),
            func.length(ImageRow.path),
        )
        .join(DecisionRow, DecisionRow.image_id == ImageRow.id)
        .where(
            ImageRow.camera_id == camera_id, ImageRow.state.in_(_REPORTED_STATES), DecisionRow.superseded_at.is_(None)
        )
        .order_by(ImageRow.captured_at.is_(None), ImageRow.captured_at, ImageRow.id)
    )
    return [
        DecidedImage(image, decision, keeper, bool(removed), path_length)
        for image, decision, keeper, removed, path_length in session.execute(query)
    ]


def iter_captures(session: Session, camera_id: int) -> Iterator[tuple[datetime, bool]]:
    """The capture time of each decided image of a camera, ready or removed, that has one; and whether it is kept."""
    query = (
        select(ImageRow.captured_at, DecisionRow.verdict)
        .join(DecisionRow, DecisionRow.image_id == ImageRow.id)
        .where(
            ImageRow.camera_id == camera_id, ImageRow.state.in_(_REPORTED_STATES), DecisionRow.superseded_at.is_(None)
        )
    )
    for captured_at, verdict in session.execute(query).yield_per(1000):
        if captured_at is not None:
            yield captured_at, verdict == "keep"


def load_images(session: Session, image_ids: Sequence[int]) -> dict[int, ImageFacts]:
    """The facts of these images, by id."""
    return {
        row.id: _image_facts(row, camera)
        for chunk in chunks(image_ids)
        for row, camera in session.execute(_IMAGES.where(ImageRow.id.in_(chunk)))
    }


def load_pairs(session: Session, decision_ids: Sequence[int]) -> dict[int, PairFacts]:
    """The pairs of duplicates and keepers, by decision id; each decision must be on a duplicate."""
    pair = and_(
        ScoreRow.scoring_id == ProfileRow.scoring_id,
        or_(
            and_(ScoreRow.image_a_id == DecisionRow.image_id, ScoreRow.image_b_id == DecisionRow.keeper_id),
            and_(ScoreRow.image_b_id == DecisionRow.image_id, ScoreRow.image_a_id == DecisionRow.keeper_id),
        ),
    )
    query = (
        select(DecisionRow, ScoreRow, _verdict_column(DecisionRow.image_id, DecisionRow.keeper_id))
        .join(ProfileRow, ProfileRow.id == DecisionRow.profile_id)
        .outerjoin(ScoreRow, pair)
    )
    return {
        decision.id: _pair_facts(decision, score, verdict)
        for chunk in chunks(decision_ids)
        for decision, score, verdict in session.execute(query.where(DecisionRow.id.in_(chunk)))
    }


def load_removals(session: Session, image_ids: Sequence[int]) -> dict[int, RemovalFacts]:
    """The last journal row of each of these images that has one, by image id."""
    removals = dict[int, RemovalFacts]()
    for chunk in chunks(image_ids):
        rows = session.scalars(select(RemovalRow).where(RemovalRow.image_id.in_(chunk)).order_by(RemovalRow.id))
        for row in rows:
            ended_at = row.restored_at if row.state == "restored" else row.purged_at
            removals[row.image_id] = RemovalFacts(row.state, row.run_id, row.quarantine_path, row.removed_at, ended_at)
    return removals


def find_pairs(session: Session, pairs: Sequence[Pair]) -> dict[Pair, PairFacts]:
    """The facts of any pairs as they are decided now, by pair; one whose images are not both decided is left out."""
    ids = sorted({image_id for pair in pairs for image_id in pair})
    current = DecisionRow.superseded_at.is_(None)
    query = select(DecisionRow, ProfileRow.scoring_id).join(ProfileRow, ProfileRow.id == DecisionRow.profile_id)
    rows = {
        decision.image_id: (decision, scoring_id)
        for chunk in chunks(ids)
        for decision, scoring_id in session.execute(query.where(DecisionRow.image_id.in_(chunk), current))
    }
    facts = dict[Pair, PairFacts]()
    for pair in pairs:
        if pair[0] in rows and pair[1] in rows:
            (decision_a, scoring_id), (decision_b, _) = rows[pair[0]], rows[pair[1]]
            score = session.get(ScoreRow, (scoring_id, *pair))
            verdict = session.scalar(select(_verdict_column(*pair)))
            facts[pair] = _pair_of_decisions(decision_a, decision_b, score, verdict)
    return facts


_DECIDED = table("audit_decisions", column("image_id"), column("closeness"))


def list_unjudged_duplicates(session: Session, keeper_id: int, *, limit: int) -> list[Pair]:
    """The present duplicates of a keeper on which nobody gave a verdict, as pairs, the closest to the limit first."""
    query = (
        select(DecisionRow.image_id)
        .join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .join(_DECIDED, _DECIDED.c.image_id == DecisionRow.image_id)
        .where(
            DecisionRow.keeper_id == keeper_id,
            DecisionRow.superseded_at.is_(None),
            ImageRow.state == ImageState.READY,
            _verdict_column(DecisionRow.image_id, keeper_id).is_(None),
        )
        .order_by(_DECIDED.c.closeness.desc().nulls_last(), DecisionRow.image_id)
        .limit(limit)
    )
    return [ordered_pair(image_id, keeper_id) for image_id in session.scalars(query)]


def list_images_in_states(
    session: Session, camera_id: int, *, states: Sequence[ImageState], limit: int
) -> list[ImageFacts]:
    """The first `limit` images of a camera in these states, sorted by path."""
    query = _IMAGES.where(ImageRow.camera_id == camera_id, ImageRow.state.in_(states))
    return [_image_facts(row, camera) for row, camera in session.execute(query.order_by(ImageRow.path).limit(limit))]


def list_undecided(session: Session, camera_id: int, *, limit: int) -> list[ImageFacts]:
    """The first `limit` ready images of a camera without a current decision, sorted by path."""
    decided = select(DecisionRow.id).where(DecisionRow.image_id == ImageRow.id, DecisionRow.superseded_at.is_(None))
    query = _IMAGES.where(ImageRow.camera_id == camera_id, ImageRow.state == ImageState.READY, ~decided.exists())
    return [_image_facts(row, camera) for row, camera in session.execute(query.order_by(ImageRow.path).limit(limit))]


def load_any_thumbnails(session: Session, image_ids: Sequence[int]) -> dict[int, tuple[bytes, Preparation]]:
    """For each of these images one of its thumbnails, as PNG, and the preparation of it, by image id.

    Images without a thumbnail are left out.
    """
    query = (
        select(ThumbnailRow.image_id, ThumbnailRow.data, PreparationRow.parameters)
        .join(PreparationRow, PreparationRow.id == ThumbnailRow.preparation_id)
        .order_by(PreparationRow.id.desc())
    )
    results = (session.execute(query.where(ThumbnailRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id: (data, preparation_of(parameters)) for rows in results for image_id, data, parameters in rows}


_IMAGES = select(ImageRow, CameraRow.name).join(CameraRow, CameraRow.id == ImageRow.camera_id)


def _verdict_column(image_id: Any, other_id: Any) -> Any:
    """The verdict that holds on two images, as a column; NULL without one."""
    pair = or_(
        and_(VerdictRow.image_a_id == image_id, VerdictRow.image_b_id == other_id),
        and_(VerdictRow.image_b_id == image_id, VerdictRow.image_a_id == other_id),
    )
    return select(VerdictRow.verdict).where(pair, VerdictRow.withdrawn_at.is_(None)).scalar_subquery()


def _image_facts(row: ImageRow, camera: str) -> ImageFacts:
    return ImageFacts(
        id=row.id,
        path=row.path,
        stored_path=stored_text(row.path),
        camera=camera,
        captured_at=row.captured_at,
        width=row.width,
        height=row.height,
        size_bytes=row.file_size,
        content_hash=row.content_hash,
        state=ImageState(row.state),
        state_reason=row.state_reason,
    )


def _pair_facts(decision: DecisionRow, score: ScoreRow | None, verdict: str | None) -> PairFacts:
    assert decision.keeper_id is not None
    return PairFacts(
        image_id=decision.image_id,
        other_id=decision.keeper_id,
        duplicate=True,
        profile_id=decision.profile_id,
        score=decision.score,
        reason=decision.reason,
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
        run_id=decision.run_id,
        largest_contour=None if score is None else score.largest_contour,
        contour_count=None if score is None else score.contour_count,
        changed_fraction=None if score is None else score.changed_fraction,
        verdict=verdict,
        distance=None if score is None else score.distance,
        changed_area=None if score is None else score.changed_area,
    )


def _pair_of_decisions(
    image: DecisionRow, other: DecisionRow, score: ScoreRow | None, verdict: str | None = None
) -> PairFacts:
    """The pair with its duplicate first; of two images of which none is the other's keeper, the larger id first."""
    if image.keeper_id == other.image_id:
        return _pair_facts(image, score, verdict)
    if other.keeper_id == image.image_id:
        return _pair_facts(other, score, verdict)
    return PairFacts(
        image_id=other.image_id,
        other_id=image.image_id,
        duplicate=False,
        profile_id=image.profile_id,
        score=None if score is None else score.score,
        reason="both kept" if image.verdict == other.verdict == "keep" else "other keepers",
        decided_by=other.decided_by,
        decided_at=other.decided_at,
        run_id=other.run_id,
        largest_contour=None if score is None else score.largest_contour,
        contour_count=None if score is None else score.contour_count,
        changed_fraction=None if score is None else score.changed_fraction,
        verdict=verdict,
        distance=None if score is None else score.distance,
        changed_area=None if score is None else score.changed_area,
    )
