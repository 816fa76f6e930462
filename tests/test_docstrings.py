"""The docstrings: a public function names every error that it raises itself, and the test that says so can fail."""

import ast
import builtins
import gc
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "indexer"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    """Collects no garbage: a collection while Python 3.11 makes a tree of a source can end in a SystemError."""
    gc.disable()
    yield
    gc.enable()


def name_of(node: ast.AST | None) -> str:
    """The last part of a name such as `Error` or `errors.Error`; empty for anything else."""
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))


@cache
def bases() -> dict[str, list[str]]:
    """The names of the direct bases of every class of the program."""
    return {
        node.name: [name_of(base) for base in node.bases]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }


def family(error: str) -> set[str]:
    """The names of an error and of all errors that it is a kind of: what a handler or a docstring may name."""
    python_bases = (base.__name__ for base in getattr(getattr(builtins, error, None), "__mro__", ()))
    names = {error, *python_bases, *(name for base in bases().get(error, []) for name in family(base))}
    return names - {"object"}


def accepted_names(error: str) -> set[str]:
    """The names that a docstring may use for an error: its own and those of more general errors.

    `Exception` says nothing. `IndexerError` is the most general error of the program: for it the name of a kind is
    accepted, as a function that translates errors returns several kinds.
    """
    kinds = {name for name in bases() if "IndexerError" in family(name)} if error == "IndexerError" else set()
    return kinds | family(error) - {"Exception", "BaseException"}


