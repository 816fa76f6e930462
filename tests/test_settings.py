"""Settings: what the surroundings say, read once."""

import os

import pytest

from indexer.errors import UsageError
from indexer.settings import DEFAULT_DATABASE, Settings, find_state_folder, read_settings

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


def test_all_variables() -> None:
    """Each variable sets the setting of its name."""
    said = {name: str(number) for number, name in enumerate(NUMBERS, start=1)}
    said |= {"INDEXER_DB": "postgresql+psycopg://host/db", "INDEXER_STATE": "/state"}
    limits = {"max_pixels": 2, "max_bytes": 3, "max_memory_mb": 4, "max_seconds": 5}
    expected = Settings(said["INDEXER_DB"], 1, **limits, is_database_named=True, state_folder="/state")
    assert read_settings(said) == expected


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "½", "1 000", "0x10"])
def test_numbers_that_are_none(name: str, value: str) -> None:
    """What is no whole number above 0 is refused, with the variable's name and its value."""
    with pytest.raises(UsageError) as problem:
        read_settings({name: value})
    assert str(problem.value) == f"{name} is {value!r}; give a whole number above 0"


@pytest.mark.parametrize(
    ("platform", "said", "folder"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/state/indexer"),
        ("linux", {"HOME": "/h", "XDG_STATE_HOME": "/x"}, "/x/indexer"),
        ("linux", {"HOME": "/h", "XDG_STATE_HOME": "x"}, "/h/.local/state/indexer"),
        ("linux", {"XDG_STATE_HOME": "/x"}, "/x/indexer"),
        ("darwin", {"HOME": "/h", "XDG_STATE_HOME": "/x"}, "/h/Library/Application Support/indexer"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/indexer"),
        ("linux", {}, None),
        ("linux", {"HOME": ""}, None),
        ("linux", {"HOME": "h"}, None),
        ("win32", {"HOME": "/h"}, None),
        ("linux", {"HOME": "/h", "INDEXER_STATE": "off"}, None),
        ("linux", {"HOME": "/h", "INDEXER_STATE": "/mine"}, "/mine"),
        ("linux", {"INDEXER_STATE": ""}, None),
    ],
)
def test_state_folder(platform: str, said: dict[str, str], folder: str | None) -> None:
    """What is remembered of a person lies where the system wants it, where INDEXER_STATE says, or nowhere."""
    assert find_state_folder(said, platform=platform) == folder


def test_state_folder_that_depends_on_where_one_is() -> None:
    """A relative folder, which would be another one in each working directory, is refused."""
    with pytest.raises(UsageError, match="INDEXER_STATE is 'state'; give an absolute path, or off"):
        read_settings({"INDEXER_STATE": "state"})


@pytest.mark.parametrize("name", ["INDEXER_DB", "INDEXER_STATE", *NUMBERS])
def test_empty_is_unset(name: str) -> None:
    """A variable that is empty says nothing."""
    assert read_settings({name: ""}) == read_settings({})
