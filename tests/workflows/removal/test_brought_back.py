"""Files that a person brought back past the tool: no later prune takes them by surprise."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.domain.removal import ExclusionReason
from indexer.workflows.admin.status import status
from indexer.workflows.removal import restore as restore_workflow
from indexer.workflows.removal.prune import plan
from tests.support.index import BIRD, CAR, Index, name, picture

KEEPER, BIRDS, OTHER = name(0), name(1), name(2)
HELD_BACK = {ExclusionReason.HELD_BACK: 1}


@pytest.fixture
def lot(index: Index) -> Index:
    """A camera that was decided and pruned: one file lies in quarantine."""
    for file, content in {KEEPER: picture(), BIRDS: picture(BIRD), OTHER: picture(CAR)}.items():
        index.put(file, content)
    index.ingest()
    index.compare()
    assert index.prune().removed == 1
    return index


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


def _crash(*_: object) -> None:
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
