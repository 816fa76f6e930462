"""Other indexes of a folder: named before an ingest by what lies near the images, or by the list of those in use."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.descriptions import Limits
from indexer.execution import local_executor
from indexer.files.known_indexes import KnownIndex
from indexer.files.markers import QUARANTINE_MARKER, QUARANTINE_NAME
from indexer.files.witness_record import RECORD_NAME
from indexer.store.database import Database
from indexer.store.index_identity import get_index_id
from indexer.store.schema import open_database
from indexer.workflows.admin.copy_index import copy
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.ingest import ingest
from indexer.workflows.ingest.other_indexes import OtherIndex, list_other_indexes
from indexer.workflows.removal.adopt import adopt
from indexer.workflows.runs.run import name_of_user
from tests.support.databases import Maker
from tests.support.index import Index, name, picture, prepared

KEEPER, VICTIM, BELOW = name(0), name(1), f"sub/{name(2)}"


@prepared
def lot(index: Index) -> None:
    """A camera of which one image is a duplicate, and a folder below with another camera's."""
    index.put(KEEPER, picture())
    index.put(VICTIM, picture(stamp=1))
    index.put(f"sub/{name(2, 'road')}", picture(stamp=2))
    index.ingest()
    index.compare()
    assert len(index.plan().victims) == 1


def others_of(
    database: Database | None, *folders: Path | str, known: Any = (), is_named: bool = True, address: str = "/new.db"
) -> list[OtherIndex]:
    """The other indexes of folders, as an ingest with an index would find them."""
    address = address if database is None else database.address
    found = discover([str(folder) for folder in folders])
    return list(list_other_indexes(database, found, address=address, known=known, is_named=is_named))


def index_id(database: Database) -> str:
    """The id of an index."""
    with database.read() as session:
        return get_index_id(session)


def listed(index: Index, *folders: Path | str, **other: Any) -> KnownIndex:
    """An index as it is in the list."""
    used = datetime(2026, 1, 1, tzinfo=UTC)
    folders_of = tuple(map(str, folders or (index.folder,)))
    entry = KnownIndex(index.database.address, index_id(index.database), folders_of, used, "ada", "box")
    return replace(entry, **other)


WAYS: dict[str, Callable[[Index], Any]] = {
    "to quarantine": lambda lot: lot.prune(),
    "for good": lambda lot: lot.prune(permanent=True),
    "to a quarantine elsewhere": lambda lot: lot.prune(quarantine=str(lot.folder.parent.parent / "bin")),
    "purged": lambda lot: (lot.prune(), lot.purge()),
    "restored": lambda lot: (lot.prune(), lot.restore()),
}
RELATED = {"the same": ".", "below": "sub", "above": ".."}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("related", RELATED)
def test_index_that_removed_files_is_named(lot: Index, others: Callable[..., Index], way: str, related: str) -> None:
    """A new index of the folder, of one above or of one below hears of it: which, whose, where, and when."""
    WAYS[way](lot)
    folder = lot.folder / RELATED[related]
    second = others(lot)
    for database in (None, second.database):
        [other] = others_of(database, folder)
        assert (other.index_id, other.address) == (index_id(lot.database), lot.database.address)
        assert (other.is_source, other.is_same, other.gone_from) == (False, False, "")
        assert other.username
        assert other.last_used is not None
        assert other.last_used.date() == lot.clock().date()
        assert other.folder == os.path.realpath(lot.folder / "sub" if related == "below" else lot.folder)
    assert second.dump() == others(lot).dump()


def test_index_that_removed_nothing_leaves_no_mark(lot: Index) -> None:
    """An ingest writes nothing beside the images, and so nobody is named."""
    assert others_of(None, lot.folder) == []
    assert [path for path in lot.folder.parent.rglob(".indexer*")] == []


def test_folder_beside_is_none_of_it(lot: Index) -> None:
    """A folder that shares the quarantine beside it with another index's, and no image, is not asked about."""
    beside = lot.folder.parent / "other"
    shutil.copytree(lot.folder, beside)
    lot.prune()
    assert others_of(None, beside) == []
    assert [other.folder for other in others_of(None, beside, lot.folder)] == [str(lot.folder)]


def test_lone_file(lot: Index) -> None:
    """A file of the folder that is named alone asks, too."""
    lot.prune()
    assert [other.folder for other in others_of(None, lot.folder / KEEPER)] == [str(lot.folder)]


def test_quarantine_elsewhere_that_the_walk_comes_by(lot: Index, tmp_path: Path) -> None:
    """A quarantine of any name below the folder that is named tells of its index, as does one run copied out of it."""
    lot.prune(quarantine=str(tmp_path / "pile" / "bin"))
    shutil.copytree(next((tmp_path / "pile" / "bin").glob("run-*")), tmp_path / "stick" / "run-0123abcd-3")
    for folder in ("pile", "stick"):
        (tmp_path / folder / name(5)).write_bytes(picture())
        assert [other.index_id for other in others_of(None, tmp_path / folder)] == [index_id(lot.database)]


