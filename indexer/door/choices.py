"""How it reads to a person what limits lead to, and how good decisions are."""

from collections.abc import Sequence

from rich.console import Console

from indexer.door.words import grid, path, size
from indexer.workflows.sweep import SweepReport, SweepRow

_ALL = "all of these"


def swept(console: Console, report: SweepReport) -> None:
    """What other limits would keep and remove."""
    tried = [camera for camera in report.cameras if camera.problem is None]
    if tried:
        areas = len({row.min_contour_area for camera in tried for row in camera.rows}) > 1
        rows = [cells for camera in tried for cells in _rows(camera.camera, camera.rows, areas=areas)]
        rows += _rows(_ALL, report.totals, areas=areas) if len(tried) > 1 else []
        heads = ("camera", *(("min_contour_area",) if areas else ()), "max_score", "kept", "duplicates", "share")
        console.print(grid((*heads, "freed", "in force"), rows))
    elif not report.cameras:
        console.print("There is nothing to sweep yet. First: manage.py ingest FOLDER")
    for camera in report.cameras:
        if camera.problem is not None:
            console.print(f"camera {camera.camera!a} was left out: {camera.problem}")
    for profile in sorted({camera.profile for camera in tried}):
        console.print(f"To adopt one: manage.py profile make NAME --base {path(profile)} --max-score X")
    if tried:
        console.print("  then: manage.py compare --profile NAME")
        console.print("  or, for one camera alone: manage.py profile use NAME --camera CAMERA")


def _rows(camera: str, rows: Sequence[SweepRow], *, areas: bool) -> list[list[object]]:
    return [
        [
            camera,
            *([_short(row.min_contour_area)] if areas else []),
            _short(row.max_score),
            row.kept,
            row.duplicates,
            f"{row.duplicates / (row.kept + row.duplicates):.1%}",
            size(row.size_bytes),
            "yes" if row.current else "",
        ]
        for row in rows
    ]


def _short(number: float) -> float:
    """A number without a fraction that says nothing."""
    return int(number) if number.is_integer() else number
