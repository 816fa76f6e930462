"""Completion of commands and options in a shell: Typer's own, for the command `indexer`.

The script that `config completion` prints starts the program again for each Tab, with the words of the line in the
environment. It loads nothing heavy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from indexer.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

PROGRAM = "indexer"
VARIABLE = "_INDEXER_COMPLETE"
"""The variable of the environment in which the script says what the shell asks for."""
_SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class Completion:
    """The script of a shell."""

    shell: str
    script: str


def make_completion(shell: str) -> Completion:
    """The script of a shell; raises `UsageError` if there is none for it."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    if shell not in _SHELLS:
        raise UsageError(f"there is no completion for {shell!r}; give {', '.join(_SHELLS[:-1])} or {_SHELLS[-1]}")
    return Completion(shell, get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell))


def render_completion(console: "Console", completion: Completion) -> None:
    """Prints the script, unchanged: on a terminal, too, no line of it is broken."""
    console.out(completion.script, highlight=False)


def answer_shell(app: typer.Typer, environment: Mapping[str, str]) -> bool:
    """Prints what a shell asks for, if this process was started by the script; returns whether it was."""
    instruction = environment.get(VARIABLE)
    if not instruction:
        return False
    from typer.completion import completion_init, shell_complete  # type: ignore[attr-defined]

    completion_init()
    command: Any = typer.main.get_command(app)
    shell_complete(command, {}, PROGRAM, VARIABLE, instruction)
    return True
