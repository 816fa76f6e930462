"""The commands `pin` and `unpin`."""

from typing import Annotated

import typer

from indexer.cli.options import Json, open_session

_LIST = "list"

Run = Annotated[int | None, typer.Option(min=1, max=10**18, metavar="ID", help="The pins that this run set.")]


def pin(
    context: typer.Context,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Images, by path, file name, glob or number; or list. Type ./list for a file of that name.",
        ),
    ],
    json: Json = False,
) -> None:
    """Keep these images, whatever they show; pin list shows the pins."""
    from indexer.cli.json_documents.folders import PinListDocument
    from indexer.cli.json_documents.review import PinDocument
    from indexer.cli.render.pin import render_pin_list, render_pins
    from indexer.workflows.review import pin as workflow

    with open_session(context, json=json) as session, session.database() as database:
        if images == [_LIST]:
            session.show(workflow.list_pins(database), render_pin_list, form=PinListDocument)
        else:
            session.show(workflow.pin(database, images, clock=session.clock), render_pins, form=PinDocument)


def unpin(
    context: typer.Context,
    images: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE", help="Images, by path, file name, glob or number.")
    ] = None,
    run: Run = None,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="The pins of this camera.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All pins that a person set.")] = False,
    json: Json = False,
) -> None:
    """Remove pins."""
    from indexer.cli.json_documents.review import PinDocument
    from indexer.cli.render.pin import render_pins
    from indexer.workflows.review import pin as workflow

    selection = workflow.parse_unpin(images or (), run_id=run, camera=camera, everything=everything)
    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.unpin(database, selection, clock=session.clock), render_pins, form=PinDocument)
