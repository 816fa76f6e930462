"""Features of a picture, computed by the network on one thread.

It promises that a process makes features only if its own give the digest that the recipe names: the libraries use other
instructions on other machines, and their results differ in the last bits. Stored features are never made again, so what
is decided by them is decided alike everywhere.
"""

import hashlib
import os
import socket
import threading
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import FeatureRecipe
from indexer.domain.feature_layout import MEASURE
from indexer.domain.masks import Mask
from indexer.errors import EngineError, IndexerError, MissingLibraryError
from indexer.imaging.features import quantized, without_ignored
from indexer.imaging.network.graph import INPUT_PX, load_graph
from indexer.imaging.network.weights import require_libraries

_MEAN, _SCALE = 127, 1 / 128
_BLUR_PX = 5  # night noise raises the distance
_PROBE_SHAPES = ((INPUT_PX, INPUT_PX), (270, 480), (720, 1280))
_ERRORS_ONLY = 3
_lock = threading.Lock()


def require_network(measure: str) -> None:
    """Raises an error if the features of this measure cannot be made here. It loads no library.

    Raises
    ------
    EngineError
        If the measure is one of another version of indexer.
    MissingLibraryError
        If a package of the extra `learned` is not installed.
    """
    if measure != MEASURE:
        raise EngineError(f"the features {measure!r} are of another version of indexer; this one makes {MEASURE!r}")
    require_libraries()


def own_recipe(measure: str) -> FeatureRecipe:
    """The recipe of features as this process makes them.

    Raises
    ------
    MissingLibraryError
        As `require_network`.
    EngineError
        If the measure is of another version, or the network cannot be loaded or executed.
    MemoryError
        If there is no memory for it.
    """
    require_network(measure)
    return FeatureRecipe(measure, _probe_digest())


def prove(recipe: FeatureRecipe) -> None:
    """Makes sure that the features of this process are those of the recipe; once in a process this takes most of a
    second.

    Raises
    ------
    EngineError
        If they are not, if the network cannot be loaded, or if a package of the extra `learned` is not installed.
    """
    try:
        own = own_recipe(recipe.measure)
    except MissingLibraryError as problem:
        raise EngineError(f"{problem} (on {socket.gethostname()})") from problem
    except MemoryError as problem:
        raise EngineError("there is no memory for the network; raise INDEXER_MAX_MEMORY_MB") from problem
    if own != recipe:
        raise EngineError(
            f"the features that {socket.gethostname()} makes differ from those of the command (its probe pictures give "
            f"{own.probes[:12]}, not {recipe.probes[:12]}), as with another processor or onnxruntime; use workers of "
            "one kind, with equal libraries"
        )


def make_features(image_bgr: NDArray[np.uint8], *, mask: Mask) -> NDArray[np.uint8]:
    """The features of a picture in colour: (rows, columns, channels), uint8.

    Parameters
    ----------
    image_bgr : (H, W, 3), uint8
        Of any size.
    mask : Mask
        Cells of which it ignores more than half are neutral. What is ignored still influences the cells beside it, up
        to a tenth of the width.

    Raises
    ------
    EngineError
        If the network cannot be loaded or executed.
    MemoryError
        If there is no memory for it.
    """
    return without_ignored(quantized(_feature_map(image_bgr)), mask=mask)


def _feature_map(image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The feature map of a picture: (rows, columns, channels), float32."""
    size = (INPUT_PX, INPUT_PX)
    resized = cv2.GaussianBlur(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), (_BLUR_PX, _BLUR_PX), 0)
    image = np.empty((1, 3, *size), dtype=np.float32)
    for channel in range(3):
        np.subtract(resized[:, :, 2 - channel], np.float32(_MEAN), out=image[0, channel])
    image *= np.float32(_SCALE)
    session = _load_session()
    try:
        (features,) = session.run(None, {"image": image})
    except Exception as problem:
        if "alloc" in str(problem).lower():
            raise MemoryError("the network has no memory") from problem
        raise EngineError(f"onnxruntime cannot execute the network: {problem}") from problem
    return np.asarray(features[0], dtype=np.float32).transpose(1, 2, 0)


def _load_session() -> Any:
    with _lock:  # a cluster worker may have several threads
        return _session()


@cache
def _session() -> Any:
    """The network, ready to be executed on one thread; raises `EngineError` if it cannot be loaded."""
    # Else onnxruntime 1.29 and later sends facts of the machine to its makers, and keeps a number of the user in the
    # cache, from the moment it is loaded (microsoft/onnxruntime, pull request 27379).
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        return onnxruntime.InferenceSession(load_graph(), options, providers=["CPUExecutionProvider"])
    except (IndexerError, MemoryError):
        raise
    except Exception as problem:
        raise EngineError(f"onnxruntime cannot load the network: {problem}") from problem


@cache
def _probe_digest() -> str:
    """The SHA-256 of the features of the probe pictures, in hex."""
    cells = (quantized(_feature_map(_probe_picture(number))) for number in range(len(_PROBE_SHAPES)))
    return hashlib.sha256(b"".join(each.tobytes() for each in cells)).hexdigest()


def _probe_picture(number: int) -> NDArray[np.uint8]:
    """A picture of waves and edges, by integer arithmetic alone: (H, W, 3), uint8; two of three are resized."""
    y, x = np.indices(_PROBE_SHAPES[number], dtype=np.int64)
    coarse = ((x // 56 + y // 40 + number) % 2) * 90
    channels = [(coarse + x * (number + 1) // 3 + (y * (channel + 2) ** 2) // 7) % 256 for channel in range(3)]
    return np.stack(channels, axis=2).astype(np.uint8)
