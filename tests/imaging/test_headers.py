"""Headers: sizes as shown, limits before pixels, EXIF that can only cost itself."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from indexer.domain.descriptions import Limits
from indexer.imaging import formats
from indexer.imaging.formats import reads_avif, tiff_directories
from indexer.imaging.headers import Header, ImageRefusedError, read_header

EXIF_IFD = 34665


def saved(image_format: str, *, size: tuple[int, int] = (160, 96), exif: Image.Exif | None = None) -> bytes:
    """An image file of (width, height), with EXIF if given."""
    out = io.BytesIO()
    options = {} if exif is None else {"exif": exif}
    Image.new("RGB", size, "grey").save(out, image_format, **options)
    return out.getvalue()


def exif_of(values: dict[int, object] | None = None, details: dict[int, object] | None = None) -> Image.Exif:
    """EXIF with these tags in its first block and in its details."""
    exif = Image.Exif()
    exif.update(values or {})
    exif.get_ifd(EXIF_IFD).update(details or {})
    return exif


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_plain_file_has_its_size_and_nothing_else(image_format: str) -> None:
    """Each of the five formats gives its own name and size, orientation 1 and no time."""
    assert read_header(saved(image_format), limits=Limits()) == Header(image_format, 160, 96, 1, None, None)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_as_shown_is_the_decoded_one(image_format: str, orientation: int) -> None:
    """Width and height are those of the picture that OpenCV makes, in every format and orientation."""
    data = saved(image_format, exif=exif_of({274: orientation}))
    header = read_header(data, limits=Limits())
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (header.height, header.width, header.orientation) == (*decoded.shape, orientation)
    assert (header.stored_width, header.stored_height) == (160, 96)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_senseless_orientation_is_none(orientation: int) -> None:
    """An orientation outside 1 to 8 leaves the picture as it is stored, as OpenCV does."""
    header = read_header(saved("JPEG", exif=exif_of({274: orientation})), limits=Limits())
    assert (header.orientation, header.width, header.height) == (1, 160, 96)


@pytest.mark.parametrize(
    ("values", "details", "expected"),
    [
        ({}, {36867: "2021:03:27 12:53:37"}, ("2021:03:27 12:53:37", None)),
        ({306: "2020:01:01 00:00:00"}, {36867: "2021:03:27 12:53:37"}, ("2021:03:27 12:53:37", None)),
        ({306: "2020:01:01 00:00:00"}, {}, ("2020:01:01 00:00:00", None)),
        ({}, {36867: "2021:03:27 12:53:37", 37521: "123"}, ("2021:03:27 12:53:37.123", None)),
        ({}, {36867: "2021:03:27 12:53:37", 36881: "+02:00"}, ("2021:03:27 12:53:37", "+02:00")),
        ({306: "2020:01:01 00:00:00"}, {37521: "123", 36881: "+02:00"}, ("2020:01:01 00:00:00", None)),
        ({}, {36867: "2021:03:27 12:53:37\0\0 ", 36881: "about two"}, ("2021:03:27 12:53:37", None)),
        ({306: "yesterday"}, {36867: "    :  :     :  :  "}, (None, None)),
        ({}, {36868: "2021:03:27 12:53:37", 37522: "5"}, ("2021:03:27 12:53:37.5", None)),
        ({306: "2020:01:01 00:00:00"}, {36868: "2021:03:27 12:53:37"}, ("2021:03:27 12:53:37", None)),
        ({}, {36867: "0000:00:00 00:00:00", 36868: "2021:03:27 12:53:37"}, ("2021:03:27 12:53:37", None)),
        ({}, {36867: "2021-03-27T12:53:37+01:00", 37521: "25"}, ("2021-03-27T12:53:37.25+01:00", None)),
        ({}, {36867: "2021/3/27 1:53:37 PM", 37521: "25"}, ("2021/3/27 1:53:37.25 PM", None)),
        ({}, {36867: "2021:03:27 12:53:37.5", 37521: "25"}, ("2021:03:27 12:53:37.5", None)),
        ({}, {36867: "9" * 5000}, (None, None)),
        ({}, {36867: "２０21:03:27 12:53:37"}, (None, None)),
    ],
)
def test_the_exif_time_is_that_of_the_exposure(
    values: dict[int, object], details: dict[int, object], expected: tuple[str | None, str | None]
) -> None:
    """The original time, else the digitized, else the file's, each with its own sub-seconds and offset, in whatever
    form; nothing that is no time."""
    header = read_header(saved("JPEG", exif=exif_of(values, details)), limits=Limits())
    assert (header.exif_time, header.exif_offset) == expected


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_broken_exif_never_costs_the_image(junk: bytes) -> None:
    """Whatever stands in the EXIF block, the header is read and the size is one that the pixels can have."""
    plain = saved("JPEG")
    block = b"Exif\0\0" + junk
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]
    header = read_header(data, limits=Limits())
    assert (header.format, header.stored_width, header.stored_height) == ("JPEG", 160, 96)


def test_an_orientation_in_xmp_is_not_applied() -> None:
    """Pillow reads an orientation from XMP, OpenCV does not; the header follows OpenCV."""
    plain = saved("JPEG")
    block = b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>'
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]
    assert read_header(data, limits=Limits()) == Header("JPEG", 160, 96, 1, None, None)


def test_a_png_with_a_broken_profile_keeps_its_header() -> None:
    """A chunk that is of no use for the pixels does not make a PNG unreadable."""
    plain = saved("PNG")
    data = plain[:33] + png_chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(2_000_000))) + plain[33:]
    assert read_header(data, limits=Limits()) == Header("PNG", 160, 96, 1, None, None)


@pytest.mark.parametrize("data", [b"", b"\0", b"not an image", b"\xff\xd8\xff\xd9", b"GIF89a" + bytes(40), b"BM"])
def test_no_header_is_unreadable(data: bytes) -> None:
    """Bytes without a valid header of the five formats are refused as unreadable."""
    with pytest.raises(ImageRefusedError) as refused:
        read_header(data, limits=Limits())
    assert (refused.value.state, refused.value.header) == ("unreadable", None)


@given(st.binary(max_size=300), st.sampled_from(["JPEG", "PNG", "BMP", "TIFF", "WEBP"]), st.integers(2, 60))
@settings(max_examples=200, deadline=None)
def test_hostile_bytes_raise_nothing_else(junk: bytes, image_format: str, keep: int) -> None:
    """Any bytes give a header or a refusal, and no warning gets out."""
    with contextlib.suppress(ImageRefusedError):
        assert read_header(saved(image_format)[:keep] + junk, limits=Limits()).format == image_format


@pytest.mark.parametrize(
    ("limits", "state", "reason"),
    [
        (Limits(max_pixels=160 * 96 - 1), "unreadable", "160 x 96 pixels are more than the limit of 15359"),
        (Limits(min_side_px=97), "too_small", "160 x 96 pixels: a side is below 97"),
    ],
)
def test_a_size_beyond_the_limits_is_refused(limits: Limits, state: str, reason: str) -> None:
    """One pixel too many or too few is refused, with the figures, and the header goes along."""
    with pytest.raises(ImageRefusedError) as refused:
        read_header(saved("PNG"), limits=limits)
    header = Header("PNG", 160, 96, 1, None, None)
    assert (refused.value.state, refused.value.reason, refused.value.header) == (state, reason, header)


def test_a_size_at_the_limits_is_taken() -> None:
    """The limits themselves are allowed."""
    data = saved("PNG")
    limits = Limits(max_pixels=160 * 96, max_bytes=len(data), min_side_px=96)
    assert read_header(data, limits=limits).width == 160


def test_too_many_bytes_are_refused() -> None:
    """Bytes above the limit are refused before anything is parsed."""
    with pytest.raises(ImageRefusedError, match="3 bytes are more than the limit of 2"):
        read_header(b"abc", limits=Limits(max_bytes=2))


def test_the_sample_landscapes_have_one_size(shared_data: Path) -> None:
    """Four photographs stored in four orientations are all shown 1800 wide and 1200 tall."""
    files = sorted((shared_data / "malformed").glob("Landscape_*.jpg"))
    headers = [read_header(file.read_bytes(), limits=Limits()) for file in files]
    assert {(header.orientation, header.width, header.height) for header in headers} == {
        (orientation, 1800, 1200) for orientation in (1, 3, 6, 8)
    }


def boxed(brand: bytes, *more: bytes) -> bytes:
    """The beginning of a file of the ISO base media format."""
    return struct.pack(">I", 16 + 4 * len(more)) + b"ftyp" + brand + bytes(4) + b"".join(more) + bytes(64)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (boxed(b"heic", b"mif1"), "a HEIC"),
        (boxed(b"mif1", b"heic"), "a HEIC"),
        (boxed(b"msf1", b"hevc"), "a HEIC"),
        (b"\xff\x0a" + bytes(40), "a JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "a JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40), "a JPEG 2000"),
        (b"GIF87a" + bytes(40), "a GIF"),
        (b"GIF89a" + bytes(40), "a GIF"),
    ],
)
def test_a_known_kind_that_is_not_read_is_named(data: bytes, kind: str) -> None:
    """Its first bytes tell what it is, whatever the file is called."""
    with pytest.raises(ImageRefusedError) as caught:
        read_header(data, limits=Limits())
    assert (caught.value.state, caught.value.reason) == ("unreadable", f"{kind} picture, which is not read")


def test_avif_is_named_where_it_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An OpenCV that was built without AVIF says so by its name, and such pictures are refused by theirs."""
    formats.reads_avif.cache_clear()
    monkeypatch.setattr(formats.cv2, "getBuildInformation", lambda: "  Media I/O:\n    AVIF:    NO\n    PNG: yes\n")
    try:
        for data in (boxed(b"avif", b"mif1"), boxed(b"mif1", b"avif")):
            with pytest.raises(ImageRefusedError, match="an AVIF picture, which is not read"):
                read_header(data, limits=Limits())
    finally:
        formats.reads_avif.cache_clear()


