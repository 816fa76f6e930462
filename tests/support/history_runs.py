"""Random histories of removals, lived in processes of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import removal_histories

ROOT = Path(__file__).resolve().parents[2]


PROCESSES = 2


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="indexer-histories-", dir=memory))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def lived(scratch: Path, *, first_seed: int, histories: int) -> list[tuple[int, str]]:
    """Exit code and words of each process; seeds are split between them."""
    share = histories // PROCESSES
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                removal_histories.__file__,
                scratch / str(number),
                *map(str, (first_seed + number * share, share, 60)),
            ],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    return [(process.returncode, words) for process in processes if (words := process.communicate()[0]) is not None]
