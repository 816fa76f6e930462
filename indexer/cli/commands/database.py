"""The commands `db upgrade|check|backup|adopt|copy|shrink|make-reader`."""

from typing import Annotated

import typer

from indexer.cli.commands.folders import DryRun, Yes
from indexer.cli.options import CommandGroup, Json, open_session

app = CommandGroup(no_args_is_help=True, help="The database: upgrade, check, backup, adopt, copy, shrink, make-reader.")


def db_upgrade(
    context: typer.Context,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not first copy a SQLite index to a new file beside it.")
    ] = False,
    json: Json = False,
) -> None:
    """Upgrade an older index, or make a new one; then check it.

    The exit code is 1 if something is wrong.
    """
    from indexer.cli.json_documents.admin import UpgradeDocument
    from indexer.cli.render.database import render_upgrade
    from indexer.workflows.admin import health as workflow
    from indexer.workflows.ingest.other_indexes import register_new_index

    with open_session(context, json=json) as session:
        report = workflow.upgrade(session.settings.database, make_backup=not no_backup)
        register_new_index(session.settings.database, known=session.known_indexes, clock=session.clock)
        session.show(report, render_upgrade, form=UpgradeDocument, failed=bool(report.problems))
    raise typer.Exit(1 if report.problems else 0)


def db_check(
    context: typer.Context,
    files: Annotated[
        bool, typer.Option("--files", help="Also compare every row with its file: path, size and time.")
    ] = False,
    hashes: Annotated[
        bool, typer.Option("--hashes", help="With --files: also read and compare the bytes of all files.")
    ] = False,
    json: Json = False,
) -> None:
    """Look for damage in the database; with --files, in files, too.

    It changes nothing. The exit code is 1 if something is wrong.
    """
    from indexer.cli.json_documents.admin import CheckDocument
    from indexer.cli.render.database import render_check
    from indexer.workflows.admin import health as workflow

    with open_session(context, json=json) as session, session.database() as database:
        report = workflow.check(database, files=files, hashes=hashes, progress=session.progress)
        session.show(report, render_check, form=CheckDocument, failed=not report.found_nothing)
    raise typer.Exit(0 if report.found_nothing else 1)


def db_backup(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="FILE", help="Path of the copy: a new file.")],
    json: Json = False,
) -> None:
    """Copy a SQLite index while other commands use it."""
    from indexer.cli.json_documents.admin import BackupDocument
    from indexer.cli.render.database import render_backup
    from indexer.workflows.admin import backup as workflow

    with open_session(context, json=json) as session:
        report = workflow.back_up(session.settings.database, target, progress=session.progress)
        session.show(report, render_backup, form=BackupDocument)


def db_adopt(
    context: typer.Context,
    quarantine: Annotated[str, typer.Argument(metavar="QUARANTINE", help="The folder, usually .indexer-quarantine.")],
    json: Json = False,
) -> None:
    """Add removals of a quarantine that this index does not know."""
    from indexer.cli.json_documents.removal import AdoptDocument
    from indexer.cli.render.removal import render_adopt
    from indexer.workflows.removal import adopt as workflow

    with open_session(context, json=json) as session, session.database() as database:
        report = workflow.adopt(
            database, quarantine, clock=session.clock, limits=session.limits, progress=session.progress
        )
        session.show(report, render_adopt, form=AdoptDocument, failed=bool(report.failures))
    raise typer.Exit(1 if report.failures else 0)


def db_copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The index: a URL or a path. --db is not used.")],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The copy: a new file, or the URL of an empty database.")
    ],
    json: Json = False,
) -> None:
    """Copy a whole index, for example from SQLite to PostgreSQL."""
    from indexer.cli.json_documents.admin import CopyDocument
    from indexer.cli.render.database import render_copy
    from indexer.workflows.admin import copy_index as workflow
    from indexer.workflows.ingest.other_indexes import register_new_index

    with open_session(context, json=json) as session:
        report = workflow.copy(source, target, clock=session.clock, progress=session.progress)
        register_new_index(target, known=session.known_indexes, clock=session.clock)
        session.show(report, render_copy, form=CopyDocument)


def db_shrink(
    context: typer.Context,
    removed_before: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Delete the thumbnails and previews of images that were removed before this date."
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Give free space back to the disk.

    Decisions, scores and the journal stay.
    """
    from indexer.cli.json_documents.folders import ShrinkDocument, ShrinkPlanDocument
    from indexer.cli.render.database import render_shrink, render_shrink_plan
    from indexer.workflows.admin import shrink as workflow

    date = None if removed_before is None else workflow.parse_date(removed_before)
    with open_session(context, json=json) as session, session.database() as database:
        plan = workflow.plan_shrink(database, removed_before=date, clock=session.clock)
        if dry_run:
            session.show(plan, render_shrink_plan, form=ShrinkPlanDocument)
            return
        if plan.thumbnails or plan.previews:
            session.show_plan(plan, render_shrink_plan, asks=not yes)
            if not yes:
                session.confirm("DELETE THESE PICTURES?", instead="type --yes to delete them, or --dry-run to look")
        report = workflow.shrink(database, removed_before=date, clock=session.clock)
        session.show(report, render_shrink, form=ShrinkDocument)


def db_make_reader(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The role. If it exists and may only read, it is updated.")
    ],
    json: Json = False,
) -> None:
    """Make a role of a server that may only read, for audit --sql.

    Its password is asked for, or read from stdin, or from INDEXER_READER_PASSWORD.
    """
    from indexer.cli.json_documents.admin import ReaderDocument
    from indexer.cli.render.database import render_reader
    from indexer.workflows.admin import readers as workflow

    with open_session(context, json=json) as session, session.database() as database:
        reader = workflow.make_reader(database, name, ask_password=session.read_password)
        session.show(reader, render_reader, form=ReaderDocument)


app.add(db_upgrade, name="upgrade")
app.add(db_check, name="check")
app.add(db_backup, name="backup")
app.add(db_adopt, name="adopt")
app.add(db_copy, name="copy")
app.add(db_shrink, name="shrink")
app.add(db_make_reader, name="make-reader")
