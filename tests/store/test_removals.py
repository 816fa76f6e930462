"""Removals: the journal says before an act what is about to happen, and afterwards what did."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalCandidate, RemovalState
from indexer.errors import DatabaseError
from indexer.store import images, removals, runs
from indexer.store.database import Database
from indexer.store.removals import JournalEntry
from indexer.store.tables import RemovalRow

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)

Flag = Callable[..., RemovalCandidate]
Remove = Callable[..., int]


def removal_of(item: RemovalCandidate, removal_id: int, **facts: Any) -> JournalEntry:
    """The journal's row of a file in quarantine."""
    facts = {"pending": None, "problem": None, "state": RemovalState.QUARANTINED, "removed_at": NOON} | facts
    return JournalEntry(
        id=removal_id,
        image_id=item.victim.image_id,
        keeper_id=item.keeper.image_id,
        camera="gate",
        path=item.victim.path,
        keeper_path=item.keeper.path,
        keeper_state=ImageState.READY,
        keeper_size_bytes=item.keeper.size_bytes,
        size_bytes=item.victim.size_bytes,
        content_hash=item.victim.content_hash,
        keeper_hash=item.keeper.content_hash,
        quarantine_path=f"/quarantine/{item.victim.image_id}.jpg",
        run_id=1,
        aside_path=None,
        recorded=True,
        held_back=False,
        run_token="",
        **facts,
    )


def times(database: Database, removal_id: int) -> tuple[datetime | None, ...]:
    """When a file was removed, restored, purged."""
    with database.read() as session:
        row = session.get_one(RemovalRow, removal_id)
        return row.removed_at, row.restored_at, row.purged_at


def test_an_act_is_written_down_before_it_happens(database: Database, flagged: Flag, remove: Remove) -> None:
    """A removal that was begun is open, planned, with where the file goes, and nothing is in quarantine yet."""
    item = flagged()
    removal_id = remove(item, RemovalState.PLANNED)
    planned = removal_of(item, removal_id, state=RemovalState.PLANNED, pending="quarantine", removed_at=None)
    with database.read() as session:
        assert (removals.list_pending(session), removals.list_quarantined(session)) == ([planned], [])
        assert session.scalars(select(RemovalRow.planned_at)).one() == NOON


def test_a_finished_act_is_not_open(database: Database, flagged: Flag, remove: Remove) -> None:
    """A file that was moved is in quarantine since that moment, and nothing is open."""
    item = flagged()
    removal_id = remove(item)
    with database.read() as session:
        assert removals.list_pending(session) == []
        assert removals.list_quarantined(session) == [removal_of(item, removal_id)]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RemovalState.DELETED, (LATER, None, None)),
        (RemovalState.QUARANTINED, (LATER, None, None)),
        (RemovalState.RESTORED, (NOON, LATER, None)),
        (RemovalState.PURGED, (NOON, None, LATER)),
        (RemovalState.FAILED, (NOON, None, None)),
    ],
)
def test_each_end_has_its_time(
    database: Database, flagged: Flag, remove: Remove, state: RemovalState, expected: tuple[datetime | None, ...]
) -> None:
    """Removed, restored and purged are three times; finishing an act writes its own and leaves the others."""
    removal_id = remove(flagged())
    with database.write() as session:
        removals.finish_act(session, removal_id, state, at=LATER)
    assert times(database, removal_id) == expected


def test_an_act_that_failed_leaves_the_times(database: Database, flagged: Flag, remove: Remove) -> None:
    """A restore or purge that failed leaves the file in quarantine as before, with the problem, and is not open."""
    item = flagged()
    removal_id = remove(item)
    with database.write() as session:
        removals.begin_act(session, removal_id, act="restore")
        assert removals.list_pending(session) == [removal_of(item, removal_id, pending="restore")]
    with database.write() as session:
        removals.finish_act(session, removal_id, RemovalState.QUARANTINED, at=LATER, problem="in the way")
    with database.read() as session:
        assert removals.list_pending(session) == []
        assert removals.list_quarantined(session) == [removal_of(item, removal_id, problem="in the way")]


