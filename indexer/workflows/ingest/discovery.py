"""Which files are in the folders and files that a person named, before anything is written.

It promises that a request that cannot be right (a wrong path, no image, a pattern without a match) is refused here with
one sentence. It opens folders only, no file.
"""

import gc
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from indexer.domain.names import NamePattern, Naming, PathNaming, name_path
from indexer.domain.naming.reading import read_path
from indexer.domain.naming.rules import NamingOptions, NamingRule, RuleBook
from indexer.domain.naming.tree import rule_of
from indexer.domain.paths import lies_below
from indexer.domain.plurals import counted
from indexer.errors import FolderError, NothingToIngestError
from indexer.escaping import printable
from indexer.files.markers import QUARANTINE_NAME
from indexer.files.system_folders import find_system_folder
from indexer.files.walking import (
    QUARANTINE_FOLDER,
    SYSTEM_FOLDER,
    Candidate,
    Skipped,
    iter_parents,
    list_outermost_folders,
    walk,
)

WRITE_BATCH_SIZE = 64
"""So many described files are written at once."""
BESIDE_ARGUMENT = "beside"
"""The argument under which a run stores the other indexes that a person wants this one used beside."""
_MAX_NAMED_FOLDERS = 5  # folders that a refusal names


@dataclass(frozen=True)
class IngestRequest:
    """What is in the folders and files that a person named, and how to name what is new."""

    paths: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
    options: NamingOptions = field(default_factory=NamingOptions)
    again: bool = False
    quarantines: tuple[str, ...] = ()
    """The quarantines that the directory walk met."""
    beside: tuple[str, ...] = ()
    """The ids of other indexes that have images there, if a person wants this one used beside them."""
    rules: RuleBook = field(default_factory=lambda: RuleBook({}))
    """How the images of folders are named: what the index has stored, and what the options say."""
    stored_rules: RuleBook = field(default_factory=lambda: RuleBook({}))
    """What the index has stored."""
    names: Mapping[str, PathNaming] = field(default_factory=dict)
    """What the paths say that were read together with their siblings, by path."""
    unclear_folders: frozenset[str] = frozenset()
    """The folders of cameras where nothing tells whether numbers below a date are hours or channels."""
    videos: tuple[Candidate, ...] = ()
    """The files with the name of a video, where these are wanted."""
    frames_folder: str | None = None
    """The folder for frames of videos, a real path; None if no videos are wanted."""
    watched: tuple[str, ...] = ()
    """Folders whose files come later, real paths of which none lies in another."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the request, as the run stores them."""
        options = self.options
        arguments: dict[str, Any] = {
            "paths": [printable(path) for path in self.paths],
            "camera": options.camera,
            "pattern": options.pattern,
        }
        others = ("camera_level", "scheme", "timezone", "is_new_rules", "forgets_rules")
        arguments |= {name: value for name in others if (value := getattr(options, name))}
        return arguments | ({BESIDE_ARGUMENT: list(self.beside)} if self.beside else {})

    @property
    def files(self) -> tuple[Candidate, ...]:
        """All files that get a camera and a time: the images and the videos."""
        return (*self.candidates, *self.videos)

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The real paths of the folders named, of those that hold named files, and of that for frames.

        Folders inside another one are left out.
        """
        roots = {candidate.root for candidate in self.files}
        roots |= {*self.watched} if self.frames_folder is None else {*self.watched, self.frames_folder}
        return tuple(sorted(root for root in roots if not any(above in roots for above in iter_parents(root))))

    def naming(self, candidate: Candidate, *, exif: tuple[str | None, str | None] = (None, None)) -> Naming:
        """The camera and the time of a file."""
        named = self.path_naming(candidate.path)
        return named.naming(mtime_ns=candidate.mtime_ns, exif_time=exif[0], exif_offset=exif[1])

    def path_naming(self, path: str) -> PathNaming:
        """What the path of a file says; alone, if it was not read with its siblings."""
        named = self.names.get(path)
        return name_path(path, read_path(path), rule=rule_of(path, self.rules)) if named is None else named

    @cached_property
    def rule_folders(self) -> tuple[str, ...]:
        """The folders named for which a rule is stored; of a lone file nothing is."""
        walked = set(list_outermost_folders(self.paths))
        return tuple(folder for folder in self.folders if folder in walked)

    @cached_property
    def unwalked_folders(self) -> Counter[str]:
        """How many hidden or system folders were not walked, by their names."""
        return _count_system_folders(self.skipped)

    @cached_property
    def unmatched(self) -> int:
        """The number of images and videos whose path the pattern does not match."""
        return sum(not self._matches(candidate) for candidate in self.files) if self.pattern else 0

    @cached_property
    def unread_stamps(self) -> int:
        """The number of images and videos that the pattern matches but that get no readable time from it."""
        if self.pattern is None or not self.pattern.reads_time:
            return 0
        return sum(
            self._matches(candidate) and self.path_naming(candidate.path).moment_source != "pattern"
            for candidate in self.files
        )

    @cached_property
    def pattern(self) -> NamePattern | None:
        """The pattern of the options."""
        return self.options.applied_to(NamingRule("/")).compiled

    def _matches(self, candidate: Candidate) -> bool:
        rule = rule_of(candidate.path, self.rules)
        return self.pattern is None or self.pattern.read(rule.relative(candidate.path)) is not None


def _count_system_folders(skipped: Iterable[Skipped]) -> Counter[str]:
    return Counter(os.path.basename(entry.path) for entry in skipped if entry.reason == SYSTEM_FOLDER)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pauses Python's cycle collector. A million small tuples make no cycles.

    The collector would run more often the more tuples there are, each time through all objects of the libraries (60
    ms).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@gc_paused()
def discover(
    paths: Iterable[str],
    *,
    again: bool = False,
    is_new_rules: bool = False,
    frames_folder: str | None = None,
    **options: Any,
) -> IngestRequest:
    """The ingest request for the named files and folders; `frames_folder`: videos are wanted, too, with frames there.

    `options`: those of `NamingOptions`, by name. Raises `UsageError` for one that makes no sense, and
    `NothingToIngestError` if no image is found or the pattern matches none.
    """
    named_paths = tuple(paths)
    checked = NamingOptions(is_new_rules=is_new_rules, **options).checked()
    quarantines: list[str] = []
    videos: list[Candidate] = []
    entries = list(walk(named_paths, quarantines=quarantines, videos=None if frames_folder is None else videos))
    candidates = tuple(entry for entry in entries if isinstance(entry, Candidate))
    skipped = tuple(entry for entry in entries if isinstance(entry, Skipped))
    shown = ", ".join(repr(path) for path in named_paths)
    if not candidates and not videos:
        reasons = ", ".join(
            f"{reason}: {number}" for reason, number in Counter(entry.reason for entry in skipped).items()
        )
        names = sorted(_count_system_folders(skipped))[:_MAX_NAMED_FOLDERS]
        not_walked = f"; not walked: {', '.join(map(repr, names))}; name such a folder itself to take it in"
        raise NothingToIngestError(
            f"there is no image in {shown} ({reasons or 'it is empty'}); "
            "images end in jpg, jpeg, jpe, jfif, jfi, mpo, png, bmp, tif, tiff, webp or avif"
            f"{not_walked if names else ''}"
        )
    quarantines += (entry.path for entry in skipped if _is_quarantine(entry))
    request = IngestRequest(named_paths, candidates, skipped, checked, again, tuple(quarantines))
    rules = request.rules.after(checked, {candidate.root for candidate in (*candidates, *videos)})
    request = replace(request, rules=rules, videos=tuple(videos), frames_folder=frames_folder)
    _require_matches(request)
    return request


def request_of_folders(paths: Iterable[str], *, frames_folder: str | None = None) -> IngestRequest:
    """The request of folders whose files come later. Raises `FolderError` for a path that is no folder."""
    named_paths = tuple(paths)
    for path in named_paths:
        if os.path.exists(path) and not os.path.isdir(path):
            raise FolderError(f"{path!r} is a file; name folders, or take it in with ingest")
    watched = list_outermost_folders(named_paths)
    for path in map(os.path.realpath, named_paths):
        above = next((folder for folder in watched if lies_below(path, folder)), None)
        if above is not None and find_system_folder(f"{path}/x", root=above) is not None:
            raise FolderError(f"{path!r} lies in {above!r} and is not walked there; watch it by a command of its own")
    return IngestRequest(named_paths, (), (), frames_folder=frames_folder, watched=watched)


def request_of_files(
    candidates: Iterable[Candidate],
    *,
    options: NamingOptions | None = None,
    videos: Iterable[Candidate] = (),
    frames_folder: str | None = None,
) -> IngestRequest:
    """The ingest request for exactly these files: it names no folder, so that nothing is looked for beside them.

    `videos`: with the folder for their frames, as in the request.
    """
    checked = (options or NamingOptions()).checked()
    files, recordings = tuple(candidates), tuple(videos)
    rules = RuleBook({}).after(checked, {candidate.root for candidate in (*files, *recordings)})
    return IngestRequest((), files, (), checked, rules=rules, videos=recordings, frames_folder=frames_folder)


def _require_matches(request: IngestRequest) -> None:
    """Refuses a pattern that matches no image and no video, or that reads no time where it should."""
    pattern, files = request.pattern, request.files
    if pattern is not None and files and request.unmatched == len(files):
        noun = "file" if request.videos else "image"
        raise NothingToIngestError(
            f"the pattern {pattern.pattern!r} matches none of {counted(len(files), noun)}, for example not "
            f"{files[0].path!r}; it is searched in the path below the folder you named"
        )
    if pattern is not None and files and request.unread_stamps == len(files):
        raise NothingToIngestError(
            f"no timestamp that the pattern {pattern.pattern!r} finds reads as a time; it may be 10 or 13 digits "
            "since 1970, a date and a time with any separators, or ISO 8601"
        )


def _is_quarantine(skipped: Skipped) -> bool:
    """Whether a skipped path is a quarantine, or may be a link to one."""
    is_link = skipped.reason == "symbolic link" and os.path.basename(skipped.path) == QUARANTINE_NAME
    return is_link or skipped.reason == QUARANTINE_FOLDER
