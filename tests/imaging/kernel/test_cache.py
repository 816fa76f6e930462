"""The kernel's machine code is kept where it may be, under a name that tells its source, and done without elsewhere."""

import builtins
import os
from pathlib import Path
from typing import Any

import numba
import pytest

from indexer.imaging.kernel import cache


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that this process keeps machine code in is put back."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)


def test_the_folder_tells_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed source, whichever of the files it is, is compiled again."""
    package = tmp_path / "kernel"
    package.mkdir()
    monkeypatch.setattr(cache, "__file__", str(package / "cache.py"))
    folders = set[Path]()
    for sources in ("aaaaa", "aaaab", "aaaba", "aabaa", "abaaa", "baaaa"):
        for name, source in zip(
            ("bits.py", "components.py", "distances.py", "llvm.py", "search.py"), sources, strict=True
        ):
            (package / name).write_text(source)
        folders.add(cache.cache_folder(""))
    assert (len(folders), {folder.parent for folder in folders}) == (6, {package / "__pycache__"})


def test_a_named_folder_is_used(tmp_path: Path) -> None:
    """NUMBA_CACHE_DIR is respected."""
    assert cache.cache_folder(str(tmp_path)).parent == tmp_path


def test_an_installation_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program's own folder is not ours the user's cache is taken."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cache.cache_folder("").parent == tmp_path / "indexer"


@pytest.mark.parametrize("problem", [ImportError("no numba"), RuntimeError("cannot cache"), PermissionError("no")])
def test_no_kernel_is_no_problem(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    """Where numba is missing or may keep nothing, there is no kernel."""
    importing = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "indexer.imaging.kernel.search":
            raise problem
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert cache.load_search(lambda _: None) is None


def test_no_place_for_what_is_compiled() -> None:
    """Where the disk is full when the machine code is to be kept, there is no kernel, and no end of the run."""

    def full(_search: object) -> None:
        raise OSError(28, "No space left on device")

    assert cache.load_search(full) is None


def test_second_function_is_kept_beside_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a function was loaded, the folder that it was kept in is not taken for a folder that a person named."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert cache.load_search(lambda _: None) is not None
    first = numba.config.CACHE_DIR
    assert cache.load_distances(lambda _: None) is not None
    assert numba.config.CACHE_DIR == first == str(cache.cache_folder(str(tmp_path)))


def test_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home needs none where the program's own folder may be written."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.cache_folder("").parent.name == "__pycache__"
