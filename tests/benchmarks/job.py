"""The whole job (ingest, then compare) against perceptual hashing by the `czkawka` package: the same JPEG frames, two
cores, both from the start of the process to its end.

`czkawka` (PyPI, the extra `benchmark`) binds the Rust library of that name: it walks the folder, hashes every picture
on all cores that `RAYON_NUM_THREADS` allows, and groups hashes whose distance is at most what `set_similarity` says. It
keeps nothing between two runs. Where it is not installed there is no figure, and `missing` says so.
"""

import importlib.util
import itertools
import shutil
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.measuring import manage, ratios, run, side_by_side

SIZES = ((640, 360), (1280, 720))
SIMILARITY = 10

_HASHING = """
import sys
from pathlib import Path
from czkawka import ImageSimilarity
finder = ImageSimilarity()
finder.set_directories([Path(sys.argv[1])])
finder.set_similarity(int(sys.argv[2]))
print(sum(map(len, finder.find_similar())))
"""


def has_czkawka() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("czkawka") is not None


def measure(
    folder: Path,
    *,
    frames: int = 4000,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    cameras: int = 30,
    processes: int = 2,
    rounds: int = 3,
) -> dict[str, Any]:
    """Per size of the frames: seconds of both, and how many times as long the job takes as the hashing."""
    if not has_czkawka():
        return {"missing": "the package czkawka is not installed; pip install '.[benchmark]' brings it"}
    found = {}
    for width, height in sizes:
        place = folder / f"{width}"
        drawn = many(cameras, frames=frames, width=width, height=height)
        paths = write_frames(place, drawn, processes=processes)
        found[f"{width}x{height}"] = _measure(folder, place, len(paths), processes=processes, rounds=rounds)
        shutil.rmtree(place)
    return found


def _measure(folder: Path, place: Path, frames: int, *, processes: int, rounds: int) -> dict[str, Any]:
    numbers = itertools.count()

    def job() -> None:
        database = folder / f"{place.name}-{next(numbers)}.db"
        manage("--db", database, "ingest", place, "--processes", processes, folder=folder)
        manage("--db", database, "compare", "--processes", processes, folder=folder)

    def hashing() -> None:
        line = [sys.executable, "-c", _HASHING, str(place), str(SIMILARITY)]
        run(line, folder=folder, RAYON_NUM_THREADS=str(processes), XDG_CACHE_HOME=str(folder / "cache"))

    timings = side_by_side({"job": job, "hashing": hashing}, rounds=rounds)
    return {"frames": frames, **ratios(timings, slow="job", fast="hashing")}
