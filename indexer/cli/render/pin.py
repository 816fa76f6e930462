"""The reports of `pin` and `unpin` as text."""

from rich.console import Console

from indexer.escaping import printable
from indexer.workflows.review.pin import PinReport


def render_pins(console: Console, report: PinReport) -> None:
    """Prints what was pinned or unpinned."""
    for path in report.changed:
        console.print(f"done: {printable(path)}")
    for path in report.unchanged:
        console.print(f"it was so already: {printable(path)}")
    if report.changed:
        console.print("This counts from the next compare on.")
