"""Files that a person brought back past the tool: no later prune takes them by surprise."""

import shutil
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.domain.removal import ExclusionReason
from indexer.store.forgetting import ForgetScope
from indexer.workflows.admin.forget import forget
from indexer.workflows.admin.status import status
from indexer.workflows.admin.status_check import check_status
from indexer.workflows.removal import restore as restore_workflow
from indexer.workflows.removal import returned_files
from indexer.workflows.removal.prune import plan
from indexer.workflows.review.explain import explain_image
from tests.support.databases import on_sqlite
from tests.support.index import BIRD, CAR, Index, name, picture, prepared

KEEPER, BIRDS, OTHER = name(0), name(1), name(2)
HELD_BACK = {ExclusionReason.HELD_BACK: 1}


@prepared
def lot(index: Index) -> None:
    """A camera that was decided and pruned: one file lies in quarantine."""
    for file, content in {KEEPER: picture(), BIRDS: picture(BIRD), OTHER: picture(CAR)}.items():
        index.put(file, content)
    index.ingest()
    index.compare()
    assert index.prune().removed == 1


def quarantined(index: Index) -> Path:
    """Where the removed file lies, or lay."""
    ((path,),) = index.rows("SELECT quarantine_path FROM audit_removals")
    return Path(path)


def move_back(index: Index) -> Path:
    """Moves the file out of quarantine to where it was."""
    return Path(shutil.move(quarantined(index), index.folder / BIRDS))


def copy_back(index: Index) -> Path:
    """Copies the file out of quarantine to where it was."""
    return Path(shutil.copy2(quarantined(index), index.folder / BIRDS))


def copy_back_and_purge(index: Index) -> Path:
    """Copies the file out of quarantine; the copy there is deleted once the index knows that the file is back."""
    path = copy_back(index)
    index.ingest()
    assert index.purge().purged == 1
    return path


def put_back_after_purge(index: Index) -> Path:
    """Puts the file back from a backup after it was deleted for good."""
    assert index.purge().purged == 1
    return index.put(BIRDS, picture(BIRD))


def move_elsewhere(index: Index) -> Path:
    """Moves the file out of quarantine to another name."""
    (index.folder / "mine").mkdir()
    return Path(shutil.move(quarantined(index), index.folder / "mine" / name(5)))


@pytest.mark.parametrize("bring", [move_back, copy_back, copy_back_and_purge, put_back_after_purge, move_elsewhere])
def test_what_a_person_brought_back_stays(lot: Index, bring: object) -> None:
    """However the file came back, plans count it and leave it out, prune leaves its bytes, and only a person's word
    that it may go again takes it."""
    path = bring(lot)  # type: ignore[operator]
    lot.ingest()
    lot.compare()
    assert (plan(lot.database).victims, plan(lot.database).left_out) == ((), HELD_BACK)
    assert status(lot.database).held_back_files == 1
    assert (lot.prune().removed, path.read_bytes()) == (0, picture(BIRD))
    shown = plan(lot.database, include_restored=True)
    assert lot.prune(shown, include_restored=True).removed == 1
    assert (path.exists(), status(lot.database).held_back_files) == (False, 0)


def test_a_file_that_was_moved_elsewhere_keeps_its_image(lot: Index) -> None:
    """A file that was taken out to another name is the image that was removed, and its keeper is free again."""
    path = move_elsewhere(lot)
    report = lot.ingest()
    assert dict(report.outcomes) == {"moved": 1, "unchanged": 2}
    assert lot.states()[1] == (lot.file(str(path)), "ready", None)
    assert lot.removals() == [(BIRDS, "restored")]


