"""What every command has: the option `--json`, and the page it works on. It loads nothing heavy by itself."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from indexer.door.page import Page

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; words for people on stderr.")]


def enter(context: typer.Context, *, json: bool) -> "Page":
    """The page of a command: what it works with and writes on."""
    from indexer.door.page import Page

    return Page(context.obj, as_json=json)
