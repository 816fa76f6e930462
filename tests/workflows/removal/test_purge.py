"""purge of one quarantine among several, and its plan."""

import errno
import os
import shutil
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from indexer.errors import CameraError, FolderError, RunError
from indexer.workflows import witnesses
from indexer.workflows.admin.forget import parse_scope, plan_forget
from indexer.workflows.admin.status import status
from indexer.workflows.removal.purge import PurgeSelection, close_gone, parse_purge, plan_purge, purge
from indexer.workflows.removal.restore import RestoreSelection, plan_restore, restore
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture

KEEPER, COPY, BIRDS, OTHER = name(0), name(1), name(2), name(3)


@pytest.fixture
def two_quarantines(index: Index, tmp_path: Path) -> tuple[Index, Path, Path]:
    """One removed file lies in the usual quarantine, another in one of its own."""
    for file, content in {KEEPER: picture(), COPY: picture(), BIRDS: picture(BIRD), OTHER: picture(CAR)}.items():
        index.put(file, content)
    index.ingest()
    index.compare()
    shown = index.plan()
    index.prune(replace(shown, victims=shown.victims[:1]))
    index.prune(quarantine=str(tmp_path / "other"))
    return index, index.folder.parent / ".indexer-quarantine", tmp_path / "other"


def test_a_person_names_the_quarantine_that_is_gone(two_quarantines: tuple[Index, Path, Path]) -> None:
    """Of two quarantines that are not there, only the named one is closed: the disk of the other may be away."""
    lot, first, second = two_quarantines
    first.rename(first.with_name("away"))
    shutil.rmtree(second)
    named = parse_purge(str(second), everything=False, older_than_days=None, gone=True)
    assert close_gone(lot.database, named, clock=lot.clock).gone == 1
    assert lot.removals() == [(COPY, "quarantined"), (BIRDS, "purged")]


def test_one_quarantine_is_purged(two_quarantines: tuple[Index, Path, Path]) -> None:
    """Purge of a named quarantine deletes its files alone; what is no quarantine of the index is refused."""
    lot, _, second = two_quarantines
    before = lot.tree()
    report = purge(lot.database, PurgeSelection(str(second)), clock=lot.clock)
    assert (report.purged, lot.tree(), list(second.rglob("*.png"))) == (1, before, [])
    with pytest.raises(FolderError, match="lie in"):
        plan_purge(lot.database, PurgeSelection(str(lot.folder)), clock=lot.clock)


def test_a_quarantine_that_cannot_be_read_is_not_gone(two_quarantines: tuple[Index, Path, Path]) -> None:
    """A file whose quarantine the system does not let anybody look into is neither closed as gone nor forgotten: each
    command says why, and the file comes back as soon as the quarantine can be read."""
    lot, _, second = two_quarantines
    away = second.rename(second.with_name("away"))
    second.symlink_to(second)  # ends in an error other than "not found" for everybody, as a missing right does for most
    refused = os.strerror(errno.ELOOP)
    reports = (
        close_gone(lot.database, PurgeSelection(str(second), gone=True), clock=lot.clock).skipped,
        purge(lot.database, PurgeSelection(str(second)), clock=lot.clock).skipped,
        lot.restore(lot.folder / BIRDS).failures,
    )
    assert [(len(skipped), refused in skipped[0][1]) for skipped in reports] == [(1, True)] * 3
    assert status(lot.database).missing_quarantines == (str(second),)
    (lot.folder / KEEPER).rename(lot.folder.parent / "keeper")
    with pytest.raises(FolderError):
        plan_forget(lot.database, parse_scope(str(lot.folder / BIRDS), camera=None))
    second.unlink()
    away.rename(second)
    assert lot.restore(lot.folder / BIRDS).restored == 1
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)


def test_status_names_every_quarantine_that_is_gone(two_quarantines: tuple[Index, Path, Path]) -> None:
    """Of three quarantines the one is named that is gone, also if files were removed elsewhere before and after."""
    lot, _, second = two_quarantines
    for minute in (10, 11, 12):
        lot.put(name(minute), picture(BIKE, stamp=minute))
    lot.ingest()
    lot.compare()
    assert lot.prune().removed == 2
    second.rename(second.with_name("away"))
    assert status(lot.database).missing_quarantines == (str(second),)
    second.with_name("away").rename(second)
    assert status(lot.database).missing_quarantines == ()


def test_a_plan_of_purge_deletes_nothing(two_quarantines: tuple[Index, Path, Path]) -> None:
    """The plan lists the files of each quarantine with their bytes, and changes nothing."""
    lot, first, second = two_quarantines
    before, rows = lot.tree(), lot.dump()
    planned = plan_purge(lot.database, PurgeSelection(), clock=lot.clock)
    assert planned.quarantines == {str(first.resolve()): 1, str(second): 1}
    assert planned.size_bytes == sum(Path(str(file.quarantine_path)).stat().st_size for file in planned.files)
    assert (lot.tree(), lot.dump(), second.exists()) == (before, rows, True)


