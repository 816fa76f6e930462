"""The commands `pin` and `unpin`."""

from typing import Annotated

import typer

from indexer.cli.options import Json, open_session

Images = Annotated[list[str], typer.Argument(metavar="IMAGE", help="Images, by path, file name, glob or number.")]


def pin(context: typer.Context, images: Images, json: Json = False) -> None:
    """Keep these images, whatever they show."""
    from indexer.cli.json_documents.review import PinDocument
    from indexer.cli.render.pin import render_pins
    from indexer.workflows.review import pin as workflow

    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.pin(database, images, clock=session.clock), render_pins, form=PinDocument)


def unpin(context: typer.Context, images: Images, json: Json = False) -> None:
    """Take pins back."""
    from indexer.cli.json_documents.review import PinDocument
    from indexer.cli.render.pin import render_pins
    from indexer.workflows.review import pin as workflow

    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.unpin(database, images, clock=session.clock), render_pins, form=PinDocument)
