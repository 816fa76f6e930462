"""What stands for each removed file, recorded beside the images themselves: `witnesses.jsonl` in a quarantine.

It promises that

- a line is on the disk before its file is removed;
- lines are only added; and
- a line cut off by a crash damages no other line.

Every command that removes a file first reads the records in every folder above it. So an index that was restored from a
backup, or one that somebody else made, sees the removal. It does not know any index.

A line says that the content `removed_hash` was removed from `removed_path`, and that the content `witness_hash`, then
at `witness_path`, stands for it. A later line with the same removed content and path, `restored` or again `removed`,
ends it. It is also not in force while the content is back at that path. As it is written before its file is removed, a
line may be about a removal that failed. A line `failed` of the same run says so: the lines before it then count as if
there had been no such removal. Versions that do not know this event pass over it.

Decision 0012: the record lies in the default quarantine of the ingested folder, whatever `--quarantine` says.
"""

import errno
import json
import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from indexer.files import io_steps
from indexer.files.markers import QUARANTINE_MARKER, QUARANTINE_NAME
from indexer.files.refusals import SYNCING_BYTES, SYNCING_NAMES, translate_refusal
from indexer.files.verification import ContentDigest, MismatchError, verify

RECORD_NAME = "witnesses.jsonl"
_MAX_LINE_BYTES = 1 << 17  # two paths of 4096 bytes, each byte escaped as six
_MAX_FOREIGN_BYTES = 1 << 24
_MAX_ACTIVE_BYTES = 1 << 30  # the lines of more than a million removals
_CHUNK_BYTES = 1 << 20
_REMOVED_HASH = b'"removed_hash": "'
_REMOVED_CONTENT = re.compile(rb'"removed_hash": "([0-9a-f]{64})"')

WitnessEvent = Literal["removed", "restored", "failed"]
FileKey = tuple[str, str]
"""A removed file in a record: the hash of its content, and its path."""


@dataclass(frozen=True)
class WitnessLine:
    """One line of a record. Hashes are sha256, hexadecimal; `at` is ISO 8601."""

    event: WitnessEvent
    removed_hash: str
    removed_size_bytes: int
    removed_path: str
    witness_hash: str
    witness_path: str
    index_id: str
    run_token: str
    at: str

    @property
    def key(self) -> FileKey:
        """Which removed file the line is about."""
        return self.removed_hash, self.removed_path

    def is_in_force(self) -> bool:
        """Whether the removed content is not back at its path; True also if that cannot be checked."""
        if not os.path.lexists(self.removed_path):
            return True
        try:
            verify(self.removed_path, expected=ContentDigest(self.removed_size_bytes, self.removed_hash))
        except MismatchError:
            return True
        return False


def append(folder: str, *lines: WitnessLine) -> None:
    """Appends lines to the record of a quarantine and syncs them to the disk.

    A crash may leave some of the lines, or a part of one. Raises `OSError` if they cannot be written.
    """
    path = os.path.join(folder, RECORD_NAME)
    is_new = not os.path.lexists(path)
    # Each line begins with a line break: a line that a crash cut off then damages only itself.
    with translate_refusal(SYNCING_BYTES, path):
        io_steps.append(path, "".join(f"\n{json.dumps(asdict(line))}" for line in lines).encode("ascii"))
    if is_new:
        with translate_refusal(SYNCING_NAMES, path):
            io_steps.sync_folder(path)


def append_restored(line: WitnessLine, *, may_write: Callable[[str], bool] = lambda _folder: True) -> None:
    """Appends the line to every record that is found from its two paths, until one cannot be written.

    `may_write` says of a folder, given by its real path, whether its record may be written to.
    """
    with suppress(OSError):
        for folder in list_record_folders((line.removed_path, line.witness_path)):
            if may_write(folder) and os.path.lexists(os.path.join(folder, RECORD_NAME)):
                append(folder, line)


def append_failed(line: WitnessLine) -> None:
    """Appends the line to every record found from its two paths that has the removal which failed.

    Raises `OSError` if one cannot be read or written. Lines that were written by then do no harm.
    """
    for folder in list_record_folders((line.removed_path, line.witness_path)):
        removals = _list_removals(read_lines(folder, removed_contents={line.removed_hash})).get(line.key, ())
        if any(removal.run_token == line.run_token for removal in removals):
            append(folder, line)


def list_record_folders(paths: Iterable[str]) -> list[str]:
    """The real paths of the quarantines named `.indexer-quarantine` in all folders above these paths, sorted.

    Raises `OSError` if one is a link that leads nowhere: its disk is not mounted, so its record cannot be read.
    """
    folders = {os.path.realpath(os.path.dirname(path)) for path in paths}
    for folder in list(folders):
        while folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
            folders.add(folder)
    return sorted({real for folder in folders if (real := find_quarantine_in(folder)) is not None})


