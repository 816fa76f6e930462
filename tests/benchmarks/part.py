"""A hundred new images in a camera of any size: 95 duplicates and 5 new ones, where 1 % is kept.

The rows of the camera are made up: all keepers have thumbnails that differ, and the duplicates, which nobody may read,
have none. `compare` is measured as a command, and as in a process that stays, from the new images to their decisions.
The first command of a camera with many keepers stores their signatures: its seconds are given beside the median.
"""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from indexer.domain.camera_images import CameraImages
from indexer.domain.descriptions import Limits
from indexer.domain.images import Image
from indexer.domain.profiles import DEFAULT
from indexer.domain.reach import rank_classes
from indexer.execution import serial
from indexer.imaging.preprocessing import preprocess
from indexer.imaging.thumbnails import encode
from indexer.store.schema import open_database
from indexer.workflows.compare.camera import decide_camera
from indexer.workflows.compare.thumbnail_cache import CAPACITY_BYTES, ThumbnailCache
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import mask_parameters
from indexer.workflows.runs.run import record_run
from tests.benchmarks.cameras import Camera, Painter
from tests.benchmarks.measuring import Ran, manage, rounded

BEGIN = datetime(2024, 1, 1)
KEPT_EVERY = 100
NEW, NEW_KEEPERS = 100, 5
_EPOCH, _MINUTE = datetime(1970, 1, 1), timedelta(minutes=1)
_SHARPNESS = 50.5
_AT_ONCE = 5000

_INSERTS = {
    "images": "id path root camera_id camera_source captured_at captured_at_source width height file_size mtime_ns "
    "content_hash sharpness state run_id",
    "thumbnails": "image_id preparation_id width height data",
    "decisions": "id image_id profile_id verdict keeper_id score reason decided_by decided_at run_id of_camera_id "
    "rank_class reach_class captured_us",
    "scores": "scoring_id image_a_id image_b_id score largest_contour contour_count changed_fraction run_id",
}

_SIZES = {str(count): count for count in (10_000, 100_000, 1_000_000)}

Row = tuple[Any, ...]


def measure(folder: Path, *, images: Mapping[str, int] = _SIZES, rounds: int = 3) -> dict[str, Any]:
    """Seconds and memory by the number of images."""
    rows = {}
    for name, count in images.items():
        place = folder / str(count)
        place.mkdir()
        fill(place / "index.db", count)
        painter = _painter(count)
        commands = [_command(place, painter, count, batch=batch) for batch in range(rounds)]
        stays = list(_in_process(place / "index.db", painter, count, batches=range(rounds, 2 * rounds + 1)))[1:]
        rows[name] = {
            "keepers": count // KEPT_EVERY,
            "compare_s": rounded(median(ran.seconds for ran in commands)),
            "compare_processor_s": rounded(median(ran.processor_s for ran in commands)),
            "first_processor_s": rounded(commands[0].processor_s),
            "compare_mb": max(ran.resident_mb for ran in commands),
            "stays_s": rounded(median(seconds for seconds, _ in stays)),
            "stays_processor_s": rounded(median(processor_s for _, processor_s in stays)),
        }
        shutil.rmtree(place)
    return rows


def _command(folder: Path, painter: Painter, images: int, *, batch: int) -> Ran:
    add_new(folder / "index.db", painter, images, batch=batch)
    ran = manage("--db", folder / "index.db", "compare", "--json", folder=folder, watched=True)
    _check(sum(camera["decided"] for camera in json.loads(ran.out)["cameras"]))
    return ran


def _in_process(path: Path, painter: Painter, images: int, *, batches: range) -> Iterator[tuple[float, float]]:
    """Seconds and seconds on the processor of each batch, in one process, with one cache of thumbnails."""
    with (
        closing(open_database(str(path))) as database,
        serial() as executor,
        ThumbnailCache(capacity_bytes=CAPACITY_BYTES) as cache,
    ):
        context = ComparisonContext(database, executor, Limits(), lambda: datetime.now(UTC))
        for batch in batches:
            add_new(path, painter, images, batch=batch)
            begin, begin_processor = time.perf_counter(), time.process_time()
            with record_run(database, "compare", arguments={}, clock=context.clock, by_camera=True) as run:
                result = decide_camera(context, "c01", run=run, cache=cache)
            yield time.perf_counter() - begin, time.process_time() - begin_processor
            _check(result.decided)


def _check(decided: int) -> None:
    if decided != NEW:
        raise RuntimeError(f"{decided} images were decided, not {NEW}")


