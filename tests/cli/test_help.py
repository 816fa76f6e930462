"""`--help`: quick, because nothing heavy is loaded for it."""

import subprocess
import sys

import pytest

from tests.cli.test_json import commands_of
from tests.support.command import ROOT, Run

HEAVY = ["cv2", "numpy", "numba", "PIL", "sqlalchemy", "alembic", "sqlite3", "rich", "multiprocessing", "pebble"]
LOOK = f"""
import atexit, runpy, sys
atexit.register(lambda: print("LOADED", *[name for name in {HEAVY!r} if name in sys.modules]))
sys.path.insert(0, {str(ROOT)!r})
sys.argv[0] = "manage.py"
runpy.run_path({str(ROOT / "manage.py")!r}, run_name="__main__")
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["ingest", "--help"], ["profile", "make", "--help"], []])
def test_loads_nothing_heavy(words: list[str]) -> None:
    """Help, the version and the first mistake are answered without any library that takes long to load."""
    done = subprocess.run([sys.executable, "-c", LOOK, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == (0 if words else 2), done.stderr
    assert done.stdout.splitlines()[-1].strip() == "LOADED"


def test_look_sees_what_is_loaded() -> None:
    """The check above can fail: a command that works does load some of them."""
    done = subprocess.run([sys.executable, "-c", LOOK, "audit"], capture_output=True, text=True, timeout=60)
    assert {"sqlalchemy", "rich"} <= set(done.stdout.splitlines()[-1].split())


def test_every_command_has_help(run: Run) -> None:
    """Every command says in one sentence what it does, uncut in the list of commands, and explains every option."""
    for command in commands_of():
        answer = run(*command, "--help")
        sentence = answer.out.splitlines()[2].strip()
        assert answer.code == 0
        assert sentence.endswith(".")
        assert sentence in run(*command[:-1], "--help").out
        assert not [line for line in answer.out.splitlines() if line.strip().startswith("--") and len(line.split()) < 3]


def test_version(run: Run) -> None:
    """`--version` says the version, without a command."""
    from indexer import __version__

    answer = run("--version")
    assert (answer.code, answer.out, answer.err) == (0, f"indexer {__version__}\n", "")


def test_no_command(run: Run) -> None:
    """Without a command the help is shown, as a mistake: on stderr, with exit code 2."""
    answer = run()
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Usage: manage.py")
    assert answer.sentence == "indexer: no command was given"
