"""What lies in the folders and files that a person named, before anything is written.

It promises that a request which cannot be meant (a wrong path, no image, a pattern that finds nothing) is refused
here, in one sentence, and that nothing was opened but folders.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from indexer.domain.names import Naming, compile_pattern, matches_pattern, name_image
from indexer.errors import FolderProblem, UsageProblem
from indexer.files.walking import Candidate, Skipped, walk


@dataclass(frozen=True)
class Found:
    """What lies in the folders and files that a person named, and how to name what is new."""

    paths: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
    camera: str | None = None
    pattern: re.Pattern[str] | None = None
    again: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """The words of the request, as they are remembered."""
        pattern = None if self.pattern is None else self.pattern.pattern
        return {"paths": [ascii(path)[1:-1] for path in self.paths], "camera": self.camera, "pattern": pattern}

    def naming(self, candidate: Candidate, *, exif: tuple[str | None, str | None] = (None, None)) -> Naming:
        """Camera and time of a file."""
        return name_image(
            candidate.path,
            root=candidate.root,
            mtime_ns=candidate.mtime_ns,
            exif_time=exif[0],
            exif_offset=exif[1],
            camera=self.camera,
            pattern=self.pattern,
        )

    def matches(self, candidate: Candidate) -> bool:
        """Whether there is no pattern or it is found in the file's path."""
        return self.pattern is None or _matches(self.pattern, candidate)

    def lacks_stamp(self, candidate: Candidate) -> bool:
        """Whether the pattern matches a file without giving it a readable time."""
        if self.pattern is None or "timestamp" not in self.pattern.groupindex:
            return False
        return self.matches(candidate) and self.naming(candidate).captured_at_source != "pattern"


def look(paths: Iterable[str], *, camera: str | None = None, pattern: str | None = None, again: bool = False) -> Found:
    """What lies in the named files and folders; refuses a request that finds no image, before anything is written."""
    named = tuple(paths)
    if camera is not None and not camera.strip():
        raise UsageProblem("--camera is empty; give a name, or leave it out to read cameras from the file names")
    compiled = None if pattern is None else compile_pattern(pattern)
    entries = list(walk(named))
    candidates = tuple(entry for entry in entries if isinstance(entry, Candidate))
    skipped = tuple(entry for entry in entries if isinstance(entry, Skipped))
    shown = ", ".join(ascii(path) for path in named)
    if not candidates:
        why = ", ".join(f"{reason}: {number}" for reason, number in Counter(one.reason for one in skipped).items())
        raise FolderProblem(
            f"there is no image in {shown} ({why or 'it is empty'}); "
            "images end in jpg, jpeg, png, bmp, tif, tiff or webp"
        )
    if compiled is not None and not any(_matches(compiled, candidate) for candidate in candidates):
        raise FolderProblem(
            f"the pattern {compiled.pattern!r} matches none of {len(candidates)} images, for example not "
            f"{candidates[0].path!a}; it is searched in the path below the folder you named"
        )
    found = Found(named, candidates, skipped, camera, compiled, again)
    if compiled is not None and "timestamp" in compiled.groupindex and all(map(found.lacks_stamp, candidates)):
        raise FolderProblem(
            f"no timestamp that the pattern {compiled.pattern!r} finds reads as a time; it may be 10 or 13 digits "
            "since 1970, YYYYMMDDhhmmss with any separators, or ISO 8601"
        )
    return found


def _matches(pattern: re.Pattern[str], candidate: Candidate) -> bool:
    return matches_pattern(candidate.path, root=candidate.root, pattern=pattern)
