"""Commands that only ask the index load no image library, and start nearly as fast as what they cannot do without."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.workflows.compare.workload import PRELOADED_MODULES
from tests.support.command import ROOT

HEAVY = ["onnx", "onnxruntime", "cv2", "numba", "distributed", "jinja2", "PIL", "numpy", "pebble", "multiprocessing"]
ASKING = [
    ["status"],
    ["status", "--json"],
    ["status", "--check", "--silent-after", "0"],
    ["config", "show"],
    ["export", "csv", "kept.csv"],
    ["audit"],
    ["audit", "borderline"],
    ["audit", "--sql", "SELECT 1 AS one", "--csv"],
    ["explain", "1"],
    ["explain", "1", "2"],
    ["pin", "1"],
    ["unpin", "1"],
    ["verdict", "list"],
    ["verdict", "1", "3", "different"],
    ["profile", "list"],
    ["profile", "show", "balanced"],
    ["profile", "make", "mine", "--max-score", "2000"],
    ["profile", "use", "plain", "--camera", "gate"],
]
DRAWING = ["explain", "1", "3", "--picture", "pair.png"]
LOOK = f"""
import json, os, sys
sys.path.insert(0, {str(ROOT)!r})
from indexer.cli.app import app
from indexer.cli.main import main
for number, words in enumerate(json.loads(sys.argv.pop())):
    sys.argv[:] = ["manage.py", *words]
    forked = number > 0
    if forked and os.fork():
        os.wait()
        continue
    code = main(app, words)
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    print(json.dumps([words, code, loaded]), file=sys.stderr, flush=True)
    if forked:
        os._exit(0)
"""
"""Runs commands one after the other: the first in a new process, and each of the others in a fork of it."""
RATIO = 2.5


def loaded(commands: list[list[str]]) -> list[list[object]]:
    """Of each command its words, its exit code and the heavy libraries that it loads."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, json.dumps(commands)], capture_output=True, text=True, timeout=120, check=True
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_no_image_library_is_loaded(decided: Path) -> None:
    """None of the image libraries, nor what spreads work, nor what makes pages."""
    assert loaded(ASKING) == [[words, 0, []] for words in ASKING]


def test_the_look_can_fail(decided: Path) -> None:
    """A command that draws loads them."""
    ((_, code, names),) = loaded([DRAWING])
    assert (code, {"cv2", "numpy"} <= set(names)) == (0, True)


def test_garbage_is_collected_in_a_command(decided: Path) -> None:
    """The collector of garbage, which slows the imports down, is at work while a command is."""
    look = f"""
import atexit, gc, runpy, sys
atexit.register(lambda: print("ENABLED", gc.isenabled()))
sys.path.insert(0, {str(ROOT)!r})
sys.argv[0] = "manage.py"
runpy.run_path({str(ROOT / "manage.py")!r}, run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", look, "status"], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines()[-1] == "ENABLED True"


def count_modules(code: str) -> int:
    """How many modules a program has loaded when it ends."""
    line = f"import atexit, sys; atexit.register(lambda: print('MODULES', len(sys.modules)))\n{code}"
    done = subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True, timeout=120)
    return int(done.stdout.splitlines()[-1].split()[1])


def test_little_is_loaded(decided: Path) -> None:
    """`status` loads at most 2.5 times as many modules as sqlalchemy and rich: what it takes to start, without a clock.

    The processor's time is 2.4 times theirs, as `manage.py` imports without collecting garbage. Typer with pydantic is
    a quarter of it.
    """
    status = f"import runpy; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['manage.py', 'status']\n"
    status += f"runpy.run_path({str(ROOT / 'manage.py')!r}, run_name='__main__')"
    assert count_modules(status) <= RATIO * count_modules("import sqlalchemy, rich")


def test_review_starts_without_the_matcher() -> None:
    """A session of `review` can be served before anything of `compare` is loaded, which the first verdict needs."""
    code = (
        "import sys, indexer.workflows.review_server.review, indexer.web.server.running\n"
        "late = ['numba', 'indexer.workflows.compare', 'indexer.workflows.review_server.deciding',"
        " 'indexer.workflows.review_server.areas']\n"
        "print('LOADED', *[name for name in late if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120, cwd=ROOT
    )
    assert done.stdout.splitlines() == ["LOADED"]


@pytest.mark.parametrize("modules", [("indexer.workflows.image_files",), PRELOADED_MODULES], ids=["ingest", "compare"])
def test_workers_load_no_database(modules: tuple[str, ...]) -> None:
    """What workers import knows neither the database nor the command line: they open no database, and loading what
    knows it takes longer than all the rest."""
    code = (
        f"import sys, {', '.join(modules)}\n"
        "print('LOADED', *[name for name in ('sqlalchemy', 'indexer.store', 'typer', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120, cwd=ROOT
    )
    assert done.stdout.splitlines() == ["LOADED"]
