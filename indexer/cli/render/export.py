"""The report of `export` as text."""

from rich.console import Console

from indexer.cli.render.notes import note_undecided
from indexer.cli.render.tables import list_files
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.workflows.export.export import ExportReport


def render_export(console: Console, report: ExportReport) -> None:
    """Prints what was exported, and what was left out."""
    console.print(f"{counted(report.exported, 'image')} exported to {printable(report.target)} ({report.format}).")
    for reason, number in sorted(report.left_out.items()):
        console.print(f"  {number} left out: {reason}")
    if report.failures:
        console.print(f"  {counted(len(report.failures), 'file')} could not be exported:")
        list_files(console, report.failures)
    if report.waiting:
        images = counted(report.waiting, "duplicate was", "duplicates were")
        console.print(f"  {images} not removed yet, and not exported. Next: {command_line('prune')}")
    if report.held_back:
        images = counted(report.held_back, "duplicate came", "duplicates came")
        console.print(f"  {images} back after the removal, and not exported.")
        console.print(f"    To keep: {command_line('pin', 'FILE')}")
        console.print(f"    To remove again: {command_line('prune', '--include-restored')}")
    note_undecided(console, report.undecided)
