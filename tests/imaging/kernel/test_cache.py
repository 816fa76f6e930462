"""The kernel's machine code is kept where it may be, under a name that tells its source, and done without elsewhere."""

import os
from pathlib import Path

import pytest
from numba.core.errors import TypingError

from indexer.imaging.kernel import cache, entry_points
from indexer.imaging.kernel.machine_code import load


def test_the_folder_tells_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed source, whichever of the files it is, is compiled again."""
    package = tmp_path / "kernel"
    package.mkdir()
    monkeypatch.setattr(cache, "__file__", str(package / "cache.py"))
    folders = set[Path]()
    names = ("bits", "components", "contrast", "distances", "entry_points", "llvm", "machine_code", "search")
    for changed in (None, *names):
        for name in names:
            (package / f"{name}.py").write_text("b" if name == changed else "a")
        folders.add(cache.cache_folder(""))
    assert (len(folders), {folder.parent for folder in folders}) == (9, {package / "__pycache__"})


def test_a_named_folder_is_used(tmp_path: Path) -> None:
    """NUMBA_CACHE_DIR is respected."""
    assert cache.cache_folder(str(tmp_path)).parent == tmp_path


def test_an_installation_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program's own folder is not ours the user's cache is taken."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cache.cache_folder("").parent == tmp_path / "indexer"


@pytest.mark.parametrize("problem", [ImportError("no numba"), RuntimeError("cannot load"), OSError(28, "disk full")])
def test_no_kernel_is_no_problem(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    """Where numba is missing, nothing can be stored or nothing can be loaded, there is no kernel, and no end of the
    run."""

    def fail(*_: object, **__: object) -> int:
        raise problem

    monkeypatch.setattr(cache, "load", fail)
    assert cache.load_search() is None
    assert not cache.load_contrast(compiles=False)


def test_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home needs none where the program's own folder may be written."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.cache_folder("").parent.name == "__pycache__"


def test_only_whole_code_of_this_machine_counts_as_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code of another processor or version, and a file without its end, is compiled anew; nothing is called stored."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = cache.cache_folder(str(tmp_path))
    assert load("distances", folder=folder, compiles=True)
    assert cache.is_stored("distances")
    (stored,) = folder.iterdir()
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1])
    assert not cache.is_stored("distances")
    stored.write_bytes(whole)
    stored.rename(stored.with_name("distances-0123456789abcdef.o"))
    assert not cache.is_stored("distances")


def test_code_that_cannot_be_compiled_is_no_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A numba that refuses the kernel ends no command."""

    def refuse(_name: str) -> None:
        raise TypingError("cannot determine the type")

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(entry_points, "compiled", refuse)
    assert cache.load_search() is None
