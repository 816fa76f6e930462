"""The command `ingest`."""

from typing import Annotated

import typer

from indexer.cli.engine_options import Engine, EngineOptions, MapPath, Scheduler
from indexer.cli.options import Json, Processes, open_session

Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="Folders (recursive) and image files.")]


def ingest(
    context: typer.Context,
    paths: Paths,
    pattern: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Groups (?P<camera>...), (?P<timestamp>...) name the images.")
    ] = None,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="All these images are of this camera.")] = None,
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
        discovered = discover(paths, camera=camera, pattern=pattern, again=again)
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
        failed = bool(report.refused or report.held)
        session.show(report, render_ingest, failed=failed)
    raise typer.Exit(1 if failed else 0)
