"""The report of `ingest` as text."""

from collections.abc import Mapping

from rich.console import Console

from indexer.cli.render.camera import note_held_cameras, note_names
from indexer.cli.render.notes import note_similar_names, note_skipped, note_system_folders, note_undecided
from indexer.cli.render.tables import MAX_LISTED, list_files, print_sentences
from indexer.cli.render.videos import render_videos
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.workflows.ingest.outcomes import IngestOutcome, IngestReport


def render_ingest(console: Console, report: IngestReport, *, with_next: bool = True) -> None:
    """Prints what ingest saw; `with_next`: also which command is next."""
    counts = [(outcome, report.outcomes[outcome]) for outcome in IngestOutcome]
    parts = [f"{number} {outcome.replace('_', ' ')}" for outcome, number in counts if number]
    if report.seen or report.videos is None:
        console.print(f"{counted(report.seen, 'file')} seen: {', '.join(parts) or 'nothing'}.")
    note_skipped(console, report.skipped, report.endings)
    _render_skipped_folders(console, report.folders)
    if report.retimed:
        console.print(
            f"  Of {counted(report.retimed, 'file')} nothing changed but the file time: bytes, capture times "
            "and decisions stay."
        )
    _render_missing(console, report)
    if report.flat:
        console.print(
            f"  {counted(report.flat, 'image shows', 'images show')} nothing, one grey level alone: no score "
            f"makes them duplicates. See: {command_line('audit', 'flat')}"
        )
    _render_unread_names(console, report)
    if report.videos is not None:
        render_videos(console, report.videos)
    _render_refused(console, report)
    note_names(console, report.names, ambiguous_times=report.ambiguous_times)
    _render_equal_files(console, report)
    note_system_folders(console, report.in_system_folders or 0)
    note_similar_names(console, report.alike)
    if with_next:
        note_undecided(console, report.undecided)


def render_ingest_failures(console: Console, report: IngestReport) -> None:
    """Prints which files, videos and cameras were left alone that a person must look at, and nothing else."""
    if report.videos is not None:
        list_files(console, report.videos.refused)
    _render_refused(console, report)
    note_held_cameras(console, report.names)


def _render_refused(console: Console, report: IngestReport) -> None:
    list_files(console, report.refused)
    print_sentences(
        console,
        [
            f"camera {camera!r} is being written by {at_work}; run ingest again after that"
            for camera, at_work in report.held.items()
        ],
    )


def _render_unread_names(console: Console, report: IngestReport) -> None:
    """Prints how many names and timestamps could not be read."""
    if report.unmatched:
        console.print(
            f"  {counted(report.unmatched, 'name does', 'names do')} not match the pattern; these names were "
            "read as without a pattern."
        )
    if report.unread_stamps:
        console.print(
            f"  {counted(report.unread_stamps, 'timestamp does', 'timestamps do')} not a time; the time of these "
            "images comes from elsewhere."
        )


def _render_equal_files(console: Console, report: IngestReport) -> None:
    """Prints how many new files have the bytes of a file of another camera."""
    if report.equal_example is not None:
        first, second = report.equal_example
        console.print(
            f"{report.equal_contents} new files have the same bytes as one of another camera, for example "
            f"{printable(first)} and {printable(second)}. See: {command_line('audit', 'twins_across_cameras')}"
        )


def _render_missing(console: Console, report: IngestReport) -> None:
    """Prints the images of earlier runs that were not seen, or not looked for."""
    gone = report.missing - report.unwalked
    if gone > 0:
        images = counted(gone, "image of earlier runs is", "images of earlier runs are")
        console.print(f"  {images} not there any more; their duplicates are decided again.")
    if report.unwalked:
        images = counted(report.unwalked, "image of earlier runs lies", "images of earlier runs lie")
        console.print(
            f"  {images} in such folders: they are missing from now on, and their duplicates are decided again.\n"
            f"  purge does not delete what was removed as their duplicate; see: {command_line('status')}"
        )


def _render_skipped_folders(console: Console, folders: Mapping[str, int]) -> None:
    """Prints the folders that were not walked, the most frequent names first."""
    if not folders:
        return
    ranked = sorted(folders.items(), key=lambda pair: (-pair[1], pair[0]))
    names = [f"{name!r} ({number})" for name, number in ranked[:MAX_LISTED]]
    more = f" and {counted(len(ranked) - MAX_LISTED, 'other name')}" if len(ranked) > MAX_LISTED else ""
    name_it = command_line("ingest", "FOLDER")
    console.print(f"    not walked: {', '.join(names)}{more}; to take one in, name it: {name_it}")
