"""The known errors.

An error says what was wrong (with the value), where, and what to type next. It is raised where the fact is known and
translated once, in `indexer.cli.main`, into one sentence and an exit code. A bad image file is not an error but a
counted outcome.
"""

import errno
import os

_NO_DESCRIPTORS = {errno.EMFILE, errno.ENFILE}


def lacks_descriptors(problem: BaseException | None) -> bool:
    """Whether an exception, or one in its chain of causes, says that too many files are open."""
    seen = set[int]()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        if isinstance(problem, OSError) and problem.errno in _NO_DESCRIPTORS:
            return True
        if isinstance(problem, ImportError) and os.strerror(errno.EMFILE) in str(problem):  # while a library is loaded
            return True
        problem = problem.__cause__ or problem.__context__
    return False


class IndexerError(Exception):
    """A known problem: one sentence for the person, exit code 1."""

    exit_code = 1
    lines: tuple[str, ...] = ()
    """Lines to show before the sentence."""


class UsageError(IndexerError):
    """The arguments of the command are wrong or do not fit together: exit code 2."""

    exit_code = 2


class DatabaseError(IndexerError):
    """The database is missing, old, new, foreign, damaged, read-only, full or busy."""


class RowRefusedError(DatabaseError):
    """The database refuses one row, while other rows may be stored; `reason` says why, without the database's name."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class IndexInUseError(DatabaseError):
    """Another command has the lock of the index, or of the camera that is needed.

    `holder`: that command, as text. `is_batch`: it releases the lock soon, after a batch of its work.
    """

    def __init__(self, message: str, *, holder: str, is_batch: bool = False) -> None:
        super().__init__(message)
        self.holder = holder
        self.is_batch = is_batch


class ConfigurationError(UsageError):
    """The file `indexer.toml` cannot be read, has a mistake, or lacks what a command needs: exit code 2."""


class NoIndexError(DatabaseError):
    """There is no index at the address that was named, or at the default address."""


class FolderError(IndexerError):
    """A path that a person named cannot be walked."""


class NothingToIngestError(FolderError):
    """The folders and files that were named have no image, or none whose name can be read as a person says."""


class CameraError(IndexerError):
    """A camera that a person named is not in the index."""


class RunError(IndexerError):
    """A run that a person named is not in the index."""


class ImageError(IndexerError):
    """An image that a person or a workflow named is not in the index, not on the disk, or no longer what it was."""


class PictureError(IndexerError):
    """A picture cannot be drawn, or cannot be written to the path that a person named."""


class ProfileError(IndexerError):
    """A profile that does not exist, exists already, or has parameters that make no sense."""


class LabelError(IndexerError):
    """A file of labels that cannot be read as one, or whose labels contradict each other."""


class FindingError(IndexerError):
    """A finding that does not exist, or that cannot be dismissed."""


class VerdictError(IndexerError):
    """A verdict that makes no sense (of one image, two cameras, nobody), or a file of them that cannot be read."""


class MissingLibraryError(IndexerError):
    """A command needs an optional library that is not installed."""


class LimitError(IndexerError):
    """A limit of the operating system is too low for this process."""


class AddressError(IndexerError):
    """An address or a port that this machine does not have, or that is in use."""


class ClockError(IndexerError):
    """The clock of this machine is wrong."""


class DeclinedError(IndexerError):
    """A person was asked for confirmation and did not say yes."""


class RunInterrupt(KeyboardInterrupt):
    """Ctrl-C ended a command that keeps what it did until then; the text says what that is, and what to type next."""


class EngineError(IndexerError):
    """The workers cannot continue."""


class InterruptedRunError(IndexerError):
    """Ctrl-C ended a command that keeps none of its unfinished work: exit code 130."""

    exit_code = 130
