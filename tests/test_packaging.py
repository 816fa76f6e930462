"""The package: what it imports is declared, what it needs is in it, and nothing points to a host."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from indexer import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPENCV = {"opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"}


def imported(folders: list[str]) -> set[str]:
    """The names of the modules, without submodules, that the sources in these places import."""
    sources = [path for name in folders for path in [ROOT / name, *(ROOT / name).rglob("*.py")] if path.is_file()]
    names: set[str] = set()
    for node in (node for path in sources for node in ast.walk(ast.parse(path.read_text()))):
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        names |= {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"", "indexer", "tests"}


def declared(requirements: list[str]) -> set[str]:
    """The names of the distributions that are asked for."""
    found = {re.split(r"[\[<>=!~ ;]", requirement)[0].lower() for requirement in requirements}
    return found | (OPENCV if found & OPENCV else set())


def distributions(modules: set[str]) -> dict[str, set[str]]:
    """For each module the distributions that bring it."""
    known = packages_distributions()
    return {module: {name.lower().replace("_", "-") for name in known.get(module, [])} for module in modules}


def test_imports_are_declared() -> None:
    """What the program imports is among its dependencies or in an extra of its own, and what the tests import is
    among the dependencies or in the extra `test`."""
    runtime, extras = PROJECT["dependencies"], PROJECT["optional-dependencies"]
    tests, wanted = extras["test"], [one for name in extras.keys() - {"test", "benchmark"} for one in extras[name]]
    for folders, requirements in [
        (["indexer", "migrations", "manage.py"], runtime + wanted),
        (["tests"], runtime + tests),
    ]:
        brought = distributions(imported(folders))
        assert {module for module, by in brought.items() if not by & declared(requirements)} == set()


def test_dependencies_are_plain() -> None:
    """A dependency is a name with a lower bound; none is an address."""
    everything = PROJECT["dependencies"] + [one for extra in PROJECT["optional-dependencies"].values() for one in extra]
    assert [one for one in everything if not re.fullmatch(r"[A-Za-z0-9\[\]-]+>=[0-9.]+(,<[0-9.]+)?", one)] == []


def test_every_folder_is_a_package() -> None:
    """Every folder with sources is a package, or an installation would leave it out."""
    folders = {path.parent for path in (ROOT / "indexer").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_version() -> None:
    """The version is defined in one place."""
    assert PROJECT["version"] == __version__
