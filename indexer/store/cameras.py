"""The cameras, and a summary of the images of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, insert, select, text
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.errors import CameraError
from indexer.store.columns import UtcDateTime, lies_below
from indexer.store.tables import CameraRow, ImageRow


@dataclass(frozen=True)
class CameraSummary:
    """The counts of one camera; a row of the view `audit_cameras`."""

    camera: str
    images: int
    kept: int
    duplicates: int
    undecided: int
    unreadable: int
    removed: int
    missing: int
    size_bytes: int
    first_captured_at: datetime | None
    last_captured_at: datetime | None


def list_cameras(session: Session) -> dict[str, int]:
    """The id of every camera that has an image in any state, by name, in the order of names."""
    has_image = exists().where(ImageRow.camera_id == CameraRow.id)
    query = select(CameraRow.name, CameraRow.id).where(has_image).order_by(CameraRow.name)
    return {row.name: row.id for row in session.execute(query)}


def list_below(session: Session, folder: str) -> dict[str, int]:
    """The id of every camera with a ready image below a folder, by name, in the order of names."""
    is_below = (ImageRow.state == ImageState.READY) & lies_below(ImageRow.path, folder)
    has_image = exists().where(ImageRow.camera_id == CameraRow.id, is_below)
    query = select(CameraRow.name, CameraRow.id).where(has_image).order_by(CameraRow.name)
    return {row.name: row.id for row in session.execute(query)}


def get_camera(session: Session, name: str) -> int:
    """The id of the camera of that name; raises `CameraError` if there is none."""
    cameras = list_cameras(session)
    if name not in cameras:
        raise CameraError(f"there is no camera {name!r}; there are: {', '.join(map(repr, cameras)) or 'none yet'}")
    return cameras[name]


def count_present(session: Session, *, with_removed: bool = False) -> dict[str, int]:
    """The number of ready images, or of ready and removed ones, of each camera that has any, by name."""
    query = select(ImageRow.camera_id, func.count().label("images")).group_by(ImageRow.camera_id)
    counts = query.where(ImageRow.state.in_(_states(with_removed))).subquery()  # so that an index alone counts
    named = select(CameraRow.name, counts.c.images).join(counts, counts.c.camera_id == CameraRow.id)
    return {row.name: row.images for row in session.execute(named)}


def list_file_sizes(session: Session, camera_id: int, *, state: ImageState = ImageState.READY) -> dict[int, int]:
    """The file size in bytes of each ready image of a camera, or of those in another state, by image id."""
    query = select(ImageRow.id, ImageRow.file_size).where(ImageRow.camera_id == camera_id, ImageRow.state == state)
    return {row.id: row.file_size for row in session.execute(query)}


def _states(with_removed: bool) -> list[ImageState]:
    return [ImageState.READY, ImageState.REMOVED] if with_removed else [ImageState.READY]


def list_last_captures(session: Session, camera_id: int, *, limit: int) -> list[datetime]:
    """The times of the last images of a camera that have one, whatever became of them, the newest first.

    A file that was never decoded is no image: its time may be that of a copy, years after the camera fell silent.
    """
    is_image = ImageRow.sharpness.is_not(None)
    query = select(ImageRow.captured_at).where(
        ImageRow.camera_id == camera_id, ImageRow.captured_at.is_not(None), is_image
    )
    times = session.scalars(query.order_by(ImageRow.captured_at.desc()).limit(limit))
    return [time for time in times if time is not None]


def get_or_add_camera(session: Session, name: str) -> int:
    """The id of the camera of that name. A new camera is added."""
    camera_id = session.scalar(select(CameraRow.id).where(CameraRow.name == name))
    if camera_id is None:
        camera_id = session.execute(insert(CameraRow).values(name=name).returning(CameraRow.id)).scalar_one()
    return camera_id


def get_or_add_cameras(session: Session, names: Iterable[str]) -> dict[str, int]:
    """The ids of the cameras of those names, by name. New cameras are added."""
    return {name: get_or_add_camera(session, name) for name in dict.fromkeys(names)}


def list_summaries(session: Session) -> list[CameraSummary]:
    """The summaries of all cameras, sorted by name."""
    names = ", ".join(CameraSummary.__dataclass_fields__)
    query = text(f"SELECT {names} FROM audit_cameras ORDER BY camera").columns(
        first_captured_at=UtcDateTime(), last_captured_at=UtcDateTime()
    )
    return [CameraSummary(**row._mapping) for row in session.execute(query)]