def functions_of(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function, str]]:
    """The functions and methods of a module, by qualified name, each with its docstring.

    The docstring of a class counts for its methods too: it may say what all of them raise.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            of_class = (ast.get_docstring(tree) or "") if isinstance(tree, ast.ClassDef) else ""
            yield f"{prefix}{node.name}", node, of_class + (ast.get_docstring(node) or "")
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node, f"{prefix}{node.name}.")


def caught_by(block: ast.AST, managers: Mapping[str, frozenset[str]] = MappingProxyType({})) -> frozenset[str]:
    """The names of the errors that a `try` catches and does not raise again, or that a `with` catches.

    A `with` catches what its `suppress(...)` names, and what a context manager of the module catches around `yield`.
    """
    if isinstance(block, ast.With):
        calls = [item.context_expr for item in block.items if isinstance(item.context_expr, ast.Call)]
        suppressed = {name_of(node) for call in calls if name_of(call.func) == "suppress" for node in call.args}
        return frozenset(suppressed).union(*(managers.get(name_of(call.func), ()) for call in calls))
    handlers = (
        handler
        for handler in getattr(block, "handlers", [])
        if not any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
    )
    types = (handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] for handler in handlers)
    return frozenset(name_of(node) for group in types for node in group)


def caught_by_managers(functions: Iterable[Function]) -> dict[str, frozenset[str]]:
    """The names of the errors that each context manager of a module catches in the block of its `with`."""
    return {
        function.name: frozenset(name for block in blocks_around_yield(function) for name in caught_by(block))
        for function in functions
        if any(name_of(decorator) == "contextmanager" for decorator in function.decorator_list)
    }


def blocks_around_yield(function: Function) -> list[ast.Try]:
    """The `try` statements of a function whose body has a `yield`."""
    tries = (node for node in ast.walk(function) if isinstance(node, ast.Try))
    return [
        block for block in tries if any(isinstance(node, ast.Yield) for part in block.body for node in ast.walk(part))
    ]


def steps(
    node: ast.AST, managers: Mapping[str, frozenset[str]], caught: frozenset[str] = frozenset()
) -> Iterator[tuple[ast.Raise | ast.Call, frozenset[str]]]:
    """Every `raise` and every call in a function, with the names of the errors that are caught around it."""
    if isinstance(node, ast.Raise | ast.Call):
        yield node, caught
    for name, value in ast.iter_fields(node):
        guards = isinstance(node, ast.With) or (isinstance(node, ast.Try) and name == "body")
        inside = caught | caught_by(node, managers) if guards else caught
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, Function | ast.Lambda | ast.ClassDef):
                yield from steps(child, managers, inside)


def raised_errors(source: str) -> dict[str, set[str]]:
    """The errors that each function of a module raises: itself, or in a private function of the module that it calls.

    An error is a class whose name ends in `Error`. A function that returns one, as in `raise refusal(...)`, counts too.
    """
    functions = {name: function for name, function, _ in functions_of(ast.parse(source))}
    managers = caught_by_managers(functions.values())
    raised: dict[str, set[str]] = {name: set() for name in functions}
    calls: list[tuple[str, str, frozenset[str]]] = []
    for name, function in functions.items():
        for node, caught in (step for statement in function.body for step in steps(statement, managers)):
            target = node.func if isinstance(node, ast.Call) else node.exc
            called = name_of(target.func if isinstance(target, ast.Call) else target)
            own = [other for other in (f"{name.rpartition('.')[0]}.{called}", called) if other in functions]
            if isinstance(node, ast.Call):
                calls += [(name, other, caught) for other in own if called.startswith("_")]
                continue
            error = name_of(functions[own[0]].returns) if own else called
            raised[name] |= {error} if error.endswith("Error") and not family(error) & caught else set()
    before = None
    while before != (before := {name: set(errors) for name, errors in raised.items()}):
        for name, other, caught in calls:
            raised[name] |= {error for error in raised[other] if not family(error) & caught}
    return raised


def is_command(function: Function) -> bool:
    """Whether a function is a command of the tool: its docstring is its help, and its errors become exit codes."""
    return any(name_of(argument.annotation) == "Context" for argument in function.args.args)


def unnamed_errors(source: str) -> list[str]:
    """The public functions of a module whose docstrings do not name an error that they raise, with these errors."""
    raised = raised_errors(source)
    return [
        f"{name}: {error}"
        for name, function, docstring in functions_of(ast.parse(source))
        if not is_command(function) and not any(part.startswith("_") and part != "__init__" for part in name.split("."))
        for error in sorted(raised[name])
        if not any(known in docstring for known in accepted_names(error))
    ]


def test_errors_are_named() -> None:
    """The docstring of a public function names each error that it raises, itself or in a private function."""
    sources = sorted(PACKAGE.rglob("*.py"))
    unnamed = {str(path.relative_to(PACKAGE)): unnamed_errors(path.read_text()) for path in sources}
    assert {name: found for name, found in unnamed.items() if found} == {}
    assert len(unnamed) > 300


@pytest.mark.parametrize(
    ("body", "unnamed"),
    [
        ('"""Acts."""\n raise UsageError("no")', ["act: UsageError"]),
        ('"""Acts."""\n raise errors.UsageError("no")', ["act: UsageError"]),
        ('"""Acts. Raises `UsageError`."""\n raise UsageError("no")', []),
        ('"""Acts. Raises `IndexerError`."""\n raise UsageError("no")', []),
        ('"""Acts. Raises an `Exception`."""\n raise UsageError("no")', ["act: UsageError"]),
        ('"""Acts."""\n _check()', ["act: PermissionError"]),
        ('"""Acts."""\n with x:\n  y = [_check()]', ["act: PermissionError"]),
        ('"""Acts."""\n raise _refusal()', ["act: ImageError"]),
        ('"""Acts."""\n try:\n  _check()\n except OSError:\n  pass', []),
        ('"""Acts."""\n with suppress(OSError):\n  _check()', []),
        ('"""Acts."""\n with suppress(OSError), _check():\n  pass', []),
        ('"""Acts."""\n with suppress(ValueError):\n  _check()', ["act: PermissionError"]),
        ('"""Acts."""\n with _translated():\n  _check()', []),
        ('"""Acts."""\n with _counted():\n  _check()', ["act: PermissionError"]),
        ('"""Acts."""\n try:\n  _check()\n except OSError:\n  raise', ["act: PermissionError"]),
        ('"""Acts."""\n try:\n  pass\n except OSError:\n  raise UsageError("no") from None', ["act: UsageError"]),
    ],
)
def test_an_unnamed_error_is_seen(body: str, unnamed: list[str]) -> None:
    """A planted function that does not name its error is found; one that names or catches it is not."""
    helpers = (
        "def _check():\n raise PermissionError(1)\ndef _refusal() -> ImageError:\n return ImageError()\n"
        "@contextmanager\ndef _translated():\n try:\n  yield\n except OSError:\n  pass\n"
        "@contextmanager\ndef _counted():\n try:\n  pass\n except OSError:\n  pass\n yield\n"
    )
    assert unnamed_errors(f"{helpers}def act():\n {body}\n") == unnamed


def test_commands_are_not_asked() -> None:
    """The docstring of a command is its help, for people: it names no errors."""
    command = 'def act(context: typer.Context):\n """Act."""\n raise UsageError("no")\n'
    assert unnamed_errors(command) == []
    assert unnamed_errors(command.replace("typer.Context", "str")) == ["act: UsageError"]


def test_methods_are_seen() -> None:
    """A method counts, and so does a constructor; the docstring of the class may name what they raise."""
    source = (
        'class Act:\n "{}"\n def __init__(self):\n  self._check()\n def _check(self):\n  raise OSError(1)\n'
        ' def act(self):\n  "Acts."\n  self._check()\n'
    )
    assert unnamed_errors(source.format("An act.")) == ["Act.__init__: OSError", "Act.act: OSError"]
    assert unnamed_errors(source.format("An act. All of it raises `OSError`.")) == []
