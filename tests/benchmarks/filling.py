"""Where the frames of made-up cameras go: files in a folder, or straight into an index.

It promises that both take what `tests.benchmarks.cameras` draws in the order of time, whatever the number of workers,
and that an index filled straight is what ingest would have made of the small frames: ready images with their
thumbnails. It does not know what is measured with them.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import cv2
from sqlalchemy import func, insert, select

from indexer.domain.names import name_image
from indexer.domain.profiles import DEFAULT
from indexer.imaging.preprocessing import preprocess
from indexer.imaging.sharpness import sharpness
from indexer.imaging.thumbnails import encode
from indexer.store import profiles, runs
from indexer.store.cameras import get_or_add_camera
from indexer.store.database import Session
from indexer.store.schema import open_database
from indexer.store.tables import ImageRow, ThumbnailRow
from indexer.workflows.profile_parameters import mask_parameters
from tests.benchmarks.cameras import FIRST_MS, MINUTE_MS, Camera, Painter

T = TypeVar("T")
R = TypeVar("R")

_CHUNK = 250
_QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 90)
_ROOT = "/cameras"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)

Part = tuple[Camera, int, int]
"""A camera, and the first of its frames that are drawn together and the first that is not."""
Drawn = tuple[dict[str, Any], dict[str, Any]]
"""What the tables `images` and `thumbnails` hold of one frame."""


def write_frames(
    folder: Path, cameras: Iterable[Camera], *, processes: int = 1, apart: bool = False, ending: str = ".jpg"
) -> list[Path]:
    """The files of all frames, JPEG or with the ending `.png` PNG; `apart` gives every camera a folder of its own."""
    tasks = []
    for camera in cameras:
        place = folder / camera.name if apart else folder
        place.mkdir(parents=True, exist_ok=True)
        tasks += [(part, place, ending) for part in _parts(camera, 0)]
    return list(chain.from_iterable(_spread(_write, tasks, processes=processes)))


def fill_index(path: Path, cameras: Iterable[Camera], *, first: int = 0, processes: int = 1) -> int:
    """The number of frames put into an index as ready images with thumbnails, from each camera's frame `first` on."""
    tasks = [part for camera in cameras for part in _parts(camera, first)]
    with closing(open_database(str(path), create=True)) as database:
        with database.write() as session:
            run_id = runs.start_run(session, "ingest", arguments={"made_up": len(tasks)}, at=_NOW)
            preparation_id = profiles.get_active_profile(session).preparation_id
            count = before = session.scalar(select(func.max(ImageRow.id))) or 0
        for drawn in _spread(_draw, tasks, processes=processes):
            with database.write() as session:
                _add(session, drawn, after=count, run_id=run_id, preparation_id=preparation_id)
            count += len(drawn)
        with database.write() as session:
            runs.finish_run(session, run_id, outcome="done", counts={"added": count - before}, at=_NOW)
    return count - before


def _add(session: Session, drawn: list[Drawn], *, after: int, run_id: int, preparation_id: int) -> None:
    """Adds rows by the tables themselves, many at a time: what holds is the schema, not how ingest fills it."""
    naming = name_image(drawn[0][0]["path"], root=_ROOT, mtime_ns=0)
    same = {
        "root": _ROOT,
        "camera_id": get_or_add_camera(session, naming.camera),
        "camera_source": naming.camera_source,
        "captured_at_source": naming.captured_at_source,
        "state": "ready",
        "run_id": run_id,
    }
    numbered = list(enumerate(drawn, start=after + 1))
    session.execute(insert(ImageRow), [{"id": image_id, **image, **same} for image_id, (image, _) in numbered])
    of = {"preparation_id": preparation_id}
    session.execute(insert(ThumbnailRow), [{"image_id": image_id, **of, **small} for image_id, (_, small) in numbered])


def _parts(camera: Camera, first: int) -> Iterator[Part]:
    for begin in range(first, camera.frames, _CHUNK):
        yield camera, begin, min(begin + _CHUNK, camera.frames)


def _spread(function: Callable[[T], list[R]], tasks: Sequence[T], *, processes: int) -> Iterator[list[R]]:
    if processes == 1:
        yield from map(function, tasks)
        return
    # Results wait in memory for the database; two per worker keep it fed.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: list[Future[list[R]]] = []
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) > 2 * processes:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


@lru_cache(maxsize=2)
def _painter(camera: Camera, grey: bool) -> Painter:
    cv2.setNumThreads(1)
    return Painter(camera, grey=grey)


def _write(task: tuple[Part, Path, str]) -> list[Path]:
    """Writes the files of one part; their modification times are the frames' own."""
    (camera, begin, end), folder, ending = task
    painter = _painter(camera, False)
    written = []
    for number in range(begin, end):
        path = (folder / camera.file_name(number)).with_suffix(ending)
        options = _QUALITY if ending == ".jpg" else ()
        path.write_bytes(cv2.imencode(ending, painter.frame(number), options)[1].tobytes())
        os.utime(path, ns=(_time_ns(number),) * 2)
        written.append(path)
    return written


def _draw(part: Part) -> list[Drawn]:
    """The frames of one part as ingest would know them; they are drawn at the thumbnails' size at once."""
    camera, begin, end = part
    preparation = DEFAULT.preparation
    assert preparation.work_width is not None
    painter = _painter(camera.small(preparation.work_width), True)
    drawn = []
    for number in range(begin, end):
        frame = painter.frame(number)
        small = preprocess(frame, contrast=preparation.contrast, mask=mask_parameters(preparation))
        image = {
            "path": f"{_ROOT}/{camera.file_name(number)}",
            "captured_at": datetime.fromtimestamp(_time_ns(number) / 1e9, UTC),
            "width": camera.width,
            "height": camera.height,
            "file_size": frame.size,
            "mtime_ns": _time_ns(number),
            "content_hash": hashlib.sha256(frame.tobytes()).hexdigest(),
            "sharpness": sharpness(frame),
        }
        drawn.append((image, {"height": small.shape[0], "width": small.shape[1], "data": encode(small)}))
    return drawn


def _time_ns(number: int) -> int:
    return (FIRST_MS + number * MINUTE_MS) * 1_000_000
