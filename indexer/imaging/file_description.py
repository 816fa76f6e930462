"""What the bytes of an image file show: decode each reduction once, measure the sharpness, make the thumbnails.

A bad file is a result, never an exception. The module opens no file, and does not know cameras, capture times, nor the
profile of a recipe.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import FileDescription, Levels, Limits, Thumbnail, ThumbnailRecipe
from indexer.errors import IndexerError
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
from indexer.imaging.features import packed
from indexer.imaging.file_end import may_lack_its_end
from indexer.imaging.headers import Header, ImageRefusedError, read_header
from indexer.imaging.malloc import keep_freed_memory
from indexer.imaging.network.execution import make_features, prove
from indexer.imaging.network.graph import INPUT_PX
from indexer.imaging.preprocessing import is_flat, preprocess, resize_area, thumbnail_height
from indexer.imaging.sharpness import MEASURING_WIDTH, sharpness
from indexer.imaging.thumbnails import encode

keep_freed_memory()

_MAX_ASPECT_RATIO = 4
"""A thumbnail may be at most this many times taller than wide."""


def describe_image(
    data: bytes,
    *,
    description: FileDescription,
    recipes: Sequence[ThumbnailRecipe],
    limits: Limits,
    levels: Levels | None,
) -> FileDescription:
    """The description of a file, completed by what its bytes show. Bad bytes give a state and a reason, never an error.

    Parameters
    ----------
    data : bytes
        The whole file.
    description : FileDescription
        The facts of the file: path, size, time, hash.
    recipes : of ThumbnailRecipe
        The thumbnails to make.
    limits : Limits
        Compared with the header before anything is decoded.
    levels : Levels or None
        The scale for values of more than 8 bits.

    Raises
    ------
    EngineError
        If features are to be made, and this process cannot make them.
    """
    _prove_features(recipes)
    try:
        header = read_header(data, limits=limits)
        description = _with_header(description, header)
        widths = (MEASURING_WIDTH, *(recipe.work_width for recipe in recipes))
        image = _Image(data, header=header, widths=widths, levels=levels)
        thumbnails = tuple(image.thumbnail(recipe) for recipe in recipes)
        image_sharpness = image.sharpness()
        return replace(
            _with_header(description, image.header),
            state="ready",
            sharpness=image_sharpness,
            thumbnails=thumbnails,
            may_lack_its_end=may_lack_its_end(data, header=header),
        )
    except IndexerError:  # of this machine, and not of the picture
        raise
    except Exception as problem:
        refused = refusal(problem)
        return replace(_with_header(description, refused.header), state=refused.state, state_reason=refused.reason)


def make_thumbnail(data: bytes, *, recipe: ThumbnailRecipe, limits: Limits) -> Thumbnail:
    """The thumbnail of a file's bytes by one recipe.

    Raises
    ------
    ImageRefusedError
        If the picture cannot be used. Hostile bytes may raise any other exception: pass it to
        `indexer.imaging.decoding.refusal`.
    EngineError
        If features are to be made, and this process cannot make them.
    """
    _prove_features([recipe])
    header = read_header(data, limits=limits)
    return _Image(data, header=header, widths=(recipe.work_width,), levels=recipe.levels).thumbnail(recipe)


def _prove_features(recipes: Sequence[ThumbnailRecipe]) -> None:
    """Loads the network if features are to be made, before a picture takes memory; raises `EngineError` if they differ
    from those of the command."""
    for recipe in recipes:
        if recipe.features is not None:
            prove(recipe.features)


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
        flat = all(is_flat(plane, mask=recipe.mask) for plane in planes)
        if recipe.features is not None:
            planes.append(packed(make_features(self._colour_picture(), mask=recipe.mask), width=recipe.work_width))
        image = np.vstack(planes)
        height, width = image.shape
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

    def _colour_picture(self) -> NDArray[np.uint8]:
        """The picture in colour, as stored at least as wide as the network's input; grey where `levels` applies."""
        if is_scaled(self.header, levels=self._levels):
            return np.repeat(self._grey(INPUT_PX)[:, :, np.newaxis], 3, axis=2)
        by = chroma_reduction(self.header, work_width=INPUT_PX)
        image = decode_colour(self._data, by=by)
        self.header = as_decoded(self.header, shape=(image.shape[0], image.shape[1]), by=by)
        return image

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
