"""The commands `db upgrade|check|adopt|copy|make-reader`."""

from typing import Annotated

import typer

from indexer.cli.options import Json, enter

app = typer.Typer(no_args_is_help=True, help="The database itself: upgrade, check, adopt, copy, make-reader.")


@app.command("upgrade")
def db_upgrade(context: typer.Context, json: Json = False) -> None:
    """Bring an older index up to date, or make one."""
    from indexer.cli.render import words
    from indexer.workflows.admin import health as work
    from indexer.workflows.ingest.other_indexes import note_made

    with enter(context, json=json) as page:
        health = work.upgrade(page.settings.database)
        note_made(page.settings.database, known=page.known_indexes, clock=page.clock)
        page.show(health, words.healthy)


@app.command("check")
def db_check(context: typer.Context, json: Json = False) -> None:
    """Look for damage and orphans."""
    from indexer.cli.render import words
    from indexer.workflows.admin import health as work

    with enter(context, json=json) as page, page.database() as database:
        health = work.check(database)
        page.show(health, words.healthy)
    raise typer.Exit(1 if health.problems else 0)


@app.command("adopt")
def db_adopt(
    context: typer.Context,
    quarantine: Annotated[str, typer.Argument(metavar="QUARANTINE", help="The folder, usually .indexer-quarantine.")],
    json: Json = False,
) -> None:
    """Take in files of a quarantine that this index does not know."""
    from indexer.cli.render import words
    from indexer.workflows.removal import adopt as work

    with enter(context, json=json) as page, page.database() as database:
        report = work.adopt(database, quarantine, clock=page.clock, limits=page.limits, progress=page.progress)
        page.show(report, words.adopted)
    raise typer.Exit(1 if report.failures else 0)


@app.command("copy")
def db_copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The index, a URL or a path; --db is not looked at.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Where it goes: a new file, or an empty database.")],
    json: Json = False,
) -> None:
    """Copy a whole index, for example from SQLite to PostgreSQL."""
    from indexer.cli.render import words
    from indexer.workflows.admin import copy_index as work
    from indexer.workflows.ingest.other_indexes import note_made

    with enter(context, json=json) as page:
        report = work.copy(source, target, clock=page.clock, progress=page.progress)
        note_made(target, known=page.known_indexes, clock=page.clock)
        page.show(report, words.copied)


@app.command("make-reader")
def db_make_reader(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The role; one that only reads is brought up to date.")],
    json: Json = False,
) -> None:
    """Make a role of a server that may only read, for audit --sql.

    Its password is asked for, or read from stdin, or from INDEXER_READER_PASSWORD.
    """
    from indexer.cli.render import words
    from indexer.workflows.admin import readers as work

    with enter(context, json=json) as page, page.database() as database:
        page.show(work.make_reader(database, name, ask_password=page.ask_password), words.reader_made)
