"""What `advise` finds, the usual rules beside it, and what it costs: ten cameras with 5 000 images of 1920x1080 each.

Faults are planted for a day in made-up fortnights (`tests/support/fortnights.py`) and shifts in sample frames, if there
are any; so many cameras are tried of each. A rule that finds something on a camera without a fault is wrong. The rules
beside: one phase correlation of the edges with the median frame, and the limits of cleanvision. They are given the same
frames, and count as found if they flag ten of those with the fault, or ten of all where there is none.

The images of the ten cameras are rows: each of 40 pictures has 125 names.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.imaging.condition import grey_for_comparison
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw, encode
from tests.benchmarks import naive
from tests.benchmarks.measuring import SAMPLES, manage, rounded
from tests.support.camera_days import LOCATIONS, Picture, examined, planted, shifted
from tests.support.fortnights import FAULTS, Fault, Fortnight

_MIN_FLAGGED = 10
_STILL = ("c01", "c07", "c09")  # sample cameras that stand still, with frames enough
_MOVES: Mapping[str, Callable[[Picture], Picture]] = {
    "2 px": partial(shifted, right=2),
    "3, -2 px": partial(shifted, right=3, down=-2),
    "12 px": partial(shifted, right=8, down=-9),
    "turned by 1 degree": partial(shifted, turn=1),
    "zoomed by 1 %": partial(shifted, zoom=1.01),
}


def measure(
    folder: Path,
    *,
    fortnights: int = 3,
    faults: Sequence[Fault] = tuple(FAULTS),
    frames: int = 200,
    cameras: int = 10,
    images: int = 5_000,
    pictures: int = 40,
    size: tuple[int, int] = (1920, 1080),
    processes: int = 2,
    with_samples: bool = True,
) -> dict[str, Any]:
    """Cameras on which each fault is found, and the seconds and megabytes of the command."""
    command = _command(folder, cameras, images, pictures, size, processes)
    found: dict[str, Any] = {"no fault": _planted(None, range(fortnights), frames)}
    found |= {fault: _planted(fault, range(fortnights), frames) for fault in faults}
    of_faults = [found[fault] for fault in faults]
    totals = {key: sum(one[key] for one in of_faults) for key in ("cameras", "found", "correlation", "cleanvision")}
    found["all faults"] = totals | {"share": rounded(totals["found"] / max(totals["cameras"], 1))}
    if with_samples and SAMPLES.is_dir():
        found["moves of sample frames"] = _moved_samples()
    found["command"] = command
    return found


def _planted(fault: Fault | None, seeds: Sequence[int], frames: int) -> dict[str, int]:
    """On how many cameras the fault is found; without one, on how many anything is."""
    counts = {"cameras": len(seeds), "found": 0, "correlation": 0, "cleanvision": 0}
    for seed in seeds:
        fortnight = Fortnight(seed, fault)
        greys: dict[int, NDArray[np.uint8]] = {}
        flagged: set[int] = set()

        def look(
            number: int,
            picture: Picture,
            fortnight: Fortnight = fortnight,
            greys: dict[int, NDArray[np.uint8]] = greys,
            flagged: set[int] = flagged,
        ) -> None:
            greys[number] = grey_for_comparison(picture)
            if (fault is None or fortnight.is_faulty(number)) and naive.issues(picture):
                flagged.add(number)

        kinds = {str(finding.kind) for finding in fortnight.examine(most=frames, seen=look).findings}
        counts["found"] += bool(kinds) if fault is None else FAULTS[fault] in kinds
        shifts = dict(zip(greys, naive.shifts_px([*greys.values()]), strict=True))
        moved = {number for number, shift in shifts.items() if shift >= naive.MIN_SHIFT_PX}
        for name, numbers in (("correlation", moved), ("cleanvision", flagged)):
            counts[name] += sum(fault is None or fortnight.is_faulty(number) for number in numbers) >= _MIN_FLAGGED
    return counts


def _moved_samples() -> dict[str, int]:
    """Moves that are planted in the second half of the frames of sample cameras, found, and dated to the frame."""
    counts = {"cameras": 0, "found": 0, "dated": 0, "found without a move": 0, "correlation without a move": 0}
    for camera in _STILL:
        pictures = [np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted(SAMPLES.glob(f"{camera}*.jpg"))]
        begin, half = datetime.fromisoformat("2026-05-14T08:00:00+00:00"), len(pictures) // 2
        times = [begin + number * timedelta(minutes=10) for number in range(len(pictures))]
        day = list(zip(times, pictures, strict=True))
        quiet = {str(finding.kind) for finding in examined(iter(day)).findings}
        counts["found without a move"] += "moved" in quiet
        shifts = naive.shifts_px([grey_for_comparison(picture) for picture in pictures])
        counts["correlation without a move"] += max(shifts) >= naive.MIN_SHIFT_PX
        for change in _MOVES.values():
            findings = examined(planted(iter(day), change, begin=half)).findings
            moves = [finding.since for finding in findings if finding.kind == "moved"]
            counts["cameras"] += 1
            counts["found"] += bool(moves)
            counts["dated"] += moves == [times[half]]
    return counts


def _command(
    folder: Path, cameras: int, images: int, pictures: int, size: tuple[int, int], processes: int
) -> dict[str, float]:
    """Seconds and megabytes of `advise` over cameras of which each has so many images, and so many pictures."""
    lot = folder / "lot"
    lot.mkdir()
    begin = datetime(2026, 5, 1)
    apart = timedelta(days=14) / images
    for camera in range(cameras):
        scene = Scene(LOCATIONS[camera % 3], seed=camera, width=size[0], height=size[1])
        for number in range(pictures):
            things = (Thing("walker", 60 + 13 * number, 330, 90),) if number % 2 else ()
            picture = draw(scene, things=things, light=Light(0.8 + number % 7 / 40), seed=number)
            time = begin + number * apart
            (lot / f"c{camera:02d}_{time:%Y_%m_%d__%H_%M_%S}.jpg").write_bytes(encode(picture))
    database = folder / "advise.db"
    for command in (("ingest", lot), ("compare",)):
        manage("--db", database, *command, "--processes", processes, folder=folder)
    _multiply(database, times=images // pictures, apart=pictures * apart)
    ran = manage("--db", database, "advise", "--json", "--processes", processes, folder=folder, watched=True)
    looked_at = sum(camera["frames"] for camera in json.loads(ran.out)["cameras"])
    return {
        "cameras": cameras,
        "images": cameras * images,
        "looked_at": looked_at,
        "seconds": rounded(ran.seconds),
        "processor_s": rounded(ran.processor_s),
        "resident_mb": ran.resident_mb,
        "own_mb": ran.own_mb,
    }


def _multiply(database: Path, *, times: int, apart: timedelta) -> None:
    """Gives each image so many names, as hard links, each a while later than the one before; all but the first are
    duplicates of the keeper of the first."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM images")]
        keepers = dict(connection.execute("SELECT image_id, COALESCE(keeper_id, image_id) FROM decisions").fetchall())
        decision = dict(connection.execute("SELECT * FROM decisions WHERE keeper_id IS NULL").fetchone())
        number = max(row["id"] for row in rows)
        for again in range(1, times):
            for row in rows:
                number += 1
                path = f"{row['path'].removesuffix('.jpg')}-{again}.jpg"
                os.link(row["path"], path)
                taken = datetime.fromisoformat(row["captured_at"]) + again * apart
                later = {"id": number, "path": path, "captured_at": taken.isoformat(sep=" ", timespec="microseconds")}
                _insert(connection, "images", row | later)
                keeper = {"id": 10**6 + number, "image_id": number, "keeper_id": keepers[row["id"]]}
                placed = {"of_camera_id": row["camera_id"]}
                similar = {"verdict": "duplicate", "reason": "similar", "score": 0.0}
                _insert(connection, "decisions", decision | keeper | placed | similar)
        connection.commit()


def _insert(connection: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
