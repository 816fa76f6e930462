"""What commands share: the option `--json`, a few others, and the page they work on. It loads nothing heavy itself."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from indexer.cli.session import Page

Camera = Annotated[str | None, typer.Option(metavar="NAME", help="This camera only.")]
Processes = Annotated[int | None, typer.Option(min=1, metavar="N", help="Workers; as many as cores if not given.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; words for people on stderr.")]


def enter(context: typer.Context, *, json: bool) -> "Page":
    """The page of a command: what it works with and writes on."""
    from indexer.cli.session import Page

    return Page(context.obj, as_json=json)
