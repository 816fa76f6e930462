"""The report of `status` as text."""

from collections.abc import Mapping

from rich import filesize
from rich.console import Console

from indexer.cli.render.notes import note_similar_names, note_system_folders, note_undecided, note_would_keep
from indexer.cli.render.tables import (
    ALL_ROWS,
    MAX_LISTED,
    MAX_ROWS,
    describe_duration,
    format_local_time,
    format_time,
    list_files,
    print_table,
    without_zeros,
    zone_name,
)
from indexer.cli.render.videos import render_video_counts
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.workflows.admin.status import Status
from indexer.workflows.admin.status_check import StatusCheck
from indexer.workflows.removal.missing_folders import relocate_hint

_RARE = ("undecided", "unreadable", "missing", "removed")


def render_status(console: Console, status: Status, *, local: bool = False) -> None:
    """Prints what is in the index."""
    console.print(f"{printable(status.database)}, active profile {status.profile}")
    _render_cameras(console, status, local=local)
    if status.unlikely_times:
        console.print(
            f"{counted(status.unlikely_times, 'image has', 'images have')} a time that a wrong clock gave; to "
            "list them: "
            f"{command_line('audit', 'unlikely_times')}"
        )
    note_system_folders(console, status.in_system_folders)
    note_similar_names(console, status.alike)
    render_video_counts(console, status.videos, status.spans)
    _render_undone(console, status)
    for run in status.unfinished_runs:
        state = "is at work" if run.is_running else "was cut off; run it again, it goes on where it stopped"
        since = f"{format_time(run.started_at)} UTC"
        console.print(f"The {run.command} of {since} (run {run.run_id}) {state}.")
    for unknown in status.unknown_runs:
        console.print(
            f"{printable(unknown.folder)} holds files of {counted(unknown.runs, 'run')} that this index does "
            "not know, another "
            f"index's or forgotten with a backup. To take them in: "
            f"{command_line('db', 'adopt', names=[unknown.folder])}"
        )
    render_needs(console, status, local=local)


def render_needs(console: Console, status: Status, *, local: bool = False) -> None:
    """Prints what needs a person, and nothing else."""
    note_undecided(console, status.undecided)
    if status.held_back_files:
        came = counted(status.held_back_files, "file came back and is", "files came back and are")
        include, pin = command_line("prune", "--include-restored"), command_line("pin", "FILE")
        console.print(f"{came} held back. To remove again: {include}   To keep: {pin}")
    if status.left_open:
        cut = counted(status.left_open, "removal was", "removals were")
        console.print(f"{cut} cut off; to finish or undo: {command_line('recover')}")
    if status.unwitnessed:
        have = counted(len(status.unwitnessed), "removed image has", "removed images have")
        console.print(f"{have} no keeper present any more:")
        list_files(
            console, [(removal.path, f"keeper {printable(removal.keeper_path)}") for removal in status.unwitnessed]
        )
    if status.check is not None:
        _render_check(console, status.check, timezones=status.timezones, local=local)


def _render_check(console: Console, check: StatusCheck, *, timezones: Mapping[str, str], local: bool) -> None:
    """Prints what needs a person and is not told above, and the verdict on the whole."""
    if check.held_back:
        held = counted(len(check.held_back), "camera is", "cameras are")
        console.print(f"{held} held back from prune; see: {command_line('prune', '--dry-run')}")
    if check.unreadable_new:
        files = counted(check.unreadable_new, "new file", "new files")
        console.print(f"{files} (of the last day) cannot be used; see: {command_line('audit', 'unreadable')}")
    for camera in check.silent:
        zone = timezones.get(camera.camera)
        last = format_local_time(camera.last_captured_at, timezone=zone, local=local)
        console.print(
            f"camera {camera.camera!a} is silent: its last image is of {last} {zone_name(zone, local=local)}, "
            f"{describe_duration(camera.silent_s)} ago, and it never paused longer than "
            f"{describe_duration(camera.interval_s)} lately"
        )
    if check.silent:
        console.print(f"  If no new images are expected: {command_line('status', '--check', '--silent-after', '0')}")
    console.print("Something here needs a person." if check.needs_person else "Nothing here needs a person.")


def _render_undone(console: Console, status: Status) -> None:
    """Prints what lies in quarantine, what came back from it, and what is pinned."""
    if status.quarantined:
        lie = counted(status.quarantined, "file lies", "files lie")
        console.print(f"{lie} in quarantine, {filesize.decimal(status.quarantined_bytes)}.")
    for folder in status.missing_quarantines:
        console.print(
            f"  The quarantine {printable(folder)} is not there. Mount its disk; if it was deleted: "
            f"{command_line('purge', '--gone', names=[folder])}"
        )
    if status.pins:
        pinned = counted(status.pins, "image is", "images are")
        console.print(f"{pinned} pinned; to list: {command_line('pin', 'list')}")
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
        totals = [[ALL_ROWS, *sums, all_bytes, *[""] * (len(heads) - 9)]] if len(rows) > MAX_ROWS else []
        heads, shown = without_zeros(heads, [*rows, *totals], optional=_RARE)
        rows, totals = shown[: len(rows)], shown[len(rows) :]
        print_table(console, heads, rows, what="cameras", totals=totals, optional=("first", "last", "size"), rare=_RARE)
    else:
        console.print("There is no image yet.")
