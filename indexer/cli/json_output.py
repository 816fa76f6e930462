"""Reports as values that JSON can hold."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from math import isfinite
from typing import Any


def to_json(value: Any) -> Any:
    """A report as objects, lists, text and numbers; times in ISO 8601.

    A number that is not finite becomes null. Lone surrogates of paths are escaped when the document is written.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return None  # JSON has no such number
    return value
