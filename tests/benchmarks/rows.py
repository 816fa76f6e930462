"""An index of any size made of rows alone: no picture is drawn and no file is there, so that a million take a minute.

It promises what queries go by: cameras of very different size, their images interleaved in time as they would arrive, a
current decision for every image, three scores an image, and some of all else: removals, verdicts, pins, older
decisions, files that were unreadable or are missing, twins, equal files of two cameras. It does not promise that a
score is what its thumbnails show. Equal arguments give equal rows.
"""

import heapq
import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from indexer.domain.camera_images import CameraImages
from indexer.domain.decisions import Placement
from indexer.domain.images import Image
from indexer.domain.reach import rank_classes
from indexer.store.schema import open_database

FOLDER = "/frames"
FIRST = datetime(2025, 1, 1)
SIZE_BYTES, WIDTH = 300_000, 1280

_SHARPNESS = 50.5
_MICROSECOND = timedelta(microseconds=1)
_EPOCH, _SECOND, _YEAR = datetime(1970, 1, 1), timedelta(seconds=1), timedelta(days=365)
_SHRINKS = 0.75  # each camera has so much of the images of the one before
_KEEPER_EVERY = 20
_COLUMNS = {
    "images": "id path root camera_id camera_source captured_at captured_at_source width height file_size mtime_ns "
    "content_hash sharpness state state_reason run_id",
    "decisions": "id image_id profile_id verdict keeper_id score reason decided_by decided_at run_id superseded_at "
    "of_camera_id rank_class reach_class captured_us",
    "thumbnails": "image_id preparation_id width height data",
    "scores": "scoring_id image_a_id image_b_id score largest_contour contour_count changed_fraction run_id",
    "removals": "image_id keeper_id decision_id path keeper_path size_bytes content_hash keeper_hash state "
    "quarantine_path planned_at removed_at purged_at run_id",
    "verdicts": "image_a_id image_b_id verdict judged_by judged_at withdrawn_at run_id",
    "pins": "image_id reason pinned_at unpinned_at run_id",
    "pictures": "image_id width height data",
}
_AT_ONCE = 20_000  # rows that are put in together

Row = tuple[Any, ...]


class Capture(NamedTuple):
    """An image of a camera, by its number there; twins are half a second apart, and the second is named by date."""

    at: datetime
    camera: int
    number: int
    by_epoch: bool


@dataclass
class Known:
    """An image that later ones of its camera refer to."""

    id: int
    at: datetime
    path: str
    content_hash: str
    decision_id: int


def fill_rows(
    path: Path,
    images: int,
    *,
    cameras: int = 20,
    thumbnails: Sequence[bytes] = (b"\x89PNG",),
    pictures: Sequence[bytes] = (b"\xff\xd8",),
    folder: str = FOLDER,
    height: int = 720,
) -> None:
    """Makes an index at a path, of images 1280 wide and so high; their thumbnails, 320 wide, are taken in turn."""
    open_database(str(path), create=True).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        connection.execute("BEGIN")
        _fill_small(connection, cameras)
        waiting: dict[str, list[Row]] = defaultdict(list)
        for number, (table, row) in enumerate(_rows(images, cameras, thumbnails, pictures, folder, height), start=1):
            waiting[table].append(row)
            if number % _AT_ONCE == 0:
                _flush(connection, waiting)
        _flush(connection, waiting)
        connection.execute("COMMIT")


def path_of(capture: Capture, *, folder: str = FOLDER) -> str:
    """Where an image is: named by the epoch, or by date and time."""
    name = f"-{(capture.at - _EPOCH) // (_SECOND / 1000)}" if capture.by_epoch else f"_{capture.at:%Y_%m_%d__%H_%M_%S}"
    return f"{folder}/c{capture.camera:02}/c{capture.camera:02}{name}.jpg"


def sizes(images: int, cameras: int) -> list[int]:
    """The images of each camera: the first has a quarter of a million, the twentieth a thousand."""
    weights = [_SHRINKS**number for number in range(cameras)]
    found = [max(1, round(images * weight / sum(weights))) for weight in weights]
    return [images - sum(found[1:]), *found[1:]]


def captures(camera: int, count: int) -> Iterator[Capture]:
    """The images of a camera, evenly over a year; of some cameras now and then two within a second."""
    for number in range(count):
        twin = camera % 4 == 3 and number % 50 == 49
        place = number - 1 if twin else number
        at = FIRST + _YEAR * place / count + camera * _SECOND
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        yield Capture(at + _SECOND / 2 if twin else at, camera, number, not twin)


def state_of(capture: Capture) -> str:
    """What became of an image."""
    if _keeps(capture):
        return "missing" if capture.number % 10_000 == 20 else "ready"
    if capture.number % 25 == 3:
        return "removed"
    return {5: "missing", 6: "unreadable"}.get(capture.number % 1000, "ready")


def mtime_ns_of(capture: Capture) -> int:
    """When its file was written: as it was taken, to the millisecond."""
    return (capture.at - _EPOCH) // (_SECOND / 1000) * 1_000_000


def _fill_small(connection: sqlite3.Connection, cameras: int) -> None:
    connection.executemany("INSERT INTO cameras (name) VALUES (?)", [(f"c{number:02}",) for number in range(cameras)])
    days = [FIRST + timedelta(days=day) for day in range(367)]
    counts = {"ingest": '{"in_system_folders": 0}', "compare": "{}"}
    runs = [
        (command, "{}", "0", _text(day), _text(day), "done", said) for day in days for command, said in counts.items()
    ]
    connection.executemany(
        "INSERT INTO runs (command, arguments, version, started_at, finished_at, outcome, counts) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        runs,
    )


