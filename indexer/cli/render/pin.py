"""How the reports of `pin` and `unpin` are shown."""

from rich.console import Console

from indexer.escaping import printable
from indexer.workflows.review.pin import PinReport


def render_pins(console: Console, report: PinReport) -> None:
    """What was pinned or unpinned."""
    for one in report.changed:
        console.print(f"done: {printable(one)}")
    for one in report.unchanged:
        console.print(f"it was so already: {printable(one)}")
    if report.changed:
        console.print("This counts from the next compare on.")
