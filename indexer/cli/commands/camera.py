"""The commands `camera list|rules|schemes|confirm`."""

from functools import partial
from typing import Annotated

import typer

from indexer.cli.options import CommandGroup, Json, Local, open_session

app = CommandGroup(no_args_is_help=True, help="Cameras and how images are named: list, rules, schemes, confirm.")


def camera_list(context: typer.Context, local: Local = False, json: Json = False) -> None:
    """List the cameras, and the folders that their images come from."""
    from indexer.cli.json_documents import cameras as documents
    from indexer.cli.render import camera
    from indexer.workflows.admin import camera as workflow

    with open_session(context, json=json) as session, session.database() as database:
        listings = workflow.list_cameras(database)
        form = list[documents.CameraListingDocument]
        session.show(listings, partial(camera.render_cameras, local=local), form=form)


def camera_rules(
    context: typer.Context,
    forget: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Delete what is stored of this folder; its images stay.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what is stored of each ingested folder, or delete it."""
    from indexer.cli.json_documents import cameras as documents
    from indexer.cli.render import camera
    from indexer.workflows.admin import camera as workflow

    with open_session(context, json=json) as session, session.database() as database:
        forgotten = None if forget is None else workflow.forget_rule(database, forget, clock=session.clock)
        rules = workflow.list_rules(database)
        session.show(rules, partial(camera.render_rules, forgotten=forgotten), form=list[documents.NamingRuleDocument])


def camera_schemes(context: typer.Context, json: Json = False) -> None:
    """List the built-in patterns for `ingest --scheme`, by maker."""
    from indexer.cli.json_documents import cameras as documents
    from indexer.cli.render import camera
    from indexer.domain.naming.schemes import SCHEMES

    with open_session(context, json=json) as session:
        session.show(SCHEMES, camera.render_schemes, form=list[documents.SchemeDocument])


def camera_confirm(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A camera that ingest held back.")],
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the answer back: ask again before new images are added.")
    ] = False,
    json: Json = False,
) -> None:
    """Confirm that all images of this name are of one camera."""
    from indexer.cli.json_documents import cameras as documents
    from indexer.cli.render import camera
    from indexer.workflows.admin import camera as workflow

    with open_session(context, json=json) as session, session.database() as database:
        act = workflow.undo_confirmation if undo else workflow.confirm_camera
        confirmed = act(database, name, clock=session.clock)
        session.show(confirmed, camera.render_confirmation, form=documents.ConfirmationDocument)


app.add(camera_list, name="list")
app.add(camera_rules, name="rules")
app.add(camera_schemes, name="schemes")
app.add(camera_confirm, name="confirm")
