"""The videos of the index: the facts of each file, how it was read, and the images that were stored of it.

The content of a row never changes: changed bytes at a path make a new row, and the old one becomes missing with the
reason `replaced`. A missing video keeps its images and spans. Where the new row is of the same recording, as of a video
that has grown, or where nothing of the old one could be read, the reason is `read again`: all that it says is said
anew, so it counts nowhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer.domain.namings import clamped_mtime
from indexer.domain.videos import VideoState
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.cameras import get_or_add_camera
from indexer.store.columns import lies_below
from indexer.store.tables import CameraRow, VideoFrameRow, VideoRow

READ_AGAIN = "read again"
"""Why a video is not at its path: it could not be read, or the file there is of the same recording, and was read at a
later time."""

_REPLACED = "replaced"
_SHORTER = timedelta(seconds=1)  # the end may be as the header says, or that of the last frame


@dataclass(frozen=True)
class KnownVideo:
    """A video file as the index knows it; `missing_reason` None: it is present."""

    id: int
    path: str
    root: str
    camera: str
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    state: VideoState
    missing_reason: str | None
    started_at: datetime | None
    started_at_source: str | None
    ended_at: datetime | None


@dataclass(frozen=True)
class NewVideo:
    """A video for a new row. Of an unreadable one all that was not read is None, and it has no frames.

    Attributes
    ----------
    started_at : datetime or None
        When the first frame was taken, aware.
    started_at_source : str or None
        'pattern', 'name', 'container' or 'mtime'; None if `started_at` is.
    length_s : float or None
        Seconds from the first frame to the end of the last one that is there.
    duration_s : float or None
        As the header says.
    sampling : str or None
        'keyframes' or 'all'.
    interval_s : float or None
        Seconds from one frame that was looked at to the next.
    frames_read, frames_stored : int
        How many frames were looked at, and how many of them became images.
    """

    path: str
    root: str
    camera: str
    camera_source: str
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    state: VideoState
    state_reason: str | None = None
    started_at: datetime | None = None
    started_at_source: str | None = None
    length_s: float | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    codec: str | None = None
    sampling: str | None = None
    interval_s: float | None = None
    frames_read: int = 0
    frames_stored: int = 0

    @property
    def ended_at(self) -> datetime | None:
        """The end of the last frame that is there, aware; None if it is not known."""
        if self.started_at is None or self.length_s is None:
            return None
        return self.started_at + timedelta(seconds=self.length_s)


@dataclass(frozen=True)
class FrameOrigin:
    """The video that an image was stored of, and when in it."""

    video_id: int
    path: str
    missing_reason: str | None
    offset_us: int
    started_at: datetime | None
    started_at_source: str | None


@dataclass(frozen=True)
class VideoAt:
    """A video that was being recorded at a time; `interval_s`: from one frame that was looked at to the next."""

    path: str
    started_at: datetime
    ended_at: datetime
    started_at_source: str
    interval_s: float | None


@dataclass(frozen=True)
class VideoCounts:
    """How many videos the index has: the present ones by state, and the missing ones; and the frames of all."""

    read: int
    partial: int
    unreadable: int
    missing: int
    frames_read: int
    frames_stored: int


def list_known_videos(session: Session, paths: Sequence[str]) -> dict[str, KnownVideo]:
    """The present videos at these paths, by path."""
    results = (
        session.execute(_SELECT_KNOWN.where(VideoRow.path.in_(chunk), VideoRow.missing_reason.is_(None)))
        for chunk in chunks(paths)
    )
    return {known.path: known for rows in results for known in map(_known_video, rows)}


def list_videos_by_fingerprint(session: Session, fingerprints: Sequence[str]) -> list[KnownVideo]:
    """All videos with one of these fingerprints, present or missing, oldest first; not those that were read again."""
    query = _SELECT_KNOWN.where(is_in_force())
    results = (session.execute(query.where(VideoRow.fingerprint.in_(chunk))) for chunk in chunks(fingerprints))
    return sorted((_known_video(row) for rows in results for row in rows), key=lambda known: known.id)


def iter_present_videos_under(session: Session, folder: str) -> Iterator[KnownVideo]:
    """The present videos below a folder, an absolute path, in no particular order."""
    query = _SELECT_KNOWN.where(lies_below(VideoRow.path, folder), VideoRow.missing_reason.is_(None))
    yield from map(_known_video, session.execute(query))


def count_present_videos(session: Session) -> int:
    """The number of videos that are at their paths, whatever was read of them."""
    return session.scalar(select(func.count()).where(VideoRow.missing_reason.is_(None))) or 0


def list_stored_videos(session: Session, *, after: int, limit: int) -> list[KnownVideo]:
    """A page of the present videos: at most `limit` with ids above `after`, by id."""
    query = _SELECT_KNOWN.where(VideoRow.id > after, VideoRow.missing_reason.is_(None))
    return [_known_video(row) for row in session.execute(query.order_by(VideoRow.id).limit(limit))]


def end_earlier_reading(session: Session, video: NewVideo, *, continues: bool = False) -> None:
    """Marks the present video at the path of a new one as missing: replaced, or read again.

    `continues`: whether the file begins with all bytes of that video, whatever time they were thought to be of. What
    was replaced before, as by a file that could not be read for a while, may be of the same recording, too.
    """
    at_path = (VideoRow.path == video.path) & VideoRow.missing_reason.is_(None)
    if video.ended_at is not None and video.state is not VideoState.UNREADABLE:
        camera_id = select(CameraRow.id).where(CameraRow.name == video.camera).scalar_subquery()
        same = (VideoRow.camera_id == camera_id) & (VideoRow.started_at == video.started_at)
        same &= VideoRow.ended_at <= video.ended_at + _SHORTER
        same &= (VideoRow.path == video.path) & or_(
            VideoRow.missing_reason.is_(None), VideoRow.missing_reason == _REPLACED
        )
        is_same = or_(at_path, same) if continues else same
        session.execute(update(VideoRow).where(is_same).values(missing_reason=READ_AGAIN))
    _mark_replaced(session, at_path)


def add_video(session: Session, video: NewVideo, *, run_id: int) -> int:
    """Adds a video, and returns its id. There must be no present video at its path: see `end_earlier_reading`."""
    values = {
        "path": video.path,
        "root": video.root,
        "camera_id": get_or_add_camera(session, video.camera),
        "camera_source": video.camera_source,
        "started_at": video.started_at,
        "started_at_source": video.started_at_source,
        "ended_at": video.ended_at,
        "duration_s": video.duration_s,
        "width": video.width,
        "height": video.height,
        "codec": video.codec,
        "sampling": video.sampling,
        "interval_s": video.interval_s,
        "frames_read": video.frames_read,
        "frames_stored": video.frames_stored,
        "file_size": video.size_bytes,
        "mtime_ns": clamped_mtime(video.mtime_ns),
        "fingerprint": video.fingerprint,
        "state": video.state,
        "state_reason": video.state_reason,
        "run_id": run_id,
    }
    return session.execute(insert(VideoRow).values(values).returning(VideoRow.id)).scalar_one()


def add_video_frames(session: Session, video_id: int, offsets_us: Mapping[int, int]) -> None:
    """Stores which images are frames of a video: by image id, each with its time in the video in microseconds.

    An image may have been a frame of a video that was read again, as it has grown. From now on it is one of this video.
    It must not be among `list_frames_in_force`.
    """
    for chunk in chunks(list(offsets_us)):
        session.execute(delete(VideoFrameRow).where(VideoFrameRow.image_id.in_(chunk)))
    rows = [
        {"image_id": image_id, "video_id": video_id, "offset_us": offset_us}
        for image_id, offset_us in offsets_us.items()
    ]
    if rows:
        session.execute(bulk_insert(VideoFrameRow), rows)


def list_frames_in_force(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Those of these images that were stored of a video, present or missing, which was not read again."""
    query = select(VideoFrameRow.image_id).join(VideoRow, VideoRow.id == VideoFrameRow.video_id).where(is_in_force())
    results = (session.scalars(query.where(VideoFrameRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id for ids in results for image_id in ids}


def relocate_video(session: Session, video_id: int, *, path: str, root: str, mtime_ns: int) -> None:
    """Notes that a video is present at this path, with the same bytes as before."""
    at_path = (VideoRow.path == path) & VideoRow.missing_reason.is_(None) & (VideoRow.id != video_id)
    _mark_replaced(session, at_path)
    values = {"path": path, "root": root, "mtime_ns": clamped_mtime(mtime_ns), "missing_reason": None}
    session.execute(update(VideoRow).where(VideoRow.id == video_id).values(values))


def _mark_replaced(session: Session, at_path: ColumnElement[bool]) -> None:
    """Marks the present video at a path as missing, as another file is there now."""
    is_unread = VideoRow.state == VideoState.UNREADABLE
    session.execute(update(VideoRow).where(at_path, is_unread).values(missing_reason=READ_AGAIN))
    session.execute(update(VideoRow).where(at_path).values(missing_reason=_REPLACED))


def mark_videos_missing(session: Session, paths_by_id: Mapping[int, str], *, reason: str = "not found") -> int:
    """Marks those of these videos as missing that still have the path in `paths_by_id`. Returns their number."""
    missing = 0
    for chunk in chunks(list(paths_by_id)):
        query = select(VideoRow.id, VideoRow.path).where(VideoRow.id.in_(chunk), VideoRow.missing_reason.is_(None))
        ids = [video_id for video_id, path in session.execute(query) if path == paths_by_id[video_id]]
        session.execute(update(VideoRow).where(VideoRow.id.in_(ids)).values(missing_reason=reason))
        missing += len(ids)
    return missing


def is_in_force() -> ColumnElement[bool]:
    """The SQL condition that what a video says holds: it was not read again."""
    return or_(VideoRow.missing_reason.is_(None), VideoRow.missing_reason != READ_AGAIN)


def list_videos_at(session: Session, camera: str, at: datetime) -> list[VideoAt]:
    """The videos of a camera, present or missing, that were being recorded at a time, by their begin."""
    query = (
        select(VideoRow.path, VideoRow.started_at, VideoRow.ended_at, VideoRow.started_at_source, VideoRow.interval_s)
        .join(CameraRow, CameraRow.id == VideoRow.camera_id)
        .where(CameraRow.name == camera, VideoRow.started_at <= at, VideoRow.ended_at >= at, is_in_force())
        .order_by(VideoRow.started_at, VideoRow.id)
    )
    rows: Any = session.execute(query)
    return [VideoAt(*row) for row in rows]


def find_frame_origin(session: Session, image_id: int) -> FrameOrigin | None:
    """The video that an image was stored of; None if it is of none."""
    query = (
        select(
            VideoRow.id,
            VideoRow.path,
            VideoRow.missing_reason,
            VideoFrameRow.offset_us,
            VideoRow.started_at,
            VideoRow.started_at_source,
        )
        .join(VideoRow, VideoRow.id == VideoFrameRow.video_id)
        .where(VideoFrameRow.image_id == image_id)
    )
    row = session.execute(query).first()
    return None if row is None else FrameOrigin(*row)


def count_videos(session: Session, *, camera: str | None = None) -> VideoCounts:
    """How many videos there are, of one camera or of all; each reading counts once."""
    query = (
        select(
            VideoRow.state,
            VideoRow.missing_reason.is_not(None),
            func.count(),
            func.sum(VideoRow.frames_read),
            func.sum(VideoRow.frames_stored),
        )
        .where(is_in_force())
        .group_by(VideoRow.state, VideoRow.missing_reason.is_not(None))
    )
    if camera is not None:
        query = query.join(CameraRow, CameraRow.id == VideoRow.camera_id).where(CameraRow.name == camera)
    present: dict[str, int] = {}
    missing = frames_read = frames_stored = 0
    for state, is_missing, count, frames, stored in session.execute(query):
        frames_read, frames_stored = frames_read + int(frames), frames_stored + int(stored)
        if is_missing:
            missing += count
        else:
            present[state] = count
    read, partial, unreadable = (present.get(state, 0) for state in VideoState)
    return VideoCounts(read, partial, unreadable, missing, frames_read, frames_stored)


_SELECT_KNOWN = select(
    VideoRow.id,
    VideoRow.path,
    VideoRow.root,
    CameraRow.name,
    VideoRow.file_size,
    VideoRow.mtime_ns,
    VideoRow.fingerprint,
    VideoRow.state,
    VideoRow.missing_reason,
    VideoRow.started_at,
    VideoRow.started_at_source,
    VideoRow.ended_at,
).join(CameraRow, CameraRow.id == VideoRow.camera_id)


def _known_video(row: Any) -> KnownVideo:
    known = KnownVideo(*row)
    return replace(known, state=VideoState(known.state))
