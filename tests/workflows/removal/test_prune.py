"""prune, restore and purge: no file is lost, and the journal says where each is."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import CameraError, ImageError, RunError, UsageError
from indexer.files.manifest import MANIFEST_NAME
from indexer.workflows.removal import purge as purge_workflow
from indexer.workflows.removal import remove_file
from indexer.workflows.removal import restore as restore_workflow
from indexer.workflows.removal.purge import PurgeSelection, close_gone, parse_purge, plan_purge
from indexer.workflows.removal.restore import parse_selection
from tests.support.databases import on_sqlite
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture, prepared
from tests.support.own_files import OWN_FILES

KEEPER, COPY, BIRDS, OTHER = name(0), name(1), name(2), name(3)
QUARANTINE = "../.indexer-quarantine"
GONE = PurgeSelection(gone=True)


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: a keeper with a copy and a picture that shows the same, and another keeper."""
    for file, content in {
        KEEPER: picture(),
        COPY: picture(),
        BIRDS: picture(BIRD),
        OTHER: picture(CAR),
    }.items():
        index.put(file, content)
    index.ingest()
    index.compare()


def files(index: Index) -> list[str]:
    """What lies in the folder and in the quarantine beside it, the quarantine's files by their last two parts."""
    return sorted("/".join(path.split("/")[-2:]) for path in index.tree())


def planned(index: Index) -> tuple[set[str], dict[str, int]]:
    """The files of the plan, and what it leaves out."""
    plan = index.plan()
    return {index.file(item.victim.path) for item in plan.victims}, {str(why): n for why, n in plan.left_out.items()}


@on_sqlite
def test_real_frames_go_and_come_back(
    frames_index: Callable[[str], Index], tmp_path: Path, open_index: Callable[..., Index]
) -> None:
    """On a copy of the real frames exactly the planned files go, whole, and all come back byte for byte with times."""
    expected = {file for file, decision in frames_index("balanced").decisions().items() if decision[0] == "duplicate"}
    index = open_index(tmp_path / "site" / "frames")
    shutil.copytree(frames_index("ingest").folder, index.folder)
    index.ingest()
    index.compare()
    before = index.tree()
    assert planned(index) == (expected, {})
    report = index.prune()
    assert (report.removed, report.failures, len(expected)) == (len(expected), [], 86)
    assert {path.name for path in index.folder.iterdir()} == {Path(file).name for file in before} - expected
    assert {Path(file).name: content for file, content in index.tree().items()} == {
        Path(file).name: content for file, content in before.items()
    }
    assert set(index.removals()) == {(file, "quarantined") for file in expected}
    assert index.restore().restored == 86
    assert index.tree() == before
    assert set(index.removals()) == {(file, "restored") for file in expected}


def test_pruned_files_lie_in_quarantine_whole(lot: Index) -> None:
    """The planned files, and they alone, lie in the quarantine with their bytes and times; the journal says so."""
    before = lot.tree()
    assert planned(lot) == ({COPY, BIRDS}, {})
    report = lot.prune()
    assert (report.removed, report.size_bytes) == (2, len(picture()) + len(picture(BIRD)))
    assert files(lot) == sorted([f"2/{COPY}", f"3/{BIRDS}", f"frames/{KEEPER}", f"frames/{OTHER}"])
    assert sorted(lot.tree().values()) == sorted(before.values())
    told = "path, keeper_path, quarantine_path, state, profile, score, run_id"
    found = lot.rows(f"SELECT {told} FROM audit_removals ORDER BY path")
    run = f"{QUARANTINE}/run-{lot.rows('SELECT id FROM index_identity')[0][0][:8]}-3"
    assert [(*map(lot.file, paths), *rest) for *paths, rest in ((*row[:3], row[3:]) for row in found)] == [
        (COPY, KEEPER, f"{run}/2/{COPY}", "quarantined", "balanced", 0.0, 3),
        (BIRDS, KEEPER, f"{run}/3/{BIRDS}", "quarantined", "balanced", 0.0, 3),
    ]


