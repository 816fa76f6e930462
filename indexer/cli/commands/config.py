"""The commands `config show|completion`."""

from typing import Annotated

import typer

from indexer.cli.options import CommandGroup, Json, open_session

app = CommandGroup(no_args_is_help=True, help="Settings in use, and Tab completion: show, completion.")


def config_show(context: typer.Context, json: Json = False) -> None:
    """Show which settings are used, and where each comes from.

    The command line counts first, then the environment, then indexer.toml. Passwords are not shown.
    """
    from indexer.cli.effective_settings import list_settings
    from indexer.cli.json_documents.configuration import ConfigurationDocument
    from indexer.cli.render.configuration import render_settings

    with open_session(context, json=json) as session:
        session.show(list_settings(session.settings), render_settings, form=ConfigurationDocument)


def config_completion(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    json: Json = False,
) -> None:
    """Print the script for Tab completion in a shell.

    It completes commands and options of an installed `indexer`.
    """
    from indexer.cli.json_documents.completion import CompletionDocument
    from indexer.cli.shell_completion import make_completion, render_completion

    with open_session(context, json=json, needs_file=False) as session:
        session.show(make_completion(shell), render_completion, form=CompletionDocument)


app.add(config_show, name="show")
app.add(config_completion, name="completion")
