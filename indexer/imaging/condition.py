"""The condition of one frame: brightness, colour, and how sharp each part of it is.

The measures are plain numbers of one frame; what is a fault is decided by `indexer.domain.advice`, which compares a
camera with itself. The module opens no file.
"""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.measurements import GRID_COLUMNS, GRID_ROWS, Condition
from indexer.imaging.decoding import as_decoded, decode_colour, viewing_reduction
from indexer.imaging.headers import Header
from indexer.imaging.preprocessing import resize_area, thumbnail_height

CONDITION_WIDTH = 640
"""Width of the colour picture that is measured, at most."""
GREY_WIDTH = 320
"""Width of the grey picture that is compared with other frames."""
STRUCTURE_WIDTH = 160
"""Width of the coarse structure."""
_DARK, _BRIGHT = 4, 251
_MAIN_LEVELS = 8
_NOISE_PX = 1.0
_DIGITS = 3  # the last bits of a sum depend on where its numbers lie in memory

Value = TypeVar("Value", np.uint8, np.float32, np.bool_)


def frame_for_condition(data: bytes, header: Header) -> NDArray[np.uint8]:
    """The picture of a file in colour, at most `CONDITION_WIDTH` wide: (H, W, 3), uint8, BGR.

    Parameters
    ----------
    data : bytes
        Of the whole file.
    header : Header
        Of this file.

    Raises
    ------
    ImageRefusedError
        As in ingest. Hostile bytes may raise any other exception: pass it to `indexer.imaging.decoding.refusal`.
    """
    by = viewing_reduction(header, width=CONDITION_WIDTH)
    image = decode_colour(data, by=by)
    as_decoded(header, shape=(image.shape[0], image.shape[1]), by=by)
    return _at_most(image, width=CONDITION_WIDTH)


def measure_condition(image_bgr: NDArray[np.uint8]) -> Condition:
    """The measures of one frame.

    Parameters
    ----------
    image_bgr : (H, W, 3), uint8
        As `frame_for_condition` gives it.
    """
    grey = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    histogram = np.bincount(grey.reshape(-1), minlength=256) / grey.size
    detail, structure = _detail(grey), coarse_structure(grey)
    return Condition(
        brightness=round(float(histogram @ np.arange(256)), _DIGITS),
        high=float(np.searchsorted(np.cumsum(histogram), 0.95)),
        bright_share=float(histogram[_BRIGHT:].sum()),
        dark_share=float(histogram[: _DARK + 1].sum()),
        chroma=_chroma(image_bgr),
        main_share=float(np.convolve(histogram, np.ones(_MAIN_LEVELS), "valid").max()),
        detail=tuple(round(float(cell.var()), _DIGITS) for cell in grid_cells(detail)),
        structure=tuple(round(float(cell.var()), _DIGITS) for cell in grid_cells(structure)),
        bright=tuple(float((cell >= _BRIGHT).mean()) for cell in grid_cells(grey)),
    )


def grey_for_comparison(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame in grey, `GREY_WIDTH` wide: (H, W), uint8."""
    grey = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    height = thumbnail_height(width=grey.shape[1], height=grey.shape[0], work_width=GREY_WIDTH)
    return resize_area(grey, size=(max(height, GRID_ROWS), GREY_WIDTH))


def grid_cells(plane: NDArray[Value]) -> list[NDArray[Value]]:
    """The cells of a plane, (H, W), row by row: GRID_ROWS * GRID_COLUMNS views of about the same size."""
    return [cell for band in np.array_split(plane, GRID_ROWS) for cell in np.array_split(band, GRID_COLUMNS, axis=1)]


def _detail(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The Laplacian of the slightly blurred frame; the blur takes most of the sensor's noise away.

    It is not rounded to whole levels in between: that alone gave a wiped cell a variance of 1.7, as much as weak detail
    has.
    """
    blurred = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _NOISE_PX)
    return np.asarray(cv2.Laplacian(blurred, cv2.CV_32F, ksize=1), dtype=np.float32)


def coarse_structure(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The frame between two blurs, `STRUCTURE_WIDTH` wide: what a lens out of focus still shows.

    Parameters
    ----------
    grey : (H, W), uint8

    Returns
    -------
    (h, STRUCTURE_WIDTH), float32, levels
    """
    size = STRUCTURE_WIDTH, max(round(grey.shape[0] * STRUCTURE_WIDTH / grey.shape[1]), GRID_ROWS)
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1) - cv2.GaussianBlur(small, (0, 0), 3), dtype=np.float32)


def _chroma(image_bgr: NDArray[np.uint8]) -> float:
    """The 99th percentile of the distance from grey, in levels of Cb and Cr.

    The picture is shrunk first: a JPEG keeps colour at half the size, and noise of single pixels is no colour.
    """
    height, width = max(image_bgr.shape[0] // 4, 1), max(image_bgr.shape[1] // 4, 1)
    small = cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA)
    planes = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb), dtype=np.float32)[:, :, 1:] - 128
    return round(float(np.percentile(np.hypot(planes[:, :, 0], planes[:, :, 1]), 99)), _DIGITS)


def _at_most(image: NDArray[np.uint8], *, width: int) -> NDArray[np.uint8]:
    if image.shape[1] <= width:
        return image
    height = thumbnail_height(width=image.shape[1], height=image.shape[0], work_width=width)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
