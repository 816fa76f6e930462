"""What was wrong with the words of a command line, in our own sentences: those of the library change with its version.

The library's exceptions are told apart by their names, as Typer has them from click or brings them itself. What is not
known here keeps the library's sentence. It loads nothing heavy.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from indexer.escaping import command_line

_BEFORE_THE_COMMAND = {"--db": ["--db", "PATH"], "--config": ["--config", "FILE"]}
_KINDS = {int: "a whole number", float: "a number"}


def describe_usage_error(problem: Any, arguments: Sequence[str], *, find_function: Callable[[str], Any]) -> str:
    """What was wrong and what to type next. `find_function`: the function of the command of that name, or None."""
    message = problem.format_message()
    context = getattr(problem, "ctx", None)
    sentence = _describe(problem, message, context, arguments, find_function)
    if context is None:
        return sentence
    return f"{sentence}; see: {command_line(*_command_words(context), '--help')}"


def _command_words(context: Any) -> list[str]:
    """The words of a command after the name of the program, which may have spaces."""
    words = list[str]()
    while context.parent is not None:
        words.insert(0, str(context.info_name))
        context = context.parent
    return words


def _describe(
    problem: Any, message: str, context: Any, arguments: Sequence[str], find_function: Callable[[str], Any]
) -> str:
    command = getattr(context, "command", None)
    match type(problem).__name__:
        case "NoSuchOption" if problem.option_name in _BEFORE_THE_COMMAND:
            words = [*_BEFORE_THE_COMMAND[problem.option_name], *_command_words(context)]
            return f"{problem.option_name} stands before the command, as in: {command_line(*words)}"
        case "NoSuchOption":
            known = [option for parameter in getattr(command, "params", ()) for option in parameter.opts]
            return f"there is no option {problem.option_name!r}{_suggestion(problem.option_name, known)}"
        case "BadOptionUsage" if "take" in message:
            return f"{problem.option_name} takes no value"
        case "BadOptionUsage":
            return f"{problem.option_name} needs a value"
        case "MissingParameter" if (name := _name_of(getattr(problem, "param", None))) is not None:
            return f"{name} is missing"
        case "BadParameter" if (name := _name_of(getattr(problem, "param", None))) is not None:
            expected = _expectation(find_function(str(context.info_name)), problem.param.name)
            if expected is not None:
                return f"{name} is {_value_of(problem.param, arguments)}; give {expected}"
    return _describe_words(message, known=getattr(command, "commands", ()))


def _describe_words(message: str, *, known: Iterable[str]) -> str:
    """The same of words that are no options, from the library's sentence; `known` are the commands that there are."""
    if match := re.match(r"No such command '(.*?)'\.", message, flags=re.DOTALL):
        return f"there is no command {match[1]!r}{_suggestion(match[1], known)}"
    if match := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message, flags=re.DOTALL):
        return f"that is more than the command takes: {match[1]!r}"
    return message.rstrip(".")


def _suggestion(word: str, known: Iterable[str]) -> str:
    bare = {one.lstrip("-"): one for one in known}  # the dashes, which all options have, say nothing
    similar = get_close_matches(word.lstrip("-"), bare, n=1, cutoff=0.7)
    return f" (is it {bare[similar[0]]}?)" if similar else ""


def _name_of(parameter: Any) -> str | None:
    """An option as it is typed; an argument as the help calls it."""
    options = [option for option in getattr(parameter, "opts", ()) if option.startswith("-")]
    name = options[0] if options else getattr(parameter, "metavar", None)
    return None if name is None else str(name)


def _value_of(parameter: Any, arguments: Sequence[str]) -> str:
    """The value that was typed for an option."""
    for option in parameter.opts:
        for number, word in enumerate(arguments):
            if word == option and number + 1 < len(arguments):
                return repr(arguments[number + 1])
            if word.startswith(f"{option}="):
                return repr(word.removeprefix(f"{option}="))
    return "no such value"


def _expectation(function: Any, name: str) -> str | None:
    """What values the option of that name takes, from its declaration; None if it is no number."""
    parameter = None if function is None else inspect.signature(function).parameters.get(name)
    if parameter is None or get_origin(parameter.annotation) is not Annotated:
        return None
    declared, option = get_args(parameter.annotation)[:2]
    kind = next((kind for kind in _KINDS if kind is declared or kind in get_args(declared)), None)
    if kind is None:
        return None
    least, most = getattr(option, "min", None), getattr(option, "max", None)
    bounds = "" if least is None else f" from {least:g} up" if most is None else f" from {least:g} to {most:g}"
    return f"{_KINDS[kind]}{bounds}"
