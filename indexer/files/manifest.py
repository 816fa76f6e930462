"""What a quarantine says of itself: a line per file that was put there, enough to bring it back without the index.

It promises that the line is on the disk before the file moves, and that a line cut in the middle spoils no other.
Places are relative to the manifest, so that a quarantine may be moved or mounted elsewhere. It moves nothing.

A manifest may come from anybody, as with a stick. Whatever is in it, reading it does not wait, takes no more memory
than the files that are there need, and gives only places `<name>/<file>` in the very folder of the manifest. A line
tells what its writer wants to be believed: whoever acts on it looks at the file first, and asks where it may go.
Enforced by tests/files/test_manifest.py.
"""

import errno
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from indexer.errors import lacks_descriptors
from indexer.files import io_steps
from indexer.files.moving import aside_path
from indexer.files.refusals import SYNCING_BYTES, SYNCING_NAMES, needing

MANIFEST_NAME = "manifest.jsonl"
LONGEST_LINE_BYTES = 1 << 17
"""Of a line that this tool wrote: three paths of 4096 bytes, each byte escaped as six."""
_SHORTEST_LINE_BYTES = 100
_MOST_FOREIGN_BYTES = 1 << 22  # a few lines that cuts left, or a block of zeros after a power cut
_LONGEST_WORD = 1024
_HEAD_BYTES = 64
_CHUNK_BYTES = 1 << 18


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


@dataclass
class Contents:
    """What the manifests below a folder say of files that are there."""

    entries: dict[str, Entry] = field(default_factory=dict)
    """By place, in the order of names. Of a place the last line holds: it may be given again by a newer index."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Manifests, folders and places that are not looked into, each with the reason."""
    common_folder: str | None = None
    """The innermost folder above all paths that are named, also of files that are back by now."""


def note(place: str, entry: Entry) -> None:
    """Write that a file is about to be moved to a place. A cut leaves the line, a part of it, or nothing."""
    run_folder = os.path.dirname(os.path.dirname(place))
    manifest = os.path.join(run_folder, MANIFEST_NAME)
    # Each line begins with a line break: a line that a cut left unfinished then spoils only itself.
    line = "\n" + json.dumps({"place": os.path.relpath(place, run_folder), **asdict(entry)})
    is_new = not os.path.lexists(manifest)
    with needing(SYNCING_BYTES, manifest):
        io_steps.append(manifest, line.encode("ascii"))
    if is_new:
        with needing(SYNCING_NAMES, manifest):
            io_steps.sync_folder(manifest)


def read(folder: str) -> Contents:
    """What the manifests at and below a folder, given by its real path, say of files that are there."""
    contents = Contents()
    waiting = [folder]  # no recursion: folders nest deeper than Python's stack
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(inside) as found:
                names = sorted(
                    (entry.name, entry.is_dir(follow_symlinks=False))
                    for entry in found
                    if entry.name == MANIFEST_NAME or entry.is_dir(follow_symlinks=False)
                )
        except OSError as problem:
            _refuse(contents, inside, problem)
            continue
        if MANIFEST_NAME in dict(names):
            _read_run(inside, contents)
        waiting += [os.path.join(inside, name) for name, is_folder in reversed(names) if is_folder]
    return contents


def read_heads(folder: str) -> list[tuple[str, Entry]]:
    """The first place, with its entry, of each run in a quarantine, which may be one run itself; none where there is
    no such folder."""
    try:
        runs = sorted(os.listdir(folder))
    except OSError as problem:
        _raise_if_exhausted(problem)
        return []
    heads = []
    for run in [folder, *(os.path.join(folder, name) for name in runs)]:
        try:
            head = next(_entries(run), None) if is_manifest(os.path.join(run, MANIFEST_NAME)) else None
        except OSError as problem:
            _raise_if_exhausted(problem)
            continue
        heads += [] if head is None else [head]
    return heads


