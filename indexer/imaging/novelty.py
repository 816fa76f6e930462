"""The gate between a stream of frames and the images that are stored: does a frame show something new?

It promises the rule of `compare` for each pair: the same thumbnails, the same score, the same limit. A frame that it
does not let through has a witness that was stored, and the exact score of the two. It does not know time, files or
spans. Unlike decisions its answers depend on the order of the frames; `compare` decides over what is stored.
"""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Thumbnail, ThumbnailRecipe
from indexer.domain.evidence import ScoringParameters
from indexer.domain.similarity import is_similar
from indexer.imaging.chroma import chroma_planes
from indexer.imaging.matching import evidence_of_pair
from indexer.imaging.preprocessing import is_flat, preprocess, resize_area, thumbnail_height
from indexer.imaging.thumbnails import decode

MEMORY = 32
"""Number of stored images that a frame is compared with. On nine clips, 827 frames: 547 stored, 545 by all images."""

_ONE_STEP_RATIO = 4


@dataclass(frozen=True)
class PreparedFrame:
    """A frame or a stored image as it is compared.

    Attributes
    ----------
    pixels : (planes * H, W), uint8
        Its thumbnail.
    flat : bool
        Whether it shows nothing; such a frame is similar only to one with equal pixels.
    digest : bytes or None
        Of a flat frame: the sha256 of its pixels at native size. None: not known.
    """

    pixels: NDArray[np.uint8]
    flat: bool = False
    digest: bytes | None = None


@dataclass(frozen=True)
class Novelty:
    """What the gate says of a frame: it is new, or a stored image shows the same.

    `witness` is the key of that image and `score` the score of the two; both are None if the frame is new.
    """

    witness: str | None
    score: float | None

    @property
    def is_new(self) -> bool:
        """Whether no image in memory is similar to the frame."""
        return self.witness is None


@dataclass(frozen=True)
class MemoryImage:
    """A stored image that frames are compared with: its path, its thumbnail as PNG, and whether that shows nothing."""

    path: str
    thumbnail: bytes
    flat: bool


class Gate:
    """A memory of the last stored images of one camera, and the frames that none of them is similar to.

    `scoring` must not be native: native images have no thumbnails; raises `ValueError`. `images`: what is in memory at
    first, by paths, oldest first; one whose thumbnail is damaged stands for nothing.
    """

    def __init__(self, scoring: ScoringParameters, *, images: Sequence[MemoryImage] = (), memory: int = MEMORY) -> None:
        if scoring.native:
            raise ValueError("frames are compared by thumbnails, and native scoring has none")
        self._scoring = scoring
        self._stored: deque[str] = deque(maxlen=memory)
        self._by_recency: dict[str, PreparedFrame] = {}  # the most recently matched or stored last

        for image in images:
            with suppress(ValueError):
                self.store(image.path, PreparedFrame(decode(image.thumbnail), image.flat))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the images in memory, in the order in which a frame is compared with them."""
        return tuple(reversed(self._by_recency))

    def store(self, key: str, image: PreparedFrame) -> None:
        """Takes a stored image into the memory; the one that was stored longest ago leaves it if it is full.

        `image` should be made from the stored file, as the image that `compare` will see. Raises `ValueError` if the
        key is in memory.
        """
        if key in self._by_recency:
            raise ValueError(f"image {key!r} is in memory already")
        if len(self._stored) == self._stored.maxlen:
            del self._by_recency[self._stored.popleft()]
        self._stored.append(key)
        self._by_recency[key] = image

    def forget(self, key: str) -> None:
        """Takes an image out of the memory, if it is there: it was removed, and stands for nothing any more."""
        if self._by_recency.pop(key, None) is not None:
            self._stored.remove(key)

    def look(self, frame: PreparedFrame) -> Novelty:
        """Whether a frame shows something new; else the first similar image, by when one was last matched or stored."""
        for key in self.keys:
            score = self._score(frame, self._by_recency[key])
            if score is not None and is_similar(score, max_score=self._scoring.max_score):
                self._by_recency[key] = self._by_recency.pop(key)
                return Novelty(key, score)
        return Novelty(None, None)

    def _score(self, frame: PreparedFrame, image: PreparedFrame) -> float | None:
        """The score of a frame and an image; None if they are not comparable."""
        if frame.pixels.shape != image.pixels.shape:
            return None
        if frame.flat or image.flat:
            equal = frame.digest is not None and frame.digest == image.digest
            return 0.0 if equal else None
        return evidence_of_pair(frame.pixels, image.pixels, scoring=self._scoring).score


class UprightFrame(Protocol):
    """A frame as shown, upright. Without a size, a (height, width), the pixels are the frame's own; with one they are
    averaged by area."""

    @property
    def size(self) -> tuple[int, int]:
        """The (height, width) of the frame."""

    def grey(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """In 8-bit grey: (H, W), uint8."""

    def colour(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """In colour: (H, W, 3), uint8, BGR."""


def prepare_frame(frame: UprightFrame, *, recipe: ThumbnailRecipe) -> PreparedFrame:
    """A frame as its thumbnail would be, made without a file.

    Raises
    ------
    ValueError
        If the recipe has features, which are not made of frames.

    Notes
    -----
    A frame that is much larger than its thumbnail makes its small pixels itself, in one step. They differ by a level or
    two from those of a thumbnail, and most of the time is saved. With a smaller ratio the two averages differ by up to
    18 levels at sharp edges, and the frame is resized as images are.
    """
    if recipe.features is not None:
        raise ValueError("frames have no features")
    height, width = frame.size
    size = thumbnail_height(width=width, height=height, work_width=recipe.work_width), recipe.work_width
    in_one_step = width >= _ONE_STEP_RATIO * recipe.work_width
    grey = frame.grey(size) if in_one_step else resize_area(frame.grey(), size=size)
    planes = [preprocess(grey, contrast=recipe.contrast, mask=recipe.mask)]
    if recipe.chroma:
        colour = frame.colour(size) if in_one_step else resize_area(frame.colour(), size=size)
        planes += chroma_planes(colour, gain=recipe.chroma, mask=recipe.mask)
    flat = all(is_flat(plane, mask=recipe.mask) for plane in planes)
    pixels = planes[0] if len(planes) == 1 else np.vstack(planes)
    return PreparedFrame(pixels, flat, _digest(frame.colour() if recipe.chroma else frame.grey()) if flat else None)


def prepare_stored(thumbnail: Thumbnail, *, frame: PreparedFrame | None = None) -> PreparedFrame:
    """A stored image as it is compared, from its thumbnail; `frame`: what it was made from, if known.

    Raises `ValueError` if the bytes of the thumbnail are no whole PNG.
    """
    return PreparedFrame(decode(thumbnail.data), thumbnail.flat, None if frame is None else frame.digest)


def _digest(pixels: NDArray[np.uint8]) -> bytes:
    return sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
