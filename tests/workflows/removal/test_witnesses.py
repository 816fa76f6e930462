"""Witnesses survive: what stands for a removed image stays, whatever index, backup, name or mount the next command
comes by."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps, witness_record
from indexer.files.markers import QUARANTINE_MARKER, QUARANTINE_NAME
from indexer.files.witness_record import RECORD_NAME
from indexer.store.database import Database
from indexer.workflows.removal import safeguards
from indexer.workflows.removal.rescue import rescue
from tests.support.index import BIRD, Index, name, picture, prepared
from tests.support.own_files import OWN_FILES

REMOVED, WITNESS, LARGER = name(0), name(1), name(2)


@prepared
def lot(index: Index) -> None:
    """A camera of which one image is to be removed, as another stands for it."""
    index.put(REMOVED, picture(stamp=1))
    index.put(WITNESS, picture(BIRD))
    index.ingest()
    index.pin(WITNESS)
    index.compare()
    index.unpin(WITNESS)
    assert [one.victim.path for one in index.plan().victims] == [str(index.folder / REMOVED)]


def come_by(other: Index, **how: Any) -> Any:
    """Another index meets the folder, in which a larger image of the same place arrived, and prunes."""
    other.put(LARGER, picture(BIRD, height=128, width=192))
    other.ingest()
    other.compare()
    victims = {other.file(one.victim.path) for one in other.plan().victims}
    report = other.prune(**how)
    assert WITNESS in victims, "the test is about nothing"
    return report


def there(lot: Index) -> set[str]:
    """The images in the folder."""
    return {path.name for path in lot.folder.rglob("*.png") if QUARANTINE_NAME not in path.parts}


WAYS: dict[str, Callable[[Index, Path], Any]] = {
    "for good": lambda lot, _: lot.prune(permanent=True),
    "to quarantine": lambda lot, _: lot.prune(),
    "to another quarantine": lambda lot, folder: lot.prune(quarantine=str(folder / "elsewhere")),
    "purged": lambda lot, _: (lot.prune(), lot.purge()),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("permanent", [True, False])
def test_second_index_keeps_the_witness(
    lot: Index, others: Callable[..., Index], tmp_path: Path, way: str, permanent: bool
) -> None:
    """An index that knows nothing of a removal leaves what stands for it alone, says why, and adds no row for it."""
    WAYS[way](lot, tmp_path)
    second = others(lot)
    report = come_by(second, permanent=permanent)
    assert (report.removed, report.failures, there(lot)) == (0, [], {WITNESS, LARGER})
    [(path, why)] = report.protected
    assert (second.file(path), str(lot.folder / REMOVED) in why) == (WITNESS, True)
    assert second.removals() == []


@pytest.mark.parametrize("way", WAYS)
def test_index_from_a_backup_keeps_the_witness(
    lot: Index, others: Callable[..., Index], tmp_path: Path, way: str
) -> None:
    """An index that was restored from a backup of before the removal leaves what stands for it alone."""
    old = others(lot, copy=True)
    WAYS[way](lot, tmp_path)
    report = come_by(old, permanent=True)
    assert (report.removed, len(report.protected), there(lot)) == (0, 1, {WITNESS, LARGER})


def test_index_of_the_folder_above_keeps_the_witness(lot: Index, others: Callable[..., Index]) -> None:
    """An index whose folder is another one, above or below, reads the same records."""
    lot.prune(permanent=True)
    above = others(lot)
    above.folder = lot.folder.parent
    report = above.ingest(), above.put(f"frames/{LARGER}", picture(BIRD, height=128, width=192))
    above.ingest(camera="gate")
    above.compare()
    report = above.prune(permanent=True)
    assert (report.removed, len(report.protected)) == (0, 1)


def test_witness_goes_while_another_file_of_its_content_stays(lot: Index, others: Callable[..., Index]) -> None:
    """What stands for a removed image is its content: one file of it goes if another one stays, and no more."""
    lot.prune(permanent=True)
    copies = [f"copies/{name(minute)}" for minute in (3, 4)]
    for copy in copies:
        lot.put(copy, picture(BIRD))
    report = come_by(others(lot), permanent=True)
    left = [path for path in lot.folder.rglob("*.png") if path.read_bytes() == picture(BIRD)]
    assert len(left) == 1, report
    assert report.removed == 2


def test_copy_that_no_record_speaks_for_does_not_count(
    lot: Index, others: Callable[..., Index], tmp_path: Path
) -> None:
    """A copy of the witness in another folder, above which no record tells of the removal, does not let it go."""
    lot.prune(permanent=True)
    apart = tmp_path / "apart" / "frames"
    apart.mkdir(parents=True)
    for folder, minute in ((lot.folder, 2), (apart, 3)):
        (folder / name(minute)).write_bytes(picture(BIRD, height=128, width=192, stamp=minute))
    (apart / name(1)).write_bytes(picture(BIRD))
    second = others(lot)
    second.ingest(lot.folder, apart)
    second.compare()
    second.prune(permanent=True)
    second.prune(permanent=True)
    assert (lot.folder / WITNESS).read_bytes() == picture(BIRD)


def test_folder_that_became_a_link_is_recorded_where_it_is(lot: Index, others: Callable[..., Index]) -> None:
    """A folder that was moved and linked to after it was taken in has its record beside its real place."""
    moved = lot.folder.parent / "big" / "frames"
    moved.parent.mkdir()
    lot.folder.rename(moved)
    lot.folder.symlink_to(moved)
    assert lot.prune(permanent=True).removed == 1
    assert [path.parent.parent.name for path in lot.folder.parent.rglob(RECORD_NAME)] == ["big"]
    second = others(lot)
    second.folder = moved
    report = come_by(second, permanent=True)
    assert (report.removed, len(report.protected)) == (0, 1)


def test_quarantine_in_a_folder_with_other_files(lot: Index, tmp_path: Path, others: Callable[..., Index]) -> None:
    """A folder that holds other files is not made a quarantine: one is made in it, and its images are still walked."""
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / name(7)).write_bytes(picture())
    assert lot.prune(quarantine=str(photos)).removed == 1
    assert [path.name for path in photos.iterdir()] == [name(7), QUARANTINE_NAME] or len(list(photos.iterdir())) == 2
    second = others(lot)
    assert dict(second.ingest(photos).outcomes) == {"added": 1}
    assert lot.restore(pin=False).restored == 1


def test_lock_that_another_holds_ends_the_run(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another command that holds a lock for too long ends the run at the first file, with the reason."""

    def busy(*_given: Any, **_more: Any) -> Any:
        raise TimeoutError(110, "another command is moving a file there", "lock")

    lot.put(f"day/{REMOVED}", picture(stamp=1))
    lot.ingest(camera="gate")
    lot.compare()
    monkeypatch.setattr(safeguards, "lock_folders", busy)
    before = lot.tree()
    report = lot.prune()
    assert (report.removed, len(report.failures), lot.tree()) == (0, 1, before)
    assert "another command is moving a file there" in (report.stopped or "")


