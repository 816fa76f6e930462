"""What the removal drills work on: a few frames and their index, set again for each trial, and what a trial leaves.

No verdicts: `facts` tells where every frame lies and what the journal says of it.
"""

import errno
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import stat
import struct
import traceback
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from indexer.files.folder_lock import LOCK_NAME
from indexer.files.witness_record import RECORD_NAME, list_last_removals
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.workflows.context import ComparisonContext
from indexer.workflows.removal import prune, purge, restore
from indexer.workflows.removal.remove_file import RemovalOptions
from tests.support.own_files import OWN_FILES

FILES = 3
MIDDLE = "1"
MTIME_NS = 1_600_000_000_000_000_000

Clock = Callable[[], datetime]


def frame(number: int) -> bytes:
    """A tiny grey PNG that shows what all show, in bytes of its own; made by hand, forks of a big process are slow."""
    grey = bytearray(random.Random(7).choices(range(96, 104), k=64 * 96))
    grey[0] = 96 + number  # under the mask
    lines = b"".join(b"\0" + grey[row * 96 : (row + 1) * 96] for row in range(64))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 96, 64, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


FRAMES = {"keeper": frame(0), **{str(number): frame(number + 1) for number in range(FILES)}}
CHANGED = FRAMES[MIDDLE][:-1] + b"?"
LABELS = {hashlib.sha256(data).hexdigest(): label for label, data in [*FRAMES.items(), (MIDDLE, CHANGED)]}


def name(label: str) -> str:
    """Where a frame lies below the root; every duplicate has a folder of its own."""
    minute = 0 if label == "keeper" else int(label) + 1
    file = f"gate-{1_623_844_800_000 + minute * 60_000}.png"
    return file if label == "keeper" else f"day{label}/{file}"


class Scene:
    """The folder that all is in: the frames below `site/frames`, the index in `index`, each set again for a trial."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "site" / "frames"
        self.index = folder / "index" / "indexer.db"
        self.index.parent.mkdir()
        self.database = open_database(str(self.index), create=True)
        self.tolerance_ns = 0

    def keep(self, stage: str) -> None:
        """Remembers how all is now."""
        for part in ("site", "index"):
            shutil.copytree(self.folder / part, self.folder / stage / part)

    def reset(self, stage: str) -> None:
        """Makes all as it was."""
        for part in ("site", "index"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
            shutil.copytree(self.folder / stage / part, self.folder / part)


_ERRORS = "|".join(map(os.strerror, (errno.EACCES, errno.ENOSPC, errno.EIO)))
_PASSING = re.compile(rf"{_ERRORS}|Errno \d+|\b[0-9a-f]{{32}}\b")  # the last: a token


def standing(second: int) -> Clock:
    """A clock that stands still: rows do not depend on how often it was asked."""
    return lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


def ticking(start: int) -> Clock:
    """A clock of seconds."""
    seconds = count(start)
    return lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(seconds))


def decide(scene: Scene) -> None:
    """Takes all in and decides."""
    from indexer.domain.descriptions import Limits
    from indexer.execution import local_executor
    from indexer.workflows.compare import compare
    from indexer.workflows.context import no_progress
    from indexer.workflows.ingest import ingest
    from indexer.workflows.ingest.discovery import discover

    clock = ticking(0)
    with closing(scene.database), local_executor(1) as spread:
        ingest.ingest(scene.database, discover([str(scene.root)]), executor=spread, limits=Limits(), clock=clock)
        compare.compare(ComparisonContext(scene.database, spread, Limits(), clock, no_progress))


def make(scene: Scene) -> None:
    """The index after compare, and after prune with the middle one's folder gone; every command was run once."""
    for label, data in FRAMES.items():
        path = scene.root / name(label)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
    in_a_fork(lambda: decide(scene))
    scene.keep("decided")
    clock, database = ticking(100), scene.database
    with closing(database):
        prune_now(database, clock)
    (scene.root / "day1").rmdir()
    scene.keep("quarantined")
    with closing(database):
        restore_now(database, clock)
        purge_now(database, clock)


def prune_now(database: Database, clock: Clock, *, permanent: bool = False) -> int:
    """How many removals failed."""
    report = prune.prune(database, prune.plan(database), options=RemovalOptions(permanent), camera=None, clock=clock)
    return len(report.failures)


def delete_now(database: Database, clock: Clock) -> int:
    """How many deletions failed."""
    return prune_now(database, clock, permanent=True)


