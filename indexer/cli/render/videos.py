"""What an ingest did with videos, as text."""

from rich.console import Console

from indexer.cli.render.camera import note_names
from indexer.cli.render.tables import list_files
from indexer.domain.plurals import counted
from indexer.escaping import command_line
from indexer.workflows.ingest.video_outcomes import VideoOutcome, VideoReport


def render_videos(console: Console, report: VideoReport) -> None:
    """Prints what became of videos and their frames."""
    counts = [(outcome, report.outcomes[outcome]) for outcome in VideoOutcome]
    parts = [f"{number} {outcome}" for outcome, number in counts if number]
    console.print(f"{counted(report.seen, 'video')} seen: {', '.join(parts) or 'nothing'}.")
    if report.frames_read:
        like = report.frames_read - report.frames_stored - report.frames_damaged
        damaged = f", {report.frames_damaged} damaged" if report.frames_damaged else ""
        console.print(
            f"  {counted(report.frames_read, 'frame')} looked at: {report.frames_stored} new, stored as images; "
            f"{like} like a stored image{damaged}, counted in {counted(report.spans, 'span')}."
        )
    if report.adopted:
        console.print(f"  {counted(report.adopted, 'new frame has', 'new frames have')} the file of an earlier run.")
    if report.gaps:
        gaps = counted(report.gaps, "gap")
        console.print(f"  {gaps} in which no frame was looked at. See: {command_line('audit', 'gaps')}")
    if report.all_frames:
        console.print(
            f"  {counted(report.all_frames, 'video has', 'videos have')} keyframes too far apart: all frames were "
            "decoded, which takes about ten times as long."
        )
    if report.missing:
        console.print(f"  {counted(report.missing, 'video of earlier runs is', 'videos of earlier runs are')} gone.")
    list_files(console, report.problems)
    list_files(console, report.refused)
    note_names(console, report.names, ambiguous_times=report.ambiguous_times)
