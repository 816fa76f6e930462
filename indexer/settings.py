"""What the surroundings say: the database, who does the work, the limits of intake. Read once, at the door."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from indexer.errors import UsageProblem

DEFAULT_DATABASE = "indexer.db"


@dataclass(frozen=True)
class Settings:
    """The settings of one command.

    Limits of intake: a header that claims more pixels, or a file of more bytes, is `unreadable` and never decoded.
    The defaults admit a 100-megapixel camera twice over. A file that takes a worker more memory or time is
    `unreadable` too.

    `is_database_named`: a person said which index, by `--db` or INDEXER_DB. `state_folder`: where the indexes that were
    used are listed; None for nowhere.
    """

    database: str
    processes: int
    max_pixels: int = 250_000_000
    max_bytes: int = 512 * 2**20
    max_memory_mb: int = 4096
    max_seconds: int = 120
    engine: str | None = None
    scheduler: str | None = None
    is_database_named: bool = False
    state_folder: str | None = None
    reader_password: str | None = field(default=None, repr=False)


def read_settings(environment: Mapping[str, str], *, named: bool = False) -> Settings:
    """The settings that the environment gives: INDEXER_DB, INDEXER_PROCESSES, INDEXER_ENGINE, INDEXER_SCHEDULER,
    INDEXER_STATE, INDEXER_READER_PASSWORD, and INDEXER_MAX_ for each limit.

    `named`: the database was typed, so that an empty name is a slip and not the wish for the default.
    """
    if named and not environment.get("INDEXER_DB"):
        raise UsageProblem("--db is empty; give the path or the URL of an index, or leave it out")
    return Settings(
        database=environment.get("INDEXER_DB") or DEFAULT_DATABASE,
        processes=_number(environment, "INDEXER_PROCESSES", len(os.sched_getaffinity(0))),
        max_pixels=_number(environment, "INDEXER_MAX_PIXELS", Settings.max_pixels),
        max_bytes=_number(environment, "INDEXER_MAX_BYTES", Settings.max_bytes),
        max_memory_mb=_number(environment, "INDEXER_MAX_MEMORY_MB", Settings.max_memory_mb),
        max_seconds=_number(environment, "INDEXER_MAX_SECONDS", Settings.max_seconds),
        engine=environment.get("INDEXER_ENGINE") or None,
        scheduler=environment.get("INDEXER_SCHEDULER") or None,
        is_database_named=bool(environment.get("INDEXER_DB")),
        state_folder=state_folder(environment),
        reader_password=environment.get("INDEXER_READER_PASSWORD") or None,
    )


def state_folder(environment: Mapping[str, str], *, platform: str = sys.platform) -> str | None:
    """The folder for what the tool remembers of a person beside the indexes; None where there is none, or it is `off`.

    Decision: told here and not by platformdirs, which would be one more dependency for these lines.
    """
    named = environment.get("INDEXER_STATE")
    if named == "off":
        return None
    if named and not os.path.isabs(named):
        raise UsageProblem(f"INDEXER_STATE is {named!r}; give an absolute path, or off")
    home = environment.get("HOME", "")
    if platform == "darwin":
        usual = os.path.join(home, "Library", "Application Support")
    elif platform == "win32":
        usual = environment.get("LOCALAPPDATA", "")
    else:
        said = environment.get("XDG_STATE_HOME", "")  # one that is not absolute is to be ignored, says the XDG
        usual = said if os.path.isabs(said) else os.path.join(home, ".local", "state")
    return named or (os.path.join(usual, "indexer") if os.path.isabs(usual) else None)


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if not text:
        return default
    if not text.isdecimal() or len(text) > 18 or int(text) < 1:
        raise UsageProblem(f"{name} is {text!r}; give a whole number above 0")
    return int(text)
