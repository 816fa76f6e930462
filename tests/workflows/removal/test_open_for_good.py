"""A person can end each removal that was cut off, also if nobody can ever find out how far it came."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import FolderError
from indexer.files import io_steps
from indexer.files.markers import QUARANTINE_NAME
from indexer.files.witness_record import RECORD_NAME, list_removals
from indexer.store import removals
from indexer.workflows.admin.camera import confirm_camera
from indexer.workflows.admin.forget import forget, parse_scope, plan_forget
from indexer.workflows.removal.purge import PurgeSelection, close_gone, plan_purge
from indexer.workflows.removal.recover import RecoverReport, recover
from tests.support.index import BIRD, CAR, Index, name, picture, prepared

KEEPER, BIRDS, OTHER = name(0), name(1), name(2)
GONE = PurgeSelection(gone=True)


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: one file is to be removed."""
    for file, content in {KEEPER: picture(), BIRDS: picture(BIRD), OTHER: picture(CAR)}.items():
        index.put(file, content)
    index.ingest()
    index.compare()


@contextmanager
def broken(module: Any, step: str, problem: BaseException) -> Iterator[None]:
    """Lets a step raise."""

    def instead(*_given: Any, **_more: Any) -> None:
        raise problem

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, step, instead)
        yield


def cut_off(lot: Index, *, permanent: bool) -> Path:
    """A removal that ended right before the journal knew it; then somebody deletes the quarantine and its record.

    Returns the folder of that quarantine.
    """
    with broken(removals, "finish_act", KeyboardInterrupt()), suppress(KeyboardInterrupt):
        lot.prune(permanent=permanent)
    quarantine = lot.folder.parent / QUARANTINE_NAME
    shutil.rmtree(quarantine)
    assert not (lot.folder / BIRDS).exists()
    return quarantine


def recovered(lot: Index) -> RecoverReport:
    return recover(lot.database, nobody_else=False, clock=lot.clock)


def open_acts(lot: Index) -> int:
    with lot.database.read() as session:
        return len(removals.list_pending(session))


@pytest.mark.parametrize("permanent", [False, True])
def test_what_nobody_finds_is_closed_as_gone(lot: Index, permanent: bool) -> None:
    """The reason names the command. It writes the record anew, so that the keeper goes on standing for the file."""
    quarantine = cut_off(lot, permanent=permanent)
    ((path, reason),) = recovered(lot).left_open
    assert (path, "purge --gone" in reason) == (str(lot.folder / BIRDS), True)
    assert [file.path for file in plan_purge(lot.database, GONE, clock=lot.clock).files] == [path]
    if not permanent:
        of_folder = PurgeSelection(str(quarantine), gone=True)
        assert [file.path for file in plan_purge(lot.database, of_folder, clock=lot.clock).files] == [path]
        with pytest.raises(FolderError):
            plan_purge(lot.database, PurgeSelection(str(lot.folder), gone=True), clock=lot.clock)
    assert close_gone(lot.database, GONE, clock=lot.clock).gone == 1
    assert (open_acts(lot), lot.removals()) == (0, [(BIRDS, "deleted" if permanent else "purged")])
    assert (str(lot.folder / BIRDS), "removed") in lot.rows("SELECT path, state FROM images")
    assert [line.witness_path for line in list_removals(str(quarantine))] == [str(lot.folder / KEEPER)]
    assert (lot.folder / KEEPER).read_bytes() == picture()


@pytest.mark.parametrize("permanent", [False, True])
def test_what_nobody_finds_and_nothing_stands_for_is_forgotten(lot: Index, permanent: bool) -> None:
    """Only a person closes a removal whose keeper is gone, too, after the number was confirmed."""
    cut_off(lot, permanent=permanent)
    (lot.folder / KEEPER).unlink()
    assert close_gone(lot.database, GONE, clock=lot.clock).gone == 0
    scope = parse_scope(str(lot.folder / BIRDS), camera=None)
    assert plan_forget(lot.database, scope).gone == 1
    with pytest.raises(FolderError):
        forget(lot.database, scope, clock=lot.clock)
    forget(lot.database, scope, clock=lot.clock, gone=1)
    assert (open_acts(lot), lot.removals()) == (0, [])