def is_recorded_near(path: str) -> bool:
    """Whether a record is found from a path. Where a file was removed there is one, if its disk is mounted."""
    try:
        return any(os.path.lexists(os.path.join(folder, RECORD_NAME)) for folder in list_record_folders([path]))
    except OSError:
        return False


def find_quarantine_in(folder: str) -> str | None:
    """The real path of the `.indexer-quarantine` in a folder; None if there is none, or if it is no quarantine.

    Raises `OSError` if it is a link that leads nowhere, or if it cannot be read.
    """
    path = os.path.join(folder, QUARANTINE_NAME)
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        if problem.errno == errno.ELOOP:  # the folder is a link to itself and holds nothing
            return None
        raise
    if stat.S_ISDIR(mode):
        return os.path.realpath(path)
    if not stat.S_ISLNK(mode):
        return None
    real = os.path.realpath(path)
    if not os.path.isdir(real):
        raise OSError(errno.ENOENT, "the quarantine is a link that leads nowhere", path)
    # A link with that name to some other folder says nothing about removed files.
    marked = os.path.lexists(os.path.join(real, QUARANTINE_MARKER)) or os.path.basename(real) == QUARANTINE_NAME
    return real if marked else None


def read_lines(folder: str, *, removed_contents: Set[str] | None = None) -> Iterator[WitnessLine]:
    """All valid lines of the record of a quarantine, oldest first; none if there is no record.

    With `removed_contents` only those about a removed file with one of these hashes.

    Raises `OSError` if the record cannot be read.
    """
    for line in _iter_unparsed(folder):
        if removed_contents is not None and _hash_after(line, _REMOVED_HASH) not in removed_contents:
            continue
        if (parsed := _parse(line)) is not None:
            yield parsed


def iter_removed_contents(folder: str) -> Iterator[str]:
    """The hash of the removed content in each line of the record of a quarantine, oldest first; none if there is none.

    No line is parsed, so a hash may also be that of a line which others wrote, or which a crash cut off.

    Raises `OSError` if the record cannot be read.
    """
    for line in _iter_unparsed(folder):
        if (match := _REMOVED_CONTENT.search(line)) is not None:
            yield match[1].decode("ascii")


def _iter_unparsed(folder: str) -> Iterator[bytes]:
    try:
        descriptor = io_steps.open_to_read(os.path.join(folder, RECORD_NAME))
    except FileNotFoundError:
        return
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return
    with os.fdopen(descriptor, "rb") as file:
        while line := file.readline(_MAX_LINE_BYTES):
            yield line


def list_removals(folder: str) -> list[WitnessLine]:
    """The last removal of each file that no later line ended, by the record of a quarantine.

    Raises `OSError` if the record cannot be read.
    """
    return [removals[-1] for removals in _list_removals(read_lines(folder)).values()]


def list_last_removals(folders: Iterable[str], *, contents: Set[str]) -> list[tuple[str, WitnessLine]]:
    """The last removal of each file with one of these contents, each with the folder of its record.

    It does not matter whether the file is back. A record that cannot be read gives nothing: nothing is removed there.
    """
    last_removals: list[tuple[str, WitnessLine]] = []
    for folder in folders:
        with suppress(OSError):
            lines = read_lines(folder, removed_contents=contents)
            removals = _list_removals(line for line in lines if line.event != "restored")
            last_removals += ((folder, lines_of_file[-1]) for lines_of_file in removals.values())
    return last_removals


def _list_removals(lines: Iterable[WitnessLine]) -> dict[FileKey, list[WitnessLine]]:
    """The removals of each file that no later line ended, oldest first; files without one are left out."""
    removals: dict[FileKey, list[WitnessLine]] = defaultdict(list)
    for line in lines:
        removals[line.key] = _continued(removals[line.key], line)
    return {key: of_file for key, of_file in removals.items() if of_file}


def _continued(removals: Sequence[WitnessLine], line: WitnessLine) -> list[WitnessLine]:
    """The removals of one file that are not ended, oldest first, after one more line about the file."""
    if line.event == "restored":
        return []
    of_other_runs = [removal for removal in removals if removal.run_token != line.run_token]
    return of_other_runs if line.event == "failed" else [*of_other_runs, line]


