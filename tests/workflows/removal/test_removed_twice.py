"""A file that a person copied out of quarantine and that was removed again lies there twice: one image, two copies."""

import shutil
from pathlib import Path

import pytest

from indexer.errors import FolderError
from indexer.store.forgetting import ForgetScope
from indexer.workflows.admin.forget import plan_forget
from indexer.workflows.admin.status import status
from indexer.workflows.removal.prune import plan
from tests.support.index import BIRD, CAR, Index, name, picture, prepared

KEEPER, BIRDS, OTHER, MOVED = name(0), name(1), name(2), f"day2/{name(1)}"


@prepared
def lot(index: Index) -> None:
    """A camera of which one file was removed, copied back by hand, and removed again."""
    for file, content in {KEEPER: picture(), BIRDS: picture(BIRD), OTHER: picture(CAR)}.items():
        index.put(file, content)
    index.ingest()
    index.compare()
    index.prune()
    shutil.copy2(quarantined(index)[0], index.folder / BIRDS)
    remove_again(index)


def remove_again(index: Index) -> None:
    """Takes in what a person copied back, and removes it again."""
    index.ingest()
    index.compare()
    assert index.prune(plan(index.database, include_restored=True), include_restored=True).removed == 1


def quarantined(index: Index) -> list[Path]:
    """The files in quarantine as the journal has them, the first removal first."""
    rows = index.rows("SELECT quarantine_path FROM removals WHERE state = 'quarantined' ORDER BY id")
    assert all(Path(path).read_bytes() == picture(BIRD) for (path,) in rows)
    return [Path(path) for (path,) in rows]


def test_status_and_purge_count_files(lot: Index) -> None:
    """Both copies take space, and purge frees both; the keeper stands for them, and the image is one."""
    assert (status(lot.database).quarantined, status(lot.database).cameras[0].removed) == (2, 1)
    copies = quarantined(lot)
    assert (lot.purge().purged, [path.exists() for path in copies], quarantined(lot)) == (2, [False, False], [])
    assert (lot.folder / KEEPER).read_bytes() == picture()


@pytest.mark.parametrize("by", ["all", "run", "path"])
def test_one_of_them_comes_back(lot: Index, by: str) -> None:
    """However the file is asked for, it comes back once, from its last removal, and nothing fails; the other copy stays
    until purge, which the report says. A second try changes nothing."""
    first, last = quarantined(lot)
    runs = [run_id for (run_id,) in lot.rows("SELECT run_id FROM removals ORDER BY id")]
    report = {
        "all": lambda: lot.undo_run(),
        "run": lambda: lot.undo_run(runs[1]),
        "path": lambda: lot.restore(lot.folder / BIRDS),
    }[by]()
    assert (report.restored, report.copies, report.failures) == (1, int(by != "run"), [])
    assert ((lot.folder / BIRDS).read_bytes(), first.exists(), last.exists()) == (picture(BIRD), True, False)
    again = lot.undo_run()
    assert (again.restored, again.copies, again.quarantined, again.failures) == (0, 1, 1, [])
    assert lot.purge().purged == 1
    assert ((lot.folder / BIRDS).read_bytes(), first.exists()) == (picture(BIRD), False)
    lot.compare()
    assert [item.victim.path for item in plan(lot.database).victims] == []


def test_the_earlier_run_can_be_undone_first(lot: Index) -> None:
    """Undoing the earlier run alone brings the file back, held back; the other copy stays."""
    first, last = quarantined(lot)
    ((first_run,),) = lot.rows("SELECT MIN(run_id) FROM removals")
    report = lot.undo_run(first_run)
    assert (report.restored, report.failures, first.exists(), last.exists()) == (1, [], False, True)
    again = lot.undo_run()
    assert (again.restored, again.copies, again.quarantined, again.failures) == (0, 1, 1, [])
    assert ((lot.folder / BIRDS).read_bytes(), status(lot.database).held_back_files) == (picture(BIRD), 1)


def test_the_other_copy_comes_back_if_one_is_gone(lot: Index) -> None:
    """Where somebody deleted the last copy, the earlier one comes back, and the report names the loss."""
    quarantined(lot)[1].unlink()
    report = lot.undo_run()
    assert (report.restored, report.copies, len(report.failures)) == (1, 0, 1)
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)


