"""The reports of `pin`, `pin list` and `unpin` as text."""

from rich.console import Console

from indexer.cli.render.tables import MAX_LISTED, format_utc, print_table
from indexer.escaping import command_line, printable
from indexer.workflows.review.pin import PinList, PinReport


def render_pins(console: Console, report: PinReport) -> None:
    """Prints what was pinned or unpinned."""
    for paths, what in ((report.changed, "done"), (report.unchanged, "it was so already")):
        for path in paths[:MAX_LISTED]:
            console.print(f"{what}: {printable(path)}")
        if len(paths) > MAX_LISTED:
            console.print(f"{what}: {len(paths) - MAX_LISTED} more; --json names them all")
    if report.changed:
        console.print("This counts from the next compare on.")
    elif not report.unchanged:
        console.print("There is no such pin.")


def render_pin_list(console: Console, pins: PinList) -> None:
    """Prints the pins that hold."""
    if not pins.pins:
        console.print("No person has pinned an image.")
        return
    rows = [(pin.path, pin.camera, pin.reason, pin.run_id, format_utc(pin.pinned_at)) for pin in pins.pins]
    heads = ("image", "camera", "set by", "run", "at")
    print_table(console, heads, rows, what="pins", first=("camera", "image", "set by", "at"), paths=("image",))
    console.print(f"To take pins back: {command_line('unpin', 'IMAGE')}, or with --run ID, --camera NAME or --all")
