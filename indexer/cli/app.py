"""The command line: its commands, the options before them, and the settings from both.

It loads nothing heavy until a command runs: `--help` answers in under 0.3 s (tests/cli/test_help.py).
"""

import os
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import typer

from indexer import __version__
from indexer.cli.commands import (
    advise,
    audit,
    camera,
    compare,
    config,
    database,
    demo,
    export,
    folders,
    ingest,
    inspect,
    pin,
    profile,
    record,
    removal,
    report,
    review,
    run,
    tuning,
    verdict,
    watch,
)
from indexer.cli.options import CommandGroup
from indexer.configuration.file import find_configuration
from indexer.escaping import repeat_options
from indexer.settings import DEFAULT_DATABASE, Settings, read_settings

app = CommandGroup(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(profile.app, name="profile")
app.add_typer(camera.app, name="camera")
app.add_typer(database.app, name="db")
app.add_typer(config.app, name="config")
for _command in (
    ingest.ingest,
    watch.watch,
    record.record,
    compare.compare,
    run.run,
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
    review.review,
    advise.advise,
    audit.audit,
    export.export,
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
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|off", help="The configuration. [env INDEXER_CONFIG; default indexer.toml here or above]"
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Index the images of fixed cameras: find those that show nothing new, remove them safely, remember why."""
    typed = {"INDEXER_DB": db, "INDEXER_CONFIG": config}
    options = {"--db": db, "--config": config}
    repeat_options(*(word for option, value in options.items() if value is not None for word in (option, value)))
    environment = os.environ | {name: value for name, value in typed.items() if value is not None}
    context.obj = partial(_read_settings, environment, database_typed=db is not None, config_typed=config is not None)


def _read_settings(
    environment: Mapping[str, str], *, database_typed: bool, config_typed: bool, uses_file: bool = True
) -> Settings:
    """The settings of a command. It calls this when it begins, so that a wrong file keeps nobody from `--help`."""
    configuration = find_configuration(environment, is_typed=config_typed) if uses_file else None
    return read_settings(environment, database_typed=database_typed, configuration=configuration)
