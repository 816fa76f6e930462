"""The settings that a file can have: what holds, and where each comes from. Passwords are left out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from indexer.cli.configured_naming import group_folders
from indexer.configuration.file import Configuration
from indexer.domain.removal import DEFAULT_MAX_SHARE
from indexer.escaping import without_secrets_of
from indexer.settings import VARIABLES, Settings, Source

_LIMITS = ("max_pixels", "max_bytes", "max_memory_mb", "max_seconds")
_OF_FILE = ("timezone", "frames", "profile")
_OF_RUN = ("prune", "max_share", "quarantine")
_DEFAULTS: dict[str, Any] = {"run.prune": False, "run.max_share": DEFAULT_MAX_SHARE}


@dataclass(frozen=True)
class EffectiveSetting:
    """A setting as the file names it, with its table. `where`: the option, the variable or the file that says it."""

    name: str
    value: Any
    source: Source
    where: str | None


@dataclass(frozen=True)
class EffectiveSettings:
    """All settings. `file`: the configuration file; None if there is none, or, with `is_off`, none is used."""

    file: str | None
    settings: tuple[EffectiveSetting, ...]
    is_off: bool = False


def list_settings(settings: Settings) -> EffectiveSettings:
    """All settings of a command; raises `ConfigurationError` if the file names folders in a way that makes no sense."""
    file = settings.configuration
    group_folders(file)  # refuses what no ingest could use
    values: dict[str, Any] = {
        "index": _shown_index(settings.database),
        "engine": settings.engine or _default_engine(settings),
    }
    values["scheduler"] = None if settings.scheduler is None else without_secrets_of(settings.scheduler)
    values |= {name: getattr(settings, name) for name in ("processes", *_LIMITS)}
    listed = [
        EffectiveSetting(
            f"limits.{name}" if name in _LIMITS else name, value, settings.sources[name], _where(settings, name)
        )
        for name, value in values.items()
    ]
    for name, value in _values_of_file(file):
        is_set = value not in (None, [], {})
        used = value if is_set else _DEFAULTS.get(name, value)
        listed.append(EffectiveSetting(name, used, "file" if is_set else "default", file.path if is_set else None))
    return EffectiveSettings(file.path, tuple(listed), file.is_off)


def _default_engine(settings: Settings) -> str:
    """The engine of a command that names none."""
    return "dask" if settings.scheduler else "processes"


def _where(settings: Settings, name: str) -> str | None:
    match settings.sources[name]:
        case "command line":
            return "--db"
        case "environment":
            return VARIABLES[name]
        case "file":
            return settings.configuration.path
        case _:
            return None


def _values_of_file(file: Configuration) -> Iterator[tuple[str, Any]]:
    """Yields the settings that only the file has; None, an empty list or table: it does not say it."""
    yield "folders", [{"path": folder.path} | folder.naming for folder in file.folders]
    for name in _OF_FILE:
        yield name, getattr(file, name)
    yield "profiles", dict(file.profiles)
    for name in _OF_RUN:
        yield f"run.{name}", getattr(file, name)
    yield "record", [{"camera": item.camera, "source": without_secrets_of(item.source)} for item in file.record]


def _shown_index(name: str) -> str:
    return without_secrets_of(name) if "://" in name else os.path.abspath(name)
