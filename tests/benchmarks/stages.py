"""Where the time of `ingest` and `compare` goes, for frames of several sizes: the processor time of each step on one
frame, of both commands with all their processes, and of both where there is next to nothing to do.

The steps are those of a worker, taken one after the other in this process and on one core: best of several rounds.
`worker_ms` is the whole work on a file, which also has some smaller steps. What a command takes beside the work of its
workers is its start and that of its workers, the names of the files, and the database.
"""

import shutil
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits
from indexer.domain.profiles import DEFAULT
from indexer.files.reading import read_file
from indexer.imaging import preprocessing
from indexer.imaging.decoding import decode_grey
from indexer.imaging.headers import read_header
from indexer.imaging.masks import masked
from indexer.imaging.preprocessing import local_contrast, resize_area, thumbnail_height
from indexer.imaging.sharpness import sharpness
from indexer.imaging.thumbnails import decode, encode
from indexer.workflows.image_files import DescribeTask, describe_file
from indexer.workflows.profile_parameters import thumbnail_recipe
from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.job import KINDS, Kind, name_of
from tests.benchmarks.measuring import manage, one_core, rounded

Item = TypeVar("Item")
Result = TypeVar("Result")


def measure(
    folder: Path,
    *,
    frames: int = 1000,
    looked_at: int = 200,
    kinds: tuple[Kind, ...] = KINDS,
    cameras: int = 8,
    processes: int = 2,
    rounds: int = 3,
) -> dict[str, Any]:
    """Per kind of file: kilobytes, milliseconds of each step, and seconds of both commands for so many frames."""
    preprocessing.IMAGES_BEFORE_COMPILED = 0  # a long run uses the compiled code anyway
    found = {}
    for width, height, ending in kinds:
        place = folder / f"{width}{ending}"
        drawn = many(cameras, frames=frames, width=width, height=height)
        paths = write_frames(place, drawn, processes=processes, ending=ending)
        with one_core():
            steps = _steps(paths[:: max(1, len(paths) // looked_at)], rounds=rounds)
        found[name_of((width, height, ending))] = {
            "frames": len(paths),
            **steps,
            **_commands(folder, place, processes=processes, rounds=rounds),
        }
        shutil.rmtree(place)
    return found | {"next to nothing": _starts(folder, processes=processes, rounds=rounds)}


class _Steps:
    """Milliseconds of each step on one item, the best of some rounds."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self.taken: dict[str, float] = {}

    def take(self, name: str, step: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """What a step makes of all items."""
        best = float("inf")
        for _ in range(self._rounds):
            begin = time.process_time()
            results = [step(item) for item in items]
            best = min(best, time.process_time() - begin)
        self.taken[f"{name}_ms"] = rounded(best / len(items) * 1e3)
        return results


def _steps(paths: Sequence[Path], *, rounds: int) -> dict[str, float]:
    """The steps of a worker of `ingest`, and the decoding of the thumbnail, which `compare` does."""
    recipe, limits, steps = thumbnail_recipe(DEFAULT.preparation), Limits(), _Steps(rounds)
    assert recipe is not None
    files = steps.take("read_and_hash", lambda path: read_file(str(path), max_bytes=limits.max_bytes), paths)
    data = [file.data or b"" for file in files]
    headers = steps.take("header", lambda content: read_header(content, limits=limits), data)
    pictures = steps.take(
        "decode",
        lambda one: decode_grey(one[0], header=one[1], work_width=recipe.work_width),
        list(zip(data, headers, strict=True)),
    )
    size = thumbnail_height(width=headers[0].width, height=headers[0].height, work_width=recipe.work_width)
    small = steps.take("resize", lambda picture: resize_area(picture, size=(size, recipe.work_width)), pictures)
    steps.take("sharpness", sharpness, small)
    blurred = steps.take("blur", _blur, small)
    contrasted = steps.take("local_contrast", local_contrast, blurred)
    prepared = steps.take("mask", lambda image: masked(image, mask=recipe.mask), contrasted)
    thumbnails = steps.take("encode_thumbnail", encode, prepared)
    steps.take("worker", describe_file, [DescribeTask(str(path), (recipe,), limits) for path in paths])
    steps.take("decode_thumbnail", decode, thumbnails)
    sizes = {"file_kb": _mean_kb(data), "thumbnail_kb": _mean_kb(thumbnails)}
    return sizes | steps.taken


def _blur(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(image, (3, 3), 0), dtype=np.uint8)


def _mean_kb(data: Iterable[bytes]) -> float:
    return rounded(statistics.mean(map(len, data)) / 1000)


def _commands(folder: Path, place: Path, *, processes: int, rounds: int) -> dict[str, float]:
    """Processor seconds and seconds of both commands on the files of a folder, the median of some rounds."""
    taken: dict[str, list[float]] = {}
    for number in range(rounds):
        database = folder / f"{place.name}-{number}.db"
        for command in (["ingest", place], ["compare"]):
            ran = manage("--db", database, *command, "--processes", processes, folder=folder, watched=True)
            taken.setdefault(f"{command[0]}_processor_s", []).append(ran.processor_s)
            taken.setdefault(f"{command[0]}_s", []).append(ran.seconds)
    return {key: rounded(statistics.median(seconds)) for key, seconds in taken.items()}


def _starts(folder: Path, *, processes: int, rounds: int) -> dict[str, float]:
    """The same for one frame of each of two cameras."""
    place = folder / "two"
    paths = write_frames(place, many(2, frames=2, width=640, height=360))
    return {"frames": len(paths), **_commands(folder, place, processes=processes, rounds=rounds)}
