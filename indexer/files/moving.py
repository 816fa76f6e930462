"""Taking files away and putting them back, without losing or overwriting one.

It promises that after a cut at any instruction (a crash, a kill, the power) every file is whole under its old name, its
new name or both, and that nothing is ever written over. It does not know why a file moves: the journal that says so is
written by the caller before and after, with the target from `quarantine_place`.

What a cut can leave of `move_no_replace`, and what a caller finds with `same_file` and `check`:

- the file at the source only: nothing happened, or only an unfinished copy (`discard_partial`);
- the file at both, as one inode or as two with equal bytes: either may be deleted;
- the file at the target only: done.

Decision: a move is link, look, unlink, and no rename. link(2) never replaces, whatever else writes into the folder, so
the source goes only after the target was seen to be the very inode that was checked; rename(2) would have moved a
wrong file before anyone could look, and replaces. The cost is the state "at both", which is harmless and recognisable.
Between the last look at the source and its unlink lie microseconds in which another program could put a new file under
that name; no portable call closes that gap. File systems without hard links (FAT, some network shares) get a look and a
rename, with the same gap at the target. Enforced by tests/files/test_moving.py, which cuts every step.

When folders and files are synced to the disk, for the whole module:

- a new folder's parent, before anything is put into the folder; a copy's bytes, times and mode, before it is named;
- the target's folder, before the source goes: else a power cut could keep the unlink and lose the link. If that fails,
  the move is undone;
- the source's folder after the source went, as well as it can be: a power cut then at worst brings the source back.

A folder that the system does not let us sync (no right to read it, or the file system does not know how) is left.
"""

import errno
import hashlib
import itertools
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass

from indexer.files.walking import QUARANTINE_NAME

_CHUNK_BYTES = 1 << 20
_FOR_THE_OWNER = 0o700  # quarantined images may come from a folder that was closed to others
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}
# Not blocking, so that a pipe put in a file's place does not stop us. The others differ between systems.
_READ_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_CREATE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Fingerprint:
    """What the bytes of a file must be."""

    size_bytes: int
    content_hash: str
    """sha256, hexadecimal."""


@dataclass(frozen=True)
class FileIdentity:
    """Which file on the disk was checked, and in which state."""

    device: int
    inode: int
    mtime_ns: int


