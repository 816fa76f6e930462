"""One PNG of two pictures beside each other, with the changes outlined on both, and of their difference.

It promises readable captions for any text: OpenCV draws only ASCII, so other characters are written as ASCII, and a
text that is too long loses its middle. It does not know which image is which, nor what the captions mean.
"""

import unicodedata
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Preview
from indexer.imaging.change_regions import BLUE, ORANGE, Changes, Region

PANEL_WIDTH, PANEL_HEIGHT = 480, 720
"""The box in pixels that each picture is fitted into, with its aspect ratio kept."""
_GAP, _LINE_HEIGHT = 12, 22
_BACKGROUND, _TEXT_COLOUR = (24, 24, 24), (235, 235, 235)
_FONT, _FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45
_OUTLINE_PX = 2


@dataclass(frozen=True)
class Captions:
    """The texts above the left picture, the right picture and the difference, and the lines below all three."""

    left: str
    right: str
    difference: str = "the difference: orange counts, blue is too small"
    below: tuple[str, ...] = ()


def side_by_side(left: Preview, right: Preview, *, changes: Changes | None, captions: Captions) -> bytes:
    """A PNG with both pictures beside each other, and their difference at the right.

    Parameters
    ----------
    left, right : Preview
        Of any size and aspect ratio.
    changes : Changes or None
        Of the same two images. None if they cannot be compared: then there is no outline and no difference.
    captions : Captions

    Raises
    ------
    ValueError
        If the bytes of a picture cannot be decoded.
    """
    regions = () if changes is None else changes.regions
    panels = [
        _panel(_outlined(_fitted(_decode_bgr(picture.data)), regions), title)
        for picture, title in ((left, captions.left), (right, captions.right))
    ]
    if changes is not None:
        panels.append(_panel(_fitted(_decode_bgr(changes.difference)), captions.difference))
    canvas = _join_panels(panels)
    for line in captions.below:
        canvas = np.vstack([canvas, _text_line(line, width=canvas.shape[1], left=_GAP)])
    return cv2.imencode(".png", np.vstack([canvas, _blank(_GAP, canvas.shape[1])]))[1].tobytes()


def in_ascii(text: str) -> str:
    """The text in ASCII, which OpenCV can draw: letters lose their accents, other characters become Python escapes."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    plain = bare.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in plain)


def _decode_bgr(data: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("these bytes are not a picture")
    return np.asarray(image, dtype=np.uint8)


def _fitted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture scaled to fit a panel, with its aspect ratio kept."""
    height, width = image.shape[:2]
    scale = min(PANEL_WIDTH / width, PANEL_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(image, size, interpolation=interpolation), dtype=np.uint8
    )  # OpenCV wants (width, height)


def _outlined(image: NDArray[np.uint8], regions: tuple[Region, ...]) -> NDArray[np.uint8]:
    """The picture with the outline of each region, over a wider black line, so that it shows on any background."""
    height, width = image.shape[:2]
    for beneath in (True, False):
        for region in reversed(regions):  # the largest is drawn last, on top
            points = np.rint(np.array(region.points) * (width, height) - 0.5).astype(np.int32)
            colour = (0, 0, 0) if beneath else (ORANGE if region.counts else BLUE)[::-1]
            thickness = (_OUTLINE_PX if region.counts else 1) + 2 * beneath
            cv2.polylines(image, [points], True, colour, thickness, cv2.LINE_AA)
    return image


def _panel(image: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    """A picture centred in the width of a panel, with its title above."""
    height, width = image.shape[:2]
    before = (PANEL_WIDTH - width) // 2
    row = np.hstack([_blank(height, before), image, _blank(height, PANEL_WIDTH - width - before)])
    return np.vstack([_text_line(title, width=PANEL_WIDTH, left=0), row])


def _join_panels(panels: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Panels in a row, aligned at the top, with gaps between them and at both ends."""
    height = max(len(panel) for panel in panels)
    parts = [_blank(height, _GAP)]
    for panel in panels:
        parts += [np.vstack([panel, _blank(height - len(panel), PANEL_WIDTH)]), _blank(height, _GAP)]
    return np.hstack(parts)


def _text_line(text: str, *, width: int, left: int) -> NDArray[np.uint8]:
    """One line of text on the background, `width` pixels wide, with a margin of `left` pixels on both sides."""
    canvas = _blank(_LINE_HEIGHT, width)
    shown = _shortened(in_ascii(text), width - 2 * left)
    cv2.putText(canvas, shown, (left, _LINE_HEIGHT - 7), _FONT, _FONT_SCALE, _TEXT_COLOUR, 1, cv2.LINE_AA)
    return canvas


def _shortened(text: str, max_width_px: int) -> str:
    """The text, with as much of its middle replaced by "..." as is needed to fit into `max_width_px`."""
    shown, length = text, len(text)
    while length and cv2.getTextSize(shown, _FONT, _FONT_SCALE, 1)[0][0] > max_width_px:
        length -= 1
        shown = f"{text[: length // 2]}...{text[len(text) - (length - length // 2) :]}"
    return shown


def _blank(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), _BACKGROUND, dtype=np.uint8)