@pytest.mark.parametrize("removed", [BIRDS, name(3)])
@pytest.mark.parametrize("target", [0, name(4)])
def test_a_file_that_takes_the_row_of_a_missing_one_is_held_back(lot: Index, removed: str, target: str | int) -> None:
    """A removed file that a person puts where a missing image with the same bytes was, or that is taken for that one
    at another path, stays until a person includes it; a missing one that comes back later is not held back."""
    path, later = swap_with_missing(lot, removed, target)
    lot.ingest()
    assert [state for file, state in lot.removals() if file == removed][-1] == "restored"
    lot.put(later, picture(BIRD))
    lot.ingest()
    lot.compare()
    shown = plan(lot.database)
    assert ({item.victim.path for item in shown.victims}, shown.left_out) == ({str(lot.folder / later)}, HELD_BACK)
    assert explain_image(lot.database, str(path)).held_back
    assert (lot.prune().removed, path.read_bytes(), status(lot.database).held_back_files) == (1, picture(BIRD), 1)
    lot.prune(plan(lot.database, include_restored=True), include_restored=True)
    assert (path.exists(), status(lot.database).held_back_files) == (False, 0)
    lot.restore(path, pin=False)
    lot.compare()
    assert {item.victim.path for item in plan(lot.database).victims} == {str(path)}


def swap_with_missing(index: Index, removed: str, target: str | int) -> tuple[Path, str]:
    """Removes one of three equal files, after two were deleted by hand, and moves it out of quarantine to a path, or
    that of the n-th missing file. Returns where it is, and the other missing file."""
    index.undo_run()
    missing = [file for file in (BIRDS, name(3), name(5)) if file != removed]
    for file in (BIRDS, name(3), name(5)):
        index.put(file, picture(BIRD))
    index.ingest()
    for file in missing:
        (index.folder / file).unlink()
    index.ingest()
    index.compare()
    assert index.prune(plan(index.database, include_restored=True), include_restored=True).removed == 1
    ((taken_out,),) = index.rows("SELECT quarantine_path FROM audit_removals WHERE state = 'quarantined'")
    path = index.folder / (missing[target] if isinstance(target, int) else target)
    return Path(shutil.move(taken_out, path)), missing[1]


@pytest.mark.parametrize("bring", [move_back, Index.undo_run])
@pytest.mark.parametrize("copy", [True, False])
def test_an_index_that_forgot_reads_the_record(
    lot: Index, others: Callable[..., Index], bring: Callable[[Index], object], copy: bool
) -> None:
    """An index from a backup, or a new one, holds back what the record beside the images says was removed once; what
    it removes and brings back itself then follows its own journal."""
    backup = others(lot, copy=copy)
    backup.execute("DELETE FROM removals")
    backup.execute("UPDATE runs SET token = 'of another run' WHERE command = 'prune'")
    backup.execute("UPDATE images SET state = 'ready'")
    bring(lot)
    (lot.folder / BIRDS).touch()
    backup.ingest()
    backup.compare()
    assert (plan(backup.database).victims, plan(backup.database).left_out) == ((), HELD_BACK)
    assert (count_held_back(backup), backup.prune().removed) == (1, 0)
    shown = plan(backup.database, include_restored=True)
    assert backup.prune(shown, include_restored=True).removed == 1
    backup.restore(lot.folder / BIRDS, pin=False)
    backup.compare()
    assert [item.victim.path for item in plan(backup.database).victims] == [str(lot.folder / BIRDS)]


def count_held_back(index: Index) -> int:
    """How many files are held back: `prune`, `status` and `status --check` count the same, also of many duplicates."""
    checked = check_status(index.database, silent_after=0, clock=index.clock)
    with index.database.read() as session:
        of_many = returned_files.count_held_back(session, at_once=1)
    counts = {
        of_many,
        plan(index.database).left_out.get(ExclusionReason.HELD_BACK, 0),
        status(index.database).held_back_files,
        status(index.database, check=checked).held_back_files,
        checked.held_back_files,
    }
    (count,) = counts
    return count


def test_files_that_the_index_knows_and_that_records_name_count_together(
    lot: Index, others: Callable[..., Index]
) -> None:
    """Of an index from a backup, a file that it knows to be back and one that only the record names are two."""
    lot.undo_run()
    backup = others(lot, copy=True)
    lot.put(name(3), picture(CAR))
    for one in (lot, backup):
        one.ingest()
        one.compare()
    assert [count_held_back(backup), lot.prune().removed, lot.undo_run().restored] == [1, 1, 1]
    (lot.folder / name(3)).touch()
    backup.ingest()
    assert count_held_back(backup) == 2


