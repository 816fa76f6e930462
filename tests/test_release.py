"""What a release brings beside the program: site, container, templates. Each is valid, and fits the project."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from indexer import __version__

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docs" / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))
README_PATH = ROOT / "README.md"
README = README_PATH.read_text()


def build_site(root: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Builds the site of a checkout, with warnings as errors; `--quiet` would hide them from `--strict`, too."""
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        root / ".ci" / "mkdocs.yml",
        "-d",
        target,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Every page of docs/ becomes a page of the site, and nothing is warned of."""
    done = build_site(ROOT, tmp_path / "site")
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    named = {page.with_name("index.html") if page.name == "README.html" else page for page in pages}
    assert named <= {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*.html")}


def test_a_page_without_a_place_is_seen(tmp_path: Path) -> None:
    """A page that is not in the navigation, and a link to a heading or a page that is not there, fail the build; a link
    out of docs/ becomes its text."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("adr", "docker"))
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "docs" / "attic.md").write_text("# Attic\n\n[nowhere](#nowhere) [gone](gone.md) [out](../README.md)\n")
    done = build_site(tmp_path, tmp_path / "site")
    assert done.returncode == 1
    shown = set(re.findall(r"attic\.md|#nowhere|gone\.md|\.\./README\.md", done.stdout + done.stderr))
    assert shown == {"attic.md", "#nowhere", "gone.md"}


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments; lines that are continued are joined."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in joined.splitlines() if line]


def test_dockerfile_fits_the_project() -> None:
    """It installs the wheel with extras that exist and the packages that the README names, and runs the script as a
    user without rights."""
    steps = dockerfile()
    assert {name for name, _ in steps} <= {"FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    runs = " ".join(argument for name, argument in steps if name == "RUN")
    (extras,) = re.findall(r"\.whl\)\[([\w,]+)\]", runs)
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
    (packages,) = re.findall(r"apt-get install ([\w. -]+)", README)
    assert f"--no-install-recommends {packages} " in runs
    last = dict(steps)
    assert json.loads(last["ENTRYPOINT"])[0] in PROJECT["scripts"]
    assert (last["USER"], f"useradd --uid 1000 --create-home {last['USER']}" in runs) == ("indexer", True)
    python = re.escape(PROJECT["requires-python"].removeprefix(">="))
    assert all(re.match(rf"python:{python}-slim", image) for name, image in steps if name == "FROM")


def test_container_gets_what_a_wheel_is_built_of() -> None:
    """What is not kept from the container is there, and has all that the wheel is built of."""
    kept = [line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [name for name in kept if not (ROOT / name).exists()] == []
    assert {"indexer", "migrations", "pyproject.toml", "setup.py", "README.md", "LICENSE"} <= set(kept)


def test_compose_file_fits_the_project() -> None:
    """The services name files, volumes and variables that exist, and no password."""
    composed = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    service, database = composed["services"]["indexer"], composed["services"]["database"]
    assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DOCKER / "Dockerfile"
    volumes = {
        volume.split(":")[0] for part in (service, database) for volume in part["volumes"] if volume[0].isalpha()
    }
    assert volumes == composed["volumes"].keys()
    assert service["environment"]["INDEXER_DB"] == "postgresql+psycopg://indexer@database/indexer"
    assert [volume.split(":?")[0] for volume in service["volumes"]] == ["index:/index", "${INDEXER_FRAMES"]
    passwords = [part["environment"][name] for part, name in ((service, "PGPASSWORD"), (database, "POSTGRES_PASSWORD"))]
    assert all(password.startswith("${INDEXER_PASSWORD:?") for password in passwords)


@pytest.mark.parametrize(
    ("program", "options", "file"),
    [
        ("hadolint", ["--failure-threshold", "warning"], "Dockerfile"),
        ("compose-lint", ["check", "--fail-on", "high"], "compose.yaml"),
    ],
)
def test_linters_of_containers(program: str, options: list[str], file: str) -> None:
    """The linters have no warning of the Dockerfile, and nothing grave of the compose file."""
    path = Path(sys.executable).parent / program
    if not path.exists():
        pytest.skip(f"needs {program}: pip install -e '.[containers]'")
    done = subprocess.run([path, *options, DOCKER / file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_issue_templates(template: Path) -> None:
    """A template says what it is for, and names only commands that exist."""
    from indexer.cli.app import app
    from indexer.cli.options import find_function

    _, head, body = template.read_text().split("---\n", 2)
    assert yaml.safe_load(head).keys() == {"name", "about", "labels"}
    assert app.registered_commands
    commands = [name for name in re.findall(r"`indexer (\w+)", body) if name != "profile"]
    assert [name for name in commands if find_function(name) is None] == []


def test_citation() -> None:
    """The citation has what its format requires, and the licence and the version of the project."""
    citation: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert (citation["license"], citation["version"]) == (PROJECT["license"], __version__)


def release_problems(heads: list[str], version: str) -> list[str]:
    """What is wrong with the headings of the changelog at a version, as `1.2.3`.

    Below 0.1.0 nothing is released: there is only the heading of what is to come. From then on the version has one.
    """
    released = [head for head in heads if not head.startswith("Unreleased")]
    if numbers(version) < (0, 1, 0):
        return [f"{head} was not released" for head in released]
    if version not in {head.split(" ")[0] for head in released}:
        return [f"there is no heading {version}"]
    return [f"{head} is newer" for head in released if numbers(head.split(" ")[0]) > numbers(version)]


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, which compare as versions do."""
    return tuple(map(int, version.split(".")))


@pytest.mark.parametrize(
    ("heads", "version", "count"),
    [
        (["Unreleased (0.1.0)"], "0.0.1", 0),
        (["0.1.0"], "0.0.1", 1),
        (["Unreleased"], "0.1.0", 1),
        (["0.1.0 (2026-12-01)"], "0.1.0", 0),
        (["Unreleased", "0.10.0", "0.9.0"], "0.10.0", 0),
        (["0.10.0", "0.9.0"], "0.9.0", 1),
        (["0.1.0"], "0.1.1", 1),
    ],
)
def test_what_the_changelog_must_have(heads: list[str], version: str, count: int) -> None:
    """A version below 0.1.0 has no heading, a later one has its own, and none is newer."""
    assert len(release_problems(heads, version)) == count


def test_changelog_and_docs_have_this_version() -> None:
    """The headings of the changelog fit the version, and the docs name the wheel that it builds."""
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert release_problems(heads, __version__) == []
    pages = [page.read_text() for page in (README_PATH, *(ROOT / "docs").rglob("*.md"))]
    wheels = {version for page in pages for version in re.findall(r"indexer-([\w.]+)-py3-none-any\.whl", page)}
    assert wheels == {__version__}
