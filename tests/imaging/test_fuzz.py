"""Fuzzing the decoders: whatever bytes a file holds, a worker answers with one state and its reason."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from indexer.domain.descriptions import FileDescription, Limits, ThumbnailRecipe
from indexer.domain.masks import Mask
from indexer.imaging.headers import Header, ImageRefusedError, read_header
from indexer.workflows.image_files import DescribeTask, describe_file

LIMITS = Limits(max_pixels=1_000_000, max_bytes=100_000)
RECIPES = (ThumbnailRecipe("fuzz", 64, False, Mask((5, 10, 5, 0))),)
SIDE = 72
FORMS = {
    "jpeg": (".jpg", []),
    "progressive": (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
    "png": (".png", []),
    "bmp": (".bmp", []),
    "tiff-lzw": (".tif", [cv2.IMWRITE_TIFF_COMPRESSION, 5]),
    "tiff-deflate": (".tif", [cv2.IMWRITE_TIFF_COMPRESSION, 8]),
    "tiff-plain": (".tif", [cv2.IMWRITE_TIFF_COMPRESSION, 1]),
    "webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "webp-lossless": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),
}
EXIF_FORMS = ("JPEG", "PNG", "TIFF", "WEBP")


@cache
def samples() -> tuple[bytes, ...]:
    """Small valid files of every format, with and without EXIF."""
    image = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8), (5, 5), 0)
    plain = [bytes(cv2.imencode(suffix, image, how)[1]) for suffix, how in FORMS.values()]
    return (*plain, *(_with_exif(image, form) for form in EXIF_FORMS))


def _with_exif(image: np.ndarray, form: str) -> bytes:
    exif = Image.Exif()
    exif[274], exif[306] = 6, "2026:01:02 03:04:05"
    exif.get_ifd(34665)[36867] = "2026:01:02 03:04:05"
    file = io.BytesIO()
    Image.fromarray(image).save(file, form, exif=exif)
    return file.getvalue()


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A valid file after some flips, cuts, splices, repetitions and large numbers in odd places."""
    data = bytearray(draw(st.sampled_from(samples())))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        # Half of the harm goes to the first 200 bytes: there are the headers.
        at = min(at, draw(st.sampled_from([200, len(data)])))
        what = draw(st.sampled_from(["flip", "cut", "splice", "repeat", "number", "drop", "fill"]))
        length = draw(st.integers(1, 64))
        if what == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "cut":
            del data[at:]
        elif what == "splice":
            other = draw(st.sampled_from(samples()))
            data[at:] = other[draw(st.integers(0, len(other))) :]
        elif what == "repeat":
            data[at:at] = data[at : at + length] * draw(st.integers(1, 8))
        elif what == "number":
            value = draw(st.sampled_from([0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]))
            data[at : at + 4] = struct.pack(draw(st.sampled_from(["<I", ">I"])), value)
        elif what == "drop":
            del data[at : at + length]
        else:
            data[at : at + length] = bytes([draw(st.integers(0, 255))]) * length
    return bytes(data)


@st.composite
def mended(draw: st.DrawFn) -> bytes:
    """A PNG whose chunks were harmed, with right checksums: what looks whole gets further into the decoder."""
    data = bytearray(draw(st.sampled_from([sample for sample in samples() if sample.startswith(b"\x89PNG")])))
    out, at = bytes(data[:8]), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = bytearray(data[at + 4 : at + 8 + length])
        if draw(st.booleans()) and len(body) > 4:
            where = draw(st.integers(4, len(body) - 1))
            body[where] = draw(st.integers(0, 255))
        for _ in range(draw(st.sampled_from([1, 1, 1, 0, 2]))):
            out += struct.pack(">I", len(body) - 4) + bytes(body) + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return out


def consistent(seen: FileDescription) -> None:
    """Holds if what is said of a file fits together: a state, and what belongs to it."""
    assert (seen.problem, seen.content_hash is not None, seen.size_bytes is not None) == (None, True, True)
    ready = seen.state == "ready"
    assert ready or seen.state in {"unreadable", "damaged", "too_small"}
    assert ready == (seen.state_reason is None) == (seen.sharpness is not None) == bool(seen.thumbnails)
    assert seen.state_reason is None or (seen.state_reason.isprintable() and 0 < len(seen.state_reason) < 250)
    assert (seen.width is None) == (seen.height is None)
    if ready:
        assert seen.width is not None
        assert seen.height is not None
        assert min(seen.width, seen.height) >= LIMITS.min_side_px
        assert seen.width * seen.height <= LIMITS.max_pixels
        assert [(one.digest, one.width) for one in seen.thumbnails] == [("fuzz", 64)]


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(data=st.one_of(broken(), broken(), mended(), st.binary(max_size=300)))
def test_any_bytes_have_one_outcome(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Nothing is raised for what a file contains, and state, reason, size and thumbnails always fit together."""
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(data)
    task = DescribeTask(str(path), RECIPES, LIMITS)
    seen = describe_file(task)
    consistent(seen)
    assert describe_file(task) == seen


@FUZZ
@given(data=st.one_of(broken(), mended(), st.binary(max_size=300)))
def test_any_header_is_read_or_refused(data: bytes) -> None:
    """The header of any bytes is one within the limits, or a refusal with a state and a reason."""
    try:
        header = read_header(data, limits=LIMITS)
        state, reason = "unreadable", "none"
    except ImageRefusedError as refused:
        state, reason = refused.state, refused.reason
        header = refused.header or Header("PNG", 1, 1, 1, None, None)
    assert state in {"unreadable", "too_small"}
    assert reason.isprintable()
    assert header.format in {"JPEG", "MPO", "PNG", "BMP", "TIFF", "WEBP"}
    assert 1 <= header.orientation <= 8
    assert (header.exif_offset is None) or header.exif_time is not None


def test_samples_are_all_right(tmp_path: Path) -> None:
    """What the fuzzing starts from is ready: it reaches the decoders."""
    for number, data in enumerate(samples()):
        path = tmp_path / str(number)
        path.write_bytes(data)
        assert describe_file(DescribeTask(str(path), RECIPES, LIMITS)).state == "ready"


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0), bit=st.integers(0, 7))
def test_a_harmed_png_never_shows_something_else(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    """A PNG with one wrong bit is refused, or shows what it showed: it has checksums, and they are heeded."""
    path = tmp_path_factory.getbasetemp() / "harmed"
    whole = samples()[list(FORMS).index("png")]
    path.write_bytes(whole)
    task = DescribeTask(str(path), RECIPES, LIMITS)
    before = describe_file(task)
    data = bytearray(whole)
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data)
    seen = describe_file(task)
    assert seen.state != "ready" or (seen.width, seen.thumbnails) == (before.width, before.thumbnails)


@pytest.mark.parametrize("form", ["tiff-lzw", "tiff-deflate"])
def test_a_strip_that_cannot_be_decoded_is_damage(form: str, tmp_path: Path) -> None:
    """A TIFF whose decoder leaves a strip black, with an error but a picture, is damaged (found by the drill)."""
    data = bytearray(samples()[list(FORMS).index(form)])
    data[8:2000] = b"\xff" * 1992
    path = tmp_path / "harmed.tif"
    path.write_bytes(data)
    seen = describe_file(DescribeTask(str(path), RECIPES, LIMITS))
    assert (seen.state, (seen.state_reason or "").split(":")[0]) == ("damaged", "the decoder left a part out")
