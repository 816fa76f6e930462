"""The whole command `ingest` on two cores against a bare loop on one that reads, decodes (with the same flags) and
prepares the same JPEG files.

The loop is a process of its own, as anybody would write it, that knows nothing of indexer and its care for memory. Both
are timed from their start to their end; the workflow once more in this process, so that the price of starting Python
and loading libraries can be told from the work. The files are in the system's cache for all of them.
"""

import itertools
import shutil
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.domain.descriptions import Limits
from indexer.execution import processes as engine_of
from indexer.store.schema import open_database
from indexer.workflows.ingest import ingest as workflow
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.outcomes import IngestReport
from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.measuring import ROOT, manage, ratios, rounded, run, side_by_side

SIZES = ((1280, 720), (1920, 1080))

_BARE = """
import sys
from pathlib import Path
import cv2
from tests.benchmarks import plain
cv2.setNumThreads(1)
for path in sorted(Path(sys.argv[1]).rglob("*.jpg")):
    plain.prepare(path.read_bytes(), width=int(sys.argv[2]))
"""


def measure(
    folder: Path,
    *,
    frames: int = 4000,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    cameras: int = 4,
    processes: int = 2,
    rounds: int = 3,
) -> dict[str, Any]:
    """Per size of the frames: seconds of the bare loop, the command and the workflow, and the ratios."""
    found = {}
    for width, height in sizes:
        place = folder / f"{width}"
        drawn = many(cameras, frames=frames, width=width, height=height)
        paths = write_frames(place, drawn, processes=processes)
        found[f"{width}x{height}"] = {"frames": len(paths)} | _measure(
            folder, place, width=width, processes=processes, rounds=rounds
        )
        shutil.rmtree(place)
    return found


def _measure(folder: Path, place: Path, *, width: int, processes: int, rounds: int) -> dict[str, Any]:
    numbers = itertools.count()

    def bare() -> None:
        run([sys.executable, "-c", _BARE, str(place), str(width)], folder=ROOT)

    def command() -> None:
        database = folder / f"command-{width}-{next(numbers)}.db"
        manage("--db", database, "ingest", place, "--processes", processes, folder=folder)

    def inside() -> None:
        ingest(folder / f"inside-{width}-{next(numbers)}.db", place, processes=processes)

    timings = side_by_side({"bare": bare, "command": command, "inside": inside}, rounds=rounds)
    return {
        **ratios(timings, slow="bare", fast="command"),
        "inside_s": rounded(timings["inside"].best_s),
        "ratio_inside": rounded(timings["bare"].best_s / timings["inside"].best_s),
    }


def ingest(database: Path, folder: Path, *, processes: int) -> IngestReport:
    """Takes a folder in through the workflow, in this process and its workers."""
    with closing(open_database(str(database), create=True)) as opened, engine_of(processes, max_batch=8) as spread:
        found = discover([str(folder)])
        return workflow.ingest(opened, found, executor=spread, limits=Limits(), clock=lambda: datetime.now(UTC))