class WitnessRecords:
    """The lines in the records of quarantines that name a witness in `contents`, a set of content hashes.

    Each record is read once. Later calls read only the lines that were added to it.
    """

    def __init__(self, contents: Set[str]) -> None:
        self._contents = contents
        self._records: dict[str, _RecordFile] = {}

    def list_in_force(self, folders: Iterable[str], *, content_hash: str) -> list[tuple[str, WitnessLine]]:
        """The lines that are in force and name this content as a witness, each with the folder of its record.

        Raises `OSError` if a record cannot be read, because it is then unknown what it says.
        """
        lines: list[tuple[str, WitnessLine]] = []
        for folder in folders:
            record = self._records.setdefault(folder, _RecordFile(os.path.join(folder, RECORD_NAME), self._contents))
            record.read_new_lines()
            lines += ((folder, line) for line in record.active.get(content_hash, {}).values())
        return [(folder, line) for folder, line in lines if line.is_in_force()]


class _RecordFile:
    """One record file; `active` has the lines that no later line ended, by witness, removed content and path."""

    def __init__(self, path: str, contents: Set[str]) -> None:
        self._path, self._contents = path, contents
        self._file: tuple[int, int] | None = None
        self._size_bytes, self._last_line, self._active_bytes = 0, 0, 0
        self.active: dict[str, dict[FileKey, WitnessLine]] = {}
        self._removals: dict[FileKey, list[WitnessLine]] = {}
        self._removed = set[str]()

    def read_new_lines(self) -> None:
        """Reads the lines that were added since the last call. Another file at the path is read from its beginning."""
        try:
            status = os.lstat(self._path)
        except FileNotFoundError:
            self._reset(None)
            return
        _require_regular(status, self._path)
        file = (status.st_dev, status.st_ino)
        if file != self._file or status.st_size < self._size_bytes:
            self._reset(file)
        if status.st_size == self._size_bytes:
            return
        descriptor = io_steps.open_to_read(self._path)
        try:
            _require_regular(os.fstat(descriptor), self._path)
            os.lseek(descriptor, self._last_line, os.SEEK_SET)
            self._read_lines(descriptor)
        finally:
            os.close(descriptor)

    def _reset(self, file: tuple[int, int] | None) -> None:
        self._file, self._size_bytes, self._last_line, self._active_bytes = file, 0, 0, 0
        self.active, self._removals, self._removed = {}, {}, set()

    def _read_lines(self, descriptor: int) -> None:
        """Adds the lines from the last position on. The next call reads the last line again, as it may be cut now."""
        position, rest, foreign_bytes = self._last_line, b"", 0
        while chunk := io_steps.read_bytes(descriptor, most=_CHUNK_BYTES):
            position += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._add_line(line)
            if lines:
                self._last_line = position - len(rest)
            foreign_bytes = 0 if lines else foreign_bytes + len(chunk)
            if foreign_bytes > _MAX_FOREIGN_BYTES:
                raise OSError(errno.EFBIG, "the record has a line that does not end", self._path)
            rest = rest[: _MAX_LINE_BYTES + 1]
        self._add_line(rest)
        self._size_bytes = position

    def _add_line(self, line: bytes) -> None:
        is_named_witness = _hash_after(line, b'"witness_hash": "') in self._contents
        may_end_line = _hash_after(line, _REMOVED_HASH) in self._removed
        if len(line) > _MAX_LINE_BYTES or not (is_named_witness or may_end_line) or (parsed := _parse(line)) is None:
            return
        key, before = parsed.key, self._removals.get(parsed.key, [])
        after = self._removals[key] = _continued(before, parsed)
        if before:
            self.active.get(before[-1].witness_hash, {}).pop(key, None)
        if after:
            self.active.setdefault(after[-1].witness_hash, {})[key] = after[-1]
        else:
            del self._removals[key]
        if parsed.event == "removed":
            self._removed.add(parsed.removed_hash)
            self._active_bytes += len(line)
            if self._active_bytes > _MAX_ACTIVE_BYTES:
                raise OSError(errno.EFBIG, "the record has more lines in force than can be kept in memory", self._path)


def _require_regular(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "the record is no regular file", path)


def _hash_after(line: bytes, name: bytes) -> str:
    """The 64 digits after a field name, without parsing the whole line: a record may have a million lines."""
    start = line.find(name)
    return "" if start < 0 else line[start + len(name) : start + len(name) + 64].decode("ascii", "replace")


def _parse(line: bytes) -> WitnessLine | None:
    """The line; None if a crash cut it off, or if others wrote it."""
    try:
        parsed = WitnessLine(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = [parsed.removed_hash, parsed.removed_path, parsed.witness_hash, parsed.witness_path]
    texts += [parsed.index_id, parsed.run_token, parsed.at]
    if parsed.event not in get_args(WitnessEvent):
        return None
    has_valid_types = all(isinstance(text, str) for text in texts) and isinstance(parsed.removed_size_bytes, int)
    return parsed if has_valid_types and os.path.isabs(parsed.removed_path) else None
