"""How figures are taken: callables timed in turn, commands run in a process of their own with their memory watched, and
what has to be said beside every figure (versions, machine, commit).

It knows no figure and no bar.
"""

import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared" / "data" / "frames"

_PACKAGES = ("opencv-python", "numpy", "numba", "sqlalchemy", "pebble", "pillow", "czkawka", "distributed", "av")
_NO_CACHE = "PYTHONDONTWRITEBYTECODE"
_WATCH_S = 0.1
_MB = 1024.0  # kB in /proc


@dataclass(frozen=True)
class Timing:
    """How long one way took: the best and the median of its rounds."""

    best_s: float
    median_s: float


@dataclass(frozen=True)
class Ran:
    """What a command took: seconds, and the memory of the largest process of its tree, in MB (0.0: not watched).

    `processor_s` is the time on the processor of all of them, to a tenth of a second each (0.0: not watched).
    `resident_mb` is the peak of what was resident, files mapped into memory included; `own_mb` the largest sample
    without those, which the system may drop at any time.
    """

    seconds: float
    resident_mb: float
    own_mb: float
    out: str
    processor_s: float = 0.0


def side_by_side(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    before: Callable[[str], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """How long each way takes, all ways in turn in every round; `before` prepares each turn, untimed.

    `clock`: `time.process_time` for ways that work in this process alone, so that no other process counts.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            if before is not None:
                before(name)
            begin = clock()
            way()
            seconds[name].append(clock() - begin)
    return {name: Timing(min(taken), statistics.median(taken)) for name, taken in seconds.items()}


@contextmanager
def one_core() -> Iterator[None]:
    """Keeps OpenCV in this process to one core, as a reference is meant; indexer's workers see to themselves."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def ratios(timings: Mapping[str, Timing], *, slow: str, fast: str) -> dict[str, float]:
    """Seconds of two ways and how many times faster one is than the other."""
    return {
        f"{slow}_s": rounded(timings[slow].best_s),
        f"{fast}_s": rounded(timings[fast].best_s),
        f"{slow}_median_s": rounded(timings[slow].median_s),
        f"{fast}_median_s": rounded(timings[fast].median_s),
        "ratio": rounded(timings[slow].best_s / timings[fast].best_s),
        "ratio_of_medians": rounded(timings[slow].median_s / timings[fast].median_s),
    }


def rounded(number: float) -> float:
    """The number with three digits that count."""
    return float(f"{number:.3g}") if abs(number) < 1000 else float(round(number))


def manage(*words: object, folder: Path, watched: bool = False, fails: bool = False) -> Ran:
    """What a command of manage.py took, run to its end in that folder."""
    return run([sys.executable, str(ROOT / "manage.py"), *map(str, words)], folder=folder, watched=watched, fails=fails)


def run(line: list[str], *, folder: Path, watched: bool = False, fails: bool = False, **more: str) -> Ran:
    """What any command took; one that does not end with exit code 0 raises, unless it may fail.

    Python may keep what it compiled, as it does where a program is installed.
    """
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("INDEXER_", _NO_CACHE))}
    surroundings |= {"INDEXER_STATE": "off"} | more
    begin = time.perf_counter()
    with subprocess.Popen(
        line, cwd=folder, env=surroundings, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        watch = _Watch(process.pid) if watched else None
        while True:
            try:
                out, err = process.communicate(timeout=_WATCH_S if watch else None)
                break
            except subprocess.TimeoutExpired:
                if watch is not None:
                    watch.look()
        seconds = time.perf_counter() - begin
    if process.returncode and not fails:
        raise RuntimeError(f"{' '.join(line[1:4])} … ended with {process.returncode}: {err.strip()[-500:]}")
    resident, own = (0.0, 0.0) if watch is None else (watch.resident_kb / _MB, watch.own_kb / _MB)
    return Ran(seconds, rounded(resident), rounded(own), out, 0.0 if watch is None else sum(watch.processor_s.values()))


class _Watch:
    """The memory of the largest process of a tree, seen so far."""

    def __init__(self, root: int) -> None:
        self._root = root
        self.resident_kb = self.own_kb = 0
        self.processor_s: dict[int, float] = {}
        self.look()

    def look(self) -> None:
        """Takes a sample of the whole tree; workers of a pool are grandchildren."""
        for number in tree_of(self._root):
            memory = _memory_kb(number)
            self.resident_kb = max(self.resident_kb, memory.get("VmHWM", 0))
            self.own_kb = max(self.own_kb, memory.get("RssAnon", 0))
            self.processor_s[number] = max(self.processor_s.get(number, 0.0), processor_s_of(number))


def tree_of(root: int) -> list[int]:
    """A process and all below it, by their numbers."""
    children: dict[int, list[int]] = defaultdict(list)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        children[int(words[1])].append(int(process.name))
    found = [root]
    for number in found:  # grows while it is walked
        found += children[number]
    return found


def _memory_kb(number: int) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
    except OSError:
        return {}
    words = (line.split() for line in lines)
    return {word[0].rstrip(":"): int(word[1]) for word in words if word[0] in {"VmHWM:", "RssAnon:"}}


def processor_s_of(number: int) -> float:
    """Seconds that a process itself spent on the processor."""
    return _processor_s(number, fields=2)


def processor_s_with_ended(number: int) -> float:
    """Seconds that a process, and those of its children that have ended, spent on the processor."""
    return _processor_s(number, fields=4)


def _processor_s(number: int, *, fields: int) -> float:
    try:
        words = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, words[11 : 11 + fields])) / os.sysconf("SC_CLK_TCK")


def surroundings() -> dict[str, Any]:
    """When, on what machine and with what versions a figure is taken."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or None,
        "machine": {"cpu": _cpu(), "cores": len(os.sched_getaffinity(0))},
        "versions": {"python": platform.python_version()} | _versions(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
