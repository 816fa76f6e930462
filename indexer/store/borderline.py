"""The pairs whose decisions are closest to the limit, for people to judge.

It promises the order of the audit query `borderline`. It reads the recorded pairs of each profile from its limit
outwards until it has enough, so that a large index takes no longer than a small one. Of pairs that are equally close,
any may be the last ones in a list.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, exists, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from indexer.domain.images import ImageState
from indexer.domain.similarity import closeness
from indexer.domain.verdicts import Pair
from indexer.store.tables import DecisionRow, ImageRow, ProfileRow, ScoreRow, ScoringRow, VerdictRow

_COLUMNS = (
    ScoreRow.score,
    ScoreRow.largest_contour,
    ScoreRow.distance,
    ScoreRow.image_a_id,
    ScoreRow.image_b_id,
)
_SHOWN_STATES = (ImageState.READY, ImageState.REMOVED)


@dataclass(frozen=True)
class _Limit:
    """A profile that decided images that are shown: where its limit lies among the scores of a scoring."""

    profile_id: int
    scoring_id: int
    max_score: float
    min_contour_area: float
    max_distance: float

    def closeness(self, score: float, largest_contour: float, distance: float | None) -> float | None:
        """The closeness of a pair with this evidence."""
        return closeness(
            score,
            largest_contour,
            max_score=self.max_score,
            min_contour_area=self.min_contour_area,
            distance=distance,
            max_distance=self.max_distance,
        )


def list_borderline(session: Session, *, limit: int, camera_id: int | None, removed: bool = False) -> list[Pair]:
    """The pairs closest to the limit that nobody judged: first duplicates with their keepers, then two kept images.

    Each side begins with the closest and has at most `limit` pairs: of one camera, or of all if `camera_id` is None.
    `removed`: only duplicates whose files were removed.
    """
    limits = _list_limits(session)
    listed = list[Pair]()
    for kept in (False,) if removed else (False, True):
        closest = [
            pair
            for of_profile in limits
            for pair in _iter_closest(session, of_profile, kept=kept, limit=limit, camera_id=camera_id, removed=removed)
        ]
        closest.sort(key=lambda item: (item[0] if kept else -item[0], item[1]))
        listed += [pair for _, pair in closest[:limit]]
    return listed


def _list_limits(session: Session) -> list[_Limit]:
    """The limits of all profiles by which something is decided now, also removed images by an earlier profile."""
    decides = exists().where(DecisionRow.profile_id == ProfileRow.id, DecisionRow.superseded_at.is_(None))
    is_recorded = exists().where(ScoreRow.scoring_id == ProfileRow.scoring_id)
    query = (
        select(
            ProfileRow.id,
            ProfileRow.scoring_id,
            ProfileRow.max_score,
            ScoringRow.min_contour_area,
            ScoringRow.max_distance,
        )
        .join(ScoringRow, ScoringRow.id == ProfileRow.scoring_id)
        .where(is_recorded, decides)
        .order_by(ProfileRow.id)
    )
    return [_Limit(*row[:3], row.min_contour_area or 0.0, row.max_distance or 0.0) for row in session.execute(query)]


def _iter_closest(
    session: Session, of_profile: _Limit, *, kept: bool, limit: int, camera_id: int | None, removed: bool
) -> Iterator[tuple[float, Pair]]:
    """The closest pairs of a profile, each with its closeness, in any order.

    In the order of the index on scores they are closer and closer to the limit, except where features decide.
    """
    image, other = aliased(DecisionRow), aliased(DecisionRow)
    image_a, image_b = aliased(ImageRow), aliased(ImageRow)
    judged = exists().where(
        VerdictRow.image_a_id == ScoreRow.image_a_id,
        VerdictRow.image_b_id == ScoreRow.image_b_id,
        VerdictRow.withdrawn_at.is_(None),
    )
    order = _order(of_profile)
    query = (
        select(*_COLUMNS)
        .outerjoin(image, and_(image.image_id == ScoreRow.image_a_id, image.superseded_at.is_(None)))
        .outerjoin(other, and_(other.image_id == ScoreRow.image_b_id, other.superseded_at.is_(None)))
        .join(image_a, image_a.id == ScoreRow.image_a_id)
        .join(image_b, image_b.id == ScoreRow.image_b_id)
        .where(
            ScoreRow.scoring_id == of_profile.scoring_id,
            ScoreRow.score >= of_profile.max_score if kept else ScoreRow.score < of_profile.max_score,
            (_are_kept if kept else _is_duplicate)(image, other, of_profile.profile_id),
            image_a.state.in_(_SHOWN_STATES),
            image_b.state.in_(_SHOWN_STATES),
            ~judged,
        )
        .order_by(*order if kept else (column.desc() for column in order))
        .limit(limit)
    )
    if camera_id is not None:
        query = query.where(image_a.camera_id == camera_id)
    if removed:
        query = query.where(or_(image_a.state == ImageState.REMOVED, image_b.state == ImageState.REMOVED))
    for score, largest_contour, distance, image_a_id, image_b_id in session.execute(query):
        close = of_profile.closeness(score, largest_contour, distance)
        yield close or 0.0, (image_a_id, image_b_id)


def _order(of_profile: _Limit) -> tuple[ColumnElement[float] | InstrumentedAttribute[float], ...]:
    """What sorts pairs by their closeness."""
    by_score = (ScoreRow.score, ScoreRow.largest_contour)
    return (_closeness_column(of_profile), *by_score) if of_profile.max_distance else by_score


def _closeness_column(of_profile: _Limit) -> ColumnElement[float]:
    """The closeness in SQL; 0 where nothing is similar."""
    least_change = max(of_profile.max_score, of_profile.min_contour_area)
    if of_profile.max_score <= 0:
        return literal(0.0)
    return case(
        (ScoreRow.distance < of_profile.max_distance, ScoreRow.distance / of_profile.max_distance),
        (ScoreRow.score > 0, ScoreRow.score / least_change),
        else_=ScoreRow.largest_contour / least_change,
    )


def _are_kept(image: type[DecisionRow], other: type[DecisionRow], profile_id: int) -> ColumnElement[bool]:
    """Whether this profile decided to keep both."""
    return and_(*(column for row in (image, other) for column in (row.verdict == "keep", row.profile_id == profile_id)))


def _is_duplicate(image: type[DecisionRow], other: type[DecisionRow], profile_id: int) -> ColumnElement[bool]:
    """Whether this profile decided by the score that one image is the duplicate of the other.

    The keeper of a removed image may have been decided again since then, or not be decided at all.
    """
    return or_(
        and_(image.keeper_id == ScoreRow.image_b_id, image.reason == "similar", image.profile_id == profile_id),
        and_(other.keeper_id == ScoreRow.image_a_id, other.reason == "similar", other.profile_id == profile_id),
    )
