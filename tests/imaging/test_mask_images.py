"""Drawings: what is dark is ignored, however the PNG was saved; bad files are refused for what they are."""

import hashlib
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from indexer.imaging import mask_images
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.mask_images import (
    MAX_SIDE_PX,
    MaskImage,
    decode_mask_image,
    ignored_pixels,
    resampled,
)

SIDES = st.integers(1, 90)
DRAWINGS = arrays.arrays(np.bool_, st.tuples(SIDES, SIDES))


def levels(ignored: np.ndarray) -> np.ndarray:
    """Black where it is ignored, white elsewhere."""
    return np.where(ignored, 0, 255).astype(np.uint8)


def saved(image: Image.Image, **how: object) -> bytes:
    """A picture as Pillow saves it."""
    file = io.BytesIO()
    image.save(file, "PNG", **how)
    return file.getvalue()


def in_many_ways(ignored: np.ndarray) -> dict[str, bytes]:
    """One drawing, saved by different programs in different kinds of PNG."""
    grey = levels(ignored)
    opaque = Image.fromarray(np.dstack([grey] * 3))
    layer = Image.fromarray(np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey]))
    deep = (grey.astype(np.uint16) * 257) ^ 3  # not quite black, not quite white
    return {
        "grey by OpenCV": cv2.imencode(".png", grey)[1].tobytes(),
        "colour by OpenCV, hardly deflated": cv2.imencode(".png", np.dstack([grey] * 3), [16, 1])[1].tobytes(),
        "16 bits": cv2.imencode(".png", deep)[1].tobytes(),
        "16 bits, colour": cv2.imencode(".png", np.dstack([deep] * 3))[1].tobytes(),
        "grey by Pillow": saved(Image.fromarray(grey), compress_level=9),
        "one bit": saved(Image.fromarray(grey).convert("1")),
        "colour with text": saved(opaque, dpi=(72, 72)),
        "palette": saved(opaque.convert("P")),
        "opaque": saved(opaque.convert("RGBA")),
        "black on a transparent layer": saved(layer),
        "grey with opacity": saved(layer.convert("LA")),
    }


@given(DRAWINGS)
@settings(deadline=None, max_examples=30)
def test_the_same_drawing_is_the_same_bytes(ignored: np.ndarray) -> None:
    """Whatever program and kind of PNG, the drawing is kept as the same bytes, and these say what was drawn."""
    found = {manner: decode_mask_image(data) for manner, data in in_many_ways(ignored).items()}
    height, width = ignored.shape
    [kept] = set(found.values())
    assert kept == MaskImage(width, height, int(ignored.sum()), kept.png)
    assert np.array_equal(ignored_pixels(kept.png), ignored)
    assert decode_mask_image(kept.png) == kept
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(kept.png))), ~ignored)


def test_kept_bytes_never_change() -> None:
    """A drawing has the bytes that it had on every OpenCV and zlib: a profile made anywhere has the same digest."""
    row, column = np.mgrid[0:1080, 0:1920]
    data = cv2.imencode(".png", levels((row * row + column * column * 3) % 997 < 400))[1].tobytes()
    kept = decode_mask_image(data)
    assert (kept.width, kept.height, kept.ignored_px, len(kept.png)) == (640, 360, 92860, 29228)
    assert hashlib.sha256(kept.png).hexdigest() == "c91c4d2cda721cf5aef2816fd9f864010eae4d732425a3cff92642a29d3936e7"


@pytest.mark.parametrize(
    ("colour", "ignored"),
    [
        ((0, 0, 0, 255), True),
        ((127, 127, 127, 255), True),
        ((128, 128, 128, 255), False),
        ((255, 0, 0, 255), True),
        ((255, 255, 0, 255), False),
        ((0, 0, 0, 0), False),
        ((0, 0, 0, 127), False),
        ((0, 0, 0, 128), True),
        ((255, 0, 0, 128), False),
        ((255, 255, 255, 255), False),
    ],
)
def test_what_is_dark_on_white_paper_is_ignored(colour: tuple[int, int, int, int], ignored: bool) -> None:
    """Red, green, blue and opacity: below middle grey is ignored, half a colour counts half."""
    assert ignored_pixels(saved(Image.new("RGBA", (3, 2), colour))).tolist() == [[ignored] * 3] * 2


def test_a_transparent_colour_of_a_palette_is_paper() -> None:
    """A palette with a transparent entry is a layer as well."""
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 0, 0, 0])
    image.putpixel((1, 0), 1)
    assert ignored_pixels(saved(image, transparency=1)).tolist() == [[True, False]]


@given(st.integers(1, 30), st.integers(1, 30), DRAWINGS)
def test_resampling_takes_the_pixel_under_the_centre(height: int, width: int, ignored: np.ndarray) -> None:
    """Each new pixel is the old one that its centre falls on; the same size is the same drawing."""
    found = resampled(ignored, height=height, width=width)
    rows = [int((row + 0.5) * ignored.shape[0] / height + 1e-9) for row in range(height)]
    columns = [int((column + 0.5) * ignored.shape[1] / width + 1e-9) for column in range(width)]
    assert np.array_equal(found, ignored[np.ix_(rows, columns)])
    assert np.array_equal(resampled(ignored, height=ignored.shape[0], width=ignored.shape[1]), ignored)


@pytest.mark.parametrize(
    ("size", "kept"),
    [((640, 640), (640, 640)), ((642, 1), (640, 1)), ((4000, 3000), (640, 480)), ((20, 2000), (6, 640))],
)
def test_a_large_drawing_is_shrunk(size: tuple[int, int], kept: tuple[int, int]) -> None:
    """No side is kept with more than 640 pixels, and half a drawing stays half; both sizes are (width, height)."""
    image = Image.new("L", size, 255)
    image.paste(0, (0, 0, size[0] // 2, size[1]))
    found = decode_mask_image(saved(image))
    assert (found.width, found.height) == kept
    assert found.ignored_px == kept[0] // 2 * kept[1]
    assert len(found.png) <= MAX_SIDE_PX * (1 + MAX_SIDE_PX // 8) + 100


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it is this large and holds nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


GOOD = saved(Image.new("L", (40, 30), 0))
BAD = {
    "empty": (b"", "the file is empty"),
    "text": (b"not a picture at all", "no valid image header"),
    "JPEG": (cv2.imencode(".jpg", np.zeros((30, 40), np.uint8))[1].tobytes(), "it is a JPEG, not a PNG"),
    "BMP": (cv2.imencode(".bmp", np.zeros((30, 40), np.uint8))[1].tobytes(), "it is a BMP, not a PNG"),
    "cut": (GOOD[:-30], "decoder"),
    "header alone": (GOOD[:40], "decoder"),
    "huge": (png_of(2**31 - 1, 2**31 - 1), "are more than the limit of 40000000"),
    "wide": (png_of(40_000_001, 1), "are more than the limit of 40000000"),
    "of no width": (png_of(0, 5), "no valid image header"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_is_refused(kind: str) -> None:
    """What is no PNG, not a whole one or too large is refused with the reason, before it takes any memory."""
    data, why = BAD[kind]
    with pytest.raises(ImageRefusedError) as caught:
        decode_mask_image(data)
    assert why in caught.value.reason


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawing has no more bytes than its limit."""
    monkeypatch.setattr(mask_images, "LIMITS", mask_images.Limits(max_bytes=len(GOOD) - 1, min_side_px=1))
    with pytest.raises(ImageRefusedError, match=f"{len(GOOD)} bytes are more than the limit of {len(GOOD) - 1}"):
        decode_mask_image(GOOD)
