"""The file `indexer.toml`: where it is found, what stands in it, and what is wrong with it.

It promises that

- the file is only read;
- nothing in it is executed or opened; and
- an unknown key or a value of the wrong kind is refused with its line.

It does not know the environment's variables, except the one that names the file, nor what is typed: `indexer.settings`
puts them together. A command without a file loads no parser.

Decision 0054: one optional file says what the command line says.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from indexer.errors import ConfigurationError

FILE_NAME = "indexer.toml"
OFF = "off"
_MOST_BYTES = 65_536
_OTHER_FILE = f"type --config and the path of a file before the command to use it, or --config {OFF}"
_SQLITE_FILE = re.compile(r"sqlite(\+\w+)?:///(?P<path>[^/?:][^?:]*)")
_RELATIVE_SQLITE = re.compile(r"sqlite(\+\w+)?:///(?![/?]|$|:memory:)", re.IGNORECASE)


@dataclass(frozen=True)
class ConfiguredFolder:
    """A folder of images, an absolute path, and how its images are named. None: not said."""

    path: str
    camera: str | None = None
    camera_level: int | None = None
    pattern: str | None = None
    scheme: str | None = None
    timezone: str | None = None

    @property
    def naming(self) -> dict[str, Any]:
        """What is said of the names of its images, by the names of `NamingOptions`."""
        return {name: value for name, value in vars(self).items() if name != "path" and value is not None}


@dataclass(frozen=True)
class ConfiguredSource:
    """A camera whose live pictures are to be recorded. `source` may have a password in it."""

    camera: str
    source: str = field(repr=False)


@dataclass(frozen=True)
class Configuration:
    """What a file says; `path` is None if there is no file. None elsewhere: not said.

    Paths are absolute: in the file they begin at its own folder. `profile`: the active one. `profiles`: that of each
    camera that has its own. `prune`: whether `run` removes files, `max_share` and `quarantine` as for `prune`.
    `is_off`: a person said that no file is used.
    """

    path: str | None = None
    index: str | None = None
    folders: tuple[ConfiguredFolder, ...] = ()
    timezone: str | None = None
    frames: str | None = None
    processes: int | None = None
    engine: str | None = None
    scheduler: str | None = None
    max_pixels: int | None = None
    max_bytes: int | None = None
    max_memory_mb: int | None = None
    max_seconds: int | None = None
    profile: str | None = None
    profiles: Mapping[str, str] = field(default_factory=dict)
    prune: bool | None = None
    max_share: float | None = None
    quarantine: str | None = None
    record: tuple[ConfiguredSource, ...] = ()
    is_off: bool = False


def find_configuration(environment: Mapping[str, str], *, is_typed: bool = False) -> Configuration:
    """What the file says that INDEXER_CONFIG names, else the nearest one in the working directory or above.

    It is empty if INDEXER_CONFIG is `off`, or if there is no file. `is_typed`: INDEXER_CONFIG is what was typed for
    `--config`.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, has mistakes, or was found in a place where another user put it.
    """
    name = environment.get("INDEXER_CONFIG")
    if is_typed and not name:
        raise ConfigurationError("--config is empty; give the path of a file, or leave it out")
    if name == OFF:
        return Configuration(is_off=True)
    path = os.path.abspath(name) if name else _find_file()
    return Configuration() if path is None else read_configuration(path)


def _find_file() -> str | None:
    """The nearest file of that name in the working directory or above; None if there is none."""
    try:
        folder = os.getcwd()
    except OSError:  # the folder is gone
        return None
    for above in _iter_folders(folder):
        path = os.path.join(above, FILE_NAME)
        try:
            statuses = (os.lstat(path), os.stat(path))
        except OSError as problem:
            if isinstance(problem, FileNotFoundError | NotADirectoryError) and not os.path.islink(path):
                continue
            raise ConfigurationError(
                f"{path!r} cannot be read ({problem.strerror}); correct that, or {_OTHER_FILE}"
            ) from None
        if stat.S_ISREG(statuses[1].st_mode):
            if any(status.st_uid not in {os.geteuid(), 0} for status in statuses):
                # As git does: the file, or a link that another user made, could name another index.
                raise ConfigurationError(f"{path!r} belongs to another user; {_OTHER_FILE}")
            return path
    return None


def _iter_folders(folder: str) -> Iterator[str]:
    """Yields the folder and all above it, upward."""
    yield folder
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        yield folder


def read_configuration(path: str) -> Configuration:
    """What a file says; raises `ConfigurationError` if it cannot be read, or with the line of its first mistake."""
    import tomllib  # here, as most commands have no file to read

    from indexer.configuration.form import CONFIGURATION_FORM, FormError, require_form

    text = _read_text(path)
    try:
        document = tomllib.loads(text)
        require_form(document, CONFIGURATION_FORM)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigurationError(f"{path!r} is not valid TOML: {str(problem)[:1].lower()}{str(problem)[1:]}") from None
    except RecursionError:
        raise ConfigurationError(f"{path!r} is not valid TOML: its lists or tables are too deep") from None
    except FormError as problem:
        line = find_line(text, problem.key_path)
        raise ConfigurationError(f"{path!r}, line {line}: {problem}") from None
    return _to_configuration(document, path=path)


def _read_text(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as everywhere here
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ConfigurationError(f"{path!r} has more than {_MOST_BYTES} bytes; is it the right file?")
        return data.decode("utf-8-sig")
    except OSError as problem:
        raise ConfigurationError(f"the configuration {path!r} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ConfigurationError(f"{path!r}, line {line}: it is not UTF-8; save it as UTF-8") from None


def find_line(text: str, key_path: tuple[str | int, ...]) -> int:
    """The number of the line with this key, in a text that is TOML; 1 if it is written with escapes.

    The parser of the library does not say it: the lines up to each one that has the name of the key are parsed.
    """
    name = next((key for key in reversed(key_path) if isinstance(key, str)), "")
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if name in line and _has(_parse_until_whole(lines, number), key_path):
            return number
    return 1


def _parse_until_whole(lines: Sequence[str], number: int) -> Any:
    """What the first lines say: so many, and more until the last statement among them is whole."""
    import tomllib

    for end in range(number, len(lines) + 1):
        with suppress(tomllib.TOMLDecodeError):
            return tomllib.loads("\n".join(lines[:end]))
    return {}


def _has(document: Any, key_path: tuple[str | int, ...]) -> bool:
    for key in key_path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _to_configuration(document: dict[str, Any], *, path: str) -> Configuration:
    """A document of the right form as values."""
    folder = os.path.dirname(path)
    folders = [{"path": item} if isinstance(item, str) else item for item in document.get("folders", ())]
    plain = Configuration.__dataclass_fields__.keys() - {"folders", "record", "path", "is_off"}
    tables = {**document.get("limits", {}), **document.get("run", {})}
    values = {name: value for name, value in {**document, **tables}.items() if name in plain}
    for name in ("frames", "quarantine"):
        if name in values:
            values[name] = _absolute(folder, values[name])
    if "index" in values:
        values["index"] = _absolute_index(folder, values["index"], path=path)
    return Configuration(
        path=path,
        folders=tuple(ConfiguredFolder(**item | {"path": _absolute(folder, item["path"])}) for item in folders),
        record=tuple(ConfiguredSource(**item) for item in document.get("record", ())),
        **values,
    )


def _absolute(folder: str, path: str) -> str:
    """A path of the file: `~` is the home folder, and a relative one begins at the file's folder."""
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))


def _absolute_index(folder: str, index: str, *, path: str) -> str:
    """The index of the file as a path or an address that does not depend on the working directory."""
    if "://" not in index:
        return _absolute(folder, index)
    if (plain := _SQLITE_FILE.fullmatch(index)) is not None:
        return os.path.normpath(os.path.join(folder, plain["path"]))
    if _RELATIVE_SQLITE.match(index):
        raise ConfigurationError(
            f'{path!r}: index is a relative address of SQLite; write only the path, as index = "frames.db"'
        )
    return index
