"""The database itself lists the images that compare must look at, whatever writes."""

from pathlib import Path

import pytest

from indexer.store import open_images
from indexer.store.cameras import list_cameras
from tests.support.databases import execute
from tests.support.index import BIRD, CAR, Index, name, picture, prepared


@prepared
def lot(index: Index) -> None:
    """A camera with two keepers and a duplicate, decided, and one image that is not."""
    for minute, marks in enumerate([(), (BIRD,), (CAR,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare()
    index.put(name(3), picture(BIRD, stamp=3))
    index.ingest()


def listed(index: Index) -> list[str]:
    """The files that are listed."""
    paths = index.rows("SELECT path FROM images JOIN open_images ON image_id = id ORDER BY path")
    return [Path(path).name for (path,) in paths]


CHANGES = {
    "a decision that is withdrawn": (
        "UPDATE decisions SET superseded_at = decided_at WHERE image_id = {image}",
        [0, 3],
    ),
    "a decision that is deleted": ("DELETE FROM decisions WHERE image_id = {image}", [0, 3]),
    "a thumbnail that is lost": ("DELETE FROM thumbnails WHERE image_id = {image}", [0, 3]),
    "an image that is gone": ("UPDATE images SET state = 'missing' WHERE path LIKE '%{last}'", []),
    "a decision of an image that is gone": (
        "UPDATE images SET state = 'missing' WHERE id = {image}; "
        "UPDATE decisions SET superseded_at = decided_at WHERE image_id = {image}",
        [3],
    ),
    "an image that is back": (
        "UPDATE images SET state = 'missing' WHERE id = {image}; UPDATE images SET state = 'ready' WHERE id = {image}",
        [0, 3],
    ),
    "another time": ("UPDATE images SET mtime_ns = 1 WHERE id = {image}", [3]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_listed(lot: Index, change: str) -> None:
    """Whatever takes the decision or the thumbnail of a ready image lists it, also past the tool."""
    sql, minutes = CHANGES[change]
    (image_id,) = lot.rows("SELECT id FROM images WHERE path LIKE ?", f"%{name(0)}")[0]
    for statement in sql.format(image=image_id, last=name(3)).split("; "):
        execute(lot.database, statement)
    assert listed(lot) == [name(minute) for minute in minutes]


def test_what_is_decided_is_listed_no_more(lot: Index) -> None:
    """Undecided images are counted and listed by camera until they are decided."""
    with lot.database.read() as session:
        camera_id = list_cameras(session)["gate"]
        assert open_images.count_undecided(session) == open_images.count_undecided(session, camera_id=camera_id) == 1
        assert open_images.count_undecided(session, camera_id=camera_id + 1) == 0
        assert len(open_images.list_open(session, camera_id, limit=5)) == 1
        assert open_images.list_open(session, camera_id + 1, limit=5) == []
        assert open_images.list_cameras(session) == [camera_id]
    lot.compare()
    assert listed(lot) == []
