"""Which files lie below the folders that a person names.

It promises that every path it meets is reported once, as a candidate or as skipped with a reason, in an order that
depends on the names alone; that no symbolic link is followed below an argument; that quarantined files and the pictures
of reports are never seen; and that a hidden folder, bin or snapshot is walked only if it is an argument itself. It
opens no candidate: other modules find out whether it is a picture.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from indexer.domain.videos import VIDEO_EXTENSIONS
from indexer.errors import FolderError
from indexer.files.manifest import MANIFEST_NAME
from indexer.files.markers import QUARANTINE_MARKER, QUARANTINE_NAME, REPORT_MARKER, find_quarantine, is_run
from indexer.files.system_folders import is_system_folder

REPORT_FOLDER = "a report of indexer"
QUARANTINE_FOLDER = "a quarantine of indexer"
"""Why a folder of our own is skipped."""

NOT_AN_IMAGE = "not an image name"
UNFINISHED = "an unfinished file (.part, .tmp, .crdownload)"
"""Why a file is skipped by its name."""

SYSTEM_FOLDER = "hidden or system folder"
"""Why a folder with a name of `indexer.files.system_folders` is skipped."""

A_VIDEO = "a video; name the folder for its frames: --frames FOLDER"
"""Why a video is skipped where nobody said where its frames go."""

APPLE_DOUBLE = "AppleDouble file"
"""Why a `._` file is skipped: macOS keeps the resource fork of another file in it, with that file's suffix."""

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".mpo")
IMAGE_SUFFIXES = frozenset({*JPEG_SUFFIXES, ".png", ".bmp", ".tif", ".tiff", ".webp", ".avif"})
"""Suffixes of candidates, in small letters."""
VIDEO_SUFFIXES = VIDEO_EXTENSIONS
"""Suffixes of videos, in small letters."""
_UNFINISHED_SUFFIXES = (".part", ".tmp", ".crdownload")
_LONGEST_SUFFIX = 12


class Candidate(NamedTuple):
    """A regular file with the name of an image.

    A tuple, as there may be a million: it takes a third of the time of a dataclass.
    """

    path: str
    root: str
    """The folder argument that it was found below; for a file argument, its folder."""
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class Skipped:
    """A path that is no candidate. If it is a folder that could not be listed, nothing below it is known."""

    path: str
    reason: str
    """`NOT_AN_IMAGE`, `UNFINISHED`, `SYSTEM_FOLDER`, `APPLE_DOUBLE`, 'symbolic link', 'not a regular file', 'a report
    of indexer', 'a quarantine of indexer', 'Permission denied', 'gone while walking' or another text of the operating
    system."""
    is_refused: bool = field(default=False, compare=False)
    """Whether the system refused to show what is there: it may be a candidate."""


@dataclass(frozen=True)
class _Arguments:
    folders: tuple[str, ...]
    """Real paths, each once; a folder comes after the folders that contain it."""
    files: tuple[tuple[str, str], ...]
    """(real folder, name) of each."""


def walk(
    paths: Sequence[str], *, quarantines: list[str] | None = None, videos: list[Candidate] | None = None
) -> Iterator[Candidate | Skipped]:
    """Everything below the named folders, and the named files, each path once.

    The files of a folder come before its subfolders, each in the byte order of names. File arguments come after all
    folders. A folder argument may be a symbolic link; a file argument that is one is skipped. If arguments overlap, the
    outermost is the root. Quarantines with the usual name are not yielded: they are added to `quarantines` when the
    walk meets them. So are files with the name of a video, to `videos`; without that list they are skipped.

    Raises
    ------
    FolderError
        At once, before anything is walked, for an argument that does not exist, cannot be listed or lies in a
        quarantine.
    """
    entries = _walk(_resolve_arguments(paths), quarantines=[] if quarantines is None else quarantines)
    return _without_videos(entries, videos)


def _without_videos(
    entries: Iterator[Candidate | Skipped], videos: list[Candidate] | None
) -> Iterator[Candidate | Skipped]:
    """The entries without candidates that are videos: these are added to `videos`, or skipped without that list."""
    for entry in entries:
        if not isinstance(entry, Candidate) or is_image_name(os.path.basename(entry.path)):
            yield entry
        elif videos is None:
            yield Skipped(entry.path, A_VIDEO)
        else:
            videos.append(entry)