class Mismatch(Exception):
    """The file at a path is not what was expected; nothing was moved or deleted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check(path: str, *, expected: Fingerprint) -> FileIdentity:
    """Identity of the file at the path, after its size and every byte were found as expected. Changes nothing.

    Raises `Mismatch` if the file is missing, a link, not regular, cannot be read, or differs, or changed meanwhile.
    """
    before = _regular_status(path)
    if before.st_size != expected.size_bytes:
        raise Mismatch(f"The file has {before.st_size} bytes instead of {expected.size_bytes}.")
    try:
        descriptor = _open_to_read(path)
        try:
            opened, content_hash, after = os.fstat(descriptor), _read_hash(descriptor), os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as problem:
        raise Mismatch(f"The file cannot be read: {problem.strerror}.") from problem
    if not _state(before) == _state(opened) == _state(after):
        raise Mismatch("The file changed while it was read.")
    if content_hash != expected.content_hash:
        raise Mismatch("The file has other bytes than the index knows, though as many.")
    return _identity(after)


def same_file(path_a: str, path_b: str) -> bool:
    """Whether both paths are there and name one file on the disk. Changes nothing."""
    try:
        status_a, status_b = os.lstat(path_a), os.lstat(path_b)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return os.path.samestat(status_a, status_b)


def delete(path: str, *, expected: FileIdentity) -> None:
    """Delete a file that is still the one that was checked, else raise `Mismatch`.

    A cut leaves the file there or gone; after a power cut it may be back.
    """
    _confirm(path, expected=expected)
    _unlink(path)
    _sync_folder_if_possible(path)


def quarantine_folder(root: str, *, override: str | None = None) -> str:
    """Where files taken away from beneath a root go; creates nothing.

    The override if there is one; else beside the root, where the same device and the rights allow; else inside it.
    """
    if override is not None:
        return os.path.abspath(override)
    beside = os.path.join(os.path.dirname(root), QUARANTINE_NAME)
    return beside if _can_hold(beside, root=root) else os.path.join(root, QUARANTINE_NAME)


def make_folders(path: str, *, mode: int = 0o777) -> None:
    """Make the folder and those above it where they are missing, each synced, ready to hold a moved file.

    A cut leaves some of them, empty.
    """
    if os.path.isdir(path):
        return
    make_folders(os.path.dirname(path) or os.curdir, mode=mode)
    with suppress(FileExistsError):
        _make_folder(path, mode=mode)
    _sync_folder(path)


def quarantine_place(folder: str, *, run: str, name: str, basename: str) -> str:
    """A free path `<folder>/<run>/<name>[-k]/<basename>` in a new folder that nobody else was given.

    Called before the journal's row is written, which names the path. A cut leaves an empty folder: see `forget_place`.
    """
    run_folder = os.path.join(folder, run)
    make_folders(run_folder, mode=_FOR_THE_OWNER)
    for number in itertools.count(1):
        place = os.path.join(run_folder, name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            _make_folder(place, mode=_FOR_THE_OWNER)
            break
    # All three, new or not: a cut may have made one and not synced it.
    for made in (place, run_folder, folder):
        _sync_folder(made)
    return os.path.join(place, basename)


def forget_place(path: str) -> None:
    """Remove the folder of a place that holds no file (any more), and those above it that are empty now.

    What cannot be removed stays. A cut leaves empty folders.
    """
    discard_partial(path)
    place = os.path.dirname(path)
    run_folder = os.path.dirname(place)
    folder = os.path.dirname(run_folder)
    for empty in (place, run_folder, folder) if os.path.basename(folder) == QUARANTINE_NAME else (place, run_folder):
        with suppress(OSError):
            _remove_empty_folder(empty)


def move_no_replace(source: str, target: str, *, expected: FileIdentity) -> None:
    """Move a file that is still the one that was checked to a free path, times and mode kept.

    Raises `FileExistsError` if something is at the target, `Mismatch` if the source is not the checked file, another
    `OSError` if the disk refuses; the file is then at the source as before. If another file took the name of the source
    meanwhile, that one stays, and the checked one is at the target. After a cut: see the module.
    """
    _confirm(source, expected=expected)
    try:
        _move_within(source, target, expected=expected)
    except OSError as problem:
        if problem.errno != errno.EXDEV:
            raise
        _move_across(source, target, expected=expected)


def discard_partial(target: str) -> None:
    """Remove what a cut copy towards the target left beside it. A cut leaves it there or gone."""
    with suppress(FileNotFoundError, NotADirectoryError):
        _unlink(_partial_path(target))


def _can_hold(folder: str, *, root: str) -> bool:
    """Whether the folder is, or can be made, a real folder that files of the root can be renamed into."""
    try:
        there = folder if os.path.lexists(folder) else os.path.dirname(folder)
        status, root_status = os.lstat(there), os.lstat(root)
    except OSError:
        return False
    is_near = stat.S_ISDIR(status.st_mode) and status.st_dev == root_status.st_dev
    return is_near and os.access(there, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _move_within(source: str, target: str, *, expected: FileIdentity) -> None:
    """A cut leaves the file at the source, at both as one inode, or at the target."""
    try:
        _link(source, target)
    except OSError as problem:
        if problem.errno not in _NO_HARD_LINKS:
            raise
        _move_by_rename(source, target, expected=expected)
        return
    try:
        _confirm(target, expected=expected)
        _sync_folder(target)
        _drop(source, expected=expected)
    except (OSError, Mismatch):
        _undo(target, source=source)
        raise
    _sync_folder_if_possible(source)


def _move_by_rename(source: str, target: str, *, expected: FileIdentity) -> None:
    """A cut leaves the file at the source or at the target."""
    _refuse_existing(target)
    _rename(source, target)
    try:
        _confirm(target, expected=expected)
    except Mismatch:
        if not os.path.lexists(source):
            _rename(target, source)
        raise
    _sync_folder_if_possible(target)
    _sync_folder_if_possible(source)


def _move_across(source: str, target: str, *, expected: FileIdentity) -> None:
    """A cut leaves the file at the source, with or without an unfinished copy; at both, as two inodes; at the target.

    The copy grows under a name that no walk takes for an image and gets the target's name when it is whole and synced.
    """
    _refuse_existing(target)
    discard_partial(target)
    partial = _partial_path(target)
    try:
        copy = _copy_checked(source, partial, expected=expected)
        _move_within(partial, target, expected=copy)
    except BaseException:
        with suppress(OSError):
            discard_partial(target)
        raise
    try:
        _drop(source, expected=expected)
    except (OSError, Mismatch):
        with suppress(OSError, Mismatch):
            if _is_still_there(source, expected=expected):
                delete(target, expected=copy)
        raise
    _sync_folder_if_possible(source)


def _copy_checked(source: str, partial: str, *, expected: FileIdentity) -> FileIdentity:
    """Identity of a new copy with the bytes, times and mode of the source, synced and read back."""
    reading = _open_to_read(source)
    try:
        writing = _create(partial)
        try:
            source_hash = _copy_bytes(reading, writing)
            _keep_times_and_mode(source, partial, status=os.fstat(reading))
            _sync_file(writing)
            os.lseek(writing, 0, os.SEEK_SET)
            if _read_hash(writing) != source_hash:
                raise Mismatch("The copy on the other disk reads back other bytes than were written.")
            copy = _identity(os.fstat(writing))
        finally:
            os.close(writing)
        if _identity(os.fstat(reading)) != expected:
            raise Mismatch("The file changed while it was copied.")
    finally:
        os.close(reading)
    return copy


def _drop(source: str, *, expected: FileIdentity) -> None:
    """Remove the old name of a file that has its new one, unless the old name is gone or another file's by now."""
    if not _is_still_there(source, expected=expected):
        return
    if _identity(os.lstat(source)) != expected:
        raise Mismatch("The file was written to while it was moved.")
    with suppress(FileNotFoundError):  # what NFS answers when it repeats an unlink that had worked
        _unlink(source)