@pytest.mark.skipif(not reads_avif(), reason="needs an OpenCV and a Pillow that read AVIF")
def test_an_avif_has_its_size_before_it_is_decoded() -> None:
    """Size and limits come from the header, as everywhere."""
    assert read_header(saved("AVIF"), limits=Limits()) == Header("AVIF", 160, 96, 1, None, None)
    with pytest.raises(ImageRefusedError, match="160 x 96 pixels are more than the limit"):
        read_header(saved("AVIF"), limits=Limits(max_pixels=15359))
    with pytest.raises(ImageRefusedError, match="no valid image header"):
        read_header(boxed(b"avif", b"mif1"), limits=Limits())


def paged(kinds: list[int]) -> bytes:
    """A TIFF with pages of these kinds (tag 254)."""
    pages = []
    for kind in kinds:
        page = Image.new("L", (160, 96), "grey")
        page.encoderinfo = {"tiffinfo": {254: kind}}
        pages.append(page)
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], tiffinfo={254: kinds[0]})
    return out.getvalue()


@pytest.mark.parametrize(
    ("kinds", "taken"), [([0], True), ([0, 1, 1], True), ([0, 0], False), ([1, 0], False), ([0, 1, 2], False)]
)
def test_smaller_copies_of_the_first_page_are_no_further_pages(kinds: list[int], taken: bool) -> None:
    """Previews behind the picture of a TIFF cost nothing; any other page does, as only the first would be seen."""
    data = paged(kinds)
    assert [tags.get(254, 0) for tags in tiff_directories(data)] == kinds
    if taken:
        assert read_header(data, limits=Limits()).format == "TIFF"
        return
    with pytest.raises(ImageRefusedError, match="several pages: only the first would be looked at"):
        read_header(data, limits=Limits())


