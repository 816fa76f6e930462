"""Whether a file is still what the index knows, and which file on the disk that is.

It promises that

- a file is identified by its bytes and then by its inode;
- no link is followed; and
- a check changes nothing.

It does not know what is done with the file next. Between a check and the act, others may write: see
`indexer.files.moving`.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from indexer.files import io_steps

T = TypeVar("T")
_REPLACED_MESSAGE = "The file was replaced or written to since it was checked a moment ago; run the command again."


@dataclass(frozen=True)
class ContentDigest:
    """What the bytes of a file must be."""

    size_bytes: int
    content_hash: str
    """sha256, hexadecimal."""


@dataclass(frozen=True)
class FileIdentity:
    """Which file on the disk was checked, and in which state. With a new name or owner it is still the same file."""

    device: int
    inode: int
    mtime_ns: int
    ctime_ns: int = field(default=0, compare=False)
    links: int = field(default=1, compare=False)
    content: ContentDigest | None = field(default=None, compare=False)
    """What its bytes are; None if they were not read."""


class MismatchError(Exception):
    """The file at a path is not what was expected; nothing was moved or deleted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnreadableFileError(MismatchError):
    """The file at a path cannot be checked now: the disk refuses, or a program is writing to the file."""


def verify(path: str, *, expected: ContentDigest) -> FileIdentity:
    """The identity of the file at a path, whose size and bytes are the expected ones. Changes nothing.

    Raises
    ------
    MismatchError
        If the file is missing, is a link or not a regular file, or has another size or other bytes.
    UnreadableFileError
        If it cannot be read, or if it changes while it is read.
    """
    return _verify_content(path, expected=expected, read=lambda descriptor: (io_steps.read_hash(descriptor), None))[0]


def verify_and_read(path: str, *, expected: ContentDigest) -> tuple[FileIdentity, bytes]:
    """As `verify`, with the very bytes that were verified; the whole file is in memory.

    Raises `MismatchError` and `UnreadableFileError` as `verify`.
    """

    def read(descriptor: int) -> tuple[str, bytes]:
        data = io_steps.read_bytes(descriptor, most=expected.size_bytes + 1)
        return hashlib.sha256(data).hexdigest(), data

    return _verify_content(path, expected=expected, read=read)


def _verify_content(
    path: str, *, expected: ContentDigest, read: Callable[[int], tuple[str, T]]
) -> tuple[FileIdentity, T]:
    """The identity of the file, and what `read` returned beside its hash."""
    before = sized_status(path, expected=expected)
    try:
        descriptor = io_steps.open_to_read(path)
        try:
            opened, (content_hash, data), after = os.fstat(descriptor), read(descriptor), os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as problem:
        raise UnreadableFileError(f"The file cannot be read: {problem.strerror}.") from problem
    if not _state(before) == _state(opened) == _state(after):
        raise UnreadableFileError("The file changed while it was read.")
    if content_hash != expected.content_hash:
        raise MismatchError("The file has the size that the index knows, but other bytes.")
    return replace(identity_of(after), content=expected), data


def verify_moved(path: str, *, expected: FileIdentity) -> FileIdentity:
    """The identity of a checked file at the new path that it just got; its bytes are the checked ones.

    With a new name, some disks give a file another inode number: they derive it from the path, or first copy the file
    to another layer. Some truncate its time. If number or time differ, the file is read again, and its bytes decide.
    Raises `MismatchError` if they differ, `UnreadableFileError` if it cannot be read.
    """
    current = identity_of(regular_status(path))
    if current == expected:
        return replace(current, content=expected.content)
    if expected.content is None:
        raise MismatchError(_REPLACED_MESSAGE)
    try:
        return verify(path, expected=expected.content)
    except UnreadableFileError:
        raise
    except MismatchError as problem:
        raise MismatchError(f"The file was replaced or written to while it was moved: {problem.reason}") from problem


