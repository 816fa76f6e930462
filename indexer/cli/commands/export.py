"""The command `export`."""

from typing import Annotated

import typer

from indexer.cli.options import Camera, Json, open_session


def export(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT", help="A file: nul, csv, jsonl, coco, fiftyone, dvc. A folder: tree, imagefolder."
        ),
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A new file or folder. Nothing is overwritten.")],
    which: Annotated[str, typer.Option(metavar="WHICH", help="Which images: kept, removed or all.")] = "kept",
    camera: Camera = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy files into a folder, instead of hard links.")] = False,
    json: Json = False,
) -> None:
    """Write lists or data sets of kept or removed images.

    They are for other tools. The index and the images are only read.
    """
    from indexer.cli.json_documents.export import ExportDocument
    from indexer.cli.render.export import render_export
    from indexer.workflows.export import export as workflow

    with open_session(context, json=json) as session, session.database() as database:
        report = workflow.export(
            database, name, target, which=which, camera=camera, copies=copy, progress=session.progress
        )
        session.show(report, render_export, form=ExportDocument, failed=bool(report.failures))
    raise typer.Exit(1 if report.failures else 0)
