"""The command `watch`."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.engine_options import EngineOptions
from indexer.cli.naming_options import CameraLevel, CameraName, Pattern, SchemeName, Timezone
from indexer.cli.options import Json, Processes, open_session
from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.cli.session import CommandSession
    from indexer.store.database import Database
    from indexer.workflows.capture.options import VideoOptions
    from indexer.workflows.watch.options import WatchOptions
    from indexer.workflows.watch.outcomes import WatchReport

Folders = Annotated[list[str], typer.Argument(metavar="FOLDER", help="Folders to watch, with their subfolders.")]
Every = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.1, max=86_400, help="Time from one batch of new files to the next.")
]
Settle = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        max=86_400,
        help="If no report says that a file was closed, it must not change for so long.",
    ),
]
Grace = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0, max=86_400, help="Wait so long for the rest of an incomplete file."),
]
Poll = Annotated[
    bool, typer.Option("--poll", help="List the folders again and again; do not rely on reports of the kernel.")
]
Rescan = Annotated[
    float, typer.Option(metavar="MINUTES", min=0.1, max=10_080, help="Time from one walk of all folders to the next.")
]
NoCompare = Annotated[bool, typer.Option("--no-compare", help="Add files, and decide nothing.")]
Once = Annotated[bool, typer.Option("--once", help="Add the files that are there, decide them, and end.")]
Frames = Annotated[
    str | None,
    typer.Option(
        "--frames", metavar="FOLDER", help="Also add videos. This folder is for frames that show something new."
    ),
]
AlsoHere = Annotated[bool, typer.Option("--also-here", help="Go on if another index has images of the folder.")]

_STOP_WITHIN_S = 5.0


def watch(
    context: typer.Context,
    folders: Folders,
    every: Every = 5.0,
    settle: Settle = 2.0,
    grace: Grace = 60.0,
    rescan: Rescan = 10.0,
    poll: Poll = False,
    once: Once = False,
    no_compare: NoCompare = False,
    frames: Frames = None,
    camera: CameraName = None,
    camera_level: CameraLevel = None,
    pattern: Pattern = None,
    scheme: SchemeName = None,
    timezone: Timezone = None,
    also_here: AlsoHere = False,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Add new files to the index as they arrive, and decide them."""
    from indexer.cli.configured_naming import complete_naming
    from indexer.cli.video_options import video_options
    from indexer.domain.arrivals import ArrivalTimes
    from indexer.domain.naming.rules import NamingOptions
    from indexer.workflows.watch.options import WatchOptions

    if grace < settle:
        raise UsageError(f"--grace {grace:g} is less than --settle {settle:g}; give a --grace that is not smaller")
    typed = {"camera": camera, "camera_level": camera_level, "pattern": pattern, "scheme": scheme, "timezone": timezone}
    with open_session(context, json=json) as session:
        settings = session.settings
        naming = NamingOptions(**complete_naming(typed, settings.configuration, folders)).checked()
        times = ArrivalTimes(settle, grace)
        options = WatchOptions(every, times, rescan * 60, poll, not no_compare, once, naming)
        videos = video_options(frames, database=settings.database, every=None, sample=None, time_s=settings.max_seconds)
        engine = EngineOptions(processes, "processes")
        report = _watch(session, folders, options, engine, videos, also_here=also_here)
        from indexer.cli.json_documents.capture import WatchDocument
        from indexer.cli.render.watch import render_waiting, render_watch

        session.show(report, render_watch, form=WatchDocument, failed=bool(report.waits), render_failure=render_waiting)
    raise typer.Exit(130 if report.ended_by == "SIGINT" else int(once and report.waits > 0))


def _watch(
    session: "CommandSession",
    folders: list[str],
    options: "WatchOptions",
    engine: EngineOptions,
    videos: "VideoOptions | None",
    *,
    also_here: bool,
) -> "WatchReport":
    """Watches the folders until it is stopped; returns what was done."""
    from indexer.cli import ingest_index
    from indexer.cli.service_manager import ServiceManager
    from indexer.imaging.matching import load_kernel
    from indexer.interrupts import stop_on_signals
    from indexer.workflows.context import ComparisonContext
    from indexer.workflows.ingest.discovery import request_of_folders
    from indexer.workflows.watch.intake import Intake, VideoIntake
    from indexer.workflows.watch.options import WatchOutput
    from indexer.workflows.watch.watch import watch

    request = request_of_folders(folders, frames_folder=None if videos is None else videos.frames_folder)
    output = WatchOutput(session.warn, ServiceManager(session.settings.notify_socket).notify)
    with (
        ingest_index.open_index(session, request, also_here=also_here) as (database, _),
        session.guarded_engine(engine) as reader,
        session.engine(engine, database) as executor,
        stop_on_signals(within_s=_STOP_WITHIN_S) as stop,
    ):
        _say_overlaps(session, database, request.watched)
        output.notify("READY=1")  # before what may take a minute: the kernel is compiled once, and locks are waited for
        if options.compares and not options.is_once:
            load_kernel()  # here, not when the first file waits
            session.warn_without_kernel()
        context = ComparisonContext(database, executor, session.limits, session.clock)
        make_executor = partial(session.video_engine, engine, processes_at_once=1)  # for each video that is read
        taking = None if videos is None else VideoIntake(videos, make_executor)
        make_intake = partial(Intake, context, reader, videos=taking)
        return watch(context, request.watched, options, make_intake=make_intake, stop=stop, output=output)


def _say_overlaps(session: "CommandSession", database: "Database", folders: "Sequence[str]") -> None:
    """Says which other watches are at work on these folders; that harms nothing, and costs twice the work."""
    from indexer.cli.render.tables import format_time
    from indexer.workflows.admin.watches import list_overlapping_watches

    for state in list_overlapping_watches(database, folders):
        who = f"{state.username}@{state.hostname}, since {format_time(state.started_at)} UTC"
        session.warn(
            f"another watch is at work on {', '.join(state.folders)} ({who}); each file is taken in once all the same"
        )
