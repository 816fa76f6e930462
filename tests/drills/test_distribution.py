"""The distributions as strangers get them: built, installed with their dependencies, and used."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.command import make_lot

ROOT = Path(__file__).resolve().parents[2]
JOB = (
    ["--version"],
    ["demo", "--quiet"],
    ["ingest", "frames"],
    ["compare"],
    ["report", "page"],
    ["prune", "--yes"],
    ["status", "--json"],
    ["db", "check", "--files", "--hashes"],
)
LIBRARIES = "import av, psycopg, starlette, tzdata, uvicorn, indexer; print(indexer.__file__)"


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "INDEXER"))}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def environment_with(folder: Path, *packages: str | Path) -> Path:
    """The programs of a new virtual environment in a folder, with these packages."""
    run(sys.executable, "-m", "venv", folder / "environment", folder=folder)
    run(folder / "environment" / "bin" / "pip", "install", "-q", *packages, folder=folder)
    return folder / "environment" / "bin"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and with the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    files = run("git", "-C", ROOT, "ls-files", folder=folder).splitlines()
    for name in files:
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / "source" / name)
    tools = environment_with(folder, "build")
    run(tools / "python", "-m", "build", "-q", "-o", folder / "dist", folder / "source", folder=folder)
    return folder / "dist"


@pytest.mark.drill
def test_source_distribution_has_every_file(built: Path, tmp_path: Path) -> None:
    """It has each file of the project, and its scripts work in it."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    (root,) = (tmp_path / "unpacked").iterdir()
    files = run("git", "-C", ROOT, "ls-files", folder=tmp_path).splitlines()
    assert [name for name in files if not (root / name).exists()] == []
    assert "sqlalchemy==" in run(root / ".ci" / "lowest-versions", folder=tmp_path)


@pytest.mark.drill
def test_wheel_in_an_environment_of_its_own(built: Path, tmp_path: Path) -> None:
    """Installed with the extras of the Dockerfile, it does the whole job from an empty folder."""
    (extras,) = re.findall(r"\.whl\)\[([\w,]+)\]", (ROOT / "docs" / "docker" / "Dockerfile").read_text())
    (wheel,) = built.glob("*.whl")
    programs = environment_with(tmp_path, f"{wheel}[{extras}]")
    place = run(programs / "python", "-c", LIBRARIES, folder=tmp_path).strip()
    assert Path(place).is_relative_to(tmp_path / "environment")
    before = {path.name: path.read_bytes() for path in make_lot(tmp_path / "frames").iterdir()}
    for words in JOB:
        run(programs / "indexer", *words, folder=tmp_path)
    assert (tmp_path / "page" / "index.html").is_file()
    left = {path.name: path.read_bytes() for path in (tmp_path / "frames").iterdir()}
    assert (len(left) < len(before), left.items() <= before.items()) == (True, True)
