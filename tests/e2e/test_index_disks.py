"""An index on a disk that cannot lock or share memory: one sentence says so, names the file and what to do.

Where a lock cannot be had now, a command waits ten seconds for it. So the commands of all tests run at the same time.
"""

import errno
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.store.schema import open_database
from tests.support.index import name, picture

ROOT = Path(__file__).resolve().parents[2]
LACKS = {
    "fcntl: ENOLCK": ("REFUSED_FCNTL", errno.ENOLCK, "cannot lock files"),
    "fcntl: EAGAIN": ("REFUSED_FCNTL", errno.EAGAIN, "cannot lock files"),
    "fcntl: EINVAL": ("REFUSED_FCNTL", errno.EINVAL, "cannot lock files"),
    "fcntl: ENOTSUP": ("REFUSED_FCNTL", errno.ENOTSUP, "cannot lock files"),
    "flock: ENOLCK": ("REFUSED_FLOCK", errno.ENOLCK, "cannot lock files"),
    "flock: ENOSYS": ("REFUSED_FLOCK", errno.ENOSYS, "cannot lock files"),
    "flock: EBADF": ("REFUSED_FLOCK", errno.EBADF, "cannot lock files"),
    "mmap: ENODEV": ("REFUSED_MMAP", errno.ENODEV, "cannot share memory through a file"),
    "mmap: EINVAL": ("REFUSED_MMAP", errno.EINVAL, "cannot share memory through a file"),
}
CASES = list(itertools.product(LACKS, (False, True)))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What refuses, to be loaded before everything else; the tests skip, visibly, where it cannot be made."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    made = tmp_path_factory.mktemp("refusing") / "refusing.so"
    source = ROOT / "tests" / "support" / "refusing.c"
    done = subprocess.run([compiler, "-shared", "-fPIC", "-o", made, source, "-ldl"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"needs a C compiler that makes libraries: {done.stderr[:200]}")
    return made


@dataclass
class Trial:
    """A command on a disk that lacks something, and the folder with the image and the index."""

    folder: Path
    process: "subprocess.Popen[str]"

    @property
    def index(self) -> Path:
        """Where the index is, or would be."""
        return self.folder / "index" / "i.db"


@pytest.fixture(scope="module")
def trials(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, bool], Trial]]:
    """A trial by what the disk lacks and whether there is an index before; all commands are started."""
    started = {(lack, before): start(library, tmp_path_factory.mktemp("disk"), lack, before) for lack, before in CASES}
    yield started
    for trial in started.values():
        trial.process.kill()
        trial.process.communicate()


def start(library: Path, folder: Path, lack: str, made_before: bool) -> Trial:
    """A trial whose command has begun."""
    (folder / "lot").mkdir()
    (folder / "lot" / name(0)).write_bytes(picture())
    (folder / "index").mkdir()
    if made_before:
        open_database(str(folder / "index" / "i.db"), create=True).close()
    variable, number, _ = LACKS[lack]
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("INDEXER_")}
    surroundings |= {"LD_PRELOAD": str(library), variable: str(number), "INDEXER_PROCESSES": "1", "HOME": str(folder)}
    line = [sys.executable, ROOT / "manage.py", "--db", folder / "index" / "i.db", "ingest", folder / "lot"]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings, cwd=folder
    )
    return Trial(folder, process)


@pytest.mark.parametrize(("lack", "made_before"), CASES)
def test_disk_that_lacks_what_an_index_needs(
    trials: dict[tuple[str, bool], Trial], lack: str, made_before: bool
) -> None:
    """A command names the index and the lack, and advises another place; the images are as they were."""
    trial = trials[lack, made_before]
    stdout, stderr = trial.process.communicate(timeout=120)
    assert (trial.process.returncode, stdout, stderr.count("\n")) == (1, "", 1), stderr
    for words in (str(trial.index), LACKS[lack][2], "local disk", "PostgreSQL"):
        assert words in stderr
    for words in ("another program", "try again", "space and its health"):
        assert words not in stderr
    assert [path.name for path in trial.index.parent.iterdir() if "probe" in path.name] == []
    assert (trial.folder / "lot" / name(0)).read_bytes() == picture()