@pytest.mark.parametrize("permanent", [False, True])
def test_what_is_at_one_of_its_names_is_not_closed_as_gone(lot: Index, permanent: bool) -> None:
    """A removal that was cut off earlier has its file somewhere: `purge --gone` leaves it to the recovery."""
    with broken(io_steps, "unlink", KeyboardInterrupt()), suppress(KeyboardInterrupt):
        lot.prune(permanent=permanent)
    shutil.rmtree(lot.folder.parent / QUARANTINE_NAME)
    assert plan_purge(lot.database, GONE, clock=lot.clock).files == ()
    assert close_gone(lot.database, GONE, clock=lot.clock).gone == 0
    if permanent:  # the lock went with the quarantine, so only a person can say that nobody else deletes the file
        ((_, reason),) = recovered(lot).left_open
        assert "--nobody-else" in reason
        recover(lot.database, nobody_else=True, clock=lot.clock)
    assert (open_acts(lot), lot.removals()) == (0, [(BIRDS, "failed")])
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)


def test_a_deletion_whose_folder_was_removed_is_closed_as_gone(index: Index) -> None:
    """The last file of a day is deleted, nobody notes it, and the empty folder goes: the keeper, of another day,
    stands for it by the record beside it."""
    days = index.folder / "one" / "day", index.folder / "two" / "day"
    index.put(f"two/day/{KEEPER}", picture())
    index.put(f"one/day/{BIRDS}", picture(BIRD))
    index.put(f"two/day/{OTHER}", picture(CAR))
    index.ingest(*days)
    confirm_camera(index.database, "gate", clock=index.clock)
    index.ingest(*days)
    index.compare()
    with broken(removals, "finish_act", KeyboardInterrupt()), suppress(KeyboardInterrupt):
        index.prune(permanent=True)
    assert list(days[0].iterdir()) == []
    shutil.rmtree(days[0].parent)
    ((_, reason),) = recovered(index).left_open
    assert "purge --gone" in reason
    report = close_gone(index.database, GONE, clock=index.clock)
    assert (report.gone, report.skipped) == (1, [])
    assert (open_acts(index), index.removals()) == (0, [(f"one/day/{BIRDS}", "deleted")])
    (line,) = list_removals(str(days[1].parent / QUARANTINE_NAME))
    assert (line.removed_path, line.witness_path) == (str(days[0] / BIRDS), str(days[1] / KEEPER))
    assert not days[0].parent.exists()


def test_a_record_that_cannot_be_written_is_named(lot: Index) -> None:
    """The file is where it was: the reason says so, and where to write. Then the next command ends the removal."""
    with broken(io_steps, "link", KeyboardInterrupt()), suppress(KeyboardInterrupt):
        lot.prune()
    record = lot.folder.parent / QUARANTINE_NAME / RECORD_NAME
    with broken(io_steps, "append", OSError(errno.EACCES, os.strerror(errno.EACCES), str(record))):
        ((path, reason),) = recovered(lot).left_open
        assert (path, str(record.parent) in reason) == (str(lot.folder / BIRDS), True)
        assert "it was" in reason
    assert recovered(lot).undone == 1
    assert lot.removals() == [(BIRDS, "failed")]


def test_a_file_that_somebody_deletes_meanwhile_ends_its_deletion(lot: Index) -> None:
    """While its record cannot be written a deletion stays open. If the file then goes, its keeper stands for it."""
    with broken(io_steps, "link", KeyboardInterrupt()), suppress(KeyboardInterrupt):
        lot.prune(permanent=True)
    with broken(io_steps, "append", OSError(errno.EROFS, os.strerror(errno.EROFS))):
        assert len(recovered(lot).left_open) == 1
    (lot.folder / BIRDS).unlink()
    assert (recovered(lot).finished, open_acts(lot), lot.removals()) == (1, 0, [(BIRDS, "deleted")])
    (line,) = list_removals(str(lot.folder.parent / QUARANTINE_NAME))
    assert (line.removed_path, line.witness_path) == (str(lot.folder / BIRDS), str(lot.folder / KEEPER))
