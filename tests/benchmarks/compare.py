"""The whole command `compare` against a loop of plain OpenCV with the same search order, on the same index.

The command is timed from its start to its end, imports included; the loop (`plain.search`) reads and decodes the same
thumbnails, in this process and on one core, its imports excluded. Both must come to the same decisions and record the
same scores, to the last bit.
"""

import shutil
from pathlib import Path
from typing import Any

from tests.benchmarks import plain
from tests.benchmarks.cameras import BUSY, MIXED, Camera, many
from tests.benchmarks.filling import fill_index
from tests.benchmarks.measuring import manage, one_core, ratios, side_by_side


def measure(
    folder: Path, *, frames: int = 4000, cameras: int = 30, processes: int = 2, rounds: int = 3
) -> dict[str, Any]:
    """For busy and for mixed cameras, and for busy ones with three times as many frames (once): seconds of both, their
    ratio, and the number of rows in which they differ."""
    return {
        name: _measure(folder, many(cameras, frames=count, kinds=kinds), processes=processes, rounds=times)
        for name, count, kinds, times in (
            ("busy", frames, BUSY, rounds),
            ("mixed", frames, MIXED, rounds),
            ("busy, three times as many", 3 * frames, BUSY, 1),
        )
    }


def _measure(folder: Path, drawn: list[Camera], *, processes: int, rounds: int) -> dict[str, Any]:
    index, fresh = folder / "index.db", folder / "fresh.db"
    fresh.unlink(missing_ok=True)
    count = fill_index(fresh, drawn, processes=processes)
    found: dict[str, plain.Answers] = {}

    def command() -> None:
        manage("--db", index, "compare", "--processes", processes, folder=folder)

    def loop() -> None:
        found["loop"] = plain.search(index)

    def renew(way: str) -> None:
        if way == "command":
            _copy(fresh, index)

    with one_core():
        timings = side_by_side({"command": command, "loop": loop}, rounds=rounds, before=renew)
    said = plain.say(index)
    return {
        "frames": count,
        "cameras": len(drawn),
        "kept": sum(camera.keepers for camera in drawn),
        "pairs": found["loop"].pairs,
        **ratios(timings, slow="loop", fast="command"),
        "differences": plain.differences(found["loop"], said),
    }


def compile_once(folder: Path, *, processes: int = 2) -> None:
    """Compares a small index, so that what is compiled at first use and then kept on the disk is there."""
    index = folder / "compiled.db"
    fill_index(index, [Camera(frames=250, busy=1.0, fresh=0.9)])
    manage("--db", index, "compare", "--processes", processes, folder=folder)


def _copy(index: Path, target: Path) -> None:
    """A copy of an index that nobody works on, in the place of another."""
    for leftover in (f"{target.name}-wal", f"{target.name}-shm"):
        (target.parent / leftover).unlink(missing_ok=True)
    shutil.copy(index, target)
