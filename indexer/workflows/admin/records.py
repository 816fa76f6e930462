"""Who records which cameras, and which of these records were cut off. It writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from indexer.domain.spans import SpanReason
from indexer.store import runs
from indexer.store.database import Database
from indexer.store.locks.run_lock import list_running
from indexer.store.runs import RunRecord
from indexer.workflows.record.outcomes import SOURCES_KEY, SourceStatus

SILENT_AFTER = timedelta(minutes=2)
"""A recorded camera without a frame for so long is away, whatever its last state says."""


@dataclass(frozen=True)
class RecordState:
    """The last record of some cameras, which is at work or was cut off; `sources`: as it wrote them last."""

    run_id: int
    cameras: tuple[str, ...]
    started_at: datetime
    username: str | None
    hostname: str | None
    is_running: bool
    sources: tuple[SourceStatus, ...]


@dataclass(frozen=True)
class AwayCamera:
    """A camera that is recorded and sends nothing. `last_frame_at`: None if it never sent a frame in this run."""

    camera: str
    source: str
    last_frame_at: datetime | None
    reason: str | None


def list_records(database: Database) -> tuple[RecordState, ...]:
    """The records at work, and those that ended otherwise than by being stopped and that no later one follows."""
    with database.read() as session:
        records = runs.list_runs(session, command="record")
    running = list_running(database, [record.id for record in records if record.outcome is None])
    last = {camera: record for record in records for camera in record.arguments["sources"]}
    at_work = [record for record in records if record.id in running]
    recorded = {camera for record in at_work for camera in record.arguments["sources"]}
    cut_off = {
        record.id: record
        for camera, record in last.items()
        if record.id not in running and record.outcome != "done" and camera not in recorded
    }
    return tuple(_state(record, is_running=record.id in running) for record in [*at_work, *cut_off.values()])


def list_away(records: Sequence[RecordState], *, now: datetime) -> tuple[AwayCamera, ...]:
    """The cameras of records at work that sent no frame for two minutes, by name."""
    return tuple(
        sorted(
            (
                AwayCamera(source.camera, source.source, source.last_frame_at, source.reason)
                for record in records
                if record.is_running
                for source in record.sources
                if now - (source.last_frame_at or record.started_at) > SILENT_AFTER
            ),
            key=lambda away: away.camera,
        )
    )


def list_full_disk(records: Sequence[RecordState]) -> tuple[str, ...]:
    """The cameras of records at work of which nothing new is stored, as the disk is full, by name."""
    sources = (source for record in records if record.is_running for source in record.sources)
    return tuple(sorted(source.camera for source in sources if source.refusal == SpanReason.FULL_DISK))


def _state(record: RunRecord, *, is_running: bool) -> RecordState:
    return RecordState(
        record.id,
        tuple(record.arguments["sources"]),
        record.started_at,
        record.username,
        record.hostname,
        is_running,
        tuple(SourceStatus.from_counts(counts) for counts in record.counts.get(SOURCES_KEY, ())),
    )
