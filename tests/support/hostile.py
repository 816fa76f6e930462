"""Files that mean harm, of many kinds, each made from a seed: what no camera writes and every folder may hold."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG, its checksum right."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, pixels: bytes, before: bytes = b"") -> bytes:
    """A grey PNG of that size around packed pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG + header + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    """The header of a BMP of that size, and little more."""
    return (
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1078, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0) + b"\0" * 64
    )


def tiff(*, following: int = 0, pixels: bytes = b"\0" * 4096, **changed: int) -> bytes:
    """A small grey TIFF, some of its fields changed, its directory followed by one at `following`."""
    fields = {256: 64, 257: 64, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 64, 279: len(pixels)}
    fields |= {int(tag.lstrip("t")): value for tag, value in changed.items()}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(fields.items()))
    directory = struct.pack("<H", len(fields)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def webp(width: int, height: int) -> bytes:
    """A lossless WebP that says it has that size, around noise."""
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<I", 68) + b"\x2f" + struct.pack("<I", bits) + b"\x55" * 63
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def jpeg(width: int, height: int, *, quality: int = 80, progressive: bool = False, seed: int = 0) -> bytes:
    """A JPEG of noise."""
    image = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return bytes(cv2.imencode(".jpg", image, settings)[1])


def resized(data: bytes, *, marker: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame header says another size."""
    at = data.index(marker)
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def endless_scans(*, side: int, scans: int) -> bytes:
    """A small progressive JPEG that makes its decoder walk over a large picture again and again."""
    data = resized(jpeg(64, 64, progressive=True), marker=b"\xff\xc2", width=side, height=side)
    # A refinement of all coefficients whose data are not there: the decoder fills in zeros for every block.
    return data[:-2] + _SCAN * scans + b"\xff\xd9"


_SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x21"


def good(suffix: str, seed: int) -> bytes:
    """A picture that is all right."""
    image = np.random.default_rng(seed).integers(90, 150, (96, 128), np.uint8)
    return bytes(cv2.imencode(suffix, cv2.GaussianBlur(image, (5, 5), 0))[1])


SUFFIXES = [".jpg", ".png", ".bmp", ".tif", ".webp"]


def cut(seed: int) -> bytes:
    """A good picture that ends early."""
    data = good(SUFFIXES[seed % 5], seed)
    return data[: len(data) * (3 + seed % 5) // 10]


def noisy(seed: int) -> bytes:
    """A good picture's header before noise."""
    data = good([".png", ".tif"][seed % 2], seed)
    return data[:100] + np.random.default_rng(seed).bytes(len(data) - 100)


_MANY = b"\0" * 60_000_000

KINDS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "empty": ("jpg", lambda _: b""),
    "text": ("jpeg", lambda seed: b"This is no picture. " * (seed + 1)),
    "html": ("png", lambda seed: b"<html>404 Not Found %d</html>" % seed),
    "gif": ("png", lambda seed: b"GIF89a" + bytes([64, 0, 64, 0, 0x80, 0, 0]) + bytes(range(seed % 200)) * 8),
    "noise": ("bmp", lambda seed: np.random.default_rng(seed).bytes(5000)),
    "cut": ("jpg", cut),
    "noisy": ("png", noisy),
    "huge-png": ("png", lambda seed: png(100_000 + seed, 100_000, pixels=zlib.compress(b"\0" * 99))),
    "endless-png": ("png", lambda seed: png(2**31 - 1, 2**31 - 1 - seed, pixels=b"")),
    "early-png": ("png", lambda seed: png(15_000, 15_000 - seed, pixels=zlib.compress(b"\0" * 15_001 * 8))),
    "huge-bmp": ("bmp", lambda seed: bmp(2**31 - 1, 2**31 - 1 - seed)),
    "large-bmp": ("bmp", lambda seed: bmp(15_000, 15_000 - seed)),
    "huge-tiff": ("tif", lambda seed: tiff(t256=2**32 - 1, t257=2**32 - 1 - seed)),
    "large-tiff": ("tif", lambda seed: tiff(t256=15_000, t257=15_000 - seed, t278=15_000, t279=2**32 - 1)),
    "tiled-tiff": ("tiff", lambda seed: tiff(t322=2**31 - 16, t323=2**31 - 16, t324=8, t325=4096 + seed)),
    "deep-tiff": ("tif", lambda seed: tiff(t258=65_535, t277=65_535 - seed)),
    "looped-tiff": ("tif", lambda seed: tiff(following=8 + 4096, t259=8, t279=seed % 100)),
    "huge-webp": ("webp", lambda seed: webp(16_383, 16_383 - seed)),
    "large-webp": ("webp", lambda seed: webp(15_000, 15_000 - seed)),
    "huge-jpeg": ("jpg", lambda s: resized(jpeg(64, 64), marker=b"\xff\xc0", width=65_000, height=65_000 - s)),
    "large-jpeg": ("jpg", lambda s: resized(jpeg(64, 64, seed=s), marker=b"\xff\xc0", width=15_000, height=15_000)),
    "tall": ("png", lambda seed: png(64, 60_000 + seed, pixels=zlib.compress(_MANY[: 65 * 60_000]))),
    "tiny": ("png", lambda seed: png(1 + seed % 60, 9, pixels=zlib.compress(b"\0" * 999))),
    "scans": ("jpg", lambda seed: endless_scans(side=12_000, scans=400 + seed)),
}
"""Each kind by name: its suffix, and its bytes."""


def plant(folder: Path, *, count: int, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Path]:
    """So many hostile files in the folder, of each kind in its turn, among them a folder, a pipe and links."""
    made = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        suffix, content = KINDS[kind]
        # Between the good ones of `apart.shoot`, in the order of names and in time.
        path = folder / f"cam{number % 4:02}-{1_623_844_800_500 + number * 120_000}-{kind}.{suffix}"
        path.write_bytes(content(number))
        made.append(path)
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "self.png").symlink_to("self.png")
    return made