def test_witness_goes_when_the_removed_image_is_back(lot: Index, others: Callable[..., Index]) -> None:
    """With the removed image at its path again nothing needs to stand for it; what came back is held back itself."""
    content = (lot.folder / REMOVED).read_bytes()
    lot.prune(permanent=True)
    (lot.folder / REMOVED).write_bytes(content)
    report = come_by(others(lot), permanent=True)
    assert (report.protected, there(lot)) == ([], {LARGER, REMOVED})


@pytest.mark.parametrize("way", ["restore", "rescue", "ingest"])
def test_return_is_written_down(lot: Index, others: Callable[..., Index], way: str) -> None:
    """restore, rescue, and ingest of an index that knows the removal write that it has ended: also for the time when
    the image is gone again by a person's hand."""
    lot.prune()
    if way == "restore":
        lot.restore(pin=False)
    else:
        rescue(str(lot.folder.parent / QUARANTINE_NAME))
        lot.ingest() if way == "ingest" else None
    (lot.folder / REMOVED).unlink()
    report = come_by(others(lot), permanent=True)
    assert (report.protected, WITNESS in there(lot)) == ([], False)


@pytest.mark.parametrize("permanent", [True, False])
@pytest.mark.parametrize("obstacle", ["full", "a link", "a folder", "closed"])
def test_no_record_no_removal(
    lot: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, permanent: bool, obstacle: str
) -> None:
    """Where the record cannot be written, nothing is removed, and the reason is reported."""
    folder = lot.folder.parent / QUARANTINE_NAME
    folder.mkdir()
    if obstacle == "a link":
        (folder / RECORD_NAME).symlink_to(tmp_path / "nowhere")
    elif obstacle == "a folder":
        (folder / RECORD_NAME).mkdir()
    else:
        real, number = io_steps.append, 28 if obstacle == "full" else 13

        def refusing(path: str, data: bytes) -> None:
            if path.endswith(RECORD_NAME):
                raise OSError(number, os.strerror(number), path)
            real(path, data)

        monkeypatch.setattr(io_steps, "append", refusing)
    before = lot.tree()
    report = lot.prune(permanent=permanent)
    assert (report.removed, len(report.failures), lot.tree()) == (0, 1, before)
    assert "record" in report.failures[0][1]
    assert not (tmp_path / "nowhere").exists()


