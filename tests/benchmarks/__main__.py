"""Takes figures, each in a process of its own, and keeps them in `results.json`.

python -m tests.benchmarks [FIGURE...] [--small]     take these figures, else all; then make the table
python -m tests.benchmarks table                     make README.md and growth.svg again from results.json

A `note` that a person writes beside a figure in `results.json` (where a curve bends, and why) goes into the README and
stays when the figure is taken again. Full size takes about two hours and 10 GB in the folder for temporary files.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import table
from tests.benchmarks.compare import compile_once
from tests.benchmarks.figures import BARS, SMALL, about, measure
from tests.benchmarks.measuring import ROOT, surroundings


def main() -> None:
    """Does what the words on the command line say."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Take the project's figures.")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"{', '.join(SMALL)}, or: table")
    parser.add_argument("--small", action="store_true", help="sizes at which they only show that they can be taken")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args()
    unknown = set(words.figures) - {*SMALL, "table"}
    if unknown:
        parser.error(f"there is no figure {sorted(unknown)[0]!r}; there are {', '.join(SMALL)}")
    if words.alone:
        json.dump(_alone(words.figures[0], small=words.small), sys.stdout)
        return
    failed = [figure for figure in words.figures or SMALL if figure != "table" and not _take(figure, small=words.small)]
    table.write(table.load())
    if failed:
        sys.exit(f"not taken: {', '.join(failed)}")


def _alone(figure: str, *, small: bool) -> dict[str, Any]:
    """The figure, taken in this process, with all that must be said beside it."""
    with tempfile.TemporaryDirectory(prefix="indexer-benchmark-") as folder:
        if not small:
            compile_once(Path(folder))
        return surroundings() | {
            "small": small,
            "what": about(figure),
            "result": measure(figure, Path(folder), small=small),
        }


def _take(figure: str, *, small: bool) -> bool:
    """Takes the figure in a fresh process and keeps it; False if that fails, and the others can still be taken."""
    line = [sys.executable, "-m", "tests.benchmarks", "--alone", figure, *(["--small"] if small else [])]
    done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        return False
    taken: dict[str, Any] = json.loads(done.stdout)
    table.save(table.merged(table.load(), figure, taken))
    _tell(figure, taken)
    return True


def _tell(figure: str, taken: dict[str, Any]) -> None:
    """Says how the figure's bars are met."""
    values = {bar: bar.value(taken["result"]) for bar in BARS if bar.figure == figure}
    for bar, value in values.items():
        if value is not None:
            holds = "holds" if bar.holds(value) else "DOES NOT HOLD"
            print(f"{figure:<8} {bar.what}: {value:g}{bar.unit}, {bar.text}: {holds}")  # noqa: T201 - a script for people
    if all(value is None for value in values.values()):
        print(f"{figure:<8} {taken['result'].get('missing', 'taken')}")  # noqa: T201 - a script for people


if __name__ == "__main__":
    main()
