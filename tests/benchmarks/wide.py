"""`compare` of many small cameras against as many images in few: the first time, and again where nothing changed.

Seconds are from the start of the command to its end, its table included, on two cores. The frames are small, as they
come from an index that was filled straight; the pairs that are scored are fewer where cameras are small.
"""

import shutil
from pathlib import Path
from typing import Any

from tests.benchmarks.cameras import Camera
from tests.benchmarks.filling import fill_index
from tests.benchmarks.measuring import manage, ratios, side_by_side


def measure(
    folder: Path, *, images: int = 6000, few: int = 20, many: int = 2000, processes: int = 2, rounds: int = 5
) -> dict[str, Any]:
    """Seconds for few and for many cameras, and how many times longer many take."""
    filled = {"few": few, "many": many}
    for name, cameras in filled.items():
        made = [Camera(f"c{place:05}", images // cameras) for place in range(cameras)]
        fill_index(folder / f"{name}-filled.db", made, processes=processes)

    def compare(name: str) -> None:
        manage("--db", folder / f"{name}.db", "compare", "--processes", processes, folder=folder)

    def as_filled(name: str) -> None:
        for old in folder.glob(f"{name}.db*"):
            old.unlink()
        shutil.copy(folder / f"{name}-filled.db", folder / f"{name}.db")

    ways = {name: lambda name=name: compare(name) for name in filled}
    first = side_by_side(ways, rounds=rounds, before=as_filled)
    again = side_by_side(ways, rounds=rounds)
    counts = {"images": images, "few": few, "many": many}
    return {
        "the first time": counts | ratios(first, slow="many", fast="few"),
        "again, nothing changed": counts | ratios(again, slow="many", fast="few"),
    }