def test_record_that_cannot_be_read_keeps_all(lot: Index, others: Callable[..., Index]) -> None:
    """A record near a file that cannot be read keeps it: nobody can tell what it stands for."""
    lot.prune(permanent=True)
    record = lot.folder.parent / QUARANTINE_NAME / RECORD_NAME
    record.unlink()
    os.mkfifo(record)
    report = come_by(others(lot), permanent=True)
    assert (report.removed, there(lot)) == (0, {WITNESS, LARGER})


@pytest.mark.parametrize("act", ["prune", "purge"])
def test_removals_of_an_earlier_version_are_recorded(lot: Index, others: Callable[..., Index], act: str) -> None:
    """What was removed before there were records is in them after the next command that removes files, once."""
    lot.prune(permanent=True)
    record = lot.folder.parent / QUARANTINE_NAME / RECORD_NAME
    record.unlink()
    lot.execute("UPDATE removals SET recorded = ?", False)
    for _ in range(2):
        getattr(lot, act)()
    assert len(record.read_text().split()) > 0
    assert record.read_text().count('"removed"') == 1
    report = come_by(others(lot), permanent=True)
    assert (report.removed, len(report.protected), there(lot)) == (0, 1, {WITNESS, LARGER})


def test_earlier_removals_wait_for_their_folder(lot: Index, tmp_path: Path) -> None:
    """While the folder of an earlier removal is away nothing is written in its place; later it is."""
    lot.prune(permanent=True)
    (lot.folder.parent / QUARANTINE_NAME / RECORD_NAME).unlink()
    lot.execute("UPDATE removals SET recorded = ?", False)
    site = lot.folder.parent.rename(tmp_path / "away")
    lot.purge()
    assert not lot.folder.parent.exists()
    site.rename(lot.folder.parent)
    lot.purge()
    assert (lot.folder.parent / QUARANTINE_NAME / RECORD_NAME).exists()


def test_marker_lock_and_record_stay(lot: Index) -> None:
    """What protects other files stays when the quarantine is empty: after restore, and after purge."""
    for act in (lot.restore, lot.purge):
        lot.prune()
        act()
        lot.compare()
        left = {path.name for path in (lot.folder.parent / QUARANTINE_NAME).iterdir()}
        assert left == {QUARANTINE_MARKER, "lock", RECORD_NAME}


