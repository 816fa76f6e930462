"""The report of `status` as text."""

from collections.abc import Mapping

from rich import filesize
from rich.console import Console

from indexer.cli.render.notes import (
    note_not_compared,
    note_similar_names,
    note_system_folders,
    note_undecided,
    note_would_keep,
)
from indexer.cli.render.record import describe_source
from indexer.cli.render.tables import (
    ALL_ROWS,
    MAX_LISTED,
    MAX_ROWS,
    format_local_time,
    format_time,
    list_files,
    print_table,
    without_zeros,
    zone_name,
)
from indexer.cli.render.video_counts import render_video_counts
from indexer.domain.paths import lies_at_or_below
from indexer.domain.plurals import counted, describe_duration
from indexer.domain.removal import RemovalState
from indexer.escaping import command_line, printable
from indexer.workflows.admin.records import RecordState
from indexer.workflows.admin.status import Status
from indexer.workflows.admin.status_check import StatusCheck
from indexer.workflows.admin.watches import WatchState
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
    if status.findings:
        found = counted(sum(status.findings.values()), "thing is", "things are")
        console.print(f"{found} wrong with cameras; to list: {command_line('advise', 'list')}")
    _render_undone(console, status)
    for watch in status.watches:
        _render_watch(console, watch)
    for record in status.records:
        _render_record(console, record)
    shown = {watch.run_id for watch in status.watches} | {record.run_id for record in status.records}
    for run in status.unfinished_runs:
        if run.run_id in shown:
            continue
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


def _render_record(console: Console, record: RecordState) -> None:
    """Prints who records what since when, and what each camera is at."""
    who = "@".join(printable(name) for name in (record.username, record.hostname) if name)
    since = f"{format_time(record.started_at)} UTC (run {record.run_id}, {who})"
    number = counted(len(record.cameras), "camera")
    if not record.is_running:
        console.print(f"The record of {number} since {since} was cut off; start it again.")
        return
    console.print(f"{number} recorded since {since}:")
    for source in record.sources:
        console.print(f"  {describe_source(source)}.")


def _render_watch(console: Console, watch: WatchState) -> None:
    """Prints who watches what since when, and when files were taken in last."""
    folders = ", ".join(printable(folder) for folder in watch.folders)
    who = "@".join(printable(name) for name in (watch.username, watch.hostname) if name)
    last = "nothing yet" if watch.last_arrival_at is None else f"the last at {format_time(watch.last_arrival_at)} UTC"
    since = f"{format_time(watch.started_at)} UTC (run {watch.run_id}, {who})"
    if watch.is_running:
        console.print(f"{folders} is watched since {since}; files taken in: {last}.")
    else:
        console.print(f"The watch of {folders} since {since} was cut off; start it again.")
    for folder in watch.away:
        console.print(f"  The watched folder {printable(folder)} is not there.")


def render_needs(console: Console, status: Status, *, local: bool = False) -> None:
    """Prints what needs a person, and nothing else."""
    note_undecided(console, status.undecided)
    _render_missing(console, status)
    if status.held_back_files:
        came = counted(status.held_back_files, "file came back and is", "files came back and are")
        include, pin = command_line("prune", "--include-restored"), command_line("pin", "FILE")
        console.print(f"{came} held back. To remove again: {include}   To keep: {pin}")
    if status.questions:
        were = counted(len(status.questions), "camera was", "cameras were")
        shown = ", ".join(map(repr, status.questions[:MAX_LISTED])) + ", ..." * (len(status.questions) > MAX_LISTED)
        console.print(
            f"{were} held back by ingest, with no answer yet: {shown}. To see the question again: "
            f"{command_line('ingest', 'FOLDER', '--dry-run')}   If it is one camera: "
            f"{command_line('camera', 'confirm', 'NAME')}"
        )
    if status.left_open:
        cut = counted(status.left_open, "removal was", "removals were")
        console.print(f"{cut} cut off; to finish or undo: {command_line('recover')}")
    if status.unwitnessed:
        have = counted(len(status.unwitnessed), "removed image has", "removed images have")
        console.print(f"{have} no keeper present any more:")
        list_files(
            console, [(removal.path, f"keeper {printable(removal.keeper_path)}") for removal in status.unwitnessed]
        )
        if any(removal.state == RemovalState.QUARANTINED for removal in status.unwitnessed):
            console.print(f"If the keeper is gone for good, bring the image back: {command_line('restore', 'FILE')}")
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
            f"camera {camera.camera!r} is silent: its last image is of {last} {zone_name(zone, local=local)}, "
            f"{describe_duration(camera.silent_s)} ago; the longest pause between its last images was "
            f"{describe_duration(camera.interval_s)}"
        )
    if check.watches_cut_off:
        cut = counted(check.watches_cut_off, "watch was", "watches were")
        console.print(f"{cut} cut off; start it again: {command_line('watch', 'FOLDER')}")
    for folder in check.folders_away:
        console.print(f"the watched folder {printable(folder)} is not there; mount its disk")
    _render_recorded(console, check)
    if check.silent:
        console.print(f"  If no new images are expected: {command_line('status', '--check', '--silent-after', '0')}")
    console.print("Something here needs a person." if check.needs_person else "Nothing here needs a person.")