@given(st.binary(max_size=300), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"]))
@settings(max_examples=100, deadline=None)
def test_broken_directories_end_and_raise_nothing(junk: bytes, start: bytes) -> None:
    """Whatever stands behind the first bytes of a TIFF, its pages come to an end."""
    assert len(list(tiff_directories(start + junk))) <= 64


def test_directories_that_go_in_circles_end() -> None:
    """A directory that names itself as the next one is one page."""
    data = bytearray(saved("TIFF"))
    at = int.from_bytes(data[4:8], "little")
    after = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
    data[after : after + 4] = at.to_bytes(4, "little")
    assert len(list(tiff_directories(bytes(data)))) == 1


def test_a_broken_profile_hides_no_frames() -> None:
    """A PNG that Pillow gives up is asked for frames and opacity all the same."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 160, 96, 16, 6, 0, 0, 0))
    broken = png_chunk(b"iCCP", b"x" * 90)
    frames = png_chunk(b"acTL", struct.pack(">II", 2, 0))
    start = b"\x89PNG\r\n\x1a\n" + header + broken
    plain = read_header(start + png_chunk(b"IDAT", b""), limits=Limits())
    assert (plain.bits, plain.opacity) == (16, True)
    with pytest.raises(ImageRefusedError, match="frames"):
        read_header(start + frames + png_chunk(b"IDAT", b""), limits=Limits())
