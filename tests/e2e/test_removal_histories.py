"""Whatever happens to files, indexes and backups, in whatever order: nothing that was removed is without a witness."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.workflows.removal.safeguards import WitnessRecords
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


def test_fifty_histories_lose_nothing(scratch: Path) -> None:
    """In fifty histories of sixty steps every content ever removed is there, or what was named as its keeper is."""
    ends = lived(scratch, first_seed=1, histories=50)
    assert [code for code, _ in ends] == [0] * PROCESSES, ends


@pytest.mark.drill
def test_two_thousand_histories_lose_nothing(scratch: Path, record_property: Callable[[str, object], None]) -> None:
    """The same of two thousand."""
    ends = lived(scratch, first_seed=1000, histories=2000)
    record_property("histories", [words for _, words in ends])
    print(*(words for _, words in ends))  # noqa: T201 - the seeds and figures of the drill, shown with -rP
    assert [code for code, _ in ends] == [0] * PROCESSES, ends


def test_histories_notice_a_loss(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the record of witnesses some of the same histories lose a content, and the oracle says so."""
    monkeypatch.setattr(WitnessRecords, "list_in_force", lambda *_, **__: [])
    losses, removals = removal_histories.run(scratch / "w", first_seed=44, histories=7, number_of_steps=60)
    assert (len(losses) > 0, removals > 0) == (True, True)
