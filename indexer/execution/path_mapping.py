"""The mapping of paths on this machine to paths on workers of other machines.

It promises that a path is mapped once, by the longest local folder that contains it, and only at whole path components.
Symbolic links in the local folder are resolved, as ingest resolves those of the paths that it is given.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from indexer.errors import UsageError


@dataclass(frozen=True)
class PathMapping:
    """Pairs of a local folder and its path on the workers, the longest local folder first."""

    pairs: tuple[tuple[str, str], ...] = ()

    def map_path(self, path: str) -> str:
        """The path that a worker opens for this local path; the same path if no folder contains it."""
        for local, remote in self.pairs:
            if f"{path}/".startswith(f"{local}/"):
                return remote + path[len(local) :] or "/"
        return path


def parse_path_mapping(texts: Iterable[str]) -> PathMapping:
    """The mapping from the values of `--map-path`, each "/local=/remote".

    Raises
    ------
    UsageError
        If a value is not of two absolute folders, or if two values map one folder to different paths.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        local, sign, remote = text.partition("=/")
        if not (sign and local.startswith("/")):
            raise UsageError(f"--map-path is {text!r}; give two absolute paths, such as --map-path /here=/there")
        local, remote = _normalized(os.path.realpath(local)), _normalized("/" + remote)  # as in the index
        if pairs.setdefault(local, remote) != remote:
            raise UsageError(f"--map-path gives {local!r} two paths, {pairs[local]!r} and {remote!r}; give one")
    return PathMapping(tuple(sorted(pairs.items(), key=lambda pair: -len(pair[0]))))


def _normalized(folder: str) -> str:
    """The normalized path of a folder; the root is the empty text, so that every path begins with it and a slash."""
    plain = os.path.normpath(folder)
    return "/" + plain.strip("/") if plain.strip("/") else ""
