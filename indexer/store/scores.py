"""The evidence of pairs: recorded once per scoring, never changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from indexer.domain.evidence import Evidence
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.tables import ImageRow, ProfileRow, ScoreRow


@dataclass(frozen=True)
class PairEvidence:
    """The evidence of one pair; the ids may be in any order."""

    image_a_id: int
    image_b_id: int
    evidence: Evidence


@dataclass(frozen=True)
class NamedEvidence:
    """The evidence of a pair under one scoring, with the name of the oldest profile of that scoring."""

    scoring_id: int
    profile: str
    evidence: Evidence


def add_scores(session: Session, pairs: Sequence[PairEvidence], *, scoring_id: int, run_id: int) -> None:
    """Records the evidence of pairs. None of them may be recorded already under this scoring."""
    rows = [
        {
            "scoring_id": scoring_id,
            "image_a_id": min(pair.image_a_id, pair.image_b_id),
            "image_b_id": max(pair.image_a_id, pair.image_b_id),
            "score": pair.evidence.score,
            "largest_contour": pair.evidence.largest_contour,
            "contour_count": pair.evidence.contour_count,
            "changed_fraction": pair.evidence.changed_fraction,
            "run_id": run_id,
            "distance": pair.evidence.distance,
            "changed_area": pair.evidence.changed_area,
        }
        for pair in pairs
    ]
    if rows:
        session.execute(bulk_insert(ScoreRow), rows)


def list_camera_evidence(
    session: Session, camera_ids: Sequence[int], *, scoring_id: int
) -> dict[int, dict[int, Evidence]]:
    """The recorded evidence of a few cameras under a scoring: by one image id, then by the other, in either order."""
    query = _EVIDENCE.where(ScoreRow.scoring_id == scoring_id, _is_of_cameras(camera_ids))
    evidence_by_image: dict[int, dict[int, Evidence]] = {}
    rows: Any = session.execute(query)
    for image_a_id, image_b_id, *columns in rows:
        evidence = Evidence(*columns)
        evidence_by_image.setdefault(image_a_id, {})[image_b_id] = evidence
        evidence_by_image.setdefault(image_b_id, {})[image_a_id] = evidence
    return evidence_by_image


def list_image_evidence(session: Session, image_id: int, *, scoring_id: int) -> dict[int, Evidence]:
    """The recorded evidence of an image under a scoring, by the other image's id."""
    return {
        image_a_id + image_b_id - image_id: Evidence(*columns)
        for image_a_id, image_b_id, *columns in _iter_of_image(session, _EVIDENCE, image_id, scoring_id=scoring_id)
    }


def has_scores(session: Session, camera_id: int, *, scoring_id: int) -> bool:
    """Whether any pair of a camera is recorded under a scoring."""
    query = select(ScoreRow.score).where(ScoreRow.scoring_id == scoring_id, _is_of_cameras([camera_id]))
    return session.execute(query.limit(1)).first() is not None


def list_scores(session: Session, image_id: int, *, scoring_id: int) -> dict[int, float]:
    """The recorded scores of an image under a scoring, by the other image's id."""
    columns = select(ScoreRow.image_a_id, ScoreRow.image_b_id, ScoreRow.score)
    return {
        image_a_id + image_b_id - image_id: score
        for image_a_id, image_b_id, score in _iter_of_image(session, columns, image_id, scoring_id=scoring_id)
    }


def list_scores_of(session: Session, image_ids: Sequence[int], *, scoring_id: int) -> dict[int, dict[int, float]]:
    """The recorded scores of each of these images under a scoring, by image id, then by the other image's id."""
    scores: dict[int, dict[int, float]] = {image_id: {} for image_id in image_ids}
    query = select(ScoreRow.image_a_id, ScoreRow.image_b_id, ScoreRow.score)
    of_scoring = ScoreRow.scoring_id == scoring_id
    # No index serves this condition: by the scoring alone SQLite would read every score of it.
    of_scoring_unindexed = ScoreRow.scoring_id + 0 == scoring_id
    for chunk in chunks(image_ids):
        for image_a_id, image_b_id, score in session.execute(query.where(of_scoring, ScoreRow.image_a_id.in_(chunk))):
            scores[image_a_id][image_b_id] = score
        larger = query.where(of_scoring_unindexed, ScoreRow.image_b_id.in_(chunk))
        for image_a_id, image_b_id, score in session.execute(larger):
            scores[image_b_id][image_a_id] = score
    return scores


def list_evidence(session: Session, image_a_id: int, image_b_id: int) -> list[NamedEvidence]:
    """The evidence of one pair under every scoring."""
    pair = sorted((image_a_id, image_b_id))
    rows = session.scalars(
        select(ScoreRow)
        .where(ScoreRow.image_a_id == pair[0], ScoreRow.image_b_id == pair[1])
        .order_by(ScoreRow.scoring_id)
    )
    names = select(ProfileRow.scoring_id, ProfileRow.name).order_by(ProfileRow.id.desc())
    first_profiles = {row.scoring_id: row.name for row in session.execute(names)}
    return [
        NamedEvidence(
            row.scoring_id,
            first_profiles[row.scoring_id],
            Evidence(
                row.score,
                row.largest_contour,
                row.contour_count,
                row.changed_fraction,
                row.distance,
                row.changed_area,
            ),
        )
        for row in rows
    ]


def _is_of_cameras(camera_ids: Sequence[int]) -> ColumnElement[bool]:
    """The SQL condition that a pair belongs to one of these cameras.

    It is a subquery: with a join, SQLite would read all scores of the scoring first.
    """
    return ScoreRow.image_a_id.in_(select(ImageRow.id).where(ImageRow.camera_id.in_(camera_ids)))


def _iter_of_image(session: Session, columns: Any, image_id: int, *, scoring_id: int) -> Iterator[Any]:
    """The rows in which an image has the smaller id of the pair, then those in which it has the larger id.

    There are two queries: for one with OR, SQLite would read every score of the scoring
    (tests/store/test_query_plans.py).
    """
    for id_column in (ScoreRow.image_a_id, ScoreRow.image_b_id):
        yield from session.execute(columns.where(ScoreRow.scoring_id == scoring_id, id_column == image_id))


_EVIDENCE = select(
    ScoreRow.image_a_id,
    ScoreRow.image_b_id,
    ScoreRow.score,
    ScoreRow.largest_contour,
    ScoreRow.contour_count,
    ScoreRow.changed_fraction,
    ScoreRow.distance,
    ScoreRow.changed_area,
)