def test_a_plan_asks_no_more_for_more_files(two_quarantines: tuple[Index, Path, Path]) -> None:
    """The plan of two files takes as many statements as that of one: a quarantine may hold a million files."""
    lot, _, second = two_quarantines
    numbers = []
    for selection in (PurgeSelection(str(second)), PurgeSelection()):
        statements: list[str] = []
        listener = partial(lambda log, *words: log.append(words[2]), statements)
        event.listen(lot.database.engine, "before_cursor_execute", listener)
        planned = plan_purge(lot.database, selection, clock=lot.clock)
        event.remove(lot.database.engine, "before_cursor_execute", listener)
        numbers.append((len(planned.files), len(statements)))
    assert [files for files, _ in numbers] == [1, 2]
    assert numbers[0][1] == numbers[1][1] > 0


def test_a_refused_closing_leaves_the_images_protected(two_quarantines: tuple[Index, Path, Path]) -> None:
    """If the disk of the images was away while a person closed a quarantine, and is still away when the quarantine is
    back, nothing is written below its mount point; with the disk back all comes back, byte for byte."""
    lot, _, second = two_quarantines
    site, away = lot.folder.parent, lot.folder.parent.with_name("site.away")
    recorded, everything = "SELECT recorded FROM removals", PurgeSelection(gone=True)
    lot_before = lot.rows(recorded)
    site.rename(away)
    lot.folder.mkdir(parents=True)
    second.rename(second.with_name("other.away"))
    report = close_gone(lot.database, everything, clock=lot.clock)
    assert (report.gone, len(report.skipped), lot.rows(recorded)) == (0, 2, lot_before)
    second.with_name("other.away").rename(second)
    assert lot.undo_run().restored == 0
    assert list(lot.folder.iterdir()) == []
    lot.folder.rmdir()
    site.rmdir()
    away.rename(site)
    assert lot.undo_run().restored == 2
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)


