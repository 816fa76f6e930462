"""Which files are in the folders and files that a person named, before anything is written.

It promises that a request that cannot be right (a wrong path, no image, a pattern without a match) is refused here with
one sentence. It opens folders only, no file.
"""

import gc
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from indexer.domain.names import Naming, compile_pattern, matches_pattern, name_image
from indexer.domain.plurals import counted
from indexer.errors import FolderError, UsageError
from indexer.files.markers import QUARANTINE_NAME
from indexer.files.walking import QUARANTINE_FOLDER, SYSTEM_FOLDER, Candidate, Skipped, iter_parents, walk

BESIDE_ARGUMENT = "beside"
"""The argument under which a run stores the other indexes that a person wants this one used beside."""
_MAX_NAMED_FOLDERS = 5  # folders that a refusal names


@dataclass(frozen=True)
class IngestRequest:
    """What is in the folders and files that a person named, and how to name what is new."""

    paths: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
    camera: str | None = None
    pattern: re.Pattern[str] | None = None
    again: bool = False
    quarantines: tuple[str, ...] = ()
    """The quarantines that the directory walk met."""
    beside: tuple[str, ...] = ()
    """The ids of other indexes that have images there, if a person wants this one used beside them."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the request, as the run stores them."""
        pattern = None if self.pattern is None else self.pattern.pattern
        arguments = {"paths": [ascii(path)[1:-1] for path in self.paths], "camera": self.camera, "pattern": pattern}
        return arguments | ({BESIDE_ARGUMENT: list(self.beside)} if self.beside else {})

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The real paths of the folders named and of those that hold named files, except folders inside another one."""
        roots = {candidate.root for candidate in self.candidates}
        return tuple(sorted(root for root in roots if not any(above in roots for above in iter_parents(root))))

    def naming(self, candidate: Candidate, *, exif: tuple[str | None, str | None] = (None, None)) -> Naming:
        """The camera and the time of a file."""
        return name_image(
            candidate.path,
            root=candidate.root,
            mtime_ns=candidate.mtime_ns,
            exif_time=exif[0],
            exif_offset=exif[1],
            camera=self.camera,
            pattern=self.pattern,
        )

    @cached_property
    def unwalked_folders(self) -> Counter[str]:
        """How many hidden or system folders were not walked, by their names."""
        return _count_system_folders(self.skipped)

    @cached_property
    def unmatched(self) -> int:
        """The number of images whose path the pattern does not match."""
        return sum(not self._matches(candidate) for candidate in self.candidates) if self.pattern else 0

    @cached_property
    def unread_stamps(self) -> int:
        """The number of images that the pattern matches but that get no readable time from it."""
        if self.pattern is None or "timestamp" not in self.pattern.groupindex:
            return 0
        return sum(
            self._matches(candidate) and self.naming(candidate).captured_at_source != "pattern"
            for candidate in self.candidates
        )

    def _matches(self, candidate: Candidate) -> bool:
        return self.pattern is None or matches_pattern(candidate.path, root=candidate.root, pattern=self.pattern)


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
    paths: Iterable[str], *, camera: str | None = None, pattern: str | None = None, again: bool = False
) -> IngestRequest:
    """The ingest request for the named files and folders.

    Raises `UsageError` for an empty camera name or a bad pattern, and `FolderError` if no image is found or the pattern
    matches none.
    """
    named_paths = tuple(paths)
    if camera is not None and not camera.strip():
        raise UsageError("--camera is empty; give a name, or leave it out to read cameras from the file names")
    compiled = None if pattern is None else compile_pattern(pattern)
    quarantines: list[str] = []
    entries = list(walk(named_paths, quarantines=quarantines))
    candidates = tuple(entry for entry in entries if isinstance(entry, Candidate))
    skipped = tuple(entry for entry in entries if isinstance(entry, Skipped))
    shown = ", ".join(ascii(path) for path in named_paths)
    if not candidates:
        reasons = ", ".join(
            f"{reason}: {number}" for reason, number in Counter(entry.reason for entry in skipped).items()
        )
        names = sorted(_count_system_folders(skipped))[:_MAX_NAMED_FOLDERS]
        not_walked = f"; not walked: {', '.join(map(ascii, names))}; name such a folder itself to take it in"
        raise FolderError(
            f"there is no image in {shown} ({reasons or 'it is empty'}); "
            "images end in jpg, jpeg, jpe, jfif, jfi, mpo, png, bmp, tif, tiff, webp or avif"
            f"{not_walked if names else ''}"
        )
    quarantines += (entry.path for entry in skipped if _is_quarantine(entry))
    request = IngestRequest(named_paths, candidates, skipped, camera, compiled, again, tuple(quarantines))
    if compiled is not None and request.unmatched == len(candidates):
        raise FolderError(
            f"the pattern {compiled.pattern!r} matches none of {counted(len(candidates), 'image')}, for example not "
            f"{candidates[0].path!a}; it is searched in the path below the folder you named"
        )
    if compiled is not None and request.unread_stamps == len(candidates):
        raise FolderError(
            f"no timestamp that the pattern {compiled.pattern!r} finds reads as a time; it may be 10 or 13 digits "
            "since 1970, YYYYMMDDhhmmss with any separators, or ISO 8601"
        )
    return request


def _is_quarantine(skipped: Skipped) -> bool:
    """Whether a skipped path is a quarantine, or may be a link to one."""
    is_link = skipped.reason == "symbolic link" and os.path.basename(skipped.path) == QUARANTINE_NAME
    return is_link or skipped.reason == QUARANTINE_FOLDER
