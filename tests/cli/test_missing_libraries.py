"""On a machine that lacks a library of OpenCV, or the packages of Python, one sentence names what to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.imaging import matching
from tests.support.command import ROOT, Run, command


def test_missing_system_library(tmp_path: Path, lot: Path) -> None:
    """Where libGL is missing, a command that needs pictures says which packages to install; help works all the same."""
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')\n")
    slim = {"env": os.environ | {"PYTHONPATH": str(tmp_path)}, "capture_output": True, "text": True, "timeout": 60}
    done = subprocess.run(command("ingest", lot), check=False, **slim)  # type: ignore[call-overload]
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "libGL.so.1" in done.stderr
    assert "apt-get install libgl1 libglib2.0-0" in done.stderr
    assert subprocess.run(command("ingest", "--help"), check=False, **slim).returncode == 0  # type: ignore[call-overload]


def test_python_without_the_packages() -> None:
    """A Python that has none of the packages, as before the virtual environment is active, gets one sentence."""
    bare = [sys.executable, "-S", str(ROOT / "manage.py"), "status"]  # -S: no site-packages
    done = subprocess.run(bare, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "typer" in done.stderr
    assert sys.executable in done.stderr
    assert ".venv/bin/activate" in done.stderr


@pytest.mark.parametrize("compiles", [True, False])
def test_pairs_without_the_compiled_search(
    compiles: bool, decided: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the search cannot be compiled, as with NUMBA_OPT=0, `compare` decides the same, and says it once."""
    monkeypatch.setattr(matching, "PAIRS_BEFORE_COMPILED", 0)
    if not compiles:
        monkeypatch.setattr(matching, "load_search", lambda: None)
    matching.load_kernel.cache_clear()
    answer = run("compare", "--profile", "plain", "--json")
    matching.load_kernel.cache_clear()  # for the tests that follow
    assert (answer.code, [camera["kept"] for camera in answer.document["cameras"]]) == (0, [3])
    assert answer.err.count("NUMBA_OPT") == (not compiles)
