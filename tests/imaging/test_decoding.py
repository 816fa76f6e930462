"""Decoding: only whole pictures come through, and the person's error stream survives."""

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.domain.descriptions import Limits
from indexer.imaging import decoding
from indexer.imaging.decoding import as_decoded, decode_colour, decode_grey, reduction, refusal
from indexer.imaging.headers import Header, ImageRefusedError, read_header

WIDTH, HEIGHT = 160, 120


def picture() -> Image.Image:
    """Noise over a ramp, so that every part of a file counts."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    noise = np.random.default_rng(0).integers(0, 40, (HEIGHT, WIDTH, 3))
    return Image.fromarray(np.clip((columns / 2 + rows / 3)[..., None] + noise, 0, 255).astype(np.uint8))


def saved(image_format: str, image: Image.Image | None = None, **options: object) -> bytes:
    """That picture (or another) as a file."""
    out = io.BytesIO()
    (image or picture()).save(out, image_format, **options)
    return out.getvalue()


def grey(data: bytes, *, work_width: int | None = None) -> NDArray[np.uint8]:
    """The bytes decoded as a worker does it."""
    return decode_grey(data, header=read_header(data, limits=Limits()), work_width=work_width)


def outcome(data: bytes) -> NDArray[np.uint8] | str:
    """The picture in colour, or the state of its refusal."""
    try:
        return decode_colour(data)
    except ImageRefusedError as refused:
        return refused.state


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each chunk of a PNG."""
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def png(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, each with a right checksum."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


FILES = {
    "jpeg": saved("JPEG"),
    "jpeg grey": saved("JPEG", picture().convert("L")),
    "jpeg progressive": saved("JPEG", progressive=True),
    "jpeg restarts": saved("JPEG", restart_marker_rows=1),
    "png": saved("PNG"),
    "png palette": saved("PNG", picture().quantize(16)),
    "bmp": saved("BMP"),
    "webp": saved("WEBP"),
    "webp lossless": saved("WEBP", lossless=True),
    "tiff": saved("TIFF"),
    "tiff lzw": saved("TIFF", compression="tiff_lzw"),
    "tiff deflate": saved("TIFF", compression="tiff_deflate"),
}


@pytest.mark.parametrize(
    ("image_format", "stored_width", "expected"),
    [
        ("JPEG", 640, 1),
        ("JPEG", 1279, 1),
        ("JPEG", 1280, 2),
        ("JPEG", 1281, 2),
        ("JPEG", 2559, 2),
        ("JPEG", 2560, 4),
        ("MPO", 5119, 4),
        ("MPO", 5127, 8),
        ("PNG", 5120, 1),
        ("TIFF", 5120, 1),
    ],
)
def test_the_reduction_keeps_twice_the_working_width(image_format: str, stored_width: int, expected: int) -> None:
    """Only a JPEG is reduced, by the most that leaves 2 x 320 columns of the stored picture."""
    header = Header(image_format, stored_width, 10, 6, None, None)
    assert reduction(header, work_width=320) == expected


@pytest.mark.parametrize("name", [name for name in FILES if "palette" not in name])
def test_a_whole_file_is_its_picture(name: str) -> None:
    """Each format gives the picture in colour and in grey, lossless ones to the bit."""
    colour, plain = decode_colour(FILES[name]), grey(FILES[name])
    assert (colour.shape, plain.shape, plain.dtype) == ((HEIGHT, WIDTH, 3), (HEIGHT, WIDTH), np.uint8)
    if name.startswith(("png", "bmp", "webp lossless", "tiff")):
        assert np.array_equal(colour[..., ::-1], np.asarray(picture()))


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_short_is_damaged(name: str) -> None:
    """Wherever a file is cut, from its header to its last byte, no partial picture comes out."""
    data = FILES[name]
    whole = decode_colour(data)
    lengths = [*range(0, len(data), len(data) // 40), *range(len(data) - 12, len(data))]
    outcomes = [outcome(data[:length]) for length in lengths]
    assert all(np.array_equal(one, whole) for one in outcomes if not isinstance(one, str))
    assert {one for one in outcomes if isinstance(one, str)} == {"damaged"}


@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "jpeg restarts"])
def test_a_jpeg_without_its_end_marker_is_damaged(name: str) -> None:
    """The end marker is asked for, also where all pixels are there and OpenCV is content."""
    with pytest.raises(ImageRefusedError, match="the JPEG has no end marker"):
        decode_colour(FILES[name][:-2])


def test_the_end_marker_of_an_exif_thumbnail_does_not_count() -> None:
    """A whole little JPEG inside EXIF does not make the cut big one whole."""
    block = b"Exif\0\0" + FILES["jpeg"]
    data = FILES["jpeg"]
    cut = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2 : len(data) // 2]
    with pytest.raises(ImageRefusedError, match="the JPEG has no end marker"):
        decode_colour(cut)


def test_a_jpeg_whose_data_end_before_its_end_marker_is_damaged() -> None:
    """libjpeg fills the rest with grey and warns on descriptor 2 alone: the warning is read."""
    data = FILES["jpeg"]
    with pytest.raises(
        ImageRefusedError, match=r"^damaged: data ends early: Corrupt JPEG data: premature end of data segment$"
    ):
        grey(data[: len(data) // 2] + b"\xff\xd9")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_png_that_lost_pixels_but_has_its_end_is_damaged(share: float) -> None:
    """Chunks that are whole each do not hide that the pixel stream is not."""
    parts = list(chunks(FILES["png"]))
    stream = b"".join(body for kind, body in parts if kind == b"IDAT")
    cut = [parts[0], (b"IDAT", stream[: int(len(stream) * share)]), (b"IEND", b"")]
    with pytest.raises(ImageRefusedError) as refused:
        grey(png(cut))
    assert refused.value.state == "damaged"


def test_a_png_with_rows_missing_is_damaged() -> None:
    """A pixel stream that ends properly after half of the rows is half a picture."""
    parts = list(chunks(FILES["png"]))
    rows = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    with pytest.raises(ImageRefusedError, match="Not enough image data"):
        grey(png([parts[0], (b"IDAT", zlib.compress(rows[: len(rows) // 2])), (b"IEND", b"")]))


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_a_tiff_whose_strip_ends_early_is_damaged(compression: str) -> None:
    """A strip that says itself that it is shorter gives a partial picture, which is refused."""
    data = bytearray(saved("TIFF", compression=compression))
    with Image.open(io.BytesIO(data)) as image:
        sizes = image.tag_v2[279]
    at = data.find(struct.pack("<HHI", 279, 4, len(sizes)))
    at = at + 8 if len(sizes) == 1 else int.from_bytes(data[at + 8 : at + 12], "little")
    data[at : at + 4] = struct.pack("<I", sizes[0] // 2)
    with pytest.raises(ImageRefusedError) as refused:
        grey(bytes(data))
    assert refused.value.state == "damaged"


def test_harmless_words_of_a_decoder_are_no_damage(capfd: pytest.CaptureFixture[str]) -> None:
    """Extraneous bytes before a marker, which libjpeg skips, cost nothing and reach nobody."""
    data = FILES["jpeg"]
    at = data.index(b"\xff\xdb")  # the first quantisation table
    assert np.array_equal(grey(data[:at] + b"\0\0\0" + data[at:]), grey(data))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["jpeg", "png"])
def test_stderr_works_afterwards(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What is written after a good and a bad picture arrives, through Python and on the descriptor."""
    decode_colour(FILES[name])
    with pytest.raises(ImageRefusedError):
        decode_colour(FILES[name][:-20])
    print("through Python", file=sys.stderr, flush=True)  # noqa: T201 - the stream is what is tested
    os.write(2, b"on the descriptor\n")
    assert capfd.readouterr().err == "through Python\non the descriptor\n"


def test_no_descriptor_is_left_open() -> None:
    """A hundred pictures, good and bad, leave as many open files as there were."""
    before = len(os.listdir("/dev/fd"))
    for data in [FILES["jpeg"], FILES["png"][:-20]] * 50:
        outcome(data)
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize("closed", ["2", "0, 1, 2"])
def test_it_works_without_a_stderr(closed: str, tmp_path: Path) -> None:
    """A daemon with closed descriptors decodes, hears of damage, and leaves them closed."""
    (tmp_path / "a.jpg").write_bytes(FILES["jpeg"])
    script = f"""
import os, pathlib
from indexer.imaging.decoding import decode_colour, ImageRefusedError
data = pathlib.Path("a.jpg").read_bytes()
for descriptor in ({closed},):
    os.close(descriptor)
said = [decode_colour(data).shape]
try:
    decode_colour(data[:len(data) // 2] + bytes([255, 217]))
except ImageRefusedError as refused:
    said.append(refused.state)
try:
    os.fstat(2)
except OSError:
    said.append("closed")
pathlib.Path("said").write_text(repr(said))
"""
    environment = os.environ | {"PYTHONPATH": str(Path(decoding.__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "said").read_text() == repr([(HEIGHT, WIDTH, 3), "damaged", "closed"])


def test_threads_take_turns() -> None:
    """Pictures decoded in several threads at once each get their own verdict."""
    good, bad = FILES["jpeg"], FILES["jpeg"][:-200] + b"\xff\xd9"
    wrong: list[str] = []

    def work(data: bytes) -> None:
        for _ in range(40):
            if isinstance(outcome(data), str) is not (data is bad):
                wrong.append("heard another thread's decoder")

    threads = [threading.Thread(target=work, args=(data,)) for data in (good, bad) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("lines", [["Stream is closed (EOF)"], ["read error 1", "read error 2"]])
def test_what_other_threads_write_meanwhile_is_no_damage(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> None:
    """A good picture stays good where others write of ends and errors while it is decoded; it is decoded again."""
    whole, decode, left = grey(FILES["jpeg"]), cv2.imdecode, list(lines)

    def beside_others(*how: object) -> object:
        if left:
            os.write(2, f"distributed.comm - ERROR - {left.pop()}\n".encode())
        return decode(*how)

    monkeypatch.setattr(decoding.cv2, "imdecode", beside_others)
    assert np.array_equal(grey(FILES["jpeg"]), whole)
    assert left == []


@pytest.mark.parametrize(
    ("problem", "state", "reason"),
    [
        (MemoryError(), "unreadable", "the decoder ran out of memory"),
        (ValueError("odd\nbytes \x1b[2J"), "damaged", "the decoder failed: odd?bytes ?[2J"),
        (KeyError(), "damaged", "the decoder failed: KeyError"),
    ],
)
def test_an_exception_becomes_a_state(problem: Exception, state: str, reason: str) -> None:
    """Want of memory is no fault of the file; anything else is damage, in clean words."""
    refused = refusal(problem)
    assert (refused.state, refused.reason) == (state, reason)


def test_opencv_out_of_memory_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV's own error for lack of memory is recognised by its code."""

    def no_memory(*_: object) -> None:
        problem = cv2.error("Failed to allocate 144000000 bytes")
        problem.code = cv2.Error.StsNoMem
        raise problem

    monkeypatch.setattr(decoding.cv2, "imdecode", no_memory)
    with pytest.raises(ImageRefusedError, match=r"^unreadable: the decoder ran out of memory$"):
        decode_colour(FILES["png"])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(1280, 96), (1283, 101)])
def test_the_header_agrees_with_a_reduced_picture(size: tuple[int, int], orientation: int) -> None:
    """The decoder's reduced size is the header's, divided and rounded up, in every orientation."""
    exif = Image.Exif()
    exif[274] = orientation
    data = saved("JPEG", Image.new("L", size), exif=exif)
    header = read_header(data, limits=Limits())
    image = decode_grey(data, header=header, work_width=320)
    assert as_decoded(header, shape=image.shape, by=2) == header


def test_the_decoder_has_the_last_word_on_turning() -> None:
    """A picture that came out lying where the header has it standing is taken as it came out."""
    header = as_decoded(Header("JPEG", 160, 96, 1, None, None), shape=(160, 96), by=1)
    assert (header.width, header.height) == (96, 160)


def test_another_picture_than_announced_is_damaged() -> None:
    """A decoder that makes another size than the header announces is not believed."""
    with pytest.raises(ImageRefusedError, match="the header says 160 x 96, the decoder made 80 x 48 at 1/1"):
        as_decoded(Header("PNG", 160, 96, 1, None, None), shape=(48, 80), by=1)
