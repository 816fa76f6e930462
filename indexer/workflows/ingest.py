"""ingest: find what is new, describe it, remember it, report.

It promises that an unchanged file is not opened, that every path seen ends in exactly one outcome, and that a run cut
off anywhere leaves an index that the next run continues from.

Decision: a folder in which no image is seen marks nothing as missing. An empty mount point looks exactly like a
folder whose images were all deleted, and the first is far more likely; what it costs is that such images count as
present until something is seen there again. Enforced by tests/workflows/test_ingest.py.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

from indexer.domain.images import State
from indexer.domain.names import Naming, compile_pattern, matches_pattern, name_image
from indexer.domain.renaming import renamed
from indexer.engines import Lost, Map
from indexer.errors import FolderProblem
from indexer.files.walking import Candidate, Skipped, roots_of, walk
from indexer.pixels.describing import DescribeTask, Description, Recipe, describe, set_aside
from indexer.pixels.headers import Limits
from indexer.store import decisions, images, profiles
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.workflows.arriving import Arrival, take_in
from indexer.workflows.running import Run, writing
from indexer.workflows.watching import Clock, Progress, silent

T = TypeVar("T")

_LOOKED_UP = 500
_WRITTEN = 64


class Outcome(StrEnum):
    """What became of a path; skipped paths are also counted by their reason."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MOVED = "moved"
    RETURNED = "returned"
    RENAMED = "renamed"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    TOO_SMALL = "too_small"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Found:
    """What lies in the folders and files that a person named, and how to name what is new."""

    paths: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
    camera: str | None = None
    pattern: re.Pattern[str] | None = None

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


@dataclass
class IngestReport:
    """How many paths ended in each outcome, and what a person should look at."""

    seen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    unmatched: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    undecided: int = 0

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as they are remembered."""
        return {"seen": self.seen, **self.outcomes, "skipped_by_reason": dict(self.skipped), "missing": self.missing}

    def count(self, outcome: str, number: int = 1) -> None:
        """Counts paths with their outcome."""
        self.seen += number
        self.outcomes[outcome] += number

    def skip(self, path: str, reason: str) -> None:
        """Counts a path that was left alone; one that a person should have been able to read is named."""
        self.count(Outcome.SKIPPED)
        self.skipped[reason] += 1
        if reason not in _EXPECTED:
            self.refused.append((path, reason))


_EXPECTED = {"not an image name", "symbolic link", "not a regular file"}


def look(paths: Iterable[str], *, camera: str | None = None, pattern: str | None = None) -> Found:
    """What lies in the named files and folders; refuses a request that finds no image, before anything is written."""
    named = tuple(paths)
    compiled = None if pattern is None else compile_pattern(pattern)
    entries = list(walk(named))
    candidates = tuple(entry for entry in entries if isinstance(entry, Candidate))
    skipped = tuple(entry for entry in entries if isinstance(entry, Skipped))
    shown = ", ".join(ascii(path) for path in named)
    if not candidates:
        raise FolderProblem(
            f"there is no image in {shown} ({len(skipped)} other files); "
            "images end in jpg, jpeg, png, bmp, tif, tiff or webp"
        )
    if compiled is not None and not any(_matches(compiled, candidate) for candidate in candidates):
        raise FolderProblem(
            f"the pattern {compiled.pattern!r} matches none of {len(candidates)} images, for example not "
            f"{candidates[0].path!a}; it is searched in the path below the folder you named"
        )
    return Found(named, candidates, skipped, camera, compiled)


def ingest(
    database: Database, found: Found, *, spread: Map, limits: Limits, clock: Clock, progress: Progress = silent
) -> IngestReport:
    """Takes in what was found: the report of every path's outcome."""
    report = IngestReport()
    with writing(database, "ingest", arguments=found.arguments, clock=clock) as run:
        run.counts = report.counts
        for skipped in found.skipped:
            report.skip(skipped.path, skipped.reason)
        news = _sort_out(database, found, report, clock=clock)
        gone = frozenset(_list_gone(database, found))
        recipes = _recipes(database)
        tasks = [DescribeTask(candidate.path, recipes, limits) for candidate, _ in news]
        seen = (
            set_aside(task, reason=f"decoding it {answer.reason}") if isinstance(answer, Lost) else answer
            for task, answer in zip(tasks, spread(describe, tasks), strict=True)
        )
        described = zip(news, seen, strict=True)
        advance = progress("reading images", len(news))
        for batch in _batches(described, _WRITTEN):
            with database.write() as session:
                _write(session, batch, found, report, gone=gone, run=run, clock=clock)
            run.counts = report.counts
            advance(len(batch))
        report.missing = _mark_missing(database, found)
        if found.pattern is not None:
            report.unmatched = sum(not _matches(found.pattern, candidate) for candidate in found.candidates)
        with database.read() as session:
            report.undecided = decisions.count_undecided(session)
        run.counts = report.counts
    return report