def test_records_of_two_roots(database: Database, tmp_path: Path, others: Callable[..., Index]) -> None:
    """Where a file and its keeper lie in folders apart, the record beside each of them tells."""
    lot = Index(database, tmp_path / "a" / "frames")
    for folder, file, content in (("a", REMOVED, picture(stamp=1)), ("b", WITNESS, picture(BIRD))):
        (tmp_path / folder / "frames").mkdir(parents=True)
        (tmp_path / folder / "frames" / file).write_bytes(content)
    lot.ingest(tmp_path / "a" / "frames", tmp_path / "b" / "frames")
    lot.compare()
    [victim] = lot.plan().victims
    assert lot.prune(permanent=True).removed == 1
    records = sorted(path.parent.parent.name for path in tmp_path.rglob(RECORD_NAME))
    assert records == ["a", "b"]
    kept = Path(victim.keeper.path)
    second = others(lot)
    second.folder = kept.parent
    report = come_by_keeper(second, kept)
    assert (report.removed, len(report.protected), kept.exists()) == (0, 1, True)


def come_by_keeper(other: Index, kept: Path) -> Any:
    """Another index, of the keeper's folder alone, gets a larger image of the same and prunes."""
    other.put(LARGER, picture(BIRD, height=128, width=192))
    other.ingest()
    other.compare()
    assert [one.victim.path for one in other.plan().victims] == [str(kept)]
    return other.prune(permanent=True)


def test_quarantine_elsewhere_is_no_folder_of_images(lot: Index, tmp_path: Path) -> None:
    """A quarantine that a person named is not taken in when a folder above it is, whatever it was renamed to."""
    lot.prune(quarantine=str(tmp_path / "site" / "removed"))
    (tmp_path / "site" / "removed").rename(tmp_path / "site" / "renamed")
    report = lot.ingest(tmp_path / "site")
    assert (dict(report.outcomes), dict(report.skipped)) == (
        {"unchanged": 1, "skipped": 1},
        {"a quarantine of indexer": 1},
    )


def test_images_in_a_quarantine_stand_for_nothing(lot: Index, tmp_path: Path) -> None:
    """An image that an earlier version took in from a quarantine is neither removed nor a keeper."""
    lot.prune(quarantine=str(tmp_path / "site" / "removed"))
    [place] = (tmp_path / "site" / "removed").rglob("*.png")
    lot.execute("UPDATE images SET path = ? WHERE id = 2", str(place))
    lot.execute("UPDATE images SET state = 'ready' WHERE id = 1")
    lot.execute("UPDATE removals SET state = 'restored'")
    (lot.folder / REMOVED).write_bytes(picture(stamp=1))
    place.write_bytes(picture(BIRD))
    assert len(lot.plan().victims) == 1
    report = lot.prune(permanent=True)
    assert (report.removed, len(report.protected)) == (0, 1)
    assert "lies in the quarantine" in report.protected[0][1]


@pytest.fixture
def equal(database: Database, tmp_path: Path) -> Index:
    """Three files of one content: one is kept, two are planned."""
    index = Index(database, tmp_path / "site" / "frames")
    for minute in range(3):
        index.put(name(minute), picture())
    index.ingest()
    index.compare()
    return index


def test_equal_files_go_but_for_one(equal: Index) -> None:
    """Of files of one content all go but the one that is kept, as ever."""
    assert (equal.prune(permanent=True).removed, there(equal)) == (2, {name(0)})


def as_one_file(monkeypatch: pytest.MonkeyPatch, *paths: Path, links: int = 1) -> None:
    """Makes paths look like one file with so many names, as a folder that is mounted twice shows it."""
    real, first = os.lstat, os.lstat(paths[0])
    alike = {str(path) for path in paths}

    def lstat(path: Any, **more: Any) -> os.stat_result:
        found = real(path, **more)
        if str(path) not in alike:
            return found
        values = list(found)
        values[1], values[3] = first.st_ino, links
        extra = {key: getattr(found, key) for key in ("st_atime_ns", "st_mtime_ns", "st_ctime_ns")}
        return os.stat_result(values, extra)

    monkeypatch.setattr(safeguards.os, "lstat", lstat)


