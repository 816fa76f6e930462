"""The commands `status` and `explain`: what is in the index, and why."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import Json, Local, open_session
from indexer.errors import UsageError

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession
    from indexer.store.database import Database


Image = Annotated[
    str | None, typer.Argument(metavar="A", help="An image, by path, file name or number.", show_default=False)
]
Other = Annotated[str | None, typer.Argument(metavar="B", help="A second image: show the evidence of the pair.")]
Picture = Annotated[
    str | None,
    typer.Option(
        metavar="OUT.png", help="Draw A and B into a new file; without B, A and its keeper or most similar image."
    ),
]
Moment = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Show which image stands for a moment of a camera's videos. Needs --camera."),
]


def status(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Exit code 1 if something needs a person.")] = False,
    silent_after: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1_000_000,
            metavar="N",
            help="With --check: report a camera that is silent for N times its longest pause. 0: none. [default: 3]",
        ),
    ] = None,
    local: Local = False,
    json: Json = False,
) -> None:
    """Show what is in the index, per camera, and what needs a person."""
    from indexer.cli.json_documents.admin import StatusDocument
    from indexer.cli.render.status import render_needs, render_status
    from indexer.workflows.admin import status as workflow
    from indexer.workflows.admin.status_check import SILENT_AFTER, check_status

    if silent_after is not None and not check:
        raise UsageError("--silent-after needs --check")
    with open_session(context, json=json) as session, session.database() as database:
        number = SILENT_AFTER if silent_after is None else silent_after
        checked = check_status(database, silent_after=number, clock=session.clock) if check else None
        needs_person = checked is not None and checked.needs_person
        state = workflow.status(database, check=checked)
        session.show(
            state,
            partial(render_status, local=local),
            form=StatusDocument,
            failed=needs_person,
            render_failure=partial(render_needs, local=local),
        )
    raise typer.Exit(1 if needs_person else 0)


def explain(
    context: typer.Context,
    image: Image = None,
    other: Other = None,
    picture: Picture = None,
    at: Moment = None,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="With --at: the camera.")] = None,
    local: Local = False,
    json: Json = False,
) -> None:
    """Say why an image is kept or not, or what stands for a moment."""
    from indexer.cli.json_documents import review as documents
    from indexer.cli.render import explain as render
    from indexer.workflows.review import explain as workflow

    if (at is None) != (camera is None):
        raise UsageError(
            "--at needs --camera, and --camera needs --at: give a time, and the camera whose videos show it"
        )
    with open_session(context, json=json) as session, session.database() as database:
        if at is not None and camera is not None and image is None and picture is None:
            _explain_moment(session, database, camera, at, local=local)
        elif image is None or at is not None:
            raise UsageError("name an image, or a moment with --at TIME --camera NAME")
        elif picture is not None:
            from indexer.workflows.review.pair_picture import illustrate  # this loads the image libraries

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


def _explain_moment(session: "CommandSession", database: "Database", camera: str, at: str, *, local: bool) -> None:
    """Shows what stands for a moment of a camera's videos."""
    from indexer.cli.json_documents.review import MomentDocument
    from indexer.cli.render.moment import render_moment
    from indexer.workflows.review.moment import explain_moment

    moment = explain_moment(database, camera, at)
    session.show(moment, partial(render_moment, local=local), form=MomentDocument)
