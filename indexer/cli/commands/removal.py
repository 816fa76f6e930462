"""The commands `prune`, `restore`, `rescue`, `recover` and `purge`: they remove files and bring them back."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import Camera, Json, open_session

if TYPE_CHECKING:
    from indexer.cli.render.removal import TypedPrune
    from indexer.cli.session import CommandSession
    from indexer.domain.removal import Plan
    from indexer.workflows.removal.purge import PurgePlan
    from indexer.workflows.removal.restore import RestorePlan

MaxShare = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, metavar="SHARE", help="Hold a camera back if a larger share would be removed. [default: 0.99]"
    ),
]

Permanent = Annotated[
    bool, typer.Option("--permanent", help="Delete the files at once, do not move them to quarantine.")
]
IncludeRestored = Annotated[
    bool, typer.Option("--include-restored", help="Also remove files that are held back because they came back.")
]
RestoredRun = Annotated[
    int | None, typer.Option(min=1, max=10**18, metavar="ID", help="The files that this run removed.")
]
RestoreDryRun = Annotated[bool, typer.Option("--dry-run", help="Show which files would come back. Move nothing.")]
WouldKeep = Annotated[bool, typer.Option("--would-keep", help="The files that the profile in force would have kept.")]
OlderThan = Annotated[
    float | None,
    typer.Option(min=0, max=100_000, metavar="DAYS", help="Only files that were removed more than DAYS days ago."),
]
PurgedRun = Annotated[
    int | None, typer.Option(min=1, max=10**18, metavar="ID", help="Only files that this run removed.")
]
PurgedQuarantine = Annotated[str | None, typer.Argument(metavar="FOLDER", help="Only the files of this quarantine.")]
PurgeDryRun = Annotated[bool, typer.Option("--dry-run", help="Show which files would be deleted. Delete nothing.")]
Gone = Annotated[
    bool, typer.Option("--gone", help="Delete nothing. Record which files are gone with their quarantine or record.")
]


def prune(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan. Remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    permanent: Permanent = False,
    camera: Camera = None,
    quarantine: Annotated[str | None, typer.Option(metavar="FOLDER", help="Folder for removed files.")] = None,
    max_share: MaxShare = None,
    include_restored: IncludeRestored = False,
    json: Json = False,
) -> None:
    """Show the plan, ask, then move duplicates to quarantine."""
    from indexer.cli.json_documents import removal as documents
    from indexer.cli.render import removal as render
    from indexer.cli.render.notes import describe_undecided
    from indexer.workflows.removal import prune as workflow
    from indexer.workflows.removal.remove_file import RemovalOptions

    typed = render.TypedPrune(camera, max_share, include_restored, permanent, quarantine)
    with open_session(context, json=json) as session, session.database() as database:
        options = RemovalOptions(permanent, quarantine, max_share, session.limits, include_restored)
        workflow.require_usable_options(options, database=database)
        plan = workflow.plan(database, camera=camera, max_share=max_share, include_restored=include_restored)
        if dry_run:
            raise _show_prune_plan(session, workflow.look_for_files(database, plan, options=options), typed)
        session.show_plan(plan, partial(render.render_plan, typed=typed), asks=bool(plan.victims) and not yes)
        act = "DELETE THESE FILES FOR GOOD" if permanent else "Move these files to quarantine"
        if plan.victims and not yes:
            session.confirm(f"{act}?", instead="type --yes to act, or --dry-run to look")
        report = workflow.prune(
            database, plan, options=options, camera=camera, clock=session.clock, progress=session.progress
        )
        session.show(
            report,
            partial(render.render_prune, shown=plan, typed=typed) if plan.victims else render.render_nothing,
            form=documents.PruneDocument,
            failed=report.has_failed,
            render_failure=partial(render.render_prune_failures, typed=typed),
        )
        if json and report.undecided:
            session.warn(describe_undecided(report.undecided))
    raise typer.Exit(1 if report.has_failed else 0)


def restore(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Where the files were. Also a folder, a file name, or a glob."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All files in quarantine.")] = False,
    run: RestoredRun = None,
    would_keep: WouldKeep = False,
    no_pin: Annotated[
        bool, typer.Option("--no-pin", help="Set no pins: a later prune may remove the files again.")
    ] = False,
    dry_run: RestoreDryRun = False,
    json: Json = False,
) -> None:
    """Bring quarantined files back to where they were.

    Files that you name are pinned, and so are their keepers. Files that come back by --all, --run or --would-keep
    are held back: only prune --include-restored removes them again.
    """
    from indexer.cli.json_documents.removal import RestoreDocument
    from indexer.cli.render.removal import render_restore, render_restore_failures
    from indexer.workflows.removal import restore as workflow

    selection = workflow.parse_selection(paths or (), everything=everything, run_id=run, would_keep=would_keep)
    pin, hold = bool(selection.paths) and not no_pin, not selection.paths and not no_pin
    with open_session(context, json=json) as session, session.database() as database:
        if dry_run:
            raise _show_restore_plan(session, workflow.plan_restore(database, selection))
        report = workflow.restore(
            database, selection, pin=pin, hold=hold, clock=session.clock, progress=session.progress
        )
        session.show(
            report,
            render_restore,
            form=RestoreDocument,
            failed=bool(report.failures),
            render_failure=render_restore_failures,
        )
    raise typer.Exit(1 if report.failures else 0)


def rescue(
    context: typer.Context,
    quarantine: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The quarantine, or the folder of one run in it.")
    ],
    below: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Only bring back files that were below this folder.")
    ] = None,
    into: Annotated[str | None, typer.Option(metavar="FOLDER", help="Put all files into this folder.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Bring back all files of a quarantine whose index is lost."""
    from indexer.cli.json_documents.removal import RestoreDocument
    from indexer.cli.render.removal import render_rescue_plan, render_restore, render_restore_failures
    from indexer.workflows.removal import rescue as workflow
    from indexer.workflows.removal.rescue_plan import plan_rescue

    with open_session(context, json=json, needs_file=False) as session:
        plan = plan_rescue(quarantine, below=below, into=into)
        session.show_plan(plan, render_rescue_plan, asks=bool(plan.items) and not yes)
        if plan.items and not yes:
            session.confirm("Bring these files back?", instead="type --yes to bring these files back")
        report = workflow.execute_plan(plan, limits=session.limits, progress=session.progress)
        session.show(
            report,
            render_restore,
            form=RestoreDocument,
            failed=bool(report.failures),
            render_failure=render_restore_failures,
        )
    raise typer.Exit(1 if report.failures else 0)


