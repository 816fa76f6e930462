"""The command `compare`."""

from typing import Annotated

import typer

from indexer.cli.engine_options import Engine, EngineOptions, MapPath, Scheduler
from indexer.cli.options import Camera, Json, Processes, open_session


def compare(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Make this the active profile, and decide with it.")
    ] = None,
    camera: Camera = None,
    processes: Processes = None,
    engine: Engine = None,
    scheduler: Scheduler = None,
    map_path: MapPath = None,
    json: Json = False,
) -> None:
    """Score new images, and decide which ones are duplicates."""
    options = EngineOptions(processes, engine, scheduler, tuple(map_path or ()))
    with open_session(context, json=json) as session:
        with session.database() as database, session.engine(options, database) as executor:
            from indexer.cli.json_documents.comparison import (
                CompareDocument,  # imported here: the workers start meanwhile
            )
            from indexer.cli.render.compare import render_compare, render_compare_failures
            from indexer.workflows.compare import compare as workflow
            from indexer.workflows.context import ComparisonContext

            comparison = ComparisonContext(
                database, executor, session.limits, session.clock, session.progress, live=session.is_watched
            )
            report = workflow.compare(comparison, profile=profile, camera=camera)
        session.warn_without_kernel()
        session.show(
            report,
            render_compare,
            form=CompareDocument,
            failed=bool(report.held_back),
            render_failure=render_compare_failures,
        )
    raise typer.Exit(1 if report.held_back else 0)
