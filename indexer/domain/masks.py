"""Which area of the frames of a camera is ignored."""

from dataclasses import dataclass

Border = tuple[int, int, int, int]
"""Per cent of the width or height: (left, top, right, bottom)."""


Rectangle = tuple[float, float, float, float]
"""Per cent of the width or height: (left, top, width, height)."""


@dataclass(frozen=True)
class Mask:
    """The area that is painted black: a border, any number of rectangles, and a mask image.

    Attributes
    ----------
    border : (left, top, right, bottom), per cent, 0 to 100
    rectangles : of (left, top, width, height), per cent, 0 to 100
    mask_image : bytes or None
        The PNG of an `indexer.imaging.mask_images.MaskImage`, stretched to the frame: black is ignored.
    """

    border: Border
    rectangles: tuple[Rectangle, ...] = ()
    mask_image: bytes | None = None