def test_restored_files_are_where_they_were(lot: Index) -> None:
    """Restore brings every file back with its bytes and times, and empties the quarantine; ingest finds no change."""
    before = lot.tree()
    lot.prune()
    assert lot.restore().restored == 2
    assert lot.tree() == before
    assert {path.name for path in (lot.folder / QUARANTINE).iterdir()} == OWN_FILES - {MANIFEST_NAME}
    assert lot.removals() == [(COPY, "restored"), (BIRDS, "restored")]
    assert dict(lot.ingest().outcomes) == {"unchanged": 4}


def test_restore_of_one_file_leaves_the_others(lot: Index) -> None:
    """A path or a run names what comes back; what is not in quarantine is refused before a run."""
    run_id = lot.prune().run_id
    assert lot.restore(lot.folder / COPY).restored == 1
    before = lot.dump()
    for asked, error in (({"run_id": 99}, RunError), ({"run_id": None}, ImageError)):
        with pytest.raises(error):
            lot.restore(*(() if asked["run_id"] else (lot.folder / COPY,)), **asked)
    assert lot.dump() == before
    assert lot.restore(run_id=run_id).restored == 1


def test_purged_files_are_gone_for_good(lot: Index) -> None:
    """Purge frees the space of every quarantined file, and the journal says when."""
    lot.prune()
    report = lot.purge()
    assert (report.purged, report.size_bytes, report.skipped) == (2, len(picture()) + len(picture(BIRD)), [])
    assert files(lot) == [f"frames/{KEEPER}", f"frames/{OTHER}"]
    assert lot.rows("SELECT state, purged_at IS NULL FROM audit_removals") == [("purged", 0)] * 2
    assert {path.name for path in (lot.folder / QUARANTINE).iterdir()} == OWN_FILES - {MANIFEST_NAME}


def test_purge_of_older_files_alone(lot: Index) -> None:
    """With an age only files that were removed longer ago are freed."""
    lot.prune()
    assert (lot.purge(older_than_days=1).purged, lot.purge(older_than_days=0).purged) == (0, 2)


def test_plan_leaves_out_what_lost_its_keeper(lot: Index) -> None:
    """A duplicate whose keeper is missing stays, counted with its reason, until compare has decided again."""
    (lot.folder / KEEPER).unlink()
    lot.ingest()
    assert planned(lot) == (set(), {"its keeper is not present": 2})
    lot.compare()
    assert planned(lot) == ({BIRDS}, {})


def test_plan_leaves_out_what_waits_for_compare(lot: Index) -> None:
    """A duplicate whose keeper is undecided stays."""
    lot.ingest(lot.folder / KEEPER, pattern=r"(?P<timestamp>\d{13})")
    assert planned(lot) == (set(), {"its keeper is no longer kept under the same profile": 2})


def test_plan_leaves_out_what_was_pinned(lot: Index) -> None:
    """A pinned duplicate stays."""
    lot.pin(COPY)
    assert planned(lot) == ({BIRDS}, {"it was pinned since": 1})


def test_plan_leaves_out_what_a_person_judged(lot: Index) -> None:
    """A duplicate that a person called different from its keeper stays."""
    lot.execute(
        "INSERT INTO verdicts (image_a_id, image_b_id, verdict, judged_by, judged_at, run_id) "
        "VALUES (1, 3, 'different', 'Ana', '2026-01-01 00:00:00', 1)"
    )
    assert planned(lot) == ({COPY}, {"a person has judged the pair since": 1})


def change(path: Path) -> None:
    """Puts other bytes of the same number into a file, its modification time as before."""
    status = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def link(path: Path) -> None:
    """Puts a link to the file in its place."""
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


@pytest.mark.parametrize("harm", [change, link, Path.unlink])
def test_no_file_goes_without_its_keeper(lot: Index, harm: Callable[[Path], None]) -> None:
    """A keeper that changed, became a link or is gone keeps its duplicates where they are, with a failed row each."""
    harm(lot.folder / KEEPER)
    before = lot.tree()
    report = lot.prune()
    assert (report.removed, [lot.file(path) for path, _ in report.failures]) == (0, [COPY, BIRDS])
    assert lot.tree() == before
    assert lot.removals() == [(COPY, "failed"), (BIRDS, "failed")]
    assert {state for _, state, _ in lot.states()} == {"ready"}


