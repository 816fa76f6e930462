"""The command `report`, and its result as text."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.cli.options import Camera, Json, Local, Processes, open_session
from indexer.domain.plurals import counted

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.workflows.report.report import ReportResult


def report(
    context: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder for the pages: new, empty, or an earlier report.")
    ],
    camera: Camera = None,
    sweep: Annotated[
        bool | None,
        typer.Option("--sweep/--no-sweep", help="Try other limits. If not given: only if the index is small."),
    ] = None,
    processes: Processes = None,
    local: Local = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="Show whole paths, not only file names, also in verdicts.csv.")
    ] = False,
    one_file: Annotated[
        bool,
        typer.Option("--one-file", help="Write one file in place of FOLDER: the overview and at most 100 pairs."),
    ] = False,
    json: Json = False,
) -> None:
    """Make pages for a browser: film strips, pairs, close decisions."""
    with open_session(context, json=json) as session:
        with (
            session.database() as database,
            session.engine(processes, database) as executor,
            session.guarded_engine(processes) as reading_executor,
        ):
            from indexer.cli.json_documents.comparison import ReportDocument
            from indexer.workflows.context import ComparisonContext
            from indexer.workflows.report import report as workflow
            from indexer.workflows.report.one_file import write_one_file

            comparison = ComparisonContext(database, executor, session.limits, session.clock, session.progress)
            how: dict[str, Any] = {"camera": camera, "local": local, "paths": paths}
            if one_file:
                result = write_one_file(comparison, guarded_executor=reading_executor, file=folder, **how)
            else:
                result = workflow.report(
                    comparison, guarded_executor=reading_executor, folder=folder, sweep=sweep, **how
                )
        session.show(result, render_report, form=ReportDocument)


def render_report(console: "Console", result: "ReportResult") -> None:
    """Prints what was written, and what to open."""
    from indexer.cli.render.notes import note_undecided
    from indexer.escaping import printable

    console.print(
        f"{counted(result.cameras, 'camera')}, {counted(result.images, 'image')}, "
        f"{counted(result.pairs, 'pair')} on {counted(result.pages, 'page')}."
    )
    pictures = result.pictures
    console.print(
        f"  pictures: {pictures.from_files} from files, {pictures.from_index} from the index, "
        f"{pictures.reused} there already"
    )
    console.print(f"Open in a browser: {printable(result.page)}")
    note_undecided(console, result.undecided)
    if result.borderline:
        console.print(f"Look first at the {counted(result.borderline, 'decision')} closest to the limit.")