def _flush(connection: sqlite3.Connection, waiting: dict[str, list[Row]]) -> None:
    for table, names in _COLUMNS.items():
        marks = ", ".join("?" * len(names.split()))
        insert = f"INSERT INTO {table} ({', '.join(names.split())}) VALUES ({marks})"
        connection.executemany(insert, waiting.pop(table, []))


def _rows(
    images: int, cameras: int, thumbnails: Sequence[bytes], pictures: Sequence[bytes], folder: str, height: int
) -> Iterator[tuple[str, Row]]:
    """The rows of all large tables, image by image as they arrive."""
    chance = random.Random(7)
    arriving = heapq.merge(*(captures(camera, count) for camera, count in enumerate(sizes(images, cameras))))
    before: dict[int, list[Known]] = defaultdict(list)
    decision_id = 0
    for image_id, capture in enumerate(arriving, start=1):
        keepers = before[capture.camera]
        keeps = _keeps(capture)
        run_id = 1 + 2 * (capture.at - FIRST).days
        decision_id += 1
        known = Known(image_id, capture.at, path_of(capture, folder=folder), _hash(capture), decision_id)
        keeper = None if keeps else keepers[-1]
        state = state_of(capture)
        yield "images", _image(known, capture, state, run_id, folder, height)
        yield "thumbnails", (image_id, 1, 320, height // 4, thumbnails[image_id % len(thumbnails)])
        score = chance.randrange(1_000_000) / 1000
        yield "decisions", _decision(known, keeper, score, capture, run_id + 1, height)
        yield from _scores(image_id, keepers[-3:], score, chance, run_id + 1)
        if keeper is not None and state == "removed":
            purged = capture.number % 4 == 0
            yield "removals", _removal(known, keeper, capture.at, run_id + 1, purged=purged)
            yield "pictures", (image_id, 320, height // 4, pictures[image_id % len(pictures)])
        if keeper is not None and capture.number % 2000 == 7:
            yield "verdicts", (keeper.id, image_id, "same", "Ada", _text(capture.at), None, run_id + 1)
        if capture.number % 4000 == 11:
            yield "pins", (image_id, "pin", _text(capture.at), None, run_id + 1)
        if capture.number % 25 == 0:
            decision_id += 1
            yield "decisions", _superseded(decision_id, image_id, capture.at, run_id + 1)
        if keeps:
            keepers.append(known)
            del keepers[:-3]


def _keeps(capture: Capture) -> bool:
    return capture.number % _KEEPER_EVERY == 0


def _image(known: Known, capture: Capture, state: str, run_id: int, folder: str, height: int) -> Row:
    source = "mtime" if capture.number % 5000 == 13 else "name"
    reason = {"missing": "not found", "unreadable": "it has no header of an image"}.get(state)
    place = (known.id, known.path, f"{folder}/c{capture.camera:02}", capture.camera + 1, "name")
    measured = (WIDTH, height, SIZE_BYTES, mtime_ns_of(capture), known.content_hash, _SHARPNESS)
    return (*place, _text(capture.at), source, *measured, state, reason, run_id)


def _decision(known: Known, keeper: Known | None, score: float, capture: Capture, run_id: int, height: int) -> Row:
    said: Row = ("keep", None, None, "new")
    placement = Placement(capture.camera + 1)
    if keeper is not None:
        said = ("duplicate", keeper.id, score, "similar")
        reach = (abs(known.at - keeper.at) // _MICROSECOND).bit_length()
        placement = Placement(capture.camera + 1, _rank_class(height), reach, (known.at - _EPOCH) // _MICROSECOND)
    return (known.decision_id, known.id, 1, *said, "compare", _text(capture.at), run_id, None, *placement)


@cache
def _rank_class(height: int) -> int:
    image = Image(1, f"{FOLDER}/1.jpg", WIDTH, height, _SHARPNESS, "")
    return int(rank_classes(CameraImages.of([image]))[0])


def _superseded(decision_id: int, image_id: int, at: datetime, run_id: int) -> Row:
    said: Row = ("keep", None, None, "new", "compare", _text(at), run_id, _text(at))
    return (decision_id, image_id, 1, *said, *Placement(None))


def _scores(
    image_id: int, keepers: Sequence[Known], score: float, chance: random.Random, run_id: int
) -> Iterator[tuple[str, Row]]:
    """Of an image and the last keepers before it; the last of them is the one that stands for a duplicate."""
    for place, keeper in enumerate(reversed(keepers)):
        shown = score if place == 0 else 1000 + chance.randrange(3_000_000) / 1000
        yield "scores", (1, keeper.id, image_id, shown, shown / 2, 2, shown / 307_200, run_id)


def _removal(known: Known, keeper: Known, at: datetime, run_id: int, *, purged: bool) -> Row:
    place = f"/.indexer-quarantine/{known.id}.jpg"
    hashes = (SIZE_BYTES, known.content_hash, keeper.content_hash)
    state, when = ("purged", _text(at)) if purged else ("quarantined", None)
    names = (known.id, keeper.id, known.decision_id, known.path, keeper.path)
    return (*names, *hashes, state, place, _text(at), _text(at), when, run_id)


def _hash(capture: Capture) -> str:
    """Of the content; now and then two cameras have equal ones."""
    shared = capture.number % 10_000 == 9_999 and capture.camera < 4
    return sha256(f"{'' if shared else capture.camera} {capture.number}".encode()).hexdigest()


def _text(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="microseconds")
