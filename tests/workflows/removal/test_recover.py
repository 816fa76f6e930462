"""recover, rescue and what settles: one of two copies goes only where nobody else can be at work on it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from indexer.files import folder_lock, io_steps
from indexer.files.folder_lock import LOCK_NAME
from indexer.files.markers import QUARANTINE_NAME
from indexer.workflows import witnesses
from indexer.workflows.removal import quarantine_space, recover, remove_file, rescue, return_obstacles
from indexer.workflows.removal.restore import RestoreSelection, plan_restore
from tests.support.connections import END_OTHERS
from tests.support.databases import on_postgresql, on_sqlite
from tests.support.index import CAR, Index, name, picture, prepared
from tests.support.mounts import small_disk

KEEPER, VICTIM, OTHER = name(0), name(1), name(2)


class Cut(BaseException):
    """The power goes."""


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: a keeper, and two that it stands for."""
    for file, content in {KEEPER: picture(), VICTIM: picture(stamp=1), OTHER: picture(stamp=2)}.items():
        index.put(file, content)
    index.ingest()
    index.pin(KEEPER)
    index.compare()


def cut_after(monkeypatch: pytest.MonkeyPatch, step: str, *, call: int = 1) -> None:
    """Cuts the work after a call of a step; later ones are let be."""
    real, calls = getattr(io_steps, step), []

    def cutting(*given: Any, **more: Any) -> Any:
        found = real(*given, **more)
        calls.append(given)
        if len(calls) == call:
            monkeypatch.setattr(io_steps, step, real)
            raise Cut
        return found

    monkeypatch.setattr(io_steps, step, cutting)


def recovered(lot: Index, *, nobody_else: bool = False) -> recover.RecoverReport:
    """What recover says."""
    return recover.recover(lot.database, nobody_else=nobody_else, clock=lot.clock)


def contents(lot: Index) -> list[bytes]:
    """The bytes of every image, wherever it lies."""
    return sorted(content for content, _ in lot.tree().values())


def asides(lot: Index) -> list[Path]:
    """Files that wait for their end."""
    return list(lot.folder.parent.rglob(".indexer-aside-*"))


def other_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is one of a network."""
    monkeypatch.setattr(folder_lock, "is_shared", lambda _folder: True)


@pytest.mark.parametrize("act", ["prune", "restore"])
def test_two_copies_stay_where_other_hosts_may_be_at_work(
    lot: Index, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """On a network file system a file at both ends stays at both, until a person says that nobody else is at work."""
    if act == "restore":
        lot.prune()
    before = contents(lot)
    cut_after(monkeypatch, "link")
    with pytest.raises(Cut):
        lot.prune() if act == "prune" else lot.restore()
    both = lot.tree()
    assert len(both) == len(before) + 1
    other_hosts(monkeypatch)
    report = recovered(lot)
    assert (report.finished, report.undone, len(report.left_open), lot.tree()) == (0, 0, 1, both)
    lot.ingest()
    assert (lot.tree(), lot.prune().removed <= 1) == (both, True) if act == "restore" else (lot.tree(), True)
    report = recovered(lot, nobody_else=True)
    assert (report.finished + report.undone >= 1, report.left_open) == (True, ())
    assert contents(lot) == before


def test_one_copy_is_settled_on_any_disk(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file is at one end only nothing has to go, and recover writes down where it is."""
    cut_after(monkeypatch, "unlink")
    with pytest.raises(Cut):
        lot.prune()
    other_hosts(monkeypatch)
    before = lot.tree()
    report = recovered(lot)
    assert (report.finished, report.left_open, lot.tree()) == (1, (), before)
    assert lot.removals() == [(VICTIM, "quarantined")]


DELETION_CUTS = [("link", 1), ("unlink", 1), ("unlink", 2)]


def keeper_is_free(lot: Index) -> bool:
    """Whether the keeper would go for a larger image of the same."""
    lot.ingest()
    lot.unpin(KEEPER)
    lot.put(name(3), picture(height=128, width=192))
    lot.ingest()
    lot.compare()
    return KEEPER in {Path(one.victim.path).name for one in lot.plan().victims}


@pytest.mark.parametrize(("step", "call"), DELETION_CUTS)
def test_cut_deletion_is_undone_while_the_file_is_there(
    lot: Index, monkeypatch: pytest.MonkeyPatch, step: str, call: int
) -> None:
    """A deletion that was cut is undone while the file is there, at its name or aside, and finished if it is gone."""
    cut_after(monkeypatch, step, call=call)
    with pytest.raises(Cut):
        lot.prune(permanent=True)
    lot.make_profile("any")
    gone = (step, call) == ("unlink", 2)
    assert (lot.removals(), asides(lot)) == ([(VICTIM, "deleted" if gone else "failed")], [])
    assert (picture(stamp=1) in contents(lot)) is not gone
    assert keeper_is_free(lot) is not gone


