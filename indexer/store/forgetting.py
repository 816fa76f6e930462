"""Deletes all that the index has about some images: rows, thumbnails, previews, evidence, decisions, the journal.

A video goes with any of its images, and with any witness of its spans: what became of its frames would not be known
any more. Ingest reads it again. The module promises that no row goes while one that stays refers to it. It does not
touch files, and not the records beside the images. What may be forgotten is decided by
`indexer.workflows.admin.forget`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Delete, ScalarSelect, Select, Update, delete, exists, func, or_, select, update
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
    FindingRow,
    ImageRow,
    PictureRow,
    PinRow,
    ReconsideredRow,
    RecordingFrameRow,
    RecordingRow,
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
        witnessed = select(SpanRow.video_id).where(SpanRow.image_id.in_(self.images), SpanRow.video_id.is_not(None))
        return select(VideoRow.id).where(or_(own, VideoRow.id.in_(stored), VideoRow.id.in_(witnessed)))

    @property
    def recordings(self) -> Select[int]:
        """The query for the ids of the recordings: of the camera, or with an image or a witness of the scope."""
        own = RecordingRow.camera_id == self._camera_id
        stored = select(RecordingFrameRow.recording_id).where(RecordingFrameRow.image_id.in_(self.images))
        is_witnessed = SpanRow.image_id.in_(self.images) & SpanRow.recording_id.is_not(None)
        witnessed = select(SpanRow.recording_id).where(is_witnessed)
        return select(RecordingRow.id).where(or_(own, RecordingRow.id.in_(stored), RecordingRow.id.in_(witnessed)))

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
    recordings: int = 0


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
        (SpanRow, or_(SpanRow.video_id.in_(scope.videos), SpanRow.recording_id.in_(scope.recordings))),
        (RecordingRow, RecordingRow.id.in_(scope.recordings)),
    )
    numbers = [
        session.scalar(select(func.count()).select_from(row_class).where(condition)) or 0
        for row_class, condition in counted
    ]
    return ForgottenRows(**dict(zip((field.name for field in fields(ForgottenRows)), numbers, strict=True)))


@dataclass(frozen=True)
class OpenRemoval:
    """A removal that something must still happen with, and the content and path of its keeper.

    `is_waiting`: its file is in quarantine, or on its way; `is_pending`: on its way. `recorded`: a record beside the
    images tells of it. `quarantine_path` is None for a deletion.
    """

    path: str
    aside_path: str | None
    quarantine_path: str | None
    keeper_path: str
    keeper_size_bytes: int
    keeper_hash: str
    is_waiting: bool
    is_pending: bool
    recorded: bool


def list_open_removals(session: Session, scope: ForgetScope) -> list[OpenRemoval]:
    """The removals of the scope, by file or by keeper, whose file is in quarantine or on its way, or that no record
    names."""
    waiting = or_(
        RemovalRow.state.in_([RemovalState.QUARANTINED, RemovalState.PLANNED]), RemovalRow.pending.is_not(None)
    )
    unrecorded = RemovalRow.state.in_(UNRESTORED) & ~RemovalRow.recorded
    query = (
        select(
            RemovalRow.path,
            RemovalRow.aside_path,
            RemovalRow.quarantine_path,
            ImageRow.path,
            ImageRow.file_size,
            RemovalRow.keeper_hash,
            waiting,
            RemovalRow.pending.is_not(None),
            RemovalRow.recorded,
        )
        .join(ImageRow, ImageRow.id == RemovalRow.keeper_id)
        .where(_is_about(RemovalRow, scope) & (waiting | unrecorded))
    )
    return [OpenRemoval(*row) for row in session.execute(query)]


def count_dependent(session: Session, scope: ForgetScope) -> int:
    """The number of removed images that are not of the scope, and whose keeper is."""
    outside = RemovalRow.keeper_id.in_(scope.images) & RemovalRow.image_id.not_in(scope.images)
    return _count_removals(session, outside & RemovalRow.state.in_(UNRESTORED))


def delete_rows(session: Session, scope: ForgetScope) -> None:
    """Deletes every row about the images of a scope, and the cameras that have no image left.

    An image that stays loses a decision that named one of these images as its keeper: it is decided again.
    """
    of_images = select(ImageRow.camera_id).where(ImageRow.id.in_(scope.images))
    of_name = select(CameraRow.id).where(CameraRow.name == scope.camera)
    video_ids, recording_ids = list(session.scalars(scope.videos)), list(session.scalars(scope.recordings))
    of_videos, of_recordings = _delete_videos(session, video_ids), _delete_recordings(session, recording_ids)
    camera_ids = [*session.scalars(of_images.union(of_name)), *of_videos, *of_recordings]
    about_removals = select(RemovalRow.id).where(_is_about(RemovalRow, scope))
    for statement in (
        _keep_holds(scope),
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


def _delete_recordings(session: Session, recording_ids: Sequence[int]) -> set[int]:
    """Deletes recordings with their spans, and that images are of them. Returns the ids of their cameras."""
    camera_ids = set[int]()
    for chunk in chunks(recording_ids):
        camera_ids |= set(session.scalars(select(RecordingRow.camera_id).where(RecordingRow.id.in_(chunk))))
        for statement in (
            delete(SpanRow).where(SpanRow.recording_id.in_(chunk)),
            delete(RecordingFrameRow).where(RecordingFrameRow.recording_id.in_(chunk)),
            delete(RecordingRow).where(RecordingRow.id.in_(chunk)),
        ):
            session.execute(statement.execution_options(synchronize_session=False))
    return camera_ids


def _delete_empty_cameras(session: Session, camera_ids: Sequence[int]) -> None:
    """Deletes those of these cameras that have no image, no video and no recording, with their folders and findings,
    and all without any."""
    without_images = ~(
        exists().where(ImageRow.camera_id == CameraRow.id)
        | exists().where(VideoRow.camera_id == CameraRow.id)
        | exists().where(RecordingRow.camera_id == CameraRow.id)
    )
    for chunk in chunks(camera_ids):
        empty = select(CameraRow.id).where(CameraRow.id.in_(chunk), without_images)
        session.execute(delete(CameraSourceRow).where(CameraSourceRow.camera_id.in_(empty)))
    session.execute(delete(FindingRow).where(FindingRow.camera_id.in_(select(CameraRow.id).where(without_images))))
    without_sources = ~exists().where(CameraSourceRow.camera_id == CameraRow.id)
    session.execute(delete(CameraRow).where(without_images, without_sources))


def _keep_holds(scope: ForgetScope) -> Update:
    """Goes on holding back an image that stays, though the row of its removal goes with its keeper."""
    held_ids = select(RemovalRow.image_id).where(RemovalRow.keeper_id.in_(scope.images), RemovalRow.held_back)
    return update(ImageRow).where(ImageRow.id.in_(held_ids), ImageRow.id.not_in(scope.images)).values(held_back=True)


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
