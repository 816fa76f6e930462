"""Moves, copies and deletes files without losing or overwriting one.

It promises that after a crash at any instruction (a kill and a power cut included) every file is whole under its old
name, its new name or both, and that nothing is ever overwritten. It does not know why a file moves: the caller writes
the journal that says so before and after, with a target from `indexer.files.quarantine`.

What a crash can leave of `move_no_replace`, and what a caller detects with `is_same_file` and `verify`:

- the file at the source only: nothing happened, or only an unfinished copy (`discard_partial`);
- the file at both, as one inode or as two with equal bytes: either may be deleted;
- the file at the target only: done.

What it can leave of `delete_witnessed` is the same, with the aside name as the target, or the file is gone.

Decision 0009: a move is link, look, unlink, and no rename.

When folders and files are synced to the disk, for this module and `indexer.files.quarantine`:

- a new folder's parent, before anything is put into the folder; a copy's bytes, times and mode, before it is named;
- the target's folder, before the source is unlinked: else a power cut could keep the unlink and lose the link. If the
  sync fails, the move is undone;
- the source's folder after the source was unlinked, as far as possible: a power cut then at worst brings the source
  back.

A folder that the system does not let us sync (no right to read it, or no support in the file system) is left.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from indexer.files import io_steps
from indexer.files.refusals import (
    NAMING,
    SYNCING_BYTES,
    SYNCING_NAMES,
    TIMES,
    UNLINKING,
    WRITING,
    refusal_error,
    translate_refusal,
)
from indexer.files.verification import (
    ContentDigest,
    FileIdentity,
    MismatchError,
    UnreadableFileError,
    compute_digest,
    identity_of,
    is_same_file,
    verify,
    verify_identity,
    verify_moved,
)

_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_NO_HARD_LINKS = {
    errno.EPERM,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EMLINK,
    errno.ENOSYS,
    errno.EIO,
    errno.EINVAL,
    errno.EACCES,
}
_NO_RENAMING = {errno.EXDEV, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
COARSEST_TIME_NS = 2 * 10**9
"""The smallest difference between two times that a FAT disk can store."""


def _do_nothing() -> None:
    """Lets a move continue."""


def move_no_replace(
    source: str,
    target: str,
    *,
    expected: FileIdentity,
    before_unlink: Callable[[], None] = _do_nothing,
    drop_special_bits: bool = False,
) -> FileIdentity:
    """Moves a checked file to a free path, with its times and mode. Returns its identity there.

    `drop_special_bits`: a file with setuid, setgid or sticky bit is copied, as to another disk, and loses these bits.

    `before_unlink` is called while the file is at both paths, right before the source is unlinked; if it raises, the
    move is undone. Raises `FileExistsError` if something is at the target, `MismatchError` if the source is not the
    checked file, another `OSError` if the disk refuses; the file is then at the source as before. If another file took
    the name of the source meanwhile, that one stays, and the checked one is at the target. After a crash: see the
    module.
    """
    verify_identity(source, expected=expected)
    try:
        if drop_special_bits and os.lstat(source).st_mode & _SPECIAL_BITS:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        return _move_by_link(source, target, expected=expected, before_unlink=before_unlink)
    except OSError as problem:
        if problem.errno != errno.EXDEV:
            raise
        return _move_by_copy(
            source, target, expected=expected, before_unlink=before_unlink, drop_special_bits=drop_special_bits
        )


def copy_no_replace(source: str, target: str, *, expected: FileIdentity, drop_special_bits: bool = False) -> None:
    """Copies a file that is still the checked one to a free path, with its times and mode; the source stays.

    Raises `MismatchError` and `OSError` as `move_no_replace`. A crash leaves the copy, unfinished or whole.
    """
    verify_identity(source, expected=expected)
    _refuse_existing(target)
    _copy_to(source, target, expected=expected, drop_special_bits=drop_special_bits)


def delete_witnessed(
    path: str,
    *,
    expected: FileIdentity,
    aside: str,
    require_witness: Callable[[], None],
    before_unlink: Callable[[], None] = _do_nothing,
) -> None:
    """Deletes a file that is still the checked one, while another file stands for it.

    The file is first moved aside, to a free name in its folder. Then `require_witness` is called. It must raise if the
    file that stands for this one is gone too, because both are one file behind two mounts. The file then gets its name
    back; if the name was taken meanwhile, it stays aside. `before_unlink` is called before each name is unlinked.
    Raises `MismatchError` and `OSError` as `move_no_replace`. After a crash: see the module.
    """
    aside_identity = move_no_replace(path, aside, expected=expected, before_unlink=before_unlink)
    try:
        require_witness()
        before_unlink()
        aside_identity = verify_moved(aside, expected=aside_identity)
        with translate_refusal(UNLINKING, aside):
            io_steps.unlink(aside)
    except Exception:
        if os.path.lexists(aside):
            move_no_replace(aside, path, expected=aside_identity)
        raise
    _sync_folder_if_possible(path)


def restore_from_aside(path: str, *, expected: ContentDigest, before_unlink: Callable[[], None] = _do_nothing) -> None:
    """Gives a file that a crash left aside its free name back. Raises `MismatchError` and `OSError` as a move."""
    aside = aside_path(path)
    if os.path.lexists(aside) and not os.path.lexists(path):
        move_no_replace(aside, path, expected=verify(aside, expected=expected), before_unlink=before_unlink)


def aside_path(path: str, *, name: str = "last-look") -> str:
    """The path beside `path` that a file has before it is deleted; no directory walk takes it for an image."""
    return os.path.join(os.path.dirname(path), f".indexer-aside-{name}")


def delete(path: str, *, expected: FileIdentity) -> None:
    """Deletes a file that is still the checked one. Raises `MismatchError` if it is not, `OSError` if the disk refuses.

    A crash leaves the file there or gone; after a power cut it may be back.
    """
    verify_identity(path, expected=expected)
    with translate_refusal(UNLINKING, path):
        io_steps.unlink(path)
    _sync_folder_if_possible(path)


def discard_partial(target: str) -> None:
    """Removes what an interrupted copy left beside the target. Raises `OSError` if the disk refuses."""
    with suppress(FileNotFoundError, NotADirectoryError):
        io_steps.unlink(_partial_path(target))


def _move_by_link(
    source: str, target: str, *, expected: FileIdentity, before_unlink: Callable[[], None] = _do_nothing
) -> FileIdentity:
    """The moved file's identity. A crash leaves the file at the source, at both as one file, or at the target."""
    try:
        with translate_refusal(NAMING, target):
            io_steps.link(source, target)
    except OSError as problem:
        if problem.errno not in _NO_HARD_LINKS:
            raise
        return _move_by_rename(source, target, expected=expected, before_unlink=before_unlink)
    try:
        moved = verify_moved(target, expected=expected)
        with translate_refusal(SYNCING_NAMES, target):
            io_steps.sync_folder(target)
        before_unlink()
        moved = verify_moved(target, expected=moved)
        _drop(source, expected=_identity_at_old_name(source, expected=expected, moved=moved))
    except Exception:
        _undo(target, source=source)
        raise
    _sync_folder_if_possible(source)
    return moved