@on_sqlite
def test_status_holds_no_entry_of_every_duplicate(lot: Index, others: Callable[..., Index]) -> None:
    """Counting what is held back takes as much memory for nine thousand duplicates as for three thousand."""
    lot.undo_run()
    forgetful = others(lot, copy=False)
    forgetful.ingest()
    forgetful.compare()
    peaks = [memory_of_count(add_duplicates(forgetful, number)) for number in (3000, 6000)]
    assert peaks[1] < peaks[0] + 100_000


def add_duplicates(index: Index, number: int) -> Index:
    """The index, with so many more duplicates of its first image, each with a content of its own."""
    numbers = f"WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {number}), "
    first = numbers + "last(id) AS (SELECT MAX(id) FROM images), one AS (SELECT * FROM images ORDER BY id LIMIT 1) "
    columns = "camera_id, camera_source, width, height, file_size, mtime_ns, sharpness, state, run_id"
    index.execute(
        f"INSERT INTO images (id, path, root, content_hash, {columns}) {first}SELECT last.id + k, "
        f"one.path || (last.id + k), one.root, printf('%064x', last.id + k), {columns} FROM n, last, one"
    )
    index.execute(
        "INSERT INTO decisions "
        "(image_id, profile_id, verdict, keeper_id, score, reason, decided_by, decided_at, run_id) "
        "SELECT image.id, decision.profile_id, 'duplicate', decision.image_id, 0, 'similar', 'compare', "
        "decision.decided_at, decision.run_id FROM images AS image, "
        "(SELECT * FROM decisions WHERE verdict = 'keep' ORDER BY image_id LIMIT 1) AS decision "
        "WHERE image.id NOT IN (SELECT image_id FROM decisions)"
    )
    return index


def memory_of_count(index: Index) -> int:
    """The bytes that are held at most while what is held back is counted: one file."""
    with index.database.read() as session:
        assert returned_files.count_held_back(session, at_once=100) == 1  # what is imported and compiled stays
        tracemalloc.start()
        try:
            assert returned_files.count_held_back(session, at_once=100) == 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_a_removal_that_was_cut_off_after_its_record_holds_nothing_back(lot: Index) -> None:
    """A record whose removal never happened, as the run was killed before its row in the journal, is no removal: the
    index has the run, and had the image before."""
    lot.undo_run()
    lot.execute("DELETE FROM removals")
    lot.compare()
    assert [item.victim.path for item in plan(lot.database).victims] == [str(lot.folder / BIRDS)]


def test_an_index_that_forgot_a_camera_reads_the_record(lot: Index) -> None:
    """What came back is held back also after forget and a new ingest; a new file with the same bytes is not."""
    lot.undo_run()
    forget(lot.database, ForgetScope(camera="gate"), clock=lot.clock)
    lot.put(name(7), picture(BIRD))
    lot.ingest()
    lot.compare()
    assert [lot.file(item.victim.path) for item in plan(lot.database).victims] == [name(7)]
    assert plan(lot.database).left_out == HELD_BACK


def test_a_record_is_read_under_another_mount(lot: Index, others: Callable[..., Index]) -> None:
    """The record says which files were removed also if the folder with the images and the quarantine was moved."""
    lot.undo_run()
    site = lot.folder.parent
    moved = site.rename(site.with_name("archive"))
    other = others(lot)
    other.folder = moved / lot.folder.name
    other.ingest()
    other.compare()
    assert (plan(other.database).victims, plan(other.database).left_out) == ((), HELD_BACK)


def test_a_file_in_quarantine_is_not_taken_for_another(lot: Index) -> None:
    """While the removed file lies in quarantine, or its disk is away, equal bytes elsewhere are a new image."""
    lot.put(name(5), picture(BIRD))
    assert lot.ingest().outcomes == {"added": 1, "unchanged": 2}
    shutil.rmtree(lot.folder.parent / ".indexer-quarantine")
    lot.put(name(6), picture(BIRD))
    assert lot.ingest().outcomes == {"added": 1, "unchanged": 3}
    assert lot.removals() == [(BIRDS, "quarantined")]


