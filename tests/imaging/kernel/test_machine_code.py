"""The machine code of the kernel: stored once, loaded without numba, and nothing spoiled or foreign is loaded."""

import ctypes
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import carray, cfunc, types

from indexer.imaging.kernel import entry_points, machine_code
from indexer.imaging.kernel.machine_code import load
from indexer.imaging.private_cache import read_cached

LOADING = """
import sys
from pathlib import Path
from indexer.imaging.kernel.machine_code import load
print(load("distances", folder=Path(sys.argv[1]), compiles=False) is not None, "numba" in sys.modules)
"""


FOREIGN = """
declare i64 @no_such_function()
define i64 @entry() {
  %1 = call i64 @no_such_function()
  ret i64 %1
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of one function."""
    folder = tmp_path_factory.mktemp("kernel")
    assert load("distances", folder=folder, compiles=True)
    return folder


def test_code_is_loaded_without_numba(folder: Path) -> None:
    """Another process loads what this one stored, and imports no compiler."""
    done = subprocess.run([sys.executable, "-c", LOADING, folder], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True False\n", "")


def test_only_code_that_is_whole_is_loaded(folder: Path, tmp_path: Path) -> None:
    """A file that lost its end is made again, and not loaded."""
    (stored,) = folder.iterdir()
    (tmp_path / stored.name).write_bytes(stored.read_bytes()[:-1])
    assert load("distances", folder=tmp_path, compiles=False) is None
    assert load("distances", folder=tmp_path, compiles=True)
    assert read_cached(tmp_path / stored.name) is not None


def test_code_of_another_machine_is_not_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code is for one processor and one version of numba: for another, it is as if there were none."""
    monkeypatch.setattr(machine_code, "version", lambda package: f"another {package}")
    assert load("distances", folder=folder, compiles=False) is None


def copy_rows(values: Any, count: int) -> int:
    """Copies the second row onto itself, and then onto the first one."""
    rows = carray(values, (2, count))
    for row in range(2):
        rows[1 - row] = rows[1]
    return 0


def fill(values: Any, count: int) -> int:
    """Writes ones, from a new array."""
    carray(values, count)[:] = np.ones(count, dtype=np.int64)
    return 0


def compile_in_place(monkeypatch: pytest.MonkeyPatch, function: Callable[..., int]) -> None:
    """Lets a function of these tests be compiled in place of one of the kernel."""
    kind = types.int64(types.CPointer(types.int64), types.int64)
    compiled = cfunc(kind, error_model="numpy")(function)
    monkeypatch.setattr(entry_points, "compiled", lambda _name: compiled)


def test_rows_that_overlap_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is copied onto itself takes memory for the time of the copy."""
    compile_in_place(monkeypatch, copy_rows)
    address = load("copy_rows", folder=tmp_path, compiles=True)
    assert address is not None
    values = np.arange(6)
    ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(address)(values.ctypes.data, 3)
    assert values.tolist() == [3, 4, 5, 3, 4, 5]


def test_code_that_makes_arrays_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the process could free them."""
    compile_in_place(monkeypatch, fill)
    with pytest.raises(RuntimeError, match="NRT_MemInfo_alloc"):
        load("fill", folder=tmp_path, compiles=True)


def test_code_that_needs_another_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading what refers to an unknown function would end the process: such code is neither stored nor loaded."""

    class Foreign:
        native_name = "entry"

        def inspect_llvm(self) -> str:
            return FOREIGN

    monkeypatch.setattr(entry_points, "compiled", lambda _name: Foreign())
    with pytest.raises(RuntimeError, match="no_such_function"):
        load("distances", folder=tmp_path, compiles=True)
    assert not list(tmp_path.glob("*.o"))