def _render_recorded(console: Console, check: StatusCheck) -> None:
    """Prints which recorded cameras need a person."""
    if check.records_cut_off:
        cut = counted(check.records_cut_off, "record was", "records were")
        console.print(f"{cut} cut off; start it again: {command_line('record', '--sources', 'FILE')}")
    for away in check.cameras_away:
        last = "never" if away.last_frame_at is None else f"at {format_time(away.last_frame_at)} UTC"
        reason = "" if away.reason is None else f": {printable(away.reason)}"
        console.print(f"camera {away.camera!r} sends nothing{reason}; its last frame came {last}")
    for camera in check.cameras_full_disk:
        console.print(f"camera {camera!r}: nothing new is stored, as the disk is full; make space, or lower --min-free")


def _render_undone(console: Console, status: Status) -> None:
    """Prints what lies in quarantine, what came back from it, and what is pinned."""
    if status.quarantined:
        lie = counted(status.quarantined, "file lies", "files lie")
        console.print(f"{lie} in quarantine, {filesize.decimal(status.quarantined_bytes)}.")
    if status.pins:
        pinned = counted(status.pins, "image is", "images are")
        console.print(f"{pinned} pinned; to list: {command_line('pin', 'list')}")
    note_would_keep(console, status.would_keep)
    note_not_compared(console, status.not_compared)


def _render_missing(console: Console, status: Status) -> None:
    """Prints which folders of images and which quarantines are not there, and what to type.

    Of a quarantine in such a folder it says nothing: it went with the folder, and `relocate` finds it with the images.
    """
    for folder in status.missing_quarantines:
        if not any(lies_at_or_below(folder, gone) for gone in status.missing_folders):
            console.print(
                f"Files that were removed to {printable(folder)} are not there, or cannot be read. Mount its disk, or "
                f"change its rights; if they were deleted: {command_line('purge', '--gone', names=[folder])}"
            )
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
    heads += ["advice"] if status.findings else []
    for row, camera in zip(rows, status.cameras, strict=True):
        zone = status.timezones.get(camera.camera)
        times = (camera.first_captured_at, camera.last_captured_at)
        row += [format_local_time(time, timezone=zone, local=local) for time in times]
        row += [status.own_profiles.get(camera.camera, status.profile)] if status.own_profiles else []
        row += [status.findings.get(camera.camera, 0)] if status.findings else []
    if rows:
        sums = [sum(column) for column in zip(*(row[1:8] for row in rows), strict=True)]
        all_bytes = filesize.decimal(sum(camera.size_bytes for camera in status.cameras))
        totals = [[ALL_ROWS, *sums, all_bytes, *[""] * (len(heads) - 9)]] if len(rows) > MAX_ROWS else []
        heads, shown = without_zeros(heads, [*rows, *totals], optional=_RARE)
        rows, totals = shown[: len(rows)], shown[len(rows) :]
        print_table(
            console,
            heads,
            rows,
            what="cameras",
            totals=totals,
            first=[head for head in heads if head not in {"first", "last", "size"}] + ["last", "size", "first"],
        )
    else:
        console.print("There is no image yet.")