def compute_digest(path: str) -> ContentDigest:
    """The size and hash of the regular file at a path.

    Raises `MismatchError` if it is missing or no regular file, `OSError` if it cannot be read.
    """
    size_bytes = regular_status(path).st_size
    descriptor = io_steps.open_to_read(path)
    try:
        return ContentDigest(size_bytes, io_steps.read_hash(descriptor))
    finally:
        os.close(descriptor)


def verify_again(path: str, *, checked: FileIdentity, expected: ContentDigest) -> None:
    """Raises `MismatchError` unless a file that was just checked is still there with its bytes.

    It is read again only if its times, owner or names have changed since.
    """
    status = regular_status(path)
    if status.st_nlink == 0 and checked.links > 0:
        raise MismatchError("The file was deleted a moment ago.")
    if identity_of(status) != checked or status.st_ctime_ns != checked.ctime_ns:
        verify(path, expected=expected)


def is_checked_file(path: str, checked: FileIdentity) -> bool:
    """Whether a path names the file that was checked, even if it was written to since."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == (checked.device, checked.inode)


def may_be_same_file(first: FileIdentity, second: FileIdentity) -> bool:
    """Whether two files with equal bytes are one file, or may be one file behind two mounts.

    Two mounts of one disk may report different devices. An overlay may show the data of one file under the name of
    another (`metacopy`): with the inode and time of the other, and its own ctime.
    """
    if first.device == second.device:
        return first.inode == second.inode
    return (first.inode, first.mtime_ns) == (second.inode, second.mtime_ns)


def is_same_directory_entry(path_a: str, path_b: str) -> bool:
    """Whether two paths lead to one directory entry, as through a linked or doubly mounted folder."""
    try:
        status_a, status_b = os.lstat(path_a), os.lstat(path_b)
        folder_a, folder_b = os.stat(os.path.dirname(path_a)), os.stat(os.path.dirname(path_b))
    except OSError:
        return False
    if not os.path.samestat(status_a, status_b):
        return False
    same_name = os.path.basename(path_a) == os.path.basename(path_b)
    return status_a.st_nlink < 2 or (same_name and os.path.samestat(folder_a, folder_b))


def is_same_file(path_a: str, path_b: str) -> bool:
    """Whether two paths name one file on the disk; False if one of them cannot be read. Changes nothing."""
    try:
        status_a, status_b = os.lstat(path_a), os.lstat(path_b)
    except OSError:
        return False
    return os.path.samestat(status_a, status_b)


def regular_status(path: str) -> os.stat_result:
    """The status of the regular file at a path.

    Raises `MismatchError` if it is missing, a link or no regular file, `UnreadableFileError` if the disk refuses.
    """
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise MismatchError("The file is missing.") from None
    except OSError as problem:
        raise UnreadableFileError(f"The status of the file cannot be read: {problem.strerror}.") from problem
    if stat.S_ISLNK(status.st_mode):
        raise MismatchError("The file is a symbolic link now.")
    if not stat.S_ISREG(status.st_mode):
        raise MismatchError("The path is no regular file now.")
    return status


def sized_status(path: str, *, expected: ContentDigest) -> os.stat_result:
    """The status of the regular file at a path, which has the expected size; its bytes are not read.

    Raises `MismatchError` as `regular_status` does, and if the file has another size.
    """
    status = regular_status(path)
    if status.st_size != expected.size_bytes:
        raise MismatchError(f"The file has {status.st_size} bytes instead of {expected.size_bytes}.")
    return status


def verify_identity(path: str, *, expected: FileIdentity) -> None:
    """Raises `MismatchError` unless a path names the checked file and nothing was written to it since."""
    if identity_of(regular_status(path)) != expected:
        raise MismatchError(_REPLACED_MESSAGE)


def identity_of(status: os.stat_result) -> FileIdentity:
    """The identity of the file that a status describes."""
    return FileIdentity(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_nlink)


def _state(status: os.stat_result) -> tuple[FileIdentity, int, int]:
    # ctime, too: a program that sets mtime back after writing cannot set ctime back.
    return identity_of(status), status.st_size, status.st_ctime_ns
