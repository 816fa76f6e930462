"""How the configuration file names the images of folders, and what is typed in its place. It loads nothing heavy."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from indexer.configuration.file import Configuration, ConfiguredFolder
from indexer.domain.naming.rules import NamingOptions
from indexer.domain.paths import lies_at_or_below
from indexer.errors import ConfigurationError, UsageError
from indexer.files.walking import iter_parents

_OF_CAMERA = ("camera", "camera_level", "pattern", "scheme")


def complete_naming(
    typed: Mapping[str, Any], configuration: Configuration | None, paths: Iterable[str]
) -> dict[str, Any]:
    """The typed options of `NamingOptions`, and what the file says of these files and folders where nothing is typed.

    `configuration` is None if the file is not to be asked.

    If an option is typed that says which camera it is, the file is not asked about cameras.

    Raises
    ------
    ConfigurationError
        If what the file says makes no sense, or two of its folders contradict each other.
    UsageError
        If the file says different things of these folders.
    """
    if configuration is None:
        return dict(typed)
    _require_usable(configuration)
    says_camera = any(typed.get(name) is not None for name in _OF_CAMERA)
    completed: list[dict[str, Any]] = []
    for path in paths:
        configured = _naming_of(configuration, path)
        if says_camera:
            configured = {name: value for name, value in configured.items() if name not in (*_OF_CAMERA, "base")}
        naming = configured | {name: value for name, value in typed.items() if value is not None}
        if completed and naming != completed[0]:
            raise UsageError(
                f"{configuration.path!r} has different settings for these folders; type one command for each folder"
            )
        completed.append(naming)
    return dict(typed) | (completed[0] if completed else {})


def group_folders(configuration: Configuration) -> list[tuple[list[str], dict[str, Any]]]:
    """The folders of the file, those together whose images are named alike, each group with its naming options.

    Raises `ConfigurationError` if what the file says makes no sense, or if two of its folders contradict each other.
    """
    _require_usable(configuration)
    groups: list[tuple[list[str], dict[str, Any]]] = []
    for folder in configuration.folders:
        naming = _checked(configuration, folder)
        paths = next((paths for paths, other in groups if other == naming), None)
        if paths is None:
            groups.append(([folder.path], naming))
        else:
            paths.append(folder.path)
    return groups


def _require_usable(configuration: Configuration) -> None:
    """Refuses folders of which one lies in another one with other names: each would take back what holds for it.

    It refuses a general time zone that does not exist, too.
    """
    if configuration.timezone is not None:
        _require_sense(configuration, {"timezone": configuration.timezone})
    seen: dict[str, dict[str, Any]] = {}
    for folder in configuration.folders:
        path, naming = os.path.realpath(folder.path), _checked(configuration, folder)
        if seen.setdefault(path, naming) != naming:
            raise _contradiction(configuration, f"the folder {folder.path!r} is listed twice")
    for path, naming in seen.items():
        above = next((other for other in iter_parents(path) if other in seen), None)
        if above is not None and (naming != seen[above] or _begins_at_folder(naming)):
            raise _contradiction(configuration, f"the folder {path!r} lies in {above!r}")


def _contradiction(configuration: Configuration, fact: str) -> ConfigurationError:
    return ConfigurationError(
        f"{configuration.path!r}: {fact}, and both say how its images are named; list folders of which none "
        "lies in another"
    )


def _begins_at_folder(naming: Mapping[str, Any]) -> bool:
    """Whether what is said reads the path from the folder on."""
    return any(name in naming for name in ("camera_level", "pattern", "scheme"))


def _naming_of(configuration: Configuration, path: str) -> dict[str, Any]:
    """What the file says of a path: that of the innermost of its folders that it lies in.

    Level and pattern begin at that folder. Of a path in none of them only the general time zone is said, and only if
    the index knows no zone for it.
    """
    real = os.path.realpath(path)
    above = [(os.path.realpath(folder.path), folder) for folder in configuration.folders]
    above = [(root, folder) for root, folder in above if lies_at_or_below(real, root)]
    if not above:
        return {} if configuration.timezone is None else {"default_timezone": configuration.timezone}
    root, innermost = max(above, key=lambda item: len(item[0]))
    naming = _checked(configuration, innermost)
    return naming | {"base": root} if root != real and _begins_at_folder(naming) else naming


def _checked(configuration: Configuration, folder: ConfiguredFolder) -> dict[str, Any]:
    zone = {} if configuration.timezone is None else {"timezone": configuration.timezone}
    return _require_sense(configuration, zone | folder.naming, folder=folder.path)


def _require_sense(
    configuration: Configuration, naming: dict[str, Any], *, folder: str | None = None
) -> dict[str, Any]:
    where = "" if folder is None else f", folder {folder!r}"
    try:
        NamingOptions(**naming).checked()
    except UsageError as problem:
        raise ConfigurationError(f"{configuration.path!r}{where}: {problem}") from None
    return naming
