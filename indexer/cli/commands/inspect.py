"""The commands `status` and `explain`: what is in the index, and why."""

from functools import partial
from typing import Annotated

import typer

from indexer.cli.options import Json, Local, open_session


def status(context: typer.Context, local: Local = False, json: Json = False) -> None:
    """Show what is in the index, per camera."""
    from indexer.cli.json_documents.admin import StatusDocument
    from indexer.cli.render.status import render_status
    from indexer.workflows.admin import status as workflow

    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.status(database), partial(render_status, local=local), form=StatusDocument)


def explain(
    context: typer.Context,
    image: Annotated[str, typer.Argument(metavar="A", help="An image, by path or by number.")],
    other: Annotated[str | None, typer.Argument(metavar="B", help="Another one: the evidence of the pair.")] = None,
    picture: Annotated[
        str | None, typer.Option(metavar="OUT.png", help="Draw it beside B, its keeper or its like, into a new file.")
    ] = None,
    local: Local = False,
    json: Json = False,
) -> None:
    """Tell why an image was kept or flagged, or what one pair shows."""
    from indexer.cli.json_documents import review as documents
    from indexer.cli.render import explain as render
    from indexer.workflows.review import explain as workflow
    from indexer.workflows.review.pair_picture import illustrate

    with open_session(context, json=json) as session, session.database() as database:
        if picture is not None:
            drawn = illustrate(
                database, image, other, out=picture, limits=session.limits, make_captions=render.captions
            )
            pictures = partial(render.render_pair_picture, local=local)
            session.show(drawn, pictures, form=documents.IllustrationDocument)
        elif other is None:
            details = workflow.explain_image(database, image)
            session.show(details, partial(render.render_image, local=local), form=documents.ImageDetailsDocument)
        else:
            pair = workflow.explain_pair(database, image, other)
            session.show(pair, partial(render.render_pair, local=local), form=documents.PairDetailsDocument)
