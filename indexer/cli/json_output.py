"""Single values as JSON can hold them, and the document of a command that is not at its end."""

from contextvars import ContextVar
from datetime import datetime
from math import isfinite
from typing import Any

unfinished_document: ContextVar[dict[str, Any] | None] = ContextVar("unfinished_document", default=None)
"""What the steps of a command did so far, as its document: an error is added to it. None: only the error is written."""


def to_json(value: Any) -> Any:
    """A value as text, a number, a list or an object; times in ISO 8601.

    A number that is not finite becomes null. Lone surrogates of paths are escaped when the document is written.
    """
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return None  # JSON has no such number
    return value
