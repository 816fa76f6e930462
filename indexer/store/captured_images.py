"""The images of a camera by capture time, with the facts that rules on cameras need; removed images included."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.domain.advice.measurements import Capture
from indexer.domain.images import ImageState
from indexer.store.tables import ImageRow

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class CapturedFile:
    """A captured image, its path, and whether its file is present."""

    image: Capture
    path: str
    is_present: bool


def find_last_capture(session: Session, camera_id: int) -> datetime | None:
    """The capture time of a camera's newest image; None if no time is known."""
    query = select(ImageRow.captured_at).where(ImageRow.camera_id == camera_id, ImageRow.captured_at.is_not(None))
    return session.scalar(query.order_by(ImageRow.captured_at.desc()).limit(1))


def iter_captured(session: Session, camera_id: int, *, since: datetime) -> Iterator[CapturedFile]:
    """The images of a camera that were decoded once and taken at `since` or later, by time; removed ones, too."""
    query = (
        select(
            ImageRow.id,
            ImageRow.captured_at,
            ImageRow.content_hash,
            ImageRow.mtime_ns,
            ImageRow.captured_at_source,
            ImageRow.path,
            ImageRow.state,
        )
        .where(
            ImageRow.camera_id == camera_id,
            ImageRow.captured_at >= since,
            ImageRow.state.in_([ImageState.READY, ImageState.REMOVED]),
        )
        .order_by(ImageRow.captured_at, ImageRow.id)
    )
    for image_id, captured_at, content_hash, mtime_ns, source, path, state in session.execute(query):
        if captured_at is None:  # never, by the query; for the type
            continue
        image = Capture(image_id, captured_at, content_hash, mtime_ns / _NS_PER_S, source in ("name", "pattern"))
        yield CapturedFile(image, path, state == ImageState.READY)
