"""The work on one file in a worker: read the bytes once, hash, decode, measure the sharpness, make the thumbnails.

Tasks and results are frozen dataclasses of plain values; they are sent to worker processes and to cluster workers. A
bad file is a result, never an exception. The module does not know cameras, capture times, databases, nor the profile
of a recipe.
"""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import FileDescription, Levels, Limits, Thumbnail, ThumbnailRecipe
from indexer.domain.masks import Mask
from indexer.imaging.chroma import chroma_planes, no_chroma
from indexer.imaging.decoding import (
    as_decoded,
    chroma_reduction,
    decode_colour,
    decode_deep,
    decode_grey,
    is_scaled,
    reduction,
    refusal,
)
from indexer.imaging.headers import Header, ImageRefusedError, read_header
from indexer.imaging.malloc import keep_freed_memory
from indexer.imaging.original_profile import preprocess_native
from indexer.imaging.preprocessing import is_flat, preprocess, resize_area, thumbnail_height
from indexer.imaging.sharpness import MEASURING_WIDTH, sharpness
from indexer.imaging.thumbnails import encode

keep_freed_memory()

_MAX_ASPECT_RATIO = 4
"""A thumbnail may be at most this many times taller than wide."""
_OPEN_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_PIECE_BYTES = 2**20


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
class _File:
    size_bytes: int
    mtime_ns: int
    content_hash: str
    data: bytes | None  # None: larger than the limit, so it was hashed in pieces and not kept


def describe_file(task: DescribeTask) -> FileDescription:
    """The description of one file for ingest; never raises because of the file's content."""
    try:
        file = _read_file(task.path, max_bytes=task.limits.max_bytes)
    except OSError as problem:
        return FileDescription(path=task.path, problem=os_error_message(problem))
    description = FileDescription(
        path=task.path, size_bytes=file.size_bytes, mtime_ns=file.mtime_ns, content_hash=file.content_hash
    )
    try:
        data = _require_data(file, limits=task.limits)
        header = read_header(data, limits=task.limits)
        description = _with_header(description, header)
        widths = (MEASURING_WIDTH, *(recipe.work_width for recipe in task.recipes))
        image = _Image(data, header=header, widths=widths, levels=task.levels)
        thumbnails = tuple(image.thumbnail(recipe) for recipe in task.recipes)
        image_sharpness = image.sharpness()
        return replace(
            _with_header(description, image.header), state="ready", sharpness=image_sharpness, thumbnails=thumbnails
        )
    except Exception as problem:
        refused = refusal(problem)
        return replace(_with_header(description, refused.header), state=refused.state, state_reason=refused.reason)


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
        file = _read_file(task.path, max_bytes=0)
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

    Never raises because of the file's content: a problem is part of the result.
    """
    try:
        data = read_indexed(task.path, content_hash=task.content_hash, limits=task.limits)
        header = read_header(data, limits=task.limits)
        image = _Image(data, header=header, widths=(task.recipe.work_width,), levels=task.recipe.levels)
        return ThumbnailResult(task.image_id, image.thumbnail(task.recipe), None)
    except OSError as problem:
        return ThumbnailResult(task.image_id, None, os_error_message(problem))
    except Exception as problem:
        return ThumbnailResult(task.image_id, None, str(refusal(problem)))


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
    return preprocess_native(data, mask=mask, header=read_header(data, limits=limits), levels=levels)


def read_indexed(path: str, *, content_hash: str, limits: Limits) -> bytes:
    """The bytes of a file, if they still have the indexed hash.

    Raises
    ------
    OSError
        If the file cannot be read or no longer has the indexed content; its `strerror` says which.
    ImageRefusedError
        If it has more bytes than the limit.
    """
    file = _read_file(path, max_bytes=limits.max_bytes)
    if file.content_hash != content_hash:
        raise OSError(errno.ESTALE, "the file is not what was indexed", path)
    return _require_data(file, limits=limits)


def os_error_message(problem: OSError) -> str:
    """The message of an error with a file, without its path."""
    return problem.strerror or str(problem)


class _Image:
    """One picture at several widths: each reduction is decoded once, each width is resized once."""

    def __init__(self, data: bytes, *, header: Header, widths: tuple[int, ...], levels: Levels | None) -> None:
        # Before anything is allocated. `resized` checks again, as decoding may change the orientation in the header.
        for work_width in widths:
            _thumbnail_size(header, work_width=work_width)
        self.header = header
        self._data = data
        self._levels = levels
        self._decoded: dict[int, NDArray[np.uint8]] = {}
        self._resized: dict[int, NDArray[np.uint8]] = {}

    def resized(self, work_width: int) -> NDArray[np.uint8]:
        if work_width not in self._resized:
            image = self._grey(work_width)
            self._resized[work_width] = resize_area(image, size=_thumbnail_size(self.header, work_width=work_width))
        return self._resized[work_width]

    def thumbnail(self, recipe: ThumbnailRecipe) -> Thumbnail:
        planes = [preprocess(self.resized(recipe.work_width), contrast=recipe.contrast, mask=recipe.mask)]
        if recipe.chroma:
            planes += self._chroma(recipe)
        image = np.vstack(planes)
        height, width = image.shape
        flat = all(is_flat(plane, mask=recipe.mask) for plane in planes)
        return Thumbnail(digest=recipe.digest, height=height, width=width, data=encode(image), flat=flat)

    def sharpness(self) -> float:
        """The sharpness, independent of `levels`: where they apply, it is measured on the stored 16-bit values."""
        if not is_scaled(self.header, levels=self._levels):
            return sharpness(self.resized(MEASURING_WIDTH))
        size = _thumbnail_size(self.header, work_width=MEASURING_WIDTH)
        return sharpness(resize_area(decode_deep(self._data), size=size))

    def _chroma(self, recipe: ThumbnailRecipe) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The colour planes. They are neutral where `levels` applies, because a scale gives grey only."""
        size = _thumbnail_size(self.header, work_width=recipe.work_width)
        if is_scaled(self.header, levels=self._levels):
            return no_chroma(size, mask=recipe.mask)
        by = chroma_reduction(self.header, work_width=recipe.work_width)
        image = decode_colour(self._data, by=by)
        self.header = as_decoded(self.header, shape=(image.shape[0], image.shape[1]), by=by)
        return chroma_planes(resize_area(image, size=size), gain=recipe.chroma, mask=recipe.mask)

    def _grey(self, work_width: int) -> NDArray[np.uint8]:
        by = reduction(self.header, work_width=work_width)
        if by not in self._decoded:
            image = decode_grey(self._data, header=self.header, work_width=work_width, levels=self._levels)
            self.header = as_decoded(self.header, shape=(image.shape[0], image.shape[1]), by=by)
            self._decoded[by] = image
        return self._decoded[by]


