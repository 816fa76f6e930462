"""How the functions of the kernel are called: arrays become addresses, and scratch space is used again.

A call costs some microseconds. Functions may be called by several threads, and let others run meanwhile.
"""

import ctypes
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

Frame = tuple[int, int, int, int, int, int, int, int, int]
"""How images are compared: the arguments `planes` to `limit` of `indexer.imaging.kernel.search.search`."""

_WORD, _VECTOR_WORDS = 64, 8  # as in `indexer.imaging.kernel.llvm`
_MAX_FRAMES = 8  # whose scratch space is kept
_INT, _FLOAT, _ADDRESS = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p


class SearchCall:
    """The compiled search."""

    def __init__(self, address: int) -> None:
        kinds = (_ADDRESS, _INT, _INT, _ADDRESS, _INT, _ADDRESS, _INT, _ADDRESS)
        of_frame = (_ADDRESS, _ADDRESS, _INT, _ADDRESS, _ADDRESS, _ADDRESS)
        self._function = ctypes.CFUNCTYPE(_INT, *kinds, *of_frame)(address)
        self._scratch = _Scratch()

    def __call__(
        self,
        pixels: NDArray[np.uint8],
        image: int,
        candidates: NDArray[np.int64],
        frame: Frame,
        hints: NDArray[np.int32],
        evidence: NDArray[np.int64],
    ) -> tuple[int, bool]:
        """The number of candidates that were compared, and whether the last of them is similar.

        The arguments are those of `indexer.imaging.kernel.search.search`; all arrays are contiguous.
        """
        space = self._scratch.frames.get(frame) or self._scratch.add(frame)
        result: int = self._function(
            _address(pixels),
            pixels.size,
            image,
            _address(candidates),
            candidates.size,
            _address(hints),
            len(hints),
            _address(evidence),
            *space.arguments,
        )
        return result >> 1, bool(result & 1)


class DistancesCall:
    """The compiled distances of features."""

    def __init__(self, address: int) -> None:
        kinds = (_ADDRESS, _INT, _INT, _ADDRESS, *[_INT] * 6, _ADDRESS, _ADDRESS)
        self._function = ctypes.CFUNCTYPE(_INT, *kinds)(address)

    def __call__(
        self,
        pixels: NDArray[np.uint8],
        image: int,
        candidates: NDArray[np.int64],
        *numbers: int,
        squared: NDArray[np.int64],
    ) -> int:
        """The number of candidates that were compared; the arguments are those of
        `indexer.imaging.kernel.distances.distances`, `numbers` from `rows` to `limit`; all arrays are contiguous."""
        addresses = _address(pixels), pixels.size, image, _address(candidates), candidates.size
        starts = np.empty(numbers[0] * numbers[2], dtype=np.int64)
        return int(self._function(*addresses, *numbers, _address(squared), _address(starts)))


class ContrastCall:
    """The compiled local contrast."""

    def __init__(self, address: int) -> None:
        kinds = (_ADDRESS, _INT, _INT, _INT, _FLOAT, _FLOAT, _ADDRESS, _ADDRESS)
        self._function = ctypes.CFUNCTYPE(_INT, *kinds)(address)

    def __call__(
        self, bordered: NDArray[np.uint8], *, side: int, gain: float, least_variance: float
    ) -> NDArray[np.uint8]:
        """The local contrast of an image, (H, W), uint8; the arguments are those of
        `indexer.imaging.kernel.contrast.contrast`."""
        rows, columns = bordered.shape
        height, width = rows - side + 1, columns - side + 1
        scratch, out = np.empty((5, columns), dtype=np.int32), np.empty((height, width), dtype=np.uint8)
        image = np.ascontiguousarray(bordered)
        self._function(_address(image), height, width, side, gain, least_variance, _address(scratch), _address(out))
        return out


class _Scratch(threading.local):
    """The scratch space of one thread, by frame."""

    def __init__(self) -> None:
        self.frames: dict[Frame, _Space] = {}

    def add(self, frame: Frame) -> "_Space":
        if len(self.frames) >= _MAX_FRAMES:
            self.frames.clear()
        space = self.frames[frame] = _Space(frame)
        return space


class _Space:
    """The scratch space of a search; `arguments` are the last ones of the compiled function."""

    def __init__(self, frame: Frame) -> None:
        height, width = frame[1:3]
        row_words = -(-width // (_WORD * _VECTOR_WORDS)) * _VECTOR_WORDS + 2  # as `bits.empty_rows` had
        runs = width // 2 + 1
        shapes = (3, height, row_words), (height,), (2, runs, 3), (height * runs, 5)
        words, *numbers = (np.empty(shape, dtype=np.int64) for shape in shapes)
        self._arrays = np.array(frame, dtype=np.int64), words, *numbers
        parameters, rows, *others = map(_address, self._arrays)
        self.arguments = parameters, rows, row_words, *others


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
