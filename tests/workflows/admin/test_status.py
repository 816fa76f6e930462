"""status: the numbers of the index, read and not written."""

import shutil
from datetime import UTC, datetime

from indexer.files.markers import QUARANTINE_NAME
from indexer.store.cameras import CameraSummary
from indexer.workflows.admin.status import status
from tests.support.index import BIRD, CAR, Index, name, picture, prepared


@prepared
def lot(index: Index) -> None:
    """A camera with a keeper, a duplicate, a broken file and one that is gone."""
    for minute, content in enumerate([picture(), picture(BIRD), b"broken", picture(CAR)]):
        index.put(name(minute), content)
    index.ingest()
    index.compare()
    (index.folder / name(3)).unlink()
    index.ingest()


def test_status_counts_every_image_once(lot: Index) -> None:
    """Per camera each image is counted where it belongs, with bytes and the first and last time of what is there."""
    before = lot.dump()
    found = status(lot.database)
    assert found.cameras == (
        CameraSummary(
            camera="gate",
            images=2,
            kept=1,
            duplicates=1,
            undecided=0,
            unreadable=1,
            removed=0,
            missing=1,
            size_bytes=len(picture()) + len(picture(BIRD)),
            first_captured_at=datetime(2021, 6, 16, 12, 0, tzinfo=UTC),
            last_captured_at=datetime(2021, 6, 16, 12, 1, tzinfo=UTC),
        ),
    )
    assert (found.profile, found.database, found.left_open) == ("balanced", lot.database.name, 0)
    assert lot.dump() == before


def test_status_names_removed_images_without_a_keeper(lot: Index) -> None:
    """What lies in quarantine is counted, and a removed image whose keeper is gone is listed."""
    lot.prune()
    found = status(lot.database)
    assert (found.quarantined, found.quarantined_bytes, found.unwitnessed) == (1, len(picture(BIRD)), ())
    lot.put(name(0), picture(CAR))
    lot.ingest()
    assert [lot.file(removal.path) for removal in status(lot.database).unwitnessed] == [name(1)]


def test_status_counts_times_that_a_wrong_clock_gave(lot: Index) -> None:
    """Images of a clock that was reset are taken in, and counted."""
    lot.put("reset_19700101_000312.png", picture())
    lot.put("ahead.png", picture(), mtime_s=10**9)
    lot.ingest()
    assert status(lot.database).unlikely_times == 2


def test_status_of_an_empty_index(index: Index) -> None:
    """An index without images has no cameras."""
    assert (status(index.database).cameras, status(index.database).quarantined) == ((), 0)


def test_status_names_folders_and_quarantines_that_are_gone(lot: Index) -> None:
    """A quarantine that was deleted, and the outermost folder that was renamed, are named."""
    lot.prune()
    shutil.rmtree(lot.folder.parent / QUARANTINE_NAME)
    assert status(lot.database).missing_quarantines == (str(lot.folder.parent / QUARANTINE_NAME),)
    assert status(lot.database).missing_folders == ()
    lot.folder.rename(lot.folder.with_name("renamed"))
    assert status(lot.database).missing_folders == (str(lot.folder),)
    lot.folder.parent.rename(lot.folder.parent.with_name("renamed"))
    assert status(lot.database).missing_folders == (str(lot.folder.parent),)


def test_status_counts_pins(lot: Index) -> None:
    """The images that a person pinned are counted, and those of another reason are not."""
    lot.prune()
    lot.pin(name(0))
    assert status(lot.database).pins == 1
