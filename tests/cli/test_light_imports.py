"""Commands that only ask the index load no image library, and start nearly as fast as what they cannot do without."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT

HEAVY = ["cv2", "numba", "distributed", "jinja2", "PIL", "numpy", "pebble", "multiprocessing"]
LOOK = f"""
import atexit, runpy, sys
atexit.register(lambda: print("LOADED", *[name for name in {HEAVY!r} if name in sys.modules]))
sys.path.insert(0, {str(ROOT)!r})
sys.argv[0] = "manage.py"
runpy.run_path({str(ROOT / "manage.py")!r}, run_name="__main__")
"""
RATIO = 2.5


def loaded(*words: str) -> list[str]:
    """The heavy libraries that a command loads."""
    done = subprocess.run([sys.executable, "-c", LOOK, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["status", "--json"],
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
    ],
    ids=" ".join,
)
def test_no_image_library_is_loaded(decided: Path, words: list[str]) -> None:
    """None of the image libraries, nor what spreads work, nor what makes pages."""
    assert loaded(*words) == []


def test_the_look_can_fail(decided: Path) -> None:
    """A command that draws loads them."""
    assert {"cv2", "numpy"} <= set(loaded("explain", "1", "3", "--picture", "pair.png"))


def count_modules(code: str) -> int:
    """How many modules a program has loaded when it ends."""
    line = f"import atexit, sys; atexit.register(lambda: print('MODULES', len(sys.modules)))\n{code}"
    done = subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True, timeout=120)
    return int(done.stdout.splitlines()[-1].split()[1])


def test_little_is_loaded(decided: Path) -> None:
    """`status` loads at most 2.5 times as many modules as sqlalchemy and rich: what it takes to start, without a clock.

    The processor's time is in the same proportion, 2.6 times on a busy machine; Typer with pydantic is a quarter of it.
    """
    status = f"import runpy; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['manage.py', 'status']\n"
    status += f"runpy.run_path({str(ROOT / 'manage.py')!r}, run_name='__main__')"
    assert count_modules(status) <= RATIO * count_modules("import sqlalchemy, rich")
