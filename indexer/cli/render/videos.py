"""What an ingest did with videos, as text."""

from rich.console import Console

from indexer.cli.render.camera import note_names
from indexer.cli.render.tables import list_files
from indexer.domain.plurals import counted
from indexer.escaping import command_line
from indexer.store.spans import SpanCounts
from indexer.store.videos import VideoCounts
from indexer.workflows.ingest.video_outcomes import VideoOutcome, VideoReport


def render_video_counts(console: Console, videos: VideoCounts | None, spans: SpanCounts | None) -> None:
    """Prints how many videos an index has, and what became of their frames."""
    if videos is None or spans is None:
        return
    states = {"broken in part": videos.partial, "unreadable": videos.unreadable, "gone": videos.missing}
    number = videos.read + videos.partial + videos.unreadable
    more = "".join(f", {count} {name}" for name, count in states.items() if count)
    console.print(
        f"{counted(number, 'video')}{more}: {counted(videos.frames_read, 'frame')} looked at, {videos.frames_stored} "
        f"stored, the others in {counted(spans.spans, 'span')}; {counted(spans.gaps, 'gap')}. "
        f"See: {command_line('audit', 'videos')}"
    )


def render_videos(console: Console, report: VideoReport) -> None:
    """Prints what became of videos and their frames."""
    counts = [(outcome, report.outcomes[outcome]) for outcome in VideoOutcome]
    parts = [f"{number} {outcome}" for outcome, number in counts if number]
    console.print(f"{counted(report.seen, 'video')} seen: {', '.join(parts) or 'nothing'}.")
    if report.frames_read:
        rest = report.frames_read - report.frames_stored
        console.print(
            f"  {counted(report.frames_read, 'frame')} looked at: {report.frames_stored} new, stored as images; "
            f"{rest} like a stored image, counted in {counted(report.spans, 'span')}."
        )
    if report.adopted:
        console.print(f"  {counted(report.adopted, 'frame was', 'frames were')} stored by an earlier run.")
    if report.gaps:
        gaps = counted(report.gaps, "gap")
        console.print(f"  {gaps} in which nobody looked. See: {command_line('audit', 'gaps')}")
    if report.all_frames:
        console.print(
            f"  {counted(report.all_frames, 'video has', 'videos have')} keyframes too far apart: all frames were "
            "decoded, which takes about ten times as long."
        )
    if report.missing:
        console.print(f"  {counted(report.missing, 'video of earlier runs is', 'videos of earlier runs are')} gone.")
    list_files(console, report.problems)
    list_files(console, report.refused)
    note_names(console, report.names, ambiguous_times=0)
