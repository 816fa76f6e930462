"""What can happen to a file between a plan and the act, and the few files that it happens to."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer.store.database import Database
from tests.support.index import BIRD, Index, name, picture

KEEPER, COPY, BIRDS = name(0), f"day/{name(1)}", f"day/{name(2)}"
SAME_SIZE = picture()[:-1] + b"?"


def make_lot(database: Database, site: Path) -> Index:
    """A keeper, and in a folder of theirs a copy of it and a picture that shows the same; all decided."""
    (site / "frames").mkdir(parents=True)
    index = Index(database, site / "frames")
    for file, content in {KEEPER: picture(), COPY: picture(), BIRDS: picture(BIRD)}.items():
        index.put(file, content)
    index.ingest()
    index.compare()
    return index


def contents(lot: Index) -> list[bytes]:
    """The bytes of every file, wherever it lies."""
    return sorted(content for content, _ in lot.tree().values())


def journal(lot: Index) -> list[tuple[str, str, str]]:
    """File, state and problem of every row of the journal, oldest first."""
    found = lot.rows("SELECT path, state, COALESCE(problem, pending, '') FROM removals ORDER BY id")
    return [(lot.file(path), state, problem) for path, state, problem in found]


def rewrite(path: Path, content: bytes) -> None:
    """Other bytes in the file, its time as before."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace(path: Path) -> None:
    """Another file of equal size and time in its place."""
    shutil.copy2(path, path.with_suffix(".new"))
    rewrite(path.with_suffix(".new"), SAME_SIZE)
    path.with_suffix(".new").replace(path)


def put_away(path: Path) -> Path:
    """The file under another name beside it."""
    return path.rename(path.with_suffix(".away"))


HARMS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "longer": (lambda path: path.write_bytes(picture() + b"?"), "bytes instead of"),
    "edited": (lambda path: rewrite(path, SAME_SIZE), "has the size that the index knows, but other bytes"),
    "another file": (replace, "has the size that the index knows, but other bytes"),
    "a link": (lambda path: path.symlink_to(put_away(path)), "is a symbolic link now"),
    "a folder": (lambda path: (put_away(path), path.mkdir()), "no regular file now"),
    "a pipe": (lambda path: (put_away(path), os.mkfifo(path)), "no regular file now"),
    "gone": (put_away, "is missing"),
}
