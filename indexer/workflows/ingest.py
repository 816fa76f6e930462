"""ingest: find what is new, describe it, remember it, report.

It promises that an unchanged file is not opened, that every path seen ends in exactly one outcome, and that a run cut
off anywhere leaves an index that the next run continues from.

Decision: a folder in which no image is seen marks nothing as missing. An empty mount point looks exactly like a
folder whose images were all deleted, and the first is far more likely; what it costs is that such images count as
present until something is seen there again. Enforced by tests/workflows/test_ingest.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

from indexer.domain.images import State
from indexer.domain.names import Naming
from indexer.domain.renaming import renamed
from indexer.engines import Lost, Map
from indexer.files.walking import Candidate, roots_of
from indexer.pixels.describing import DescribeTask, Description, describe, set_aside
from indexer.pixels.headers import Limits
from indexer.store import decisions, images, profiles
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.workflows.arriving import Arrival, take_in
from indexer.workflows.looking import Found
from indexer.workflows.measures import recipe_of
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


@dataclass
class IngestReport:
    """How many paths ended in each outcome, and what a person should look at."""

    seen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    unmatched: int = 0
    unread_stamps: int = 0
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
        gone = _list_gone(database, found)
        with database.read() as session:
            recipe = recipe_of(profiles.active_profile(session).profile.preparation)
        recipes = () if recipe is None else (recipe,)
        tasks = [DescribeTask(candidate.path, recipes, limits) for candidate, _ in news]
        seen = (
            set_aside(task, reason=f"decoding it {answer.reason}") if isinstance(answer, Lost) else answer
            for task, answer in zip(tasks, spread(describe, tasks), strict=True)
        )
        described = zip(news, seen, strict=True)
        advance = progress("reading images", len(news))
        for batch in _batches(described, _WRITTEN):
            with database.write() as session:
                _write(session, batch, found, report, gone=gone.keys(), run=run, clock=clock)
            run.counts = report.counts
            advance(len(batch))
        if gone:
            with database.write() as session:
                report.missing = images.mark_missing(session, gone)
        report.unmatched = sum(not found.matches(candidate) for candidate in found.candidates)
        report.unread_stamps = sum(map(found.lacks_stamp, found.candidates))
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
        renames: list[tuple[KnownFile, Naming]] = []
        for candidate in batch:
            there = known.get(candidate.path)
            if there is None or _is_to_be_read(there, candidate, again=found.again):
                news.append((candidate, there))
                continue
            if explicit and renamed(there.naming, found.naming(candidate)) != there.naming:
                renames.append((there, found.naming(candidate)))
            else:
                report.count(Outcome.UNCHANGED)
        if renames:
            with database.write() as session:
                for there, naming in renames:
                    report.count(_name_again(session, there, naming, at=clock()))
    return news


def _is_to_be_read(there: KnownFile, candidate: Candidate, *, again: bool) -> bool:
    """Whether a known file is opened: it changed, or it could not be used and a person wants it tried again."""
    if again and there.state is not State.READY:
        return True
    return (there.size_bytes, there.mtime_ns) != (candidate.size_bytes, candidate.mtime_ns)


def _name_again(session: Session, known: KnownFile, asked: Naming, *, at: datetime) -> Outcome:
    """Gives a known file the camera and time that a person's `--camera` or `--pattern` says, if they are others."""
    naming = renamed(known.naming, asked)
    if naming == known.naming:
        return Outcome.UNCHANGED
    images.rename_image(session, known.id, naming=naming)
    decisions.take_back(session, [known.id], at=at)
    return Outcome.RENAMED


def _list_gone(database: Database, found: Found) -> dict[int, str]:
    """The images that the index has below the walked folders and nobody saw there: their paths, by id."""
    seen = {candidate.path for candidate in found.candidates}
    unknown = tuple(f"{skipped.path.rstrip('/')}/" for skipped in found.skipped if skipped.reason not in _EXPECTED)
    roots = {candidate.root for candidate in found.candidates} & set(roots_of(found.paths))
    refused = {skipped.path for skipped in found.skipped if skipped.reason not in _EXPECTED}
    gone: dict[int, str] = {}
    with database.read() as session:
        for root in sorted(roots):
            gone |= {
                image_id: path
                for image_id, path in images.iter_present_under(session, root)
                if path not in seen and path not in refused and not path.startswith(unknown)
            }
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
        elif known is not None and (known.content_hash, known.state) == (seen.content_hash, seen.state):
            images.touch_image(session, known.id, mtime_ns=seen.mtime_ns or candidate.mtime_ns)
            report.count(_name_again(session, known, found.naming(candidate), at=clock()))
        elif known is not None and known.content_hash == seen.content_hash:
            # The same bytes, judged otherwise: a limit was moved, or a worker was lost over them once.
            images.take_in_again(session, known.id, seen, naming=known.naming, root=candidate.root)
            images.add_thumbnails(session, [(known.id, thumbnail) for thumbnail in seen.thumbnails])
            decisions.take_back(session, [known.id], at=clock())
            report.count(Outcome.CHANGED if seen.state == "ready" else str(seen.state))
        else:
            naming = found.naming(candidate, exif=(seen.exif_time, seen.exif_offset))
            arrivals.append(Arrival(seen, naming, candidate.root, known))
    for outcome in take_in(session, arrivals, gone=gone, run_id=run.id, at=clock()):
        report.count(outcome)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
