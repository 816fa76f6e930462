"""The options of `ingest` for videos: where their frames go, and which frames are looked at."""

import errno
import math
import os
from typing import TYPE_CHECKING

from indexer.errors import FolderError, UsageError

if TYPE_CHECKING:
    from indexer.workflows.capture.options import VideoOptions


def video_options(
    frames: str | None,
    *,
    database: str,
    every: float | None,
    sample: str | None,
    time_s: float,
    make_folder: bool = True,
) -> "VideoOptions | None":
    """The options, checked; None if no folder for frames was named. With `make_folder` it is made if it is missing.

    `database`: the URL or path of the index. A folder that it has images in is not made anew.

    Raises
    ------
    UsageError
        If they make no sense, or are given without a folder.
    FolderError
        If the folder cannot be used.
    MissingLibraryError
        If the library that reads videos is not installed.
    """
    if frames is None:
        if every is not None or sample is not None:
            name = "--every" if every is not None else "--sample"
            raise UsageError(f"{name} is for videos; add --frames FOLDER, or leave it out")
        return None
    from indexer.domain.videos import Sampling
    from indexer.imaging.video import require_video_library
    from indexer.workflows.capture.options import VideoOptions

    every_s = 1.0 if every is None else every
    if not (math.isfinite(every_s) and 0 < every_s <= 86_400):
        raise UsageError(f"--every is {every_s:g}; give seconds above 0, up to 86400")
    if sample not in {None, *Sampling}:
        raise UsageError(f"--sample is {sample!r}; give auto, keyframes or all")
    require_video_library()
    return VideoOptions(
        _frames_folder(frames, database=database, make=make_folder),
        every_s,
        Sampling(sample or Sampling.AUTO),
        float(time_s),
    )


def _frames_folder(name: str, *, database: str, make: bool) -> str:
    """The real path of the folder for frames; with `make` it exists afterwards."""
    from indexer.files.markers import find_quarantine
    from indexer.files.private import make_folders

    try:
        path = os.path.realpath(name)
        if find_quarantine(path) is not None:
            raise FolderError(f"the folder {name!r} lies in a quarantine; name another folder for frames")
        if make:
            if not os.path.lexists(path) and _has_images(database, path):
                raise FolderError(
                    f"the folder {name!r} does not exist, but the index has images in it; mount its disk, or make the "
                    "folder again"
                )
            make_folders(path)
            os.scandir(path).close()
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "no disk can hold such a name"
        raise FolderError(f"the folder {name!r} cannot hold frames: {reason}; name another one") from None
    return path


def _has_images(database: str, folder: str) -> bool:
    """Whether the index, if there is one, has images below a folder that it holds to be present."""
    from indexer.store import images
    from indexer.store.schema import find_database

    index = find_database(database)
    if index is None:
        return False
    try:
        with index.read() as session:
            return next(images.iter_present_under(session, folder), None) is not None
    finally:
        index.close()