def is_manifest(path: str) -> bool:
    """Whether the file at a path is a manifest of ours, by its first line."""
    try:
        descriptor = io_steps.open_to_read(path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return False
            first = io_steps.read_bytes(descriptor, most=_HEAD_BYTES)
        finally:
            os.close(descriptor)
    except OSError as problem:
        _raise_if_exhausted(problem)  # else a run would be walked, as if it were none
        return False
    return first.lstrip(b"\n").startswith(b'{"place": ')


def _read_run(run_folder: str, contents: Contents) -> None:
    """Notes what one manifest says."""
    said: dict[str, Entry] = {}
    waiting: dict[str, str] = {}  # by folder, the last place whose file waits beside it, as a cut left it
    try:
        for place, entry in _entries(run_folder):
            contents.common_folder = _common(contents.common_folder, os.path.dirname(entry.path))
            if place in said or os.path.lexists(place):
                said[place] = entry
            elif os.path.lexists(aside_path(place)):
                said.pop(waiting.get(os.path.dirname(place), ""), None)
                waiting[os.path.dirname(place)] = place
                said[place] = entry
    except OSError as problem:
        _refuse(contents, os.path.join(run_folder, MANIFEST_NAME), problem)
        return
    for place, entry in said.items():
        if os.path.islink(os.path.dirname(place)):
            contents.refused.append((place, "its folder in the quarantine is a symbolic link, and none is followed"))
        else:
            contents.entries[place] = entry


def _common(folder: str | None, other: str) -> str:
    """The innermost folder above both."""
    return other if folder is None or folder == other else os.path.commonpath([folder, other])


def _refuse(contents: Contents, path: str, problem: OSError) -> None:
    _raise_if_exhausted(problem)
    reason = "it is a symbolic link" if problem.errno == errno.ELOOP else problem.strerror
    contents.refused.append((path, f"it cannot be read: {reason}"))


def _raise_if_exhausted(problem: OSError) -> None:
    """Nothing is told of a file by that this process may open no more."""
    if lacks_descriptors(problem):
        raise problem


def _entries(run_folder: str) -> Iterator[tuple[str, Entry]]:
    """What a manifest says, line by line. Raises `OSError` if it is no regular file, or holds much of others."""
    foreign_bytes = 0
    for lines, skipped_bytes in _lines(os.path.join(run_folder, MANIFEST_NAME)):
        foreign_bytes += skipped_bytes
        for line in lines:
            found = _parse(line)
            if found is not None:
                yield os.path.join(run_folder, found[0]), found[1]
                continue
            foreign_bytes += len(line)  # cut in the middle, or written by others
        if foreign_bytes > _MOST_FOREIGN_BYTES:
            raise OSError(errno.EFBIG, f"more than {_MOST_FOREIGN_BYTES >> 20} MB of it were not written by indexer")


def _lines(path: str) -> Iterator[tuple[list[bytes], int]]:
    """The lines of a regular file that can be ours by their length, a chunk at a time, and the bytes of all others."""
    descriptor = io_steps.open_to_read(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        rest = b""
        while chunk := io_steps.read_bytes(descriptor, most=_CHUNK_BYTES):
            piece = rest + chunk
            *lines, rest = piece.split(b"\n")
            fitting = [line for line in lines if _SHORTEST_LINE_BYTES <= len(line) <= LONGEST_LINE_BYTES]
            skipped_bytes = len(piece) - len(rest) - sum(len(line) + 1 for line in fitting)
            if len(rest) > LONGEST_LINE_BYTES:
                skipped_bytes += len(rest)
                rest = b"\0" * (LONGEST_LINE_BYTES + 1)  # the end of that line is no line
            yield fitting, skipped_bytes
        yield ([rest] if _SHORTEST_LINE_BYTES <= len(rest) <= LONGEST_LINE_BYTES else []), 0
    finally:
        os.close(descriptor)


def _parse(line: bytes) -> tuple[str, Entry] | None:
    """The place, relative to its run's folder, and the entry; None for a line that `note` cannot have written."""
    if not line.startswith(b"{"):
        return None
    try:
        said = json.loads(line.decode("utf-8", "surrogateescape"))
        place = said.pop("place")
        entry = Entry(**said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return (place, entry) if _is_place(place) and _makes_sense(entry) else None


def _is_place(place: object) -> bool:
    """Whether this is a folder and a file in it, as `note` names them."""
    if not isinstance(place, str) or not _is_name_of_disk(place):
        return False
    names = place.split(os.sep)
    return len(names) == 2 and not {"", os.curdir, os.pardir} & set(names)


def _makes_sense(entry: Entry) -> bool:
    """Whether this can be what `note` wrote: others may have written into the file too."""
    words = [entry.content_hash, entry.removed_at, entry.keeper_hash, entry.index_id, entry.run_token]
    if not all(isinstance(word, str) and len(word) <= _LONGEST_WORD for word in words):
        return False
    if type(entry.size_bytes) is not int or not 0 <= entry.size_bytes < 1 << 63:
        return False
    paths = (entry.path, entry.keeper_path)
    return all(isinstance(path, str) and _is_name_of_disk(path) for path in paths) and os.path.isabs(entry.path)


def _is_name_of_disk(path: str) -> bool:
    """Whether a disk can hold such a name."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
