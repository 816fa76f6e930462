"""Errors of a disk as one sentence: which capability it lacks, and what a person can do.

It promises that the error keeps its number, so that code that handles errors by number still works, and that errors
with a meaning of their own (a name that exists, a full disk, another disk) pass unchanged. It asks the disk for rights
only.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SELF_EXPLANATORY = {
    errno.EEXIST,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EXDEV,
    errno.ETIMEDOUT,
    errno.ENAMETOOLONG,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}
_PERMISSIONS = {errno.EACCES, errno.EPERM}
_OTHER_DISK_ADVICE = "mount it with another driver or other options, or keep the files on another disk"


@dataclass(frozen=True)
class DiskCapability:
    """Something that a disk must be able to do: the words for a disk that cannot, and the advice for it."""

    lack: str
    advice: str = _OTHER_DISK_ADVICE


NAMING = DiskCapability(
    "neither links nor renames this file", f"{_OTHER_DISK_ADVICE}, as with prune --quarantine FOLDER"
)
UNLINKING = DiskCapability("does not let a file be deleted (unlink)")
SYNCING_NAMES = DiskCapability(
    "does not tell whether new names are stored (fsync of a folder); a power cut could lose them"
)
SYNCING_BYTES = DiskCapability("does not tell whether bytes are stored (fsync of a file); a power cut could lose them")
WRITING = DiskCapability("does not let a copy be written and read back")
TIMES = DiskCapability(
    "does not keep the time of a file (utime), which would be lost",
    "mount it as the owner of its files, or keep the files on another disk, as with prune --quarantine FOLDER",
)
FOLDERS = DiskCapability("does not let a folder be made")
LOCKING = DiskCapability("does not lock files (flock)")


class DiskRefusalError(OSError):
    """A disk lacks a capability, or the user a right; `strerror` is a sentence for people."""


def refusal_error(capability: DiskCapability, path: str, problem: OSError) -> OSError:
    """The `DiskRefusalError` to raise in place of a disk's own error; `problem` itself if its meaning is clear."""
    if isinstance(problem, DiskRefusalError) or problem.errno in _SELF_EXPLANATORY or problem.errno is None:
        return problem
    if problem.strerror != os.strerror(problem.errno):
        return problem  # raised by this program: about the file there, not about the disk
    folder = os.path.dirname(path) or os.curdir
    advice = capability.advice
    if problem.errno in _PERMISSIONS and not _may_write(folder):
        return DiskRefusalError(
            problem.errno,
            f"you may not write to the folder {folder!r} ({os.strerror(problem.errno)}); change its rights, or run the "
            "command as its owner",
        )
    if problem.errno in _PERMISSIONS:
        advice = f"see that you may write to the folder; if you may, {advice}"
    if problem.errno == errno.EROFS:
        advice = "mount it so that it can be written to"
    return DiskRefusalError(
        problem.errno, f"the disk of {folder!r} {capability.lack} ({os.strerror(problem.errno)}); {advice}"
    )


def _may_write(folder: str) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


@contextmanager
def translate_refusal(capability: DiskCapability, path: str) -> Iterator[None]:
    """Turns an `OSError` in the block into a `DiskRefusalError` that says what the disk of a path cannot do.

    An `OSError` whose meaning is clear passes unchanged, as in `refusal_error`.
    """
    try:
        yield
    except OSError as problem:
        translated = refusal_error(capability, path, problem)
        if translated is problem:
            raise
        raise translated from problem


def describe_os_error(problem: OSError) -> str:
    """What went wrong, as a clause for people. The system's message stands alone only if it is clear by itself."""
    message = str(problem.strerror)
    if isinstance(problem, DiskRefusalError) or problem.errno in _SELF_EXPLANATORY | {errno.ESTALE, errno.EBUSY}:
        return message
    location = f" at {os.fsdecode(problem.filename)!r}" if isinstance(problem.filename, str | bytes) else ""
    if problem.errno in _PERMISSIONS | {errno.EROFS}:
        return f"the system does not allow it{location} ({message}); see that you may write to the folder"
    return f"the disk refused the operation{location} ({message}); {_OTHER_DISK_ADVICE}"
