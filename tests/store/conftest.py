"""Makers for the store's tests: images, decisions and removals with as few words as a test needs."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from indexer.domain.descriptions import FileDescription
from indexer.domain.images import ImageState
from indexer.domain.names import Naming
from indexer.domain.removal import RemovalCandidate, RemovalState
from indexer.domain.selection import Decision
from indexer.store import decisions, images, profiles, removals, runs
from indexer.store.database import Database
from indexer.store.images import NewImage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def run_id(database: Database) -> int:
    """The run in which everything is made."""
    with database.write() as session:
        return runs.start_run(session, "ingest", arguments={}, at=NOON)


@pytest.fixture
def plan(database: Database) -> Callable[..., list[str]]:
    """Tells the steps by which the database answers a query, indexes before all else: the tables are nearly empty."""

    def make(sql: str, values: Any = ()) -> list[str]:
        with database.read() as session:
            connection = session.connection()
            if database.path is not None:
                return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            return [row[0].strip() for row in connection.exec_driver_sql(f"EXPLAIN {sql}", values)]

    return make


@pytest.fixture
def described() -> Callable[..., FileDescription]:
    """Makes a description of a ready image whose content is its path."""

    def make(path: str, **facts: Any) -> FileDescription:
        content = hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()
        ready = {"state": "ready", "width": 640, "height": 480, "sharpness": 20.5}
        return FileDescription(
            path=path, **({"size_bytes": 1000, "mtime_ns": 1, "content_hash": content} | ready | facts)
        )

    return make


@pytest.fixture
def add(database: Database, run_id: int, described: Callable[..., FileDescription]) -> Callable[..., int]:
    """Adds an image: its id."""

    def make(
        path: str, *, camera: str = "gate", at: datetime | None = NOON, source: str | None = "name", **facts: Any
    ) -> int:
        naming = Naming(camera, "name", at, source)
        with database.write() as session:
            return images.add_images(session, [NewImage(described(path, **facts), naming, "/frames")], run_id=run_id)[0]

    return make


@pytest.fixture
def decide(database: Database, run_id: int) -> Callable[..., None]:
    """Makes decisions the current ones."""

    def make(*decided: Decision, profile: str = "balanced", at: datetime = NOON, **judged_by: Any) -> None:
        with database.write() as session:
            profile_id = profiles.get_profile(session, profile).id
            decisions.add_decisions(
                session, decided, profile_id=profile_id, at=at, run_id=run_id, **({"judged_by": {}} | judged_by)
            )

    return make


@pytest.fixture
def flagged(
    add: Callable[..., int], decide: Callable[..., None], database: Database
) -> Callable[..., RemovalCandidate]:
    """Adds a duplicate and its keeper: the duplicate as `prune` sees it."""

    def make(name: str = "1", **facts: Any) -> RemovalCandidate:
        keeper, victim = add(f"/frames/keeper {name}.jpg", **facts), add(f"/frames/victim {name}.jpg", **facts)
        decide(Decision(keeper, "new"), Decision(victim, "similar", keeper, 900.0))
        with database.read() as session:
            return next(item for item in decisions.list_removal_candidates(session) if item.victim.image_id == victim)

    return make


@pytest.fixture
def remove(database: Database, run_id: int) -> Callable[..., int]:
    """Takes a flagged file away as far as a state: the id of the journal's row."""

    def make(
        item: RemovalCandidate,
        state: RemovalState = RemovalState.QUARANTINED,
        *,
        at: datetime = NOON,
        run: int | None = None,
    ) -> int:
        place = f"/quarantine/{item.victim.image_id}.jpg"
        with database.write() as session:
            removal_id = removals.begin_removal(
                session, item, act="quarantine", quarantine_path=place, at=at, run_id=run or run_id
            )
            if state is not RemovalState.PLANNED:
                removals.finish_act(session, removal_id, state, at=at)
                images.set_state(session, [item.victim.image_id], ImageState.REMOVED)
            return removal_id

    return make
