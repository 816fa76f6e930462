"""The recordings of live cameras in the index: when frames were looked at, and the images that were stored of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.orm import Session

from indexer.domain.recording.loss import RecordingEnd
from indexer.store.bulk import bulk_insert
from indexer.store.cameras import get_or_add_camera
from indexer.store.tables import CameraRow, ImageRow, RecordingFrameRow, RecordingRow, VideoFrameRow


@dataclass(frozen=True)
class RecordingCounts:
    """The frames of a recording: looked at, stored, due and not come, and looked at but not whole."""

    read: int = 0
    stored: int = 0
    missed: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class NewRecording:
    """A recording for a new row.

    `source`: without user, password and query. `started_at`: of the first frame, aware. `width` and `height`: of a
    frame as shown. `every_s`: seconds from one frame that is to be looked at to the next.
    """

    camera: str
    source: str
    started_at: datetime
    width: int
    height: int
    codec: str
    every_s: float
    profile_id: int


@dataclass(frozen=True)
class StoredRecording:
    """A recording as the index has it; `ended_because` None: it goes on, or was cut off."""

    id: int
    camera: str
    source: str
    started_at: datetime
    seen_until: datetime
    ended_at: datetime | None
    ended_because: RecordingEnd | None
    detail: str | None
    every_s: float
    frames_read: int
    frames_stored: int
    frames_missed: int
    frames_damaged: int
    run_id: int


def add_recording(session: Session, recording: NewRecording, *, run_id: int) -> int:
    """Adds a recording that goes on, and returns its id."""
    values = {
        "camera_id": get_or_add_camera(session, recording.camera),
        "source": recording.source,
        "started_at": recording.started_at,
        "seen_until": recording.started_at,
        "width": recording.width,
        "height": recording.height,
        "codec": recording.codec,
        "every_s": recording.every_s,
        "frames_read": 0,
        "frames_stored": 0,
        "frames_missed": 0,
        "frames_damaged": 0,
        "profile_id": recording.profile_id,
        "run_id": run_id,
    }
    return session.execute(insert(RecordingRow).values(values).returning(RecordingRow.id)).scalar_one()


def update_recording(session: Session, recording_id: int, *, seen_until: datetime, counts: RecordingCounts) -> None:
    """Notes how far a recording has come: its last frame that is accounted for, and all its frames so far."""
    values = {
        "seen_until": seen_until,
        "frames_read": counts.read,
        "frames_stored": counts.stored,
        "frames_missed": counts.missed,
        "frames_damaged": counts.damaged,
    }
    session.execute(update(RecordingRow).where(RecordingRow.id == recording_id).values(values))


def end_recording(
    session: Session, recording_id: int, *, at: datetime, because: RecordingEnd, detail: str | None
) -> None:
    """Notes that and why a recording ended."""
    values = {"ended_at": at, "ended_because": because, "detail": detail}
    session.execute(update(RecordingRow).where(RecordingRow.id == recording_id).values(values))


def end_cut_off(session: Session, camera: str, *, running_runs: Collection[int]) -> None:
    """Ends the recordings of a camera whose run is not at work any more: with their last frame, as cut off."""
    values = {"ended_at": RecordingRow.seen_until, "ended_because": RecordingEnd.CUT_OFF}
    is_cut_off = (
        RecordingRow.ended_at.is_(None)
        & RecordingRow.run_id.not_in(running_runs)
        & (RecordingRow.camera_id == select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery())
    )
    session.execute(update(RecordingRow).where(is_cut_off).values(values))


def add_recording_frames(session: Session, recording_id: int, image_ids: Sequence[int]) -> None:
    """Notes the images that were stored of a recording; one that is of another recording already stays so."""
    known = set(session.scalars(select(RecordingFrameRow.image_id).where(RecordingFrameRow.image_id.in_(image_ids))))
    rows = [{"image_id": image_id, "recording_id": recording_id} for image_id in image_ids if image_id not in known]
    if rows:
        session.execute(bulk_insert(RecordingFrameRow), rows)


@dataclass(frozen=True)
class FrameImage:
    """An image with the name of a frame: its id, its path, and when it was taken."""

    id: int
    path: str
    captured_at: datetime


def list_frames_of_none(session: Session, camera: str, *, after: datetime, before: datetime) -> list[FrameImage]:
    """The images of a camera that were taken between two times and are of no recording and no video, by time."""
    is_of_none = ~(
        exists().where(RecordingFrameRow.image_id == ImageRow.id)
        | exists().where(VideoFrameRow.image_id == ImageRow.id)
    )
    query = (
        select(ImageRow.id, ImageRow.path, ImageRow.captured_at)
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(CameraRow.name == camera, ImageRow.captured_at > after, ImageRow.captured_at < before, is_of_none)
        .order_by(ImageRow.captured_at, ImageRow.id)
    )
    rows = session.execute(query)
    return [FrameImage(image_id, path, at) for image_id, path, at in rows if at is not None]  # never; for the type


def add_adopted_frames(session: Session, recording: StoredRecording, frames: Sequence[FrameImage]) -> None:
    """Notes frames of a recording that was cut off after it stored their files and before it wrote their rows."""
    add_recording_frames(session, recording.id, [frame.id for frame in frames])
    update_recording(
        session,
        recording.id,
        seen_until=max([recording.seen_until, *(frame.captured_at for frame in frames)]),
        counts=RecordingCounts(
            recording.frames_read + len(frames),
            recording.frames_stored + len(frames),
            recording.frames_missed,
            recording.frames_damaged,
        ),
    )


def recording_exists(session: Session, recording_id: int, *, camera: str, started_at: datetime) -> bool:
    """Whether there is this recording; its number alone may be that of a later one."""
    is_it = (RecordingRow.id == recording_id) & (RecordingRow.started_at == started_at) & (CameraRow.name == camera)
    query = select(RecordingRow.id).join(CameraRow, CameraRow.id == RecordingRow.camera_id).where(is_it)
    return session.scalar(query) is not None


def find_last_recording(session: Session, camera: str) -> StoredRecording | None:
    """The recording of a camera that was begun last; None if there is none."""
    query = _SELECT.where(CameraRow.name == camera).order_by(RecordingRow.id.desc()).limit(1)
    row = session.execute(query).first()
    return None if row is None else _stored(row)


def list_recordings_at(session: Session, camera: str, at: datetime) -> list[StoredRecording]:
    """The recordings of a camera that had a frame before a time and one after it, by their begin."""
    is_at = (RecordingRow.started_at <= at) & (RecordingRow.seen_until >= at)
    query = _SELECT.where(CameraRow.name == camera, is_at).order_by(RecordingRow.started_at, RecordingRow.id)
    return [_stored(row) for row in session.execute(query)]


def list_recordings_of_run(session: Session, run_id: int) -> list[StoredRecording]:
    """The recordings of a run, in the order in which they began."""
    query = _SELECT.where(RecordingRow.run_id == run_id).order_by(RecordingRow.id)
    return [_stored(row) for row in session.execute(query)]


def find_recording_of_image(session: Session, image_id: int) -> StoredRecording | None:
    """The recording that an image was stored of; None if it is of none."""
    query = _SELECT.join(RecordingFrameRow, RecordingFrameRow.recording_id == RecordingRow.id)
    row = session.execute(query.where(RecordingFrameRow.image_id == image_id)).first()
    return None if row is None else _stored(row)


_SELECT = select(
    RecordingRow.id,
    CameraRow.name,
    RecordingRow.source,
    RecordingRow.started_at,
    RecordingRow.seen_until,
    RecordingRow.ended_at,
    RecordingRow.ended_because,
    RecordingRow.detail,
    RecordingRow.every_s,
    RecordingRow.frames_read,
    RecordingRow.frames_stored,
    RecordingRow.frames_missed,
    RecordingRow.frames_damaged,
    RecordingRow.run_id,
).join(CameraRow, CameraRow.id == RecordingRow.camera_id)


def _stored(row: Any) -> StoredRecording:
    stored = StoredRecording(*row)
    because = stored.ended_because
    return stored if because is None else replace(stored, ended_because=RecordingEnd(because))
