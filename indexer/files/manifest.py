"""What a quarantine says of itself: a line per file that was put there, enough to bring it back without the index.

It promises that the line is on the disk before the file moves, and that a line cut in the middle spoils no other.
Places are relative to the manifest, so that a quarantine may be moved or mounted elsewhere. It moves nothing.
"""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from indexer.files import steps
from indexer.files.refusals import SYNCING_BYTES, SYNCING_NAMES, needing

MANIFEST_NAME = "manifest.jsonl"
_HEAD_BYTES = 64


@dataclass(frozen=True)
class Entry:
    """One file in quarantine: where it was, what it is, and which file stood for it when it went."""

    path: str
    size_bytes: int
    content_hash: str
    keeper_path: str
    removed_at: str
    keeper_hash: str = ""
    index_id: str = ""
    run_token: str = ""
    """The last three are empty in lines of versions before 0.1.0."""


def note(place: str, entry: Entry) -> None:
    """Write that a file is about to be moved to a place. A cut leaves the line, a part of it, or nothing."""
    run_folder = os.path.dirname(os.path.dirname(place))
    manifest = os.path.join(run_folder, MANIFEST_NAME)
    # Each line begins with a line break: a line that a cut left unfinished then spoils only itself.
    line = "\n" + json.dumps({"place": os.path.relpath(place, run_folder), **asdict(entry)})
    is_new = not os.path.lexists(manifest)
    with needing(SYNCING_BYTES, manifest):
        steps.append(manifest, line.encode("ascii"))
    if is_new:
        with needing(SYNCING_NAMES, manifest):
            steps.sync_folder(manifest)


def read(folder: str) -> Iterator[tuple[str, Entry]]:
    """The places that the manifests below a quarantine folder name, in the order of names, each with its last entry."""
    for inside, folders, names in os.walk(folder):
        folders.sort()
        if MANIFEST_NAME in names:
            # The last one holds: a place that was emptied may be given again, to a file of a newer index.
            yield from dict(_entries(inside)).items()


def read_heads(folder: str) -> list[tuple[str, Entry]]:
    """The first place, with its entry, of each run in a quarantine; none where there is no such folder."""
    try:
        runs = sorted(os.listdir(folder))
    except OSError:
        return []
    manifests = (
        run for run in (os.path.join(folder, name) for name in runs) if is_manifest(os.path.join(run, MANIFEST_NAME))
    )
    return [head for run in manifests if (head := next(_entries(run), None)) is not None]


def is_manifest(path: str) -> bool:
    """Whether the file at a path is a manifest of ours, by its first line."""
    try:
        descriptor = steps.open_to_read(path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return False
            first = steps.read_bytes(descriptor, most=_HEAD_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return first.lstrip(b"\n").startswith(b'{"place": ')


def _entries(run_folder: str) -> Iterator[tuple[str, Entry]]:
    with Path(run_folder, MANIFEST_NAME).open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            try:
                said = json.loads(line)
                place = os.path.normpath(os.path.join(run_folder, said.pop("place")))
                entry = Entry(**said)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue  # blank, or cut in the middle
            if place.startswith(run_folder + os.sep) and _makes_sense(entry):
                yield place, entry


def _makes_sense(entry: Entry) -> bool:
    """Whether this can be what `note` wrote: others may have written into the file too."""
    words = [entry.path, entry.content_hash, entry.keeper_path, entry.removed_at]
    words += [entry.keeper_hash, entry.index_id, entry.run_token]
    if not all(isinstance(word, str) for word in words) or not isinstance(entry.size_bytes, int):
        return False
    try:
        return os.path.isabs(entry.path) and b"\0" not in os.fsencode(entry.path + entry.keeper_path)
    except UnicodeEncodeError:
        return False
