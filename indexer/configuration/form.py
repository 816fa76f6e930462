"""Which keys `indexer.toml` may have, and which values these take. It reads no file."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KeyPath = tuple[str | int, ...]
"""The keys that lead to a value, from the outermost table on; a number is a place in an array, from 0."""

_SHOWN_CHARACTERS = 60


class FormError(Exception):
    """A key or a value that the file must not have; `key_path` leads to it."""

    def __init__(self, key_path: KeyPath, sentence: str) -> None:
        super().__init__(sentence)
        self.key_path = key_path


@dataclass(frozen=True)
class ValueForm:
    """The values that a key takes: `expected` says it in words, after "give"."""

    expected: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True)
class TableForm:
    """A table: the forms of its keys, those that must be there; `others`: the form of any other key, if any may be."""

    keys: Mapping[str, "Form"]
    required: tuple[str, ...] = ()
    others: "ValueForm | None" = None


@dataclass(frozen=True)
class ArrayForm:
    """An array of such tables; with `text`, an item may also be a text in place of a table."""

    item: TableForm
    text: ValueForm | None = None


Form = ValueForm | TableForm | ArrayForm


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _is_whole(value: Any) -> bool:
    return type(value) is int and 1 <= value < 10**18


def _is_share(value: Any) -> bool:
    return type(value) in {int, float} and math.isfinite(value) and 0 <= value <= 1


_TEXT = ValueForm("a text in quotes that is not empty", _is_text)
_WHOLE = ValueForm("a whole number above 0", _is_whole)
_SHARE = ValueForm("a number from 0 to 1", _is_share)
_SWITCH = ValueForm("true or false", lambda value: isinstance(value, bool))
_ENGINE = ValueForm('"processes" or "dask"', lambda value: value in ("processes", "dask"))
_NAMING = {"camera": _TEXT, "camera_level": _WHOLE, "pattern": _TEXT, "scheme": _TEXT, "timezone": _TEXT}
_LIMITS = ("max_pixels", "max_bytes", "max_memory_mb", "max_seconds")

CONFIGURATION_FORM = TableForm(
    {
        "index": _TEXT,
        "folders": ArrayForm(TableForm({"path": _TEXT, **_NAMING}, required=("path",)), text=_TEXT),
        "timezone": _TEXT,
        "frames": _TEXT,
        "processes": _WHOLE,
        "engine": _ENGINE,
        "scheduler": _TEXT,
        "limits": TableForm(dict.fromkeys(_LIMITS, _WHOLE)),
        "profile": _TEXT,
        "profiles": TableForm({}, others=_TEXT),
        "run": TableForm({"prune": _SWITCH, "max_share": _SHARE, "quarantine": _TEXT}),
        "record": ArrayForm(TableForm({"camera": _TEXT, "source": _TEXT}, required=("camera", "source"))),
    }
)


def require_form(value: Any, form: Form, *, key_path: KeyPath = ()) -> None:
    """Raises `FormError` for the first key or value that a form does not allow."""
    match form:
        case ValueForm():
            if not form.accepts(value):
                raise FormError(key_path, f"{_name(key_path)} is {_shown(value)}; give {form.expected}")
        case TableForm():
            _require_table(value, form, key_path)
        case ArrayForm():
            if isinstance(value, dict):
                raise FormError(key_path, f"{key_path[-1]} is a table; write its keys below [[{key_path[-1]}]]")
            if not isinstance(value, list):
                raise FormError(key_path, f"{key_path[-1]} is {_shown(value)}; give a list in square brackets")
            for number, item in enumerate(value):
                _require_item(item, form, (*key_path, number))


def iter_keys(form: TableForm = CONFIGURATION_FORM, *, above: str = "") -> Iterator[str]:
    """Yields all keys that the file may have, as `folders.path`; the name of a table alone is none."""
    for key, inner in form.keys.items():
        match inner:
            case TableForm(keys) if keys:
                yield from iter_keys(inner, above=f"{above}{key}.")
            case ArrayForm(item):
                yield from iter_keys(item, above=f"{above}{key}.")
            case _:
                yield f"{above}{key}"


def _require_item(item: Any, form: ArrayForm, key_path: KeyPath) -> None:
    if form.text is None or isinstance(item, dict):
        require_form(item, form.item, key_path=key_path)
    elif isinstance(item, str):
        require_form(item, form.text, key_path=key_path)
    else:
        raise FormError(key_path, f"{_name(key_path)} is {_shown(item)}; give {form.text.expected}, or a table")


def _name(key_path: KeyPath) -> str:
    """A value by its key, or by that of its list."""
    return str(key_path[-1]) if isinstance(key_path[-1], str) else f"an item of {key_path[-2]}"


def _require_table(value: Any, form: TableForm, key_path: KeyPath) -> None:
    name = f"[{'.'.join(str(key) for key in key_path if isinstance(key, str))}]"
    name = f"[{name}]" if key_path and isinstance(key_path[-1], int) else name
    if not isinstance(value, dict):
        raise FormError(key_path, f"{_shown(value)} is there instead of a table; write its keys below {name}")
    for key, item in value.items():
        inner = form.keys.get(key, form.others)
        if inner is None:
            where = f" in {name}" if key_path else ""
            raise FormError((*key_path, key), f"there is no key {_shown(key)}{where}{_advice(key, form)}")
        require_form(item, inner, key_path=(*key_path, key))
    for key in form.required:
        if key not in value:
            raise FormError(key_path, f"the key {key} is missing in {name}")


def _advice(key: str, form: TableForm) -> str:
    """Where the key belongs, if it has another place; else the most similar key, else all of them."""
    from difflib import get_close_matches

    match CONFIGURATION_FORM.keys.get(key):
        case TableForm():
            return f"; write its keys below [{key}]"
        case ArrayForm(text=None):
            return f"; write its keys below [[{key}]]"
        case ValueForm() | ArrayForm():
            return "; write it above the first line in brackets"
    if tables := _list_tables_with(key):
        return f"; write it below {' or '.join(tables)}"
    similar = get_close_matches(key, list(form.keys), n=1)
    return f"; is it {similar[0]}?" if similar else f"; there are {', '.join(form.keys)}"


def _list_tables_with(key: str) -> list[str]:
    """The names of the tables that have a key, with their brackets."""
    tables: dict[str, TableForm] = {}
    for name, form in CONFIGURATION_FORM.keys.items():
        match form:
            case TableForm():
                tables[f"[{name}]"] = form
            case ArrayForm(item):
                tables[f"[[{name}]]"] = item
    return [name for name, table in tables.items() if key in table.keys]


def _shown(value: Any) -> str:
    """A value as a message shows it, cut if it is long. An address is not shown, as it may have a password."""
    if isinstance(value, str) and "://" in value:
        return "an address"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str | int | float) else f"a {_KINDS.get(type(value), 'time')}"
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


_KINDS: dict[type, str] = {dict: "table", list: "list"}
