"""explain --at: which image stands for a camera at a moment, and how often frames were looked at then."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from indexer.domain.naming.moments import to_utc
from indexer.domain.spans import SpanReason
from indexer.domain.zones import get_zone
from indexer.errors import UsageError
from indexer.store import cameras, image_details, recordings, spans, timezones, videos
from indexer.store.database import Database, Session
from indexer.store.recordings import StoredRecording
from indexer.store.spans import Moment, StoredFrame, StoredSpan
from indexer.store.videos import VideoAt

_MILLISECOND = timedelta(milliseconds=1)


class MomentKind(StrEnum):
    """What is known of a moment.

    `stored`: a frame of that very moment is an image. `seen`: it lies in a span, whose witness shows the same.
    `between`: it lies between two frames that were looked at. `not_stored`: frames there were damaged, or had no space.
    `gap`: nobody looked there, or nobody had looked yet. `no_video`: no video and no recording of the camera covers it.
    """

    STORED = "stored"
    SEEN = "seen"
    BETWEEN = "between"
    NOT_STORED = "not_stored"
    GAP = "gap"
    NO_VIDEO = "no_video"


@dataclass(frozen=True)
class StandIn:
    """An image that stands for a moment. `keeper_path`: that of its keeper, if it was decided to be a duplicate."""

    image_id: int
    path: str
    state: str
    keeper_path: str | None


@dataclass(frozen=True)
class MomentDetails:
    """What stands for a camera at a moment.

    `images`: those that stand for it; for `between` the one of the last frame looked at before it, if that was not
    damaged. `spans`: those that it lies in. `videos`: those that were being recorded; `recordings`: those that it lies
    in. `before` and `after`: the stored frames next to it, whatever they are of. `timezone`: the one stored for the
    camera; None: UTC.
    """

    camera: str
    at: datetime
    kind: MomentKind
    images: tuple[StandIn, ...]
    spans: tuple[StoredSpan, ...]
    videos: tuple[VideoAt, ...]
    before: StoredFrame | None
    after: StoredFrame | None
    timezone: str | None = None
    recordings: tuple[StoredRecording, ...] = ()


def explain_moment(database: Database, camera: str, time: str) -> MomentDetails:
    """What stands for a camera at a time, written as in ISO 8601; without an offset it is in the camera's time zone.

    Raises `CameraError` if there is no such camera, and `UsageError` if the time cannot be read.
    """
    with database.read() as session:
        cameras.get_camera(session, camera)
        timezone = timezones.list_timezones(session).get(camera)
        at = parse_time(time, timezone=timezone)
        moment = spans.find_moment(session, camera, at)
        covering = tuple(videos.list_videos_at(session, camera, at))
        recorded = tuple(recordings.list_recordings_at(session, camera, at))
        previous = spans.find_span_before(session, camera, at)
        begins = [video.started_at for video in covering] + [recording.started_at for recording in recorded]
        kind, image_ids = _judge(moment, at, begin=min(begins, default=None), previous=previous)
        images = tuple(_stand_in(session, image_id) for image_id in image_ids)
    return MomentDetails(
        camera, at, kind, images, moment.spans, covering, moment.before, moment.after, timezone, recorded
    )


def parse_time(text: str, *, timezone: str | None) -> datetime:
    """The time in a text of ISO 8601, aware, UTC; raises `UsageError` if it is none."""
    try:
        parsed = datetime.fromisoformat(text.strip())
        zone = None if timezone is None else get_zone(timezone)
        moment = parsed.astimezone(UTC) if parsed.tzinfo is not None else to_utc(parsed, zone)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise UsageError(f"--at is {text!r}; give a date and a time, as 2026-03-01T12:00:05")
    return moment


def _judge(
    moment: Moment, at: datetime, *, begin: datetime | None, previous: StoredSpan | None
) -> tuple[MomentKind, list[int]]:
    """What is known of a moment, and the ids of the images that stand for it.

    `begin`: of the first video or recording that covers it; None: none does. `previous`: the span that ended last
    before it.
    """
    before = moment.before
    if before is not None and before.captured_at == at:
        return MomentKind.STORED, [before.image_id]
    witnesses = [span.witness_id for span in moment.spans if span.witness_id is not None]
    if witnesses:
        return MomentKind.SEEN, list(dict.fromkeys(witnesses))
    if any(span.reason is not SpanReason.GAP for span in moment.spans):
        return MomentKind.NOT_STORED, []
    if moment.spans:
        return MomentKind.GAP, []
    if begin is None:
        return MomentKind.NO_VIDEO, []
    # What was looked at before that says nothing. The time of an image has milliseconds.
    if before is not None and before.captured_at < begin - _MILLISECOND:
        before = None
    if previous is not None and previous.to_at >= begin and (before is None or previous.to_at > before.captured_at):
        return MomentKind.BETWEEN, [] if previous.witness_id is None else [previous.witness_id]
    return (MomentKind.GAP, []) if before is None else (MomentKind.BETWEEN, [before.image_id])


def _stand_in(session: Session, image_id: int) -> StandIn:
    details = image_details.get_image_details(session, image_id)
    decision = details.decision
    return StandIn(image_id, details.path, details.state, None if decision is None else decision.keeper_path)