@pytest.mark.parametrize("harm", [change, link, Path.unlink])
def test_changed_file_costs_itself_alone(lot: Index, harm: Callable[[Path], None]) -> None:
    """A victim that is not what was indexed is left as it is, with a failed row; the others go."""
    harm(lot.folder / COPY)
    before = sorted(lot.tree().values())
    report = lot.prune()
    assert (report.removed, [lot.file(path) for path, _ in report.failures]) == (1, [COPY])
    assert sorted(lot.tree().values()) == before
    assert lot.removals() == [(COPY, "failed"), (BIRDS, "quarantined")]


def test_hard_link_of_its_keeper_is_left_alone(lot: Index) -> None:
    """A second name of the keeper's own file is counted and stays, which is no failure."""
    (lot.folder / COPY).unlink()
    os.link(lot.folder / KEEPER, lot.folder / COPY)
    report = lot.prune()
    assert (report.hard_links, report.removed, report.failures) == (1, 1, [])
    assert (lot.folder / COPY).samefile(lot.folder / KEEPER)
    assert lot.removals() == [(BIRDS, "quarantined")]


def test_file_that_cannot_be_looked_at_costs_itself_alone(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A victim in a folder that was closed meanwhile stays, with a failed row; the others go."""
    lstat, closed = os.lstat, str(lot.folder / COPY)

    def refusing(path: str, **how: Any) -> os.stat_result:
        if path == closed:
            raise PermissionError(13, "Permission denied", path)
        return lstat(path, **how)

    monkeypatch.setattr(os, "lstat", refusing)
    report = lot.prune()
    assert (report.removed, [path for path, _ in report.failures]) == (1, [closed])
    assert lot.removals() == [(COPY, "failed"), (BIRDS, "quarantined")]


def test_quarantine_that_a_person_names(lot: Index, tmp_path: Path) -> None:
    """A named folder takes the files, and restore brings them back from there."""
    before = lot.tree()
    assert lot.prune(quarantine=str(tmp_path / "elsewhere")).removed == 2
    assert sorted(path.name for path in (tmp_path / "elsewhere").rglob("*.png")) == [COPY, BIRDS]
    lot.restore()
    assert lot.tree() == before


def test_quarantine_inside_the_root_is_not_walked(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the root's parent may not be written to, the quarantine lies in the root, and ingest does not see it."""
    access, parent = os.access, str(lot.folder.parent)
    monkeypatch.setattr(os, "access", lambda path, *mode, **how: path != parent and access(path, *mode, **how))
    lot.prune()
    run = f"run-{lot.rows('SELECT id FROM index_identity')[0][0][:8]}-3"
    assert sorted(str(path.relative_to(lot.folder)) for path in lot.folder.rglob("*.png")) == [
        f".indexer-quarantine/{run}/2/{COPY}",
        f".indexer-quarantine/{run}/3/{BIRDS}",
        KEEPER,
        OTHER,
    ]
    assert dict(lot.ingest().outcomes) == {"unchanged": 2}


def test_full_disk_leaves_the_file(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first file for which there is no space stays, with the reason in the journal, and ends the run in order."""
    move, refused = remove_file.move_no_replace, []

    def refusing(source: str, target: str, **how: Any) -> None:
        if not refused:
            refused.append(source)
            raise OSError(28, "No space left on device")
        move(source, target, **how)

    monkeypatch.setattr(remove_file, "move_no_replace", refusing)
    report = lot.prune()
    assert report.failures == [(str(lot.folder / COPY), "No space left on device")]
    assert report.stopped == "No space left on device; 1 file of the plan was not tried"
    assert lot.rows("SELECT state, problem FROM audit_removals") == [("failed", "No space left on device")]
    assert files(lot) == sorted(f"frames/{file}" for file in (KEEPER, COPY, BIRDS, OTHER))
    assert lot.rows("SELECT outcome FROM audit_runs WHERE command = 'prune'") == [("done",)]
    assert (lot.prune().removed, lot.prune().stopped) == (2, None)


def test_permanent_removal_deletes(lot: Index) -> None:
    """With `permanent` the planned files are deleted at once, and the journal has no place for them."""
    assert lot.prune(permanent=True).removed == 2
    assert files(lot) == [f"frames/{KEEPER}", f"frames/{OTHER}"]
    assert lot.rows("SELECT state, quarantine_path FROM audit_removals") == [("deleted", None)] * 2
    assert lot.states()[1:3] == [(COPY, "removed", None), (BIRDS, "removed", None)]


def test_last_image_of_a_camera_stays(index: Index) -> None:
    """Whatever is pruned, ingested and compared again, one image of each camera is left."""
    for minute in range(4):
        index.put(name(minute), picture(stamp=minute))
    for _ in range(3):
        index.ingest()
        index.compare()
        index.prune()
    assert [path.name for path in index.folder.iterdir()] == [name(0)]


def test_outdated_plan_is_not_applied(lot: Index) -> None:
    """What compare decided again since the plan was shown stays, and is counted."""
    shown = lot.plan()
    lot.make_profile("strict", min_contour_area=0.0, max_score=1.0)
    lot.compare(profile="strict")
    report = lot.prune(shown)
    assert (report.removed, report.outdated) == (0, 2)
    assert files(lot) == sorted(f"frames/{file}" for file in (KEEPER, COPY, BIRDS, OTHER))


def test_plan_of_one_camera(lot: Index) -> None:
    """With a camera's name the files of others stay."""
    for file, content in {name(0, "yard"): picture(), name(1, "yard"): picture()}.items():
        lot.put(file, content)
    lot.ingest()
    lot.compare()
    assert lot.prune(camera="yard").removed == 1
    assert lot.removals() == [(name(1, "yard"), "quarantined")]
    with pytest.raises(CameraError):
        lot.plan(camera="nowhere")


def test_keeper_of_a_removed_image_is_pinned(lot: Index) -> None:
    """An image that stands for removed ones is kept, even below a better one; restored without a pin it is free."""
    lot.prune()
    lot.put(name(9), picture(height=128, width=192))
    lot.ingest()
    lot.compare()
    assert lot.decisions()[KEEPER] == ("keep", None, None)
    assert lot.rows("SELECT reason FROM audit_decisions WHERE image_id = 1") == [("pinned",)]
    lot.restore(pin=False)
    lot.compare()
    assert {lot.decisions()[file][:2] for file in (KEEPER, COPY, BIRDS)} == {("duplicate", name(9))}


@pytest.mark.parametrize("pin", [True, False])
def test_restored_image_is_pinned_with_its_keeper(lot: Index, pin: bool) -> None:
    """Restore pins the file and its keeper, so that it is not taken again, unless it is told not to."""
    lot.prune()
    lot.restore(lot.folder / COPY, pin=pin)
    assert lot.rows("SELECT image_id, reason FROM pins ORDER BY 1") == ([(1, "restore"), (2, "restore")] if pin else [])
    lot.compare()
    assert lot.prune().removed == (0 if pin else 1)


def test_restored_image_is_decided_from_scratch(lot: Index) -> None:
    """An image that comes back meets the keepers that came while it was away."""
    lot.prune()
    lot.put(name(2.5), picture(stamp=1))
    lot.ingest()
    lot.pin(name(2.5))
    lot.compare()
    lot.restore(lot.folder / BIRDS, pin=False)
    lot.compare()
    assert lot.decisions()[BIRDS] == ("duplicate", name(2.5), 0.0)


def test_restore_never_writes_over_a_file(lot: Index) -> None:
    """Where something else lies at the path both files stay as they are, and the journal too."""
    lot.prune()
    lot.put(COPY, picture(BIKE))
    before = lot.tree()
    report = lot.restore()
    assert (report.restored, [path for path, _ in report.failures]) == (1, [str(lot.folder / COPY)])
    assert {file: lot.tree()[file] for file in before if COPY in file} == {
        file: content for file, content in before.items() if COPY in file
    }
    assert lot.removals() == [(COPY, "quarantined"), (BIRDS, "restored")]
    (lot.folder / COPY).unlink()
    assert lot.restore().restored == 1


def test_restore_makes_the_folder_again(index: Index) -> None:
    """A file whose folder is gone comes back into a new one."""
    index.put(KEEPER, picture())
    path = index.put(f"old/archive/{COPY}", picture())
    index.ingest()
    index.compare()
    index.prune()
    shutil.rmtree(index.folder / "old")
    assert index.restore().restored == 1
    assert path.read_bytes() == picture()


def test_restore_of_a_harmed_file_is_refused(lot: Index) -> None:
    """A quarantined file that is not what was put there stays there, and is never called restored."""
    lot.prune()
    [place] = lot.folder.parent.rglob(f"2/{COPY}")
    change(place)
    report = lot.restore()
    assert (report.restored, len(report.failures)) == (1, 1)
    assert lot.removals() == [(COPY, "quarantined"), (BIRDS, "restored")]
    assert (place.exists(), (lot.folder / COPY).exists()) == (True, False)


@pytest.mark.parametrize("harm", [change, link, Path.unlink])
def test_purge_keeps_what_nobody_stands_for(lot: Index, harm: Callable[[Path], None]) -> None:
    """While a keeper is missing or changed, what it stands for stays in quarantine."""
    lot.prune()
    harm(lot.folder / KEEPER)
    before = lot.tree()
    report = lot.purge()
    assert (report.purged, len(report.skipped)) == (0, 2)
    assert lot.tree() == before
    assert lot.removals() == [(COPY, "quarantined"), (BIRDS, "quarantined")]


def test_purge_asks_the_index_for_the_keeper(lot: Index) -> None:
    """A keeper that the index calls missing stands for nothing, whatever lies at its path."""
    lot.prune()
    lot.put(KEEPER, picture(CAR, BIKE))
    lot.ingest()
    lot.put(KEEPER, picture())
    report = lot.purge()
    assert (report.purged, len(report.skipped)) == (0, 2)


def test_purge_keeps_a_harmed_file(lot: Index) -> None:
    """A quarantined file that is not what was put there is not deleted."""
    lot.prune()
    [place] = lot.folder.parent.rglob(f"2/{COPY}")
    change(place)
    assert (lot.purge().purged, place.exists()) == (1, True)
    assert lot.removals() == [(COPY, "quarantined"), (BIRDS, "purged")]


@pytest.mark.parametrize("asked", [{}, {"everything": True, "run_id": 1}, {"everything": True, "paths": ["a"]}])
def test_restore_wants_one_word(asked: dict[str, Any]) -> None:
    """What to bring back is all, a run or paths, and exactly one of them."""
    with pytest.raises(UsageError):
        parse_selection(asked.get("paths", []), everything=asked.get("everything", False), run_id=asked.get("run_id"))


@pytest.mark.parametrize(("everything", "days"), [(False, None), (True, 3.0)])
def test_purge_wants_one_word(everything: bool, days: float | None) -> None:
    """What to free is all or what is old, and exactly one of them."""
    with pytest.raises(UsageError):
        parse_purge(None, everything=everything, older_than_days=days)


class Cut(BaseException):
    """The power goes."""


def cut(monkeypatch: pytest.MonkeyPatch, module: Any, step: str, *, after: bool) -> None:
    """Cuts the work before or after the first call of a step of a workflow, and lets later ones be."""
    real = getattr(module, step)

    def cutting(*given: Any, **how: Any) -> None:
        monkeypatch.setattr(module, step, real)
        if after:
            real(*given, **how)
        raise Cut

    monkeypatch.setattr(module, step, cutting)


@pytest.mark.parametrize("after", [False, True])
def test_cut_prune_is_settled(lot: Index, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    """Cut before or after a move, the next writing command undoes or finishes it; no bytes are lost."""
    before = lot.tree()
    cut(monkeypatch, remove_file, "move_no_replace", after=after)
    with pytest.raises(Cut):
        lot.prune()
    assert lot.removals() == [(COPY, "planned")]
    lot.ingest()
    assert lot.removals() == [(COPY, "quarantined" if after else "failed")]
    assert dict((file, state) for file, state, _ in lot.states())[COPY] == ("removed" if after else "ready")
    assert sorted(lot.tree().values()) == sorted(before.values())
    lot.prune()
    lot.restore()
    assert lot.tree() == before


@pytest.mark.parametrize("after", [False, True])
def test_cut_deletion_is_settled(lot: Index, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    """Cut before or after a deletion, the journal says afterwards what became of the file."""
    cut(monkeypatch, remove_file, "delete_witnessed", after=after)
    with pytest.raises(Cut):
        lot.prune(permanent=True)
    lot.pin(OTHER)
    assert lot.removals() == [(COPY, "deleted" if after else "failed")]
    assert (lot.folder / COPY).exists() is not after


@pytest.mark.parametrize("after", [False, True])
def test_cut_restore_is_settled(lot: Index, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    """Cut before or after a file went back, it is afterwards in quarantine or restored, as the journal says."""
    before = lot.tree()
    lot.prune()
    cut(monkeypatch, restore_workflow, "move_no_replace", after=after)
    with pytest.raises(Cut):
        lot.restore()
    lot.compare()
    assert lot.removals() == [(COPY, "restored" if after else "quarantined"), (BIRDS, "quarantined")]
    assert (lot.folder / COPY).exists() is after
    lot.restore()
    assert lot.tree() == before


@pytest.mark.parametrize("after", [False, True])
def test_cut_purge_is_settled(lot: Index, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    """Cut before or after a quarantined file was deleted, the journal says afterwards which."""
    lot.prune()
    cut(monkeypatch, purge_workflow, "delete_witnessed", after=after)
    with pytest.raises(Cut):
        lot.purge()
    lot.make_profile("any")
    assert lot.removals() == [(COPY, "purged" if after else "quarantined"), (BIRDS, "quarantined")]
    assert (f"2/{COPY}" in files(lot)) is not after


def test_cut_copy_to_another_disk_is_settled(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut while a file is at both places, one whole copy is left, where it was."""
    before = lot.tree()

    def copying(source: str, target: str, **_how: Any) -> None:
        shutil.copy2(source, target)
        raise Cut

    monkeypatch.setattr(remove_file, "move_no_replace", copying)
    with pytest.raises(Cut):
        lot.prune()
    assert len(lot.tree()) == 5
    lot.ingest()
    assert (lot.tree(), lot.removals()) == (before, [(COPY, "failed")])


def test_purge_keeps_what_a_person_judged(lot: Index) -> None:
    """A file judged different from its keeper stays in quarantine, whole, and is reported with the restore command."""
    lot.prune()
    before = lot.tree()
    lot.judge(COPY, KEEPER, "different")
    report = lot.purge()
    assert report.purged == 1
    assert [reason.partition(";")[0] for _, reason in report.skipped] == [
        "Ada said that its keeper shows something different"
    ]
    ((place, _),) = report.skipped
    kept = os.path.relpath(place, lot.folder.parent)
    assert {path: held for path, held in before.items() if path.endswith(kept)} == {
        path: held for path, held in lot.tree().items() if path.endswith(kept)
    }
    assert lot.restore().restored == 1


def test_a_quarantine_that_was_deleted_is_closed_by_a_person(lot: Index) -> None:
    """Purge leaves alone what is gone with its quarantine and names the way out: `--gone` closes it."""
    lot.prune()
    shutil.rmtree(lot.folder / QUARANTINE)
    planned = plan_purge(lot.database, PurgeSelection(), clock=lot.clock)
    skipped = [(file.path, file.reason) for file in planned.skipped]
    assert (planned.files, skipped) == ((), lot.purge().skipped)
    assert ["purge --gone" in reason for _, reason in skipped] == [True, True]
    gone = plan_purge(lot.database, GONE, clock=lot.clock)
    assert [file.path for file in gone.files] == [str(lot.folder / file) for file in (COPY, BIRDS)]
    report = close_gone(lot.database, GONE, clock=lot.clock)
    assert (report.gone, report.skipped, lot.removals()) == (2, [], [(COPY, "purged"), (BIRDS, "purged")])
    assert (lot.purge().skipped, files(lot)) == ([], [f"frames/{KEEPER}", f"frames/{OTHER}"])


def test_a_quarantine_that_is_there_is_not_gone(lot: Index) -> None:
    """`purge --gone` closes and deletes nothing of a quarantine that is there."""
    lot.prune()
    before = lot.tree()
    assert close_gone(lot.database, GONE, clock=lot.clock).gone == 0
    assert (lot.tree(), {state for _, state in lot.removals()}) == (before, {"quarantined"})


def test_a_disk_that_is_away_is_not_gone(lot: Index) -> None:
    """If the keeper is not there either, the disk is away: nothing is closed."""
    lot.prune()
    shutil.rmtree(lot.folder / QUARANTINE)
    lot.folder.rename(lot.folder.with_name("away"))
    report = close_gone(lot.database, GONE, clock=lot.clock)
    assert (report.gone, len(report.skipped), {state for _, state in lot.removals()}) == (0, 2, {"quarantined"})
