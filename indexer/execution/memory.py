"""Gives memory back to the system that a process which stays does not use."""

import ctypes
import gc


def trim_memory() -> None:
    """Collects garbage, and gives back the free pages of the heap, where the C library can do that (glibc)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
