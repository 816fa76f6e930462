"""Thumbnails: what goes in comes out, any tool can show it, and nothing spoiled is taken for one."""

import io
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from indexer.imaging.thumbnails import decode, encode

SHAPES = st.one_of(
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=40),
    st.sampled_from([(1, 1), (1, 300), (300, 1), (257, 3), (255, 2), (256, 5), (180, 320), (181, 319), (1280, 17)]),
)
IMAGES = arrays.arrays(np.uint8, SHAPES)
SCENE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (20, 31), np.uint8), (5, 5), 0)
OPENCV_RLE = (cv2.IMWRITE_PNG_COMPRESSION, 3, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
OPENCV_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def by_opencv(image: np.ndarray, options: tuple[int, ...]) -> bytes:
    """The image as PNG, as OpenCV writes it."""
    return cv2.imencode(".png", image, options)[1].tobytes()


def by_pillow(image: np.ndarray, **options: object) -> bytes:
    """The image as PNG, as Pillow writes it."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png", **options)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG, with its right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def by_hand(*, height: int, width: int, body: bytes, form: bytes = b"\x08\0\0\0\0") -> bytes:
    """A PNG that says and holds whatever is asked for, with right checksums."""
    header = struct.pack(">II", width, height) + form
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@given(IMAGES)
@settings(deadline=None)
def test_a_thumbnail_comes_back_to_the_bit(image_grey: np.ndarray) -> None:
    """Any grey image survives as PNG, from one pixel up."""
    back = decode(encode(image_grey))
    assert np.array_equal(back, image_grey)
    assert back.dtype == np.uint8


@given(IMAGES)
@settings(deadline=None)
def test_any_tool_shows_the_same_image(image_grey: np.ndarray) -> None:
    """OpenCV and Pillow read what is written here, to the bit, and see eight bits of grey."""
    data = encode(image_grey)
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), image_grey)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), image_grey)


@pytest.mark.parametrize("arranged", [np.asfortranarray, np.flipud, lambda image: np.repeat(image, 2, axis=1)[:, ::2]])
def test_the_order_of_the_pixels_in_memory_does_not_matter(arranged: Callable[[np.ndarray], np.ndarray]) -> None:
    """A view that is not one block of rows is written like its copy, and is left as it was."""
    view = arranged(SCENE.copy())
    before = np.ascontiguousarray(view)
    assert encode(view) == encode(before)
    assert np.array_equal(view, before)


@given(IMAGES)
@settings(deadline=None)
def test_what_other_tools_wrote_is_read(image_grey: np.ndarray) -> None:
    """A grey PNG of any other encoder (earlier thumbnails are OpenCV's) gives the same image."""
    written = [by_opencv(image_grey, OPENCV_RLE), by_opencv(image_grey, OPENCV_FAST), by_pillow(image_grey, dpi=(9, 9))]
    assert all(np.array_equal(decode(data), image_grey) for data in written)


def test_the_own_form_does_not_need_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `encode` writes takes the fast way, and only what it does not write takes the other."""
    asked: list[bytes] = []
    slow = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda data, how: asked.append(data.tobytes()) or slow(data, how))
    other = by_opencv(SCENE, OPENCV_RLE)
    assert np.array_equal(decode(encode(SCENE)), decode(other))
    assert asked == [other]


def test_the_bytes_are_a_png_that_any_tool_shows() -> None:
    """The stored bytes begin as a PNG does and have one channel of eight bits."""
    data = encode(np.zeros((4, 5), np.uint8))
    assert data[:8] + data[16:26] == b"\x89PNG\r\n\x1a\n" + bytes([0, 0, 0, 5, 0, 0, 0, 4, 8, 0])


def test_the_same_image_gives_the_same_bytes() -> None:
    """Whatever was written before: nothing of another image is left in the deflater."""
    first = encode(SCENE)
    others = [encode(np.random.default_rng(seed).integers(0, 256, (180, 320), np.uint8)) for seed in range(5)]
    assert len({first, *(encode(SCENE) for _ in others)}) == 1


@pytest.mark.parametrize("data", [encode(SCENE), by_opencv(SCENE, OPENCV_RLE)], ids=["own", "OpenCV"])
def test_a_thumbnail_that_is_cut_short_is_refused(data: bytes) -> None:
    """No part of a thumbnail is a thumbnail."""
    for length in range(len(data)):
        with pytest.raises(ValueError, match="PNG"):
            decode(data[:length])


@pytest.mark.parametrize("data", [encode(SCENE), by_opencv(SCENE, OPENCV_RLE)], ids=["own", "OpenCV"])
@pytest.mark.parametrize("flipped", [0x01, 0x80, 0xFF])
def test_a_thumbnail_with_one_wrong_byte_is_refused(data: bytes, flipped: int) -> None:
    """Every byte is under a checksum, or says what the others mean."""
    for at in range(len(data)):
        spoiled = data[:at] + bytes([data[at] ^ flipped]) + data[at + 1 :]
        with pytest.raises(ValueError, match="PNG"):
            decode(spoiled)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_right_checksum_over_wrong_data_helps_nothing(data: st.DataObject) -> None:
    """Where the deflated bytes themselves are wrong they are refused, or zlib too gets just these rows from them."""
    rows = np.insert(SCENE - np.vstack([0 * SCENE[:1], SCENE[:-1]]), 0, 2, axis=1)
    body = bytearray(zlib.compress(rows.tobytes(), data.draw(st.integers(0, 9))))
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        back = decode(by_hand(height=20, width=31, body=bytes(body)))
    except ValueError:
        return
    taken = np.frombuffer(zlib.decompress(body), np.uint8).reshape(20, 32)[:, 1:]
    assert np.array_equal(back, np.add.accumulate(taken, axis=0, dtype=np.uint8))


@pytest.mark.parametrize(
    ("height", "width", "body"),
    [
        (20, 31, zlib.compress(b"\2" + bytes(31))),
        (20, 31, zlib.compress(b"\2" + bytes(31)) * 20),
        (1, 3, b""),
        (1, 3, zlib.compress(b"\7" + bytes(3))),
        (0, 3, zlib.compress(b"")),
        (3, 0, zlib.compress(b"\2\2\2")),
        (2**31 - 1, 2**31 - 1, zlib.compress(b"\2" + bytes(31))),
        (2**32 - 1, 2**32 - 1, zlib.compress(b"\2" + bytes(31))),
        (40_000, 40_000, zlib.compress(b"\2" + bytes(31))),
    ],
)
def test_a_size_that_the_data_do_not_have_is_refused(height: int, width: int, body: bytes) -> None:
    """A header may say what it likes: too few data, none, or too large a picture are no thumbnail."""
    with pytest.raises(ValueError, match="PNG"):
        decode(by_hand(height=height, width=width, body=body))


def test_more_data_than_pixels_are_refused() -> None:
    """Bytes beyond the last row are no part of a thumbnail, and are not inflated to find out how many there are."""
    body = zlib.compress(b"\2\1\2\3" + bytes(2**24))
    with pytest.raises(ValueError, match="not as long as its size says"):
        decode(by_hand(height=1, width=3, body=body))


@pytest.mark.parametrize(
    ("extension", "image"),
    [
        (".png", np.zeros((4, 5, 3), np.uint8)),
        (".png", np.zeros((4, 5, 4), np.uint8)),
        (".png", np.zeros((4, 5), np.uint16)),
        (".jpg", np.zeros((4, 5), np.uint8)),
    ],
)
def test_other_pictures_are_refused(extension: str, image: np.ndarray) -> None:
    """Colour, sixteen bits and other formats are not thumbnails."""
    with pytest.raises(ValueError, match="not an 8-bit grey PNG"):
        decode(cv2.imencode(extension, image)[1].tobytes())
