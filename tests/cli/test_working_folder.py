"""The tool works from any folder, whatever lies in it: workers load what their parent has loaded."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.imaging.synthetic.scenes import Scene, draw, encode
from tests.support.command import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project in a folder that is called as its package, with a picture beside it."""
    place = tmp_path / "indexer"
    for part in ("indexer", "migrations"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", place)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "c1-1623844800000.jpg").write_bytes(encode(draw(Scene("gate"), seed=0)))
    for name in ("random", "numpy", "cv2"):  # what a person may keep beside pictures
        (pictures / f"{name}.py").write_text("raise SystemExit('a module of the wrong folder')\n")
    return tmp_path


def test_ingest_from_any_folder(clone: Path) -> None:
    """Beside the clone, in it and among the pictures: the same answer."""
    for here in ("", "indexer", "pictures"):
        words = ["--db", clone / f"index-{here}.db", "ingest", clone / "pictures", "--processes", "2"]
        line = [sys.executable, clone / "indexer" / "manage.py", *words]
        done = subprocess.run(line, cwd=clone / here, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), here
        assert "1 image is not decided yet" in done.stdout, here


PRELOADING = """
import sys
sys.path.insert(0, {root!r})
from indexer.execution import processes
from indexer.imaging.matching import load_kernel
load_kernel()
with processes(1, preload=["indexer.imaging.kernel.preloaded"]) as spread:
    names = "[name in __import__('sys').modules for name in ('llvmlite', 'numba')]"
    print(*spread(sys.intern, ["ready"]), *spread(eval, [names]))
"""


def test_workers_are_preloaded_from_any_folder(tmp_path: Path) -> None:
    """The kernel is there before the first item, without numba, also where the process's folder knows nothing."""
    code = PRELOADING.format(root=str(ROOT))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("ready [True, False]\n", "")
