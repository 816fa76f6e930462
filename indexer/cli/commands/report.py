"""The command `report`, and how what it made reads to a person."""

from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import Camera, Json, Processes, enter

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.workflows.report.report import ReportMade


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
    with enter(context, json=json) as page:
        with (
            page.database() as database,
            page.engine(processes, database) as spread,
            page.guarded_engine(processes) as reading,
        ):
            from indexer.workflows.compare.camera import Means
            from indexer.workflows.report import report as work

            means = Means(database, spread, page.limits, page.clock, page.progress)
            made = work.report(means, reading=reading, folder=folder, camera=camera, sweep=sweep)
        page.show(made, reported)


def reported(console: "Console", made: "ReportMade") -> None:
    """What was written, and what to open."""
    from indexer.cli.render.words import path

    console.print(f"{made.cameras} cameras, {made.images} images, {made.pairs} pairs on {made.pages} pages.")
    pictures = made.pictures
    console.print(
        f"  pictures: {pictures.from_files} from files, {pictures.from_index} from the index, "
        f"{pictures.reused} there already"
    )
    console.print(f"Open in a browser: {path(made.page)}")
    if made.borderline:
        console.print(f"Look first at the {made.borderline} borderline decisions.")
