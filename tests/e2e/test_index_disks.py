"""An index on a disk that cannot lock or share memory: one sentence says so, names the file and what to do."""

import errno
import os
import shutil
import subprocess
import sys
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


@pytest.mark.parametrize("made_before", [False, True])
@pytest.mark.parametrize("lack", LACKS)
def test_disk_that_lacks_what_an_index_needs(library: Path, tmp_path: Path, lack: str, made_before: bool) -> None:
    """A command names the index and the lack, and advises another place; the images are as they were."""
    variable, number, says = LACKS[lack]
    (tmp_path / "lot").mkdir()
    (tmp_path / "lot" / name(0)).write_bytes(picture())
    place = tmp_path / "index" / "i.db"
    place.parent.mkdir()
    if made_before:
        open_database(str(place), create=True).close()
    surroundings = os.environ | {"LD_PRELOAD": str(library), variable: str(number), "INDEXER_PROCESSES": "1"}
    line = [sys.executable, ROOT / "manage.py", "--db", place, "ingest", tmp_path / "lot"]
    done = subprocess.run(line, capture_output=True, text=True, env=surroundings, cwd=tmp_path, timeout=120)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    for words in (str(place), says, "local disk", "PostgreSQL"):
        assert words in done.stderr
    for words in ("another program", "try again", "space and its health"):
        assert words not in done.stderr
    assert [path.name for path in place.parent.iterdir() if "probe" in path.name] == []
    assert (tmp_path / "lot" / name(0)).read_bytes() == picture()
