"""What commands share: the option `--json`, some other options, and their session. It loads nothing heavy."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession

Camera = Annotated[str | None, typer.Option(metavar="NAME", help="This camera only.")]
Processes = Annotated[int | None, typer.Option(min=1, metavar="N", help="Workers; as many as cores if not given.")]
Local = Annotated[bool, typer.Option("--local", help="Show times of this machine's zone where none is stored.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; words for people on stderr.")]


def open_session(context: typer.Context, *, json: bool) -> "CommandSession":
    """The session of one command."""
    from indexer.cli.session import CommandSession

    return CommandSession(context.obj, as_json=json)
