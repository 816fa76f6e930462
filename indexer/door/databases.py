"""The commands `db upgrade|check`."""

import typer

from indexer.door.options import Json, enter

app = typer.Typer(no_args_is_help=True, help="The database itself: upgrade, check.")


@app.command("upgrade")
def db_upgrade(context: typer.Context, json: Json = False) -> None:
    """Bring an older index up to date, or make one."""
    from indexer.door import words
    from indexer.workflows import health as work

    with enter(context, json=json) as page:
        page.show(work.upgrade(page.settings.database), words.healthy)


@app.command("check")
def db_check(context: typer.Context, json: Json = False) -> None:
    """Look for damage and orphans."""
    from indexer.door import words
    from indexer.workflows import health as work

    with enter(context, json=json) as page, page.database() as database:
        health = work.check(database)
        page.show(health, words.healthy)
    raise typer.Exit(1 if health.problems else 0)
