"""The heap: a worker keeps the memory of one picture for the next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.imaging import malloc
from indexer.imaging.malloc import keep_freed_memory

FAULTS = """
import resource
import numpy as np
import indexer.imaging.file_description
for _ in range(5):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(500_000, np.uint8) for _ in range(20)]
    arrays.clear()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not keep_freed_memory(), reason="the C library is not glibc")
def test_memory_is_taken_once_and_not_once_a_picture() -> None:
    """Where pictures are described, what one takes costs hardly a page fault the second time, and not thousands."""
    environment = os.environ | {"PYTHONPATH": str(Path(malloc.__file__).parents[2])}
    command = [sys.executable, "-c", FAULTS]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(ended.stdout) < 100


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `mallopt` nothing happens and nothing is raised."""
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert keep_freed_memory() is False
