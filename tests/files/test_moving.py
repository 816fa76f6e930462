"""Moving: no file lost, none written over, whatever is in the way and wherever the work is cut."""

import errno
import hashlib
import inspect
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps, moving
from indexer.files.quarantine import quarantine_folder, reserve_quarantine_path
from indexer.files.refusals import DiskRefusalError
from indexer.files.verification import ContentDigest, FileIdentity, MismatchError, verify
from indexer.files.walking import QUARANTINE_NAME

pytestmark = pytest.mark.usefixtures("way")  # every kind of disk, unless a test names some

BYTES = bytes(range(256)) * 9000  # more than two chunks
MTIME_NS = 1_616_849_617_123_456_789
PRINT = ContentDigest(len(BYTES), hashlib.sha256(BYTES).hexdigest())
STEPS = [name for name, _ in inspect.getmembers(io_steps, inspect.isfunction) if not name.startswith("_")]

ODD_NAMES = [
    "two words.jpg",
    "line\nbreak.jpg",
    "Zürich 東京.png",
    os.fsdecode(b"caf\xe9.bmp"),
    "-rf.webp",
    "x" * 251 + ".tif",
    "?*[a]'\"\\.JPEG",
]

Tree = dict[str, tuple[bytes, int]]
Failing = Callable[..., Any]
HERE: Tree = {"a/1.png": (BYTES, MTIME_NS)}
MOVED: Tree = {"b/1.png": (BYTES, MTIME_NS)}


def made(path: Path, *, content: bytes = BYTES, mtime_ns: int = MTIME_NS) -> str:
    """A file, its folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return str(path)


def tree(folder: Path) -> Tree:
    """Bytes and mtime of every file below a folder, by relative path."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def ends(lot: Path) -> tuple[str, str, FileIdentity]:
    """Source, target and the source's checked identity."""
    source = str(lot / "a" / "1.png")
    return source, str(lot / "b" / "1.png"), verify(source, expected=PRINT)


def test_move_keeps_bytes_time_and_mode(lot: Path) -> None:
    """A moved file is at the target alone, with its bytes, mtime and mode."""
    source, target, expected = ends(lot)
    os.chmod(source, 0o640)
    moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == MOVED
    assert os.stat(target).st_mode & 0o777 == 0o640


def test_move_replaces_nothing(lot: Path) -> None:
    """Whatever is at the target, file, link or folder, stays, and the source too."""
    source, target, expected = ends(lot)
    made(Path(target), content=b"other")
    (lot / "b" / "link").symlink_to("nowhere")
    for taken in (target, str(lot / "b" / "link"), str(lot / "b")):
        with pytest.raises(FileExistsError):
            moving.move_no_replace(source, taken, expected=expected)
    assert tree(lot) == {**HERE, "b/1.png": (b"other", MTIME_NS)}
    assert os.readlink(lot / "b" / "link") == "nowhere"


def test_move_refuses_what_was_not_checked(lot: Path) -> None:
    """A file that took the source's name after the check, or was written to, stays where it is."""
    source, target, expected = ends(lot)
    os.replace(made(lot / "new", content=b"new"), source)
    with pytest.raises(MismatchError):
        moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS)}
    rewritten = verify(source, expected=ContentDigest(3, hashlib.sha256(b"new").hexdigest()))
    os.utime(source, ns=(1, 1))
    with pytest.raises(MismatchError):
        moving.move_no_replace(source, target, expected=rewritten)
    assert tree(lot) == {"a/1.png": (b"new", 1)}


@pytest.mark.parametrize(
    ("way", "step"),
    [("on_one_disk", "link"), ("without_hard_links", "rename"), ("on_two_disks", "open_to_read")],
    indirect=["way"],
)
def test_move_undoes_a_swap_between_look_and_move(lot: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """If the source was replaced after the last check, the new file stays at its path, and nothing is at the target."""
    source, target, expected = ends(lot)
    newcomer, real = made(lot / "new", content=b"new"), getattr(io_steps, step)

    def swapped(*given: str) -> Any:
        if os.path.exists(newcomer):
            os.replace(newcomer, source)
        return real(*given)

    monkeypatch.setattr(io_steps, step, swapped)
    with pytest.raises(MismatchError):
        moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS)}


