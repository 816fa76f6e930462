"""The frames that the kept indexes of earlier versions are made of: the same bytes on every machine.

This module imports nothing of the program, as it also runs beside earlier versions of it.
"""

import os
import struct
from pathlib import Path

WIDTH, HEIGHT = 160, 120
_MTIME_NS = 1_600_000_000_000_000_000
_NOON_MS = 1_623_844_800_000
SCENES = {"gate": (0, 0, 0, 40, 40, 0), "yard": (0, 0, 9)}
"""Per camera the side of a white box in each of its frames, a minute apart; 9 pixels are too small to count."""


def frame(box: int, *, stamp: int) -> bytes:
    """A BMP in 8-bit grey of a flat scene with a white box; another stamp gives other bytes and shows the same."""
    rows = [bytearray([90 if y < HEIGHT // 2 else 120]) * WIDTH for y in range(HEIGHT)]
    for row in rows[40 : 40 + box]:
        row[60 : 60 + box] = b"\xff" * box
    rows[0][stamp] = 91  # under the mask
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(256))
    start, size = 14 + 40 + len(palette), WIDTH * HEIGHT
    head = struct.pack("<2sIHHI", b"BM", start + size, 0, 0, start)
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 8, 0, size, 2835, 2835, 256, 0)
    return head + info + palette + b"".join(map(bytes, reversed(rows)))


def write_frames(folder: Path) -> dict[str, bytes]:
    """Writes all frames below a folder, with fixed times; their bytes by path below it."""
    written = {}
    for stamp, (camera, minute, box) in enumerate(
        (camera, minute, box) for camera, boxes in SCENES.items() for minute, box in enumerate(boxes)
    ):
        name = f"{camera}/{camera}-{_NOON_MS + minute * 60_000}.bmp"
        written[name] = frame(box, stamp=stamp)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written[name])
        os.utime(path, ns=(_MTIME_NS + stamp, _MTIME_NS + stamp))
    return written
