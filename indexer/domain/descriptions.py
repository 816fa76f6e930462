"""What is known of an image file once its bytes were read: plain values, without pixels.

Thumbnails and previews are bytes here; `indexer.imaging` makes and reads them.
"""

from dataclasses import dataclass
from typing import Literal

from indexer.domain.masks import Mask

RefusalState = Literal["unreadable", "damaged", "too_small"]
"""Why a picture cannot be used; docs/bad-input.md has a table of bad input."""


@dataclass(frozen=True)
class Limits:
    """Which pictures are accepted: the most pixels, the most bytes of a file, and the shortest side in pixels."""

    max_pixels: int = 250_000_000
    max_bytes: int = 512 * 2**20
    min_side_px: int = 64


Levels = tuple[int, int]
"""Of a 16-bit image: the value that becomes black, and the value that becomes white."""


@dataclass(frozen=True)
class FeatureRecipe:
    """Which features are made: the name of the measure, and the digest of the features of its probe pictures.

    A worker whose own digest is another one must not make features: its numbers are not those of the command.
    """

    measure: str
    probes: str


@dataclass(frozen=True)
class ThumbnailRecipe:
    """How a thumbnail is made: the preparation part of a profile, and its digest."""

    digest: str
    work_width: int
    contrast: bool
    mask: Mask
    levels: Levels | None = None
    chroma: int = 0
    features: FeatureRecipe | None = None


@dataclass(frozen=True)
class Thumbnail:
    """A prepared image as PNG, with the digest of its recipe.

    With chroma the image has three planes, one above the other, and `height` is that of all three; with features it has
    rows of them below (`indexer.domain.feature_layout`), and `height` includes these. `flat`: outside the
    mask every plane has a single level, so the image shows nothing.
    """

    digest: str
    height: int
    width: int
    data: bytes
    flat: bool = False


@dataclass(frozen=True)
class FileDescription:
    """The description of one file.

    Attributes
    ----------
    problem : str or None
        Why the file could not be read; then all other fields but the path are None or empty.
    state : 'ready', 'unreadable', 'damaged', 'too_small' or None
        Every state but `ready` has a `state_reason`, no sharpness and no thumbnails.
    width, height : int or None
        As shown, after the EXIF rotation; None without a valid header.
    sharpness : float or None
        As `indexer.imaging.sharpness` measures it, on the image at 320 pixels wide.
    exif_time, exif_offset : str or None
        As the camera wrote them; `indexer.domain.names` makes a time of them.
    thumbnails : tuple of Thumbnail
        In the order of the recipes.
    may_lack_its_end : bool
        Whether a `ready` picture may be one of which the rest was not written yet: its data end in zeros, and its
        decoder does not notice that.
    """

    path: str
    problem: str | None = None
    size_bytes: int | None = None
    mtime_ns: int | None = None
    content_hash: str | None = None
    state: Literal["ready"] | RefusalState | None = None
    state_reason: str | None = None
    width: int | None = None
    height: int | None = None
    sharpness: float | None = None
    exif_time: str | None = None
    exif_offset: str | None = None
    thumbnails: tuple[Thumbnail, ...] = ()
    may_lack_its_end: bool = False


@dataclass(frozen=True)
class Preview:
    """A small picture for people: a JPEG, with its height and width in pixels."""

    height: int
    width: int
    data: bytes
