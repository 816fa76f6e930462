"""The memory of the largest process while much is taken in, and while a large camera is compared.

Watched from outside, over the whole tree of processes: the peak of what is resident (files mapped into memory count,
though the system may drop them at any time) and the most that is a process's own.
"""

import shutil
from pathlib import Path
from typing import Any

from tests.benchmarks.cameras import Camera, many
from tests.benchmarks.filling import fill_index, write_frames
from tests.benchmarks.measuring import Ran, manage, rounded


def measure(
    folder: Path,
    *,
    frames: int = 20_000,
    large_frames: int = 500,
    images: int = 100_000,
    fresh: float = 0.2,
    processes: int = 2,
) -> dict[str, Any]:
    """Memory and seconds of ingest of small and of 1920x1080 frames, and of compare of one camera."""
    found: dict[str, Any] = {}
    for name, width, height, count in (("ingest", 320, 180, frames), ("ingest 1920x1080", 1920, 1080, large_frames)):
        place = folder / name.replace(" ", "-")
        drawn = many(max(1, count // 1000), frames=count, width=width, height=height)
        paths = write_frames(place, drawn, processes=processes)
        database = folder / f"{place.name}.db"
        ran = manage("--db", database, "ingest", place, "--processes", processes, folder=folder, watched=True)
        found[name] = {"images": len(paths)} | told(ran)
        shutil.rmtree(place)
    camera = Camera(frames=images, busy=max(0.5, fresh), fresh=fresh)
    fill_index(folder / "index.db", [camera], processes=processes)
    ran = manage("--db", folder / "index.db", "compare", "--processes", processes, folder=folder, watched=True)
    found["compare"] = {"images": camera.frames, "keepers": camera.keepers} | told(ran)
    return found


def told(ran: Ran) -> dict[str, float]:
    """What a watched command took, as it is kept."""
    return {
        "seconds": rounded(ran.seconds),
        "processor_s": rounded(ran.processor_s),
        "resident_mb": ran.resident_mb,
        "own_mb": ran.own_mb,
    }
