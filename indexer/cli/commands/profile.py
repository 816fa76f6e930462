"""The commands `profile list|show|make|use`."""

from typing import Annotated

import typer

from indexer.cli.options import CommandGroup, Json, open_session

Ignore = Annotated[
    list[str] | None, typer.Option(metavar="X,Y,W,H", help="A rectangle to ignore, in per cent. May be repeated.")
]
IgnorePicture = Annotated[
    str | None, typer.Option(metavar="PNG", help="A drawing: dark areas are ignored, white areas are compared.")
]
Levels = Annotated[str | None, typer.Option(metavar="LOW,HIGH", help="16-bit values that become black and white.")]
Chroma = Annotated[
    int | None,
    typer.Option(metavar="GAIN", help="How much colour counts, compared with grey. 2 is usual, 0: not at all."),
]
MaxDistance = Annotated[
    float | None, typer.Option(metavar="D", help="Similar below this distance of the features, whatever the score.")
]
VetoDistance = Annotated[
    float | None, typer.Option(metavar="D", help="Never similar from this distance on, whatever the score.")
]

app = CommandGroup(no_args_is_help=True, help="Built-in and own parameter sets: list, show, make, use.")


def profile_list(context: typer.Context, json: Json = False) -> None:
    """List the profiles."""
    from indexer.cli.json_documents.admin import StoredProfileDocument
    from indexer.cli.render import profile
    from indexer.workflows.admin import profile as workflow

    with open_session(context, json=json) as session, session.database() as database:
        profiles = workflow.list_profiles(database)
        session.show(profiles, profile.render_profiles, form=list[StoredProfileDocument])


def profile_show(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME")], json: Json = False
) -> None:
    """Show all parameters of a profile."""
    from indexer.cli.json_documents.admin import StoredProfileDocument
    from indexer.cli.render import profile
    from indexer.workflows.admin import profile as workflow

    with open_session(context, json=json) as session, session.database() as database:
        session.show(workflow.show_profile(database, name), profile.render_profile, form=StoredProfileDocument)


Threshold = Annotated[int | None, typer.Option(metavar="LEVELS", help="A pixel that differs by more has changed.")]


def profile_make(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    base: Annotated[str, typer.Option(metavar="NAME", help="The profile to start from.")] = "balanced",
    max_score: Annotated[float | None, typer.Option(metavar="PX", help="A pair with a lower score is similar.")] = None,
    record_limit: Annotated[float | None, typer.Option(metavar="PX", help="Record scores up to this.")] = None,
    min_contour_area: Annotated[float | None, typer.Option(metavar="PX", help="Smaller changes do not count.")] = None,
    threshold: Threshold = None,
    dilations: Annotated[int | None, typer.Option(metavar="N", help="How often changed areas grow by a pixel.")] = None,
    mask: Annotated[str | None, typer.Option(metavar="L,T,R,B", help="Border to ignore, in per cent.")] = None,
    ignore: Ignore = None,
    ignore_picture: IgnorePicture = None,
    work_width: Annotated[int | None, typer.Option(metavar="PX", help="Width of the thumbnails.")] = None,
    contrast: Annotated[bool | None, typer.Option(help="Even out the local contrast, or not.")] = None,
    levels: Levels = None,
    chroma: Chroma = None,
    max_distance: MaxDistance = None,
    veto_distance: VetoDistance = None,
    json: Json = False,
) -> None:
    """Make a new profile; an existing one is never changed."""
    from indexer.cli.json_documents.admin import MadeProfileDocument
    from indexer.cli.render import profile
    from indexer.workflows.admin import profile as workflow

    changes = {
        "max_score": max_score,
        "record_limit": record_limit,
        "min_contour_area": min_contour_area,
        "threshold": threshold,
        "dilations": dilations,
        "mask": mask,
        "ignore": ignore or None,
        "ignore_picture": ignore_picture,
        "work_width": work_width,
        "contrast": contrast,
        "levels": levels,
        "chroma": chroma,
    } | {"max_distance": max_distance, "veto_distance": veto_distance}
    with open_session(context, json=json) as session, session.database(create=True) as database:
        made = workflow.make_profile(database, name, base=base, changes=changes, clock=session.clock)
        session.show(made, profile.render_made_profile, form=MadeProfileDocument)


def profile_use(
    context: typer.Context,
    camera: Annotated[str, typer.Option(metavar="CAMERA", help="The camera that gets the profile.")],
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The profile; or --active.")] = None,
    active: Annotated[bool, typer.Option("--active", help="Go back to the active profile.")] = False,
    json: Json = False,
) -> None:
    """Give one camera a profile of its own."""
    from indexer.cli.json_documents.admin import ProfileUseDocument
    from indexer.cli.render import profile
    from indexer.workflows.admin import profile as workflow

    with open_session(context, json=json) as session, session.database() as database:
        use = workflow.use_profile(database, name, camera=camera, active=active, clock=session.clock)
        session.show(use, profile.render_profile_use, form=ProfileUseDocument)


app.add(profile_list, name="list")
app.add(profile_show, name="show")
app.add(profile_make, name="make")
app.add(profile_use, name="use")
