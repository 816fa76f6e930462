"""The commands `db upgrade|check|adopt|copy|shrink|make-reader`."""

from typing import Annotated

import typer

from indexer.cli.options import CommandGroup, Json, open_session

app = CommandGroup(no_args_is_help=True, help="The database: upgrade, check, adopt, copy, shrink, make-reader.")


def db_upgrade(context: typer.Context, json: Json = False) -> None:
    """Bring an older index up to date, or make one."""
    from indexer.cli.json_documents.admin import HealthDocument
    from indexer.cli.render.database import render_health
    from indexer.workflows.admin import health as workflow
    from indexer.workflows.ingest.other_indexes import register_new_index

    with open_session(context, json=json) as session:
        health = workflow.upgrade(session.settings.database)
        register_new_index(session.settings.database, known=session.known_indexes, clock=session.clock)
        session.show(health, render_health, form=HealthDocument)


def db_check(context: typer.Context, json: Json = False) -> None:
    """Look for damage and orphans."""
    from indexer.cli.json_documents.admin import HealthDocument
    from indexer.cli.render.database import render_health
    from indexer.workflows.admin import health as workflow

    with open_session(context, json=json) as session, session.database() as database:
        health = workflow.check(database)
        session.show(health, render_health, form=HealthDocument, failed=bool(health.problems))
    raise typer.Exit(1 if health.problems else 0)


def db_adopt(
    context: typer.Context,
    quarantine: Annotated[str, typer.Argument(metavar="QUARANTINE", help="The folder, usually .indexer-quarantine.")],
    json: Json = False,
) -> None:
    """Take in files of a quarantine that this index does not know."""
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
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The index, a URL or a path; --db is not looked at.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Where it goes: a new file, or an empty database.")],
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
        typer.Option(metavar="DATE", help="Delete the thumbnails and previews of what was removed before."),
    ] = None,
    json: Json = False,
) -> None:
    """Give free space back to the disk.

    Decisions, scores and the journal stay.
    """
    from indexer.cli.json_documents.folders import ShrinkDocument
    from indexer.cli.render.database import render_shrink
    from indexer.workflows.admin import shrink as workflow

    date = None if removed_before is None else workflow.parse_date(removed_before)
    with open_session(context, json=json) as session, session.database() as database:
        report = workflow.shrink(database, removed_before=date, clock=session.clock)
        session.show(report, render_shrink, form=ShrinkDocument)


def db_make_reader(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The role; one that only reads is brought up to date.")],
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
app.add(db_adopt, name="adopt")
app.add(db_copy, name="copy")
app.add(db_shrink, name="shrink")
app.add(db_make_reader, name="make-reader")
