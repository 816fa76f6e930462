"""What a disk refuses, said in one sentence: which property it lacks, and what a person can do.

It promises that the error keeps its number, so that whoever handles it by that goes on to, and that what has a meaning
of its own (a taken name, a full disk, another disk) passes as it is. It touches no disk.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_WITH_A_MEANING = {
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
_ANOTHER_DISK = "mount it with another driver or other options, or keep the files on another disk"


@dataclass(frozen=True)
class Ability:
    """What a disk is asked for: how to say that it lacks it, and what to do then."""

    lack: str
    advice: str = _ANOTHER_DISK


NAMING = Ability("neither links nor renames this file", f"{_ANOTHER_DISK}, as with prune --quarantine FOLDER")
UNLINKING = Ability("does not let a file's name be taken away")
SYNCING_NAMES = Ability("does not tell whether new names are stored (fsync of a folder); a power cut could lose them")
SYNCING_BYTES = Ability("does not tell whether bytes are stored (fsync of a file); a power cut could lose them")
WRITING = Ability("does not let a copy be written and read back")
TIMES = Ability(
    "does not keep the time of a file (utime), which would be lost",
    "mount it as the owner of its files, or keep the files on another disk, as with prune --quarantine FOLDER",
)
FOLDERS = Ability("does not let a folder be made")
LOCKING = Ability("does not lock files (flock)")


class DiskRefusalError(OSError):
    """A disk does not do what is asked of it; `strerror` is a sentence for people."""


def refusal(ability: Ability, path: str, problem: OSError) -> OSError:
    """The error to raise in place of the one that a disk gave; the same one if it has a meaning of its own."""
    if isinstance(problem, DiskRefusalError) or problem.errno in _WITH_A_MEANING or problem.errno is None:
        return problem
    if problem.strerror != os.strerror(problem.errno):
        return problem  # in our words already: not the disk's refusal, but what lies there
    folder = os.path.dirname(path) or os.curdir
    advice = ability.advice
    if problem.errno in _PERMISSIONS:
        advice = f"see that you may write to the folder; if you may, {advice}"
    if problem.errno == errno.EROFS:
        advice = "mount it so that it can be written to"
    return DiskRefusalError(
        problem.errno, f"the disk of {folder!a} {ability.lack} ({os.strerror(problem.errno)}); {advice}"
    )


@contextmanager
def needing(ability: Ability, path: str) -> Iterator[None]:
    """Says of an error within the block that the disk of a path lacks an ability."""
    try:
        yield
    except OSError as problem:
        instead = refusal(ability, path, problem)
        if instead is problem:
            raise
        raise instead from problem


def sentence(problem: OSError) -> str:
    """What went wrong, for people: never the bare words of the system, unless these say it all."""
    said = str(problem.strerror)
    if isinstance(problem, DiskRefusalError) or problem.errno in _WITH_A_MEANING | {errno.ESTALE, errno.EBUSY}:
        return said
    place = f" at {os.fsdecode(problem.filename)!a}" if isinstance(problem.filename, str | bytes) else ""
    if problem.errno in _PERMISSIONS | {errno.EROFS}:
        return f"the system does not allow it{place} ({said}); see that you may write to the folder"
    return f"the disk did not do what it was asked for{place} ({said}); {_ANOTHER_DISK}"