def _sort_out(
    database: Database, found: Found, report: IngestReport, *, clock: Clock
) -> list[tuple[Candidate, KnownFile | None]]:
    """The files that must be opened, with what was known at their path; the others are counted here."""
    news: list[tuple[Candidate, KnownFile | None]] = []
    explicit = found.camera is not None or found.pattern is not None
    for batch in _batches(found.candidates, _LOOKED_UP):
        with database.read() as session:
            known = images.list_known(session, [candidate.path for candidate in batch])
        renames: list[tuple[int, Naming]] = []
        for candidate in batch:
            there = known.get(candidate.path)
            if there is None or (there.size_bytes, there.mtime_ns) != (candidate.size_bytes, candidate.mtime_ns):
                news.append((candidate, there))
                continue
            naming = renamed(there.naming, found.naming(candidate)) if explicit else there.naming
            report.count(Outcome.UNCHANGED if naming == there.naming else Outcome.RENAMED)
            if naming != there.naming:
                renames.append((there.id, naming))
        if renames:
            with database.write() as session:
                for image_id, naming in renames:
                    images.rename_image(session, image_id, naming=naming)
                decisions.take_back(session, [image_id for image_id, _ in renames], at=clock())
    return news


def _mark_missing(database: Database, found: Found) -> int:
    """Marks what nobody saw and what did not turn up elsewhere, once all was read; the number of images."""
    gone = _list_gone(database, found)
    if gone:
        with database.write() as session:
            images.set_state(session, gone, State.MISSING, reason="not found")
    return len(gone)


def _list_gone(database: Database, found: Found) -> list[int]:
    """The images that the index has below the walked folders and nobody saw there."""
    seen = {candidate.path for candidate in found.candidates}
    unknown = tuple(f"{skipped.path.rstrip('/')}/" for skipped in found.skipped if skipped.reason not in _EXPECTED)
    roots = {candidate.root for candidate in found.candidates} & set(roots_of(found.paths))
    refused = {skipped.path for skipped in found.skipped if skipped.reason not in _EXPECTED}
    gone: list[int] = []
    with database.read() as session:
        for root in sorted(roots):
            gone += [
                image_id
                for image_id, path in images.iter_present_under(session, root)
                if path not in seen and path not in refused and not path.startswith(unknown)
            ]
    return gone


def _write(
    session: Session,
    batch: list[tuple[tuple[Candidate, KnownFile | None], Description]],
    found: Found,
    report: IngestReport,
    *,
    gone: Set[int],
    run: Run,
    clock: Clock,
) -> None:
    """Writes one batch of described files and counts each."""
    arrivals: list[Arrival] = []
    for (candidate, known), seen in batch:
        if seen.problem is not None:
            report.skip(candidate.path, seen.problem)
        elif known is not None and known.content_hash == seen.content_hash:
            images.touch_image(session, known.id, mtime_ns=seen.mtime_ns or candidate.mtime_ns)
            report.count(Outcome.UNCHANGED)
        else:
            naming = found.naming(candidate, exif=(seen.exif_time, seen.exif_offset))
            arrivals.append(Arrival(seen, naming, candidate.root, known))
    for outcome in take_in(session, arrivals, gone=gone, run_id=run.id, at=clock()):
        report.count(outcome)


def _recipes(database: Database) -> tuple[Recipe, ...]:
    """How the thumbnails of new images are made: as the active profile wants them."""
    with database.read() as session:
        preparation = profiles.active_profile(session).profile.preparation
    if preparation.work_width is None:
        return ()
    return (Recipe(preparation.digest, preparation.work_width, preparation.contrast, preparation.mask),)


def _matches(pattern: re.Pattern[str], candidate: Candidate) -> bool:
    return matches_pattern(candidate.path, root=candidate.root, pattern=pattern)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
