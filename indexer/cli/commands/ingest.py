"""The command `ingest`."""

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.engine_options import Engine, EngineOptions, MapPath, Scheduler
from indexer.cli.naming_options import CameraLevel, CameraName, DryRun, NewRules, Pattern, SchemeName, Timezone
from indexer.cli.options import Json, Local, Processes, open_session

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession
    from indexer.workflows.ingest.discovery import IngestRequest

Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="Folders (recursive) and image files.")]
Again = Annotated[
    bool, typer.Option("--again", help="Read files again that could not be used, or may have changed unseen.")
]
AlsoHere = Annotated[bool, typer.Option("--also-here", help="Do not ask if another index has images of the folder.")]


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
    local: Local = False,
    again: Again = False,
    also_here: AlsoHere = False,
    processes: Processes = None,
    engine: Engine = None,
    scheduler: Scheduler = None,
    map_path: MapPath = None,
    json: Json = False,
) -> None:
    """Take in files and folders of images."""
    from indexer.workflows.ingest.discovery import discover

    engine_options = EngineOptions(processes, engine, scheduler, tuple(map_path or ()))
    naming = {
        "camera": camera,
        "camera_level": camera_level,
        "pattern": pattern,
        "scheme": scheme,
        "timezone": timezone,
    }
    with open_session(context, json=json) as session:
        request = discover(paths, again=again, is_new_rules=new_rules, **naming)
        if dry_run:
            code = _preview(session, request, local=local)
        else:
            code = _ingest(session, request, engine_options, also_here=also_here)
    raise typer.Exit(code)


def _ingest(session: "CommandSession", request: "IngestRequest", options: EngineOptions, *, also_here: bool) -> int:
    """Takes the files in. Returns the exit code: 1 if files or cameras were left alone."""
    from indexer.cli import ingest_index
    from indexer.cli.json_documents.comparison import IngestDocument
    from indexer.cli.render.ingest import render_ingest
    from indexer.workflows.ingest import ingest as workflow

    opened = ingest_index.open_index(session, request, also_here=also_here)
    with opened as (database, confirmed), session.guarded_engine(options) as executor:
        report = workflow.ingest(
            database,
            confirmed,
            executor=executor,
            limits=session.limits,
            clock=session.clock,
            progress=session.progress,
        )
    failed = bool(report.refused or report.held or report.names.held)
    session.show(report, render_ingest, form=IngestDocument, failed=failed)
    return 1 if failed else 0


def _preview(session: "CommandSession", request: "IngestRequest", *, local: bool) -> int:
    """Shows what an ingest would name the files. Returns the exit code: 1 if a camera would be held back."""
    from indexer.cli.json_documents.cameras import IngestPreviewDocument
    from indexer.cli.render.camera import render_preview
    from indexer.store.schema import find_database
    from indexer.workflows.ingest.preview import preview_ingest

    with ExitStack() as stack:
        database = find_database(session.settings.database)
        if database is not None:
            stack.callback(database.close)
        preview = preview_ingest(database, request)
    failed = bool(preview.names.held)
    session.show(preview, partial(render_preview, local=local), form=IngestPreviewDocument, failed=failed)
    return 1 if failed else 0
