"""Which figures there are, how small they can be taken, and what bar each must hold.

A figure is a module of this folder with `measure(folder, **sizes) -> dict`. It does not know how results are kept or
shown (`tests.benchmarks.table`).
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

SMALL: dict[str, dict[str, Any]] = {
    "pairs": {"frames": 40, "rounds": 1, "sampled_cameras": 1},
    "compare": {"frames": 60, "cameras": 2, "processes": 1, "rounds": 1},
    "wide": {"images": 12, "few": 2, "many": 4, "processes": 1, "rounds": 1},
    "ingest": {"frames": 8, "cameras": 2, "processes": 1, "rounds": 1, "sizes": ((1280, 720),)},
    "learned": {"frames": 8, "cameras": 2, "processes": 1, "rounds": 1, "images": 20},
    "again": {"files": 60, "cameras": 3, "processes": 1, "rounds": 2},
    "job": {"frames": 12, "cameras": 2, "processes": 1, "rounds": 1, "kinds": ((640, 360, ".jpg"),)},
    "stages": {"frames": 12, "cameras": 2, "processes": 1, "rounds": 1, "kinds": ((640, 360, ".png"),)},
    "memory": {"frames": 12, "large_frames": 2, "images": 60, "processes": 1},
    "start": {"rounds": 2},
    "exact": {
        "frames": 60, "cameras": 2, "single": 60, "images": 60, "fresh": 0.2, "pairs": 500,
        "with_samples": False, "processes": 1,
    },
    "cluster": {"frames": 24, "cameras": 2, "size": (640, 360), "troubled": False},
    "storage": {"images": 600},
    "scale": {"images": 0, "real": 600, "fresh": 5, "rounds": 1, "every": 9},
    "video": {"seconds": 12, "repeated": 2, "size": (640, 360), "rounds": 1, "with_clips": False},
    "part": {"images": {"10000": 1_000}, "rounds": 1},
    "watch": {
        "cameras": 2, "seconds": 2, "every_s": 0.2, "files": 20, "idle_folders": 5, "idle_s": 0.1, "warm_up_s": 0.1,
    },
    "record": {
        "cameras": 1, "seconds": 0.2, "video_s": 2, "repeated": 10, "size": (320, 240), "warm_up_s": 0.5,
    },
    "review": {"images": 60, "fresh": 0.4, "large": {"100 000": 1_000}, "verdicts": 2, "keys": 3, "pace_s": 0},
    "advise": {
        "fortnights": 1, "faults": (), "frames": 20, "cameras": 1, "images": 40, "pictures": 20, "size": (320, 240),
        "processes": 1, "with_samples": False,
    },
    "growth": {"images": (60,), "cameras": (), "fresh": 0.1, "processes": 1},
}  # fmt: skip
"""Every figure, in the order of the table, with sizes at which it only shows that it can be taken."""

Relation = Literal["at least", "at most", "under"]


@dataclass(frozen=True)
class Bar:
    """What must hold of one number of a figure; `keys` lead to it, and the numbers of a dict there are added."""

    what: str
    figure: str
    keys: tuple[str, ...]
    relation: Relation
    limit: float
    unit: str

    @property
    def text(self) -> str:
        """The bar in words."""
        return f"{self.relation} {self.limit:g}{self.unit}"

    def value(self, result: Mapping[str, Any]) -> float | None:
        """What was measured; None if this was not."""
        found: Any = result
        for key in self.keys:
            if not isinstance(found, Mapping) or key not in found:
                return None
            found = found[key]
        return float(sum(found.values()) if isinstance(found, Mapping) else found)

    def holds(self, value: float) -> bool:
        """Whether a value is as it must be."""
        if self.relation == "at least":
            return value >= self.limit
        return value < self.limit if self.relation == "under" else value <= self.limit


_KEY = "`review`, a key that judges to the next pair, painted, {} images (median)"
_MEMORY = "memory of the server of `review` after the verdicts, {} images"
_PAIRS = "pair decisions, {} (plain OpenCV / matcher, one core)"
_COMPARE = "`compare`, cameras {} (loop of plain OpenCV / command on two cores)"
_WIDE = "`compare`, {} (2 000 cameras / 20, as many images)"
_INGEST = "`ingest`, {} frames (bare loop on one core / command on two)"
_AGAIN = "`ingest` again, nothing changed, {} (workflow / bare walk and stat)"
_JOB = "ingest and compare, {} frames (job / perceptual hashing by czkawka, two cores)"
_JOB_BARS = (
    ("640x360", 1.0),
    ("1280x720", 0.8),
    ("1920x1080", 0.8),
    ("1280x720 PNG", 1.0),
)
_EXACT = "decisions and recorded scores that differ from brute force, {}"
_PART = "100 new images in a camera of {} with 1 % keepers, {} (processor)"
_PART_BARS = (("10000", "10 000", 1.5, 0.3), ("100000", "100 000", 2.0, 0.5), ("1000000", "1 000 000", 3.0, 1.0))
_WATCH = "`watch`, from closed to decided, 20 cameras at a frame a second ({})"
BARS = (
    *(
        Bar(_PART.format(number, "`compare`"), "part", (key, "compare_processor_s"), "at most", limit, " s")
        for key, number, limit, _ in _PART_BARS
    ),
    *(
        Bar(_PART.format(number, "a process that stays"), "part", (key, "stays_processor_s"), "at most", limit, " s")
        for key, number, _, limit in _PART_BARS
    ),
    Bar("memory of `compare` of a part of 1 000 000 images", "part", ("1000000", "compare_mb"), "at most", 1000, " MB"),
    Bar(_PAIRS.format("sample frames c01-c09"), "pairs", ("all sampled", "ratio"), "at least", 30, " times"),
    Bar(_PAIRS.format("three made-up cameras"), "pairs", ("all made up", "ratio"), "at least", 10, " times"),
    Bar(_COMPARE.format("as busy as the sample frames"), "compare", ("busy", "ratio"), "at least", 10, " times"),
    Bar("… rows that differ between the two", "compare", ("busy", "differences"), "at most", 0, ""),
    Bar(_COMPARE.format("from quiet to busy"), "compare", ("mixed", "ratio"), "at least", 10, " times"),
    Bar("… rows that differ between the two ", "compare", ("mixed", "differences"), "at most", 0, ""),
    Bar(
        _COMPARE.format("as busy as the sample frames, 12 000 frames"),
        "compare",
        ("busy, three times as many", "ratio"),
        "at least",
        10,
        " times",
    ),
    Bar(_WIDE.format("the first time"), "wide", ("the first time", "ratio"), "at most", 2, " times"),
    Bar(_WIDE.format("nothing changed"), "wide", ("again, nothing changed", "ratio"), "at most", 2, " times"),
    Bar(_INGEST.format("1280x720"), "ingest", ("1280x720", "ratio"), "at least", 1.8, " times"),
    Bar(_INGEST.format("1920x1080"), "ingest", ("1920x1080", "ratio"), "at least", 1.8, " times"),
    Bar(
        "`ingest` with `learned`, 1280x720 frames (bare loop with onnxruntime on one core / command on two)",
        "learned",
        ("ingest", "ratio"),
        "at least",
        1.7,
        " times",
    ),
    Bar(
        "pairs by distance, every cell compared, one core",
        "learned",
        ("pairs", "all_cells", "pairs_per_s"),
        "at least",
        100_000,
        " a second",
    ),
    Bar(_AGAIN.format("one folder"), "again", ("one folder", "ratio"), "under", 5, " times"),
    Bar(_AGAIN.format("a folder per camera"), "again", ("a folder per camera", "ratio"), "under", 5, " times"),
    *(
        Bar(_JOB.format(kind), "job", (kind, "ratio_of_medians"), "at most", limit, " times")
        for kind, limit in _JOB_BARS
    ),
    Bar("memory of the largest process, `ingest`", "memory", ("ingest", "resident_mb"), "at most", 500, " MB"),
    Bar(
        "memory of the largest process, `compare` of 100 000 images, 20 000 keepers",
        "memory",
        ("compare", "resident_mb"),
        "at most",
        1000,
        " MB",
    ),
    Bar("`--help` (median)", "start", ("median_s",), "under", 0.3, " s"),
    Bar(
        "`ingest` of a video of ten minutes (command / ffmpeg over its keyframes, processor)",
        "video",
        ("ten minutes", "ratio"),
        "at most",
        1.8,
        " times",
    ),
    Bar("… (command / DVR-Scan, processor)", "video", ("ten minutes", "of_dvr_scan"), "at most", 0.2, " times"),
    Bar(
        "frames of the sample clips that the gate stores (32 images of memory / all)",
        "video",
        ("sample clips", "ratio"),
        "at most",
        1.02,
        " times",
    ),
    Bar("… frames without a similar witness, or wrong scores", "video", ("sample clips", "wrong"), "at most", 0, ""),
    Bar("… labelled visits without a stored frame", "video", ("sample clips", "visits_missed"), "at most", 0, ""),
    Bar(
        "stored frames of videos of every kind from the number that is burnt into them",
        "video",
        ("burnt-in numbers", "frames_off"),
        "at most",
        1,
        " frame",
    ),
    Bar(_WATCH.format("median"), "watch", ("a frame a second", "median_s"), "at most", 6, " s"),
    Bar(_WATCH.format("95th percentile"), "watch", ("a frame a second", "p95_s"), "at most", 12, " s"),
    Bar("`watch` of 20 000 files / ingest and compare", "watch", ("at once", "ratio"), "at most", 1.2, " times"),
    Bar("… files lost", "watch", ("at once", "lost"), "at most", 0, ""),
    Bar(
        "`watch` of 1 000 folders while nothing arrives",
        "watch",
        ("idle", "share"),
        "at most",
        0.01,
        " core",
    ),
    Bar("`record` of ten live cameras, 1080p30", "record", ("live", "cores"), "at most", 0.5, " core"),
    Bar("… frames missed", "record", ("live", "missed"), "at most", 0, ""),
    Bar("… memory of the process of a camera", "record", ("live", "reader_mb"), "at most", 120, " MB"),
    Bar("… `motion` on one of the streams / `record`", "record", ("motion", "ratio"), "at least", 4, " times"),
    Bar(_KEY.format("100 000"), "review", ("100 000", "key_to_pair_ms"), "at most", 100, " ms"),
    Bar("… the 95th of 100", "review", ("100 000", "key_to_pair_95_ms"), "at most", 250, " ms"),
    Bar("`review`, a verdict to its committed row (median)", "review", ("drawn", "verdict_ms"), "at most", 150, " ms"),
    Bar("… to the decisions, 10 000 images (median)", "review", ("drawn", "decisions_s"), "at most", 2, " s"),
    Bar("`review`, start to a page that can be used", "review", ("drawn", "start_s"), "at most", 1.5, " s"),
    Bar(_MEMORY.format("10 000"), "review", ("drawn", "resident_mb"), "at most", 300, " MB"),
    Bar(_MEMORY.format("1 000 000"), "review", ("1 000 000", "resident_mb"), "at most", 300, " MB"),
    Bar(
        "faults of a day in a made-up fortnight that `advise` finds",
        "advise",
        ("all faults", "share"),
        "at least",
        0.95,
        "",
    ),
    Bar("… cameras without a fault of which it tells one", "advise", ("no fault", "found"), "at most", 0, ""),
    Bar(
        "`advise`, 10 cameras with 5 000 images of 1920x1080 each (processor)",
        "advise",
        ("command", "processor_s"),
        "at most",
        60,
        " s",
    ),
    Bar("… memory of the largest process", "advise", ("command", "resident_mb"), "at most", 300, " MB"),
    Bar(_EXACT.format("made-up cameras"), "exact", ("made up", "differences"), "at most", 0, ""),
    Bar(_EXACT.format("one made-up camera"), "exact", ("one camera", "differences"), "at most", 0, ""),
    Bar(_EXACT.format("sample frames"), "exact", ("sample frames", "differences"), "at most", 0, ""),
    Bar(_EXACT.format("sampled pairs of a large camera"), "exact", ("large", "differences"), "at most", 0, ""),
)


def about(figure: str) -> str:
    """What the figure is: the first paragraph of its module."""
    return " ".join((_module(figure).__doc__ or "").partition("\n\n")[0].split())


def measure(figure: str, folder: Path, *, small: bool) -> dict[str, Any]:
    """The figure, taken now in this folder; at full size unless `small`."""
    found: dict[str, Any] = _module(figure).measure(folder, **(SMALL[figure] if small else {}))
    return found


def _module(figure: str) -> ModuleType:
    return importlib.import_module(f"tests.benchmarks.{figure}")
