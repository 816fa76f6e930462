"""How the C library's heap behaves while pictures pass through it. It does not know what a picture is."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of <malloc.h>
_TRIM_THRESHOLD_BYTES = 128 * 2**20
_MMAP_THRESHOLD_BYTES = 32 * 2**20
"""The most that glibc takes for the second threshold; anything larger is given back at once."""


def keep_freed_memory() -> bool:
    """Lets the process keep what it frees for its next picture; whether the C library can be told so.

    Notes
    -----
    A picture passes through a dozen blocks of 0.1 to 10 MB (its bytes, its pixels, the float64 arrays of its thumbnail)
    and glibc gives each back to the system, which clears every page of the next one: 600 to 800 page faults a picture.
    On a virtual machine they took 2.0 of 6 ms for a 720p JPEG and 5 of 9 ms for a sample frame; kept, there are none.
    Costs: up to 128 MB more than in use. Another C library (musl, macOS, Windows) stays as it is.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not this function; no library under no name
        return False
    return all([mallopt(_TRIM_THRESHOLD, _TRIM_THRESHOLD_BYTES), mallopt(_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)])
