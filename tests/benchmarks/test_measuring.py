"""How figures are taken: in turn, with the memory of the whole tree of processes, and failures not passed over."""

import sys
from pathlib import Path

import pytest

from tests.benchmarks.measuring import ROOT, Timing, ratios, rounded, run, side_by_side, surroundings

GRANDCHILD = """
import subprocess, sys
eater = "import time; eaten = bytearray(150 * 2**20); eaten[::4096] = bytes(len(eaten[::4096])); time.sleep(0.6)"
subprocess.run([sys.executable, "-c", eater], check=True)
print("done")
"""


def test_ways_are_taken_in_turn() -> None:
    """In every round each way is prepared and taken once."""
    seen: list[str] = []
    ways = {"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}
    timings = side_by_side(ways, rounds=2, before=lambda name: seen.append(f"before {name}"))
    assert (seen, list(timings)) == (["before a", "a", "before b", "b"] * 2, ["a", "b"])
    assert all(0 <= timing.best_s <= timing.median_s for timing in timings.values())


def test_ratio_is_of_the_best() -> None:
    """The ratio is that of the best rounds; the medians are told beside it."""
    found = ratios({"loop": Timing(3.0, 4.0), "command": Timing(1.5, 1.0)}, slow="loop", fast="command")
    assert (found["ratio"], found["ratio_of_medians"], found["loop_s"]) == (2.0, 4.0, 3.0)


def test_memory_is_that_of_the_largest_grandchild(tmp_path: Path) -> None:
    """A process that a command's process started counts, and its memory is not added to the others'."""
    ran = run([sys.executable, "-c", GRANDCHILD], folder=tmp_path, watched=True)
    assert ran.out == "done\n"
    assert 150 < ran.own_mb <= ran.resident_mb < 250


def test_failure_is_not_a_figure(tmp_path: Path) -> None:
    """A command that fails gives no time but an error with its last words; one that may fail gives what it took."""
    line = [sys.executable, "-c", "import sys; sys.exit('no such thing')"]
    with pytest.raises(RuntimeError, match="no such thing"):
        run(line, folder=tmp_path)
    assert run(line, folder=tmp_path, fails=True).resident_mb == 0


def test_surroundings_name_no_place() -> None:
    """What is kept beside a figure names versions, commit and processor, and no folder of this machine."""
    said = surroundings()
    assert set(said) == {"measured_at", "commit", "machine", "versions"}
    assert {"cpu", "cores"} == set(said["machine"])
    assert str(ROOT.parent) not in str(said)


@pytest.mark.parametrize(("number", "told"), [(0.123456, 0.123), (123.456, 123.0), (98765.4, 98765.0), (0.0, 0.0)])
def test_three_digits_are_shown(number: float, told: float) -> None:
    """Figures are told with three digits, large ones whole."""
    assert rounded(number) == told
