"""How many videos an index has, as text."""

from rich.console import Console

from indexer.domain.plurals import counted
from indexer.escaping import command_line
from indexer.store.spans import SpanCounts
from indexer.store.videos import VideoCounts


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
