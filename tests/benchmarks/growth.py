"""How time and memory grow: with the images of one camera, and with the number of cameras.

Every row is three commands on data of its own: `ingest` of small JPEG files, `compare` of an index that was filled
straight, and `compare` again after a hundred more frames. Seconds are from the start of a command to its end, and those
that all its processes spent on the processor.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks.cameras import Camera
from tests.benchmarks.filling import fill_index, write_frames
from tests.benchmarks.measuring import Ran, manage, rounded

_MORE = 100


def measure(
    folder: Path,
    *,
    images: tuple[int, ...] = (1000, 3000, 10_000, 30_000, 100_000),
    cameras: tuple[int, ...] = (1, 5, 20, 50),
    images_each: int = 400,
    fresh: float = 0.05,
    processes: int = 2,
) -> dict[str, Any]:
    """A row for every number of images in one camera, and one for every number of cameras."""
    grown = [[Camera(frames=count, busy=max(0.5, fresh), fresh=fresh)] for count in images]
    wide = [
        [Camera(f"c{number:02}", images_each, busy=max(0.5, fresh), fresh=fresh) for number in range(count)]
        for count in cameras
    ]
    return {
        "fresh": fresh,
        "images in one camera": [_row(folder / f"i{number}", many, processes) for number, many in enumerate(grown)],
        "cameras": [_row(folder / f"c{number}", many, processes) for number, many in enumerate(wide)],
    }


def _row(folder: Path, cameras: list[Camera], processes: int) -> dict[str, float]:
    folder.mkdir()
    tree, files, index = folder / "tree", folder / "files.db", folder / "index.db"

    def command(database: Path, *words: object) -> Ran:
        return manage("--db", database, *words, "--processes", processes, folder=folder, watched=True)

    paths = write_frames(tree, [camera.small() for camera in cameras], processes=processes)
    ingest = command(files, "ingest", tree)
    shutil.rmtree(tree)
    files.unlink()
    fill_index(index, cameras, processes=processes)
    compare = command(index, "compare")
    frames = cameras[0].frames
    longer = [replace(camera, frames=frames + _MORE) for camera in cameras[:1]]
    fill_index(index, longer, first=frames, processes=1)
    again = command(index, "compare")
    shutil.rmtree(folder)
    return {
        "cameras": len(cameras),
        "images": len(paths),
        "keepers": sum(camera.keepers for camera in cameras),
        **_told("ingest", ingest),
        **_told("compare", compare),
        **_told("a hundred more", again),
    }


def _told(name: str, ran: Ran) -> dict[str, float]:
    return {
        f"{name}_s": rounded(ran.seconds),
        f"{name}_processor_s": rounded(ran.processor_s),
        f"{name}_mb": ran.resident_mb,
        f"{name}_own_mb": ran.own_mb,
    }
