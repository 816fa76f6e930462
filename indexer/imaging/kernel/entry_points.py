"""The functions of the kernel as machine code offers them: addresses and integers in, one integer out.

None of them allocates memory. So their code can be stored, and called later in any process without numba
(`indexer.imaging.kernel.machine_code`, `indexer.imaging.kernel.calls`).

Decision 0017: numba instead of C or more OpenCV calls.
"""

from typing import Any

from numba import carray, cfunc, types

from indexer.imaging.kernel.contrast import contrast as contrast_of_array
from indexer.imaging.kernel.distances import distances as distances_of_arrays
from indexer.imaging.kernel.search import search as search_in_arrays

_INT, _FLOAT = types.int64, types.float64
_U8, _U64, _I32, _I64 = map(types.CPointer, (types.uint8, types.uint64, types.int32, _INT))


def search(
    pixels, size, image, candidates, count, hints, hint_count, evidence, frame, words, row_words, changed, runs, labels
):
    """Twice the number of candidates that were compared, plus 1 if the last of them is similar.

    `frame` holds the arguments `planes` to `limit` of `indexer.imaging.kernel.search.search`; `words` to `labels` is
    scratch space.
    """
    numbers = carray(frame, 9)
    height, width = numbers[1], numbers[2]
    rows = carray(words, (3, height, row_words))
    of_runs = carray(runs, (2, width // 2 + 1, 3)), carray(labels, (height * (width // 2 + 1), 5))
    scratch = (rows[0], rows[1], rows[2], carray(changed, height), *of_runs)
    compared, matched = search_in_arrays(
        carray(pixels, size),
        image,
        carray(candidates, count),
        numbers[0],
        height,
        width,
        numbers[3],
        types.uint8(numbers[4]),
        numbers[5],
        numbers[6],
        numbers[7],
        numbers[8],
        carray(hints, (hint_count, 4)),
        carray(evidence, (count, 4)),
        scratch,
    )
    return 2 * compared + matched


def distances(pixels, size, image, candidates, count, rows, stride, of_row, alike, limit, squared, starts):
    """The number of candidates that were compared."""
    return distances_of_arrays(
        carray(pixels, size),
        image,
        carray(candidates, count),
        rows,
        stride,
        of_row,
        alike,
        limit,
        carray(squared, count),
        carray(starts, rows * of_row),
    )


def contrast(bordered, height, width, side, gain, least_variance, scratch, out):
    """0; `height` and `width` are those of `out`."""
    rows, columns = height + side - 1, width + side - 1
    contrast_of_array(
        carray(bordered, (rows, columns)),
        side,
        gain,
        least_variance,
        carray(scratch, (5, columns)),
        carray(out, (height, width)),
    )
    return 0


_ENTRY_POINTS = {
    search: _INT(_U8, _INT, _INT, _I64, _INT, _I32, _INT, _I64, _I64, _U64, _INT, _I64, _I64, _I64),
    distances: _INT(_U8, _INT, _INT, _I64, _INT, _INT, _INT, _INT, _INT, _INT, _I64, _I64),
    contrast: _INT(_U8, _INT, _INT, _INT, _FLOAT, _FLOAT, _I32, _U8),
}


def compiled(name: str) -> Any:
    """The function of this name, compiled by numba; it takes seconds."""
    function, signature = next((one, kinds) for one, kinds in _ENTRY_POINTS.items() if one.__name__ == name)
    return cfunc(signature, error_model="numpy")(function)
