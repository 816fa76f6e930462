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

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docs" / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))
README = (ROOT / "README.md").read_text()


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
    """A page that is not in the navigation, and a link to a heading that is not there, fail the build."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("adr", "docker"))
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "mkdocs.yml", tmp_path / ".ci")
    (tmp_path / "docs" / "attic.md").write_text("# Attic\n\n[nowhere](#nowhere)\n")
    done = build_site(tmp_path, tmp_path / "site")
    assert done.returncode == 1
    assert {"attic.md", "#nowhere"} <= set(re.findall(r"attic\.md|#nowhere", done.stdout + done.stderr))


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
    passwords = [part["environment"][name] for part, name in ((service, "PGPASSWORD"), (database, "POSTGRES_PASSWORD"))]
    assert all(password.startswith("${INDEXER_PASSWORD:?") for password in passwords)


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
    """The citation has what its format requires, and the licence of the project."""
    citation: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["license"] == PROJECT["license"]


def test_nothing_claims_a_release() -> None:
    """As long as the version is below 0.1.0, the changelog has no entry but the unreleased one."""
    from indexer import __version__

    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert heads[0].startswith("Unreleased")
    assert [head for head in heads[1:] if head.split(" ")[0] > __version__] == []
