"""The command `ingest`."""

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.engine_options import Engine, EngineOptions, MapPath, Scheduler
from indexer.cli.options import Json, Local, Processes, open_session

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession
    from indexer.workflows.ingest.discovery import IngestRequest

Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="Folders (recursive) and image files.")]


def ingest(
    context: typer.Context,
    paths: Paths,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show which cameras and times the names give, and stop.")
    ] = False,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="All these images are of this camera.")] = None,
    camera_level: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="The camera is the Nth folder below PATH: 1 is the first.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Groups (?P<camera>...), (?P<timestamp>...) name the images.")
    ] = None,
    scheme: Annotated[
        str | None, typer.Option(metavar="NAME", help="A built-in pattern; to list them: camera schemes.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Of times without an offset, as Europe/Berlin; else UTC.")
    ] = None,
    new_rules: Annotated[
        bool, typer.Option("--new-rules", help="Name known images again, by the rules of this version.")
    ] = False,
    local: Local = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read files again that could not be used, or may have changed unseen.")
    ] = False,
    also_here: Annotated[
        bool, typer.Option("--also-here", help="Do not ask if another index has images of the folder.")
    ] = False,
    processes: Processes = None,
    engine: Engine = None,
    scheduler: Scheduler = None,
    map_path: MapPath = None,
    json: Json = False,
) -> None:
    """Take in files and folders of images."""
    from indexer.cli import ingest_index
    from indexer.cli.render.ingest import render_ingest
    from indexer.workflows.ingest import ingest as workflow
    from indexer.workflows.ingest.discovery import discover

    options = EngineOptions(processes, engine, scheduler, tuple(map_path or ()))
    with open_session(context, json=json) as session:
        discovered = discover(
            paths,
            again=again,
            is_new_rules=new_rules,
            camera=camera,
            camera_level=camera_level,
            pattern=pattern,
            scheme=scheme,
            timezone=timezone,
        )
        if dry_run:
            raise typer.Exit(_show_preview(session, discovered, local=local))
        opened = ingest_index.open_index(session, discovered, also_here=also_here)
        with opened as (database, request), session.guarded_engine(options) as executor:
            report = workflow.ingest(
                database,
                request,
                executor=executor,
                limits=session.limits,
                clock=session.clock,
                progress=session.progress,
            )
        session.show(report, render_ingest)
    raise typer.Exit(1 if report.refused or report.held or report.names.held else 0)


def _show_preview(session: "CommandSession", request: "IngestRequest", *, local: bool) -> int:
    """Shows what an ingest would name the files. Returns the exit code: 1 if a camera would be held back."""
    from indexer.cli.render.camera import render_preview
    from indexer.store.schema import find_database
    from indexer.workflows.ingest.preview import preview_ingest

    with ExitStack() as stack:
        database = find_database(session.settings.database)
        if database is not None:
            stack.callback(database.close)
        preview = preview_ingest(database, request)
    session.show(preview, partial(render_preview, local=local))
    return 1 if preview.names.held else 0
