"""The README: its commands work as they stand, its outputs are what they print, its views are those that there are.

What differs from run to run or between versions is made equal first: the folder, times of the clock, sizes of files
(they depend on the JPEG encoder), white space, and how Typer sets arguments and types in a help text.
"""

import contextlib
import difflib
import io
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from indexer.cli.app import app
from indexer.cli.main import main
from indexer.store.schema import open_database
from indexer.workflows.admin.demo import write_frames
from tests.support.databases import Maker, execute, on_postgresql

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHAPE = re.compile(
    r"python3 -m venv \.venv && \.venv/bin/pip install -q -e (\.|'\.\[test\]') && \.venv/bin/python (.+)"
)


def blocks(kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def steps(kind: str = "console") -> list[tuple[str, str]]:
    """The commands of all sessions, in order, each with the output shown below it."""
    parts = [part for block in blocks(kind) for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def run(command: str, *, folder: Path) -> str:
    """What a command prints, run in a folder as the README has it."""
    program, name, *words = shlex.split(command)
    assert (program, name) == ("python", "manage.py")
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = main(app, words)
    assert code == 0, printed.getvalue()
    return printed.getvalue()


def levelled(text: str, *, folder: Path) -> list[str]:
    """The lines of an output without what may differ."""
    text = text.replace(str(folder), "/data")
    text = re.sub(r"(?!2026-03-01)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "NOW", text)
    text = re.sub(r"\d[\d,]*(\.\d+)? ([kMG]B|bytes?)\b", "SIZE", text)
    lines = (" ".join(line.replace("─", "").split()) for line in text.splitlines())
    return [line for line in lines if line]


def help_words(text: str) -> list[str]:
    """The words of a help text, one a line, without the signs and types that Typer sets around arguments."""
    return re.sub(r"<[a-z\[\]]+>|\.\.\.|[{}\[\]]", " ", text).split()


def difference(shown: list[str], printed: list[str]) -> str:
    """How what is shown differs from what is printed; empty if it does not."""
    return "\n".join(difflib.unified_diff(shown, printed, "README.md", "printed", lineterm=""))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str, str]]]:
    """The folder after all sessions were played in it, and each command with what is shown and what was printed."""
    folder = tmp_path_factory.mktemp("readme")
    write_frames(folder / "frames")
    (folder / "lot").mkdir()
    for path in (folder / "frames").glob("lot*"):
        path.rename(folder / "lot" / path.name)
    acts = [(command, shown) for command, shown in steps() if "--help" not in command]
    return folder, [(command, shown, run(command, folder=folder)) for command, shown in acts]


def test_sessions(played: tuple[Path, list[tuple[str, str, str]]]) -> None:
    """Every command of the README, run in its order, prints what is shown below it."""
    folder, acts = played
    assert len(acts) > 10
    for command, shown, printed in acts:
        found = difference(levelled(shown, folder=folder), levelled(printed, folder=folder))
        assert not found, f"{found}\n\nThe block should be:\n$ {command}\n{printed.replace(str(folder), '/data')}"


def replaced(text: str, names: dict[str, str]) -> str:
    """A text with other names."""
    return re.sub("|".join(map(re.escape, names)), lambda match: names[match[0]], text)


def readers_url(place: URL, reader: str) -> str:
    """The address of the same index for another role, without a password."""
    return URL.create(place.drivername, reader, None, place.host, place.port, place.database).render_as_string()


