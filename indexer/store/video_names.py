"""What the names of a camera's videos say: their paths, their times and their frames, for the rules on cameras.

It holds no table; `indexer.store.videos` does. The workflows of ingest call it.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.domain.naming.known_files import KnownSibling
from indexer.store.tables import CameraRow, ImageRow, VideoFrameRow, VideoRow


def iter_paths(session: Session, camera: str) -> Iterator[tuple[str, str]]:
    """The path of each present video of a camera, and where its camera comes from, in no particular order."""
    query = select(VideoRow.path, VideoRow.camera_source).join(CameraRow, CameraRow.id == VideoRow.camera_id)
    query = query.where(CameraRow.name == camera, VideoRow.missing_reason.is_(None))
    yield from ((path, camera_source) for path, camera_source in session.execute(query).yield_per(1000))


def list_recent_paths(session: Session, camera: str, *, limit: int) -> list[str]:
    """The paths of the present videos that a camera got last, the newest first."""
    query = select(VideoRow.path).join(CameraRow, CameraRow.id == VideoRow.camera_id)
    query = query.where(CameraRow.name == camera, VideoRow.missing_reason.is_(None)).order_by(VideoRow.id.desc())
    return list(session.scalars(query.limit(limit)))


def list_recent_files(session: Session, camera: str, *, limit: int) -> list[KnownSibling]:
    """The files of the present videos that a camera got last, the newest first."""
    columns = (
        VideoRow.path,
        VideoRow.mtime_ns,
        VideoRow.started_at,
        VideoRow.started_at_source,
        VideoRow.camera_source,
    )
    query = select(*columns).join(CameraRow, CameraRow.id == VideoRow.camera_id)
    query = query.where(CameraRow.name == camera, VideoRow.missing_reason.is_(None))
    return [
        KnownSibling(path, mtime_ns, started_at if time_source == "name" else None, camera_source == "folder")
        for path, mtime_ns, started_at, time_source, camera_source in session.execute(
            query.order_by(VideoRow.id.desc()).limit(limit)
        )
    ]


def list_frame_ids(session: Session, camera: str) -> set[int]:
    """The ids of the images of a camera that are frames of videos."""
    query = select(VideoFrameRow.image_id).join(ImageRow, ImageRow.id == VideoFrameRow.image_id)
    query = query.join(CameraRow, CameraRow.id == ImageRow.camera_id)
    return set(session.scalars(query.where(CameraRow.name == camera)))


def list_frame_videos(session: Session, camera: str) -> dict[int, str]:
    """The path of the video of each image of a camera that is a frame of one, by the image's id."""
    query = select(VideoFrameRow.image_id, VideoRow.path).join(VideoRow, VideoRow.id == VideoFrameRow.video_id)
    query = query.join(ImageRow, ImageRow.id == VideoFrameRow.image_id)
    rows = session.execute(query.join(CameraRow, CameraRow.id == ImageRow.camera_id).where(CameraRow.name == camera))
    return {image_id: path for image_id, path in rows}


def list_spans(session: Session, camera: str) -> list[tuple[str, datetime, datetime | None]]:
    """The path, the begin and the end of each present video of a camera whose begin is no modification time."""
    query = select(VideoRow.path, VideoRow.started_at, VideoRow.ended_at)
    query = query.join(CameraRow, CameraRow.id == VideoRow.camera_id).where(VideoRow.missing_reason.is_(None))
    query = query.where(CameraRow.name == camera, VideoRow.started_at_source != "mtime")
    return [(path, start, end) for path, start, end in session.execute(query) if start is not None]
