"""The folder in which the frames of one run are written before they are moved to their paths.

It lies below the folder of frames, on the same disk, with a lock that ends with the process. Promise: frames in it were
never recorded in an index, so what a killed run left is deleted by the next run, and never taken for an image.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from indexer.files.folder_lock import LOCK_NAME, lock_folders
from indexer.files.private import make_folder, make_folders

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
    name = secrets.token_hex(8)
    with _locked_new_folder(parent, name) as folder:
        try:
            yield folder
        finally:
            _discard(folder)
    with suppress(OSError), lock_folders([parent]):
        if os.listdir(parent) == [LOCK_NAME]:
            os.unlink(os.path.join(parent, LOCK_NAME))
            os.rmdir(parent)


@contextmanager
def _locked_new_folder(parent: str, name: str) -> Iterator[str]:
    folder = os.path.join(parent, name)
    for attempt in range(_ATTEMPTS):
        make_folders(parent)
        try:
            with lock_folders([parent]) as locks:
                locks.require()
                for other in os.scandir(parent):
                    if other.is_dir(follow_symlinks=False):
                        _discard_abandoned(other.path)
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
    """Deletes a folder of frames that were not moved."""
    with suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
