"""The results of other limits, and the quality of decisions, as text."""

from collections.abc import Sequence

from rich import filesize
from rich.console import Console

from indexer.cli.render.notes import note_undecided
from indexer.cli.render.tables import ALL_ROWS, MAX_ROWS, list_files, print_sentences, print_table
from indexer.domain.evaluation import Metrics, PairMetrics, StateMetrics
from indexer.domain.plurals import counted
from indexer.domain.profiles import is_below_all_scores
from indexer.escaping import command_line, printable
from indexer.workflows.tuning.evaluate import Evaluation, EvaluationReport
from indexer.workflows.tuning.sweep import SweepReport, SweepRow

_HOLDING = "as decided"
_NAMED = 10
_STATE_HEADS = (
    *("profile", "max_score", "camera", "images", "kept", "duplicates"),
    *("wrong", "share", "states", "lost", "redundant"),
)
_FIRST = ("profile", "max_score", "camera", "wrong", "lost", "redundant", "duplicates", "same", "different")
_PAIR_HEADS = ("profile", "max_score", "camera", "same", "redundant", "different", "wrong")


def render_sweep(console: Console, report: SweepReport) -> None:
    """Prints what other limits would keep and remove."""
    tried = [camera for camera in report.cameras if camera.problem is None]
    areas = distances = False
    if tried:
        distances = len({row.max_distance for camera in tried for row in camera.rows}) > 1
        areas = len({row.min_contour_area for camera in tried for row in camera.rows}) > 1
        removed = any(row.removed_kept is not None for camera in tried for row in camera.rows)
        rows = [
            cells for camera in tried for cells in _rows(camera.camera, camera.rows, areas=areas, distances=distances)
        ]
        most = max(1, MAX_ROWS // len(tried[0].rows)) * len(tried[0].rows)  # whole cameras
        totals = _rows(ALL_ROWS, report.totals, areas=areas, distances=distances) if len(tried) > 1 else []
        tried_heads = (*(("max_distance",) if distances else ()), *(("min_contour_area",) if areas else ()))
        heads = ("camera", *tried_heads, "max_score", "kept", "duplicates", "share")
        last_heads = ("freed", *(("removed ones kept",) if removed else ()), "in force")
        print_table(
            console,
            (*heads, *last_heads),
            rows,
            what="rows",
            totals=totals,
            most=most,
            first=("camera", *tried_heads, "max_score", "kept", "duplicates", "in force", "share"),
        )
    elif not report.cameras:
        console.print(f"There is nothing to sweep yet. First: {command_line('ingest', 'FOLDER')}")
    left_out = [camera for camera in report.cameras if camera.problem is not None]
    print_sentences(console, [f"camera {camera.camera!r} was left out: {camera.problem}" for camera in left_out])
    _note_equal_limits(console, [row for camera in tried for row in camera.rows])
    _note_removed_left_out(console, sum(camera.removed_left_out or 0 for camera in tried))
    note_undecided(console, report.undecided)
    for profile in sorted({camera.profile for camera in tried}):
        command = ("profile", "make", "NAME", "--base", profile, "--max-score", "X")
        area = ("--min-contour-area", "Y") if areas else ()
        distance = ("--max-distance", "D") if distances else ()
        console.print(f"To adopt one: {command_line(*command, *area, *distance)}")
    if tried:
        console.print(f"  then: {command_line('compare', '--profile', 'NAME')}")
        own = command_line("profile", "use", "NAME", "--camera", "CAMERA")
        console.print(f"  or, for one camera alone: {own}")


def _note_removed_left_out(console: Console, number: int) -> None:
    """Prints how many removed images were not tried, and why."""
    if number:
        images = counted(number, "removed image was", "removed images were")
        console.print(f"{images} not tried: {'it has' if number == 1 else 'they have'} no thumbnail in the index.")


def _note_equal_limits(console: Console, rows: Sequence[SweepRow]) -> None:
    """Prints why some limits decide alike, if some of these do."""
    if any(is_below_all_scores(row.max_score, min_contour_area=row.min_contour_area) for row in rows):
        console.print(
            "No score lies between 0 and min_contour_area, so all limits up to that decide alike; "
            "--min-contour-area tries smaller areas."
        )


def render_evaluation(console: Console, report: EvaluationReport) -> None:
    """Prints how good decisions are."""
    rows = [cells for evaluation in report.evaluations for cells in _figures(evaluation)]
    if rows:
        heads = _STATE_HEADS if len(rows[0]) == len(_STATE_HEADS) else _PAIR_HEADS
        totals = [row for row in rows if row[2] == ALL_ROWS] if len(rows) > MAX_ROWS else []
        each = [row for row in rows if row not in totals]
        print_table(console, heads, each, what="rows", totals=totals, first=_FIRST)
    for evaluation in report.evaluations:
        lost = evaluation.total.states_lost if isinstance(evaluation.total, StateMetrics) else ()
        for state in lost[:_NAMED]:
            console.print(f"{_title(evaluation)} loses {printable(state)}")
        if len(lost) > _NAMED:
            console.print(f"  and {len(lost) - _NAMED} more; --json names them all")
    render_evaluation_failures(console, report)
    undecided = {evaluation.total.undecided for evaluation in report.evaluations if evaluation.total is not None}
    if undecided - {0}:
        console.print(f"Labels of images that are not decided: up to {max(undecided)}; these are not counted.")
    if report.unknown:
        console.print(f"{counted(len(report.unknown), 'labelled image is', 'labelled images are')} not in the index:")
        list_files(console, [(name, "not known by path, number or name") for name in report.unknown])


def render_evaluation_failures(console: Console, report: EvaluationReport) -> None:
    """Prints which cameras could not be evaluated, and nothing else."""
    print_sentences(
        console,
        [f"camera {camera.camera!r}, {_title(evaluation)}: {camera.problem}" for evaluation, camera in report.problems],
    )


def _figures(evaluation: Evaluation) -> list[list[object]]:
    """The rows of one evaluation: each camera, and all together if there are several."""
    by_camera = [(camera.camera, camera.figures) for camera in evaluation.cameras]
    by_camera += [(ALL_ROWS, evaluation.total)] if len(by_camera) > 1 else []
    limit = "" if evaluation.max_score is None else _short(evaluation.max_score)
    return [
        [evaluation.profile or _HOLDING, limit, camera, *_cells(figures)]
        for camera, figures in by_camera
        if figures is not None
    ]


def _cells(figures: Metrics) -> list[object]:
    if isinstance(figures, PairMetrics):
        return [figures.same, figures.redundant_keeps, figures.different, figures.wrong_removals]
    share = "" if figures.wrong_share is None else f"{figures.wrong_share:.1%}"
    lost = len(figures.states_lost)
    counts = [figures.images, figures.kept, figures.duplicates, figures.wrong_removals]
    return [*counts, share, figures.states, lost, figures.redundant_keeps]


def _title(evaluation: Evaluation) -> str:
    """The profile and limit of an evaluation, for a sentence."""
    limit = "" if evaluation.max_score is None else f" at {_short(evaluation.max_score)}"
    return f"{printable(evaluation.profile or _HOLDING)}{limit}"


def _rows(camera: str, rows: Sequence[SweepRow], *, areas: bool, distances: bool) -> list[list[object]]:
    return [
        [
            camera,
            *([_short(row.max_distance)] if distances else []),
            *([_short(row.min_contour_area)] if areas else []),
            _short(row.max_score),
            row.kept,
            row.duplicates,
            f"{row.duplicates / (row.kept + row.duplicates):.1%}",
            filesize.decimal(row.size_bytes),
            *([] if row.removed_kept is None else [row.removed_kept]),
            "yes" if row.current else "",
        ]
        for row in rows
    ]


def _short(number: float) -> float:
    """A number without a fraction of zero."""
    return int(number) if number.is_integer() else number
