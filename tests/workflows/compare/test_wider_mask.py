"""The images on which a wider mask is tried: the newest of a camera."""

from pathlib import Path

import pytest

from indexer.store import profiles
from indexer.workflows.compare import wider_mask
from indexer.workflows.compare.wider_mask import NewestImages
from tests.support.index import Index, name, picture, prepared

IN_TIME = [name(minute) for minute in (3, 1, 4, 2)]


@prepared
def place(index: Index) -> None:
    """Four images that were not taken in the order of their names in the index."""
    for number, file in enumerate(IN_TIME):
        index.put(file, picture(stamp=number))
        index.ingest()
    index.compare()


@pytest.mark.parametrize("limit", [2, 4, 9])
def test_the_newest_are_tried(place: Index, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """The newest images are read, oldest first, those without a time before all others, and no more than the limit."""
    monkeypatch.setattr(wider_mask, "MAX_IMAGES_TRIED", limit)
    place.execute("UPDATE images SET captured_at = NULL WHERE path LIKE ?", f"%{IN_TIME[0]}")
    with place.database.read() as session:
        stored = profiles.get_active_profile(session)
    newest = NewestImages(place.database, "gate", 1, stored)
    expected = [IN_TIME[0], *sorted(IN_TIME[1:])][-limit:]
    assert [Path(image.path).name for image in newest.images] == expected
    assert newest.newest is not None
    assert Path(newest.newest.path).name == max(IN_TIME)
    assert {Path(image.path).name for image in newest.kept} <= set(expected)
