"""The folder in which the frames of one run are written before they are moved to their paths.

It lies below the folder of frames, on the same disk, with a lock that ends with the process, and has a folder for each
attempt to read a video. Promise: frames in it were never recorded in an index, so what a killed run left is deleted by
the next run, and never taken for an image. A worker also writes there how far it is, for the case that it crashes.
"""

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from indexer.files.folder_lock import LOCK_NAME, lock_folders
from indexer.files.private import create_file, make_folder, make_folders

PARTIAL_FOLDER = ".indexer-partial"
"""Below the folder of frames; its name begins with a dot, so that no walk enters it."""
_ABANDONED_S = 7 * 86_400.0  # where locks do not reach other hosts
_ATTEMPTS = 100


@contextmanager
def partial_folder(frames_folder: str) -> Iterator[str]:
    """A new empty folder for frames, which is deleted at the end of the block with all that is in it.

    Raises `OSError` if the disk refuses.
    """
    parent = os.path.join(frames_folder, PARTIAL_FOLDER)
    try:
        with _locked_new_folder(parent, secrets.token_hex(8)) as folder:
            try:
                yield folder
            finally:
                _discard(folder)
    finally:
        _remove_if_unused(parent)


def _remove_if_unused(parent: str) -> None:
    """Removes the folder of all runs, if no other run is at work."""
    with suppress(OSError), lock_folders([parent]):
        if os.listdir(parent) == [LOCK_NAME]:
            os.unlink(os.path.join(parent, LOCK_NAME))
            os.rmdir(parent)


class PartialFolders:
    """The partial folder of a run that lasts for weeks: `current` makes a new one if somebody deleted it.

    Its contexts end with `stack`. Raises `OSError` if the disk refuses.
    """

    def __init__(self, frames_folder: str, stack: ExitStack) -> None:
        self._frames_folder, self._stack = frames_folder, stack
        self._device = os.stat(frames_folder).st_dev
        self._path = stack.enter_context(partial_folder(frames_folder))

    def current(self) -> str:
        """The folder. Raises `OSError` if it is gone and none can be made, as where its disk is away."""
        if not os.path.isdir(self._path):
            if os.stat(self._frames_folder).st_dev != self._device:
                raise OSError(errno.ENODEV, "the disk of the folder for frames is away", self._frames_folder)
            self._path = self._stack.enter_context(partial_folder(self._frames_folder))
        return self._path

    def show_at_work(self) -> None:
        """Shows that the run is at work, also to hosts that do not see its lock."""
        with suppress(OSError):
            os.utime(self._path)


def make_attempt_folder(partial: str, number: int) -> str:
    """A new empty folder for one attempt to read a video. Raises `OSError` if the disk refuses."""
    folder = os.path.join(partial, str(number))
    make_folder(folder)
    return folder


def discard_attempt_folder(folder: str) -> None:
    """Deletes the folder of an attempt with what is left in it."""
    _discard(folder)


class ProgressFile:
    """A number in a file that outlives the process which wrote it; it is not synced, as no power failure matters.

    Raises `OSError` if the disk refuses.
    """

    def __init__(self, folder: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(_progress_path(folder))  # of the same attempt on a worker that was lost
        self._descriptor = create_file(_progress_path(folder))

    def write(self, number: int) -> None:
        """Replaces the number, which is at least 0."""
        os.pwrite(self._descriptor, b"%20d" % number, 0)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


def find_progress(folder: str) -> int | None:
    """The last number that a `ProgressFile` in this folder got; None if there is none."""
    try:
        with open(_progress_path(folder), "rb") as file:  # noqa: PTH123
            return int(file.read())
    except (OSError, ValueError):
        return None


def _progress_path(folder: str) -> str:
    return os.path.join(folder, "progress")


@contextmanager
def _locked_new_folder(parent: str, name: str) -> Iterator[str]:
    folder = os.path.join(parent, name)
    for attempt in range(_ATTEMPTS):
        make_folders(parent)
        try:
            with lock_folders([parent]) as locks:
                locks.require()
                with os.scandir(parent) as entries:
                    others = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
                for other in others:
                    _discard_abandoned(other)
                make_folder(folder)
                lock = lock_folders([folder])
                lock.__enter__()
        except FileNotFoundError:  # another run removed the empty parent meanwhile
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        break
    try:
        yield folder
    finally:
        lock.__exit__(None, None, None)


def _discard_abandoned(folder: str) -> None:
    """Deletes the folder of a run that is not at work any more."""
    with suppress(OSError), lock_folders([folder], timeout_s=0) as locks:
        if locks.exclusive or time.time() - os.stat(folder).st_mtime > _ABANDONED_S:
            _discard(folder)


def _discard(folder: str) -> None:
    """Deletes a folder of frames that were not moved, as far as the disk allows."""
    shutil.rmtree(folder, ignore_errors=True)
