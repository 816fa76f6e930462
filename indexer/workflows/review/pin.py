"""pin and unpin: a person demands that an image is always kept, or no longer does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from indexer.errors import ImageError, RunError, UsageError
from indexer.escaping import command_line
from indexer.store import cameras, image_details, image_lookup, pins, runs
from indexer.store.database import Database, Session
from indexer.store.pins import Pin
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run


@dataclass
class PinReport:
    """The paths of the images that were pinned or unpinned, and of those that already were."""

    changed: list[str]
    unchanged: list[str]


@dataclass(frozen=True)
class PinList:
    """The pins of persons that hold, by camera and path."""

    pins: tuple[Pin, ...]


@dataclass(frozen=True)
class UnpinSelection:
    """Which pins to withdraw: those of named images, those that one run set, those of a camera, or all."""

    names: tuple[str, ...] = ()
    run_id: int | None = None
    camera: str | None = None
    everything: bool = False


def parse_unpin(
    names: Sequence[str], *, run_id: int | None = None, camera: str | None = None, everything: bool = False
) -> UnpinSelection:
    """The pins that a person asked to withdraw: exactly one of images, a run, a camera, or all.

    Raises `UsageError` for none of them, and for several.
    """
    if (bool(names), run_id is not None, camera is not None, everything).count(True) != 1:
        raise UsageError("say which pins to remove: images, --run ID, --camera NAME, or --all")
    return UnpinSelection(tuple(names), run_id, camera, everything)


def list_pins(database: Database) -> PinList:
    """The pins of persons that hold."""
    with database.read() as session:
        return PinList(tuple(pins.list_pins(session)))


def pin(database: Database, names: Sequence[str], *, clock: Clock) -> PinReport:
    """Pins images named by path, number, file name or glob: they are kept from the next compare on.

    Raises `ImageError` if an image is not in the index, or was removed.
    """
    with database.read() as session:
        image_ids = image_lookup.list_image_ids(session, names)
        images = [image_details.get_image_details(session, image_id) for image_id in image_ids]
    for image in images:
        if image.state == "removed":
            raise ImageError(
                f"image {image.path!r} was removed; bring it back with: {command_line('restore', names=[image.path])}"
            )
    named = {image.id: image.path for image in images}

    def add(session: Session, image_id: int, at: datetime, run_id: int) -> bool:
        return pins.add_pin(session, image_id, reason="pin", at=at, run_id=run_id)

    return _change_pins(database, "pin", named, add, arguments={"images": list(named)}, clock=clock)


def unpin(database: Database, selection: UnpinSelection, *, clock: Clock) -> PinReport:
    """Withdraws pins that a person set; keepers of removed images stay pinned all the same.

    Raises `ImageError` if an image is not in the index, `CameraError` or `RunError` if there is no such camera or run.
    """
    named = _list_selected(database, selection)
    arguments: dict[str, Any] = {"images": list(named)}
    arguments |= {"run": selection.run_id, "camera": selection.camera, "all": selection.everything}

    def withdraw(session: Session, image_id: int, at: datetime, _run_id: int) -> bool:
        return pins.withdraw_pin(session, image_id, at=at)

    return _change_pins(database, "unpin", named, withdraw, arguments=arguments, clock=clock)


def _list_selected(database: Database, selection: UnpinSelection) -> dict[int, str]:
    """The path of each selected image, by id."""
    with database.read() as session:
        if selection.names:
            ids = image_lookup.list_image_ids(session, selection.names)
            return {image_id: image_details.get_image_details(session, image_id).path for image_id in ids}
        if selection.camera is not None:
            cameras.get_camera(session, selection.camera)
        if selection.run_id is not None and not runs.run_exists(session, selection.run_id):
            raise RunError(f"there is no run {selection.run_id}; see: {command_line('audit', 'runs')}")
        selected = pins.list_pins(session, run_id=selection.run_id, camera=selection.camera)
        return {item.image_id: item.path for item in selected}


def _change_pins(
    database: Database,
    command: str,
    named: dict[int, str],
    change: Callable[[Session, int, datetime, int], bool],
    *,
    arguments: dict[str, Any],
    clock: Clock,
) -> PinReport:
    """Changes the pins of images, given by id and path, in one transaction."""
    report = PinReport([], [])
    with record_run(database, command, arguments=arguments, clock=clock) as run:
        with database.write() as session:
            for image_id, path in named.items():
                changed = change(session, image_id, clock(), run.id)
                (report.changed if changed else report.unchanged).append(path)
        run.counts = {"changed": len(report.changed)}
    return report
