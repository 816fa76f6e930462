"""Moving: no file lost, none written over, whatever is in the way and wherever the work is cut."""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from indexer.files import moving
from indexer.files.moving import FileIdentity, Fingerprint, Mismatch
from indexer.files.walking import QUARANTINE_NAME

BYTES = bytes(range(256)) * 9000  # more than two chunks
MTIME_NS = 1_616_849_617_123_456_789
PRINT = Fingerprint(len(BYTES), hashlib.sha256(BYTES).hexdigest())

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
Breaker = Callable[[pytest.MonkeyPatch], None]


def made(path: Path, *, content: bytes = BYTES, mtime_ns: int = MTIME_NS) -> str:
    """A file, its folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return str(path)


def tree(folder: Path) -> Tree:
    """Bytes and mtime of every file beneath a folder, by relative path."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def failing(call: Callable[..., Any], number: int, *, unless: Callable[..., bool] = lambda *_: False) -> Any:
    """The call, which fails with an error number."""

    def instead(*given: Any, **more: Any) -> Any:
        if unless(*given):
            return call(*given, **more)
        raise OSError(number, os.strerror(number), given[0])

    return instead


def same_folder(source: str, target: str) -> bool:
    return os.path.dirname(source) == os.path.dirname(target)


def on_one_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain case: nothing is in the way."""


def without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(os.link, errno.EPERM))


def on_two_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(os.link, errno.EXDEV, unless=same_folder))
    monkeypatch.setattr(os, "rename", failing(os.rename, errno.EXDEV, unless=same_folder))


def on_two_disks_without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    on_two_disks(monkeypatch)
    monkeypatch.setattr(os, "link", failing(os.link, errno.ENOTSUP, unless=lambda *ends: not same_folder(*ends)))


WAYS = [on_one_disk, without_hard_links, on_two_disks, on_two_disks_without_hard_links]
ways = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    """A folder with one file `a/1.png` and an empty folder `b`."""
    made(tmp_path / "lot" / "a" / "1.png")
    (tmp_path / "lot" / "b").mkdir()
    return tmp_path / "lot"


def ends(lot: Path) -> tuple[str, str, FileIdentity]:
    """Source, target and the source's checked identity."""
    source = str(lot / "a" / "1.png")
    return source, str(lot / "b" / "1.png"), moving.check(source, expected=PRINT)


HERE: Tree = {"a/1.png": (BYTES, MTIME_NS)}
MOVED: Tree = {"b/1.png": (BYTES, MTIME_NS)}


@ways
def test_move_keeps_bytes_time_and_mode(lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker) -> None:
    """A moved file is at the target alone, with its bytes, mtime and mode."""
    source, target, expected = ends(lot)
    os.chmod(source, 0o640)
    way(monkeypatch)
    moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == MOVED
    assert os.stat(target).st_mode & 0o777 == 0o640


@ways
def test_move_replaces_nothing(lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker) -> None:
    """Whatever is at the target, file, link or folder, stays, and the source too."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    made(Path(target), content=b"other")
    (lot / "b" / "link").symlink_to("nowhere")
    for taken in (target, str(lot / "b" / "link"), str(lot / "b")):
        with pytest.raises(FileExistsError):
            moving.move_no_replace(source, taken, expected=expected)
    assert tree(lot) == {**HERE, "b/1.png": (b"other", MTIME_NS)}
    assert os.readlink(lot / "b" / "link") == "nowhere"


@ways
def test_move_refuses_what_was_not_checked(lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker) -> None:
    """A file that took the source's name after the check, or was written to, stays where it is."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    os.replace(made(lot / "new", content=b"new"), source)
    with pytest.raises(Mismatch):
        moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS)}
    rewritten = moving.check(source, expected=Fingerprint(3, hashlib.sha256(b"new").hexdigest()))
    os.utime(source, ns=(1, 1))
    with pytest.raises(Mismatch):
        moving.move_no_replace(source, target, expected=rewritten)
    assert tree(lot) == {"a/1.png": (b"new", 1)}


@pytest.mark.parametrize(
    ("way", "step"), [(on_one_disk, "_link"), (without_hard_links, "_rename"), (on_two_disks, "_open_to_read")]
)
def test_move_undoes_a_swap_between_look_and_move(
    lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker, step: str
) -> None:
    """If the source was replaced after the last look, the newcomer is back in its place, nothing at the target."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    newcomer, real = made(lot / "new", content=b"new"), getattr(moving, step)

    def swapped(*given: str) -> Any:
        if os.path.exists(newcomer):
            os.replace(newcomer, source)
        return real(*given)

    monkeypatch.setattr(moving, step, swapped)
    with pytest.raises(Mismatch):
        moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS)}


@pytest.mark.parametrize("way", [on_one_disk, on_two_disks])
def test_move_leaves_a_newcomer_at_the_source(lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker) -> None:
    """A file put at the source after the target was made is left there, and the checked file is at the target."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    newcomer, drop = made(lot / "new", content=b"new"), moving._drop

    def swapped(given: str, *, expected: FileIdentity) -> None:
        if given == source:
            os.replace(newcomer, source)
        drop(given, expected=expected)

    monkeypatch.setattr(moving, "_drop", swapped)
    moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS), **MOVED}


