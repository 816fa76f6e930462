"""Where workers on other machines find the files of this one.

It promises that a path is changed by whole parts, by the longest FROM that it begins with, and once. FROM is a folder
of this machine: its links are followed, as those of paths that are named to ingest are.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from indexer.errors import UsageError


@dataclass(frozen=True)
class Mounts:
    """Folders of this machine with their places on the workers, the longest first."""

    pairs: tuple[tuple[str, str], ...] = ()

    def there(self, path: str) -> str:
        """A path of this machine as workers open it."""
        for here, there in self.pairs:
            if f"{path}/".startswith(f"{here}/"):
                return there + path[len(here) :] or "/"
        return path


def read_mounts(texts: Iterable[str]) -> Mounts:
    """What the words of `--map-path` say."""
    pairs: dict[str, str] = {}
    for text in texts:
        here, sign, there = text.partition("=/")
        if not (sign and here.startswith("/")):
            raise UsageError(f"--map-path is {text!a}; give two absolute folders, as in --map-path /here=/there")
        here, there = _plain(os.path.realpath(here)), _plain("/" + there)  # as the index has paths
        if pairs.setdefault(here, there) != there:
            raise UsageError(f"--map-path gives {here!a} two places, {pairs[here]!a} and {there!a}; give one")
    return Mounts(tuple(sorted(pairs.items(), key=lambda pair: -len(pair[0]))))


def _plain(folder: str) -> str:
    """A folder without what means nothing in a path; the root is the empty text, so that all begins with it."""
    plain = os.path.normpath(folder)
    return "/" + plain.strip("/") if plain.strip("/") else ""
