"""The whole job (ingest, then compare) against perceptual hashing by the `czkawka` package: the same frames, two cores,
both from the start of the process to its end.

`czkawka` (PyPI, the extra `benchmark`) binds the Rust library of that name: it walks the folder, hashes every picture
on all cores that `RAYON_NUM_THREADS` allows, and groups hashes whose distance is at most what `set_similarity` says. It
keeps nothing between two runs. Where it is not installed there is no figure, and `missing` says so.
"""

import importlib.util
import itertools
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.measuring import manage, ratios, rounded, run, side_by_side

Kind = tuple[int, int, str]
"""The width and the height of frames, and the ending of their files."""
KINDS: tuple[Kind, ...] = ((640, 360, ".jpg"), (1280, 720, ".jpg"), (1920, 1080, ".jpg"), (1280, 720, ".png"))
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


def name_of(kind: Kind) -> str:
    """What a kind of frames is called in the results."""
    width, height, ending = kind
    return f"{width}x{height}" + ("" if ending == ".jpg" else f" {ending[1:].upper()}")


def measure(
    folder: Path,
    *,
    frames: int = 4000,
    kinds: tuple[Kind, ...] = KINDS,
    cameras: int = 30,
    processes: int = 2,
    rounds: int = 3,
) -> dict[str, Any]:
    """Per kind of frames: seconds of both, and how many times as long the job takes as the hashing; the same of the
    processor, with all processes."""
    if not has_czkawka():
        return {"missing": "the package czkawka is not installed; pip install '.[benchmark]' brings it"}
    found = {}
    for kind in kinds:
        width, height, ending = kind
        place = folder / f"{width}{ending}"
        drawn = many(cameras, frames=frames, width=width, height=height)
        paths = write_frames(place, drawn, processes=processes, ending=ending)
        found[name_of(kind)] = _measure(folder, place, len(paths), processes=processes, rounds=rounds)
        shutil.rmtree(place)
    return found


def _measure(folder: Path, place: Path, frames: int, *, processes: int, rounds: int) -> dict[str, Any]:
    numbers = itertools.count()
    processor_s: dict[str, list[float]] = {"job": [], "hashing": []}

    def job() -> None:
        database = folder / f"{place.name}-{next(numbers)}.db"
        how: Any = {"folder": folder, "watched": True}
        ingested = manage("--db", database, "ingest", place, "--processes", processes, **how)
        compared = manage("--db", database, "compare", "--processes", processes, **how)
        processor_s["job"].append(ingested.processor_s + compared.processor_s)

    def hashing() -> None:
        line = [sys.executable, "-c", _HASHING, str(place), str(SIMILARITY)]
        limits = {"RAYON_NUM_THREADS": str(processes), "XDG_CACHE_HOME": str(folder / "cache")}
        processor_s["hashing"].append(run(line, folder=folder, watched=True, **limits).processor_s)

    timings = side_by_side({"job": job, "hashing": hashing}, rounds=rounds)
    medians = {name: statistics.median(seconds) for name, seconds in processor_s.items()}
    return {
        "frames": frames,
        **ratios(timings, slow="job", fast="hashing"),
        **{f"{name}_processor_s": rounded(seconds) for name, seconds in medians.items()},
        "ratio_of_processor": rounded(medians["job"] / max(medians["hashing"], 0.01)),
    }
