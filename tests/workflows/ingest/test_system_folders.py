"""Bins, snapshots and other system folders: nothing outside goes because of a copy there, whoever took that copy in."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.domain.removal import ExclusionReason
from indexer.files import walking
from indexer.store import decisions, ranked_images
from indexer.workflows.admin.status import status
from indexer.workflows.ingest import index_diff
from indexer.workflows.removal import deletion_obstacles
from tests.support.index import BIKE, CAR, Index, Mark, name, picture

MARKS: list[list[Mark]] = [[], [CAR], [(20, 12, 14, 90)], [(60, 12, 14, 90)]]
SAME = [0, 10, 20, 30]
BIN = ".Trash-1000/files"
REASON = "in a hidden or system folder, which is not walked"


@contextlib.contextmanager
def earlier_version(index: Index) -> Iterator[None]:
    """Within the block no folder is a system folder, as it was; what runs remember says nothing of them either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "is_system_folder", lambda _name: False)
        patch.setattr(ranked_images, "count_system_folders", lambda _path: 0)
        for module in (decisions, index_diff):
            patch.setattr(module, "find_system_folder", lambda _path, *, root: None)
        for module in (decisions, deletion_obstacles):
            patch.setattr(module, "is_in_separate_system_folder", lambda _path, _other: False)
        yield
    index.execute("UPDATE runs SET counts = '{}' WHERE command = 'ingest'")