@pytest.mark.parametrize(("step", "call"), DELETION_CUTS)
def test_new_picture_of_the_name_of_a_cut_deletion(
    lot: Index, monkeypatch: pytest.MonkeyPatch, step: str, call: int
) -> None:
    """Where a new picture has the name by now nothing is deleted and the keeper goes on standing: a file that waits
    does so until that name is free, and comes back then."""
    cut_after(monkeypatch, step, call=call)
    with pytest.raises(Cut):
        lot.prune(permanent=True)
    (lot.folder / VICTIM).unlink(missing_ok=True)
    lot.put(VICTIM, picture(CAR))
    report, waiting = recovered(lot), asides(lot)
    assert len(waiting) == len(report.left_open) == (0 if call == 2 else 1)
    assert [path.read_bytes() for path in waiting] == [picture(stamp=1)] * len(waiting)
    assert all("it waits at" in why for _, why in report.left_open)
    assert (lot.folder / VICTIM).read_bytes() == picture(CAR)
    assert not keeper_is_free(lot)
    if waiting:
        (lot.folder / VICTIM).unlink()
        assert (recovered(lot).undone, asides(lot)) == (1, [])
        assert (lot.folder / VICTIM).read_bytes() == picture(stamp=1)


def test_deletion_on_a_disk_that_is_away_stays_open(
    lot: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A deletion that was cut is not taken for done where the folder is there and empty, as without its disk."""
    cut_after(monkeypatch, "unlink")
    with pytest.raises(Cut):
        lot.prune(permanent=True)
    site = lot.folder.parent.rename(tmp_path / "away")
    lot.folder.mkdir(parents=True)
    assert len(recovered(lot).left_open) == 1
    lot.folder.rmdir()
    lot.folder.parent.rmdir()
    site.rename(lot.folder.parent)
    assert recovered(lot).undone == 1
    assert (lot.folder / VICTIM).read_bytes() == picture(stamp=1)


def test_new_picture_of_that_name_does_not_free_the_keeper(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion that an earlier version was cut in, with a new picture at the path, is a deletion."""
    cut_after(monkeypatch, "unlink", call=2)
    with pytest.raises(Cut):
        lot.prune(permanent=True)
    lot.execute("UPDATE removals SET aside_path = NULL")
    lot.put(VICTIM, picture(CAR))
    lot.make_profile("any")
    assert lot.removals() == [(VICTIM, "deleted")]


@pytest.mark.parametrize("call", [1, 2])
def test_cut_purge_gives_the_name_back(lot: Index, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """A purge that was cut while a file waited is undone: the file is in quarantine under its name, else gone."""
    lot.prune()
    cut_after(monkeypatch, "unlink", call=call)
    with pytest.raises(Cut):
        lot.purge()
    lot.make_profile("any")
    assert asides(lot) == []
    assert [state for _, state in lot.removals()] == ["quarantined" if call == 1 else "purged", "quarantined"]
    assert (picture(stamp=1) in contents(lot)) is (call == 1)


def test_prune_without_anything_to_remove_recovers(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prune with an empty plan resolves what was cut off, as every writing command; with nothing open it is no run."""
    lot.prune()
    cut_after(monkeypatch, "unlink")
    with pytest.raises(Cut):
        lot.purge()
    assert lot.plan().victims == ()
    assert lot.prune().run_id is not None
    assert (asides(lot), recovered(lot).left_open) == ([], ())
    assert lot.rows("SELECT pending FROM removals") == [(None,), (None,)]
    assert picture(stamp=1) in contents(lot)
    assert lot.prune().run_id is None


def test_file_that_was_taken_out_of_the_quarantine_keeps_its_witness(
    lot: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is at neither end may have gone, and been taken out of the quarantine: its keeper stays pinned."""
    cut_after(monkeypatch, "unlink")
    with pytest.raises(Cut):
        lot.prune()
    [place] = lot.folder.parent.glob(f"{QUARANTINE_NAME}/run-*/*/{VICTIM}")
    place.rename(lot.folder.parent / "taken.png")
    lot.make_profile("any")
    assert lot.removals() == [(VICTIM, "quarantined")]
    assert lot.purge().gone == 1


def test_recovery_waits_for_who_moves_the_file(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the lock of the quarantine, what is open stays open and both copies stay."""
    cut_after(monkeypatch, "link")
    with pytest.raises(Cut):
        lot.prune()
    both = lot.tree()
    lock = lot.folder.parent / QUARANTINE_NAME / LOCK_NAME
    hold = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    pipe = subprocess.PIPE
    monkeypatch.setattr(
        witnesses, "lock_folders", lambda folders, **how: folder_lock.lock_folders(folders, **how, timeout_s=0.1)
    )
    with subprocess.Popen([sys.executable, "-c", hold, lock], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert len(recovered(lot).left_open) == 1
        assert lot.tree() == both
        report = rescue.rescue(str(lock.parent))
        assert (report.restored, "another command is moving" in report.failures[0][1], lot.tree()) == (0, True, both)
        other.communicate("\n")
    assert recovered(lot).undone == 1
    assert len(lot.tree()) == len(both) - 1


def test_what_another_command_settled_is_left(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was settled while its lock was waited for is not settled once more."""
    cut_after(monkeypatch, "link")
    with pytest.raises(Cut):
        lot.prune()
    both, real = lot.tree(), witnesses.lock_folders

    def settling(*given: Any, **more: Any) -> Any:
        lot.execute("UPDATE removals SET pending = NULL, state = 'failed'")
        return real(*given, **more)

    monkeypatch.setattr(witnesses, "lock_folders", settling)
    report = recovered(lot)
    assert (report.finished, report.undone, report.left_open, lot.tree()) == (0, 0, (), both)


@pytest.mark.parametrize("way", ["link to the place", "place in the manifest"])
def test_rescue_never_takes_the_only_copy(lot: Index, way: str) -> None:
    """Where the old path leads to the file in quarantine itself rescue leaves it, and says so."""
    lot.prune()
    quarantine = lot.folder.parent / QUARANTINE_NAME
    [place] = quarantine.rglob(VICTIM)
    (lot.folder / KEEPER).unlink()
    if way == "link to the place":
        lot.folder.rmdir()
        lot.folder.symlink_to(place.parent)
    else:
        [manifest] = quarantine.rglob("manifest.jsonl")
        manifest.write_text(manifest.read_text().replace(str(lot.folder / VICTIM), str(place)))
    report = rescue.rescue(str(quarantine))
    assert place.read_bytes() == picture(stamp=1)
    assert any("leads into a quarantine" in why for _, why in report.failures)


@pytest.mark.parametrize("cut", [False, True])
def test_rescue_from_a_quarantine_that_cannot_be_written_to(
    lot: Index, monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    """From a read-only quarantine files are copied back, with their times, and nothing in it is deleted."""
    before = lot.tree()
    lot.prune()
    quarantine = lot.folder.parent / QUARANTINE_NAME
    kept = {path: path.read_bytes() for path in quarantine.rglob("*.png")}
    real_open, real_access = io_steps.open_lock, os.access

    def refusing(path: str) -> int:
        if QUARANTINE_NAME in path:
            raise OSError(30, os.strerror(30), path)
        return real_open(path)

    monkeypatch.setattr(io_steps, "open_lock", refusing)
    monkeypatch.setattr(
        os, "access", lambda path, mode, **how: QUARANTINE_NAME not in str(path) and real_access(path, mode, **how)
    )
    if cut:
        cut_after(monkeypatch, "copy_bytes")
        with pytest.raises(Cut):
            rescue.rescue(str(quarantine))
    for _ in range(2):
        assert rescue.rescue(str(quarantine)).failures == []
    assert {path: path.read_bytes() for path in quarantine.rglob("*.png")} == kept
    assert {file: found for file, found in lot.tree().items() if QUARANTINE_NAME not in file} == before


SLOW = """
import os, sys, time
from datetime import UTC, datetime
from indexer.files import io_steps as steps
from indexer.store.schema import open_database
from indexer.workflows.removal import prune
from indexer.workflows.removal.remove_file import RemovalOptions
real = steps.unlink
def slow(path):
    if path == sys.argv[2]:
        print("moving", flush=True)
        sys.stdin.readline()
        time.sleep(0.5)
        print("moved at", time.monotonic(), flush=True)
    real(path)
steps.unlink = slow
database = open_database(sys.argv[1])
plan = prune.plan(database)
try:
    prune.prune(database, plan, options=RemovalOptions(), camera=None, clock=lambda: datetime.now(UTC))
except Exception as problem:
    print(type(problem).__name__, flush=True)
"""


def moving(lot: Index) -> subprocess.Popen[str]:
    """Another process that removes files; it is at the first one, and goes on half a second after `go_on`."""
    lot.database.close()
    place = lot.database.url.render_as_string(hide_password=False)
    line = [sys.executable, "-c", SLOW, place, str(lot.folder / VICTIM)]
    project = str(Path(__file__).resolve().parents[3])
    pipe, environment = subprocess.PIPE, os.environ | {"PYTHONPATH": project}
    first = subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, env=environment)
    assert first.stdout is not None
    assert first.stdout.readline() == "moving\n"
    return first


def go_on(first: subprocess.Popen[str]) -> None:
    """Lets the other process move its file half a second later: by then whoever does not wait has acted."""
    assert first.stdin is not None
    first.stdin.write("\n")
    first.stdin.flush()


@on_sqlite
@pytest.mark.parametrize("second", ["lock removed", "rescue"])
def test_move_under_way_is_not_recovered_by_another(lot: Index, second: str) -> None:
    """A file that a slow disk still moves is not taken for one that a cut left: whoever comes waits; none is lost."""
    before = contents(lot)
    with moving(lot) as first:
        if second == "rescue":
            go_on(first)
            rescue.rescue(str(lot.folder.parent / QUARANTINE_NAME))
        else:
            Path(f"{lot.database.path}.lock").unlink()
            go_on(first)
            lot.pin(OTHER)
        ended_s = time.monotonic()
        moved, *rest = first.communicate()[0].splitlines()
    assert contents(lot) == before
    assert ended_s >= float(moved.removeprefix("moved at "))
    assert rest == (["DatabaseError"] if second == "lock removed" else [])


@on_postgresql
def test_move_under_way_whose_connection_ended(lot: Index) -> None:
    """Where the server ends the connection that holds the right while a file moves, the next command waits for that
    file, and none is lost."""
    before = contents(lot)
    with moving(lot) as first:
        lot.execute(f"{END_OTHERS} AND application_name LIKE 'indexer prune%'")
        go_on(first)
        lot.pin(OTHER)
        ended_s = time.monotonic()
        moved, *rest = first.communicate()[0].splitlines()
    assert (ended_s >= float(moved.removeprefix("moved at ")), rest) == (True, ["DatabaseError"])
    assert contents(lot) == before
    assert lot.removals() == [(VICTIM, "quarantined")]


def test_restore_waits_for_the_disk_of_the_folder(lot: Index, tmp_path: Path) -> None:
    """Where the folder is there and empty, as without its disk, nothing is put into it; with the disk all is back."""
    before = lot.tree()
    lot.prune(quarantine=str(tmp_path / "bin"))
    site = lot.folder.parent.rename(tmp_path / "away")
    lot.folder.mkdir(parents=True)
    report = lot.restore()
    assert (report.restored, len(report.failures), list(lot.folder.iterdir())) == (0, 2, [])
    assert all("mount its disk" in why for _, why in report.failures)
    lot.folder.rmdir()
    lot.folder.parent.rmdir()
    site.rename(lot.folder.parent)
    assert (lot.restore().restored, lot.tree()) == (2, before)


def test_full_disk_is_seen_before_a_copy(lot: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarantine on a disk without free space for the file takes nothing: the run ends at the first file, and says
    how much is free."""
    real = os.stat

    def elsewhere(path: Any, **more: Any) -> os.stat_result:
        found = real(path, **more)
        return os.stat_result((*found[:2], 99_999, *found[3:])) if str(path) == str(tmp_path / "bin") else found

    monkeypatch.setattr(remove_file.os, "stat", elsewhere)
    monkeypatch.setattr(quarantine_space, "free_bytes", lambda _folder: 16 * 2**20 + 10)  # what stays free, and more
    before = lot.tree()
    report = lot.prune(quarantine=str(tmp_path / "bin"))
    assert (report.removed, len(report.failures), report.stopped is not None) == (0, 1, True)
    assert "its disk has 16.7 MB free and needs 16.8 MB" in report.failures[0][1]
    assert lot.tree() == before


def test_a_full_disk_of_the_images(lot: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a quarantine on another disk, plan and restore say of the same files that their disk has no space for them;
    these stay in quarantine, whole, and come back when there is space."""
    before = lot.tree()
    with small_disk(tmp_path / "bin", "64m"):
        lot.prune(quarantine=str(tmp_path / "bin"))
        sizes = [path.stat().st_size for path in (tmp_path / "bin").rglob("*.png")]
        with monkeypatch.context() as patch:
            patch.setattr(return_obstacles, "free_bytes", lambda _folder: max(sizes))
            planned = plan_restore(lot.database, RestoreSelection(everything=True))
            assert (planned.files, [reason for _, reason in planned.failures]) == (1, [return_obstacles.DISK_IS_FULL])
            patch.setattr(return_obstacles, "free_bytes", lambda _folder: 0)
            report = lot.restore()
        assert (report.restored, {reason for _, reason in report.failures}) == (0, {return_obstacles.DISK_IS_FULL})
        assert (lot.restore().restored, lot.tree()) == (2, before)