def fill(path: Path, images: int, *, closest: int = 0) -> None:
    """Makes an index with one camera, decided.

    `closest`: so many duplicates, spread over the camera, have recorded scores just below the limit, so that people can
    judge them; then all duplicates have recorded scores. These have thumbnails, and so have all that show what they
    show: a verdict can be followed by decisions.
    """
    open_database(str(path), create=True).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute("INSERT INTO cameras (id, name) VALUES (1, 'c01')")
        connection.execute(
            "INSERT INTO runs (id, command, arguments, version, started_at, finished_at, outcome, counts) VALUES "
            "(1, 'ingest', '{}', '0', ?, ?, 'done', '{\"in_system_folders\": 0}')",
            (_text(BEGIN), _text(BEGIN)),
        )
        painter = _painter(images)
        for begin in range(0, images, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, images))
            _insert(connection, _old_rows(painter, numbers))
            if closest:
                _insert(connection, _scored(painter, numbers, apart=images // closest))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def add_new(path: Path, painter: Painter, images: int, *, batch: int) -> None:
    """Adds a hundred images as ingest would."""
    first = images + batch * NEW
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        _insert(connection, _new_rows(painter, images, first))
        connection.execute("COMMIT")


def _painter(images: int) -> Painter:
    """Draws the keepers: each state is that of one keeper, and the last ones are those of new keepers."""
    keepers = images // KEPT_EVERY
    return Painter(
        Camera("c01", keepers + 50 * NEW_KEEPERS, busy=1.0, fresh=1.0).small(DEFAULT.preparation.work_width or 320),
        grey=True,
    )


def _old_rows(painter: Painter, numbers: range) -> Iterator[tuple[str, Row]]:
    for number in numbers:
        keeper = number // KEPT_EVERY if number % KEPT_EVERY else None
        yield "images", _image(number)
        if keeper is None:
            yield "thumbnails", _thumbnail(number, painter, number // KEPT_EVERY)
        keeper_number = None if keeper is None else keeper * KEPT_EVERY
        yield "decisions", _decision(number, keeper_number)


def _scored(painter: Painter, numbers: range, *, apart: int) -> Iterator[tuple[str, Row]]:
    """The scores of duplicates with their keepers; every so many numbers, one is close to the limit."""
    seen: Row = ()
    for number in numbers:
        keeper, place = divmod(number, KEPT_EVERY)
        if place == 0:
            seen = _thumbnail(number, painter, keeper) if number % apart == 0 else ()
            continue
        score = number * 7919 % 5000 / 10
        if number % apart == 1:
            score = 999 - number / apart / 100
            yield "thumbnails", _thumbnail(number, painter, keeper, noise=number)
        elif seen:
            yield "thumbnails", (number + 1, *seen[1:])
        yield "scores", (1, keeper * KEPT_EVERY + 1, number + 1, score, score, 1, score / 307_200, 1)


def _new_rows(painter: Painter, images: int, first: int) -> Iterator[tuple[str, Row]]:
    batch = (first - images) // NEW
    keepers = images // KEPT_EVERY
    for place in range(NEW):
        number = first + place
        shown = max(0, keepers - 1 - number * 7 % 50)  # what was there lately
        if place % (NEW // NEW_KEEPERS) == 3:
            shown = keepers + batch * NEW_KEEPERS + place // (NEW // NEW_KEEPERS)
        yield "images", _image(number)
        yield "thumbnails", _thumbnail(number, painter, shown, noise=number)


def _thumbnail(number: int, painter: Painter, state: int, *, noise: int | None = None) -> Row:
    preparation = DEFAULT.preparation
    frame = painter.frame(state)
    if noise is not None:
        spread = np.random.default_rng(noise).integers(-2, 3, frame.shape)
        frame = np.clip(frame.astype(np.int64) + spread, 0, 255).astype(np.uint8)
    small = preprocess(frame, contrast=preparation.contrast, mask=mask_parameters(preparation))
    return number + 1, 1, small.shape[1], small.shape[0], encode(small)


def _image(number: int) -> Row:
    at, name = _at(number), f"c01-{number}.jpg"
    content_hash = sha256(name.encode()).hexdigest()
    place = (number + 1, f"/frames/c01/{name}", "/frames", 1, "name", _text(at), "name", 1280, 720)
    return (*place, 300_000, 0, content_hash, _SHARPNESS, "ready", 1)


def _decision(number: int, keeper: int | None) -> Row:
    said: Row = ("keep", None, None, "new") if keeper is None else ("duplicate", keeper + 1, 0.0, "similar")
    placed: Row = (1, None, None, None)
    if keeper is not None:
        reach = ((number - keeper) * 60_000_000).bit_length()
        placed = (1, _RANK_CLASS, reach, (_at(number) - _EPOCH) // timedelta(microseconds=1))
    return (number + 1, number + 1, 1, *said, "compare", _text(_at(number)), 1, *placed)


def _rank_class() -> int:
    image = Image(1, "/frames/c01/c01-1.jpg", 1280, 720, _SHARPNESS, "")
    return int(rank_classes(CameraImages.of([image]))[0])


_RANK_CLASS = _rank_class()


def _at(number: int) -> datetime:
    return BEGIN + _MINUTE * number


def _text(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="microseconds")


def _insert(connection: sqlite3.Connection, rows: Iterator[tuple[str, Row]]) -> None:
    waiting: dict[str, list[Row]] = {table: [] for table in _INSERTS}
    for table, row in rows:
        waiting[table].append(row)
    for table, names in _INSERTS.items():
        marks = ", ".join("?" * len(names.split()))
        connection.executemany(f"INSERT INTO {table} ({', '.join(names.split())}) VALUES ({marks})", waiting[table])