def restore_now(database: Database, clock: Clock) -> int:
    """How many did not come back."""
    return len(restore.restore(database, restore.RestoreSelection(everything=True), pin=True, clock=clock).failures)


def purge_now(database: Database, clock: Clock) -> int:
    """How many were kept."""
    return len(purge.purge(database, purge.PurgeSelection(), clock=clock).skipped)


def facts(scene: Scene) -> dict[str, Any]:
    """Where each frame lies whole and with its time, what the journal says of it last, and digests of all that is."""
    site = scene.folder / "site"
    places: dict[str, list[str]] = {label: [] for label in FRAMES}
    strangers: list[str] = []
    for path in sorted(path for path in site.rglob("*") if path.is_file() and path.name not in OWN_FILES):
        label = LABELS.get(hashlib.sha256(path.read_bytes()).hexdigest())
        if label is None or abs(path.stat().st_mtime_ns - MTIME_NS) > scene.tolerance_ns:
            strangers.append(spot(scene, path))
        else:
            places[label].append(spot(scene, path))
    with closing(sqlite3.connect(scene.index)) as index:
        rows = index.execute(
            "SELECT i.path, i.state, r.state, r.pending, r.quarantine_path FROM images i LEFT JOIN removals r "
            "ON r.id = (SELECT MAX(id) FROM removals WHERE image_id = i.id)"
        ).fetchall()
        tables = [table for (table,) in index.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        dump = [index.execute(f"SELECT * FROM {table}").fetchall() for table in sorted(tables) if table != "runs"]
    labels = {str(scene.root / name(label)): label for label in FRAMES}
    records = [str(record.parent) for record in site.rglob(RECORD_NAME)]
    tree = sorted((str(path), path.stat().st_ino, path.stat().st_mtime_ns) for path in site.rglob("*"))
    return {
        "places": places,
        "strangers": strangers,
        "images": {labels[path]: state for path, state, *_ in rows},
        "journal": {labels[path]: [state, pending] for path, _, state, pending, _ in rows},
        "recorded": sorted(LABELS[line.removed_hash] for _, line in list_last_removals(records, contents=set(LABELS))),
        "journal_place": {labels[path]: place and spot(scene, Path(place)) for path, *_, place in rows},
        "index": hashlib.sha256(repr(dump).encode()).hexdigest(),
        "tree": hashlib.sha256(repr(tree).encode()).hexdigest(),
    }


def state(scene: Scene) -> str:
    """A digest of what a killed process leaves to the next one: files and folders of the site, and committed rows.

    Two trials with one digest go on alike. What no two runs have in common and no command acts on is left out: inode
    numbers (but not which names share a file), the times of the tool's own files, the text of a lock file and of an
    error, and tokens.
    """
    numbers: dict[int, int] = {}
    found: list[Any] = []
    for path in sorted((scene.folder / "site").rglob("*")):
        status = path.lstat()
        number = numbers.setdefault(status.st_ino, len(numbers))
        found.append((str(path), number, status.st_mode))
        if stat.S_ISREG(status.st_mode):
            found.append(_lasting_content(path, status))
    with closing(sqlite3.connect(scene.index)) as index:
        tables = sorted(name for (name,) in index.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        for table in tables:
            for row in index.execute(f"SELECT * FROM {table}"):
                found.append((table, [_digest(value) if isinstance(value, bytes) else value for value in row]))
    return hashlib.sha256(_PASSING.sub("", repr(found)).encode()).hexdigest()


def _lasting_content(path: Path, status: os.stat_result) -> tuple[Any, ...]:
    if path.name == LOCK_NAME:
        return ()
    return (path.read_bytes(),) if path.name in OWN_FILES else (status.st_mtime_ns, _digest(path.read_bytes()))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def open_files(scene: Scene) -> list[str]:
    """The files and folders of the scene that this process has open."""
    targets = (os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
    return sorted(target for target in targets if target.startswith(str(scene.folder)))


def spot(scene: Scene, path: Path) -> str:
    """`home` for the place where a frame was, else where below the site it is."""
    return (
        "home" if path in {scene.root / name(label) for label in FRAMES} else str(path.relative_to(scene.root.parent))
    )


def in_a_fork(work: Callable[[], Any]) -> Any:
    """What the work says, in a process of its own; None if that was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as out:
                json.dump(work(), out)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as said:
        answer = said.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    assert status == 0, f"a fork ended with {status}"
    return json.loads(answer)
