"""Pictures: kept once for an image, and given back as they were."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from indexer.domain.descriptions import Preview
from indexer.store import pins, previews
from indexer.store.database import Database
from indexer.store.tables import PinRow
from tests.support.databases import on_sqlite

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

Add = Callable[..., int]

SMALL, TALL = Preview(180, 320, b"\xff\xd8 small"), Preview(427, 320, b"\xff\xd8 \0 tall")


def test_pictures_come_back_as_they_were(database: Database, add: Add) -> None:
    """Each image has its own picture, with its size and every byte; who has none is left out."""
    small, tall, none = add("/frames/1.jpg"), add("/frames/2.jpg"), add("/frames/3.jpg")
    with database.write() as session:
        assert previews.add_pictures(session, {small: SMALL, tall: TALL})
    with database.read() as session:
        assert previews.load_pictures(session, [small, tall, none]) == {small: SMALL, tall: TALL}
        assert previews.load_pictures(session, [tall]) == {tall: TALL}
        assert previews.list_images_with_picture(session, [none, tall]) == {tall}


def test_more_images_than_a_query_takes(database: Database, add: Add) -> None:
    """As many images may be asked for at once as there are."""
    image_id = add("/frames/1.jpg")
    with database.write() as session:
        previews.add_pictures(session, {image_id: SMALL})
    many = [*range(image_id + 1, image_id + 40_000), image_id]
    with database.read() as session:
        assert previews.list_images_with_picture(session, many) == {image_id}
        assert previews.load_pictures(session, many) == {image_id: SMALL}


@pytest.mark.parametrize("offset", [0, 1])
def test_pictures_that_cannot_be_kept_cost_themselves_alone(
    database: Database, add: Add, run_id: int, offset: int
) -> None:
    """A second picture of an image, or one of no image, is not kept; what else the transaction writes is."""
    image_id = add("/frames/1.jpg")
    with database.write() as session:
        previews.add_pictures(session, {image_id: SMALL})
    with database.write() as session:
        pins.add_pin(session, image_id, reason="pin", at=NOON, run_id=run_id)
        assert not previews.add_pictures(session, {image_id + 1 - offset: TALL, image_id + offset: TALL})
        pins.withdraw_pin(session, image_id, at=NOON)
    with database.read() as session:
        assert previews.load_pictures(session, [image_id]) == {image_id: SMALL}
        assert [row.unpinned_at for row in session.scalars(select(PinRow))] == [NOON]


@on_sqlite
def test_a_full_database_takes_what_is_small(database: Database, add: Add, run_id: int) -> None:
    """Where there is no room for a picture there is still room for a row."""
    image_id = add("/frames/1.jpg")
    with database.write() as session:
        session.execute(text("PRAGMA max_page_count = 1"))
        assert not previews.add_pictures(session, {image_id: Preview(180, 320, bytes(100_000))})
        assert pins.add_pin(session, image_id, reason="pin", at=NOON, run_id=run_id)
    with database.read() as session:
        assert previews.list_images_with_picture(session, [image_id]) == set()
        assert [row.image_id for row in session.scalars(select(PinRow))] == [image_id]
