"""The command `report`, and how what it made reads to a person."""

from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import Camera, Json, Processes, open_session

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
    json: Json = False,
) -> None:
    """Make pages to look at: film strips, pairs, borderline decisions."""
    with open_session(context, json=json) as session:
        with (
            session.database() as database,
            session.engine(processes, database) as spread,
            session.guarded_engine(processes) as reading,
        ):
            from indexer.workflows.compare.camera import ComparisonContext
            from indexer.workflows.report import report as workflow

            means = ComparisonContext(database, spread, session.limits, session.clock, session.progress)
            made = workflow.report(means, guarded_executor=reading, folder=folder, camera=camera, sweep=sweep)
        session.show(made, render_report)


def render_report(console: "Console", made: "ReportResult") -> None:
    """What was written, and what to open."""
    from indexer.escaping import printable

    console.print(f"{made.cameras} cameras, {made.images} images, {made.pairs} pairs on {made.pages} pages.")
    pictures = made.pictures
    console.print(
        f"  pictures: {pictures.from_files} from files, {pictures.from_index} from the index, "
        f"{pictures.reused} there already"
    )
    console.print(f"Open in a browser: {printable(made.page)}")
    if made.borderline:
        console.print(f"Look first at the {made.borderline} borderline decisions.")
