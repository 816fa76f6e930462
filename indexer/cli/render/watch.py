"""The report of `watch` as text."""

from rich.console import Console

from indexer.cli.render.tables import list_files
from indexer.domain.plurals import counted
from indexer.workflows.ingest.outcomes import IngestOutcome
from indexer.workflows.watch.outcomes import WatchReport


def render_watch(console: Console, report: WatchReport) -> None:
    """Prints what a watch did."""
    parts = [f"{report.outcomes[name]} {name.replace('_', ' ')}" for name in IngestOutcome if report.outcomes[name]]
    files = counted(sum(report.outcomes.values()), "file")
    console.print(f"{files} taken in{': ' if parts else ''}{', '.join(parts)}; {_describe_decided(report.decided)}.")
    if report.videos is not None:
        read = report.videos["read"] + report.videos["partial"]
        console.print(
            f"{counted(read, 'video')} read, {counted(report.videos['frames_stored'], 'frame')} of them stored."
        )
    render_waiting(console, report)


def render_waiting(console: Console, report: WatchReport) -> None:
    """Prints which files wait, and nothing else."""
    if report.waits:
        console.print(f"{counted(report.waits, 'file waits', 'files wait')}; the next watch takes them up:")
        list_files(console, report.waiting)


def _describe_decided(number: int) -> str:
    return f"{counted(number, 'image was', 'images were')} decided"
