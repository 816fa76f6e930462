"""Where workers on other machines find the files of this one.

It promises that a path is changed by whole parts, by the longest FROM that it begins with, and once. FROM is a folder
of this machine: its links are followed, as those of paths that are named to ingest are.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from indexer.errors import UsageError


@dataclass(frozen=True)
class PathMapping:
    """Folders of this machine with their places on the workers, the longest first."""

    pairs: tuple[tuple[str, str], ...] = ()

    def map_path(self, path: str) -> str:
        """A path of this machine as workers open it."""
        for local, remote in self.pairs:
            if f"{path}/".startswith(f"{local}/"):
                return remote + path[len(local) :] or "/"
        return path


def parse_path_mapping(texts: Iterable[str]) -> PathMapping:
    """What the words of `--map-path` say."""
    pairs: dict[str, str] = {}
    for text in texts:
        local, sign, remote = text.partition("=/")
        if not (sign and local.startswith("/")):
            raise UsageError(f"--map-path is {text!a}; give two absolute folders, as in --map-path /here=/there")
        local, remote = _normalized(os.path.realpath(local)), _normalized("/" + remote)  # as the index has paths
        if pairs.setdefault(local, remote) != remote:
            raise UsageError(f"--map-path gives {local!a} two places, {pairs[local]!a} and {remote!a}; give one")
    return PathMapping(tuple(sorted(pairs.items(), key=lambda pair: -len(pair[0]))))


def _normalized(folder: str) -> str:
    """A folder without what means nothing in a path; the root is the empty text, so that all begins with it."""
    plain = os.path.normpath(folder)
    return "/" + plain.strip("/") if plain.strip("/") else ""