def list_outermost_folders(paths: Sequence[str]) -> tuple[str, ...]:
    """The real paths of the folder arguments, each once, without those that lie in another one.

    Raises `FolderError` as `walk`.
    """
    folders = dict.fromkeys(_resolve_arguments(paths).folders)
    return tuple(folder for folder in folders if not any(above in folders for above in iter_parents(folder)))


def _resolve_arguments(paths: Sequence[str]) -> _Arguments:
    folders: list[str] = []
    files: list[tuple[str, str]] = []
    for path in paths:
        try:
            is_folder, real_path = _locate(path)
        except (OSError, ValueError) as problem:  # ValueError: a NUL, or a surrogate that stands for no byte
            reason = problem.strerror if isinstance(problem, OSError) else "no disk can hold such a name"
            raise FolderError(
                f"Cannot walk {path!r}: {reason}. Name a folder or image file that exists and that you may read."
            ) from None
        if find_quarantine(real_path) is not None:
            raise FolderError(
                f"Cannot walk {path!r}: it lies in a quarantine, which holds removed images. "
                f"To bring them back, use the command restore."
            )
        if is_folder:
            folders.append(real_path)
        else:
            files.append(os.path.split(real_path))
    # Containers first: a folder is walked as a root only if no walk of a container reached it. The sort is stable.
    unique = dict.fromkeys(folders)
    by_depth = sorted(unique, key=lambda folder: sum(above in unique for above in iter_parents(folder)))
    return _Arguments(tuple(by_depth), tuple(dict.fromkeys(files)))


def _locate(path: str) -> tuple[bool, str]:
    """Whether an argument is a folder that can be listed, and its real path; for a file, within its real folder."""
    os.lstat(path)
    if os.path.isdir(path):
        os.scandir(path).close()
        return True, os.path.realpath(path, strict=True)
    folder, name = os.path.split(path)
    return False, os.path.join(os.path.realpath(folder, strict=True), name)


def iter_parents(path: str) -> Iterator[str]:
    """Every folder that a path lies in, the nearest first."""
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        yield path


def _walk(arguments: _Arguments, *, quarantines: list[str]) -> Iterator[Candidate | Skipped]:
    listed: set[str] = set()
    argument_folders = frozenset(arguments.folders)
    for root in arguments.folders:
        yield from _walk_folder(root, listed=listed, argument_folders=argument_folders, quarantines=quarantines)
    for folder, name in arguments.files:
        if folder not in listed:
            yield describe_path(os.path.join(folder, name), root=folder)


def _walk_folder(
    root: str, *, listed: set[str], argument_folders: Set[str], quarantines: list[str]
) -> Iterator[Candidate | Skipped]:
    """What lies below one root, except in folders `listed` before; adds the folders listed now."""
    pending = [root]  # no recursion: folders nest deeper than Python's stack
    while pending:
        folder = pending.pop()
        if folder in listed:
            continue
        subfolders: list[str] = []
        try:
            entries = _list_entries(folder)
        except OSError as problem:
            yield _unseen(folder, problem)
            continue
        listed.add(folder)
        yield from _describe_entries(folder, entries, root, argument_folders, subfolders, quarantines)
        pending.extend(reversed(subfolders))


@dataclass(frozen=True)
class FolderListing:
    """The files of one folder, with the folders that are skipped, and the folders below it to walk."""

    entries: tuple[Candidate | Skipped, ...]
    subfolders: tuple[str, ...]


def list_folder(folder: str, *, root: str, argument_folders: Set[str] = frozenset()) -> FolderListing:
    """What lies in a folder of a root, in the byte order of names. A folder of our own is its only entry.

    System folders in `argument_folders` are left out: they are walked as roots of their own. Raises `OSError` if the
    folder cannot be listed.
    """
    subfolders: list[str] = []
    described = _describe_entries(folder, _list_entries(folder), root, argument_folders, subfolders, [])
    return FolderListing(tuple(described), tuple(subfolders))


def _describe_entries(
    folder: str,
    entries: Sequence[os.DirEntry[str]],
    root: str,
    argument_folders: Set[str],
    subfolders: list[str],
    quarantines: list[str],
) -> Iterator[Candidate | Skipped]:
    """The files of a folder, and what is skipped; adds the folders to walk and the quarantines to the lists."""
    if (skip_reason := _own_folder_reason(folder, {entry.name for entry in entries})) is not None:
        yield Skipped(folder, skip_reason)
        return
    for entry in entries:
        outcome = _describe_entry(entry, root=root, argument_folders=argument_folders)
        if outcome is not None:
            yield outcome
        elif entry.name == QUARANTINE_NAME:
            quarantines.append(entry.path)
        elif not is_system_folder(entry.name):
            subfolders.append(entry.path)


