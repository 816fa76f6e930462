"""One file by two mounts: whatever the second name is, the last copy of a picture never goes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from indexer.files.filesystems import is_mount_point
from indexer.files.quarantine import quarantine_folder
from indexer.store.schema import open_database
from tests.support.index import BIRD, Index, name, picture
from tests.support.mounts import mounted


@pytest.fixture(params=["bind", "overlay"])
def second_name(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder, and a second one that shows the same files: the same device, or another one as an overlay has."""
    folders = {label: tmp_path / "disk" / label for label in ("lower", "upper", "work", "merged")}
    (tmp_path / "disk").mkdir()
    if request.param == "overlay":
        with mounted("-t", "tmpfs", "tmpfs", at=tmp_path / "disk"):
            for folder in folders.values():
                folder.mkdir()
            options = f"lowerdir={folders['lower']},upperdir={folders['upper']},workdir={folders['work']}"
            with mounted("-t", "overlay", "overlay", "-o", options, at=folders["merged"]):
                yield folders["upper"], folders["merged"]
        return
    for folder in folders.values():
        folder.mkdir()
    with mounted("--bind", folders["upper"], at=folders["merged"]):
        yield folders["upper"], folders["merged"]


def images(*folders: Path) -> set[bytes]:
    """The contents of all files with the name of an image."""
    return {path.read_bytes() for folder in folders for path in folder.rglob("*.png")}


@pytest.mark.parametrize("permanent", [True, False])
@pytest.mark.parametrize("swapped", [True, False])
def test_keeper_and_duplicate_are_one_file(
    second_name: tuple[Path, Path], tmp_path: Path, permanent: bool, swapped: bool
) -> None:
    """A file that is its own duplicate by a second mount is where it was after prune, and nothing was removed."""
    one, other = reversed(second_name) if swapped else second_name
    (second_name[0] / name(0)).write_bytes(picture())
    with closing(open_database(str(tmp_path / "indexer.db"), create=True)) as database:
        index = Index(database, one)
        index.ingest(one, other, camera="gate")
        index.compare()
        assert len(index.plan().victims) == 1
        assert index.prune(permanent=permanent).removed == 0
        assert index.prune(permanent=permanent).removed == 0
        assert {state for _, state in index.removals()} <= {"failed"}
    assert (second_name[0] / name(0)).read_bytes() == (second_name[1] / name(0)).read_bytes() == picture()
    assert [path for folder in second_name for path in folder.rglob(".indexer-aside-*")] == []


@pytest.mark.parametrize("pin", [True, False])
def test_pinned_image_does_not_go_by_its_second_name(second_name: tuple[Path, Path], tmp_path: Path, pin: bool) -> None:
    """An image that stays under one name is not removed under the other, where a camera of its own decides."""
    one, other = second_name
    (one / name(0)).write_bytes(picture())
    (one / name(1)).write_bytes(picture(BIRD))
    with closing(open_database(str(tmp_path / "indexer.db"), create=True)) as database:
        index = Index(database, one)
        index.ingest(one, camera="here")
        index.ingest(other, camera="there")
        for file in (name(0), name(1)):
            index.pin(file) if pin else None
        index.compare()
        for _ in range(2):
            index.prune(permanent=True)
        assert images(one, other) == {picture(), picture(BIRD)}


def test_two_indexes_by_two_mounts(second_name: tuple[Path, Path], tmp_path: Path) -> None:
    """Two indexes, each by a name of its own, read one record: what stands for a removal of the first stays."""
    one, other = second_name
    (one / name(0)).write_bytes(picture(stamp=1))
    (one / name(1)).write_bytes(picture(BIRD))
    removed = []
    for number, folder in enumerate((one, other)):
        with closing(open_database(str(tmp_path / f"{number}.db"), create=True)) as database:
            index = Index(database, folder)
            index.ingest()
            index.compare()
            removed.append(index.prune(permanent=True).removed)
            (one / name(2)).write_bytes(picture(height=128, width=192))
    assert removed == [1, 0]
    assert len(images(one)) == 2


def test_overlay_that_shows_data_under_another_name(tmp_path: Path) -> None:
    """A file whose data an overlay shows under another name (`metacopy`) is not removed for that name's sake."""
    disk, merged = tmp_path / "disk", tmp_path / "merged"
    disk.mkdir()
    merged.mkdir()
    with mounted("-t", "tmpfs", "tmpfs", at=disk):
        for label in ("lower", "upper", "work"):
            (disk / label).mkdir()
        (disk / "lower" / name(1)).write_bytes(picture())
        options = f"lowerdir={disk}/lower,upperdir={disk}/upper,workdir={disk}/work,redirect_dir=on,metacopy=on"
        with mounted("-t", "overlay", "overlay", "-o", options, at=merged):
            (merged / name(1)).rename(merged / name(0))
            with closing(open_database(str(tmp_path / "indexer.db"), create=True)) as database:
                index = Index(database, merged)
                index.ingest(merged, disk / "lower", camera="gate")
                index.compare()
                assert len(index.plan().victims) == 1
                index.prune(permanent=True)
        with mounted("-t", "overlay", "overlay", "-o", options, at=merged):
            assert (merged / name(0)).read_bytes() == picture()


