"""Compares JSON values, and the classes of reports, with the forms of documents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from indexer.cli.json_documents.form import Time, document_keys

_PLAIN = {int: (int,), float: (int, float), str: (str,), bool: (bool,), NoneType: (NoneType,)}


def value_problems(value: Any, form: Any, *, at: str = "$") -> Iterator[str]:
    """Yields where a JSON value is not what its form says: other keys, another order of keys, another type."""
    if is_typeddict(form):
        yield from _object_problems(value, form, at=at)
    elif _is_union(form):
        if all(any(value_problems(value, member)) for member in get_args(form)):
            yield f"{at}: {value!r} is none of {get_args(form)}"
    elif get_origin(form) is dict and isinstance(value, dict):
        for name, item in value.items():
            yield from value_problems(item, get_args(form)[1], at=f"{at}.{name}")
    elif get_origin(form) in {list, tuple} and isinstance(value, list):
        yield from _list_problems(value, form, at=at)
    elif not _is_plain_value(value, form):
        yield f"{at}: {value!r} is not of the type {form}"


def _object_problems(value: Any, form: Any, *, at: str) -> Iterator[str]:
    keys = document_keys(form)
    if not isinstance(value, dict) or list(value) != [key.name for key in keys]:
        yield f"{at}: {value!r} does not have the keys {[key.name for key in keys]}"
        return
    for key in keys:
        yield from value_problems(value[key.name], key.value_type, at=f"{at}.{key.name}")


def _list_problems(value: list[Any], form: Any, *, at: str) -> Iterator[str]:
    members = get_args(form) * len(value) if get_origin(form) is list else get_args(form)
    if len(members) != len(value):
        yield f"{at}: {value!r} has not {len(members)} members"
    for number, (item, member) in enumerate(zip(value, members, strict=False)):
        yield from value_problems(item, member, at=f"{at}[{number}]")


def _is_plain_value(value: Any, form: Any) -> bool:
    if form is Any:
        return True
    if form is Time:
        return isinstance(value, str) and str(datetime.fromisoformat(value).tzinfo) == "UTC"
    if get_origin(form) is Literal:
        return value in get_args(form)
    return isinstance(value, _PLAIN.get(form, ())) and (form is bool or not isinstance(value, bool))


def class_problems(source: Any, form: Any, *, at: str = "$") -> Iterator[str]:
    """Yields where a form is not that of a class: fields without a key, keys without an attribute, other types.

    A field that is an enumeration must have all of its values in the form, or be any text there. A field that is not
    compared is no part of the value.
    """
    if is_dataclass(source) and is_typeddict(form):
        yield from _field_problems(source, form, at=at)
    elif _is_union(source) or _is_union(form):
        yield from _member_problems(_members(source), _members(form), at=at)
    elif _is_list(source) and get_origin(form) is list:
        yield from class_problems(get_args(source)[0], get_args(form)[0], at=f"{at}[]")
    elif get_origin(source) is tuple and get_origin(form) is tuple:
        yield from _member_problems(get_args(source), get_args(form), at=at)
    elif get_origin(form) is dict and issubclass(get_origin(source) or source, Mapping):
        yield from class_problems((*get_args(source), int)[1], get_args(form)[1], at=f"{at}.*")
    elif not _is_same_type(source, form):
        yield f"{at}: {source} is no {form}"


def _field_problems(source: Any, form: Any, *, at: str) -> Iterator[str]:
    types = _attribute_types(source)
    sources = {key.attribute for key in document_keys(form)}
    forgotten = {field.name for field in fields(source) if field.compare} - sources
    yield from (f"{at}: {source.__name__}.{name} is in no key" for name in sorted(forgotten))
    for key in document_keys(form):
        if key.attribute in types:
            yield from class_problems(types[key.attribute], key.value_type, at=f"{at}.{key.name}")
        else:
            yield f"{at}.{key.name}: {source.__name__} has no {key.attribute}"


def _member_problems(sources: Sequence[Any], forms: Sequence[Any], *, at: str) -> Iterator[str]:
    if len(sources) != len(forms):
        yield f"{at}: {sources} are not {forms}"
        return
    for source, form in zip(sources, forms, strict=True):
        yield from class_problems(source, form, at=at)


def _is_same_type(source: Any, form: Any) -> bool:
    if get_origin(form) is Literal:
        if isinstance(source, type) and issubclass(source, Enum):
            return {member.value for member in source} == {*get_args(form)}
        return source is str or {*get_args(source)} == {*get_args(form)}
    if source is datetime:
        return form is Time
    return source is form or (form is str and isinstance(source, type) and issubclass(source, str))


def _attribute_types(source: Any) -> dict[str, Any]:
    """The types of the fields and properties of a class, by name."""
    properties = {name: value.fget for name, value in vars(source).items() if isinstance(value, property)}
    returned = {name: get_type_hints(function)["return"] for name, function in properties.items()}
    return get_type_hints(source) | returned


def _is_union(form: Any) -> bool:
    return get_origin(form) in {Union, UnionType}


def _members(form: Any) -> tuple[Any, ...]:
    """The members of a union, None at the end."""
    members = get_args(form) if _is_union(form) else (form,)
    return tuple(sorted(members, key=lambda member: member is NoneType))


def _is_list(source: Any) -> bool:
    if get_origin(source) is tuple:
        return get_args(source)[-1] is Ellipsis
    return get_origin(source) in {list, Sequence}