def _own_folder_reason(folder: str, names: Set[str]) -> str | None:
    """Why a folder with these entries is not walked; None if it is no folder of ours."""
    if REPORT_MARKER in names:
        return REPORT_FOLDER
    return QUARANTINE_FOLDER if QUARANTINE_MARKER in names or (MANIFEST_NAME in names and is_run(folder)) else None


def _list_entries(folder: str) -> list[os.DirEntry[str]]:
    """All entries of a folder in the byte order of their names."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: os.fsencode(entry.name))


def _describe_entry(entry: os.DirEntry[str], *, root: str, argument_folders: Set[str]) -> Candidate | Skipped | None:
    """The candidate or skipped path of an entry; None for a folder to walk, or for a quarantine.

    A system folder is walked only if it is an argument.
    """
    try:
        if entry.is_symlink():
            return Skipped(entry.path, "symbolic link")
        if entry.is_dir(follow_symlinks=False):
            is_walkable = (
                entry.name == QUARANTINE_NAME or entry.path in argument_folders or not is_system_folder(entry.name)
            )
            return None if is_walkable else Skipped(entry.path, SYSTEM_FOLDER)
        skip_reason = _file_skip_reason(entry.name)  # first: a file that is no candidate needs no `stat`
        if skip_reason is not None:
            return Skipped(entry.path, skip_reason)
        return _classify_by_status(entry.path, root=root, status=entry.stat(follow_symlinks=False))
    except OSError as problem:
        return _unseen(entry.path, problem)


def describe_path(path: str, *, root: str) -> Candidate | Skipped:
    """The candidate or skipped path of a file that was named itself, or that its folder reported."""
    name = os.path.basename(path)
    try:
        status = os.lstat(path)
    except OSError as problem:
        return _unseen(path, problem)
    if stat.S_ISLNK(status.st_mode):
        return Skipped(path, "symbolic link")
    if (skip_reason := _file_skip_reason(name)) is not None:
        return Skipped(path, skip_reason)
    return _classify_by_status(path, root=root, status=status)


def _file_skip_reason(name: str) -> str | None:
    """Why a file with this name is no candidate; None if it is one."""
    if name.startswith("._"):
        return APPLE_DOUBLE
    return None if is_image_name(name) or is_video_name(name) else _name_reason(name)


def is_video_name(name: str) -> bool:
    """Whether a name ends in one of `VIDEO_SUFFIXES` and has more than dots before it."""
    stem, dot, suffix = name.rpartition(".")
    return (dot + suffix).lower() in VIDEO_SUFFIXES and stem.strip(".") != ""


def is_image_name(name: str) -> bool:
    """Whether a name ends in one of `IMAGE_SUFFIXES` and has more than dots before it."""
    stem, dot, suffix = name.rpartition(".")
    return (dot + suffix).lower() in IMAGE_SUFFIXES and stem.strip(".") != ""


def _name_reason(name: str) -> str:
    return UNFINISHED if name.lower().endswith(_UNFINISHED_SUFFIXES) else NOT_AN_IMAGE


def suffix_of(path: str) -> str:
    """The last suffix of a path's name, in small letters and with its dot; empty if there is none or a long one."""
    stem, dot, suffix = os.path.basename(path).rpartition(".")
    return f"{dot}{suffix}".lower() if stem.strip(".") and len(suffix) < _LONGEST_SUFFIX else ""


def _classify_by_status(path: str, *, root: str, status: os.stat_result) -> Candidate | Skipped:
    if not stat.S_ISREG(status.st_mode):
        return Skipped(path, "not a regular file")
    return Candidate(path, root, status.st_size, status.st_mtime_ns)


def _unseen(path: str, problem: OSError) -> Skipped:
    """A path that the system did not show."""
    if isinstance(problem, FileNotFoundError):
        return Skipped(path, "gone while walking")
    reason = problem.strerror or errno.errorcode.get(problem.errno or 0, "unknown problem")
    return Skipped(path, reason, is_refused=not isinstance(problem, NotADirectoryError))
