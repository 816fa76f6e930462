"""The commands `prune`, `restore`, `rescue`, `recover` and `purge`: they remove files and bring them back."""

from typing import Annotated

import typer

from indexer.cli.options import Camera, Json, open_session


def prune(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    permanent: Annotated[bool, typer.Option("--permanent", help="Delete at once instead of moving.")] = False,
    camera: Camera = None,
    quarantine: Annotated[str | None, typer.Option(metavar="FOLDER", help="Where removed files go.")] = None,
    max_share: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SHARE", help="Hold a camera back if more of it would go. [default: 0.99]"),
    ] = None,
    include_restored: Annotated[
        bool, typer.Option("--include-restored", help="Also files that came back and are held back.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the plan, ask, then move duplicates to quarantine."""
    from indexer.cli.json_documents import removal as documents
    from indexer.cli.render.removal import render_dry_run, render_plan, render_prune
    from indexer.workflows.removal import prune as workflow
    from indexer.workflows.removal.remove_file import RemovalOptions

    with open_session(context, json=json) as session, session.database() as database:
        plan = workflow.plan(database, camera=camera, max_share=max_share, include_restored=include_restored)
        if dry_run:
            session.show(plan, render_dry_run, form=documents.PlanDocument)
            return
        session.show_plan(plan, render_plan, asks=bool(plan.victims) and not yes)
        act = "DELETE THESE FILES FOR GOOD" if permanent else "Move these files to quarantine"
        if plan.victims and not yes:
            session.confirm(f"{act}?", instead="type --yes to act, or --dry-run to look")
        manner = RemovalOptions(permanent, quarantine, max_share, session.limits, include_restored)
        report = workflow.prune(
            database, plan, options=manner, camera=camera, clock=session.clock, progress=session.progress
        )
        failed = bool(report.failures or report.held_back or report.stopped)
        render = render_prune if plan.victims else _render_nothing
        session.show(report, render, form=documents.PruneDocument, failed=failed, render_failure=render_prune)
    raise typer.Exit(1 if failed else 0)


def _render_nothing(_console: object, _report: object) -> None:
    """Prints nothing: the plan was shown, and had nothing to remove."""


def restore(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Where the files were; also a file name, or a glob.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that lie in quarantine.")] = False,
    run: Annotated[
        int | None, typer.Option(min=1, max=10**18, metavar="ID", help="Those that this run took away.")
    ] = None,
    would_keep: Annotated[
        bool, typer.Option("--would-keep", help="Those that the profile in force would have kept.")
    ] = False,
    no_pin: Annotated[bool, typer.Option("--no-pin", help="Let a later prune take them again.")] = False,
    json: Json = False,
) -> None:
    """Bring quarantined files back to where they were.

    Files named by PATH are pinned with their keepers. What comes back otherwise is held back: no prune takes it
    without --include-restored.
    """
    from indexer.cli.json_documents.removal import RestoreDocument
    from indexer.cli.render.removal import render_restore
    from indexer.workflows.removal import restore as workflow

    selection = workflow.parse_selection(paths or (), everything=everything, run_id=run, would_keep=would_keep)
    pin, hold = bool(selection.paths) and not no_pin, not selection.paths and not no_pin
    with open_session(context, json=json) as session, session.database() as database:
        report = workflow.restore(
            database, selection, pin=pin, hold=hold, clock=session.clock, progress=session.progress
        )
        session.show(report, render_restore, form=RestoreDocument, failed=bool(report.failures))
    raise typer.Exit(1 if report.failures else 0)


def rescue(
    context: typer.Context,
    quarantine: Annotated[str, typer.Argument(metavar="FOLDER", help="The quarantine, or one run in it.")],
    below: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Bring back what was below this folder, and nothing else.")
    ] = None,
    into: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Put all files into this folder, whatever their paths were.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Bring back all files of a quarantine whose index is lost."""
    from indexer.cli.json_documents.removal import RestoreDocument
    from indexer.cli.render.removal import render_rescue_plan, render_restore
    from indexer.workflows.removal import rescue as workflow
    from indexer.workflows.removal.rescue_plan import plan_rescue

    with open_session(context, json=json) as session:
        plan = plan_rescue(quarantine, below=below, into=into)
        session.show_plan(plan, render_rescue_plan, asks=bool(plan.items) and not yes)
        if plan.items and not yes:
            session.confirm("Bring these files back?", instead="type --yes to bring these files back")
        report = workflow.execute_plan(plan, limits=session.limits, progress=session.progress)
        session.show(report, render_restore, form=RestoreDocument, failed=bool(report.failures))
    raise typer.Exit(1 if report.failures else 0)


def recover(
    context: typer.Context,
    nobody_else: Annotated[
        bool, typer.Option("--nobody-else", help="No other command is at work on these files, on any host.")
    ] = False,
    json: Json = False,
) -> None:
    """Finish or undo removals that were cut off."""
    from indexer.cli.json_documents.removal import RecoverDocument
    from indexer.cli.render.removal import render_recover
    from indexer.workflows.removal import recover as workflow

    with open_session(context, json=json) as session, session.database() as database:
        report = workflow.recover(database, nobody_else=nobody_else, clock=session.clock)
        session.show(report, render_recover, form=RecoverDocument, failed=bool(report.left_open))
    raise typer.Exit(1 if report.left_open else 0)


def purge(
    context: typer.Context,
    quarantine: Annotated[str | None, typer.Argument(metavar="FOLDER", help="Those of this quarantine only.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that lie in quarantine.")] = False,
    older_than: Annotated[
        float | None, typer.Option(min=0, max=100_000, metavar="DAYS", help="Those removed longer ago than this.")
    ] = None,
    gone: Annotated[
        bool, typer.Option("--gone", help="Delete nothing: note which files are gone with their quarantine.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which files and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Free the space of quarantined files, for good."""
    from indexer.cli.json_documents import removal as documents
    from indexer.cli.render.removal import render_purge, render_purge_plan
    from indexer.domain.plurals import counted
    from indexer.workflows.removal import purge as workflow

    selection = workflow.parse_purge(quarantine, everything=everything, older_than_days=older_than, gone=gone)
    with open_session(context, json=json) as session, session.database() as database:
        plan = workflow.plan_purge(database, selection, clock=session.clock)
        if dry_run:
            session.show(plan, render_purge_plan, form=documents.PurgePlanDocument)
            return
        if plan.files and not yes:
            session.show_plan(plan, render_purge_plan, asks=True)
            files = counted(len(plan.files), "QUARANTINED FILE", "QUARANTINED FILES")
            question = "Are they gone with their quarantine?" if gone else f"DELETE {files} FOR GOOD?"
            session.confirm(question, instead=f"type --yes {'if they are gone' if gone else 'to delete them'}")
        act = workflow.close_gone if gone else workflow.purge
        report = act(database, selection, clock=session.clock, shown=plan.removal_ids, progress=session.progress)
        session.show(report, render_purge, form=documents.PurgeDocument, failed=bool(report.skipped))
    raise typer.Exit(1 if report.skipped else 0)
