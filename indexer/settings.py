"""The settings from the environment and the configuration file: the index, the executor, the limits. Read once."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from indexer.configuration.file import Configuration
from indexer.errors import UsageError

DEFAULT_DATABASE = "indexer.db"

Source = Literal["command line", "environment", "file", "default"]
"""Where the value of a setting comes from: the first of these that says it."""

VARIABLES = {
    "index": "INDEXER_DB",
    "processes": "INDEXER_PROCESSES",
    "engine": "INDEXER_ENGINE",
    "scheduler": "INDEXER_SCHEDULER",
    "max_pixels": "INDEXER_MAX_PIXELS",
    "max_bytes": "INDEXER_MAX_BYTES",
    "max_memory_mb": "INDEXER_MAX_MEMORY_MB",
    "max_seconds": "INDEXER_MAX_SECONDS",
}
"""The variable of the environment by the setting that a file can also have."""


@dataclass(frozen=True)
class Settings:
    """The settings of one command.

    Limits of ingest: a file whose header claims more than `max_pixels`, or that has more than `max_bytes`, is
    `unreadable` and never decoded. The default admits more than twice the pixels of a 100-megapixel camera. A file that
    takes a worker more than `max_memory_mb` or `max_seconds` is `unreadable` too.

    `is_database_named`: a person named the index, by `--db`, INDEXER_DB or the file. A file without the key `index`
    does not name it, although the index is then beside the file. `state_folder`: the folder with the list of indexes
    that were used; None for no list. `notify_socket`: where the service manager that started this process listens; None
    if there is none. `sources`: where the settings of `VARIABLES` come from.
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
    notify_socket: str | None = None
    configuration: Configuration = field(default_factory=Configuration)
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False)


def read_settings(
    environment: Mapping[str, str],
    *,
    database_typed: bool = False,
    configuration: Configuration | None = None,
) -> Settings:
    """The settings: from the variables that are set, else from the configuration file, else the defaults.

    Only in the environment are INDEXER_STATE, INDEXER_READER_PASSWORD and NOTIFY_SOCKET.

    `database_typed`: INDEXER_DB was typed with `--db`. An empty name is then a mistake and does not mean the default.

    Raises
    ------
    UsageError
        If a value makes no sense, or the typed database is empty.
    """
    if database_typed and not environment.get("INDEXER_DB"):
        raise UsageError("--db is empty; give the path or the URL of an index, or leave it out")
    file = configuration or Configuration()
    sources: dict[str, Source] = {
        name: "environment" if environment.get(variable) else "default" if getattr(file, name) is None else "file"
        for name, variable in VARIABLES.items()
    }
    if database_typed:
        sources["index"] = "command line"
    is_database_named = sources["index"] != "default"
    if not is_database_named and file.path is not None:
        sources["index"] = "file"  # its folders begin there, too: one file means one index, wherever a person types
    return Settings(
        database=environment.get("INDEXER_DB") or file.index or _default_database(file),
        processes=_read_number(environment, "INDEXER_PROCESSES", file.processes or len(os.sched_getaffinity(0))),
        max_pixels=_read_number(environment, "INDEXER_MAX_PIXELS", file.max_pixels or Settings.max_pixels),
        max_bytes=_read_number(environment, "INDEXER_MAX_BYTES", file.max_bytes or Settings.max_bytes),
        max_memory_mb=_read_number(environment, "INDEXER_MAX_MEMORY_MB", file.max_memory_mb or Settings.max_memory_mb),
        max_seconds=_read_number(environment, "INDEXER_MAX_SECONDS", file.max_seconds or Settings.max_seconds),
        engine=environment.get("INDEXER_ENGINE") or file.engine,
        scheduler=environment.get("INDEXER_SCHEDULER") or file.scheduler,
        is_database_named=is_database_named,
        configuration=file,
        sources=sources,
        state_folder=find_state_folder(environment),
        reader_password=environment.get("INDEXER_READER_PASSWORD") or None,
        notify_socket=environment.get("NOTIFY_SOCKET") or None,
    )


def _default_database(file: Configuration) -> str:
    """The index that nobody named: beside the configuration file, else in the working directory."""
    return DEFAULT_DATABASE if file.path is None else os.path.join(os.path.dirname(file.path), DEFAULT_DATABASE)


def find_state_folder(environment: Mapping[str, str], *, platform: str = sys.platform) -> str | None:
    """The folder for data of a user that belongs to no single index; None if INDEXER_STATE is `off`.

    None also if the environment names no home folder. `platform` is a value of `sys.platform`. Raises `UsageError` if
    INDEXER_STATE is a relative path.

    Decision 0022: the folder is computed here and not by platformdirs.
    """
    configured = environment.get("INDEXER_STATE")
    if configured == "off":
        return None
    if configured and not os.path.isabs(configured):
        raise UsageError(f"INDEXER_STATE is {configured!r}; give an absolute path, or off")
    home = environment.get("HOME", "")
    if platform == "darwin":
        default_folder = os.path.join(home, "Library", "Application Support")
    elif platform == "win32":
        default_folder = environment.get("LOCALAPPDATA", "")
    else:
        xdg_state_home = environment.get(
            "XDG_STATE_HOME", ""
        )  # the XDG specification: ignore a path that is not absolute
        default_folder = xdg_state_home if os.path.isabs(xdg_state_home) else os.path.join(home, ".local", "state")
    return configured or (os.path.join(default_folder, "indexer") if os.path.isabs(default_folder) else None)


def _read_number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if not text:
        return default
    if not text.isdecimal() or len(text) > 18 or int(text) < 1:
        raise UsageError(f"{name} is {text!r}; give a whole number above 0")
    return int(text)
