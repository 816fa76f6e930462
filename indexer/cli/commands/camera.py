"""The commands `camera list|rules|schemes|confirm`."""

from functools import partial
from typing import Annotated

import typer

from indexer.cli.options import Json, Local, open_session

app = typer.Typer(no_args_is_help=True, help="Cameras and how images are named: list, rules, schemes, confirm.")


@app.command("list")
def camera_list(context: typer.Context, local: Local = False, json: Json = False) -> None:
    """List the cameras, and the folders that their images come from."""
    from indexer.cli.render import camera
    from indexer.workflows.admin import camera as workflow

    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.list_cameras(database), partial(camera.render_cameras, local=local))


@app.command("rules")
def camera_rules(context: typer.Context, json: Json = False) -> None:
    """Show what is stored of each ingested folder."""
    from indexer.cli.render import camera
    from indexer.workflows.admin import camera as workflow

    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.list_rules(database), camera.render_rules)


@app.command("schemes")
def camera_schemes(context: typer.Context, json: Json = False) -> None:
    """List the built-in patterns for `ingest --scheme`, by maker."""
    from indexer.cli.render import camera
    from indexer.domain.naming.schemes import SCHEMES

    with open_session(context, json=json) as session:
        session.show(SCHEMES, camera.render_schemes)


@app.command("confirm")
def camera_confirm(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A camera that ingest held back.")],
    json: Json = False,
) -> None:
    """Say that all images of this name are of one camera."""
    from indexer.cli.render import camera
    from indexer.workflows.admin import camera as workflow

    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.confirm_camera(database, name, clock=session.clock), camera.render_confirmation)
