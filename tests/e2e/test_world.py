"""The world changes between plan and act: every change ends as the journal says, and no bytes are lost."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps, manifest
from indexer.files.manifest import MANIFEST_NAME
from indexer.store.database import Database
from indexer.workflows.removal import remove_file
from tests.support.index import BIRD, Index, picture
from tests.support.own_files import OWN_FILES
from tests.support.world import BIRDS, COPY, HARMS, KEEPER, contents, journal, make_lot, put_away


@pytest.fixture
def lot(database: Database, tmp_path: Path) -> Index:
    """A keeper and two that it stands for."""
    return make_lot(database, tmp_path / "site")


def loop(path: Path) -> None:
    """A link that leads to itself instead of the folder."""
    put_away(path.parent)
    path.parent.symlink_to(path.parent)


NEAR: dict[str, tuple[Callable[[Path], Any], str]] = {
    "folder renamed": (lambda path: put_away(path.parent), "is missing"),
    "folder a loop": (loop, "The status of the file cannot be read"),
}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("permanent", [False, True])
def test_changed_victim_stays(lot: Index, harm: str, permanent: bool) -> None:
    """A file that is not what was planned stays as it is, with the reason in the journal; the other one goes."""
    change, reason = HARMS[harm]
    change(lot.folder / COPY)
    before = contents(lot)
    assert lot.prune(permanent=permanent).removed == 1
    [(file, state, problem), other] = journal(lot)
    assert (file, state, reason in problem) == (COPY, "failed", True)
    assert other == (BIRDS, "deleted" if permanent else "quarantined", "")
    assert contents(lot) == ([content for content in before if content != picture(BIRD)] if permanent else before)


@pytest.mark.parametrize("harm", NEAR)
def test_lost_folder_stays(lot: Index, harm: str) -> None:
    """Files whose folder went elsewhere stay there, each with the reason, and the run goes on to its end."""
    change, reason = NEAR[harm]
    change(lot.folder / COPY)
    before = contents(lot)
    assert len(lot.prune().failures) == 2
    assert [(file, state, reason in problem) for file, state, problem in journal(lot)] == [
        (COPY, "failed", True),
        (BIRDS, "failed", True),
    ]
    assert contents(lot) == before


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("permanent", [False, True])
def test_changed_keeper_keeps_all(lot: Index, harm: str, permanent: bool) -> None:
    """While the keeper is not what was compared nothing it stands for goes, by whatever way."""
    change, reason = HARMS[harm]
    change(lot.folder / KEEPER)
    before = lot.tree()
    assert lot.prune(permanent=permanent).removed == 0
    assert [(state, problem.startswith("its keeper: "), reason in problem) for _, state, problem in journal(lot)] == [
        ("failed", True, True)
    ] * 2
    assert lot.tree() == before


def test_unreadable_keeper_keeps_all(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that may not be read stands for nothing."""
    real, keeper = io_steps.open_to_read, str(lot.folder / KEEPER)

    def refusing(path: str) -> int:
        if path == keeper:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path)

    monkeypatch.setattr(io_steps, "open_to_read", refusing)
    before = lot.tree()
    assert lot.prune().removed == 0
    assert {problem for _, _, problem in journal(lot)} == {"its keeper: The file cannot be read: Permission denied."}
    assert lot.tree() == before


def test_keeper_that_links_to_its_victim(lot: Index) -> None:
    """A keeper that is a link to the file it should stand for stands for nothing."""
    (lot.folder / KEEPER).unlink()
    (lot.folder / KEEPER).symlink_to(lot.folder / COPY)
    before = lot.tree()
    assert lot.prune().removed == 0
    assert [state for _, state, _ in journal(lot)] == ["failed", "failed"]
    assert lot.tree() == before


@pytest.mark.parametrize(("victim", "rest"), [(COPY, (BIRDS, "quarantined")), (BIRDS, (COPY, "failed"))])
def test_keeper_that_is_its_victim(lot: Index, victim: str, rest: tuple[str, str]) -> None:
    """A keeper that became a second name of a victim leaves that one alone, and stands for others if its bytes do."""
    (lot.folder / KEEPER).unlink()
    os.link(lot.folder / victim, lot.folder / KEEPER)
    before = contents(lot)
    assert lot.prune().hard_links == 1
    assert [row[:2] for row in journal(lot)] == [rest]
    assert (lot.folder / victim).samefile(lot.folder / KEEPER)
    assert contents(lot) == before