@pytest.mark.parametrize("way", [on_one_disk, on_two_disks])
def test_move_undoes_when_the_source_is_written_to(lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker) -> None:
    """A source that is written to while it moves stays, with what was written, and nothing is at the target."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    drop = moving._drop

    def written(given: str, *, expected: FileIdentity) -> None:
        if given == source:
            made(Path(source), content=b"longer", mtime_ns=5)
        drop(given, expected=expected)

    monkeypatch.setattr(moving, "_drop", written)
    with pytest.raises(Mismatch):
        moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == {"a/1.png": (b"longer", 5)}


def test_copy_keeps_its_time_where_modes_are_unknown(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that refuses owners, modes and attributes still gets the file, with its mtime."""
    source, target, expected = ends(lot)
    on_two_disks(monkeypatch)
    monkeypatch.setattr(os, "chown", failing(os.chown, errno.EPERM))
    monkeypatch.setattr(shutil, "copystat", failing(shutil.copystat, errno.EPERM))
    moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == MOVED


def test_copy_that_reads_back_wrong_is_no_move(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the other disk gives back other bytes, the source stays and the copy goes."""
    source, target, expected = ends(lot)
    on_two_disks(monkeypatch)
    monkeypatch.setattr(moving, "_read_hash", lambda descriptor: "0" * 64)
    with pytest.raises(Mismatch):
        moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == HERE


STEPS = ["_open_to_read", "_create", "_copy_bytes", "_keep_times_and_mode", "_sync_file", "_read_hash"]
STEPS += ["_link", "_rename", "_unlink", "_sync_folder"]


@ways
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("step", STEPS)
def test_failing_step_leaves_one_whole_file(
    lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker, step: str, number: int
) -> None:
    """A disk that refuses any step leaves the file whole: at the target if the move says so, else at the source."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    undoing = iter([False])  # only the first call fails, so that undoing can work
    monkeypatch.setattr(moving, step, failing(getattr(moving, step), number, unless=lambda *_: next(undoing, True)))
    try:
        moving.move_no_replace(source, target, expected=expected)
    except OSError:
        assert tree(lot) == HERE
    else:
        assert tree(lot) == MOVED


class Cut(BaseException):
    """The end of the process, as far as the code under test can tell."""


def cut_at(monkeypatch: pytest.MonkeyPatch, step: str, *, call: int, before: bool) -> None:
    """Let the process end before or after the given call of a step; from then on nothing touches the disk."""
    reached: list[int] = []

    def ended(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            if len(reached) >= call:
                raise Cut
            if name == step:
                reached.append(1)
                if len(reached) == call and before:
                    raise Cut
            found = real(*given, **more)
            if len(reached) == call:
                raise Cut
            return found

        return instead

    for name in STEPS:
        monkeypatch.setattr(moving, name, ended(getattr(moving, name), name))


@ways
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("step", STEPS)
def test_cut_at_any_step_loses_nothing(
    lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker, step: str, call: int, before: bool
) -> None:
    """After a cut anywhere the file is whole at source, target or both; a rerun ends with it at the target alone."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    with monkeypatch.context() as until_the_cut, suppress(Cut):
        cut_at(until_the_cut, step, call=call, before=before)
        moving.move_no_replace(source, target, expected=expected)
    found = {path: state for path, state in tree(lot).items() if "partial" not in path}
    assert found in (HERE, MOVED, {**HERE, **MOVED})
    if "b/1.png" not in found:
        moving.move_no_replace(source, target, expected=expected)
    elif "a/1.png" in found:
        moving.discard_partial(target)
        moving.delete(source, expected=moving.check(source, expected=PRINT))
    assert tree(lot) == MOVED


LINKED = ["_link b/1.png", "_sync_folder b", "_unlink a/1.png", "_sync_folder a"]
RENAMED = ["_rename b/1.png", "_sync_folder b", "_sync_folder a"]
COPIED = [
    "_copy_bytes",
    "_keep_times_and_mode b/copy",
    "_sync_file",
    "_link b/1.png",
    "_sync_folder b",
    "_unlink b/copy",
]
COPIED += ["_sync_folder b", "_unlink a/1.png", "_sync_folder a"]


@pytest.mark.parametrize(
    ("way", "order"), [(on_one_disk, LINKED), (without_hard_links, RENAMED), (on_two_disks, COPIED)]
)
def test_what_is_named_is_on_the_disk_before_the_source_goes(
    lot: Path, monkeypatch: pytest.MonkeyPatch, way: Breaker, order: list[str]
) -> None:
    """Bytes are synced before they get their name, and the name before the source loses its own."""
    source, target, expected = ends(lot)
    way(monkeypatch)
    done: list[str] = []

    def told(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            found = real(*given, **more)  # a step that fails is not told
            path = os.path.relpath(str(given[-1]), lot)
            place = os.path.dirname(path) if name == "_sync_folder" else re.sub(r"\.indexer-partial-\w+", "copy", path)
            done.append(name if isinstance(given[-1], int) else f"{name} {place}")
            return found

        return instead

    for step in {"_link", "_rename", "_unlink", "_sync_folder", "_sync_file", "_copy_bytes", "_keep_times_and_mode"}:
        monkeypatch.setattr(moving, step, told(step, getattr(moving, step)))
    moving.move_no_replace(source, target, expected=expected)
    assert done == order


def test_folders_that_cannot_be_synced_are_no_hindrance(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that does not sync folders moves files all the same."""
    source, target, expected = ends(lot)
    monkeypatch.setattr(os, "fsync", failing(os.fsync, errno.EINVAL))
    moving.move_no_replace(source, target, expected=expected)
    assert tree(lot) == MOVED


@ways
@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_survive_there_and_back(tmp_path: Path, way: Breaker, name: str) -> None:
    """Any name a disk can hold goes to quarantine and comes back as it was."""
    lot = tmp_path / name.rpartition(".")[0]
    source = made(lot / name)
    place = moving.quarantine_place(moving.quarantine_folder(str(lot)), run="1", name="7", basename=name)
    with pytest.MonkeyPatch.context() as monkeypatch:
        way(monkeypatch)
        moving.move_no_replace(source, place, expected=moving.check(source, expected=PRINT))
        assert tree(lot.parent / QUARANTINE_NAME) == {f"1/7/{name}": (BYTES, MTIME_NS)}
        assert tree(lot) == {}
        moving.move_no_replace(place, source, expected=moving.check(place, expected=PRINT))
    assert tree(lot) == {name: (BYTES, MTIME_NS)}


def test_check_gives_the_identity(lot: Path) -> None:
    """A file as expected is told by device, inode and mtime."""
    status = os.stat(lot / "a" / "1.png")
    assert ends(lot)[2] == FileIdentity(status.st_dev, status.st_ino, MTIME_NS)


@pytest.mark.parametrize("change", ["missing", "no folder", "link", "folder", "pipe", "longer", "other"])
def test_check_refuses_what_is_not_expected(tmp_path: Path, change: str) -> None:
    """A file that is missing, no regular file, or has another size or other bytes is refused, with a reason."""
    path = tmp_path / "a.png"
    acts: dict[str, Callable[[], object]] = {
        "missing": lambda: None,
        "no folder": lambda: None,
        "link": lambda: path.symlink_to(made(tmp_path / "b.png")),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "longer": lambda: made(path, content=BYTES + b"1"),
        "other": lambda: made(path, content=BYTES[::-1]),
    }
    acts[change]()
    with pytest.raises(Mismatch) as caught:
        moving.check(str(path / "x" if change == "no folder" else path), expected=PRINT)
    assert caught.value.reason


@pytest.mark.parametrize("call", ["_open_to_read", "_read_hash"])
def test_check_refuses_what_cannot_be_read(lot: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A file that cannot be opened or read is not as expected."""
    monkeypatch.setattr(moving, call, failing(getattr(moving, call), errno.EACCES))
    with pytest.raises(Mismatch):
        ends(lot)


@pytest.mark.parametrize("mtime_ns", [5, MTIME_NS])
def test_check_refuses_a_change_while_reading(lot: Path, monkeypatch: pytest.MonkeyPatch, mtime_ns: int) -> None:
    """A file written to while it was read is refused, even if its old time was set again."""
    read_hash = moving._read_hash

    def meanwhile(descriptor: int) -> str:
        content_hash = read_hash(descriptor)
        made(lot / "a" / "1.png", content=BYTES[::-1], mtime_ns=mtime_ns)
        return content_hash

    monkeypatch.setattr(moving, "_read_hash", meanwhile)
    with pytest.raises(Mismatch):
        ends(lot)


def test_delete_takes_the_checked_file_only(lot: Path) -> None:
    """A file is deleted if it is the one that was checked; a newcomer, a changed one and nothing are refused."""
    source, _, expected = ends(lot)
    os.rename(source, lot / "kept")
    made(Path(source), content=b"new")
    with pytest.raises(Mismatch):
        moving.delete(source, expected=expected)
    os.utime(lot / "kept", ns=(1, 1))
    with pytest.raises(Mismatch):
        moving.delete(str(lot / "kept"), expected=expected)
    with pytest.raises(Mismatch):
        moving.delete(str(lot / "nothing"), expected=expected)
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS), "kept": (BYTES, 1)}
    moving.delete(str(lot / "kept"), expected=moving.check(str(lot / "kept"), expected=PRINT))
    assert tree(lot) == {"a/1.png": (b"new", MTIME_NS)}


def test_same_file(lot: Path) -> None:
    """Two names of one file are the same file; equal bytes, a link to it and a missing path are not."""
    path = str(lot / "a" / "1.png")
    os.link(path, lot / "hard")
    (lot / "soft").symlink_to(path)
    made(lot / "equal")
    others = ["hard", "soft", "equal", "missing", "hard/missing"]
    assert [moving.same_file(path, str(lot / name)) for name in others] == [True, False, False, False, False]
    assert not moving.same_file(str(lot / "missing"), str(lot / "missing"))


def test_quarantine_is_beside_the_root(lot: Path) -> None:
    """The quarantine lies beside the root, is not made by asking, and gives way to an override."""
    assert moving.quarantine_folder(str(lot)) == str(lot.parent / QUARANTINE_NAME)
    assert moving.quarantine_folder(str(lot), override="bin") == str(Path.cwd() / "bin")
    assert moving.quarantine_folder("/") == f"/{QUARANTINE_NAME}"
    assert not (lot.parent / QUARANTINE_NAME).exists()


def _no_rights(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode, **_: Path(path) != lot.parent)


def _other_device(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.lstat
    away = os.stat_result((*real(lot)[:2], 99_999, *real(lot)[3:]))
    monkeypatch.setattr(os, "lstat", lambda path, **_: away if Path(path) == lot else real(path))


@pytest.mark.parametrize(
    "obstacle",
    [
        _no_rights,
        _other_device,
        lambda lot, _: (lot.parent / QUARANTINE_NAME).symlink_to(lot),
        lambda lot, _: made(lot.parent / QUARANTINE_NAME),
    ],
)
def test_quarantine_moves_inside_the_root(
    lot: Path, monkeypatch: pytest.MonkeyPatch, obstacle: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    """Without the rights, on another device, or with something else of that name there, it lies inside the root."""
    obstacle(lot, monkeypatch)
    assert moving.quarantine_folder(str(lot)) == str(lot / QUARANTINE_NAME)


def test_quarantine_places_are_never_shared(lot: Path) -> None:
    """Every call gives a new folder, also for the same run and name; forgetting them leaves what they did not make."""
    folder = str(lot / "new" / QUARANTINE_NAME)
    places = [moving.quarantine_place(folder, run="3", name="7", basename="1.png") for _ in range(3)]
    assert places == [f"{folder}/3/{name}/1.png" for name in ("7", "7-2", "7-3")]
    assert [os.listdir(os.path.dirname(place)) for place in places] == [[], [], []]
    made(Path(places[1]))
    for place in [*places, places[0]]:
        moving.forget_place(place)
    assert tree(lot) == {**HERE, f"new/{QUARANTINE_NAME}/3/7-2/1.png": (BYTES, MTIME_NS)}
    assert os.listdir(f"{folder}/3") == ["7-2"]
    os.unlink(places[1])
    moving.forget_place(places[1])
    assert os.listdir(lot / "new") == []


def test_quarantine_is_closed_to_others(lot: Path) -> None:
    """The folders made for a quarantined file are for the owner alone; others are as the system makes them."""
    place = Path(moving.quarantine_place(str(lot / "q"), run="3", name="7", basename="1.png"))
    moving.make_folders(str(lot / "c" / "d"))
    moving.make_folders(str(lot / "c" / "d"))
    assert [folder.stat().st_mode & 0o777 for folder in list(place.parents)[:3]] == [0o700] * 3
    assert (lot / "c" / "d").stat().st_mode == (lot / "b").stat().st_mode


def test_place_in_a_folder_of_ones_own(lot: Path) -> None:
    """A quarantine that a person named stays when it is empty."""
    place = moving.quarantine_place(str(lot / "b"), run="3", name="7", basename="1.png")
    moving.forget_place(place)
    assert os.listdir(lot / "b") == []


def test_no_place_where_a_file_is_in_the_way(lot: Path) -> None:
    """A file in the place of the quarantine is left alone and told."""
    with pytest.raises(NotADirectoryError):
        moving.quarantine_place(str(lot / "a" / "1.png"), run="3", name="7", basename="1.png")
    assert tree(lot) == HERE
