"""Folders that are opened name by name, so that a path below a folder really lies there.

It promises that no symbolic link is followed on the way, and that an opened folder stays the one that is used: a link
that is put in its place a moment later has no effect. It does not know which folders a person allows.

Decision 0007: an open folder is returned as a path, `/proc/self/fd/N`, and not as a descriptor.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from indexer.files import io_steps
from indexer.files.verification import MismatchError

LONGEST_NAME_BYTES, LONGEST_PATH_BYTES = 255, 4095
"""The longest name and the longest whole path that Linux allows."""

_DESCRIPTORS = "/proc/self/fd"
_FLAGS = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_A_FOLDER = {errno.ENOTDIR, errno.ELOOP}


@dataclass(frozen=True)
class OpenQuarantinePath:
    """A path in a quarantine whose folders are open, as paths to its parts; no part is reached through a link."""

    file: str
    folder: str
    """The folder that holds the file, named within its run's folder."""
    run_folder: str
    run_folder_entry: str
    """The run's folder, named within the quarantine."""


@contextmanager
def open_folder(path: str, *, create: bool = False) -> Iterator[str]:
    """The path of an open folder; it means that very folder until the block ends.

    `create`: missing folders on the way are made, each synced.

    Raises
    ------
    MismatchError
        If a part of the path is a link or no folder, or if the path is not a plain absolute one.
    FileNotFoundError
        If a folder is missing, and `create` is False.
    OSError
        If the disk refuses, or if there is no `/proc`.
    """
    if not os.path.isdir(_DESCRIPTORS):
        raise OSError(errno.ENOSYS, "/proc is not mounted; mount it: without it no folder opens safely", path)
    descriptor = _open_descriptor(None, os.sep, full_path=path)
    try:
        for name in split_path(path):
            if create:
                _make_folder(descriptor, name)
            inner = _open_descriptor(descriptor, name, full_path=path)
            os.close(descriptor)
            descriptor = inner
        yield f"{_DESCRIPTORS}/{descriptor}"
    finally:
        os.close(descriptor)


@contextmanager
def open_quarantine_path(path: str) -> Iterator[OpenQuarantinePath]:
    """A path `<quarantine>/<run>/<name>/<file>` with its folders open until the block ends.

    Raises `MismatchError` and `OSError` as `open_folder`.
    """
    folder, file = os.path.split(path)
    run_folder, name = os.path.split(folder)
    quarantine_folder, run_name = os.path.split(run_folder)
    with open_folder(quarantine_folder) as quarantine, open_folder(run_folder) as run, open_folder(folder) as inside:
        yield OpenQuarantinePath(f"{inside}/{file}", f"{run}/{name}", run, f"{quarantine}/{run_name}")


def split_path(path: str) -> Sequence[str]:
    """The names in an absolute path.

    Raises `MismatchError` if one of them is empty, `.` or `..`, or if a name or the path is too long.
    """
    names = path.split(os.sep)[1:] if path != os.sep else []
    if not path.startswith(os.sep) or any(name in ("", os.curdir, os.pardir) or "\0" in name for name in names):
        raise MismatchError("its path is not a plain absolute one: it has an empty name in it, or '.' or '..'")
    encoded = [os.fsencode(name) for name in names]
    if any(len(name) > LONGEST_NAME_BYTES for name in encoded) or len(os.fsencode(path)) > LONGEST_PATH_BYTES:
        raise MismatchError("its path is longer than a disk can hold")
    return names


def lies_beneath(path: str, folder: str) -> bool:
    """Whether a path begins with the path of a folder. Only the names are compared; the disk is not read."""
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _make_folder(descriptor: int, name: str) -> None:
    """Makes a folder in an open one if nothing has that name."""
    path = f"{_DESCRIPTORS}/{descriptor}/{name}"
    if os.path.lexists(path):
        return
    with suppress(FileExistsError):
        io_steps.make_folder(path)
    io_steps.sync_folder(path)


def _open_descriptor(descriptor: int | None, name: str, *, full_path: str) -> int:
    """Descriptor of a folder in an open one."""
    try:
        try:
            return os.open(name, os.O_RDONLY | _FLAGS, dir_fd=descriptor)  # triggers automounts, too
        except PermissionError:
            return os.open(name, os.O_PATH | _FLAGS, dir_fd=descriptor)  # passing through needs no right to read
    except OSError as problem:
        if problem.errno not in _NOT_A_FOLDER:
            raise OSError(problem.errno, problem.strerror, full_path) from problem
        is_link = stat.S_ISLNK(os.lstat(name, dir_fd=descriptor).st_mode)
        what = "a symbolic link, and none is followed" if is_link else "no folder"
        raise MismatchError(f"{name!r} in {full_path!r} is {what}") from problem