@on_postgresql
def test_session_on_a_server(maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the section on PostgreSQL print what is shown below them."""
    folder, place, reader = tmp_path / "data", make_url(maker.place(tmp_path)), f"lot_reader_{os.getpid()}"
    write_frames(folder / "frames")
    (folder / "lot").mkdir()
    for path in (folder / "frames").glob("lot*"):
        path.rename(folder / "lot" / path.name)
    monkeypatch.setenv("INDEXER_READER_PASSWORD", "only-for-tests")
    monkeypatch.setenv("PGPASSWORD", "only-for-tests")
    owners, readers = place.render_as_string(hide_password=False), readers_url(place, reader)
    names = {"postgresql+psycopg://localhost/lot": owners, "postgresql+psycopg://lot_reader@localhost/lot": readers}
    names["lot_reader"] = reader
    acts = steps("console postgresql")
    assert len(acts) == 4
    try:
        for command, shown in acts:
            printed = replaced(
                run(replaced(command, names), folder=folder), {there: here for here, there in names.items()}
            )
            found = difference(levelled(shown, folder=folder), levelled(printed, folder=folder))
            assert not found, f"{found}\n\nThe block should be:\n$ {command}\n{printed.replace(str(folder), '/data')}"
    finally:
        with closing(open_database(owners)) as database:
            execute(database, f"DROP OWNED BY {reader}")
            execute(database, f"DROP ROLE {reader}")


@pytest.mark.parametrize(("command", "shown"), [step for step in steps() if "--help" in step[0]])
def test_help(command: str, shown: str, tmp_path: Path) -> None:
    """Every help block says what the command says."""
    printed = run(command, folder=tmp_path)
    found = difference(help_words(shown), help_words(printed))
    assert not found, f"{found}\n\nThe block should be:\n$ {command}\n{printed}"


@pytest.mark.parametrize("query", blocks("sql"))
def test_queries(query: str, played: tuple[Path, list[tuple[str, str, str]]]) -> None:
    """Every query answers with rows, by `audit --sql` and by SQLite itself."""
    folder, _ = played
    reader = sqlite3.connect(f"{(folder / 'indexer.db').as_uri()}?mode=ro", uri=True)
    rows = reader.execute(query).fetchall()
    reader.close()
    assert rows
    assert len(
        levelled(run(shlex.join(["python", "manage.py", "audit", "--sql", query]), folder=folder), folder=folder)
    ) == 1 + len(rows)


def test_there_are_three_queries() -> None:
    """Three queries are there to be tested."""
    assert len(blocks("sql")) == 3


def test_views(migrated_file: Path) -> None:
    """The README names every view and every column that a view has."""
    reader = sqlite3.connect(migrated_file)
    views = [name for (name,) in reader.execute("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")]
    columns = {view: [row[1] for row in reader.execute(f"PRAGMA table_info({view})")] for view in views}
    reader.close()
    rows = re.findall(r"^\| `(audit_\w+)` \| [^|]+ \| (.+) \|$", README, flags=re.MULTILINE)
    assert {view: re.findall(r"`(\w+)`", named) for view, named in rows} == columns


def first_line(word: str) -> str:
    """The first line of the README that holds a word."""
    return next(line for line in README.splitlines() if word in line)


def test_demo_command(tmp_path: Path) -> None:
    """The first line with the demo is one whole command, and its last part, run here, does the demo."""
    parts = SHAPE.fullmatch(first_line("manage.py demo"))
    assert parts is not None
    assert parts.groups() == (".", "manage.py demo")
    done = subprocess.run(
        [sys.executable, *parts[2].split()],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Go on with:" in done.stdout


def test_test_command() -> None:
    """The first line with pytest is one whole command, and `.ci/run` takes it from there."""
    parts = SHAPE.fullmatch(first_line("pytest"))
    assert parts is not None
    assert parts.groups() == ("'.[test]'", "-m pytest")
    assert 'bash -c "$(grep -m1 pytest README.md)"' in (ROOT / ".ci" / "run").read_text()


def test_settings_are_told() -> None:
    """Every environment variable that is read is in the README, with its default."""
    from indexer.settings import read_settings

    source = Path(sys.modules[read_settings.__module__].__file__ or "").read_text()
    defaults = read_settings({})
    for name in set(re.findall(r'"(INDEXER_\w+)"', source)):
        assert f"| `{name}` |" in README
    for limit in ("max_pixels", "max_bytes", "max_memory_mb", "max_seconds"):
        assert f"| {getattr(defaults, limit)} |" in first_line(f"`INDEXER_{limit.upper()}`")
