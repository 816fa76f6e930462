"""The commands `relocate` and `forget`: folders of images that move, or that the index must not know any more."""

from typing import Annotated

import typer

from indexer.cli.options import Json, open_session

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change. Change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def relocate(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The folder as the index knows it.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The folder where it is now.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Tell the index that a folder was renamed or moved."""
    from indexer.cli.json_documents.folders import RelocationDocument, RelocationPlanDocument
    from indexer.cli.render.folders import render_relocation, render_relocation_plan
    from indexer.workflows.ingest.other_indexes import register_new_index
    from indexer.workflows.removal import relocate as workflow

    with open_session(context, json=json) as session:
        with session.database() as database:
            plan = workflow.plan_relocation(database, old, new)
            if dry_run:
                session.show(plan, render_relocation_plan, form=RelocationPlanDocument)
                return
            session.show_plan(plan, render_relocation_plan, asks=not yes)
            if not yes:
                session.confirm("Change these paths?", instead="type --yes to change them, or --dry-run to look")
            report = workflow.relocate(database, old, new, clock=session.clock)
        register_new_index(session.settings.database, known=session.known_indexes, clock=session.clock)
        session.show(report, render_relocation, form=RelocationDocument)


def forget(
    context: typer.Context,
    folder: Annotated[str | None, typer.Argument(metavar="FOLDER", help="A folder of images, or one image.")] = None,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="All images of this camera.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete all that the index has about images; the files stay."""
    from indexer.cli.json_documents.folders import ForgetDocument, ForgetPlanDocument
    from indexer.cli.render.folders import render_forget, render_forget_plan
    from indexer.workflows.admin import forget as workflow

    scope = workflow.parse_scope(folder, camera=camera)
    with open_session(context, json=json) as session, session.database() as database:
        plan = workflow.plan_forget(database, scope)
        if dry_run:
            session.show(plan, render_forget_plan, form=ForgetPlanDocument)
            return
        session.show_plan(plan, render_forget_plan, asks=not yes)
        if not yes:
            question = "ARE THEY GONE FOR GOOD? FORGET ALL?" if plan.gone else "FORGET THESE IMAGES?"
            session.confirm(question, instead="type --yes to forget them, or --dry-run to look")
        report = workflow.forget(database, scope, clock=session.clock, gone=plan.gone)
        session.show(report, render_forget, form=ForgetDocument)