@pytest.mark.parametrize("way", ["without_hard_links"], indirect=True)
def test_the_folder_that_may_not_be_written_to_is_named(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to the quarantine and not to the folder of images is not sent to the quarantine."""
    source, target, expected = ends(lot)

    def refused(*_given: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(io_steps, "rename", refused)
    monkeypatch.setattr(os, "access", lambda path, _mode, **_: path != os.path.dirname(source))
    with pytest.raises(DiskRefusalError) as caught:
        moving.move_no_replace(source, target, expected=expected)
    assert ascii(os.path.dirname(source)) in str(caught.value.strerror)
    assert tree(lot) == HERE


@contextmanager
def after_the_last_look(act: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Acts once, after the file was checked for the last time at its target; the move gets what this yields."""
    verified, armed = moving.verify_moved, False

    def arm() -> None:
        nonlocal armed
        armed = True

    def verify_and_act(path: str, *, expected: FileIdentity) -> FileIdentity:
        nonlocal armed
        identity = verified(path, expected=expected)
        if armed:
            armed = False
            act()
        return identity

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving, "verify_moved", verify_and_act)
        yield arm


@pytest.mark.parametrize("way", ["on_one_disk", "on_two_disks"], indirect=True)
def test_move_leaves_a_newcomer_at_the_source(lot: Path) -> None:
    """A file put at the source after the target was made is left there, and the checked file is at the target."""
    source, target, expected = ends(lot)
    newcomer = made(lot / "new", content=b"new")
    with after_the_last_look(lambda: os.replace(newcomer, source)) as arm:
        moving.move_no_replace(source, target, expected=expected, before_unlink=arm)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS), **MOVED}


@pytest.mark.parametrize(("way", "left"), [("on_one_disk", {}), ("on_two_disks", MOVED)], indirect=["way"])
def test_move_stops_when_the_source_is_written_to(lot: Path, left: Tree) -> None:
    """A source that is written to while it moves stays, with what was written. A copy on another disk then stays as
    well: it may be all that is left of a file whose name and inode number a new file took."""
    source, target, expected = ends(lot)
    with (
        after_the_last_look(lambda: made(Path(source), content=b"longer", mtime_ns=5)) as arm,
        pytest.raises(MismatchError),
    ):
        moving.move_no_replace(source, target, expected=expected, before_unlink=arm)
    assert tree(lot) == {"a/1.png": (b"longer", 5), **left}


@pytest.mark.parametrize("way", ["on_two_disks"], indirect=True)
def test_copy_keeps_its_time_where_modes_are_unknown(
    lot: Path, monkeypatch: pytest.MonkeyPatch, failing: Failing
) -> None:
    """A file system that refuses owners, modes and attributes still gets the file, with its mtime."""
    source, target, expected = ends(lot)
    monkeypatch.setattr(os, "chown", failing(os.chown, errno.EPERM))
    monkeypatch.setattr(shutil, "copystat", failing(shutil.copystat, errno.EPERM))
    moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == MOVED


