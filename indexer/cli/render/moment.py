"""What stands for a moment of a camera's videos and recordings, as text."""

from collections.abc import Callable

from rich.console import Console

from indexer.cli.render.tables import format_local_time, name_of_source, zone_name
from indexer.domain.plurals import counted
from indexer.domain.spans import SpanReason
from indexer.escaping import printable
from indexer.store.spans import StoredSpan
from indexer.workflows.review.moment import MomentDetails, MomentKind

_SENTENCES = {
    MomentKind.STORED: "The frame of that moment showed something new and is an image:",
    MomentKind.SEEN: "Frames around it showed nothing new. This image stands for them:",
    MomentKind.BETWEEN: "It lies between two frames that were looked at. What stands for the one before:",
    MomentKind.NOT_STORED: "Frames there were looked at, and no image stands for them:",
    MomentKind.GAP: "Nobody looked then:",
    MomentKind.NO_VIDEO: "No video or recording of the camera covers it.",
}

_AFTER_DAMAGE = "It lies between two frames that were looked at. No image stands for the one before, which is damaged."


def render_moment(console: Console, moment: MomentDetails, *, local: bool = False) -> None:
    """Prints what stands for a moment."""

    def time(value: object) -> str:
        return format_local_time(value, timezone=moment.timezone, local=local)  # type: ignore[arg-type]

    zone = zone_name(moment.timezone, local=local)
    console.print(f"camera {moment.camera!r} at {time(moment.at)} {printable(zone)}")
    is_unknown = moment.kind is MomentKind.BETWEEN and not moment.images
    console.print(f"  {_AFTER_DAMAGE if is_unknown else _SENTENCES[moment.kind]}")
    for image in moment.images:
        console.print(f"    image {image.image_id}, {image.state}: {printable(image.path)}")
        if image.keeper_path is not None:
            console.print(f"      a duplicate of {printable(image.keeper_path)}")
    for span in moment.spans:
        console.print(f"  {time(span.from_at)} to {time(span.to_at)}: {_describe_span(span)}")
    _render_origins(console, moment, time)
    neighbours = {"before": moment.before, "after": moment.after}
    for name, frame in neighbours.items() if moment.kind not in {MomentKind.STORED, MomentKind.SEEN} else ():
        if frame is not None:
            console.print(f"  nearest {name}: {time(frame.captured_at)}, {printable(frame.path)}")


def _render_origins(console: Console, moment: MomentDetails, time: Callable[[object], str]) -> None:
    """Prints the videos and recordings that a moment lies in."""
    for video in moment.videos:
        how_often = "" if video.interval_s is None else f", looked at every {video.interval_s:g} s"
        start = f"begins {time(video.started_at)} (from {name_of_source(video.started_at_source)})"
        console.print(f"  video {printable(video.path)}: {start}{how_often}")
    for recording in moment.recordings:
        begin = f"from {time(recording.started_at)}, looked at every {recording.every_s:g} s"
        console.print(f"  recording of {printable(recording.source)}: {begin}")


def _describe_span(span: StoredSpan) -> str:
    """What a span counts, and how sure its witness is."""
    if span.reason is SpanReason.GAP:
        return f"no frame was looked at ({span.detail or 'no reason is known'})"
    frames = counted(span.frames, "frame")
    if span.reason is not SpanReason.SEEN:
        return f"{frames} not stored, {span.reason.replace('_', ' ')} ({span.detail or 'no reason is known'})"
    return (
        f"{frames} like image {span.witness_id}, worst score {span.worst_score:g} "
        f"(limit {span.max_score:g}, profile {span.profile})"
    )
