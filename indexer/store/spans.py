"""The spans of the index: what became of the frames that were looked at and not stored, and what stands for a moment.

A span names its witness by the id of an image; `indexer.domain.spans` names it by a key, here the path of its file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.domain.spans import Span, SpanReason
from indexer.store import videos
from indexer.store.bulk import bulk_insert
from indexer.store.tables import (
    CameraRow,
    DecisionRow,
    ImageRow,
    ProfileRow,
    RecordingFrameRow,
    RecordingRow,
    SpanRow,
    ThumbnailRow,
    VideoFrameRow,
    VideoRow,
)

_LATEST_KEPT = 32


@dataclass(frozen=True)
class MemorizedImage:
    """A kept image as the gate compares frames with it: its path, its thumbnail as PNG, and whether that is flat."""

    image_id: int
    path: str
    thumbnail: bytes
    flat: bool


@dataclass(frozen=True)
class StoredSpan:
    """A span as the index has it.

    `witness_id` and `witness_path` are None if it has no witness, `max_score` and `profile` if nothing was compared.
    `video_path` is None if it is of a recording, and `source`, the address of the camera, if it is of a video.
    """

    id: int
    camera: str
    reason: SpanReason
    from_at: datetime
    to_at: datetime
    frames: int
    every_s: float | None
    witness_id: int | None
    witness_path: str | None
    worst_score: float | None
    worst_at: datetime | None
    max_score: float | None
    profile: str | None
    detail: str | None
    video_path: str | None
    source: str | None = None


@dataclass(frozen=True)
class StoredFrame:
    """An image that was stored of a video, or of a recording: then it has a `source` and the two others are None."""

    image_id: int
    path: str
    captured_at: datetime
    state: ImageState
    video_path: str | None
    offset_us: int | None
    source: str | None = None


@dataclass(frozen=True)
class Moment:
    """What the index knows of a camera at a time.

    Attributes
    ----------
    spans : tuple of StoredSpan
        Those that the time lies in, by their begin.
    before, after : StoredFrame or None
        The nearest frame of a video or recording that was stored at or before the time, and the nearest one after it.
    """

    spans: tuple[StoredSpan, ...]
    before: StoredFrame | None
    after: StoredFrame | None


@dataclass(frozen=True)
class SpanCounts:
    """How many spans there are, how many frames they count, and how many gaps there are."""

    spans: int
    frames: int
    gaps: int


def add_spans(
    session: Session,
    spans: Sequence[Span],
    *,
    video_id: int,
    image_ids: Mapping[str, int],
    profile_id: int,
    every_s: float,
    run_id: int,
) -> None:
    """Adds the spans of a video.

    Parameters
    ----------
    image_ids : of int by str
        The images of the witnesses, by their keys.
    profile_id : int
        The profile that compared the frames.
    every_s : float
        Seconds from one frame that was looked at to the next.

    Raises
    ------
    KeyError
        If a witness is not among `image_ids`.
    """
    camera_id = session.execute(select(VideoRow.camera_id).where(VideoRow.id == video_id)).scalar_one()
    rows = [
        _span_values(span, image_ids=image_ids, profile_id=profile_id, every_s=every_s)
        | {"camera_id": camera_id, "video_id": video_id, "run_id": run_id}
        for span in spans
    ]
    if rows:
        session.execute(bulk_insert(SpanRow), rows)


def put_recording_span(
    session: Session,
    span: Span,
    *,
    span_id: int | None,
    recording_id: int,
    image_ids: Mapping[str, int],
    profile_id: int,
    every_s: float,
    run_id: int,
) -> int:
    """Adds a span of a recording, or writes what became of one that goes on; returns its id.

    `span_id`: the id that it got before, None of a new one. The rest is as in `add_spans`.
    """
    values = _span_values(span, image_ids=image_ids, profile_id=profile_id, every_s=every_s)
    if span_id is not None:
        session.execute(update(SpanRow).where(SpanRow.id == span_id).values(values))
        return span_id
    camera_id = select(RecordingRow.camera_id).where(RecordingRow.id == recording_id).scalar_subquery()
    origin = {"camera_id": camera_id, "recording_id": recording_id, "run_id": run_id}
    return session.execute(insert(SpanRow).values(**values, **origin).returning(SpanRow.id)).scalar_one()


def _span_values(span: Span, *, image_ids: Mapping[str, int], profile_id: int, every_s: float) -> dict[str, Any]:
    """The columns of a span, without what it is of."""
    return {
        "image_id": None if span.witness is None else image_ids[span.witness],
        "reason": span.reason,
        "detail": span.detail,
        "profile_id": None if span.worst_score is None else profile_id,
        "from_at": span.first.at,
        "to_at": span.last.at,
        "frames": span.frames,
        "every_s": None if span.reason is SpanReason.GAP else every_s,
        "worst_score": span.worst_score,
        "worst_at": None if span.worst is None else span.worst.at,
    }


def list_latest_kept(
    session: Session, camera_id: int, *, preparation_id: int, limit: int = _LATEST_KEPT
) -> list[MemorizedImage]:
    """The latest ready images of a camera that are kept or not decided yet, and have a thumbnail; oldest first."""
    is_duplicate = (DecisionRow.image_id == ImageRow.id) & DecisionRow.superseded_at.is_(None)
    query = (
        select(ImageRow.id, ImageRow.path, ThumbnailRow.data, ThumbnailRow.flat)
        .join(ThumbnailRow, ThumbnailRow.image_id == ImageRow.id)
        .outerjoin(DecisionRow, is_duplicate)
        .where(
            ImageRow.camera_id == camera_id,
            ImageRow.state == ImageState.READY,
            ImageRow.captured_at.is_not(None),
            ThumbnailRow.preparation_id == preparation_id,
            func.coalesce(DecisionRow.verdict, "keep") == "keep",
        )
        .order_by(ImageRow.captured_at.desc(), ImageRow.id.desc())
        .limit(limit)
    )
    return [MemorizedImage(*row) for row in session.execute(query)][::-1]


def find_moment(session: Session, camera: str, at: datetime) -> Moment:
    """What stands for a camera at a time, an aware one: spans around it, and the nearest stored frames."""
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    around = (SpanRow.camera_id == camera_id) & (SpanRow.from_at <= at) & (SpanRow.to_at >= at) & _is_in_force()
    query = _SELECT_SPANS.where(around).order_by(SpanRow.from_at, SpanRow.id)
    of_camera = _SELECT_FRAMES.where(ImageRow.camera_id == camera_id)
    before = of_camera.where(ImageRow.captured_at <= at).order_by(ImageRow.captured_at.desc(), ImageRow.id)
    after = of_camera.where(ImageRow.captured_at > at).order_by(ImageRow.captured_at, ImageRow.id)
    frames = (session.execute(nearest.limit(1)).first() for nearest in (before, after))
    return Moment(
        tuple(_stored_span(row) for row in session.execute(query)),
        *(None if row is None else _stored_frame(row) for row in frames),
    )


def find_span_before(session: Session, camera: str, at: datetime) -> StoredSpan | None:
    """The span of frames of a camera that ended last before a time, an aware one; None if there is none."""
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    is_before = (
        (SpanRow.camera_id == camera_id) & (SpanRow.to_at < at) & (SpanRow.reason != SpanReason.GAP) & _is_in_force()
    )
    row = session.execute(_SELECT_SPANS.where(is_before).order_by(SpanRow.to_at.desc(), SpanRow.id).limit(1)).first()
    return None if row is None else _stored_span(row)


def sum_of_witness(session: Session, image_id: int) -> tuple[int, int]:
    """How many spans an image is the witness of, and how many frames these count; no video counts twice."""
    query = select(func.count(), func.sum(SpanRow.frames)).where(SpanRow.image_id == image_id, _is_in_force())
    query = query.select_from(SpanRow).outerjoin(VideoRow, VideoRow.id == SpanRow.video_id)
    count, frames = session.execute(query).one()
    return count, int(frames or 0)


def count_spans(session: Session, *, camera: str | None = None) -> SpanCounts:
    """How many spans of videos there are, of one camera or of all; gaps are counted apart."""
    query = select(SpanRow.reason, func.count(), func.sum(SpanRow.frames)).group_by(SpanRow.reason)
    query = query.join(VideoRow, VideoRow.id == SpanRow.video_id).where(videos.is_in_force())
    if camera is not None:
        query = query.join(CameraRow, CameraRow.id == SpanRow.camera_id).where(CameraRow.name == camera)
    spans = frames = gaps = 0
    for reason, count, frame_count in session.execute(query):
        if reason == SpanReason.GAP:
            gaps += count
        else:
            spans, frames = spans + count, frames + int(frame_count)
    return SpanCounts(spans, frames, gaps)


def _is_in_force() -> ColumnElement[bool]:
    """The SQL condition that a span is of a recording, or of a video that was not read again."""
    return or_(SpanRow.video_id.is_(None), videos.is_in_force())


_SELECT_SPANS = (
    select(
        SpanRow.id,
        CameraRow.name.label("camera"),
        SpanRow.reason,
        SpanRow.from_at,
        SpanRow.to_at,
        SpanRow.frames,
        SpanRow.every_s,
        SpanRow.image_id.label("witness_id"),
        ImageRow.path.label("witness_path"),
        SpanRow.worst_score,
        SpanRow.worst_at,
        ProfileRow.max_score,
        ProfileRow.name.label("profile"),
        SpanRow.detail,
        VideoRow.path.label("video_path"),
        RecordingRow.source,
    )
    .join(CameraRow, CameraRow.id == SpanRow.camera_id)
    .outerjoin(VideoRow, VideoRow.id == SpanRow.video_id)
    .outerjoin(RecordingRow, RecordingRow.id == SpanRow.recording_id)
    .outerjoin(ImageRow, ImageRow.id == SpanRow.image_id)
    .outerjoin(ProfileRow, ProfileRow.id == SpanRow.profile_id)
)
_SELECT_FRAMES = (
    select(
        ImageRow.id,
        ImageRow.path,
        ImageRow.captured_at,
        ImageRow.state,
        VideoRow.path.label("video_path"),
        VideoFrameRow.offset_us,
        RecordingRow.source,
    )
    .outerjoin(VideoFrameRow, VideoFrameRow.image_id == ImageRow.id)
    .outerjoin(VideoRow, VideoRow.id == VideoFrameRow.video_id)
    .outerjoin(RecordingFrameRow, RecordingFrameRow.image_id == ImageRow.id)
    .outerjoin(RecordingRow, RecordingRow.id == RecordingFrameRow.recording_id)
    .where(or_(VideoFrameRow.image_id.is_not(None), RecordingFrameRow.image_id.is_not(None)))
)


def _stored_span(row: Any) -> StoredSpan:
    span = StoredSpan(*row)
    return replace(span, reason=SpanReason(span.reason))


def _stored_frame(row: Any) -> StoredFrame:
    frame = StoredFrame(*row)
    return replace(frame, state=ImageState(frame.state))