def test_a_refused_record_leaves_the_images_protected(
    two_quarantines: tuple[Index, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If only the record cannot be written, nothing is closed, and the index knows that there should be one."""
    lot, _, second = two_quarantines
    before = lot.rows("SELECT state, recorded, problem FROM removals ORDER BY id")
    second.rename(second.with_name("other.away"))

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(witnesses, "append", refuse)
    assert close_gone(lot.database, PurgeSelection(gone=True), clock=lot.clock).gone == 0
    assert lot.rows("SELECT state, recorded, problem FROM removals ORDER BY id") == before


def away_and_made_anew(lot: Index, quarantine: Path) -> None:
    """The disk of a quarantine is away, and a later prune made another quarantine at its mount point."""
    quarantine.rename(quarantine.with_name("disk"))
    quarantine.mkdir()
    for file, content in {name(20, "yard"): picture(BIKE), name(21, "yard"): picture(BIKE)}.items():
        lot.put(file, content)
    lot.ingest()
    lot.compare()
    assert lot.prune(quarantine=str(quarantine)).removed == 1


def test_a_later_quarantine_at_the_same_path_is_not_taken_for_the_first(
    two_quarantines: tuple[Index, Path, Path],
) -> None:
    """Files of a quarantine whose disk is away are not taken for taken out, whatever is at its path meanwhile: purge
    leaves them in the journal, and with the disk back they come back, byte for byte."""
    lot, _, second = two_quarantines
    away_and_made_anew(lot, second)
    ((path, reason),) = purge(lot.database, PurgeSelection(str(second)), clock=lot.clock).skipped
    assert (os.path.basename(path), "purge --gone" in reason) == (BIRDS, True)
    assert dict(lot.removals())[BIRDS] == "quarantined"
    assert lot.restore(lot.folder / BIRDS).restored == 0
    shutil.copytree(second.with_name("disk"), second, dirs_exist_ok=True)
    assert lot.restore(lot.folder / BIRDS).restored == 1
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)


def test_an_act_that_was_cut_waits_for_its_own_quarantine(
    two_quarantines: tuple[Index, Path, Path],
) -> None:
    """A purge that was cut is not finished while its quarantine is away and another one is at its path."""
    lot, _, second = two_quarantines
    away_and_made_anew(lot, second)
    lot.execute(f"UPDATE removals SET pending = 'purge' WHERE path = '{lot.folder / BIRDS}'")
    lot.ingest()
    assert dict(lot.removals())[BIRDS] == "quarantined"


def test_what_cannot_be_looked_into_is_not_gone(two_quarantines: tuple[Index, Path, Path]) -> None:
    """If the system does not say whether a quarantine is there, as without the right to read it, nobody proposes to
    give up its files, and nobody can: all come back as soon as it answers again."""
    lot, first, second = two_quarantines
    before = lot.removals()
    for quarantine in (first, second):
        quarantine.rename(quarantine.with_name(f"{quarantine.name}.away"))
        quarantine.symlink_to(quarantine)
    assert close_gone(lot.database, PurgeSelection(gone=True), clock=lot.clock).gone == 0
    assert status(lot.database).missing_quarantines == tuple(sorted((str(first), str(second))))
    reasons = [*dict(lot.undo_run().failures).values(), *dict(lot.purge().skipped).values()]
    assert (len(reasons), [reason for reason in reasons if "purge --gone" in reason]) == (4, [])
    lot.execute("UPDATE removals SET pending = 'purge'")
    planned = plan_restore(lot.database, RestoreSelection(everything=True))
    assert (planned.files, planned.copies, len(planned.failures), len(lot.undo_run().failures)) == (0, 0, 2, 2)
    lot.ingest()
    assert (close_gone(lot.database, PurgeSelection(gone=True), clock=lot.clock).gone, lot.removals()) == (0, before)
    for quarantine in (first, second):
        quarantine.unlink()
        quarantine.with_name(f"{quarantine.name}.away").rename(quarantine)
    assert lot.undo_run().restored == 2


@pytest.mark.parametrize("act", ["restore", "purge"])
def test_an_act_stays_open_if_its_disk_goes(
    two_quarantines: tuple[Index, Path, Path], monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """If nobody can see how far a move came, as the disk failed in the middle of it, the act stays open; the next
    command that sees the disk ends it as it was."""
    lot, _, second = two_quarantines
    folder = lot.folder if act == "restore" else second
    module, mover = (restore, "move_no_replace") if act == "restore" else (purge, "delete_witnessed")

    def fail(path: str, *names: str, **more: Any) -> None:
        os.rename(path, names[0] if act == "restore" else more["aside"])
        folder.rename(folder.with_name("away"))
        folder.symlink_to(folder)
        raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[module.__module__], mover, fail)
        if act == "restore":
            assert len(lot.restore(lot.folder / BIRDS).failures) == 1
        else:
            assert len(purge(lot.database, PurgeSelection(str(second)), clock=lot.clock).skipped) == 1
    assert lot.rows("SELECT pending FROM removals WHERE pending IS NOT NULL") == [(act,)]
    folder.unlink()
    folder.with_name("away").rename(folder)
    lot.ingest()
    assert dict(lot.removals())[BIRDS] == ("restored" if act == "restore" else "quarantined")
    lot.undo_run()
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)


def test_what_stayed_in_the_plan_is_not_closed(two_quarantines: tuple[Index, Path, Path]) -> None:
    """If a file was taken out after the plan said that it stays, nothing is noted before a person sees a new plan."""
    lot, _, second = two_quarantines
    away = second.rename(second.with_name("away"))
    shown = plan_purge(lot.database, PurgeSelection(str(second)), clock=lot.clock)
    away.rename(second)
    for file in second.rglob("*.png"):
        file.unlink()
    report = purge(lot.database, PurgeSelection(str(second)), clock=lot.clock, shown=shown)
    assert (len(report.skipped), report.gone, dict(lot.removals())[BIRDS]) == (1, 0, "quarantined")
    assert lot.purge().gone == 1


def test_what_was_taken_out_is_closed_only_with_its_keeper(two_quarantines: tuple[Index, Path, Path]) -> None:
    """If a file was taken out and its keeper is not there, purge closes nothing; with the keeper back it does."""
    lot, _, second = two_quarantines
    (file,) = second.rglob("*.png")
    file.unlink()
    keeper = (lot.folder / KEEPER).rename(lot.folder.parent / "keeper.png")
    report = purge(lot.database, PurgeSelection(str(second)), clock=lot.clock)
    assert (report.gone, len(report.skipped), dict(lot.removals())[BIRDS]) == (0, 1, "quarantined")
    keeper.rename(lot.folder / KEEPER)
    assert purge(lot.database, PurgeSelection(str(second)), clock=lot.clock).gone == 1


def test_one_camera_or_one_run(index: Index) -> None:
    """Only the files of a camera, or of a run, are deleted; nothing else of the quarantine is touched."""
    runs = []
    for stamp, camera in enumerate(("gate", "yard")):
        for minute in range(3):
            index.put(name(minute, camera), picture(stamp=10 * stamp + minute))
        index.ingest()
        index.compare()
        runs.append(index.prune().run_id)
    index.undo_run(runs[0])
    again = index.prune(index.plan(include_restored=True), include_restored=True).run_id
    chosen = parse_purge(None, everything=False, older_than_days=None, camera="gate", run_id=runs[1])
    assert plan_purge(index.database, chosen, clock=index.clock).files == ()
    for selection in (PurgeSelection(camera="yard"), PurgeSelection(run_id=again)):
        assert purge(index.database, selection, clock=index.clock).purged == 2
    with pytest.raises(CameraError):
        plan_purge(index.database, PurgeSelection(camera="nowhere"), clock=index.clock)
    with pytest.raises(RunError):
        plan_purge(index.database, PurgeSelection(run_id=99), clock=index.clock)
