"""What commands share: the options `--json` and `--quiet`, some others, and their session. It loads nothing heavy."""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession

Camera = Annotated[str | None, typer.Option(metavar="NAME", help="This camera only.")]
Processes = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Number of workers. If not given: one per core.")
]
Local = Annotated[bool, typer.Option("--local", help="If no time zone is stored, show times in that of this machine.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; warnings and errors on stderr.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print warnings and errors only.")]

_QUIET = "indexer.quiet"
_functions: dict[str, Callable[..., Any]] = {}


class CommandGroup(typer.Typer):
    """Commands that all take `--quiet`: it says nothing about what a command does, so no command has to name it."""

    def add(self, function: Callable[..., Any], *, name: str | None = None) -> None:
        """Adds a command; without a name it has that of the function."""
        _functions[name or function.__name__] = function
        self.command(name)(_with_quiet(function))


def find_function(command: str) -> Callable[..., Any] | None:
    """The function of the command of that name; None if there is none."""
    return _functions.get(command)


def open_session(context: typer.Context, *, json: bool, needs_file: bool = True) -> "CommandSession":
    """The session of one command. `needs_file` is False for a command that must work whatever is wrong with the
    configuration file: a warning says so, and the file is not used.

    Raises `ConfigurationError` as `find_configuration`, and `UsageError` as `read_settings`.
    """
    from indexer.cli.session import CommandSession
    from indexer.cli.streams import print_line
    from indexer.errors import ConfigurationError

    try:
        settings = context.obj()
    except ConfigurationError as problem:
        if needs_file:
            raise
        print_line(f"indexer: {problem}; the file is not used")
        settings = context.obj(uses_file=False)
    return CommandSession(settings, as_json=json, quiet=context.meta.get(_QUIET, False))


def _with_quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the option `--quiet`, which its session finds in the context."""

    @functools.wraps(function)
    def command(*, context: typer.Context, quiet: bool, **values: Any) -> Any:
        context.meta[_QUIET] = quiet
        return function(context=context, **values)

    signature = inspect.signature(function)
    option = inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet)
    command.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    command.__annotations__ = function.__annotations__ | {"quiet": Quiet}
    return command
