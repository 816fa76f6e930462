"""The manifest of a quarantine: a line for each file that was put there, enough to bring it back without the index.

It promises that the line is on the disk before the file moves, and that a line cut off by a crash damages no other
line. Paths in quarantine are relative to the manifest, so that a quarantine may be moved or mounted elsewhere. It moves
nothing.

A manifest may come from anybody, for example on a stick. Whatever is in it, reading it does not block, takes no more
memory than the files that are there need, and yields only paths `<name>/<file>` in the very folder of the manifest. A
line says what its writer wants others to believe: code that acts on it checks the file first, and where it may go.
Enforced by tests/files/test_manifest.py.
"""

import errno
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from indexer.errors import lacks_descriptors
from indexer.files import io_steps
from indexer.files.moving import aside_path
from indexer.files.refusals import SYNCING_BYTES, SYNCING_NAMES, translate_refusal

MANIFEST_NAME = "manifest.jsonl"
LONGEST_LINE_BYTES = 1 << 17
"""The longest line that this tool writes: three paths of 4096 bytes, each byte escaped as six."""
_SHORTEST_LINE_BYTES = 100
_MAX_FOREIGN_BYTES = 1 << 22  # a few lines that crashes cut off, or a block of zeros after a power cut
_MAX_TEXT_LENGTH = 1024
_HEAD_BYTES = 64
_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Entry:
    """One file in quarantine: where it was, its content, and which file stood for it when it was removed."""

    path: str
    size_bytes: int
    content_hash: str
    keeper_path: str
    removed_at: str
    keeper_hash: str = ""
    index_id: str = ""
    run_token: str = ""
    """The last three fields are empty in lines of versions before 0.1.0."""


@dataclass
class ManifestContents:
    """What the manifests below a folder say about files that are there."""

    entries: dict[str, Entry] = field(default_factory=dict)
    """By path in quarantine, in the order of names. The last line of a path counts: a newer index may reuse it."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Manifests, folders and paths that are not read, each with the reason."""
    common_folder: str | None = None
    """The innermost folder above all original paths in the lines, also those of files that are back by now."""


def append_entry(quarantine_path: str, entry: Entry) -> None:
    """Appends the line of a file that is about to be moved to `quarantine_path`, and syncs it.

    A crash leaves the line, a part of it, or nothing. Raises `OSError` if it cannot be written.
    """
    append_entries([(quarantine_path, entry)])


def append_entries(entries: Sequence[tuple[str, Entry]]) -> None:
    """Appends the lines of many files, each with its path in quarantine, and syncs them, with one write for each run.

    Of several lines of one path the last one counts. Raises `OSError` if they cannot be written.
    """
    lines = dict[str, list[str]]()
    for quarantine_path, entry in entries:
        run_folder = os.path.dirname(os.path.dirname(quarantine_path))
        # Each line begins with a line break: a line that a crash cut off then damages only itself.
        line = "\n" + json.dumps({"place": os.path.relpath(quarantine_path, run_folder), **asdict(entry)})
        lines.setdefault(run_folder, []).append(line)
    for run_folder, run_lines in lines.items():
        manifest = os.path.join(run_folder, MANIFEST_NAME)
        is_new = not os.path.lexists(manifest)
        with translate_refusal(SYNCING_BYTES, manifest):
            io_steps.append(manifest, "".join(run_lines).encode("ascii"))
        if is_new:
            with translate_refusal(SYNCING_NAMES, manifest):
                io_steps.sync_folder(manifest)


def read(folder: str) -> ManifestContents:
    """What the manifests at and below a folder, given by its real path, say about files that are there.

    What cannot be read is in `refused`. Raises `OSError` only if this process has no file descriptor left.
    """
    contents = ManifestContents()
    pending = [folder]  # no recursion: folders nest deeper than Python's stack
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as folder_entries:
                names = sorted(
                    (entry.name, entry.is_dir(follow_symlinks=False))
                    for entry in folder_entries
                    if entry.name == MANIFEST_NAME or entry.is_dir(follow_symlinks=False)
                )
        except OSError as problem:
            _refuse(contents, current, problem)
            continue
        if MANIFEST_NAME in dict(names):
            _read_run(current, contents)
        pending += [os.path.join(current, name) for name, is_folder in reversed(names) if is_folder]
    return contents


def read_first_entries(folder: str) -> list[tuple[str, Entry]]:
    """For each run in a quarantine the first path in it, with its entry. The folder may also be a single run.

    A folder or manifest that cannot be read gives nothing. Raises `OSError` only if this process has no file descriptor
    left.
    """
    try:
        runs = sorted(os.listdir(folder))
    except OSError as problem:
        _raise_if_exhausted(problem)
        return []
    first_entries = []
    for run in [folder, *(os.path.join(folder, name) for name in runs)]:
        try:
            first = next(_iter_entries(run), None) if is_manifest(os.path.join(run, MANIFEST_NAME)) else None
        except OSError as problem:
            _raise_if_exhausted(problem)
            continue
        first_entries += [] if first is None else [first]
    return first_entries


