"""The report of `compare` as text."""

from rich.console import Console

from indexer.cli.render.notes import note_not_compared, note_system_folders, note_would_keep
from indexer.cli.render.proposals import render_proposals
from indexer.cli.render.tables import ALL_ROWS, MAX_ROWS, print_sentences, print_table
from indexer.domain.plurals import counted
from indexer.escaping import command_line
from indexer.workflows.compare.compare import CompareReport


def render_compare(console: Console, report: CompareReport, *, with_next: bool = True) -> None:
    """Prints what compare decided; `with_next`: also which command is next."""
    if report.activated is not None:
        console.print(f"The profile {report.activated} is the active one from now on.")
    done = [camera for camera in report.cameras if camera.problem is None and camera.images]
    if len(done) > MAX_ROWS:
        done.sort(key=lambda camera: not camera.decided)
    rows = [(c.camera, c.profile, c.images, c.kept, c.duplicates, c.decided, c.scored, c.recorded) for c in done]
    heads = ("camera", "profile", "images", "kept", "duplicates", "decided", "pairs scored", "recorded")
    if rows:
        sums = (ALL_ROWS, "", *map(sum, zip(*(row[2:] for row in rows), strict=True)))
        totals = [sums] if len(rows) > MAX_ROWS else []
        print_table(
            console,
            heads,
            rows,
            what="cameras, those with new decisions first",
            totals=totals,
            first=heads[:-2],
            of_one_run=True,
        )
    elif not report.cameras:
        console.print(f"There is nothing to compare yet. First: {command_line('ingest', 'FOLDER')}")
    render_compare_failures(console, report)
    see = command_line("verdict", "list")
    print_sentences(
        console,
        [
            f"camera {result.camera!r}: {counted(len(result.contradictions), 'verdict is', 'verdicts are')} "
            f"contradicted. See: {see}"
            for result in report.cameras
            if result.contradictions
        ],
    )
    note_would_keep(console, report.would_keep)
    note_not_compared(console, report.not_compared)
    note_system_folders(console, report.in_system_folders)
    render_proposals(console, report.proposals)
    if with_next and any(camera.duplicates for camera in report.cameras):
        console.print(f"No file was removed. Next: {command_line('prune', '--dry-run')}")


def render_compare_failures(console: Console, report: CompareReport) -> None:
    """Prints which cameras could not be decided, and nothing else."""
    print_sentences(
        console, [f"camera {result.camera!r} was left as it was: {result.problem}" for result in report.held_back]
    )