def _move_by_rename(
    source: str, target: str, *, expected: FileIdentity, before_unlink: Callable[[], None] = _do_nothing
) -> FileIdentity:
    """The moved file's identity. A crash leaves the file at the source or at the target."""
    before_unlink()
    _refuse_existing(target)
    # A disk says the same, whichever of the two folders may not be written to.
    refusing = target if os.access(os.path.dirname(source), os.W_OK) else source
    try:
        with translate_refusal(NAMING, refusing):
            io_steps.rename(source, target)
    except OSError as problem:
        if problem.errno in _NO_RENAMING:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source) from problem  # a copy may work
        raise
    try:
        moved = _restore_mtime(target, verify_moved(target, expected=expected), mtime_ns=expected.mtime_ns)
    except MismatchError:
        if not os.path.lexists(source):
            io_steps.rename(target, source)
        raise
    _sync_folder_if_possible(target)
    _sync_folder_if_possible(source)
    return moved


def _move_by_copy(
    source: str,
    target: str,
    *,
    expected: FileIdentity,
    before_unlink: Callable[[], None],
    drop_special_bits: bool = False,
) -> FileIdentity:
    """The moved file's identity.

    A crash leaves the file at the source, with or without an unfinished copy, or at both as two inodes, or at the
    target. The copy is written under a name that no directory walk takes for an image, and gets the target's name when
    it is whole and synced.
    """
    _refuse_existing(target)
    copy = _copy_to(source, target, expected=expected, drop_special_bits=drop_special_bits)
    try:
        before_unlink()
        copy = verify_moved(target, expected=copy)
        _drop(source, expected=expected)
    except Exception:
        # The inode number at the source proves nothing, as a new file may have got the same number. Its bytes do.
        with suppress(OSError, MismatchError):
            if copy.content is not None:
                verify(source, expected=copy.content)
                delete(target, expected=copy)
        raise
    _sync_folder_if_possible(source)
    return copy


def _copy_to(source: str, target: str, *, expected: FileIdentity, drop_special_bits: bool) -> FileIdentity:
    """The identity of a whole copy at a free path."""
    discard_partial(target)
    partial = _partial_path(target)
    try:
        copy = _copy_checked(source, partial, expected=expected, drop_special_bits=drop_special_bits)
        copy = _restore_mtime(partial, verify_moved(partial, expected=copy), mtime_ns=expected.mtime_ns)
        if abs(copy.mtime_ns - expected.mtime_ns) > COARSEST_TIME_NS:
            raise refusal_error(TIMES, target, OSError(errno.EPERM, os.strerror(errno.EPERM)))
        return _name_copy(partial, target, copy=copy)
    except BaseException:
        with suppress(OSError):
            discard_partial(target)
        raise


