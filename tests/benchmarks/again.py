"""`ingest` again where nothing changed, against a bare `os.walk` with `os.stat` of the same tree, in one process.

What is timed is all that the command does once its libraries are loaded: opening the index, walking, looking up, and
the run's own row. No file is opened by either.
"""

import os
from pathlib import Path
from typing import Any

from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.ingest import ingest
from tests.benchmarks.measuring import ratios, side_by_side


def measure(
    folder: Path, *, files: int = 20_000, cameras: int = 20, processes: int = 2, rounds: int = 7
) -> dict[str, Any]:
    """Seconds of both for files in one folder and for files in a folder per camera, and the ratios."""
    return {
        "one folder": _measure(folder / "one", files, cameras, apart=False, processes=processes, rounds=rounds),
        "a folder per camera": _measure(
            folder / "many", files, cameras, apart=True, processes=processes, rounds=rounds
        ),
    }


def _measure(folder: Path, files: int, cameras: int, *, apart: bool, processes: int, rounds: int) -> dict[str, Any]:
    tree, database = folder / "tree", folder / "index.db"
    drawn = many(cameras, frames=files, width=128, height=72)
    paths = write_frames(tree, drawn, processes=processes, apart=apart)
    ingest(database, tree, processes=processes)
    seen: set[int] = set()

    def again() -> None:
        report = ingest(database, tree, processes=1)
        seen.add(report.outcomes["unchanged"])

    def walk() -> None:
        bare_walk(tree)

    timings = side_by_side({"again": again, "walk": walk}, rounds=rounds)
    if seen != {len(paths)}:
        raise RuntimeError(f"of {len(paths)} files {seen} were unchanged")
    return {"files": len(paths), **ratios(timings, slow="again", fast="walk")}


def bare_walk(folder: Path) -> int:
    """The bytes of all files below a folder, by `os.walk` and `os.stat`."""
    return sum(os.stat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)
