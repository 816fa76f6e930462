"""How a document is written down, and how it is built from a report.

A document is a `TypedDict`. Each key has a type and, in `Annotated`, its meaning in one sentence. `From` names the
attribute of the report that the value comes from, where its name is not the name of the key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints, is_typeddict

from indexer.cli.json_output import to_json

Time = NewType("Time", str)
"""A time as text in ISO 8601, in UTC."""


@dataclass(frozen=True)
class From:
    """The attribute of the report that a key's value comes from."""

    attribute: str


@dataclass(frozen=True)
class DocumentKey:
    """One key of a document: its type, its meaning, and the attribute that its value comes from."""

    name: str
    value_type: Any
    meaning: str
    attribute: str


def to_document(value: Any, form: Any) -> Any:
    """A report as a value that JSON can hold, in the form of a document.

    `form`: a `TypedDict`, or a list, dict, tuple or union of forms. Raises `AttributeError` if the report lacks an
    attribute that the form names, and `TypeError` if no form of a union fits.
    """
    if is_typeddict(form):
        return {key.name: to_document(getattr(value, key.attribute), key.value_type) for key in document_keys(form)}
    arguments = get_args(form)
    match get_origin(form):
        case origin if origin is list:
            return [to_document(item, arguments[0]) for item in value]
        case origin if origin is dict:
            return {str(name): to_document(item, arguments[1]) for name, item in value.items()}
        case origin if origin in {Union, UnionType}:
            return None if value is None else to_document(value, _fitting_form(value, arguments))
        case _:
            return to_json(value)


@lru_cache
def document_keys(form: Any) -> tuple[DocumentKey, ...]:
    """The keys of a document, in order.

    Raises `TypeError` if a key has no meaning.
    """
    return tuple(_iter_keys(form))


def _iter_keys(form: Any) -> Iterator[DocumentKey]:
    for name, hint in get_type_hints(form, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            raise TypeError(f"the key {name} of {form.__name__} has no meaning")
        value_type, meaning, *sources = get_args(hint)
        yield DocumentKey(name, value_type, meaning, sources[0].attribute if sources else name)


def _fitting_form(value: Any, forms: tuple[Any, ...]) -> Any:
    """The first form that fits the value: a document whose attributes it has, or a form of another kind."""
    for form in forms:
        if form is NoneType:
            continue
        if not is_typeddict(form) or all(hasattr(value, key.attribute) for key in document_keys(form)):
            return form
    raise TypeError(f"no form fits a value of type {type(value).__name__}")
