"""The usual rules on pictures of cameras, beside which those of `advise` are measured: one limit for all cameras.

- One phase correlation of the edges of a frame with those of the camera's median frame.
- The limits of cleanvision 0.3.7 on dark, light, blurry and plain pictures, written again from its source: it needs
  pandas and the data sets of Hugging Face.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageStat

MIN_SHIFT_PX = 1.5  # of a frame 320 wide, as in indexer.domain.advice.view
_BLUR_WIDTH = 64
_LIMITS = {"dark": 0.32, "light": 0.05, "blurry": 0.29, "low information": 0.3}
_COLOUR_THRESHOLD = 0.18


def shifts_px(greys: Sequence[NDArray[np.uint8]]) -> list[float]:
    """How far each grey frame, (H, W), uint8, of one shape, is from the median of all, in pixels."""
    edges = [_edges(grey) for grey in greys]
    median = np.median(edges, axis=0).astype(np.float32)
    window = cv2.createHanningWindow((median.shape[1], median.shape[0]), cv2.CV_32F)
    return [float(np.hypot(*cv2.phaseCorrelate(median, one, window)[0])) for one in edges]


def _edges(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, down), dtype=np.float32)


def issues(picture_bgr: NDArray[np.uint8]) -> set[str]:
    """What cleanvision calls wrong with a picture, (H, W, 3), uint8."""
    red, green, blue = (picture_bgr[:, :, channel].astype(np.float64) for channel in (2, 1, 0))
    brightness = np.sqrt(0.241 * red**2 + 0.691 * green**2 + 0.068 * blue**2) / 255
    low, high = np.percentile(brightness, [5, 99])
    image = Image.fromarray(cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2RGB))
    scores = {
        "dark": float(high),
        "light": 1 - float(low),
        "blurry": _blur_score(image),
        "low information": min(0.1 * image.entropy(), 1),
    }
    return {name for name, score in scores.items() if score < _LIMITS[name]}


def _blur_score(image: Image.Image) -> float:
    ratio = max(image.size) / _BLUR_WIDTH
    small = image.resize((max(int(image.width // ratio), 1), max(int(image.height // ratio), 1))).convert("L")
    edges = np.sqrt(ImageStat.Stat(small.filter(ImageFilter.FIND_EDGES)).var[0])
    spread = 1 - np.exp(-0.01 * np.std(small.histogram()))
    return float(min(1 - np.exp(-0.01 * edges) + (spread if spread > _COLOUR_THRESHOLD else 0), 1))