def is_manifest(path: str) -> bool:
    """Whether the file at a path is a manifest of this tool, by its first bytes; False if it cannot be read.

    Raises `OSError` only if this process has no file descriptor left.
    """
    try:
        descriptor = io_steps.open_to_read(path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return False
            first = io_steps.read_bytes(descriptor, most=_HEAD_BYTES)
        finally:
            os.close(descriptor)
    except OSError as problem:
        _raise_if_exhausted(problem)  # else a directory walk would enter the run
        return False
    return first.lstrip(b"\n").startswith(b'{"place": ')


def _read_run(run_folder: str, contents: ManifestContents) -> None:
    """Adds the lines of one manifest to `contents`."""
    entries: dict[str, Entry] = {}
    aside_paths: dict[str, str] = {}  # by folder, the last path whose file a crash left aside
    try:
        for path, entry in _iter_entries(run_folder):
            contents.common_folder = _common_folder(contents.common_folder, os.path.dirname(entry.path))
            if path in entries or os.path.lexists(path):
                entries[path] = entry
            elif os.path.lexists(aside_path(path)):
                entries.pop(aside_paths.get(os.path.dirname(path), ""), None)
                aside_paths[os.path.dirname(path)] = path
                entries[path] = entry
    except OSError as problem:
        _refuse(contents, os.path.join(run_folder, MANIFEST_NAME), problem)
        return
    for path, entry in entries.items():
        if os.path.islink(os.path.dirname(path)):
            contents.refused.append((path, "its folder in the quarantine is a symbolic link, and none is followed"))
        else:
            contents.entries[path] = entry


def _common_folder(folder: str | None, other: str) -> str:
    """The innermost folder above both."""
    return other if folder is None or folder == other else os.path.commonpath([folder, other])


def _refuse(contents: ManifestContents, path: str, problem: OSError) -> None:
    _raise_if_exhausted(problem)
    reason = "it is a symbolic link" if problem.errno == errno.ELOOP else problem.strerror
    contents.refused.append((path, f"it cannot be read: {reason}"))


def _raise_if_exhausted(problem: OSError) -> None:
    """Raises if this process has no descriptors left: then the failure says nothing about the file."""
    if lacks_descriptors(problem):
        raise problem


def _iter_entries(run_folder: str) -> Iterator[tuple[str, Entry]]:
    """The lines of a manifest, one by one.

    Raises `OSError` if it is no regular file, or if much of it was written by others.
    """
    foreign_bytes = 0
    for lines, skipped_bytes in _iter_lines(os.path.join(run_folder, MANIFEST_NAME)):
        foreign_bytes += skipped_bytes
        for line in lines:
            parsed = _parse(line)
            if parsed is not None:
                yield os.path.join(run_folder, parsed[0]), parsed[1]
                continue
            foreign_bytes += len(line)  # cut off by a crash, or written by others
        if foreign_bytes > _MAX_FOREIGN_BYTES:
            raise OSError(errno.EFBIG, f"more than {_MAX_FOREIGN_BYTES >> 20} MB of it were not written by indexer")


def _iter_lines(path: str) -> Iterator[tuple[list[bytes], int]]:
    """Yields, by chunk, the lines of a regular file that can be ours by their length, and the size of the others."""
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
                rest = b"\0" * (LONGEST_LINE_BYTES + 1)  # so that the end of this line is not taken for a line
            yield fitting, skipped_bytes
        yield ([rest] if _SHORTEST_LINE_BYTES <= len(rest) <= LONGEST_LINE_BYTES else []), 0
    finally:
        os.close(descriptor)


def _parse(line: bytes) -> tuple[str, Entry] | None:
    """The path, relative to its run's folder, and the entry; None if `append_entry` cannot have written the line."""
    if not line.startswith(b"{"):
        return None
    try:
        record = json.loads(line.decode("utf-8", "surrogateescape"))
        relative_path = record.pop("place")
        entry = Entry(**record)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return (relative_path, entry) if _is_entry_path(relative_path) and _is_plausible(entry) else None


def _is_entry_path(value: object) -> bool:
    """Whether this is a folder and a file in it, as `append_entry` writes them."""
    if not isinstance(value, str) or not _is_storable_path(value):
        return False
    names = value.split(os.sep)
    return len(names) == 2 and not {"", os.curdir, os.pardir} & set(names)


def _is_plausible(entry: Entry) -> bool:
    """Whether `append_entry` can have written this: others may have written into the file, too."""
    texts = [entry.content_hash, entry.removed_at, entry.keeper_hash, entry.index_id, entry.run_token]
    if not all(isinstance(text, str) and len(text) <= _MAX_TEXT_LENGTH for text in texts):
        return False
    if type(entry.size_bytes) is not int or not 0 <= entry.size_bytes < 1 << 63:
        return False
    paths = (entry.path, entry.keeper_path)
    return all(isinstance(path, str) and _is_storable_path(path) for path in paths) and os.path.isabs(entry.path)


def _is_storable_path(path: str) -> bool:
    """Whether a disk can store such a name."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
