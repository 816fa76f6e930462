"""relocate: a folder was renamed or moved; the index, the records beside the images and the quarantines follow."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.errors import FolderError, UsageError
from indexer.files.markers import QUARANTINE_NAME
from indexer.files.quarantine import prepare_quarantine
from indexer.files.witness_record import WitnessRecords, append, list_record_folders, read_lines
from indexer.store import relocation
from indexer.store.confirmations import OpenQuestion, list_open_questions
from indexer.workflows.admin.camera import list_cameras, list_rules
from indexer.workflows.removal.prune import plan
from indexer.workflows.removal.relocate import plan_relocation, relocate
from indexer.workflows.removal.rescue import rescue
from tests.support.index import BIRD, CAR, Index, name, picture, prepared
from tests.support.video_rows import add_video_rows

KEEPER, COPY, BIRDS, OTHER = name(0), name(1), name(2), name(3)


@prepared
def lot(index: Index) -> None:
    """A camera in `site/frames`, decided and pruned: two files lie in `site/.indexer-quarantine`."""
    contents = {KEEPER: picture(), COPY: picture(), BIRDS: picture(BIRD), OTHER: picture(CAR)}
    for file, content in contents.items():
        index.put(file, content)
    index.ingest()
    index.compare()
    assert index.prune().removed == 2


def moved(index: Index, old: Path, new: Path) -> Index:
    """The index after a folder got another path, and the index was told."""
    new.parent.mkdir(parents=True, exist_ok=True)
    folder = index.folder
    shutil.move(old, new)
    index.folder = new / folder.relative_to(old)
    relocate(index.database, str(old), str(new), clock=index.clock)
    return index


def whole_site(index: Index) -> Index:
    """The folder above is renamed, with the quarantine in it."""
    return moved(index, index.folder.parent, index.folder.parent.parent / "renamed")


def frames_alone(index: Index) -> Index:
    """The folder itself is renamed; its quarantine stays beside it."""
    return moved(index, index.folder, index.folder.parent / "renamed")


def frames_away(index: Index) -> Index:
    """The folder itself is moved away from its quarantine."""
    return moved(index, index.folder, index.folder.parent.parent / "elsewhere" / "frames")


def open_questions(index: Index) -> dict[str, OpenQuestion]:
    """What a person was asked about cameras and did not answer."""
    with index.database.read() as session:
        return list_open_questions(session)


def test_a_question_about_both_paths_ends(lot: Index) -> None:
    """An ingest of the renamed folder asks whether its camera is the one of the old path; `relocate` answers."""
    old, new = lot.folder.parent, lot.folder.parent.parent / "renamed"
    old.rename(new)
    lot.folder = new / "frames"
    lot.put(name(9), picture(BIRD, CAR))
    lot.ingest()
    assert open_questions(lot)
    relocate(lot.database, str(old), str(new), clock=lot.clock)
    assert open_questions(lot) == {}
    lot.ingest()
    lot.compare()
    assert plan(lot.database).held_back == ()


def test_a_question_about_a_third_folder_stays(lot: Index) -> None:
    """Its folders are named as they are now."""
    other = lot.folder.parent.parent / "other"
    shutil.copytree(lot.folder, other)
    (other / name(9)).write_bytes(picture(BIRD, CAR))
    lot.ingest(other)
    (before,) = open_questions(lot).values()
    index = whole_site(lot)
    (after,) = open_questions(index).values()
    assert set(before.folders) == {str(other), str(lot.folder.parent.parent / "site" / "frames")}
    assert set(after.folders) == {str(other), str(index.folder)}


@pytest.mark.parametrize("with_images", [True, False])
def test_videos_go_with_their_folder(lot: Index, with_images: bool) -> None:
    """Of a folder that holds videos, with images or alone, the videos have the new path, and are counted apart."""
    old = lot.folder if with_images else lot.folder.parent.parent / "videos"
    old.mkdir(exist_ok=True)
    (old / "gate.mp4").write_bytes(b"video")
    add_video_rows(lot.database, old / "gate.mp4", image=lot.folder / KEEPER)
    add_video_rows(lot.database, old / "gone.mp4", image=lot.folder / OTHER)
    new = old.parent / "renamed"
    old.rename(new)
    planned = plan_relocation(lot.database, str(old), str(new))
    report = relocate(lot.database, str(old), str(new), clock=lot.clock)
    assert (planned.videos, planned.videos_there, report.videos) == (2, 1, 2)
    assert report.images == (4 if with_images else 0)
    paths = [path for (path,) in lot.rows("SELECT path FROM videos ORDER BY path")]
    assert paths == [str(new / "gate.mp4"), str(new / "gone.mp4")]
    assert lot.rows("SELECT DISTINCT root FROM videos") == [(str(new),)]


def test_videos_that_are_not_there_are_not_relocated(lot: Index, tmp_path: Path) -> None:
    """A folder without any of the videos is not what it became, and one that the index knows is refused."""
    add_video_rows(lot.database, tmp_path / "old" / "gate.mp4", image=lot.folder / KEEPER)
    (tmp_path / "new").mkdir()
    with pytest.raises(FolderError, match="no file of"):
        plan_relocation(lot.database, str(tmp_path / "old"), str(tmp_path / "new"))
    (tmp_path / "new" / "gate.mp4").write_bytes(b"video")
    add_video_rows(lot.database, tmp_path / "new" / "gate.mp4", image=lot.folder / KEEPER)
    with pytest.raises(FolderError, match="at the new path already"):
        plan_relocation(lot.database, str(tmp_path / "old"), str(tmp_path / "new"))


MOVES = [whole_site, frames_alone, frames_away]


@pytest.mark.parametrize("move", MOVES)
def test_files_come_back_to_the_new_place(lot: Index, move: Callable[[Index], Index]) -> None:
    """After a move every path of the index is new, ingest finds no change, and restore brings the files there."""
    old = str(lot.folder)
    index = move(lot)
    stored = "SELECT path FROM images UNION SELECT root FROM images UNION SELECT path FROM removals "
    stored += "UNION SELECT keeper_path FROM removals"
    paths = [path for (path,) in index.rows(stored)]
    assert all(path == str(index.folder) or path.startswith(f"{index.folder}/") for path in paths)
    assert dict(index.ingest().outcomes) == {"unchanged": 2}
    report = index.undo_run()
    assert (report.restored, report.failures, report.made_folders) == (2, [], [])
    assert {path.name for path in index.folder.glob("*.png")} == {KEEPER, COPY, BIRDS, OTHER}
    assert not os.path.lexists(old)
    assert index.compare().cameras[0].decided == 0


@pytest.mark.parametrize("move", MOVES)
def test_the_witness_stays_protected_after_a_move(
    lot: Index, move: Callable[[Index], Index], open_index: Callable[..., Index]
) -> None:
    """Another index that comes to the new place does not remove what stands for a removed file."""
    lot.purge()
    index = move(lot)
    other = open_index(index.folder)
    other.put(name(9), picture(BIRD, height=128, width=192))
    other.ingest()
    other.compare()
    assert str(index.folder / KEEPER) in {item.victim.path for item in other.plan().victims}
    report = other.prune()
    assert [Path(path).name for path, _ in report.protected] == [KEEPER]
    assert (index.folder / KEEPER).read_bytes() == picture()


@pytest.mark.parametrize("move", MOVES)
def test_a_witness_is_free_once_all_is_back(
    lot: Index, move: Callable[[Index], Index], open_index: Callable[..., Index]
) -> None:
    """When the removed files are back at the new place, no line with an old path protects their keeper any more."""
    index = move(lot)
    index.undo_run()
    (index.folder / COPY).unlink()
    (index.folder / BIRDS).unlink()
    other = open_index(index.folder)
    other.put(name(9), picture(BIRD, height=128, width=192))
    other.ingest()
    other.compare()
    report = other.prune()
    assert (report.protected, report.removed) == ([], 1)


def test_rescue_goes_to_the_new_place(lot: Index) -> None:
    """The manifests follow, so that rescue without an index brings the files to the new folder."""
    index = whole_site(lot)
    report = rescue(str(index.folder.parent / QUARANTINE_NAME))
    assert (report.restored, report.failures) == (2, [])
    assert (index.folder / BIRDS).read_bytes() == picture(BIRD)


def test_a_dry_run_changes_nothing(lot: Index) -> None:
    """The plan counts what is there and writes nothing: not to the index, not beside the images."""
    site = lot.folder.parent
    shutil.move(site, site.parent / "renamed")
    before = lot.dump()
    files = {path: path.read_bytes() for path in (site.parent / "renamed").rglob("*") if path.is_file()}
    found = plan_relocation(lot.database, str(site), str(site.parent / "renamed"))
    assert (found.images, found.there, found.removals, found.quarantined, found.quarantined_there) == (2, 2, 2, 2, 2)
    assert lot.dump() == before
    assert {path: path.read_bytes() for path in (site.parent / "renamed").rglob("*") if path.is_file()} == files


def test_a_crash_before_the_commit_protects_still(
    lot: Index, monkeypatch: pytest.MonkeyPatch, open_index: Callable[..., Index]
) -> None:
    """A relocation that is cut off between the records and the index leaves the witness protected, and runs again."""
    lot.purge()
    old, new = lot.folder, lot.folder.parent / "renamed"
    shutil.move(old, new)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(relocation, "relocate", crash)
        with pytest.raises(KeyboardInterrupt):
            relocate(lot.database, str(old), str(new), clock=lot.clock)
    other = open_index(new)
    other.put(name(9), picture(BIRD, height=128, width=192))
    other.ingest()
    other.compare()
    assert [Path(path).name for path, _ in other.prune().protected] == [KEEPER]
    assert relocate(lot.database, str(old), str(new), clock=lot.clock).images == 4


def test_what_cannot_have_moved_is_refused(lot: Index, tmp_path: Path) -> None:
    """A folder that is still there, one without its files, an unknown one, and nested ones change nothing."""
    before, empty = lot.dump(), tmp_path / "empty"
    empty.mkdir()
    copy = tmp_path / "copy"
    shutil.copytree(lot.folder, copy)
    for old, new, error in (
        (lot.folder, copy, FolderError),
        (lot.folder, lot.folder / "below", UsageError),
        (lot.folder, tmp_path / "nowhere", FolderError),
        (tmp_path / "unknown", empty, FolderError),
    ):
        (lot.folder / "below").mkdir(exist_ok=True)
        with pytest.raises(error):
            relocate(lot.database, str(old), str(new), clock=lot.clock)
    shutil.move(lot.folder, tmp_path / "hidden")
    with pytest.raises(FolderError):
        relocate(lot.database, str(lot.folder), str(empty), clock=lot.clock)
    assert lot.dump() == before


def test_a_copy_that_was_ingested_is_refused(lot: Index, tmp_path: Path) -> None:
    """If the new paths are in the index already, nobody can tell which row is which: nothing changes."""
    copy = tmp_path / "copy"
    shutil.copytree(lot.folder, copy)
    lot.ingest(copy, camera="gate")
    shutil.rmtree(lot.folder)
    before = lot.dump()
    with pytest.raises(FolderError, match="forget"):
        relocate(lot.database, str(lot.folder), str(copy), clock=lot.clock)
    assert lot.dump() == before


def test_a_folder_that_was_ingested_at_its_new_place_first(lot: Index) -> None:
    """If the new place was ingested before the index was told, the journal still follows and the files come back."""
    old, new = lot.folder.parent, lot.folder.parent.parent / "renamed"
    shutil.move(old, new)
    lot.folder = new / "frames"
    lot.ingest()
    relocate(lot.database, str(old), str(new), clock=lot.clock)
    assert lot.undo_run().restored == 2
    assert (lot.folder / COPY).read_bytes() == picture()


def test_names_that_are_not_utf8_follow(index: Index) -> None:
    """A path with bytes that are not UTF-8 gets its new folder, byte for byte."""
    odd = os.fsdecode(b"caf\xe9")
    index.put(f"{odd}/{name(0)}", picture())
    index.ingest()
    index = frames_alone(index)
    assert dict(index.ingest().outcomes) == {"unchanged": 1}


def test_equal_bytes_elsewhere_are_ranked_again(index: Index, open_index: Callable[..., Index]) -> None:
    """The path ranks equal images; after a move the decisions are those of an index made anew."""
    index.put(f"b/{KEEPER}", picture())
    index.put(f"c/{KEEPER}", picture())
    index.ingest(camera="gate")
    index.compare()
    shutil.move(index.folder / "b", index.folder / "d")
    relocate(index.database, str(index.folder / "b"), str(index.folder / "d"), clock=index.clock)
    index.compare()
    fresh = open_index(index.folder)
    fresh.ingest(camera="gate")
    fresh.compare()
    assert index.decisions() == fresh.decisions()
    assert {index.file(item.victim.path) for item in plan(index.database).victims} == {f"d/{KEEPER}"}


def test_errors_of_restore_name_the_folder_that_is_gone(lot: Index) -> None:
    """A restore that finds no record near, or nothing at a new path, says how to tell the index of a renamed folder."""
    site = lot.folder.parent
    shutil.move(site, site.parent / "renamed")
    report = lot.undo_run()
    assert {f"relocate {site} NEW" in problem for _, problem in report.failures} == {True}
    with pytest.raises(Exception, match="relocate"):
        lot.restore(site.parent / "renamed" / "frames" / COPY)


@pytest.mark.parametrize("ingested", [True, False])
def test_restore_does_not_make_a_renamed_folder(lot: Index, ingested: bool) -> None:
    """If the folder of the images was renamed, restore brings nothing back to its old path, where relocate could not
    go on; it says what to type for a renamed folder, and for a deleted one."""
    old, new = lot.folder, lot.folder.with_name("renamed")
    old.rename(new)
    if ingested:
        lot.ingest(new)
    report = lot.undo_run()
    assert (report.restored, len(report.failures), old.exists()) == (0, 2, False)
    for typed in (f"relocate {old} NEW", f"mkdir {old}"):
        assert all(typed in reason for _, reason in report.failures)
    relocate(lot.database, str(old), str(new), clock=lot.clock)
    assert lot.undo_run().restored == 2
    assert {path.name for path in new.glob("*.png")} == {KEEPER, COPY, BIRDS, OTHER}


@pytest.mark.parametrize("permanent", [False, True])
def test_prune_makes_nothing_where_a_renamed_folder_was(lot: Index, permanent: bool) -> None:
    """If the folder of the images was renamed, prune names it and makes neither it nor a quarantine at its old path,
    which restore would take for the folder; after relocate it removes what it planned."""
    old, new = lot.folder, lot.folder.with_name("renamed")
    lot.restore(pin=False)
    lot.compare()
    old.rename(new)
    before, site = lot.tree(), sorted(old.parent.iterdir())
    report = lot.prune(permanent=permanent)
    assert (report.removed, len(report.failures), report.missing_folders) == (0, 2, [str(old)])
    assert (lot.tree(), sorted(old.parent.iterdir())) == (before, site)
    relocate(lot.database, str(old), str(new), clock=lot.clock)
    assert lot.prune(permanent=permanent).removed == 2
    assert {path.name for path in new.glob("*.png")} == {KEEPER, OTHER}


def test_restore_does_not_make_a_folder_that_lost_its_keepers(index: Index) -> None:
    """A folder below that should hold kept images is not made anew either, until a person makes it."""
    for file, content in {KEEPER: picture(), COPY: picture(), OTHER: picture(CAR)}.items():
        index.put(f"day/{file}", content)
    index.put(name(9), picture(height=96, width=96))
    index.ingest()
    index.compare()
    removed = index.prune().removed
    shutil.rmtree(index.folder / "day")
    assert index.undo_run().restored == 0
    (index.folder / "day").mkdir()
    assert index.undo_run().restored == removed


def test_a_removal_that_was_cut_off_is_settled_at_the_new_place(lot: Index) -> None:
    """A restore that a crash left open before its folder moved is undone or finished at the new paths."""
    lot.execute("UPDATE removals SET pending = 'restore_unpinned' WHERE image_id = 2")
    index = whole_site(lot)
    assert index.undo_run().restored == 2
    assert index.rows("SELECT COUNT(*) FROM removals WHERE pending IS NOT NULL") == [(0,)]
    assert (index.folder / COPY).read_bytes() == picture()


def test_stored_rules_and_folders_of_cameras_follow(index: Index) -> None:
    """A rule that was given once names new files at the new path, and no camera is asked about again."""
    for minute in range(2):
        index.put(f"cams/north/{minute}/x_{minute}.png", picture(stamp=minute))
    index.ingest(index.folder / "cams", camera_level=1)
    before = {listing.camera: listing.sources for listing in list_cameras(index.database)}
    old, new = index.folder / "cams", index.folder / "archive" / "cams"
    new.parent.mkdir()
    shutil.move(old, new)
    relocate(index.database, str(old), str(new), clock=index.clock)
    (rule,) = [rule for rule in list_rules(index.database) if rule.camera_level]
    assert (rule.folder, rule.camera_level) == (str(new), 1)
    index.put("archive/cams/north/2/x_2.png", picture(BIRD))
    report = index.ingest(new)
    assert dict(report.outcomes) == {"unchanged": 2, "added": 1}
    after = {listing.camera: listing.sources for listing in list_cameras(index.database)}
    assert list(after) == list(before) == ["north"]
    moved_sources = {source.replace(str(old), str(new)) for source in before["north"]}
    assert set(after["north"]) == moved_sources == {str(new / "north")}


def test_the_rule_of_a_folder_above_goes_along(index: Index) -> None:
    """New files of a folder that was moved out of the ingested one are named as before."""
    index.put("cams/north/x_1.png", picture(stamp=1))
    index.put("cams/south/x_1.png", picture(stamp=2))
    index.ingest(index.folder / "cams", camera_level=1, timezone="Europe/Berlin")
    old, new = index.folder / "cams" / "north", index.folder / "archive" / "old_north"
    new.parent.mkdir()
    shutil.move(old, new)
    relocate(index.database, str(old), str(new), clock=index.clock)
    index.put("archive/old_north/y_20240701_120000.png", picture(BIRD))
    assert dict(index.ingest(new).outcomes) == {"unchanged": 1, "added": 1}
    assert [one.camera for one in list_cameras(index.database)] == ["north", "south"]
    assert ("2024-07-01 10:00:00.000000",) in index.rows("SELECT captured_at FROM images")


@pytest.mark.parametrize(
    ("roots", "level", "moves"),
    [
        (["d"], 2, {"d/North/cam1": "d/entry", "d/South/cam1": "d/exit"}),
        (["d"], 2, {"d/North/cam1": "m/entry", "d/South/cam1": "n/exit"}),
        (["d"], 2, {"d/North": "d/N", "d/South": "d/S"}),
        (["d/North", "d/South"], 1, {"d/North/cam1": "m/entry", "d/South/cam1": "m/exit"}),
        (["d/North", "d/South"], 1, {"d/North/cam1": "d/South/entry", "d/South/cam1": "d/North/exit"}),
        (["d/North", "d/South"], 1, {"d/North/cam1/x": "m/x", "d/South/cam1/x": "n/x"}),
    ],
)
def test_cameras_by_level_keep_their_names(index: Index, roots: list[str], level: int, moves: dict[str, str]) -> None:
    """New files of renamed folders are of the cameras that these were by their level, of no other and of no new one."""
    folders = ["d/North/cam1/x", "d/South/cam1/x"]
    for folder in folders:
        index.put(f"{folder}/a.png", picture(stamp=index.writes))
    index.ingest(*(index.folder / root for root in roots), camera_level=level)
    before = [(one.camera, one.images) for one in list_cameras(index.database)]
    for old, new in moves.items():
        (index.folder / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(index.folder / old, index.folder / new)
        relocate(index.database, str(index.folder / old), str(index.folder / new), clock=index.clock)
    for folder, (old, new) in zip(folders, moves.items(), strict=True):
        index.put(f"{folder.replace(old, new)}/b.png", picture(stamp=index.writes))
    index.ingest()
    assert [(one.camera, one.images) for one in list_cameras(index.database)] == [(name, 2) for name, _ in before]
    assert len(before) == 2
    for new in moves.values():
        listed = index.rows("SELECT DISTINCT camera_id FROM images WHERE path LIKE ?", f"{index.folder / new}/%")
        assert len(listed) == 1


@pytest.mark.parametrize(
    ("file", "new_file"),
    [
        ("north/IMG_1.jpg", "north/IMG_2.jpg"),
        ("north/2024-05-01/001/jpg/12/30/45[M][0@0][0].jpg", "north/2024-05-01/001/jpg/12/30/46[M][0@0][0].jpg"),
        ("north/Reolink_00_20240501123045.jpg", "north/Reolink_00_20240501123046.jpg"),
    ],
)
def test_a_camera_keeps_its_name_where_its_folder_was_renamed(index: Index, file: str, new_file: str) -> None:
    """New files of a folder that was renamed are of the camera that had its old name; other folders get no part."""
    index.put(f"cams/{file}", picture(stamp=1))
    index.put(f"cams/{file.replace('north', 'south')}", picture(stamp=2))
    index.ingest(index.folder / "cams")
    before = [(one.camera, one.images) for one in list_cameras(index.database)]
    old, new = index.folder / "cams/north", index.folder / "cams/nord"
    shutil.move(old, new)
    relocate(index.database, str(old), str(new), clock=index.clock)
    index.put(f"cams/{new_file.replace('north', 'nord')}", picture(BIRD))
    index.put(f"cams/{new_file.replace('north', 'south')}", picture(CAR))
    index.ingest(index.folder / "cams")
    assert [(one.camera, one.images) for one in list_cameras(index.database)] == [(name, 2) for name, _ in before]


def test_no_quarantine_is_made_where_the_record_came_along(lot: Index) -> None:
    """A folder that moves with its quarantine gets none beside it, where it would close the folder above to others."""
    index = whole_site(lot)
    assert not os.path.lexists(index.folder.parent.parent / QUARANTINE_NAME)


@pytest.mark.parametrize("move", MOVES)
def test_a_record_gets_each_line_once(lot: Index, move: Callable[[Index], Index]) -> None:
    """After a move, also one that is told twice, no record has two equal lines."""
    index = move(lot)
    for record in index.folder.parent.parent.rglob("witnesses.jsonl"):
        lines = [line for line in record.read_text().splitlines() if line]
        assert len(lines) == len(set(lines))


def test_the_later_of_two_witnesses_goes_along(lot: Index) -> None:
    """Where two records name different witnesses of one removed file, the later one is protected at the new place."""
    lot.purge()
    inner, outer = lot.folder / QUARANTINE_NAME, lot.folder.parent / QUARANTINE_NAME
    (line,) = [line for line in read_lines(str(outer)) if line.removed_path.endswith(BIRDS)]
    stale = replace(line, witness_hash="0" * 64, witness_path=str(lot.folder / OTHER), at="2025-01-01T00:00:00+00:00")
    prepare_quarantine(str(inner))
    append(str(inner), stale)
    index = moved(lot, lot.folder, lot.folder.parent.parent / "yard" / "frames")
    near = list_record_folders([str(index.folder / KEEPER)])
    in_force = WitnessRecords({line.witness_hash}).list_in_force(near, content_hash=line.witness_hash)
    assert str(index.folder / BIRDS) in {line.removed_path for _, line in in_force}


@pytest.mark.parametrize("is_known", [False, True])
def test_a_subfolder_that_left_its_folder_is_pruned_where_it_is(index: Index, is_known: bool) -> None:
    """Images that left the folder that they were ingested with belong to the ingested folder they are in now, or to
    their own one; prune and restore work there."""
    index.put(name(9), picture(CAR))
    for file, content in ((KEEPER, picture()), (COPY, picture())):
        index.put(f"day/{file}", content)
    archive = index.folder.parent.parent / "archive"
    (archive / "frames").mkdir(parents=True)
    (archive / "frames" / name(5)).write_bytes(picture(CAR, stamp=5))
    index.ingest(index.folder, camera="gate")
    if is_known:
        index.ingest(archive, camera="gate")
    index.compare()
    new = archive / "day"
    shutil.move(index.folder / "day", new)
    relocate(index.database, str(index.folder / "day"), str(new), clock=index.clock)
    roots = {root for (root,) in index.rows("SELECT root FROM images WHERE path LIKE '%/day/%'")}
    assert roots == {str(archive if is_known else new)}
    index.compare()
    report = index.prune(index.plan(camera="gate"))
    assert (report.failures, (new / COPY).exists()) == ([], False)
    assert index.undo_run(report.run_id).failures == []
    assert (new / COPY).read_bytes() == picture()


def test_a_quarantine_that_stayed_is_not_left_behind(lot: Index) -> None:
    """If the images moved and their quarantine did not, naming the folder of both changes nothing; naming the folder of
    the images does, and the files come back to it."""
    site, new = lot.folder.parent, lot.folder.parent.parent / "renamed"
    new.mkdir()
    shutil.move(lot.folder, new / "frames")
    before = lot.dump()
    with pytest.raises(FolderError, match="quarantine"):
        relocate(lot.database, str(site), str(new), clock=lot.clock)
    assert lot.dump() == before
    relocate(lot.database, str(lot.folder), str(new / "frames"), clock=lot.clock)
    assert lot.undo_run().failures == []
    assert (new / "frames" / COPY).read_bytes() == picture()


@pytest.mark.parametrize(
    ("folder", "file"),
    [("2024-05-01", "gate/IMG_{}.jpg"), ("StationA/2024-05-01", "001/IMG_{}.jpg"), ("x/2024", "05/01/a_{}.jpg")],
)
def test_a_camera_above_a_moved_date_keeps_its_name(index: Index, folder: str, file: str) -> None:
    """New files of a date that was moved to another disk are of the camera of the images that moved with it."""
    index.put(f"old/{folder}/{file.format(1)}", picture(stamp=1))
    index.ingest(index.folder / "old")
    before = [one.camera for one in list_cameras(index.database)]
    old, new = index.folder / "old" / folder, index.folder / "archive" / folder
    new.parent.mkdir(parents=True)
    shutil.move(old, new)
    relocate(index.database, str(old), str(new), clock=index.clock)
    index.put(f"archive/{folder}/{file.format(2)}", picture(BIRD))
    index.ingest(index.folder / "archive")
    assert [(one.camera, one.images) for one in list_cameras(index.database)] == [(before[0], 2)]
