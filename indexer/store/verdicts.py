"""The verdicts of persons on pairs: rows are added, and marked when they are withdrawn or replaced.

A pair has at most one verdict that holds. `list_judgements` gives those of a camera as the decision rule needs them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, aliased

from indexer.domain.decisions import Decision, Reason
from indexer.domain.images import ImageState
from indexer.domain.verdicts import Judgement, Pair, VerdictValue, agrees
from indexer.errors import ImageError
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, VerdictRow

_other_image = aliased(ImageRow)


@dataclass(frozen=True)
class JudgedImage:
    """One image of a pair, with the facts that a verdict needs."""

    id: int
    path: str
    camera_id: int
    camera: str
    state: ImageState
    content_hash: str


@dataclass(frozen=True)
class JudgedPair:
    """A verdict that holds, with its images.

    `camera` is None if the images belong to two cameras, because they are then not compared. `agrees`: whether the
    current decisions agree with the verdict. It is None if the images belong to two cameras, or if one of them is
    undecided, or is neither ready nor removed.
    """

    image_a_id: int
    image_b_id: int
    path_a: str
    path_b: str
    state_a: ImageState
    state_b: ImageState
    camera: str | None
    verdict: VerdictValue
    by: str
    note: str | None
    judged_at: datetime
    agrees: bool | None

    @property
    def pair(self) -> Pair:
        """The ids of the two images."""
        return self.image_a_id, self.image_b_id


def list_judgements(session: Session, camera_id: int) -> dict[tuple[int, int], Judgement]:
    """The verdicts that hold between images of a camera, by (smaller, larger) image id."""
    return list_judgements_by_camera(session, [camera_id]).get(camera_id, {})


def list_judgements_by_camera(
    session: Session, camera_ids: Sequence[int] | None = None
) -> dict[int, dict[tuple[int, int], Judgement]]:
    """The verdicts that hold, by camera id, then as in `list_judgements`; of all cameras if `camera_ids` is None.

    Cameras without a verdict are left out.
    """
    # Subqueries for each verdict, not joins: a database would begin with all images of a camera, which are many more.
    camera, camera_of_other = (
        select(image.camera_id).where(image.id == image_id).scalar_subquery()
        for image, image_id in ((ImageRow, VerdictRow.image_a_id), (_other_image, VerdictRow.image_b_id))
    )
    columns = (VerdictRow.image_a_id, VerdictRow.image_b_id, VerdictRow.verdict, VerdictRow.judged_by)  # no objects
    query = select(camera, *columns).where(VerdictRow.withdrawn_at.is_(None), camera_of_other == camera)
    if camera_ids is not None:
        query = query.where(camera.in_(camera_ids))
    judgements: dict[int, dict[tuple[int, int], Judgement]] = {}
    for camera_id, image_a_id, image_b_id, verdict, judged_by in session.execute(query):
        judgement = Judgement("same" if verdict == "same" else "different", judged_by)
        judgements.setdefault(camera_id, {})[image_a_id, image_b_id] = judgement
    return judgements


def get_images(session: Session, pair: Pair) -> tuple[JudgedImage, JudgedImage]:
    """The two images of a pair, in its order; raises `ImageError` if one is not in the index."""
    query = (
        select(ImageRow.id, ImageRow.path, ImageRow.camera_id, CameraRow.name, ImageRow.state, ImageRow.content_hash)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(ImageRow.id.in_(pair))
    )
    images_by_id = {
        row.id: JudgedImage(row.id, row.path, row.camera_id, row.name, ImageState(row.state), row.content_hash)
        for row in session.execute(query)
    }
    for image_id in pair:
        if image_id not in images_by_id:
            raise ImageError(f"there is no image {image_id} in the index")
    return images_by_id[pair[0]], images_by_id[pair[1]]


def list_verdicts(session: Session) -> list[JudgedPair]:
    """All verdicts that hold, sorted by the camera of the first image, then by pair."""
    return [_judged_pair(row) for row in session.execute(_SELECT.order_by(_camera_a.name, *_PAIR_COLUMNS))]


def find_verdict(session: Session, pair: Pair) -> JudgedPair | None:
    """The verdict that holds on a pair; None if there is none."""
    row = session.execute(_SELECT.where(_PAIR_COLUMNS[0] == pair[0], _PAIR_COLUMNS[1] == pair[1])).first()
    return None if row is None else _judged_pair(row)


def add_verdict(
    session: Session, pair: Pair, verdict: VerdictValue, *, by: str, note: str | None, at: datetime, run_id: int
) -> None:
    """Adds a verdict on a pair. No other verdict may hold on it."""
    values = {"image_a_id": pair[0], "image_b_id": pair[1], "verdict": verdict, "judged_by": by, "note": note}
    session.execute(insert(VerdictRow).values(**values, judged_at=at, run_id=run_id))


def withdraw_verdict(session: Session, pair: Pair, *, at: datetime) -> None:
    """Marks the verdict that holds on a pair as withdrawn."""
    of_pair = (VerdictRow.image_a_id == pair[0]) & (VerdictRow.image_b_id == pair[1])
    session.execute(update(VerdictRow).where(of_pair, VerdictRow.withdrawn_at.is_(None)).values(withdrawn_at=at))


_image_a, _image_b = aliased(ImageRow), aliased(ImageRow)
_camera_a, _camera_b = aliased(CameraRow), aliased(CameraRow)
_decision_a, _decision_b = aliased(DecisionRow), aliased(DecisionRow)
_PAIR_COLUMNS = (VerdictRow.image_a_id, VerdictRow.image_b_id)
_SELECT = (
    select(VerdictRow, _image_a, _image_b, _camera_a.name, _camera_b.name, _decision_a, _decision_b)
    .join(_image_a, _image_a.id == VerdictRow.image_a_id)
    .join(_image_b, _image_b.id == VerdictRow.image_b_id)
    .join(_camera_a, _camera_a.id == _image_a.camera_id)
    .join(_camera_b, _camera_b.id == _image_b.camera_id)
    .outerjoin(_decision_a, (_decision_a.image_id == _image_a.id) & _decision_a.superseded_at.is_(None))
    .outerjoin(_decision_b, (_decision_b.image_id == _image_b.id) & _decision_b.superseded_at.is_(None))
    .where(VerdictRow.withdrawn_at.is_(None))
    .execution_options(populate_existing=True)
)


def _judged_pair(row: Any) -> JudgedPair:
    verdict, image_a, image_b, camera_a, camera_b, *decision_rows = row
    word: VerdictValue = "same" if verdict.verdict == "same" else "different"
    decisions = [
        Decision(decision_row.image_id, Reason(decision_row.reason), decision_row.keeper_id, decision_row.score)
        for decision_row in decision_rows
        if decision_row is not None
    ]
    can_agree = camera_a == camera_b and len(decisions) == 2 and {image_a.state, image_b.state} <= _DECIDED_STATES
    return JudgedPair(
        image_a_id=image_a.id,
        image_b_id=image_b.id,
        path_a=image_a.path,
        path_b=image_b.path,
        state_a=ImageState(image_a.state),
        state_b=ImageState(image_b.state),
        camera=camera_a if camera_a == camera_b else None,
        verdict=word,
        by=verdict.judged_by,
        note=verdict.note,
        judged_at=verdict.judged_at,
        agrees=agrees(word, decisions) if can_agree else None,
    )


_DECIDED_STATES = {ImageState.READY, ImageState.REMOVED}
