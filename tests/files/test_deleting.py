"""Deleting a file that others stand for: never without them, and never without a way back until the last moment."""

import hashlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps, moving
from indexer.files.verification import (
    ContentDigest,
    FileIdentity,
    MismatchError,
    is_same_directory_entry,
    verify,
    verify_again,
)

pytestmark = pytest.mark.usefixtures("way")  # every kind of disk

BYTES = bytes(range(256)) * 9000
PRINT = ContentDigest(len(BYTES), hashlib.sha256(BYTES).hexdigest())
STEPS = [name for name, _ in inspect.getmembers(io_steps, inspect.isfunction) if not name.startswith("_")]


def parts(lot: Path) -> tuple[str, str, FileIdentity]:
    """A file, where it would wait, and its checked identity."""
    path = str(lot / "a" / "1.png")
    return path, moving.aside_path(path), verify(path, expected=PRINT)


def files(lot: Path) -> dict[str, bytes]:
    """Every file, by its path below the lot."""
    return {str(path.relative_to(lot)): path.read_bytes() for path in lot.rglob("*") if path.is_file()}


def nothing() -> None:
    """All is well."""


def refuse() -> None:
    """What should stand for the file does not."""
    raise MismatchError("not there")


def test_witnessed_file_is_deleted(lot: Path) -> None:
    """A file goes when it was put aside, the others were seen, and the right to do so was asked before each name."""
    path, aside, expected = parts(lot)
    said: list[tuple[str, bool, bool]] = []

    def note(what: str) -> Callable[[], None]:
        return lambda: said.append((what, os.path.lexists(path), os.path.lexists(aside)))

    moving.delete_witnessed(
        path, expected=expected, aside=aside, require_witness=note("seen"), before_unlink=note("asked")
    )
    assert files(lot) == {}
    assert said[1:] == [("seen", False, True), ("asked", False, True)]
    assert said[0][:2] == ("asked", True)


@pytest.mark.parametrize("problem", [MismatchError("not there"), OSError(5, "Input/output error"), ZeroDivisionError()])
def test_file_without_a_witness_gets_its_name_back(lot: Path, problem: Exception) -> None:
    """If what stands for it is not there when its name is gone, the file has its name again and nothing is lost."""

    def failing() -> None:
        raise problem

    path, aside, expected = parts(lot)
    with pytest.raises(type(problem)):
        moving.delete_witnessed(path, expected=expected, aside=aside, require_witness=failing)
    assert files(lot) == {"a/1.png": BYTES}


def test_name_that_was_taken_meanwhile_keeps_both(lot: Path) -> None:
    """Where another file took the name, that one stays, and the one that was put aside stays there, whole."""
    path, aside, expected = parts(lot)

    def take_the_name() -> None:
        Path(path).write_bytes(b"theirs")
        refuse()

    with pytest.raises(FileExistsError):
        moving.delete_witnessed(path, expected=expected, aside=aside, require_witness=take_the_name)
    assert files(lot) == {"a/1.png": b"theirs", os.path.relpath(aside, lot): BYTES}


def test_aside_that_is_not_the_checked_file_stays(lot: Path) -> None:
    """What somebody puts in the place of the file that waits is not deleted."""
    path, aside, expected = parts(lot)

    def swap() -> None:
        Path(aside).rename(Path(aside).with_name("kept.png"))
        Path(aside).write_bytes(b"theirs")

    with pytest.raises(MismatchError):
        moving.delete_witnessed(path, expected=expected, aside=aside, require_witness=swap)
    assert sorted(files(lot).values()) == sorted([b"theirs", BYTES])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("before", [True, False])
def test_cut_while_unwitnessed_keeps_the_file(lot: Path, cut: Callable[..., Any], step: str, before: bool) -> None:
    """Cut anywhere until the witness was seen, the file is whole at its name, aside, or both."""
    path, aside, expected = parts(lot)
    for call in range(1, 6):
        with cut(step, call=call, before=before), pytest.raises(MismatchError):
            moving.delete_witnessed(path, expected=expected, aside=aside, require_witness=refuse)
        there = [one for one in (path, aside) if os.path.lexists(one)]
        assert there
        assert {Path(one).read_bytes() for one in there} == {BYTES}
        if path not in there:
            os.rename(aside, path)
        Path(aside).unlink(missing_ok=True)
        expected = verify(path, expected=PRINT)


def test_move_is_undone_where_the_right_is_lost(lot: Path) -> None:
    """What is asked right before the source goes may end the move: the file is then where it was, and there alone."""
    path, _, expected = parts(lot)
    target = str(lot / "b" / "1.png")

    def lose() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        moving.move_no_replace(path, target, expected=expected, before_unlink=lose)
    assert files(lot) == {"a/1.png": BYTES}


def test_target_that_goes_before_the_source_stops_the_move(lot: Path) -> None:
    """If somebody takes the target away in the last moment the source stays."""
    path, _, expected = parts(lot)
    target = lot / "b" / "1.png"
    with pytest.raises((MismatchError, OSError)):
        moving.move_no_replace(
            path, str(target), expected=expected, before_unlink=lambda: _take_away(target, Path(path))
        )
    assert BYTES in files(lot).values()


def _take_away(target: Path, source: Path) -> None:
    if target.exists():
        target.unlink()
    else:  # moved by rename: nothing is at the target yet
        raise OSError(5, "Input/output error", str(source))


def test_copy_leaves_the_source(lot: Path) -> None:
    """A copy has bytes and time of the source, which stays; nothing is written over."""
    path, _, expected = parts(lot)
    target = str(lot / "b" / "1.png")
    moving.copy_no_replace(path, target, expected=expected)
    assert files(lot) == {"a/1.png": BYTES, "b/1.png": BYTES}
    assert os.stat(target).st_mtime_ns == expected.mtime_ns
    with pytest.raises(FileExistsError):
        moving.copy_no_replace(path, target, expected=expected)


def test_seen_again(lot: Path) -> None:
    """A file that was checked is seen again unread while nothing of it changed, read if something did, else refused."""
    path, _, expected = parts(lot)
    verify_again(path, checked=expected, expected=PRINT)
    os.chmod(path, 0o600)  # it is read again, and is what it was
    verify_again(path, checked=expected, expected=PRINT)
    Path(path).write_bytes(BYTES[:-1] + b"?")
    os.utime(path, ns=(expected.mtime_ns, expected.mtime_ns))
    with pytest.raises(MismatchError, match="other bytes"):
        verify_again(path, checked=expected, expected=PRINT)
    Path(path).unlink()
    with pytest.raises(MismatchError, match="is missing"):
        verify_again(path, checked=expected, expected=PRINT)


@pytest.mark.parametrize("way", ["on_one_disk"], indirect=True)
def test_one_name_by_two_paths(lot: Path) -> None:
    """A path through a linked folder is the same name; a hard link is another one; another file is none."""
    path, _, _ = parts(lot)
    (lot / "link").symlink_to("a")
    assert is_same_directory_entry(path, str(lot / "link" / "1.png"))
    os.link(path, lot / "b" / "1.png")
    (lot / "other.png").write_bytes(BYTES)
    assert is_same_directory_entry(path, str(lot / "link" / "1.png"))
    assert not is_same_directory_entry(path, str(lot / "b" / "1.png"))
    assert not is_same_directory_entry(path, str(lot / "other.png"))
