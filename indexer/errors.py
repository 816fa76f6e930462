"""All that can go wrong, in our words.

An error says what was wrong (with the value), where, and what to type next. It is raised where the fact is known and
translated once, in `indexer.cli.main`, into one sentence and an exit code. A bad picture is no error but a counted
outcome.
"""

import errno
import os

_NO_DESCRIPTORS = {errno.EMFILE, errno.ENFILE}


def lacks_descriptors(problem: BaseException | None) -> bool:
    """Whether a problem, or one that it came from, is that no more files may be open at the same time."""
    seen = set[int]()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        if isinstance(problem, OSError) and problem.errno in _NO_DESCRIPTORS:
            return True
        if isinstance(problem, ImportError) and os.strerror(errno.EMFILE) in str(problem):  # as libraries are loaded
            return True
        problem = problem.__cause__ or problem.__context__
    return False


class IndexerError(Exception):
    """A known problem: one sentence for the person, exit code 1."""

    exit_code = 1
    lines: tuple[str, ...] = ()
    """What a person should see before the sentence."""


class UsageError(IndexerError):
    """The words of the command do not fit together: exit code 2."""

    exit_code = 2


class DatabaseError(IndexerError):
    """The database is missing, old, new, foreign, damaged, read-only, full or busy."""


class RowRefusedError(DatabaseError):
    """The database does not take one row, whatever it takes else: `reason` says why, without the database's name."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NoIndexError(DatabaseError):
    """There is no index at the place that was named, or at the default one."""


class FolderError(IndexerError):
    """A path that a person named cannot be walked."""


class ImageError(IndexerError):
    """An image that a person or a workflow named is not in the index, not on the disk, or no longer what it was."""


class PictureError(IndexerError):
    """A picture cannot be drawn, or not be written where a person wants it."""


class ProfileError(IndexerError):
    """A profile that does not exist, exists already, or has parameters that make no sense."""


class LabelError(IndexerError):
    """A file of labels that cannot be read as one, or whose labels contradict each other."""


class VerdictError(IndexerError):
    """A verdict that makes no sense (of one image, two cameras, nobody), or a file of them that cannot be read."""


class LimitError(IndexerError):
    """The operating system lets this process have less than it needs."""


class DeclinedError(IndexerError):
    """A person was asked and did not say yes."""


class EngineError(IndexerError):
    """The workers cannot go on."""


class InterruptedRunError(IndexerError):
    """Ctrl-C ended what keeps nothing of what it had begun: exit code 130."""

    exit_code = 130
