"""One watched folder: which files may have arrived in it, by reports of the kernel and by looking.

It promises that what a look finds does not depend on reports. A new folder is listed after its reports began, so that
nothing in it is missed. Files are described as `indexer.files.walking` does. It knows neither which files are complete,
nor what the index has.
"""

import errno
import os
import stat
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass

from indexer.domain.paths import lies_at_or_below
from indexer.files.inotify import Inotify
from indexer.files.reading import os_error_message
from indexer.files.system_folders import find_system_folder, is_system_folder
from indexer.files.walking import Candidate, Skipped, describe_path, list_folder

_NO_MORE_REPORTS = {errno.ENOSPC, errno.ENOMEM}
"""How the kernel refuses to report one more folder; any other error is that of the folder."""


@dataclass
class _KnownFolder:
    """What a folder looked like when it was listed; `is_settled`: and a look later still. A file that is made within
    the resolution of the disk's clock does not change what the folder looks like."""

    mtime_ns: int
    is_settled: bool = False


class WatchedFolder:
    """A folder and all below it. `inotify`: who reports; None if it is only looked at.

    `root`: its real path. `argument_folders`: all folders that a person named. `problem`: why the folder cannot be
    looked at now; None if it can. `unreadable`: the folders below it that could not be read, with the reason.
    """

    def __init__(self, root: str, *, argument_folders: Set[str], inotify: Inotify | None) -> None:
        self.root = root
        self.inotify = inotify
        self.problem: str | None = None
        self.unreadable: dict[str, str] = {}
        self._argument_folders = argument_folders
        self._known: dict[str, _KnownFolder] = {}
        self._identity: tuple[int, int] | None = None

    def owns(self, path: str) -> bool:
        """Whether a directory walk of the folder comes to a path."""
        return lies_at_or_below(path, self.root) and find_system_folder(path, root=self.root) is None

    def check(self) -> bool:
        """Whether another folder is there than at the last look: one that is back, or one of another disk.

        Sets `problem` if the folder is gone or cannot be read.
        """
        try:
            status = os.stat(self.root)
            os.scandir(self.root).close()
            if os.path.realpath(self.root) != self.root:
                raise OSError(errno.ELOOP, "a symbolic link is in its path now")
        except OSError as problem:
            self.problem = os_error_message(problem)
            self._forget()
            return False
        self.problem, identity = None, (status.st_dev, status.st_ino)
        # A folder that was made again may have the number of the one before, which reported that it is gone.
        if self._identity == identity and (self.inotify is None or self.root in self.inotify):
            return False
        self._forget()
        self._identity = identity
        return True

    def walk(self) -> Iterator[Candidate]:
        """All files, with every folder listed. Raises `OSError` if the kernel can report no more folders."""
        self.check()
        self._known.clear()
        self.unreadable.clear()
        yield from self.enter(self.root) if self.problem is None else ()

    def enter(self, folder: str) -> Iterator[Candidate]:
        """All files at and below a folder that may be new. Raises `OSError` as `walk`."""
        pending = [folder]
        while pending:
            found, subfolders = self._list(pending.pop())
            yield from found
            pending.extend(reversed(subfolders))

    def enter_unreadable(self) -> Iterator[Candidate]:
        """All files of the folders that could not be read before, and can be now. Raises `OSError` as `walk`."""
        for folder in list(self.unreadable):
            try:
                _stat_folder(folder)
            except OSError as problem:
                self._note_problem(folder, problem)
            else:
                if os.access(folder, os.R_OK | os.X_OK):
                    yield from self.enter(folder)

    def describe(self, path: str) -> Candidate | None:
        """The file at a path as it is now; None if none is there that a walk finds. If the system does not show what is
        there, its folder is unreadable."""
        described = describe_path(path, root=self.root)
        if isinstance(described, Candidate):
            return described
        if described.is_refused:
            self.unreadable[os.path.dirname(path)] = described.reason
        return None

    def may_enter(self, folder: str) -> bool:
        """Whether a folder that was made is to be walked."""
        return self.owns(folder) and not is_system_folder(os.path.basename(folder))

    def look(self) -> Iterator[Candidate]:
        """The files of the folders that changed since the last look. Raises `OSError` as `walk`."""
        for folder, known in list(self._known.items()):
            if folder not in self._known:
                continue  # it went with the folder that it was in
            try:
                mtime_ns = os.stat(folder, follow_symlinks=False).st_mtime_ns
            except OSError as problem:
                self._note_problem(folder, problem)
                continue
            if mtime_ns == known.mtime_ns and known.is_settled:
                continue
            found, subfolders = self._list(folder)
            if folder in self._known:
                self._known[folder].is_settled = mtime_ns == known.mtime_ns
            yield from found
            for subfolder in subfolders:
                if subfolder not in self._known:
                    yield from self.enter(subfolder)

    def stop_reports(self) -> None:
        """From now on the folder is only looked at."""
        if self.inotify is not None:
            self.inotify.remove_below(self.root)
        self.inotify = None

    def _list(self, folder: str) -> tuple[list[Candidate], tuple[str, ...]]:
        """The files of one folder, and the folders in it; nothing if it is gone or cannot be read."""
        if self.inotify is not None:
            try:
                self.inotify.add(folder)
            except OSError as problem:
                if problem.errno in _NO_MORE_REPORTS:
                    raise
                self._note_problem(folder, problem)
                return [], ()
        try:
            status = _stat_folder(folder)  # before it is listed
            listing = list_folder(folder, root=self.root, argument_folders=self._argument_folders)
        except OSError as problem:
            self._note_problem(folder, problem)
            return [], ()
        self._known[folder] = _KnownFolder(status.st_mtime_ns)
        self.unreadable.pop(folder, None)
        for entry in listing.entries:
            if isinstance(entry, Skipped) and entry.is_refused:
                self.unreadable[folder] = entry.reason
        return [entry for entry in listing.entries if isinstance(entry, Candidate)], listing.subfolders

    def _note_problem(self, folder: str, problem: OSError) -> None:
        """Notes that a folder could not be listed; one that is gone is forgotten, with all below it."""
        for known in (self._known, self.unreadable):
            for path in [path for path in known if lies_at_or_below(path, folder)]:
                del known[path]
        if not isinstance(problem, (FileNotFoundError, NotADirectoryError)):
            self.unreadable[folder] = os_error_message(problem)

    def _forget(self) -> None:
        self._known.clear()
        self.unreadable.clear()
        self._identity = None
        if self.inotify is not None:
            with suppress(OSError):
                self.inotify.remove_below(self.root)


def _stat_folder(folder: str) -> os.stat_result:
    """What the system says of a folder; raises `OSError` if it is gone, or if a file or a link has its place."""
    status = os.stat(folder, follow_symlinks=False)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return status
