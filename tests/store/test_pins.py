"""Pins: an image is pinned because a person said so, or because a removed image has nobody else to stand for it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from indexer.domain.removal import RemovalCandidate, RemovalState
from indexer.errors import DatabaseError
from indexer.store import pins, removals
from indexer.store.cameras import list_cameras
from indexer.store.database import Database
from indexer.store.ranked_images import list_present
from indexer.store.tables import ImageRow, PinRow

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)

Add = Callable[..., int]


def pinned(database: Database) -> set[int]:
    with database.read() as session:
        return set(session.scalars(select(ImageRow.id).where(pins.is_pinned(ImageRow.id))))


def pinned_by_person(database: Database) -> set[int]:
    with database.read() as session:
        return set(session.scalars(select(ImageRow.id).where(pins.is_pinned_by_person(ImageRow.id))))


def test_a_person_pins_and_unpins(database: Database, add: Add, run_id: int) -> None:
    """A pin holds until it is withdrawn, for that image alone, and setting or taking it twice changes nothing."""
    image_id, _ = add("/frames/1.jpg"), add("/frames/2.jpg")
    with database.write() as session:
        changed = [pins.add_pin(session, image_id, reason="pin", at=NOON, run_id=run_id) for _ in range(2)]
    assert (changed, pinned(database), pinned_by_person(database)) == ([True, False], {image_id}, {image_id})
    with database.write() as session:
        changed = [pins.withdraw_pin(session, image_id, at=LATER) for _ in range(2)]
    assert (changed, pinned(database)) == ([True, False], set())


def test_pins_are_remembered(database: Database, add: Add, run_id: int) -> None:
    """A withdrawn pin stays as a row with both times; a new one is another row."""
    image_id = add("/frames/1.jpg")
    with database.write() as session:
        pins.add_pin(session, image_id, reason="pin", at=NOON, run_id=run_id)
        pins.withdraw_pin(session, image_id, at=LATER)
        pins.add_pin(session, image_id, reason="restore", at=LATER, run_id=run_id)
    with database.read() as session:
        rows = [(row.reason, row.pinned_at, row.unpinned_at) for row in session.scalars(select(PinRow))]
    assert rows == [("pin", NOON, LATER), ("restore", LATER, None)]


def test_one_pin_holds(database: Database, add: Add, run_id: int) -> None:
    """The database refuses a second pin of an image while one holds."""
    pin = {"image_id": add("/frames/1.jpg"), "reason": "pin", "pinned_at": NOON, "run_id": run_id}
    with pytest.raises(DatabaseError, match=r"(?i)unique"), database.write() as session:
        session.execute(insert(PinRow), [pin, pin])
    assert pinned(database) == set()


@pytest.mark.parametrize(
    ("state", "holds"),
    [
        (RemovalState.PLANNED, True),
        (RemovalState.QUARANTINED, True),
        (RemovalState.DELETED, True),
        (RemovalState.PURGED, True),
        (RemovalState.RESTORED, False),
        (RemovalState.FAILED, False),
    ],
)
def test_keepers_of_removed_images_are_pinned(
    database: Database,
    flagged: Callable[..., RemovalCandidate],
    remove: Callable[..., int],
    state: RemovalState,
    holds: bool,
) -> None:
    """An image is pinned while an unrestored removal names it as keeper, and no person needs to have said so."""
    item = flagged()
    remove(item, state)
    assert (pinned(database), pinned_by_person(database)) == ({item.keeper.image_id} if holds else set(), set())


def test_one_removed_image_of_two_is_enough(
    database: Database, flagged: Callable[..., RemovalCandidate], remove: Callable[..., int]
) -> None:
    """A keeper stays pinned until the last image it stands for is back."""
    item = flagged()
    first, second = remove(item), remove(item)
    seen = []
    for removal_id in (first, second):
        with database.write() as session:
            removals.finish_act(session, removal_id, RemovalState.RESTORED, at=LATER)
        seen.append(pinned(database))
    assert seen == [{item.keeper.image_id}, set()]


def test_present_images_know_their_pins(
    database: Database, add: Add, flagged: Callable[..., RemovalCandidate], remove: Callable[..., int], run_id: int
) -> None:
    """The images of a camera come with whether they are pinned, by a person or as keeper."""
    item, by_person, free = flagged(), add("/frames/1.jpg"), add("/frames/2.jpg")
    remove(item)
    with database.write() as session:
        pins.add_pin(session, by_person, reason="pin", at=NOON, run_id=run_id)
        present = list_present(session, list_cameras(session)["gate"], preparation_id=None)
    assert {image.id: image.pinned for image in present} == {item.keeper.image_id: True, by_person: True, free: False}
