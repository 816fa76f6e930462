"""The time, and who watches the work: what every workflow is given instead of taking it."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the time now, aware UTC."""

Advance = Callable[[int], None]
"""Tells that so many more items are done."""

Progress = Callable[[str, int | None], Advance]
"""Begins a stage of so many items (None: unknown) and gives the function that advances it."""


def no_progress(_stage: str, _total: int | None) -> Advance:
    """A progress that nobody watches."""
    return lambda _count: None