def test_linked_quarantine(lot: Index, tmp_path: Path) -> None:
    """A quarantine that was moved to another disk and linked to is read."""
    lot.prune()
    place = lot.folder.parent / QUARANTINE_NAME
    place.rename(tmp_path / QUARANTINE_NAME)
    place.symlink_to(tmp_path / QUARANTINE_NAME)
    for folder in (lot.folder, lot.folder.parent):
        assert [other.index_id for other in others_of(None, folder)] == [index_id(lot.database)]


def test_folder_that_was_moved(lot: Index, tmp_path: Path) -> None:
    """Where the paths in the records are not those of today, whatever lies beside the quarantine is asked about."""
    lot.prune()
    moved = lot.folder.parent.rename(tmp_path / "moved")
    assert [other.index_id for other in others_of(None, moved / "frames")] == [index_id(lot.database)]


@pytest.mark.parametrize("lost", [QUARANTINE_MARKER, RECORD_NAME, "run-*"])
def test_each_of_the_three_tells(lot: Index, lost: str) -> None:
    """The marker, the record and the manifests each name the index, should the others be lost."""
    lot.prune()
    for path in (lot.folder.parent / QUARANTINE_NAME).iterdir():
        if not path.match(lost):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert [other.index_id for other in others_of(None, lot.folder)] == [index_id(lot.database)]


def test_own_removals_are_no_other_index(lot: Index, others: Callable[..., Index]) -> None:
    """An index that removed files asks nothing, nor does one that was restored from a backup of it."""
    backup = others(lot, copy=True)
    lot.prune()
    for index in (lot, backup):
        for folder in RELATED.values():
            assert others_of(index.database, lot.folder / folder) == []


def test_backup_of_before_the_ingest(lot: Index, maker: Maker, tmp_path: Path) -> None:
    """Also one from before the folder was taken in, which has no rows of it, is the same index."""
    lot.prune()
    backup = maker.copy(lot.database, tmp_path)
    Index(backup, lot.folder).execute("DELETE FROM removals")
    for table in ("decisions", "thumbnails", "pictures", "scores", "pins", "images"):
        Index(backup, lot.folder).execute(f"DELETE FROM {table}")
    assert others_of(backup, lot.folder) == []
    maker.drop(backup)


@pytest.mark.parametrize("taken_in", RELATED)
def test_asked_once(lot: Index, others: Callable[..., Index], taken_in: str) -> None:
    """An index that has rows of the folder, of one above or below, was used there, and is not asked again."""
    lot.prune()
    second = others(lot)
    second.ingest(lot.folder / RELATED[taken_in])
    assert others_of(second.database, lot.folder) == []
    assert others_of(second.database, lot.folder, known=[listed(lot)], is_named=False) == []


def test_index_that_a_quarantine_names_too(lot: Index, others: Callable[..., Index]) -> None:
    """An index that removed files there is not asked, though it lost its rows."""
    second = others(lot)
    second.ingest()
    second.compare()
    second.put(name(3), picture(stamp=3))
    lot.prune()
    second.ingest()
    second.compare()
    assert second.prune().removed == 1
    second.execute("DELETE FROM removals")
    for table in ("decisions", "thumbnails", "pictures", "scores", "pins", "images"):
        second.execute(f"DELETE FROM {table}")
    assert others_of(second.database, lot.folder) == []
    assert {other.index_id for other in others_of(None, lot.folder)} == set(
        map(index_id, (lot.database, second.database))
    )


@pytest.fixture
def copied(lot: Index, maker: Maker, tmp_path: Path) -> Index:
    """A copy by `db copy` of an index that then removed a file."""
    place = maker.place(tmp_path)
    source = lot.database.url.render_as_string(hide_password=False)
    copy(source, place, clock=lot.clock)
    lot.prune()
    return Index(open_database(place), lot.folder)


def test_copy_is_asked_about_its_source(lot: Index, copied: Index) -> None:
    """A copy has rows of the folder from the beginning, and is asked about its source until a run says both are
    wanted."""
    for _ in range(2):
        [other] = others_of(copied.database, lot.folder)
        assert (other.index_id, other.is_source, other.is_same) == (index_id(lot.database), True, False)
        copied.ingest()
    [other] = others_of(copied.database, lot.folder, known=[listed(lot)], is_named=False)
    assert other.is_source
    wanted = replace(discover([str(lot.folder)]), beside=(index_id(lot.database),))
    with local_executor(1) as spread:
        ingest(copied.database, wanted, executor=spread, limits=Limits(), clock=copied.clock)
    assert others_of(copied.database, lot.folder, known=[listed(lot)], is_named=False) == []
    assert others_of(lot.database, lot.folder, known=[listed(copied)], is_named=False) == []
    copied.database.close()


