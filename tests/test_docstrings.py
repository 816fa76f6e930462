"""The docstrings: a public function names every error that it raises itself, and the test that says so can fail."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "indexer"
NOT_YET = {"cli", "workflows", "execution"}
"""Packages whose docstrings do not name all errors yet."""
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in NOT_YET]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function, str]]:
    """The functions and methods of a module, by qualified name, with the docstring of each.

    An `__init__` is called by the name of its class, so the docstring of the class counts for it too.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            of_class = (
                ast.get_docstring(tree) or "" if isinstance(tree, ast.ClassDef) and node.name == "__init__" else ""
            )
            yield f"{prefix}{node.name}", node, of_class + (ast.get_docstring(node) or "")
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node, f"{prefix}{node.name}.")


def steps(node: ast.AST, caught: frozenset[str] = frozenset()) -> Iterator[tuple[ast.Raise | ast.Call, frozenset[str]]]:
    """Every `raise` and every call in a function, with the names of the errors that are caught around it."""
    if isinstance(node, ast.Raise | ast.Call):
        yield node, caught
    for name, value in ast.iter_fields(node):
        inside = caught | caught_by(node) if isinstance(node, ast.Try) and name == "body" else caught
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, Function | ast.Lambda | ast.ClassDef):
                yield from steps(child, inside)


def caught_by(block: ast.Try) -> frozenset[str]:
    """The names of the errors that the handlers of a `try` catch and do not raise again."""
    handlers = (
        handler
        for handler in block.handlers
        if not any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
    )
    types = (handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] for handler in handlers)
    return frozenset(name_of(node) for group in types for node in group)


def name_of(node: ast.AST | None) -> str:
    """The last part of a name such as `Error` or `errors.Error`; empty for anything else."""
    return getattr(node, "attr", None) or getattr(node, "id", "")


def raised_errors(source: str) -> dict[str, set[str]]:
    """The errors that each function of a module raises: itself, or in a private function of the module that it calls.

    An error is a class whose name ends in `Error`. A function that returns one, as in `raise refusal(...)`, counts too.
    """
    functions = {name: function for name, function, _ in functions_of(ast.parse(source))}
    raised: dict[str, set[str]] = {name: set() for name in functions}
    calls: dict[str, list[tuple[str, frozenset[str]]]] = {name: [] for name in functions}
    for name, function in functions.items():
        for statement in function.body:
            for node, caught in steps(statement):
                target = node.func if isinstance(node, ast.Call) else node.exc
                called = name_of(
                    target.func if isinstance(node, ast.Raise) and isinstance(target, ast.Call) else target
                )
                if isinstance(node, ast.Call):
                    own = (f"{name.rpartition('.')[0]}.{called}", called)
                    calls[name] += [(other, caught) for other in own if called.startswith("_") and other in functions]
                    continue
                error = name_of(functions[called].returns) if called in functions else called
                raised[name] |= {error} if error.endswith("Error") and error not in caught else set()
    before = None
    while before != (before := {name: set(errors) for name, errors in raised.items()}):
        for name, others in calls.items():
            for other, caught in others:
                raised[name] |= raised[other] - caught
    return raised


def unnamed_errors(source: str) -> list[str]:
    """The public functions of a module whose docstrings do not name an error that they raise, with these errors."""
    raised = raised_errors(source)
    return [
        f"{name}: {error}"
        for name, _, docstring in functions_of(ast.parse(source))
        if not any(part.startswith("_") and part != "__init__" for part in name.split("."))
        for error in sorted(raised[name])
        if error not in docstring
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_errors_are_named(path: Path) -> None:
    """The docstring of a public function names each error that it raises, itself or in a private function."""
    assert unnamed_errors(path.read_text()) == []


@pytest.mark.parametrize(
    ("body", "unnamed"),
    [
        ('"""Acts."""\n raise UsageError("no")', ["act: UsageError"]),
        ('"""Acts."""\n raise errors.UsageError("no")', ["act: UsageError"]),
        ('"""Acts. Raises `UsageError`."""\n raise UsageError("no")', []),
        ('"""Acts."""\n _check()', ["act: OSError"]),
        ('"""Acts."""\n with x:\n  y = [_check()]', ["act: OSError"]),
        ('"""Acts."""\n raise _refusal()', ["act: ImageError"]),
        ('"""Acts."""\n try:\n  _check()\n except OSError:\n  pass', []),
        ('"""Acts."""\n try:\n  _check()\n except OSError:\n  raise', ["act: OSError"]),
        ('"""Acts."""\n try:\n  pass\n except OSError:\n  raise UsageError("no") from None', ["act: UsageError"]),
    ],
)
def test_an_unnamed_error_is_seen(body: str, unnamed: list[str]) -> None:
    """A planted function that does not name its error is found; one that names or catches it is not."""
    helpers = "def _check():\n raise OSError(1)\ndef _refusal() -> ImageError:\n return ImageError()\n"
    assert unnamed_errors(f"{helpers}def act():\n {body}\n") == unnamed


def test_methods_are_seen() -> None:
    """A method counts, and so does a constructor, which the docstring of its class may explain."""
    source = (
        'class Act:\n "{}"\n def __init__(self):\n  self._check()\n def _check(self):\n  raise OSError(1)\n'
        ' def act(self):\n  "Acts."\n  self._check()\n'
    )
    assert unnamed_errors(source.format("An act.")) == ["Act.__init__: OSError", "Act.act: OSError"]
    assert unnamed_errors(source.format("An act. Raises `OSError`.")) == ["Act.act: OSError"]
