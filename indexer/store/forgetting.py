"""Deletes all that the index has about some images: rows, thumbnails, previews, evidence, decisions, the journal.

A video goes with any of its images, and with any witness of its spans: what became of its frames would not be known
any more. Ingest reads it again. The module promises that no row goes while one that stays refers to it. It does not
touch files, and not the records beside the images. What may be forgotten is decided by
`indexer.workflows.admin.forget`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Delete, ScalarSelect, Select, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from indexer.domain.removal import RemovalState
from indexer.store.bulk import chunks
from indexer.store.camera_sources import delete_sources_below
from indexer.store.columns import lies_below
from indexer.store.naming_rules import delete_rules_below
from indexer.store.pins import UNRESTORED
from indexer.store.tables import (
    CameraRow,
    CameraSourceRow,
    DecisionRow,
    ImageRow,
    PictureRow,
    PinRow,
    ReconsideredRow,
    RemovalRow,
    ScoreRow,
    SpanRow,
    ThumbnailRow,
    VerdictRow,
    VideoFrameRow,
    VideoRow,
)


@dataclass(frozen=True)
class ForgetScope:
    """The images to forget: those at or below a folder, or those of a camera."""

    folder: str | None = None
    camera: str | None = None

    @property
    def images(self) -> Select[int]:
        """The query for their ids."""
        if self.folder is not None:
            at_or_below = or_(lies_below(ImageRow.path, self.folder), ImageRow.path == self.folder)
            return select(ImageRow.id).where(at_or_below)
        return select(ImageRow.id).where(ImageRow.camera_id == self._camera_id)

    @property
    def videos(self) -> Select[int]:
        """The query for the ids of the videos: of the scope, or with an image or a witness in it."""
        if self.folder is not None:
            own = or_(lies_below(VideoRow.path, self.folder), VideoRow.path == self.folder)
        else:
            own = VideoRow.camera_id == self._camera_id
        stored = select(VideoFrameRow.video_id).where(VideoFrameRow.image_id.in_(self.images))
        witnessed = select(SpanRow.video_id).where(SpanRow.image_id.in_(self.images))
        return select(VideoRow.id).where(or_(own, VideoRow.id.in_(stored), VideoRow.id.in_(witnessed)))

    @property
    def _camera_id(self) -> ScalarSelect[int]:
        return select(CameraRow.id).where(CameraRow.name == self.camera).scalar_subquery()


@dataclass(frozen=True)
class ForgottenRows:
    """How many rows of each kind there are about the images of a scope."""

    images: int
    thumbnails: int
    previews: int
    scores: int
    decisions: int
    verdicts: int
    pins: int
    removals: int
    videos: int
    spans: int


def camera_exists(session: Session, name: str) -> bool:
    """Whether the index has a camera of that name, also one without an image."""
    return session.scalar(select(CameraRow.id).where(CameraRow.name == name)) is not None


def count_rows(session: Session, scope: ForgetScope) -> ForgottenRows:
    """The number of rows that `forget` deletes."""
    counted = (
        (ImageRow, ImageRow.id.in_(scope.images)),
        (ThumbnailRow, ThumbnailRow.image_id.in_(scope.images)),
        (PictureRow, PictureRow.image_id.in_(scope.images)),
        (ScoreRow, _of_pair(ScoreRow, scope)),
        (DecisionRow, _is_about(DecisionRow, scope)),
        (VerdictRow, _of_pair(VerdictRow, scope)),
        (PinRow, PinRow.image_id.in_(scope.images)),
        (RemovalRow, _is_about(RemovalRow, scope)),
        (VideoRow, VideoRow.id.in_(scope.videos)),
        (SpanRow, SpanRow.video_id.in_(scope.videos)),
    )
    numbers = [
        session.scalar(select(func.count()).select_from(row_class).where(condition)) or 0
        for row_class, condition in counted
    ]
    return ForgottenRows(**dict(zip((field.name for field in fields(ForgottenRows)), numbers, strict=True)))


@dataclass(frozen=True)
class WaitingFile:
    """A file in quarantine, or on its way, and the path of its keeper. `quarantine_path` is None for a deletion."""

    quarantine_path: str | None
    keeper_path: str
    is_pending: bool


def list_in_quarantine(session: Session, scope: ForgetScope) -> list[WaitingFile]:
    """The files in quarantine, or on their way, that are of the scope or have their keeper in it."""
    waiting = or_(
        RemovalRow.state.in_([RemovalState.QUARANTINED, RemovalState.PLANNED]), RemovalRow.pending.is_not(None)
    )
    query = select(RemovalRow.quarantine_path, ImageRow.path, RemovalRow.pending)
    query = query.join(ImageRow, ImageRow.id == RemovalRow.keeper_id).where(_is_about(RemovalRow, scope) & waiting)
    return [
        WaitingFile(quarantine_path, keeper_path, pending is not None)
        for quarantine_path, keeper_path, pending in session.execute(query)
    ]


def count_dependent(session: Session, scope: ForgetScope) -> int:
    """The number of removed images that are not of the scope, and whose keeper is."""
    outside = RemovalRow.keeper_id.in_(scope.images) & RemovalRow.image_id.not_in(scope.images)
    return _count_removals(session, outside & RemovalRow.state.in_(UNRESTORED))


def count_unrecorded(session: Session, scope: ForgetScope) -> int:
    """The number of removals in the scope that no record beside the images tells of."""
    away = RemovalRow.state.in_(UNRESTORED) & ~RemovalRow.recorded
    return _count_removals(session, _is_about(RemovalRow, scope) & away)


def delete_rows(session: Session, scope: ForgetScope) -> None:
    """Deletes every row about the images of a scope, and the cameras that have no image left.

    An image that stays loses a decision that named one of these images as its keeper: it is decided again.
    """
    of_images = select(ImageRow.camera_id).where(ImageRow.id.in_(scope.images))
    of_name = select(CameraRow.id).where(CameraRow.name == scope.camera)
    video_ids = list(session.scalars(scope.videos))
    camera_ids = [*session.scalars(of_images.union(of_name)), *_delete_videos(session, video_ids)]
    about_removals = select(RemovalRow.id).where(_is_about(RemovalRow, scope))
    for statement in (
        delete(ReconsideredRow).where(ReconsideredRow.removal_id.in_(about_removals)),
        delete(RemovalRow).where(_is_about(RemovalRow, scope)),
        *_delete_pairs(scope),
        delete(PinRow).where(PinRow.image_id.in_(scope.images)),
        delete(ThumbnailRow).where(ThumbnailRow.image_id.in_(scope.images)),
        delete(PictureRow).where(PictureRow.image_id.in_(scope.images)),
        delete(DecisionRow).where(_is_about(DecisionRow, scope)),
        delete(ImageRow).where(ImageRow.id.in_(scope.images)),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    if scope.folder is not None:
        delete_rules_below(session, scope.folder)
        delete_sources_below(session, scope.folder)
    _delete_empty_cameras(session, camera_ids)


def _delete_videos(session: Session, video_ids: Sequence[int]) -> set[int]:
    """Deletes videos with their spans, and that images are of them. Returns the ids of their cameras."""
    camera_ids = set[int]()
    for chunk in chunks(video_ids):
        camera_ids |= set(session.scalars(select(VideoRow.camera_id).where(VideoRow.id.in_(chunk))))
        for statement in (
            delete(SpanRow).where(SpanRow.video_id.in_(chunk)),
            delete(VideoFrameRow).where(VideoFrameRow.video_id.in_(chunk)),
            delete(VideoRow).where(VideoRow.id.in_(chunk)),
        ):
            session.execute(statement.execution_options(synchronize_session=False))
    return camera_ids


def _delete_empty_cameras(session: Session, camera_ids: Sequence[int]) -> None:
    """Deletes those of these cameras that have no image and no video, with their folders, and all without any."""
    without_images = ~(
        exists().where(ImageRow.camera_id == CameraRow.id) | exists().where(VideoRow.camera_id == CameraRow.id)
    )
    for chunk in chunks(camera_ids):
        empty = select(CameraRow.id).where(CameraRow.id.in_(chunk), without_images)
        session.execute(delete(CameraSourceRow).where(CameraSourceRow.camera_id.in_(empty)))
    without_sources = ~exists().where(CameraSourceRow.camera_id == CameraRow.id)
    session.execute(delete(CameraRow).where(without_images, without_sources))


def _delete_pairs(scope: ForgetScope) -> Sequence[Delete]:
    return [
        delete(row_class).where(column.in_(scope.images))
        for row_class in (ScoreRow, VerdictRow)
        for column in (row_class.image_a_id, row_class.image_b_id)
    ]


def _of_pair(row_class: type[ScoreRow] | type[VerdictRow], scope: ForgetScope) -> ColumnElement[bool]:
    return or_(row_class.image_a_id.in_(scope.images), row_class.image_b_id.in_(scope.images))


def _is_about(row_class: type[DecisionRow] | type[RemovalRow], scope: ForgetScope) -> ColumnElement[bool]:
    """Whether a row is of an image of the scope, or has its keeper there."""
    return or_(row_class.image_id.in_(scope.images), row_class.keeper_id.in_(scope.images))


def _count_removals(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(RemovalRow).where(condition)) or 0
