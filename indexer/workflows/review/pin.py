"""pin and unpin: a person demands that an image is always kept, or no longer does."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.errors import ImageError
from indexer.escaping import command_line
from indexer.store import image_details, image_lookup, pins
from indexer.store.database import Database
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run


@dataclass
class PinReport:
    """The paths of the images that were pinned or unpinned, and of those that already were."""

    changed: list[str]
    unchanged: list[str]


def pin(database: Database, names: Sequence[str], *, clock: Clock) -> PinReport:
    """Pins images named by path, number, file name or glob: they are kept from the next compare on.

    Raises `ImageError` if an image is not in the index, or was removed.
    """
    return _set_pins(database, names, pinned=True, clock=clock)


def unpin(database: Database, names: Sequence[str], *, clock: Clock) -> PinReport:
    """Withdraws pins that a person set; keepers of removed images stay pinned all the same.

    Raises `ImageError` if an image is not in the index.
    """
    return _set_pins(database, names, pinned=False, clock=clock)


def _set_pins(database: Database, names: Sequence[str], *, pinned: bool, clock: Clock) -> PinReport:
    with database.read() as session:
        image_ids = image_lookup.list_image_ids(session, names)
        images = [image_details.get_image_details(session, image_id) for image_id in image_ids]
    for image in images:
        if pinned and image.state == "removed":
            raise ImageError(
                f"image {image.path!a} was removed; bring it back with: {command_line('restore', names=[image.path])}"
            )
    report = PinReport([], [])
    command = "pin" if pinned else "unpin"
    with record_run(database, command, arguments={"images": [image.id for image in images]}, clock=clock) as run:
        with database.write() as session:
            for image in images:
                if pinned:
                    changed = pins.add_pin(session, image.id, reason="pin", at=clock(), run_id=run.id)
                else:
                    changed = pins.withdraw_pin(session, image.id, at=clock())
                (report.changed if changed else report.unchanged).append(image.path)
        run.counts = {"changed": len(report.changed)}
    return report
