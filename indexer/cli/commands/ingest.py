"""The command `ingest`."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.cli.engine_options import Engine, EngineOptions, MapPath, Scheduler
from indexer.cli.naming_options import (
    CameraLevel,
    CameraName,
    DryRun,
    ForgetRules,
    NewRules,
    Pattern,
    SchemeName,
    Timezone,
)
from indexer.cli.options import Json, Local, Processes, open_session

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession
    from indexer.workflows.capture.options import VideoOptions
    from indexer.workflows.ingest.discovery import IngestRequest
    from indexer.workflows.ingest.outcomes import IngestReport

Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="Folders, with their subfolders, and files.")]
Again = Annotated[
    bool, typer.Option("--again", help="Also read files again that could not be used, or may have changed.")
]
Frames = Annotated[
    str | None,
    typer.Option(
        "--frames", metavar="FOLDER", help="Also add videos. This folder is for frames that show something new."
    ),
]
Every = Annotated[
    float | None,
    typer.Option("--every", metavar="SECONDS", help="Time from one frame of a video to the next. [default: 1]"),
]
Sample = Annotated[
    str | None,
    typer.Option(
        "--sample", metavar="FRAMES", help="Frames of a video to decode: keyframes, all or auto. [default: auto]"
    ),
]
AlsoHere = Annotated[bool, typer.Option("--also-here", help="Go on if another index has images of the folder.")]


def ingest(
    context: typer.Context,
    paths: Paths,
    dry_run: DryRun = False,
    camera: CameraName = None,
    camera_level: CameraLevel = None,
    pattern: Pattern = None,
    scheme: SchemeName = None,
    timezone: Timezone = None,
    new_rules: NewRules = False,
    forget_rules: ForgetRules = False,
    local: Local = False,
    again: Again = False,
    also_here: AlsoHere = False,
    frames: Frames = None,
    every: Every = None,
    sample: Sample = None,
    processes: Processes = None,
    engine: Engine = None,
    scheduler: Scheduler = None,
    map_path: MapPath = None,
    json: Json = False,
) -> None:
    """Add images and videos of files and folders to the index."""
    from indexer.cli.configured_naming import complete_naming
    from indexer.cli.video_options import video_options
    from indexer.workflows.ingest.discovery import discover

    engine_options = EngineOptions(processes, engine, scheduler, tuple(map_path or ()))
    typed = {"camera": camera, "camera_level": camera_level, "pattern": pattern, "scheme": scheme, "timezone": timezone}
    with open_session(context, json=json) as session:
        settings = session.settings
        how: Any = {"database": settings.database, "time_s": settings.max_seconds, "make_folder": not dry_run}
        videos = video_options(frames, every=every, sample=sample, **how)
        naming = complete_naming(typed, None if forget_rules else settings.configuration, paths)
        naming |= {"is_new_rules": new_rules, "forgets_rules": forget_rules}
        frames_folder = None if videos is None else videos.frames_folder
        request = discover(paths, again=again, frames_folder=frames_folder, **naming)
        if dry_run:
            code = _preview(session, request, local=local, with_videos=videos is not None)
        else:
            code = _ingest(session, request, engine_options, videos, also_here=also_here)
    raise typer.Exit(code)


def _ingest(
    session: "CommandSession",
    request: "IngestRequest",
    options: EngineOptions,
    videos: "VideoOptions | None",
    *,
    also_here: bool,
) -> int:
    """Takes the files in and shows the report. Returns the exit code: 1 if files or cameras were left alone."""
    from indexer.cli.json_documents.comparison import IngestDocument
    from indexer.cli.render.ingest import render_ingest, render_ingest_failures

    report = take_in(session, request, options, videos, also_here=also_here)
    session.show(
        report,
        render_ingest,
        form=IngestDocument,
        failed=report.left_alone,
        render_failure=render_ingest_failures,
    )
    return 1 if report.left_alone else 0


def take_in(
    session: "CommandSession",
    request: "IngestRequest",
    options: EngineOptions,
    videos: "VideoOptions | None",
    *,
    also_here: bool,
) -> "IngestReport":
    """Takes the files of a request in, into the index of the session, which is made if there is none."""
    from indexer.cli import ingest_index
    from indexer.workflows.ingest import ingest as workflow

    preload = ingest_index.list_preloaded_modules(session, request)
    opened = ingest_index.open_index(session, request, also_here=also_here)
    with session.guarded_engine(options, preload=preload) as executor, opened as (database, confirmed):
        how: Any = {"limits": session.limits, "clock": session.clock, "progress": session.progress}
        if videos is None:
            return workflow.ingest(database, confirmed, executor=executor, **how)
        from indexer.workflows.capture.ingest_videos import ingest_with_videos
        from indexer.workflows.runs.lock_wait import LockWait

        return ingest_with_videos(
            database,
            confirmed,
            videos,
            executor=executor,
            make_video_executor=partial(session.video_engine, options),
            wait=LockWait(None, None, lambda holder: session.warn(f"waits for {holder}")),
            **how,
        )


def _preview(session: "CommandSession", request: "IngestRequest", *, local: bool, with_videos: bool) -> int:
    """Shows what an ingest would name the files. Returns the exit code: 1 if files or cameras would be left alone."""
    from indexer.cli.json_documents.cameras import IngestPreviewDocument
    from indexer.cli.render.camera import render_preview
    from indexer.store.schema import find_database
    from indexer.workflows.ingest.preview import preview_ingest

    with ExitStack() as stack:
        database = find_database(session.settings.database)
        if database is not None:
            stack.callback(database.close)
        preview = preview_ingest(database, request)
        if with_videos:
            from indexer.workflows.capture.preview_videos import preview_videos

            preview = replace(preview, videos=preview_videos(database, request))
    failed = bool(preview.names.held or preview.refused) or any(
        video.state == "held back" for video in preview.videos or ()
    )
    session.show(preview, partial(render_preview, local=local), form=IngestPreviewDocument, failed=failed)
    return 1 if failed else 0
