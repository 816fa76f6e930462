"""How long `--help` takes, from the start of the process to its end."""

from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import manage, rounded, side_by_side


def measure(folder: Path, *, rounds: int = 21) -> dict[str, Any]:
    """Seconds, best and median."""
    timings = side_by_side({"help": lambda: manage("--help", folder=folder)}, rounds=rounds)
    return {"rounds": rounds, "best_s": rounded(timings["help"].best_s), "median_s": rounded(timings["help"].median_s)}