def _thumbnail_size(header: Header, *, work_width: int) -> tuple[int, int]:
    height = thumbnail_height(width=header.width, height=header.height, work_width=work_width)
    if height > _MAX_ASPECT_RATIO * work_width:
        reason = f"{header.width} x {header.height} pixels: a thumbnail {work_width} wide would be {height} tall"
        raise ImageRefusedError("unreadable", reason, header=header)
    return height, work_width


def _with_header(description: FileDescription, header: Header | None) -> FileDescription:
    if header is None:
        return description
    return replace(
        description,
        width=header.width,
        height=header.height,
        exif_time=header.exif_time,
        exif_offset=header.exif_offset,
    )


def _read_file(path: str, *, max_bytes: int) -> _File:
    """The file's bytes, hash, size and modification time.

    Raises
    ------
    OSError
        If the file cannot be read, is not a regular file, or changes while it is read.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as problem:
        if problem.errno == errno.ELOOP:  # O_NOFOLLOW: the last part of the path is a link
            raise OSError(errno.ELOOP, "not a regular file", path) from problem
        raise
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        digest, pieces, read_bytes = hashlib.sha256(), [], 0
        while read_bytes <= before.st_size and (piece := os.read(descriptor, _PIECE_BYTES)):
            digest.update(piece)
            read_bytes += len(piece)
            if before.st_size <= max_bytes:
                pieces.append(piece)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns, read_bytes) != (after.st_size, after.st_mtime_ns, before.st_size):
        raise OSError(errno.EBUSY, "the file changed while it was read", path)
    data = b"".join(pieces) if before.st_size <= max_bytes else None
    return _File(before.st_size, before.st_mtime_ns, digest.hexdigest(), data)


def _require_data(file: _File, *, limits: Limits) -> bytes:
    if file.data is None:
        reason = f"{file.size_bytes} bytes are more than the limit of {limits.max_bytes}"
        raise ImageRefusedError("unreadable", reason)
    return file.data
