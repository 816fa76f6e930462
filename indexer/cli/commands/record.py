"""The command `record`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import Json, open_session
from indexer.errors import ClockError, FolderError, UsageError

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession
    from indexer.domain.recording.sources import LiveSource
    from indexer.workflows.record.outcomes import RecordReport
    from indexer.workflows.record.record_context import RecordOptions

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=SOURCE]...",
        help="Cameras: rtsp:// or http:// addresses, or devices as /dev/video0.",
        show_default=False,
    ),
]
SourcesFile = Annotated[
    str | None, typer.Option("--sources", metavar="FILE", help="A file with one line NAME = SOURCE per camera.")
]
Frames = Annotated[
    str | None,
    typer.Option("--frames", metavar="FOLDER", help="Folder for the stored frames. [default: frames of indexer.toml]"),
]
Every = Annotated[float | None, typer.Option(metavar="SECONDS", help="Time from one frame to the next. [default: 1]")]
Sample = Annotated[
    str | None, typer.Option(metavar="WHICH", help="Frames to decode: keyframes, all or auto. [default: auto]")
]
MaxPerMinute = Annotated[
    int, typer.Option(metavar="N", min=1, max=6000, help="Store at most N frames of a camera per minute.")
]
MinFree = Annotated[str, typer.Option(metavar="SIZE", help="Store nothing if the disk has less free space than this.")]
Duration = Annotated[
    str | None, typer.Option(metavar="TIME", help="End after this time, as 30min or 8h. If not given: never.")
]
Transport = Annotated[str, typer.Option(metavar="HOW", help="How RTSP sends frames: tcp or udp.")]
AlsoHere = Annotated[bool, typer.Option("--also-here", help="Go on if another index has images of the folder.")]

_STOP_WITHIN_S = 8.0


def record(
    context: typer.Context,
    sources: Sources = None,
    sources_file: SourcesFile = None,
    frames: Frames = None,
    every: Every = None,
    sample: Sample = None,
    max_per_minute: MaxPerMinute = 30,
    min_free: MinFree = "1GB",
    duration: Duration = None,
    transport: Transport = "tcp",
    also_here: AlsoHere = False,
    json: Json = False,
) -> None:
    """Record live cameras: store frames that show something new."""
    chosen = _Choice(every, sample, max_per_minute, min_free, duration, transport)
    with open_session(context, json=json) as session:
        cameras = _list_sources(session, sources or [], sources_file)
        options = _options(session, frames, chosen)
        report = _record(session, cameras, options, also_here=also_here)
        from indexer.cli.json_documents.capture import RecordDocument
        from indexer.cli.render.record import render_record

        failed = not report.has_answered or report.unwritten > 0
        session.show(report, render_record, form=RecordDocument, failed=failed)
    raise typer.Exit(_exit_code(report))


def _exit_code(report: "RecordReport") -> int:
    """1 if frames could not be written, or if no camera answered until the time was over; 130 after Ctrl-C."""
    if report.unwritten:
        return 1
    if report.ended_by is not None:
        return 130 if report.ended_by == "SIGINT" else 0
    return int(not report.has_answered)


@dataclass(frozen=True)
class _Choice:
    """What a person typed."""

    every: float | None
    sample: str | None
    max_per_minute: int
    min_free: str
    duration: str | None
    transport: str


def _options(session: "CommandSession", frames: str | None, chosen: _Choice) -> "RecordOptions":
    """The options, checked; the folder for frames is made if it is missing."""
    frames = frames or session.settings.configuration.frames
    if frames is None:
        raise UsageError("a folder for frames is missing; give --frames FOLDER, or the key frames in indexer.toml")
    from indexer.cli.quantities import parse_duration, parse_size
    from indexer.cli.video_options import video_options
    from indexer.workflows.record.record_context import RecordOptions

    if chosen.transport not in {"tcp", "udp"}:
        raise UsageError(f"--transport is {chosen.transport!r}; give tcp or udp")
    min_free_bytes = parse_size(chosen.min_free, option="--min-free")
    duration_s = None if chosen.duration is None else parse_duration(chosen.duration, option="--duration")
    _require_clock(session)
    database = session.settings.database
    videos = video_options(frames, database=database, every=chosen.every, sample=chosen.sample, time_s=0)
    assert videos is not None
    return RecordOptions(
        videos.frames_folder,
        videos.every_s,
        videos.sampling,
        chosen.max_per_minute,
        min_free_bytes,
        chosen.transport,
        duration_s,
        session.settings.max_memory_mb * 2**20,
    )


def _list_sources(session: "CommandSession", named: list[str], sources_file: str | None) -> "list[LiveSource]":
    """The cameras of the command line and of the sources file; of the configuration if neither names one."""
    from indexer.domain.recording.sources import hides_secret, list_source_lines, parse_sources
    from indexer.escaping import quoted
    from indexer.files.sources_file import others_may_read, read_sources_file

    lines, file = list[str](), sources_file
    if sources_file is not None:
        lines = list_source_lines(read_sources_file(sources_file))
    elif not named and (configured := session.settings.configuration).record:
        lines, file = [f"{item.camera}={item.source}" for item in configured.record], configured.path
    sources = parse_sources([*named, *lines])
    if file is not None and hides_secret(sources[len(named) :]) and others_may_read(file):
        raise FolderError(f"{file!r} holds a password, and others may read it; type: chmod 600 -- {quoted(file)}")
    if hides_secret(sources[: len(named)]):
        session.warn(
            "a password on the command line can be seen by everybody on this machine; write the source into a file "
            "that only you can read, and name it with --sources"
        )
    return sources


def _require_clock(session: "CommandSession") -> None:
    """Refuses a clock that is older than this program."""
    from indexer.domain.recording.clock import EARLIEST

    now = session.clock()
    if now < EARLIEST:
        raise ClockError(f"the clock of this machine says {now:%Y-%m-%d}; set it first, because frames are named by it")


def _record(
    session: "CommandSession", sources: "list[LiveSource]", options: "RecordOptions", *, also_here: bool
) -> "RecordReport":
    """Records the cameras until it is stopped; returns what was done."""
    from indexer.cli import ingest_index
    from indexer.cli.render.record import render_beginning
    from indexer.cli.service_manager import ServiceManager
    from indexer.interrupts import stop_on_signals
    from indexer.workflows.ingest.discovery import request_of_folders
    from indexer.workflows.record.record import record as record_cameras
    from indexer.workflows.record.record_context import RecordContext

    request = request_of_folders([options.frames_folder])
    notify = ServiceManager(session.settings.notify_socket).notify
    try:
        with (
            ingest_index.open_index(session, request, also_here=also_here) as (database, _),
            session.guarded_engine(1) as reader,
            stop_on_signals(within_s=_STOP_WITHIN_S) as stop,
        ):
            render_beginning(session.console, sources, options.frames_folder)
            context = RecordContext(database, reader, session.limits, session.clock, session.warn, notify)
            return record_cameras(context, sources, options, stop=stop)
    except OSError as problem:
        from indexer.files.reading import os_error_message

        raise FolderError(
            f"the folder {options.frames_folder!r} cannot hold frames: {os_error_message(problem)}"
        ) from None