def recover(
    context: typer.Context,
    nobody_else: Annotated[
        bool, typer.Option("--nobody-else", help="You know that no other command uses these files, on any host.")
    ] = False,
    json: Json = False,
) -> None:
    """Finish or undo removals that were cut off."""
    from indexer.cli.json_documents.removal import RecoverDocument
    from indexer.cli.render.removal import render_recover, render_recover_failures
    from indexer.workflows.removal import recover as workflow

    with open_session(context, json=json) as session, session.database() as database:
        report = workflow.recover(database, nobody_else=nobody_else, clock=session.clock)
        session.show(
            report,
            render_recover,
            form=RecoverDocument,
            failed=bool(report.left_open),
            render_failure=render_recover_failures,
        )
    raise typer.Exit(1 if report.left_open else 0)


def purge(
    context: typer.Context,
    quarantine: PurgedQuarantine = None,
    everything: Annotated[bool, typer.Option("--all", help="All files in quarantine.")] = False,
    older_than: OlderThan = None,
    camera: Camera = None,
    run: PurgedRun = None,
    gone: Gone = False,
    dry_run: PurgeDryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete files in quarantine for good."""
    from indexer.cli.json_documents import removal as documents
    from indexer.cli.render.removal import render_purge, render_purge_failures, render_purge_plan
    from indexer.domain.plurals import counted
    from indexer.workflows.removal import purge as workflow

    selection = workflow.parse_purge(
        quarantine, everything=everything, older_than_days=older_than, gone=gone, camera=camera, run_id=run
    )
    with open_session(context, json=json) as session, session.database() as database:
        plan = workflow.plan_purge(database, selection, clock=session.clock)
        if dry_run:
            raise _show_purge_plan(session, plan)
        if plan.files and not yes:
            session.show_plan(plan, render_purge_plan, asks=True)
            files = counted(len(plan.files), "QUARANTINED FILE", "QUARANTINED FILES")
            question = "Are they gone for good?" if gone else f"DELETE {files} FOR GOOD?"
            session.confirm(question, instead=f"type --yes {'if they are gone' if gone else 'to delete them'}")
        act = workflow.close_gone if gone else workflow.purge
        report = act(database, selection, clock=session.clock, shown=plan, progress=session.progress)
        session.show(
            report,
            render_purge,
            form=documents.PurgeDocument,
            failed=bool(report.skipped),
            render_failure=render_purge_failures,
        )
    raise typer.Exit(1 if report.skipped else 0)


def _show_prune_plan(session: "CommandSession", plan: "Plan", typed: "TypedPrune") -> typer.Exit:
    """Shows a plan. Returns how the command ends: with 1 if a camera would be held back, or a file cannot go."""
    from indexer.cli.json_documents.removal import PlanDocument
    from indexer.cli.render.removal import render_dry_run, render_plan_failures

    session.show(
        plan,
        partial(render_dry_run, typed=typed),
        form=PlanDocument,
        failed=plan.has_failed,
        render_failure=partial(render_plan_failures, typed=typed),
    )
    return typer.Exit(1 if plan.has_failed else 0)


def _show_restore_plan(session: "CommandSession", plan: "RestorePlan") -> typer.Exit:
    """Shows a plan. Returns how the command ends: with 1 if a file cannot come back."""
    from indexer.cli.json_documents.removal import RestorePlanDocument
    from indexer.cli.render.removal import render_restore_failures, render_restore_plan

    session.show(
        plan,
        render_restore_plan,
        form=RestorePlanDocument,
        failed=bool(plan.failures),
        render_failure=render_restore_failures,
    )
    return typer.Exit(1 if plan.failures else 0)


def _show_purge_plan(session: "CommandSession", plan: "PurgePlan") -> typer.Exit:
    """Shows a plan. Returns how the command ends: with 1 if a file would stay in quarantine."""
    from indexer.cli.json_documents.removal import PurgePlanDocument
    from indexer.cli.render.removal import list_obstacles, render_purge_dry_run

    session.show(
        plan, render_purge_dry_run, form=PurgePlanDocument, failed=bool(plan.skipped), render_failure=list_obstacles
    )
    return typer.Exit(1 if plan.skipped else 0)
