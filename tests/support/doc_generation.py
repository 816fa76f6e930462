"""What the documentation is generated from: the help of every command, and the forms of all JSON documents."""

import inspect
import textwrap
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, is_typeddict

import typer

from indexer.cli.app import app
from indexer.cli.json_documents.admin import ErrorDocument
from indexer.cli.json_documents.by_command import DOCUMENTS
from indexer.cli.json_documents.form import Time, document_keys

_PLAIN = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true or false",
    NoneType: "null",
    Time: "time",
    Any: "any value",
}


def command_names() -> Iterator[str]:
    """All commands, in the order of `--help`; a command of a group with the name of the group."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        subcommands = getattr(command, "commands", None)
        yield from [name] if subcommands is None else [f"{name} {below}" for below in subcommands]


def help_commands() -> Iterator[tuple[str, str]]:
    """The heading of each help block, and the command that prints it."""
    yield "All commands", "python manage.py --help"
    yield from ((name, f"python manage.py {name} --help") for name in command_names())


def json_page() -> str:
    """The generated part of docs/json.md: an index by command, then every document."""
    parts = ["\n| command | document |\n|---|---|\n"]
    parts += [f"| `{command}` | {_type(form)} |\n" for command, form in DOCUMENTS.items()]
    parts.append(f"| any command that is refused or fails | {_type(ErrorDocument)} |\n")
    for form in _all_forms():
        rows = [f"| `{key.name}` | {_type(key.value_type)} | {key.meaning} |\n" for key in document_keys(form)]
        parts += [f"\n### {form.__name__}\n\n{_meaning(form)}\n\n| key | type | meaning |\n|---|---|---|\n", *rows]
    return "".join([*parts, "\n"])


def _meaning(form: Any) -> str:
    return " ".join(textwrap.dedent(inspect.getdoc(form) or "").split())


def _all_forms() -> list[Any]:
    """Every document and part of one, each once, in the order in which a reader meets them."""
    forms: list[Any] = []

    def meet(form: Any) -> None:
        if is_typeddict(form) and form in forms:
            return
        if is_typeddict(form):
            forms.append(form)
        for part in [key.value_type for key in document_keys(form)] if is_typeddict(form) else get_args(form):
            if get_origin(form) is not Literal:
                meet(part)

    for form in [*DOCUMENTS.values(), ErrorDocument]:
        meet(form)
    return forms


def _type(form: Any) -> str:
    """A type in words, with links to the documents in it."""
    arguments = get_args(form)
    if is_typeddict(form):
        return f"[{form.__name__}](#{form.__name__.lower()})"
    if get_origin(form) in {Union, UnionType}:
        return " or ".join(map(_type, arguments))
    if get_origin(form) is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if get_origin(form) is list:
        return f"list of {_type(arguments[0])}"
    if get_origin(form) is tuple:
        return f"[{', '.join(map(_type, arguments))}]"
    if get_origin(form) is dict:
        return f"map from text to {_type(arguments[1])}"
    return _PLAIN[form]