def _name_copy(partial: str, target: str, *, copy: FileIdentity) -> FileIdentity:
    """The identity of a copy under its final name."""
    try:
        try:
            return _move_by_link(partial, target, expected=copy)
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                raise
            # Some file systems in user space report this for a link though both names are in one folder.
            return _move_by_rename(partial, target, expected=copy)
    except OSError as problem:
        if problem.errno != errno.EXDEV:
            raise
        raise refusal_error(NAMING, target, OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))) from problem


def _copy_checked(source: str, partial: str, *, expected: FileIdentity, drop_special_bits: bool) -> FileIdentity:
    """The identity of a new copy with the bytes, times and mode of the source, synced and read back."""
    source_descriptor = io_steps.open_to_read(source)
    try:
        with translate_refusal(WRITING, partial):
            copy_descriptor = io_steps.create(partial)
        try:
            with translate_refusal(WRITING, partial):
                source_hash = io_steps.copy_bytes(source_descriptor, copy_descriptor)
            with translate_refusal(TIMES, partial):
                status = os.fstat(source_descriptor)
                plain = drop_special_bits and status.st_mode & _SPECIAL_BITS != 0
                io_steps.keep_times_and_mode(source, partial, status=status, plain=plain)
            with translate_refusal(SYNCING_BYTES, partial):
                io_steps.sync_file(copy_descriptor)
            with translate_refusal(WRITING, partial):
                os.lseek(copy_descriptor, 0, os.SEEK_SET)
                if io_steps.read_hash(copy_descriptor) != source_hash:
                    raise MismatchError("The copy on the other disk reads back other bytes than were written.")
            status = os.fstat(copy_descriptor)
            copy = replace(identity_of(status), content=ContentDigest(status.st_size, source_hash))
        finally:
            os.close(copy_descriptor)
        if identity_of(os.fstat(source_descriptor)) != expected or copy.content != (expected.content or copy.content):
            raise MismatchError("The file changed while it was copied.")
    finally:
        os.close(source_descriptor)
    return copy


def _restore_mtime(path: str, current: FileIdentity, *, mtime_ns: int) -> FileIdentity:
    """The identity of a file at its new path after its time was set again, as exactly as the disk stores it."""
    if current.mtime_ns == mtime_ns:
        return current
    with suppress(OSError):
        io_steps.set_mtime(path, mtime_ns=mtime_ns)
    return verify_moved(path, expected=current)


def _identity_at_old_name(source: str, *, expected: FileIdentity, moved: FileIdentity) -> FileIdentity:
    """The identity that a file now has at its old name, where a new name gave it a new inode number.

    Numbers do not distinguish the file from a new one at that name; bytes do.
    """
    is_renumbered = (moved.device, moved.inode) != (expected.device, expected.inode)
    if not is_renumbered or expected.content is None or _names_same_file(source, expected=expected):
        return expected
    try:
        return verify(source, expected=expected.content)
    except UnreadableFileError:
        raise
    except MismatchError:
        return expected  # a new file, which stays


def _drop(source: str, *, expected: FileIdentity) -> None:
    """Unlink the old name of a file that has its new one, unless the old name is gone or names another file by now."""
    if not _names_same_file(source, expected=expected):
        return
    if identity_of(os.lstat(source)) != expected:
        raise MismatchError("The file was written to while it was moved.")
    # NFS answers FileNotFoundError when it repeats an unlink that had worked.
    with suppress(FileNotFoundError), translate_refusal(UNLINKING, source):
        io_steps.unlink(source)


def _names_same_file(path: str, *, expected: FileIdentity) -> bool:
    """Whether the path names the same file, even if it was written to."""
    try:
        current = identity_of(os.lstat(path))
    except FileNotFoundError:
        return False
    return (current.device, current.inode) == (expected.device, expected.inode)


def _undo(target: str, *, source: str) -> None:
    """Unlink the new name again if possible, but only while the old one names the same file.

    Where each name has its own inode number, equal bytes at the old name are enough: they are not lost with this one.
    """
    with suppress(OSError, MismatchError):
        if not is_same_file(source, target):
            verify(target, expected=compute_digest(source))
        io_steps.unlink(target)
        _sync_folder_if_possible(target)


def _partial_path(target: str) -> str:
    """The path of an unfinished copy: always the same, so that it is found after a crash, and never too long."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".indexer-partial-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}")


def _refuse_existing(path: str) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)


def _sync_folder_if_possible(path: str) -> None:
    with suppress(OSError):
        io_steps.sync_folder(path)
