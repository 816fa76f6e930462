"""The package: what it imports is declared, what it needs is in it, and nothing points to a host."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

from indexer import __version__
from tests.support.command import make_lot

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


OF_THE_SYSTEM = {"gi"}
"""tests/support/rtsp_server.py is run by the Python of the system, whose packages are in .ci/run."""


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
        assert {module for module, by in brought.items() if not by & declared(requirements)} <= OF_THE_SYSTEM


def test_dependencies_are_plain() -> None:
    """A dependency is a name with a lower bound; none is an address."""
    everything = PROJECT["dependencies"] + [one for extra in PROJECT["optional-dependencies"].values() for one in extra]
    assert [one for one in everything if not re.fullmatch(r"[A-Za-z0-9\[\]-]+>=[0-9.]+(,<[0-9.]+)?", one)] == []


STRANGER = re.compile(
    r"pip3? install\b[^`\n]*?[\s'\"=]indexer(?=[\s'\"`\[=<>~!,;]|$)|(?<![\w./])indexer\[[a-z]", re.MULTILINE
)
"""An installation of the package that an index calls `indexer`. It is another program."""


@pytest.mark.parametrize(
    ("text", "is_stranger"),
    [
        ("pip install 'indexer[video]'", True),
        ("pip install --force-reinstall indexer", True),
        ("brings it: 'indexer[learned]'", True),
        ("pip install 'dist/indexer-0.0.1-py3-none-any.whl[postgres]'", False),
        ("/opt/indexer/bin/pip install -e '.[video]'", False),
    ],
)
def test_what_installs_a_stranger(text: str, is_stranger: bool) -> None:
    """The search below sees the package by its name alone, and not a wheel or a checkout."""
    assert bool(STRANGER.search(text)) == is_stranger


def test_nothing_installs_a_stranger() -> None:
    """No message, page or test tells to install `indexer` by its name: an index has another program under it."""
    folders = ["indexer", "migrations", "docs", "tests", ".github", ".ci"]
    files = [path for name in folders for path in (ROOT / name).rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix != ".pyc"]
    files += [path for path in ROOT.iterdir() if path.suffix in {".md", ".py", ".toml", ".cff"}]
    texts = {path: path.read_bytes().decode(errors="replace") for path in files if path != Path(__file__)}
    assert {path.relative_to(ROOT): found for path, text in texts.items() if (found := STRANGER.findall(text))} == {}


def test_every_folder_is_a_package() -> None:
    """Every folder with sources is a package, or an installation would leave it out."""
    folders = {path.parent for path in (ROOT / "indexer").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_version() -> None:
    """The version is defined in one place, where the package has it, and an installation says the same."""
    assert "version" in PROJECT["dynamic"]
    assert version("indexer") == __version__


def packed(files: list[str], template: list[str]) -> set[str]:
    """Those of the files that a source distribution has, by the lines of MANIFEST.in and the rules of setuptools."""
    chosen = {
        name for name in files if re.match(r"indexer/|pyproject\.toml$|setup\.py$|README\.md$|LICENSE$|MANIFEST", name)
    }
    for line in template:
        command, *patterns = line.split()
        matched = {name for name in files for pattern in patterns if matches(command, pattern, name)}
        chosen = chosen - matched if command == "global-exclude" else chosen | matched
    return chosen


def matches(command: str, pattern: str, name: str) -> bool:
    """Whether a line of MANIFEST.in is about a file: `include` names it, `graft` a folder above it."""
    if command == "graft":
        return name.startswith(f"{pattern}/")
    return fnmatch(name if command == "include" else Path(name).name, pattern)


def test_source_distribution_is_complete() -> None:
    """MANIFEST.in packs every file of the project, so that tests and linters run from it; the drill builds it."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs the git repository")
    files = listed.stdout.splitlines()
    template = [line for line in (ROOT / "MANIFEST.in").read_text().splitlines() if line]
    assert {line.split()[0] for line in template} <= {"include", "graft", "global-exclude"}
    assert set(files) - packed(files, template) == set()


def test_pythons() -> None:
    """The classifiers name the Pythons that the README says it was run with, and this one is among them."""
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", line)}
    assert named == set(re.findall(r"Python (3\.\d+)", (ROOT / "README.md").read_text()))
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in named


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel of this checkout is installed, without what it imports."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "tests", "docs", "*.egg-info", "build"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, source], check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("indexer-*.whl")
    target = folder / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True, capture_output=True)
    return target


def run_installed(installed: Path, *command: str, folder: Path) -> str:
    """What a command of the installed wheel prints, run in another folder than the checkout."""
    environment = os.environ | {"PYTHONPATH": str(installed), "INDEXER_STATE": "off", "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_wheel_has_everything(installed: Path) -> None:
    """A wheel has every module, migration, template and query of the checkout, and one top-level package."""
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {"indexer", "bin"}
    package = {path.relative_to(ROOT / "indexer") for path in (ROOT / "indexer").rglob("*") if path.is_file()}
    migrations = {path.relative_to(ROOT) for path in (ROOT / "migrations").rglob("*.py")}
    needed = {path for path in package | migrations if "__pycache__" not in path.parts}
    assert needed == {
        path.relative_to(installed / "indexer")
        for path in (installed / "indexer").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_installed_wheel_works_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """The script `indexer` and `python -m indexer` do the job from any folder, and propose commands by the name that
    was typed."""
    frames = make_lot(tmp_path / "frames")
    script, module = [sys.executable, str(installed / "bin" / "indexer")], [sys.executable, "-m", "indexer"]
    asked = [sys.executable, "-c", "import indexer; print(indexer.__file__)"]
    assert run_installed(installed, *asked, folder=tmp_path).strip() == str(installed / "indexer" / "__init__.py")
    assert "make one with: indexer --db" in run_installed(installed, *script, "status", folder=tmp_path)
    assert "make one with: python -m indexer --db" in run_installed(installed, *module, "status", folder=tmp_path)
    assert "indexer compare" in run_installed(installed, *script, "ingest", "frames", folder=tmp_path)
    run_installed(installed, *module, "compare", folder=tmp_path)
    assert "python -m indexer prune" in run_installed(installed, *module, "prune", "--dry-run", folder=tmp_path)
    run_installed(installed, *script, "report", "page", folder=tmp_path)
    assert "gate" in (tmp_path / "page" / "index.html").read_text()
    before = {path.name: path.read_bytes() for path in frames.iterdir()}
    assert "indexer restore --run" in run_installed(installed, *script, "prune", "--yes", folder=tmp_path)
    left = {path.name: path.read_bytes() for path in frames.iterdir()}
    assert 0 < len(left) < len(before)
    assert left.items() <= before.items()


def test_every_extra_is_on_the_page_of_operations() -> None:
    """A person finds each extra in one place, with what needs it."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("### Extras\n")[2].partition("\n### ")[0]
    assert {extra for extra in PROJECT["optional-dependencies"] if f"`{extra}`" not in section} == set()