def test_restore_says_what_to_do_without_the_quarantine(lot: Index) -> None:
    """If the whole quarantine is gone, or the file was taken out, restore says what to type, and changes nothing."""
    quarantined(lot).unlink()
    ((_, reason),) = lot.undo_run().failures
    assert ("ingest FOLDER" in reason, "purge --all" in reason) == (True, True)
    shutil.rmtree(lot.folder.parent / ".indexer-quarantine")
    ((_, reason),) = lot.undo_run().failures
    assert f"purge --gone {lot.folder.parent / '.indexer-quarantine'}" in reason
    assert lot.removals() == [(BIRDS, "quarantined")]


def test_restore_sees_a_copy_that_is_there_already(lot: Index) -> None:
    """Where somebody copied a file out of quarantine, restore moves nothing and proposes to move nothing away."""
    lot.prune(plan(lot.database))
    ((quarantined,),) = lot.rows("SELECT quarantine_path FROM audit_removals WHERE state = 'quarantined'")
    path = lot.folder / BIRDS
    shutil.copy2(quarantined, path)
    ((failed, reason),) = lot.restore(path).failures
    assert (failed, "at its path already" in reason, "purge --all" in reason, "mv -n" in reason) == (
        str(path),
        True,
        True,
        False,
    )
    assert Path(quarantined).read_bytes() == path.read_bytes()


def test_what_took_the_path_can_be_moved_as_proposed(lot: Index) -> None:
    """If another file is at the path, the proposed command moves that away, whole, and then the file comes back."""
    lot.put(BIRDS, picture(CAR))
    ((_, reason),) = lot.undo_run().failures
    subprocess.run(["bash", "-c", reason[reason.index("mv ") :]], check=True)
    assert lot.undo_run().restored == 1
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)
    assert (lot.folder / f"{BIRDS}.other").read_bytes() == picture(CAR)


def test_nothing_to_remove_is_no_run(index: Index) -> None:
    """A prune that has nothing to remove, as before any compare, records no run."""
    index.put(KEEPER, picture())
    index.ingest()
    assert index.prune().run_id is None
    assert index.rows("SELECT command FROM runs") == [("ingest",)]


def _restore_path(index: Index) -> None:
    assert index.restore(index.folder / BIRDS).failures


def _restore_path_without_pin(index: Index) -> None:
    assert index.restore(index.folder / BIRDS, pin=False).failures


def _restore_and_crash(index: Index) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restore_workflow, "make_synced_folders", _crash)
        with pytest.raises(KeyboardInterrupt):
            index.restore(index.folder / BIRDS, pin=False)


def _crash(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("failed_restore", [_restore_path, _restore_path_without_pin, _restore_and_crash])
def test_a_failed_restore_ends_no_hold(lot: Index, failed_restore: Callable[[Index], None]) -> None:
    """A file that was copied back stays, also if a restore of it failed or was cut off: its path is taken."""
    path = copy_back(lot)
    lot.ingest()
    failed_restore(lot)
    lot.compare()
    assert (plan(lot.database).victims, plan(lot.database).left_out) == ((), HELD_BACK)
    assert (lot.prune().removed, path.read_bytes()) == (0, picture(BIRD))


@pytest.mark.parametrize("pin", [True, False])
def test_a_failed_restore_begins_no_hold(lot: Index, pin: bool) -> None:
    """After a failed undoing a restore by path brings the file back as if it had never been tried."""
    (lot.folder / BIRDS).write_bytes(b"another")
    assert lot.undo_run().failures
    assert lot.rows("SELECT held_back FROM removals") == [(False,)]
    (lot.folder / BIRDS).unlink()
    assert lot.restore(lot.folder / BIRDS, pin=pin).restored == 1
    assert lot.rows("SELECT held_back FROM removals") == [(False,)]
