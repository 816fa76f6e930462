"""Settings of the C library's heap for the memory of pictures. The module does not know what a picture is."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of <malloc.h>
_TRIM_THRESHOLD_BYTES = 128 * 2**20
_MMAP_THRESHOLD_BYTES = 32 * 2**20
"""The largest value that glibc accepts for this threshold. Larger blocks always return to the system when freed."""


def keep_freed_memory() -> bool:
    """Makes this process keep freed memory for its next picture. Returns whether the C library supports that.

    Notes
    -----
    A picture uses a dozen blocks of 0.1 to 10 MB (its bytes, its pixels, the float64 arrays of its thumbnail). By
    default glibc returns each block to the system, and the system clears every page of the next block: 600 to 800 page
    faults per picture. On a virtual machine they took 2.0 of 6 ms for a 720p JPEG, and 5 of 9 ms for a sample frame.
    With kept memory there are none. Cost: up to 128 MB more than is in use. The settings of other C libraries (musl,
    macOS, Windows) are not changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no such function; no library without a name
        return False
    return all([mallopt(_TRIM_THRESHOLD, _TRIM_THRESHOLD_BYTES), mallopt(_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)])
