"""The work on one image file in a worker: read the bytes once, hash them, and make of them what is asked for.

Tasks and results are frozen dataclasses of plain values; they are sent to worker processes and to cluster workers. A
bad file is a result, never an exception. The module does not know cameras, capture times, databases, nor the profile
of a recipe.
"""

import errno
import os
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import FileDescription, Levels, Limits, Preview, Thumbnail, ThumbnailRecipe
from indexer.domain.masks import Mask
from indexer.errors import IndexerError
from indexer.files.reading import FileContents, os_error_message, read_file
from indexer.imaging.decoding import refusal
from indexer.imaging.file_description import describe_image, make_thumbnail
from indexer.imaging.headers import ImageRefusedError, read_header
from indexer.imaging.original_profile import preprocess_native
from indexer.imaging.previews import PREVIEW_WIDTH, make_preview


@dataclass(frozen=True)
class DescribeTask:
    """One file to describe, the recipes of the thumbnails to make, and the scale for values of more than 8 bits."""

    path: str
    recipes: tuple[ThumbnailRecipe, ...]
    limits: Limits
    levels: Levels | None = None


@dataclass(frozen=True)
class ThumbnailTask:
    """An indexed image whose thumbnail for one recipe is missing."""

    image_id: int
    path: str
    content_hash: str
    recipe: ThumbnailRecipe
    limits: Limits


@dataclass(frozen=True)
class ThumbnailResult:
    """The thumbnail of one image, or the problem that prevented it."""

    image_id: int
    thumbnail: Thumbnail | None
    problem: str | None


@dataclass(frozen=True)
class PreviewTask:
    """An indexed image whose preview is to be made from its file."""

    path: str
    content_hash: str
    limits: Limits
    width: int = PREVIEW_WIDTH


@dataclass(frozen=True)
class PreviewResult:
    """The preview of one image, or the problem that prevented it."""

    preview: Preview | None
    problem: str | None


def describe_file(task: DescribeTask) -> FileDescription:
    """The description of one file for ingest; never raises because of the file's content.

    Raises `EngineError` if features are to be made, and this process cannot make them.
    """
    try:
        file = read_file(task.path, max_bytes=task.limits.max_bytes)
    except OSError as problem:
        return FileDescription(path=task.path, problem=os_error_message(problem))
    description = FileDescription(
        path=task.path, size_bytes=file.size_bytes, mtime_ns=file.mtime_ns, content_hash=file.content_hash
    )
    if file.data is None:
        return replace(description, state="unreadable", state_reason=_too_large(file, limits=task.limits))
    return describe_image(
        file.data, description=description, recipes=task.recipes, limits=task.limits, levels=task.levels
    )


def describe_unreadable(task: DescribeTask, *, reason: str) -> FileDescription:
    """The description of a file whose worker was lost: its bytes are hashed and never decoded.

    A file above the limit of bytes gives only a `problem`: reading it may have been what took too long, and here no
    time limit applies.
    """
    try:
        size_bytes = os.stat(task.path, follow_symlinks=False).st_size
        if size_bytes > task.limits.max_bytes:
            return FileDescription(
                path=task.path, problem=f"{reason}, and its {size_bytes} bytes are too many to read again"
            )
        file = read_file(task.path, max_bytes=0)
    except OSError as problem:
        return FileDescription(path=task.path, problem=os_error_message(problem))
    return FileDescription(
        path=task.path,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        content_hash=file.content_hash,
        state="unreadable",
        state_reason=reason,
    )


def recreate_thumbnail(task: ThumbnailTask) -> ThumbnailResult:
    """The thumbnail of an indexed image, made from its file if the file still has the indexed content.

    Never raises because of the file's content: a problem is part of the result. Raises `EngineError` if features are to
    be made, and this process cannot make them.
    """
    try:
        data = read_indexed(task.path, content_hash=task.content_hash, limits=task.limits)
        thumbnail = make_thumbnail(data, recipe=task.recipe, limits=task.limits)
        return ThumbnailResult(task.image_id, thumbnail, None)
    except OSError as problem:
        return ThumbnailResult(task.image_id, None, os_error_message(problem))
    except IndexerError:  # of this machine, and not of the file
        raise
    except Exception as problem:
        return ThumbnailResult(task.image_id, None, str(refusal(problem)))


def load_preview(task: PreviewTask) -> PreviewResult:
    """The preview of an indexed image, if its file still has the indexed content.

    Never raises because of the file's content: a problem is part of the result.
    """
    try:
        data = read_indexed(task.path, content_hash=task.content_hash, limits=task.limits)
        return PreviewResult(make_preview(data, limits=task.limits, width=task.width), None)
    except OSError as problem:
        return PreviewResult(None, os_error_message(problem))
    except Exception as problem:
        return PreviewResult(None, str(refusal(problem)))


def read_native(
    path: str, *, content_hash: str, mask: Mask, limits: Limits, levels: Levels | None = None
) -> NDArray[np.uint8]:
    """The image of a file for the profile `original`: (H, W), uint8, at native size.

    Raises
    ------
    OSError
        If the file cannot be read or no longer has the indexed content; its `strerror` says which.
    ImageRefusedError
        If the picture cannot be used.
    """
    data = read_indexed(path, content_hash=content_hash, limits=limits)
    try:
        return preprocess_native(data, mask=mask, header=read_header(data, limits=limits), levels=levels)
    except Exception as problem:
        raise refusal(problem) from problem


def read_indexed(path: str, *, content_hash: str, limits: Limits) -> bytes:
    """The bytes of a file, if they still have the indexed hash.

    Raises
    ------
    OSError
        If the file cannot be read or no longer has the indexed content; its `strerror` says which.
    ImageRefusedError
        If it has more bytes than the limit.
    """
    file = read_file(path, max_bytes=limits.max_bytes)
    if file.content_hash != content_hash:
        raise OSError(errno.ESTALE, "the file is not what was indexed", path)
    if file.data is None:
        raise ImageRefusedError("unreadable", _too_large(file, limits=limits))
    return file.data


def _too_large(file: FileContents, *, limits: Limits) -> str:
    return f"{file.size_bytes} bytes are more than the limit of {limits.max_bytes}"
