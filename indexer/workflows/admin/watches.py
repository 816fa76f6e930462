"""Who watches which folders, and which of these watches were cut off. It writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from indexer.domain.paths import lies_at_or_below
from indexer.escaping import printable
from indexer.store import runs
from indexer.store.database import Database
from indexer.store.locks.run_lock import list_running
from indexer.store.runs import RunRecord
from indexer.workflows.watch.outcomes import AWAY_KEY, LAST_ARRIVAL_KEY


@dataclass(frozen=True)
class WatchState:
    """The last watch of some folders, which is at work or was cut off.

    `last_arrival_at`: when it took in files last, None: never. `away`: those of its folders that are not there.
    """

    run_id: int
    folders: tuple[str, ...]
    started_at: datetime
    username: str | None
    hostname: str | None
    is_running: bool
    last_arrival_at: datetime | None
    away: tuple[str, ...]


def list_watches(database: Database) -> tuple[WatchState, ...]:
    """The watches at work, and those that ended otherwise than by being stopped and that no later one follows."""
    with database.read() as session:
        records = runs.list_runs(session, command="watch", only_latest=True)
    running = list_running(database, [record.id for record in records if record.outcome is None])
    last = {tuple(map(_key, record.arguments["paths"])): record for record in records}
    at_work = [record for record in records if record.id in running]
    watched = {_key(folder) for record in at_work for folder in record.arguments["paths"]}
    cut_off = [
        record
        for folders, record in last.items()
        if record.id not in running and record.outcome != "done" and not watched.issuperset(folders)
    ]
    return tuple(_state(record, is_running=record.id in running) for record in [*at_work, *cut_off])


def list_overlapping_watches(database: Database, folders: Sequence[str]) -> list[WatchState]:
    """The watches at work that watch one of these folders, a part of it, or a folder above; `folders`: real paths."""
    named = [_key(printable(folder)) for folder in folders]
    return [
        state
        for state in list_watches(database)
        if state.is_running
        and any(lies_at_or_below(a, b) or lies_at_or_below(b, a) for a in named for b in map(_key, state.folders))
    ]


def _key(folder: str) -> str:
    """One text for a stored folder, whichever version stored it: earlier ones escaped all but ASCII."""
    return "".join(char if char.isascii() else ascii(char)[1:-1] for char in folder)


def _state(record: RunRecord, *, is_running: bool) -> WatchState:
    return WatchState(
        record.id,
        tuple(record.arguments["paths"]),
        record.started_at,
        record.username,
        record.hostname,
        is_running,
        _last_arrival_at(record.counts),
        tuple(record.counts.get(AWAY_KEY, ())),
    )


def _last_arrival_at(counts: Mapping[str, Any]) -> datetime | None:
    at = counts.get(LAST_ARRIVAL_KEY)
    return None if at is None else datetime.fromisoformat(at)