def _is_still_there(path: str, *, expected: FileIdentity) -> bool:
    """Whether the path names the same file, written to or not."""
    try:
        found = _identity(os.lstat(path))
    except FileNotFoundError:
        return False
    return (found.device, found.inode) == (expected.device, expected.inode)


def _undo(target: str, *, source: str) -> None:
    """Take the new name away again, as well as it can be, and only while the old one names the same file."""
    with suppress(OSError):
        if same_file(source, target):
            _unlink(target)
            _sync_folder_if_possible(target)


def _partial_path(target: str) -> str:
    """The same name for the same target, so that what a cut left can be found; short enough beside any name."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".indexer-partial-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}")


def _regular_status(path: str) -> os.stat_result:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise Mismatch("The file is missing.") from None
    except OSError as problem:
        raise Mismatch(f"The file cannot be looked at: {problem.strerror}.") from problem
    if stat.S_ISLNK(status.st_mode):
        raise Mismatch("The file is a symbolic link now.")
    if not stat.S_ISREG(status.st_mode):
        raise Mismatch("The path is no regular file now.")
    return status


def _confirm(path: str, *, expected: FileIdentity) -> None:
    if _identity(_regular_status(path)) != expected:
        raise Mismatch("The file is not the one that was checked a moment ago.")


def _identity(status: os.stat_result) -> FileIdentity:
    return FileIdentity(status.st_dev, status.st_ino, status.st_mtime_ns)


def _state(status: os.stat_result) -> tuple[FileIdentity, int, int]:
    # ctime too: whoever sets mtime back after writing cannot set ctime back.
    return _identity(status), status.st_size, status.st_ctime_ns


def _refuse_existing(path: str) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)


# Each touch of the disk is a function of its own, so that a test can cut the work before and after it.


def _open_to_read(path: str) -> int:
    return os.open(path, _READ_FLAGS)


def _create(path: str) -> int:
    return os.open(path, _CREATE_FLAGS, 0o600)


def _read_hash(descriptor: int) -> str:
    digest = hashlib.sha256()
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _copy_bytes(reading: int, writing: int) -> str:
    """sha256 of what was read from one descriptor and written to the other."""
    digest = hashlib.sha256()
    while chunk := os.read(reading, _CHUNK_BYTES):
        digest.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(writing, rest) :]
    return digest.hexdigest()


def _keep_times_and_mode(source: str, copy: str, *, status: os.stat_result) -> None:
    """Owner, mode and attributes as well as the other file system can; mtime always."""
    with suppress(OSError):
        os.chown(copy, status.st_uid, status.st_gid)
    with suppress(OSError):
        shutil.copystat(source, copy, follow_symlinks=False)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def _link(source: str, target: str) -> None:
    if os.link in os.supports_follow_symlinks:
        os.link(source, target, follow_symlinks=False)
    else:
        os.link(source, target)


def _rename(source: str, target: str) -> None:
    os.rename(source, target)


def _unlink(path: str) -> None:
    os.unlink(path)


def _make_folder(path: str, *, mode: int) -> None:
    os.mkdir(path, mode)


def _remove_empty_folder(path: str) -> None:
    os.rmdir(path)


def _sync_file(descriptor: int) -> None:
    os.fsync(descriptor)


def _sync_folder(path: str) -> None:
    """Sync the folder that the path lies in."""
    try:
        descriptor = os.open(os.path.dirname(path) or os.curdir, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def _sync_folder_if_possible(path: str) -> None:
    with suppress(OSError):
        _sync_folder(path)