def test_keeper_reached_through_a_linked_folder(lot: Index) -> None:
    """A keeper's path that leads, through a folder that became a link, to the victim itself, saves the victim."""
    lot.put(f"night/{Path(COPY).name}", picture())
    lot.put(f"dawn/{Path(COPY).name}", picture())
    lot.ingest(camera="gate")
    lot.pin(f"night/{Path(COPY).name}")
    lot.execute("UPDATE decisions SET keeper_id = 4 WHERE image_id = 2")
    lot.compare()
    lot.execute("UPDATE decisions SET keeper_id = 4 WHERE image_id = 2 AND superseded_at IS NULL")
    shutil.rmtree(lot.folder / "night")
    (lot.folder / "night").symlink_to(lot.folder / "day")
    lot.prune()
    assert (lot.folder / COPY).read_bytes() == picture()


def test_two_names_of_one_file(lot: Index) -> None:
    """Two victims that are one file on the disk both go, and both come back."""
    (lot.folder / BIRDS).unlink()
    os.link(lot.folder / COPY, lot.folder / BIRDS)
    lot.ingest()
    lot.compare()
    before = lot.tree()
    assert (lot.prune().removed, len(contents(lot))) == (2, 3)
    assert lot.restore().restored == 2
    assert lot.tree() == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", ["make_folder", "append", "link"])
def test_quarantine_that_takes_nothing(lot: Index, monkeypatch: pytest.MonkeyPatch, step: str, number: int) -> None:
    """A quarantine that is full or read-only costs nothing: all stay, with the reason, and no remains.

    One that is read-only costs each file; a full disk ends the run at the first one.
    """

    def refusing(path: str, *_given: Any, **_more: Any) -> None:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(io_steps, step, refusing)
    before = lot.tree()
    assert lot.prune().removed == 0
    tried = 2 if number == errno.EROFS else 1
    assert [(state, os.strerror(number) in problem) for _, state, problem in journal(lot)] == [("failed", True)] * tried
    assert lot.tree() == before
    left = {path.name for path in lot.folder.parent.glob(".indexer-quarantine/**/*")}
    assert left <= OWN_FILES - {MANIFEST_NAME}


@pytest.fixture
def other_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on another file system: a real one where there is one, else links to it are refused as if."""
    shm = Path("/dev/shm")
    if shm.is_dir() and os.access(shm, os.W_OK) and shm.stat().st_dev != tmp_path.stat().st_dev:
        with tempfile.TemporaryDirectory(dir=shm) as folder:
            yield Path(folder)
        return
    real = os.link

    def refusing(source: str, target: str, **more: Any) -> None:
        if os.path.dirname(source) != os.path.dirname(target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        real(source, target, **more)

    monkeypatch.setattr(os, "link", refusing)
    yield tmp_path / "other"


def test_quarantine_on_another_disk(lot: Index, other_disk: Path) -> None:
    """Files go to another file system whole, with their times, and come back so."""
    before = lot.tree()
    os.chmod(lot.folder / COPY, 0o640)
    assert lot.prune(quarantine=str(other_disk / "bin")).removed == 2
    [copy] = (other_disk / "bin").rglob(Path(COPY).name)
    assert (copy.read_bytes(), copy.stat().st_mtime_ns) == before[f"frames/{COPY}"]
    assert before.keys() - lot.tree().keys() == {f"frames/{COPY}", f"frames/{BIRDS}"}
    assert lot.restore().restored == 2
    assert (lot.tree(), (lot.folder / COPY).stat().st_mode & 0o777) == (before, 0o640)


def test_other_disk_that_fills_up(lot: Index, other_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in the middle of a copy gets no half file, and the file stays."""

    def half(reading: int, writing: int) -> str:
        os.write(writing, os.read(reading, 100))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(io_steps, "copy_bytes", half)
    before = lot.tree()
    assert lot.prune(quarantine=str(other_disk / "bin")).removed == 0
    assert [row[1:] for row in journal(lot)] == [("failed", "No space left on device")]
    left = {path.name for path in other_disk.rglob("*") if path.is_file()}
    assert (lot.tree(), left <= OWN_FILES - {MANIFEST_NAME}) == (before, True)


def test_place_that_somebody_took(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that lies at the place made for a victim stays as it is, and the victim where it was."""
    real = manifest.append_entry

    def noting(place: str, entry: manifest.Entry) -> None:
        real(place, entry)
        Path(place).write_bytes(b"theirs")

    monkeypatch.setattr(remove_file.manifest, "append_entry", noting)
    before = contents(lot)
    assert lot.prune().removed == 0
    assert [row[1:] for row in journal(lot)] == [("failed", "File exists")] * 2
    assert contents(lot) == sorted([*before, b"theirs", b"theirs"])
