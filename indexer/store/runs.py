"""The runs of writing commands: command and arguments, start, and outcome."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer import __version__
from indexer.domain.removal import RemovalState
from indexer.store.pins import UNRESTORED
from indexer.store.tables import RemovalRow, RunRow


@dataclass(frozen=True)
class UnfinishedRun:
    """A long run without an outcome, with the counts that it wrote last."""

    id: int
    command: str
    started_at: datetime
    counts: Mapping[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """A run as it was stored; `outcome` None: it is at work, or was cut off."""

    id: int
    arguments: Mapping[str, Any]
    started_at: datetime
    outcome: str | None
    counts: Mapping[str, Any]
    username: str | None
    hostname: str | None


def start_run(
    session: Session,
    command: str,
    *,
    arguments: Mapping[str, Any],
    at: datetime,
    token: str | None = None,
    username: str | None = None,
    hostname: str | None = None,
    is_long: bool = False,
) -> int:
    """Adds a run that has no outcome yet, and returns its id. The counts of a long run are written while it works."""
    values = {
        "command": command,
        "arguments": _json_text(arguments),
        "version": __version__,
        "started_at": at,
        "token": token,
        "username": username,
        "hostname": hostname,
        "counts": "{}" if is_long else None,
    }
    return session.execute(insert(RunRow).values(**values).returning(RunRow.id)).scalar_one()


def list_tokens(session: Session) -> dict[str, int]:
    """The tokens of all runs in this index, with the ids of the runs."""
    query = select(RunRow.token, RunRow.id).where(RunRow.token.is_not(None))
    return {str(token): run_id for token, run_id in session.execute(query)}


def list_starts(session: Session) -> dict[int, datetime]:
    """The start time of each run, by its id."""
    return {run_id: started_at for run_id, started_at in session.execute(select(RunRow.id, RunRow.started_at))}


def list_adopted_tokens(session: Session) -> set[str]:
    """The tokens of the runs that `db adopt` added for the removals it adopted."""
    query = select(RunRow.token).where(RunRow.token.is_not(None), RunRow.arguments.contains('"adopted": true'))
    return set(session.scalars(query))


def list_arguments(session: Session, *, command: str, key: str) -> list[dict[str, Any]]:
    """The arguments of each run of a command that has an argument named `key`."""
    query = select(RunRow.arguments).where(RunRow.command == command, RunRow.arguments.contains(f'"{key}": '))
    return [arguments for text in session.scalars(query) if key in (arguments := json.loads(text))]


def update_counts(session: Session, run_id: int, counts: Mapping[str, Any]) -> None:
    """Records how far a long run has come."""
    session.execute(update(RunRow).where(RunRow.id == run_id).values(counts=_json_text(counts)))


def list_unfinished(session: Session) -> list[UnfinishedRun]:
    """The long runs without an outcome, oldest first: they are at work, or were cut off."""
    query = select(RunRow.id, RunRow.command, RunRow.started_at, RunRow.counts).order_by(RunRow.id)
    rows = session.execute(query.where(RunRow.outcome.is_(None), RunRow.counts.is_not(None)))
    return [UnfinishedRun(run_id, command, at, json.loads(counts or "{}")) for run_id, command, at, counts in rows]


def mark_interrupted(session: Session, run_ids: Sequence[int]) -> None:
    """Records that long runs were cut off; when, nobody knows."""
    unfinished = RunRow.id.in_(run_ids) & RunRow.outcome.is_(None)
    session.execute(update(RunRow).where(unfinished).values(outcome="interrupted"))


def finish_run(session: Session, run_id: int, *, outcome: str, counts: Mapping[str, Any], at: datetime) -> None:
    """Records how a run ended: `done`, `failed` or `interrupted`, with its counts."""
    values = {"outcome": outcome, "counts": _json_text(counts), "finished_at": at}
    session.execute(update(RunRow).where(RunRow.id == run_id).values(**values))


def list_runs(session: Session, *, command: str, only_latest: bool = False) -> list[RunRecord]:
    """The runs of a command, oldest first.

    `only_latest`: those without an outcome, and of those with equal arguments the last one: a command that is started
    each minute has half a million runs a year.
    """
    columns = (RunRow.id, RunRow.arguments, RunRow.started_at, RunRow.outcome)
    query = select(*columns, RunRow.counts, RunRow.username, RunRow.hostname).where(RunRow.command == command)
    if only_latest:
        latest = select(func.max(RunRow.id)).where(RunRow.command == command).group_by(RunRow.arguments)
        query = query.where(RunRow.outcome.is_(None) | RunRow.id.in_(latest))
    return [
        RunRecord(run_id, json.loads(arguments), at, outcome, json.loads(counts or "{}"), username, hostname)
        for run_id, arguments, at, outcome, counts, username, hostname in session.execute(query.order_by(RunRow.id))
    ]


def run_exists(session: Session, run_id: int) -> bool:
    """Whether there is a run of that number."""
    return session.scalar(select(RunRow.id).where(RunRow.id == run_id)) is not None


def list_counts(session: Session, *, command: str) -> list[dict[str, Any]]:
    """The counts of every finished run of a command, oldest first; without runs whose files all came back."""
    ended = RunRow.outcome.is_not(None) & RunRow.counts.is_not(None)
    restored = exists().where(RemovalRow.run_id == RunRow.id, RemovalRow.state == RemovalState.RESTORED)
    away = exists().where(RemovalRow.run_id == RunRow.id, RemovalRow.state.in_(UNRESTORED))
    query = select(RunRow.counts).where(RunRow.command == command, ended, or_(~restored, away)).order_by(RunRow.id)
    return [json.loads(counts) for counts in session.scalars(query) if counts is not None]


def find_last_counts(session: Session, *, command: str, before: int | None = None) -> dict[str, Any] | None:
    """The counts of the newest run of a command, or of the newest run before the run `before`.

    None if there is no such run, or if it has not ended (it is running, or it crashed).
    """
    query = select(RunRow.counts, RunRow.outcome).where(RunRow.command == command).order_by(RunRow.id.desc()).limit(1)
    row = session.execute(query if before is None else query.where(RunRow.id < before)).first()
    return None if row is None or row.counts is None or row.outcome is None else json.loads(row.counts)


def _json_text(values: Mapping[str, Any]) -> str:
    """The values as a JSON object, in which names of other alphabets can be read if every character can be shown."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(values, sort_keys=True)
