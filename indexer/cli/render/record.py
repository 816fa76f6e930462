"""The report of `record` as text, and what cameras are at."""

from collections.abc import Sequence

from rich.console import Console

from indexer.cli.render.tables import format_time
from indexer.domain.plurals import counted
from indexer.domain.recording.sources import LiveSource
from indexer.escaping import command_line, printable
from indexer.workflows.record.outcomes import RecordReport, SourceState, SourceStatus


def render_beginning(console: Console, sources: Sequence[LiveSource], frames_folder: str) -> None:
    """Prints what is recorded from now on, as nothing more is said while all goes well."""
    console.print(
        f"Recording {counted(len(sources), 'camera')} into {printable(frames_folder)}. To see what each is doing: "
        f"{command_line('status')}   To end it: Ctrl-C"
    )


def render_record(console: Console, report: RecordReport) -> None:
    """Prints what a record did."""
    if report.adopted:
        console.print(f"{counted(report.adopted, 'frame')} of an earlier record taken in.")
    for source in report.sources:
        console.print(f"camera {source.camera!r}: {_describe_frames(source)}")
    if report.unwritten:
        console.print(
            f"{counted(report.unwritten, 'new frame')} could not be written to the index; the next record takes in "
            "their files."
        )


def describe_source(source: SourceStatus) -> str:
    """What a camera is at, in a sentence without a full stop."""
    last = "" if source.last_frame_at is None else f", the last frame at {format_time(source.last_frame_at)} UTC"
    if source.state is SourceState.AWAY:
        since = f"since {format_time(source.since)} UTC"
        return f"camera {source.camera!r} is away {since}: {printable(source.reason or 'no reason is known')}{last}"
    if source.state is SourceState.OPENING:
        return f"camera {source.camera!r} does not answer yet"
    words = {"full_disk": "; nothing new is stored, as the disk is full", "capped": "; too much is new to store all"}
    refusal = words.get(source.refusal or "", "")
    return f"camera {source.camera!r} is recorded since {format_time(source.since)} UTC{last}{refusal}"


def _describe_frames(source: SourceStatus) -> str:
    if not source.recordings:
        return f"no frame came; {printable(source.reason or 'it did not answer yet')}."
    refused = source.frames_full_disk + source.frames_capped
    rest = source.frames_read - source.frames_stored - source.frames_damaged - refused
    more = {
        "damaged": source.frames_damaged,
        "missed": source.frames_missed,
        "new and not stored as the disk was full": source.frames_full_disk,
        "new and not stored as there were too many": source.frames_capped,
    }
    words = "".join(f", {number} {name}" for name, number in more.items() if number)
    return (
        f"{counted(source.frames_read, 'frame')} looked at in {counted(source.recordings, 'recording')}: "
        f"{source.frames_stored} new, stored as images; {rest} not stored{words}."
    )
