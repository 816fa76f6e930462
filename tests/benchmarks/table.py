"""The benchmark's README and its picture of growth, made from `results.json` alone (tests/benchmarks/test_table.py)."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.benchmarks import estimates
from tests.benchmarks.figures import BARS, SMALL
from tests.benchmarks.picture import Panel, draw

HERE = Path(__file__).resolve().parent
RESULTS, README, PICTURE = HERE / "results.json", HERE / "README.md", HERE / "growth.svg"
SCALE = HERE / "SCALE.md"
FRONT = HERE.parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- made by `python -m tests.benchmarks table` -->\n", "<!-- until here -->"

_GROWTH = {"images in one camera": "images", "cameras": "cameras"}
_COMMANDS = ("ingest", "compare", "a hundred more")
_WORDS = {"s": "s", "processor_s": "s of processor", "us": "µs a pair", "mb": "MB", "own_mb": "MB of its own"}

Results = Mapping[str, Mapping[str, Any]]


def load() -> dict[str, Any]:
    """The results kept so far, by figure."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def save(results: Results) -> None:
    """Keeps results, the figures in their order."""
    ordered = {figure: results[figure] for figure in SMALL if figure in results}
    RESULTS.write_text(json.dumps(ordered, indent=2) + "\n")


def merged(results: Results, figure: str, taken: Mapping[str, Any]) -> dict[str, Any]:
    """The results with a figure in the place of an older one, whose note stays; a small one never replaces one at full
    size."""
    older = results.get(figure, {})
    if taken["small"] and not older.get("small", True):
        return dict(results)
    note = {"note": older["note"]} if "note" in older else {}
    return {**results, figure: {**taken, **note}}


def write(results: Results) -> None:
    """Writes the README and the picture, and the tables into docs/performance.md and into SCALE.md."""
    SCALE.write_text(estimates.page(SCALE.read_text(), results))
    README.write_text(readme(results))
    PICTURE.write_text(picture(results))
    FRONT.write_text(front(FRONT.read_text(), results))


def front(page: str, results: Results) -> str:
    """The page docs/performance.md with the table of bars between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{_table(('what', 'bar', 'measured', 'holds'), _bars(results))}{END}{after}"


def readme(results: Results) -> str:
    """The README."""
    parts = [_HEAD, _table(("what", "bar", "measured", "holds"), _bars(results))]
    for figure, taken in results.items():
        parts += [f"\n## {figure}\n", f"{taken['what']}\n", _surroundings(taken)]
        parts += [f"{taken['note']}\n"] if taken.get("note") else []
        parts += list(_growth(taken["result"]) if figure == "growth" else _details(taken["result"]))
    return "\n".join(parts)


def picture(results: Results) -> str:
    """The picture of growth, as SVG: seconds and memory against images, and against cameras."""
    result = results["growth"]["result"] if "growth" in results else {}
    panels = []
    for name, unit in _GROWTH.items():
        rows = result.get(name, [])
        for measured, what in (("processor_s", "seconds on the processor"), ("mb", "MB, largest process")):
            lines = {command: [(row[unit], row[f"{command}_{measured}"]) for row in rows] for command in _COMMANDS}
            panels.append(Panel(name, what, lines))
    return draw(panels)


def _bars(results: Results) -> Iterator[Sequence[str]]:
    for bar in BARS:
        taken = results.get(bar.figure, {})
        value = bar.value(taken.get("result", {}))
        if value is None:
            yield bar.what, bar.text, "not measured", ""
        else:
            holds = "yes" if bar.holds(value) else "**no**"
            yield bar.what, bar.text, f"{value:g}{bar.unit}", "small run" if taken.get("small") else holds


def _surroundings(taken: Mapping[str, Any]) -> str:
    machine = taken["machine"]
    versions = ", ".join(f"{package} {version}" for package, version in taken["versions"].items())
    commit = f"commit {taken['commit']}" if taken["commit"] else "an unknown commit"
    small = "Sizes at which this only shows that the harness works. " if taken.get("small") else ""
    return (
        f"{small}Taken {taken['measured_at']} at {commit} on {machine['cpu']}, {machine['cores']} cores; {versions}.\n"
    )


def _details(result: Mapping[str, Any]) -> Iterator[str]:
    """The numbers of a result: one row where it is flat, else a row for each of its parts."""
    parts = {name: part for name, part in result.items() if isinstance(part, Mapping) and name != "differences"}
    if not parts:
        parts = {"": result}
    rows = {name: dict(_flat(part)) for name, part in parts.items()}
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    yield _table(
        ("", *map(_heading, columns)),
        ([name, *(_number(row.get(key)) for key in columns)] for name, row in rows.items()),
    )


def _flat(part: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in part.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{key}: ")
        else:
            yield f"{prefix}{key}", value


def _growth(result: Mapping[str, Any]) -> Iterator[str]:
    yield "![time and memory against the number of images and of cameras](growth.svg)\n"
    yield f"New states: {result['fresh']:.0%} of the frames.\n"
    keys = [f"{command}_{measured}" for command in _COMMANDS for measured in ("s", "processor_s", "mb", "own_mb")]
    for name, unit in _GROWTH.items():
        rows = result.get(name, [])
        if not rows:
            continue
        cells = ([_number(row[key]) for key in ("cameras", "images", "keepers", *keys)] for row in rows)
        yield _table(("cameras", "images", "keepers", *map(_heading, keys)), cells)
        yield from _bends(rows, unit)


def _bends(rows: Sequence[Mapping[str, float]], unit: str) -> Iterator[str]:
    """How steep each command's time on the processor is from one row to the next: the power of n, 1 where it grows in
    proportion."""
    if len(rows) > 1:
        from_to = list(pairwise(rows))
        head = (
            "time on the processor grows with the power",
            *(f"{_number(a[unit])} to {_number(b[unit])} {unit}" for a, b in from_to),
        )
        yield _table(
            head,
            ([command, *(_power(a, b, unit, f"{command}_processor_s") for a, b in from_to)] for command in _COMMANDS),
        )


def _power(before: Mapping[str, float], after: Mapping[str, float], unit: str, key: str) -> str:
    return f"{math.log(after[key] / before[key]) / math.log(after[unit] / before[unit]):.2f}"


def _heading(key: str) -> str:
    for ending, words in sorted(_WORDS.items(), key=lambda word: -len(word[0])):
        if key.endswith(f"_{ending}"):
            return f"{key.removesuffix(f'_{ending}')}, {words}".replace("_", " ")
    return key.replace("_", " ")


def _number(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}".replace(",", " ") if isinstance(value, int | float) else str(value)


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


_HEAD = """\
# Benchmarks

How fast, how large and how exact, each figure taken side by side with a reference in one run. This page and its
picture are made from `results.json`, which `python -m tests.benchmarks` writes; `--small` only shows that the harness
works, and `python -m tests.benchmarks table` makes this page again. Times are the
best of several rounds taken in turn, `median` says so; memory is that of the largest process, with the files it has
mapped.
"""
