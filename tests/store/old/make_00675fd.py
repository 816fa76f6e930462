"""Makes `00675fd.sql`: an index as commit 00675fd left it, with one of everything that a person can have done.

    git checkout 00675fd && python make_00675fd.py > 00675fd.sql

Kept as it was run, with that commit's names. The frames are made up: a flat scene with a box. The folder they lay in is
written as /srv/site in the dump, as no test needs the files.
"""

import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from indexer.engines import engine
from indexer.pixels.headers import Limits
from indexer.workflows.looking import look
from indexer.workflows.removing import Manner
from indexer.workflows.watching import silent

from indexer.store.schema import open_database
from indexer.workflows import compare, ingest, pin, profile, prune, purge, restore, verdict

SECONDS = count()


def clock() -> datetime:
    """The next second."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(SECONDS))


def frame(box: int, stamp: int) -> bytes:
    """A PNG of a flat scene with a white box of so many pixels a side; another stamp shows the same."""
    image = np.full((120, 160), 90, np.uint8)
    image[60:, :] = 120
    image[40 : 40 + box, 60 : 60 + box] = 255
    image[0, stamp] = 91
    return cv2.imencode(".png", image)[1].tobytes()


def name(camera: str, minute: int) -> str:
    """A file name of the original data set's first form."""
    return f"{camera}-{1_623_844_800_000 + minute * 60_000}.png"


def main() -> None:
    """Writes the dump to standard output."""
    site = Path(os.path.realpath(tempfile.mkdtemp()))
    lot = site / "lot"
    frames = [("gate", minute, box) for minute, box in enumerate((0, 0, 0, 0, 40, 40, 2, 3))]
    frames += [("yard", minute, box) for minute, box in enumerate((0, 0, 9, 9))]
    for stamp, (camera, minute, box) in enumerate(frames):
        path = lot / camera / name(camera, minute)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(frame(box, stamp))
        os.utime(path, ns=(1_600_000_000_000_000_000 + stamp, 1_600_000_000_000_000_000 + stamp))
    (lot / os.fsdecode(b"caf\xe9.png")).write_bytes(b"no picture")
    database = open_database(str(site / "indexer.db"), create=True)
    with closing(database), engine(1) as spread:
        ingest.ingest(database, look([str(lot)]), spread=spread, limits=Limits(), clock=clock)
        profile.make_profile(database, "loose", base="balanced", changes={"max_score": 2000.0}, clock=clock)
        compare.compare(compare.Means(database, spread, Limits(), clock, silent))
        gate = [str(lot / "gate" / name("gate", minute)) for minute in range(8)]
        verdict.give(database, gate[0], gate[3], "different", by="Ada", note="a shadow", clock=clock)
        pin.pin(database, [gate[5]], clock=clock)
        compare.compare(compare.Means(database, spread, Limits(), clock, silent))
        shown = prune.plan(database, camera="gate")
        prune.prune(database, shown, manner=Manner(), camera="gate", clock=clock)
        restore.restore(database, restore.wish([gate[1]], everything=False, run_id=None), pin=True, clock=clock)
        prune.prune(
            database, prune.plan(database, camera="yard"), manner=Manner(permanent=True), camera="yard", clock=clock
        )
        purge.purge(database, older_than_days=0.00029, clock=clock)
        compare.compare(compare.Means(database, spread, Limits(), clock, silent))
    with closing(sqlite3.connect(site / "indexer.db")) as connection:
        for line in connection.iterdump():
            sys.stdout.write(line.replace(str(site), "/srv/site") + "\n")


if __name__ == "__main__":
    main()
