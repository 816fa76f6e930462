"""The command line: its commands, the options before them, and the settings from both.

It loads nothing heavy until a command runs: `--help` answers in under 0.3 s (tests/cli/test_help.py).
"""

import os
from typing import Annotated

import typer

from indexer import __version__
from indexer.cli.commands import (
    audit,
    camera,
    compare,
    database,
    demo,
    folders,
    ingest,
    inspect,
    pin,
    profile,
    removal,
    report,
    tuning,
    verdict,
)
from indexer.cli.options import CommandGroup
from indexer.escaping import repeat_options
from indexer.settings import DEFAULT_DATABASE, read_settings

app = CommandGroup(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(profile.app, name="profile")
app.add_typer(camera.app, name="camera")
app.add_typer(database.app, name="db")
for _command in (
    ingest.ingest,
    compare.compare,
    removal.prune,
    removal.restore,
    removal.rescue,
    removal.recover,
    removal.purge,
    folders.relocate,
    folders.forget,
    inspect.status,
    inspect.explain,
    verdict.verdict,
    pin.pin,
    pin.unpin,
    tuning.sweep,
    tuning.evaluate,
    report.report,
    audit.audit,
    demo.demo,
):
    app.add(_command)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"indexer {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    db: Annotated[
        str | None,
        typer.Option(metavar="URL|PATH", help=f"The index. [env INDEXER_DB; default {DEFAULT_DATABASE}]"),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Index the images of fixed cameras: find those that show nothing new, remove them safely, remember why."""
    repeat_options(*(() if db is None else ("--db", db)))
    context.obj = read_settings(os.environ | ({} if db is None else {"INDEXER_DB": db}), database_typed=db is not None)
