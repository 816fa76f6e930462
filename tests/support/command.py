"""Commands, run in this process or in one of their own, and a small lot of frames to run them on."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from indexer.cli.app import app
from indexer.cli.main import main
from tests.support.databases import copy_moved

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What a command left behind: its exit code, and what it wrote to stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The last line for people, which says what was wrong."""
        return self.err.splitlines()[-1]


Run = Callable[..., Answer]


def run_here(*words: object) -> int:
    """The exit code of a command, run in this process."""
    return main(app, [str(word) for word in words])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, as its `if __name__` does, in the test's own folder."""

    def answer(*words: object) -> Answer:
        capsys.readouterr()
        return Answer(run_here(*words), *capsys.readouterr())

    return answer


def command(*words: object) -> list[str]:
    """The words that run manage.py in a process of its own."""
    return [sys.executable, str(ROOT / "manage.py"), *map(str, words)]


@pytest.fixture
def run_apart() -> Run:
    """Runs a command in a process of its own; without the rights of an administrator, who may read and write all."""

    def answer(*words: object, **more: Any) -> Answer:
        # ascii: as on a machine whose terminal knows nothing else
        done = subprocess.run(
            command(*words), capture_output=True, text=True, timeout=120, preexec_fn=_give_up_override, **more
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return answer


def _give_up_override() -> None:
    """Takes CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH away from what is executed next; without them rights hold."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; of no effect, and not needed, for other users


def draw(path: Path, *, cars: Sequence[int] = (), size: tuple[int, int] = (480, 640)) -> Path:
    """A frame of an empty lot with a car in each of these bays (0 to 4)."""
    height, width = size
    frame = np.tile(np.linspace(90, 150, width, dtype=np.uint8), (height, 1))
    frame[::40] = 200
    for bay in cars:
        left = 60 + bay * 110
        frame[220:300, left : left + 90] = 20
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(os.fspath(path), frame)
    return path


def make_lot(folder: Path) -> Path:
    """A folder of six frames of one camera: empty, empty, a car, the same car, two cars, empty."""
    for minute, cars in enumerate([(), (), (1,), (1,), (1, 3), ()]):
        draw(folder / f"gate_2026_03_01__12_0{minute}_00.png", cars=cars)
    return folder


@pytest.fixture
def lot(own_home: Path) -> Path:
    """The six frames, in the folder `lot` of the test's own home."""
    return make_lot(own_home / "lot")


@pytest.fixture(scope="session")
def decided_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the six frames in `lot`, ingested and compared; tests copy it."""
    home = tmp_path_factory.mktemp("decided")
    with in_home(home):
        for words in (["ingest", make_lot(home / "lot")], ["compare"]):
            assert run_here(*words, "--processes", 1) == 0
    return home


@contextmanager
def in_home(home: Path) -> Iterator[None]:
    """Within the block this is the folder that commands work in, and no other index is named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.delenv("INDEXER_DB", raising=False)
        patch.chdir(home)
        yield


@pytest.fixture
def decided(own_home: Path, decided_home: Path) -> Path:
    """The same folder, ingested and compared."""
    copy_moved(decided_home / "indexer.db", own_home / "indexer.db", moved=(str(decided_home), str(own_home)))
    return shutil.copytree(decided_home / "lot", own_home / "lot")