def put_scene(index: Index, folder: str, *, copies_wide: int = 96) -> None:
    """Four live images that all differ, and a copy of each below another folder, of some width."""
    for minute, marks in enumerate(MARKS):
        index.put(f"gate/{name(minute)}", picture(*marks), mtime_s=100)
        copy = picture(*marks, width=copies_wide, height=copies_wide * 2 // 3)
        index.put(f"{folder}/gate/{name(minute)}", copy, mtime_s=100)


def live(index: Index) -> dict[str, tuple[bytes, int]]:
    """The live images with their bytes and times."""
    return {path: held for path, held in index.tree().items() if path.startswith("frames/gate/")}


@pytest.mark.parametrize(
    "folder",
    [
        ".snapshot/daily.0", ".zfs/snapshot/auto", "#recycle", "@eaDir/a.png", "$RECYCLE.BIN/S-1-5-21", "RECYCLER",
        "lost+found", "__MACOSX", "System Volume Information", "TRASH~1", "@GMT-2021.03.27-04.00.00",
        ".git/annex/objects",
    ],
)  # fmt: skip
def test_system_folder_takes_no_part(index: Index, folder: str) -> None:
    """A system folder below an ingested one is reported by name, and no image of it or outside it goes."""
    put_scene(index, folder)
    before = index.tree()
    report = index.ingest()
    assert (dict(report.outcomes), dict(report.folders)) == ({"added": 4, "skipped": 1}, {folder.split("/")[0]: 1})
    index.compare()
    assert (index.prune().removed, index.tree()) == (0, before)


@pytest.mark.parametrize("copies_wide", [96, 192], ids=["equal-bytes", "equal-pictures"])
def test_index_of_an_earlier_version_holds_back(index: Index, copies_wide: int) -> None:
    """Where copies in a bin are the keepers already, nothing live goes, `status` and `compare` say so, and the next
    ingest takes them out; by then the live ones are kept, and nothing was lost on the way."""
    put_scene(index, BIN, copies_wide=copies_wide)
    before = index.tree()
    with earlier_version(index):
        index.ingest()
        index.compare()
    assert {keeper for verdict, keeper, _ in index.decisions().values() if verdict == "duplicate"} == {
        f"{BIN}/gate/{name(minute)}" for minute in range(4)
    }
    assert (index.plan().victims, index.plan().left_out) == ((), {ExclusionReason.KEEPER_APART: 4})
    assert (index.prune().removed, index.prune(permanent=True).removed, index.tree()) == (0, 0, before)
    assert (status(index.database).in_system_folders, index.compare().in_system_folders) == (4, 4)
    assert (index.prune().removed, index.tree()) == (0, before)
    report = index.ingest()
    assert (report.missing, report.unwalked, report.in_system_folders) == (4, 4, 0)
    reasons = {state: reason for path, state, reason in index.states() if path.startswith(".Trash")}
    assert reasons == {"missing": REASON}
    index.compare()
    assert {verdict for verdict, _, _ in index.decisions().values()} == {"keep"}
    assert (index.prune().removed, index.tree(), index.ingest().missing) == (0, before, 0)
    assert status(index.database).in_system_folders == 0


def test_images_of_a_bin_are_not_removed_either(index: Index) -> None:
    """What an earlier version took in within a bin stays, also where its keeper is a live image."""
    put_scene(index, "lost+found")  # sorts behind
    before = index.tree()
    with earlier_version(index):
        index.ingest()
        index.compare()
    assert (index.plan().victims, index.plan().left_out) == ((), {ExclusionReason.IN_SYSTEM_FOLDER: 4})
    assert (index.prune().removed, index.tree()) == (0, before)


def test_decisions_of_an_earlier_version_are_turned_over(index: Index) -> None:
    """Once something is decided, a live image ranks above its equal copy in a bin, which an earlier version kept."""
    put_scene(index, BIN)
    with earlier_version(index):
        index.ingest()
        index.compare()
    index.compare()
    assert {file for file, (verdict, _, _) in index.decisions().items() if verdict == "keep"} == {
        f"gate/{name(minute)}" for minute in range(4)
    }


def test_what_went_for_a_copy_in_a_bin_is_not_purged(index: Index) -> None:
    """Live images that an earlier version removed in favour of a bin stay in quarantine, before and after the next
    ingest, are reported by `status`, and come back with their bytes."""
    put_scene(index, BIN)
    before = live(index)
    with earlier_version(index):
        index.ingest()
        index.compare()
        assert (index.prune().removed, live(index)) == (4, {})
    assert (index.purge().purged, len(index.purge().skipped)) == (0, 4)
    index.put(f"gate/{name(9)}", picture(BIKE))
    assert index.ingest().unwalked == 4
    assert len(status(index.database).unwitnessed) == 4
    assert (index.purge().purged, len(index.purge().skipped)) == (0, 4)
    assert index.restore().restored == 4
    assert {path: live(index)[path] for path in before} == before


def test_named_system_folder_is_taken_in_and_left_as_it_is(index: Index) -> None:
    """A bin that is named is taken in; its copies may go, the live ones never; ingest of the folder above leaves the
    rest of it as it is."""
    put_scene(index, BIN)
    index.put(f"{BIN}/gate/{name(9)}", picture(BIKE, CAR))
    before = live(index)
    index.ingest(index.folder, index.folder / ".Trash-1000")
    index.compare()
    assert (index.prune().removed, live(index)) == (4, before)
    report = index.ingest()
    assert (report.missing, report.in_system_folders) == (0, 0)
    assert (f"{BIN}/gate/{name(9)}", "ready", None) in index.states()


def test_image_that_moves_to_a_hidden_folder_in_another_is_decided_again(index: Index) -> None:
    """Each system folder above an image counts for its rank, also the second one."""
    keeper, duplicate = name(0), name(1)
    index.put(f".a/{keeper}", picture(stamp=1))
    index.put(f".a/{duplicate}", picture(stamp=2))
    index.ingest(index.folder / ".a")
    index.compare()
    assert index.decisions()[f".a/{duplicate}"][1] == f".a/{keeper}"
    (index.folder / ".a" / ".b").mkdir()
    (index.folder / ".a" / keeper).rename(index.folder / ".a" / ".b" / keeper)
    index.ingest(index.folder / ".a", index.folder / ".a" / ".b")
    index.compare()
    assert index.decisions() == {
        f".a/{duplicate}": ("keep", None, None),
        f".a/.b/{keeper}": ("duplicate", f".a/{duplicate}", 0.0),
    }


def test_nothing_live_goes_for_a_better_copy_in_a_named_bin(index: Index) -> None:
    """A larger copy in a bin that was named outranks the live image, which is held back all the same."""
    put_scene(index, BIN, copies_wide=192)
    before = index.tree()
    index.ingest(index.folder, index.folder / ".Trash-1000")
    index.compare()
    assert (index.plan().left_out, index.prune().removed) == ({ExclusionReason.KEEPER_APART: 4}, 0)
    assert index.tree() == before


def test_bin_of_an_earlier_version_is_named_now(index: Index) -> None:
    """Images that were taken in with the folder above stay present once their folder is named itself."""
    put_scene(index, BIN)
    with earlier_version(index):
        index.ingest()
    assert dict(index.ingest(index.folder / ".Trash-1000").outcomes) == {"unchanged": 4}
    assert dict(index.ingest(index.folder / ".Trash-1000").outcomes) == {"unchanged": 4}
    assert (status(index.database).in_system_folders, index.ingest().missing) == (0, 0)


def test_folder_in_a_hidden_one_works_as_any_other(index: Index) -> None:
    """Where the folder that is named lies in a hidden one, its images are compared and removed as anywhere."""
    lot = index.folder / ".pool" / "lot"
    for minute in range(3):
        index.put(f".pool/lot/{name(minute)}", picture(stamp=minute))
    index.ingest(lot)
    index.compare()
    assert index.prune().removed == 2


def test_images_that_move_into_a_bin_are_missing(index: Index) -> None:
    """A keeper that a file manager throws away is gone, though its bytes lie in the bin; its duplicate is kept."""
    kept = index.put(f"gate/{name(0)}", picture(stamp=1))
    index.put(f"gate/{name(1)}", picture(stamp=2))
    index.ingest()
    index.compare()
    target = Path(index.folder, BIN, kept.name)
    target.parent.mkdir(parents=True)
    kept.rename(target)
    assert index.ingest().missing == 1
    index.compare()
    assert index.decisions() == {f"gate/{name(1)}": ("keep", None, None)}


def test_named_folder_that_is_gone_is_missing(index: Index) -> None:
    """A hidden folder that a person named and then deleted stands for nothing: its images are missing after the next
    ingest of the folder above, and the live ones are decided again."""
    put_scene(index, BIN, copies_wide=192)
    index.ingest(index.folder, index.folder / BIN)
    index.compare()
    shutil.rmtree(index.folder / ".Trash-1000")
    assert index.ingest().missing == 4
    index.compare()
    assert {file for file, (verdict, _, _) in index.decisions().items() if verdict == "keep"} == {
        f"gate/{name(minute)}" for minute in range(4)
    }


def test_bin_below_a_hidden_root(index: Index) -> None:
    """Below a folder that is hidden itself, the image outside of the bin in it is kept."""
    index.put(f".cams/{name(0)}", picture(), mtime_s=100)
    index.put(f".cams/.Trash/{name(0)}", picture(), mtime_s=100)
    index.ingest(index.folder / ".cams", index.folder / ".cams" / ".Trash")
    index.compare()
    assert index.decisions()[f".cams/{name(0)}"][0] == "keep"
