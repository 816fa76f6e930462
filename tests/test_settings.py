"""Settings: what the surroundings say, read once."""

import os

import pytest

from indexer.errors import UsageProblem
from indexer.settings import DEFAULT_DATABASE, Settings, read_settings

NUMBERS = {
    "INDEXER_PROCESSES": "processes",
    "INDEXER_MAX_PIXELS": "max_pixels",
    "INDEXER_MAX_BYTES": "max_bytes",
    "INDEXER_MAX_MEMORY_MB": "max_memory_mb",
    "INDEXER_MAX_SECONDS": "max_seconds",
}


def test_defaults() -> None:
    """Nothing said: a database in the working directory, and as many workers as this process has cores."""
    assert read_settings({}) == Settings(DEFAULT_DATABASE, len(os.sched_getaffinity(0)))


def test_all_said() -> None:
    """Each variable sets the setting of its name."""
    said = {name: str(number) for number, name in enumerate(NUMBERS, start=1)}
    expected = Settings("postgresql+psycopg://host/db", 1, max_pixels=2, max_bytes=3, max_memory_mb=4, max_seconds=5)
    assert read_settings({"INDEXER_DB": "postgresql+psycopg://host/db"} | said) == expected


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "½", "1 000", "0x10"])
def test_numbers_that_are_none(name: str, value: str) -> None:
    """What is no whole number above 0 is refused, with the variable's name and its value."""
    with pytest.raises(UsageProblem) as problem:
        read_settings({name: value})
    assert str(problem.value) == f"{name} is {value!r}; give a whole number above 0"


@pytest.mark.parametrize("name", ["INDEXER_DB", *NUMBERS])
def test_empty_is_unset(name: str) -> None:
    """A variable that is empty says nothing."""
    assert read_settings({name: ""}) == read_settings({})