def test_a_file_that_was_deleted_again_comes_back(lot: Index) -> None:
    """A copy that stayed in quarantine comes back if the file that was restored is deleted by hand."""
    lot.undo_run()
    (lot.folder / BIRDS).unlink()
    assert (lot.undo_run().restored, (lot.folder / BIRDS).read_bytes()) == (1, picture(BIRD))


def test_forget_waits_for_both(lot: Index) -> None:
    """Nothing is forgotten while a copy lies in quarantine."""
    lot.undo_run()
    with pytest.raises(FolderError, match="1 file of it lies in quarantine"):
        plan_forget(lot.database, ForgetScope(camera="gate"))


@pytest.fixture
def moved(lot: Index) -> Index:
    """The file was also moved to another folder before it was removed again."""
    lot.undo_run()
    (lot.folder / MOVED).parent.mkdir()
    shutil.move(lot.folder / BIRDS, lot.folder / MOVED)
    lot.ingest()
    remove_again(lot)
    return lot


def test_it_comes_back_to_its_last_path_alone(moved: Index) -> None:
    """If it was moved in between, it comes back to where it was removed last, and to no other path."""
    report = moved.undo_run()
    assert (report.restored, report.copies, report.failures) == (1, 1, [])
    assert ((moved.folder / MOVED).read_bytes(), (moved.folder / BIRDS).exists()) == (picture(BIRD), False)
    ((failed, reason),) = moved.restore(moved.folder / BIRDS).failures
    assert (failed, str(moved.folder / MOVED) in reason, "purge --all" in reason) == (
        str(moved.folder / BIRDS),
        True,
        True,
    )
    assert not (moved.folder / BIRDS).exists()


def test_the_old_path_names_the_new_one(moved: Index) -> None:
    """Asked for by its old path, or by its first run, restore changes nothing and types the path to ask for."""
    tree = moved.tree()
    ((first_run,),) = moved.rows("SELECT MIN(run_id) FROM removals")
    for report in (moved.restore(moved.folder / BIRDS), moved.undo_run(first_run)):
        ((_, reason),) = report.failures
        assert f"restore {moved.folder / MOVED}" in reason
    assert moved.tree() == tree


@pytest.mark.parametrize("fate", ["deleted by prune", "deleted in quarantine", "deleted at its path"])
def test_the_last_copy_comes_back_to_its_first_path(lot: Index, fate: str) -> None:
    """Of a file that was moved, and whose other copy is gone, the earlier copy comes back, and the index knows where
    it is: no advice ever leads to its deletion."""
    lot.undo_run()
    (lot.folder / MOVED).parent.mkdir()
    shutil.move(lot.folder / BIRDS, lot.folder / MOVED)
    assert lot.ingest().outcomes["moved"] == 1
    lot.compare()
    if fate == "deleted at its path":
        (lot.folder / MOVED).unlink()
        lot.ingest()
    else:
        again = plan(lot.database, include_restored=True)
        assert lot.prune(again, include_restored=True, permanent=fate == "deleted by prune").removed == 1
    if fate == "deleted in quarantine":
        quarantined(lot)[1].unlink()
    report = lot.restore(lot.folder / BIRDS)
    assert (report.restored, report.failures) == (1, [])
    assert (lot.folder / BIRDS).read_bytes() == picture(BIRD)
    rows = lot.rows("SELECT path, root FROM images WHERE state = 'ready' ORDER BY path")
    assert rows == [(str(lot.folder / file), str(lot.folder)) for file in (KEEPER, BIRDS, OTHER)]


def test_taken_out_again_to_another_name(lot: Index) -> None:
    """The last copy counts: moved by hand to another name, it is the image that was removed, and stays."""
    (lot.folder / "mine").mkdir()
    path = Path(shutil.move(quarantined(lot)[1], lot.folder / "mine" / name(5)))
    assert lot.ingest().outcomes["moved"] == 1
    lot.compare()
    assert (lot.prune().removed, path.read_bytes(), status(lot.database).held_back_files) == (0, picture(BIRD), 1)
