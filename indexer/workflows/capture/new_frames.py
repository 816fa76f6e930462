"""A frame that is to be stored, as the worker that saw it hands it over: partial files and a description.

It promises that nothing gets the name of an image here: the process that has the index moves the files.
"""

import hashlib
import os
from dataclasses import dataclass, replace

from indexer.domain.descriptions import FileDescription, Limits, Thumbnail, ThumbnailRecipe
from indexer.domain.spans import FrameTime
from indexer.files.frame_files import write_partial_frame
from indexer.files.reading import os_error_message
from indexer.imaging.file_description import describe_image


@dataclass(frozen=True)
class NewFrame:
    """A frame that is to be stored: its key in spans, its time, the name of its partial file, and its description.

    The PNG of its thumbnail lies in a file of its own, `thumbnail_name`: a long video may have many. `thumbnail` is the
    rest of it.
    """

    key: str
    time: FrameTime
    partial_name: str
    description: FileDescription
    thumbnail: Thumbnail
    thumbnail_name: str


def write_frame(
    data: bytes, time: FrameTime, *, folder: str, number: int, recipe: ThumbnailRecipe, limits: Limits
) -> tuple[NewFrame, Thumbnail]:
    """Writes the JPEG of a frame and its thumbnail to partial files, and returns both as they are known from then on.

    Parameters
    ----------
    number : int
        Of no other frame in the folder.

    Raises
    ------
    ValueError
        If the JPEG cannot be an image of the index.
    OSError
        If the disk refuses.
    """
    name, thumbnail_name = f"{number}.jpg", f"{number}.png"
    mtime_ns = _write(os.path.join(folder, name), data, sync=True)
    described = FileDescription(
        path=name, size_bytes=len(data), mtime_ns=mtime_ns, content_hash=hashlib.sha256(data).hexdigest()
    )
    description = describe_image(data, description=described, recipes=(recipe,), limits=limits, levels=None)
    if not description.thumbnails:
        raise ValueError(f"it cannot be an image: {description.state_reason}")
    thumbnail = description.thumbnails[0]
    _write(os.path.join(folder, thumbnail_name), thumbnail.data, sync=False)
    rest = replace(thumbnail, data=b"")
    frame = NewFrame(f"frame {number}", time, name, replace(description, thumbnails=()), rest, thumbnail_name)
    return frame, thumbnail


def _write(path: str, data: bytes, *, sync: bool) -> int:
    """Writes a partial file, and returns its modification time in nanoseconds; raises `OSError`."""
    try:
        return write_partial_frame(path, data, sync=sync)
    except OSError as problem:
        raise OSError(problem.errno, f"a frame of it cannot be written: {os_error_message(problem)}") from problem