@pytest.mark.parametrize("way", ["on_two_disks"], indirect=True)
def test_copy_that_reads_back_wrong_is_no_move(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the other disk gives back other bytes, the source stays and the copy goes."""
    source, target, expected = ends(lot)
    monkeypatch.setattr(io_steps, "read_hash", lambda descriptor: "0" * 64)
    with pytest.raises(MismatchError):
        moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == HERE


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("step", STEPS)
def test_failing_step_leaves_one_whole_file(
    lot: Path, monkeypatch: pytest.MonkeyPatch, failing: Failing, step: str, number: int
) -> None:
    """A disk that refuses any step leaves the file whole: at the target if the move says so, else at the source."""
    source, target, expected = ends(lot)
    undoing = iter([False])  # only the first call fails, so that undoing can work
    monkeypatch.setattr(io_steps, step, failing(getattr(io_steps, step), number, unless=lambda *_: next(undoing, True)))
    try:
        moving.move_no_replace(source, target, expected=expected)
    except OSError:
        assert tree(lot) == HERE
    else:
        assert tree(lot) == MOVED


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("step", STEPS)
def test_cut_at_any_step_loses_nothing(
    lot: Path, cut: Callable[..., AbstractContextManager[None]], step: str, call: int, before: bool
) -> None:
    """After a cut anywhere the file is whole at source, target or both; a rerun ends with it at the target alone."""
    source, target, expected = ends(lot)
    with cut(step, call=call, before=before):
        moving.move_no_replace(source, target, expected=expected)
    found = {path: state for path, state in tree(lot).items() if "partial" not in path}
    assert found in (HERE, MOVED, {**HERE, **MOVED})
    if "b/1.png" not in found:
        moving.move_no_replace(source, target, expected=expected)
    elif "a/1.png" in found:
        moving.discard_partial(target)
        moving.delete(source, expected=verify(source, expected=PRINT))
    assert tree(lot) == MOVED


LINKED = ["link b/1.png", "sync_folder b", "unlink a/1.png", "sync_folder a"]
RENAMED = ["rename b/1.png", "sync_folder b", "sync_folder a"]
COPIED = [
    "copy_bytes",
    "keep_times_and_mode b/copy",
    "sync_file",
    "link b/1.png",
    "sync_folder b",
    "unlink b/copy",
]
COPIED += ["sync_folder b", "unlink a/1.png", "sync_folder a"]


@pytest.mark.parametrize(
    ("way", "order"),
    [("on_one_disk", LINKED), ("without_hard_links", RENAMED), ("on_two_disks", COPIED)],
    indirect=["way"],
)
def test_what_is_named_is_on_the_disk_before_the_source_goes(
    lot: Path, monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    """Bytes are synced before they get their name, and the name before the source loses its own."""
    source, target, expected = ends(lot)
    done: list[str] = []

    def told(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            found = real(*given, **more)  # a step that fails is not told
            path = os.path.relpath(str(given[-1]), lot)
            place = os.path.dirname(path) if name == "sync_folder" else re.sub(r"\.indexer-partial-\w+", "copy", path)
            done.append(name if isinstance(given[-1], int) else f"{name} {place}")
            return found

        return instead

    for step in {"link", "rename", "unlink", "sync_folder", "sync_file", "copy_bytes", "keep_times_and_mode"}:
        monkeypatch.setattr(io_steps, step, told(step, getattr(io_steps, step)))
    moving.move_no_replace(source, target, expected=expected)
    assert done == order


@pytest.mark.parametrize("way", ["on_one_disk", "without_hard_links"], indirect=True)
def test_folders_that_cannot_be_synced_are_no_hindrance(
    lot: Path, monkeypatch: pytest.MonkeyPatch, failing: Failing
) -> None:
    """A file system that cannot sync folders still moves files."""
    source, target, expected = ends(lot)
    monkeypatch.setattr(os, "fsync", failing(os.fsync, errno.EINVAL))
    moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == MOVED


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_survive_there_and_back(tmp_path: Path, name: str) -> None:
    """Any name a disk can hold goes to quarantine and comes back as it was."""
    lot = tmp_path / name.rpartition(".")[0]
    source = made(lot / name)
    place = reserve_quarantine_path(quarantine_folder(str(lot)), run="1", name="7", basename=name)
    moving.move_no_replace(source, place, expected=verify(source, expected=PRINT))
    assert tree(lot.parent / QUARANTINE_NAME) == {f"1/7/{name}": (BYTES, MTIME_NS)}
    assert tree(lot) == {}
    moving.move_no_replace(place, source, expected=verify(place, expected=PRINT))
    assert tree(lot) == {name: (BYTES, MTIME_NS)}


def test_delete_takes_the_checked_file_only(lot: Path) -> None:
    """A file is deleted if it is the one that was checked; a newcomer, a changed one and nothing are refused."""
    source, _, expected = ends(lot)
    os.replace(source, lot / "kept")
    made(Path(source), content=b"new")
    with pytest.raises(MismatchError):
        moving.delete(source, expected=expected)
    os.utime(lot / "kept", ns=(1, 1))
    with pytest.raises(MismatchError):
        moving.delete(str(lot / "kept"), expected=expected)
    with pytest.raises(MismatchError):
        moving.delete(str(lot / "nothing"), expected=expected)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS), "kept": (BYTES, 1)}
    moving.delete(str(lot / "kept"), expected=verify(str(lot / "kept"), expected=PRINT))
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS)}
