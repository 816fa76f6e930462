"""The command `report`, and its result as text."""

from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import Camera, Json, Local, Processes, open_session
from indexer.domain.plurals import counted

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.workflows.report.report import ReportResult


def report(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where the pages go: new, empty, or a report.")],
    camera: Camera = None,
    sweep: Annotated[
        bool | None, typer.Option("--sweep/--no-sweep", help="Try other limits; done if the index is small.")
    ] = None,
    processes: Processes = None,
    local: Local = False,
    json: Json = False,
) -> None:
    """Make pages to look at: film strips, pairs, closest decisions."""
    with open_session(context, json=json) as session:
        with (
            session.database() as database,
            session.engine(processes, database) as executor,
            session.guarded_engine(processes) as reading_executor,
        ):
            from indexer.cli.json_documents.comparison import ReportDocument
            from indexer.workflows.context import ComparisonContext
            from indexer.workflows.report import report as workflow

            comparison = ComparisonContext(database, executor, session.limits, session.clock, session.progress)
            result = workflow.report(
                comparison, guarded_executor=reading_executor, folder=folder, camera=camera, sweep=sweep, local=local
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