def test_copy_that_removed_files_itself(lot: Index, copied: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that a quarantine names too was used on the folder, and is not asked; its marker is all that is read."""

    def unexpected(*_given: Any, **_more: Any) -> Any:
        raise AssertionError("the record was read")

    copied.put(name(3), picture(stamp=3))
    copied.ingest()
    copied.compare()
    assert copied.prune().removed == 1
    monkeypatch.setattr("indexer.files.mentions.witness_record.read_lines", unexpected)
    assert others_of(copied.database, lot.folder) == []
    copied.database.close()


def test_copy_that_adopted(lot: Index, copied: Index) -> None:
    """A copy that took over what its source removed is not asked about it."""
    copied.ingest()
    report = adopt(copied.database, str(lot.folder.parent / QUARANTINE_NAME), clock=copied.clock)
    assert (report.adopted, report.failures) == (1, [])
    assert others_of(copied.database, lot.folder) == []
    copied.database.close()


def test_adopted_runs_name_no_other_index(lot: Index, others: Callable[..., Index]) -> None:
    """An index that took over what another one removed is not asked about it."""
    lot.prune()
    second = others(lot)
    second.ingest()
    assert adopt(second.database, str(lot.folder.parent / QUARANTINE_NAME), clock=second.clock).adopted == 1
    for folder in RELATED.values():
        assert others_of(second.database, lot.folder / folder) == []


def test_index_that_is_gone(lot: Index, tmp_path: Path) -> None:
    """Of an index that is not there any more, or whose place another one has by now, it is told where it was."""
    lot.prune()
    address = lot.database.address
    [other] = others_of(None, lot.folder, address=address)
    assert (other.address, other.gone_from) == ("", address)
    if lot.database.path is not None:
        lot.database.close()
        lot.database.path.unlink()
        [other] = others_of(None, lot.folder)
        assert (other.address, other.gone_from) == ("", address)


def test_index_that_was_moved(lot: Index, others: Callable[..., Index]) -> None:
    """The list, which is newer than a mark, says where an index is now."""
    lot.prune()
    entry = listed(lot, address="postgresql+psycopg://elsewhere/lot", last_used=datetime(2030, 1, 1, tzinfo=UTC))
    [other] = others_of(None, lot.folder, known=[entry])
    assert (other.address, other.username, other.last_used) == (entry.address, "ada", entry.last_used)


def test_quarantine_that_is_closed(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarantine that another user closed tells that there is another index, and whose."""
    lot.prune()

    def closed(place: str, *_given: Any, **_more: Any) -> Any:
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr("indexer.workflows.ingest.other_indexes.read_owners", closed)
    [other] = others_of(None, lot.folder)
    assert (other.index_id, other.username, other.folder) == ("", name_of_user(os.geteuid()), str(lot.folder))
    assert others_of(lot.database, lot.folder) == []


@pytest.mark.parametrize("related", RELATED)
def test_listed_index_is_named(lot: Index, related: str) -> None:
    """An index of the list that took in the folder, one above or one below, is named though it removed nothing."""
    folder = lot.folder / RELATED[related]
    [other] = others_of(None, folder, known=[listed(lot)], is_named=False)
    assert (other.index_id, other.address) == (index_id(lot.database), lot.database.address)
    assert others_of(None, folder, known=[listed(lot)], is_named=True) == []


def test_listed_indexes_that_do_not_count(lot: Index, others: Callable[..., Index], tmp_path: Path) -> None:
    """Not named: this index itself, one whose file is gone, one of a folder beside, and what a mark named already."""
    entries = [listed(lot), listed(lot, tmp_path / "beside"), listed(lot, address=str(tmp_path / "gone.db"))]
    assert others_of(None, lot.folder, known=entries, is_named=False, address=lot.database.address) == []
    lot.prune()
    assert len(others_of(None, lot.folder, known=entries[:1], is_named=False)) == 1


def test_last_used_comes_first(lot: Index, others: Callable[..., Index]) -> None:
    """Of several the one that was used last is named first."""
    second = others(lot)
    entries = [listed(lot), listed(second, last_used=datetime(2027, 1, 1, tzinfo=UTC))]
    told = others_of(None, lot.folder, known=entries, is_named=False)
    assert [other.index_id for other in told] == [index_id(second.database), index_id(lot.database)]


def test_another_file_of_this_index(lot: Index, maker: Maker, tmp_path: Path) -> None:
    """A copy of the index's own file that took in another folder since is told to be this very index."""
    twin = maker.copy(lot.database, tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    (new / name(7)).write_bytes(picture())
    told = others_of(twin, new, known=[listed(lot, new)], is_named=False)
    # On a server one index has many addresses, and is not told from a copy.
    assert [other.is_same for other in told] == ([True] if twin.path is not None else [])
    maker.drop(twin)


def test_nothing_is_read_for_a_folder_that_is_known(
    lot: Index, others: Callable[..., Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record may have a million lines: an index that took in the folder reads none of them."""
    lot.prune()
    second = others(lot)
    second.ingest()

    def unexpected(*_given: Any, **_more: Any) -> Any:
        raise AssertionError("a quarantine was read")

    monkeypatch.setattr("indexer.workflows.ingest.other_indexes.iter_mentions", unexpected)
    assert others_of(second.database, lot.folder) == []
    with pytest.raises(AssertionError):
        others_of(None, lot.folder)