@pytest.mark.parametrize("pinned", [False, True])
def test_second_name_of_an_image_is_left_alone(equal: Index, monkeypatch: pytest.MonkeyPatch, pinned: bool) -> None:
    """A file that more indexed paths lead to than it has names is not removed under one of them."""
    if pinned:
        equal.pin(name(1))
        equal.compare()
    as_one_file(monkeypatch, *(equal.folder / name(minute) for minute in (1, 2)))
    report = equal.prune(permanent=True)
    assert {name(1), name(2)} <= there(equal)
    assert all("is the same file under another name" in why for _, why in report.protected)
    assert (len(report.protected), report.hard_links) == ((0, 1) if pinned else (1, 0))


def test_real_hard_links_go(equal: Index) -> None:
    """Real hard links have a name each: those that are planned go, and the kept file stays."""
    (equal.folder / name(2)).unlink()
    os.link(equal.folder / name(1), equal.folder / name(2))
    assert (equal.prune(permanent=True).removed, there(equal)) == (2, {name(0)})


@pytest.mark.parametrize("permanent", [True, False])
def test_keeper_that_goes_with_its_duplicate_brings_it_back(
    lot: Index, monkeypatch: pytest.MonkeyPatch, permanent: bool
) -> None:
    """If the keeper vanishes as the duplicate's name goes, being the same file behind another mount, it comes back."""
    real, path, keeper = io_steps.unlink, str(lot.folder / REMOVED), lot.folder / WITNESS

    def unlinking(gone: str) -> None:
        real(gone)
        if gone == path:
            keeper.rename(keeper.with_suffix(".hidden"))

    monkeypatch.setattr(io_steps, "unlink", unlinking)
    report = lot.prune(permanent=permanent)
    assert (report.removed, len(report.failures)) == (0, 1)
    assert (lot.folder / REMOVED).read_bytes() == picture(stamp=1)
    assert lot.removals() == [(REMOVED, "failed")]
    assert {path.name for path in lot.folder.parent.rglob(".indexer-*")} <= {QUARANTINE_NAME, QUARANTINE_MARKER}


def test_lines_name_index_run_and_both_files(lot: Index) -> None:
    """The record says which index and run removed what, and what stands for it, by content and by path."""
    run_id = lot.prune(permanent=True).run_id
    record = lot.folder.parent / QUARANTINE_NAME / RECORD_NAME
    ((token, username, hostname),) = lot.rows("SELECT token, username, hostname FROM runs WHERE id = ?", run_id)
    ((index_id,),) = lot.rows("SELECT id FROM index_identity")
    [said] = witness_record.read_lines(str(record.parent))
    hashes = dict(lot.rows("SELECT path, content_hash FROM images"))
    removed, standing = str(lot.folder / REMOVED), str(lot.folder / WITNESS)
    assert (said.index_id, said.run_token, said.event) == (index_id, token, "removed")
    assert (said.removed_path, said.removed_hash) == (removed, hashes[removed])
    assert (said.witness_path, said.witness_hash) == (standing, hashes[standing])
    assert (len(token), bool(username), bool(hostname)) == (32, True, True)
    assert oct(record.stat().st_mode & 0o777) == "0o600"


def test_own_files_are_what_a_test_thinks(lot: Index) -> None:
    """Nothing else of our own lies in a quarantine than the names that tests leave out."""
    lot.prune()
    folder = lot.folder.parent / QUARANTINE_NAME
    assert {path.name for path in folder.rglob("*") if path.is_file()} - OWN_FILES == {REMOVED}
