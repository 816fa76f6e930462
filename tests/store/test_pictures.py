"""Pictures: kept once for an image, and given back as they were."""

from collections.abc import Callable

import pytest

from indexer.errors import DatabaseProblem
from indexer.pixels.pictures import Picture
from indexer.store import pictures
from indexer.store.database import Database

Add = Callable[..., int]

SMALL, TALL = Picture(180, 320, b"\xff\xd8 small"), Picture(427, 320, b"\xff\xd8 \0 tall")


def test_pictures_come_back_as_they_were(database: Database, add: Add) -> None:
    """Each image has its own picture, with its size and every byte; who has none is left out."""
    small, tall, none = add("/frames/1.jpg"), add("/frames/2.jpg"), add("/frames/3.jpg")
    with database.write() as session:
        pictures.add_picture(session, small, SMALL)
        pictures.add_picture(session, tall, TALL)
    with database.read() as session:
        assert pictures.load_pictures(session, [small, tall, none]) == {small: SMALL, tall: TALL}
        assert pictures.load_pictures(session, [tall]) == {tall: TALL}
        assert pictures.list_pictured(session, [none, tall]) == {tall}


def test_more_images_than_a_query_takes(database: Database, add: Add) -> None:
    """As many images may be asked for at once as there are."""
    image_id = add("/frames/1.jpg")
    with database.write() as session:
        pictures.add_picture(session, image_id, SMALL)
    many = [*range(image_id + 1, image_id + 40_000), image_id]
    with database.read() as session:
        assert pictures.list_pictured(session, many) == {image_id}
        assert pictures.load_pictures(session, many) == {image_id: SMALL}


@pytest.mark.parametrize(("offsets", "said"), [((0, 0), "UNIQUE"), ((0, 1), "FOREIGN KEY")])
def test_an_image_has_one_picture(database: Database, add: Add, offsets: tuple[int, ...], said: str) -> None:
    """A second picture of an image is refused, and so is one of no image; nothing of that transaction stays."""
    image_id = add("/frames/1.jpg")
    with pytest.raises(DatabaseProblem, match=said), database.write() as session:
        [pictures.add_picture(session, image_id + offset, SMALL) for offset in offsets]
    with database.read() as session:
        assert pictures.load_pictures(session, [image_id]) == {}