def test_a_later_success_forgets_the_problem(database: Database, flagged: Flag, remove: Remove) -> None:
    """The problem of a row is that of its last act."""
    item = flagged()
    removal_id = remove(item)
    with database.write() as session:
        removals.finish_act(session, removal_id, RemovalState.QUARANTINED, at=LATER, problem="in the way")
        removals.finish_act(session, removal_id, RemovalState.PURGED, at=LATER)
        (found,) = removals.list_for_image(session, item.victim.image_id)
    assert (found.state, found.problem) == (RemovalState.PURGED, None)


def test_a_failed_check_is_written_down(database: Database, flagged: Flag) -> None:
    """A file that was left alone because a check failed has a row that says so, not open and not in quarantine."""
    item = flagged()
    with database.write() as session:
        removals.add_failure(session, item, problem="its keeper has changed", at=LATER, run_id=1)
        (found,) = removals.list_for_image(session, item.victim.image_id)
        assert (removals.list_pending(session), removals.list_quarantined(session)) == ([], [])
    expected = removal_of(item, found.id, state=RemovalState.FAILED, problem="its keeper has changed", removed_at=None)
    assert found == replace(expected, quarantine_path=None, recorded=False)


def test_quarantine_by_run_and_age(database: Database, flagged: Flag, remove: Remove) -> None:
    """Files in quarantine come oldest first, those of one run, or those removed before a moment."""
    with database.write() as session:
        other_run = runs.start_run(session, "prune", arguments={}, at=LATER)
    first = remove(flagged("1"), at=NOON)
    second = remove(flagged("2"), at=LATER, run=other_run)
    remove(flagged("3"), RemovalState.PURGED)

    def ids(**asked: Any) -> list[int]:
        with database.read() as session:
            return [removal.id for removal in removals.list_quarantined(session, **asked)]

    assert (ids(), ids(run_id=other_run), ids(run_id=999)) == ([first, second], [second], [])
    assert (ids(removed_before=LATER), ids(removed_before=LATER + timedelta(microseconds=1))) == ([first], ids())


@pytest.mark.parametrize("state", RemovalState)
@pytest.mark.parametrize("keeper", [ImageState.READY, ImageState.MISSING, ImageState.REMOVED])
def test_unwitnessed(
    database: Database, flagged: Flag, remove: Remove, state: RemovalState, keeper: ImageState
) -> None:
    """A removed file is unwitnessed if its keeper is not present; one that is back, or never went, is not."""
    item = flagged()
    removal_id = remove(item, state)
    with database.write() as session:
        images.set_state(session, [item.keeper.image_id], keeper)
        found = [(removal.id, removal.keeper_state) for removal in removals.list_unwitnessed(session)]
    away = state not in {RemovalState.RESTORED, RemovalState.FAILED}
    assert found == ([(removal_id, keeper)] if away and keeper is not ImageState.READY else [])


def test_the_journal_follows_the_keeper(
    database: Database, flagged: Flag, remove: Remove, described: Callable[..., Any]
) -> None:
    """A keeper that moved is found where it is now; the row itself says where it was."""
    item = flagged()
    remove(item)
    with database.write() as session:
        known = images.list_known(session, [item.keeper.path])[item.keeper.path]
        seen = described("/elsewhere/k.jpg", content_hash=known.content_hash)
        images.relocate_image(session, known.id, seen, naming=known.naming, root="/elsewhere")
        (removal,) = removals.list_quarantined(session)
        then = session.scalars(select(RemovalRow.keeper_path)).one()
    assert (removal.keeper_path, then) == ("/elsewhere/k.jpg", item.keeper.path)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "ck_removals_state"),
        ({"pending": "sell"}, "ck_removals_pending"),
        ({"state": "planned"}, "ck_removals_planned_is_pending"),
        ({"keeper_id": 999}, "(?i)foreign key"),
        ({"content_hash": None}, "(?i)not.null"),
    ],
)
def test_the_database_refuses(
    database: Database, flagged: Flag, remove: Remove, values: dict[str, Any], constraint: str
) -> None:
    """Unknown states and acts, a plan with nothing pending, a row without keeper or hash: the database refuses them."""
    remove(flagged())
    with pytest.raises(DatabaseError, match=constraint), database.write() as session:
        session.execute(update(RemovalRow).values(**values))