def test_purge_sees_through_a_second_name(second_name: tuple[Path, Path], tmp_path: Path) -> None:
    """A quarantined file whose keeper's path is its own second name, as an earlier version could leave, is kept."""
    one, other = second_name
    (tmp_path / "apart").mkdir()
    for file in (name(0), name(1)):
        (tmp_path / "apart" / file).write_bytes(picture())
    with closing(open_database(str(tmp_path / "indexer.db"), create=True)) as database:
        index = Index(database, tmp_path / "apart")
        index.ingest()
        index.compare()
        assert index.prune().removed == 1
        (one / name(0)).write_bytes(picture())
        index.execute("UPDATE images SET path = ? WHERE state = 'ready'", str(other / name(0)))
        index.execute("UPDATE removals SET quarantine_path = ?", str(one / name(0)))
        assert index.purge().purged == 0
    assert (one / name(0)).read_bytes() == picture()


def test_quarantine_of_a_mounted_folder_lies_in_it(second_name: tuple[Path, Path]) -> None:
    """A folder that is a mount point has its quarantine inside: no file moves across mounts, and both names see it."""
    assert is_mount_point(str(second_name[1]))
    assert quarantine_folder(str(second_name[1])) == f"{second_name[1]}/.indexer-quarantine"


def test_index_that_is_mounted_as_a_file(tmp_path: Path) -> None:
    """A single file that is mounted elsewhere is a mount point, and its folder is none."""
    (tmp_path / "indexer.db").write_bytes(b"")
    (tmp_path / "there.db").write_bytes(b"")
    with mounted("--bind", tmp_path / "indexer.db", at=tmp_path / "there.db"):
        assert (is_mount_point(str(tmp_path / "there.db")), is_mount_point(str(tmp_path))) == (True, False)
        assert not os.path.ismount(tmp_path / "there.db"), "Python knew it; the list of mounts is not needed"


LAYERS = {
    "one disk": "",
    "redirect": "redirect_dir=on",
    "without origins": "index=off,metacopy=off,xino=off",
    "as a user": "userxattr",
}


@pytest.mark.parametrize("two_disks", [False, True])
@pytest.mark.parametrize("options", LAYERS)
def test_images_in_a_lower_layer(tmp_path: Path, options: str, two_disks: bool) -> None:
    """Images and index that lie beneath an overlay, as in a container's image: they go, come back and are purged.

    The first link or write copies a file up, to another number on some overlays.
    """
    lower, upper, merged = (tmp_path / label for label in ("lower", "upper", "merged"))
    for folder in (lower, upper, merged):
        folder.mkdir()
    with ExitStack() as stack:
        for disk in (lower, upper):
            if disk == lower or two_disks:
                stack.enter_context(mounted("-t", "tmpfs", "tmpfs", at=disk))
        above = upper if two_disks else lower / "above"
        for folder in (lower / "images" / "lot", above / "first", above / "second", above / "work"):
            folder.mkdir(parents=True)
        files = {name(0): picture(), name(1): picture(), name(2): picture(BIRD)}
        for file, content in files.items():
            (lower / "images" / "lot" / file).write_bytes(content)
        more = f"workdir={above}/work,{LAYERS[options]}".rstrip(",")
        layers = f"lowerdir={lower}/images,upperdir={above}/first,{more}"
        with overlaid(layers, at=merged, create=True) as index:
            index.ingest()
            index.compare()
        layers = f"lowerdir={above}/first:{lower}/images,upperdir={above}/second,{more}"
        with overlaid(layers, at=merged) as index:
            for _ in range(2):
                report = index.prune()
                assert (report.removed, report.failures, images(merged / "lot")) == (2, [], {picture()})
                assert index.restore(pin=False).failures == []
                assert {path.name: path.read_bytes() for path in (merged / "lot").iterdir()} == files
                index.compare()
            assert index.prune().removed == 2
            assert index.purge().skipped == []
            assert images(merged) == {picture()}


@contextmanager
def overlaid(layers: str, *, at: Path, create: bool = False) -> Iterator[Index]:
    """An index in an overlay of these layers, of the folder `lot` there."""
    with (
        mounted("-t", "overlay", "overlay", "-o", layers, at=at),
        closing(open_database(str(at / "indexer.db"), create=create)) as database,
    ):
        yield Index(database, at / "lot")


def test_fat_disk(tmp_path: Path) -> None:
    """On FAT, without links, with times of two seconds, files go, come back and are purged."""
    disk, image = tmp_path / "disk", tmp_path / "fat.img"
    disk.mkdir()
    if shutil.which("mkfs.vfat") is None:
        pytest.skip("needs mkfs.vfat")
    image.write_bytes(bytes(16 << 20))
    subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
    with mounted("-o", "loop", image, at=disk):
        (disk / "lot").mkdir()
        files = {name(0): picture(), name(1): picture(), name(2): picture(BIRD)}
        with closing(open_database(str(tmp_path / "indexer.db"), create=True)) as database:
            index = Index(database, disk / "lot")
            for file, content in files.items():
                index.put(file, content)
            index.ingest()
            index.compare()
            assert (index.prune().failures, images(disk / "lot")) == ([], {picture()})
            assert index.restore(pin=False).failures == []
            assert {path.name: path.read_bytes() for path in (disk / "lot").iterdir()} == files
            index.compare()
            assert index.prune().removed == 2
            assert index.purge().skipped == []
            assert images(disk) == {picture()}
