"""The report of `status` as text."""

from rich import filesize
from rich.console import Console

from indexer.cli.render.notes import note_similar_names, note_system_folders, note_would_keep
from indexer.cli.render.tables import (
    ALL_ROWS,
    MAX_LISTED,
    MAX_ROWS,
    format_local_time,
    list_files,
    print_table,
)
from indexer.escaping import command_line, printable
from indexer.workflows.admin.status import Status
from indexer.workflows.removal.missing_folders import relocate_hint


def render_status(console: Console, status: Status, *, local: bool = False) -> None:
    """Prints what is in the index."""
    console.print(f"{printable(status.database)}, active profile {status.profile}")
    _render_cameras(console, status, local=local)
    if status.unlikely_times:
        console.print(
            f"{status.unlikely_times} images have a time that a wrong clock gave; to list them: "
            f"{command_line('audit', 'unlikely_times')}"
        )
    note_system_folders(console, status.in_system_folders)
    note_similar_names(console, status.alike)
    _render_undone(console, status)
    if status.left_open:
        console.print(f"{status.left_open} removals were cut off; to finish or undo them: {command_line('recover')}")
    for unknown in status.unknown_runs:
        console.print(
            f"{printable(unknown.folder)} holds files of {unknown.runs} runs that this index does not know, another "
            f"index's or forgotten with a backup. To take them in: "
            f"{command_line('db', 'adopt', names=[unknown.folder])}"
        )
    if status.unwitnessed:
        console.print(f"{len(status.unwitnessed)} removed images have no keeper present any more:")
        list_files(
            console, [(removal.path, f"keeper {printable(removal.keeper_path)}") for removal in status.unwitnessed]
        )


def _render_undone(console: Console, status: Status) -> None:
    """Prints what lies in quarantine, what came back from it, and what is pinned."""
    if status.quarantined:
        console.print(f"{status.quarantined} files lie in quarantine, {filesize.decimal(status.quarantined_bytes)}.")
    for folder in status.missing_quarantines:
        console.print(
            f"  The quarantine {printable(folder)} is not there. Mount its disk; if it was deleted: "
            f"{command_line('purge', '--gone')}"
        )
    if status.held_back_files:
        console.print(
            f"{status.held_back_files} files are held back, as they came back when a run was undone. To remove them "
            f"again: {command_line('prune', '--include-restored')}"
        )
    if status.pins:
        console.print(f"{status.pins} images are pinned; to list them: {command_line('pin', 'list')}")
    note_would_keep(console, status.would_keep)
    for folder in status.missing_folders[:MAX_LISTED]:
        forget = command_line("forget", names=[folder])
        console.print(
            f"The folder {printable(folder)} is not there. Mount its disk; {relocate_hint(folder)}; if its images are "
            f"gone for good: {forget}"
        )


def _render_cameras(console: Console, status: Status, *, local: bool) -> None:
    """Prints a row for each camera, and the sums if there are many."""
    numbers = ("images", "kept", "duplicates", "undecided", "unreadable", "missing", "removed")
    rows = [
        [camera.camera, *(getattr(camera, name) for name in numbers), filesize.decimal(camera.size_bytes)]
        for camera in status.cameras
    ]
    heads = ["camera", *numbers, "size"]
    heads += ["first", "last", *(["profile"] if status.own_profiles else [])]
    for row, camera in zip(rows, status.cameras, strict=True):
        zone = status.timezones.get(camera.camera)
        times = (camera.first_captured_at, camera.last_captured_at)
        row += [format_local_time(time, timezone=zone, local=local) for time in times]
        row += [status.own_profiles.get(camera.camera, status.profile)] if status.own_profiles else []
    if rows:
        sums = [sum(column) for column in zip(*(row[1:8] for row in rows), strict=True)]
        all_bytes = filesize.decimal(sum(camera.size_bytes for camera in status.cameras))
        totals = [(ALL_ROWS, *sums, all_bytes, *[""] * (len(heads) - 9))] if len(rows) > MAX_ROWS else []
        print_table(console, heads, rows, what="cameras", totals=totals)
    else:
        console.print("There is no image yet.")
