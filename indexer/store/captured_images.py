"""The images of a camera by capture time, with the facts that rules on cameras need; removed images included."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from indexer.domain.advice.measurements import Capture
from indexer.domain.images import ImageState
from indexer.domain.spans import SpanReason
from indexer.store import videos
from indexer.store.columns import NS_PER_S
from indexer.store.tables import DecisionRow, ImageRow, SpanRow, VideoRow


@dataclass(frozen=True)
class CapturedFile:
    """A captured image, its path, whether its file is present, and its keeper by the current decision: of a kept image,
    itself; None if it was not decided."""

    image: Capture
    path: str
    is_present: bool
    keeper_id: int | None


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
            case((DecisionRow.verdict == "keep", ImageRow.id), else_=DecisionRow.keeper_id),
        )
        .outerjoin(DecisionRow, (DecisionRow.image_id == ImageRow.id) & DecisionRow.superseded_at.is_(None))
        .where(
            ImageRow.camera_id == camera_id,
            ImageRow.captured_at >= since,
            ImageRow.state.in_([ImageState.READY, ImageState.REMOVED]),
        )
        .order_by(ImageRow.captured_at, ImageRow.id)
    )
    for image_id, captured_at, content_hash, mtime_ns, source, path, state, keeper_id in session.execute(query):
        if captured_at is None:  # never, by the query; for the type
            continue
        image = Capture(image_id, captured_at, content_hash, mtime_ns / NS_PER_S, source in ("name", "pattern"))
        yield CapturedFile(image, path, state == ImageState.READY, keeper_id)


def list_looked_at(session: Session, camera_id: int, *, since: datetime) -> list[tuple[datetime, datetime]]:
    """The times from `since` on in which frames of videos or of the live camera were looked at and not stored, by their
    begin: the camera took pictures, though there is no image."""
    query = (
        select(SpanRow.from_at, SpanRow.to_at)
        .outerjoin(VideoRow, VideoRow.id == SpanRow.video_id)
        .where(
            SpanRow.camera_id == camera_id,
            SpanRow.from_at >= since,
            SpanRow.reason != SpanReason.GAP,
            or_(SpanRow.video_id.is_(None), videos.is_in_force()),
        )
        .order_by(SpanRow.from_at)
    )
    return [(begin, end) for begin, end in session.execute(query)]
