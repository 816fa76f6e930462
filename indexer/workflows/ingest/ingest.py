"""ingest: find what is new, describe it, remember it, report.

It promises that an unchanged file is not opened, that every path seen ends in exactly one outcome, and that a run cut
off anywhere leaves an index that the next run continues from.

Decision: a folder in which no image is seen marks nothing as missing. An empty mount point looks exactly like a
folder whose images were all deleted, and the first is far more likely; what it costs is that such images count as
present until something is seen there again. Enforced by tests/workflows/ingest/test_ingest.py.

Decision: what is unchanged is found with one question for each folder named, not one for some hundred files, and a
batch is written in a thread while the next files are read: the workers never wait for the disk that holds the index.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain, islice
from typing import Any, TypeVar

from indexer.domain.names import Naming, clamped_mtime
from indexer.domain.renaming import naming_with_options
from indexer.domain.similar_names import list_similar_names
from indexer.errors import RowRefused
from indexer.execution import Afar, Lost, Map, path_there
from indexer.files.system_folders import find_system_folder
from indexer.files.walking import NOT_AN_IMAGE, SYSTEM_FOLDER, Candidate, suffix_of
from indexer.imaging.file_description import DescribeTask, Description, describe, set_aside
from indexer.imaging.headers import Limits
from indexer.store import cameras, decisions, images, profiles, thumbnails
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.system_folders import COUNTS_KEY, count_in_system_folders
from indexer.workflows.context import Clock, Progress, silent
from indexer.workflows.ingest.camera_claims import Claim, Seen
from indexer.workflows.ingest.discovery import Found
from indexer.workflows.ingest.equal_rows import Contents
from indexer.workflows.ingest.image_identity import Arrival, take_in
from indexer.workflows.ingest.index_diff import EXPECTED, News, SortedOut
from indexer.workflows.profile_parameters import recipe_of
from indexer.workflows.runs.run import Run, writing
from indexer.workflows.witnesses import lock_and_note_return

T = TypeVar("T")
_RENAMED = 500
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
    """How many paths ended in each outcome, and what a person should look at.

    `endings`: those of files that were skipped as no images. `flat`: images on which nothing is to be seen. `folders`:
    how many hidden or system folders were not walked, by their names; `unwalked`: those of the missing images that lie
    there; `in_system_folders`: images that are there still, as an earlier version walked them; `alike`: cameras whose
    names look the same; `retimed`: of how many files nothing changed but the time, which are counted with their outcome
    too; `held`: who is at work on the cameras whose files were left alone, by camera.
    """

    seen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    unwalked: int = 0
    in_system_folders: int | None = None
    alike: list[tuple[str, ...]] = field(default_factory=list)
    retimed: int = 0
    unmatched: int = 0
    unread_stamps: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    undecided: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    flat: int = 0

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as they are remembered."""
        skipped = {"skipped_by_reason": dict(self.skipped), "folders_not_walked": dict(self.folders)}
        counted = {} if self.in_system_folders is None else {COUNTS_KEY: self.in_system_folders}
        return {"seen": self.seen, **self.outcomes, **skipped, "missing": self.missing, **counted}

    def count(self, outcome: str, number: int = 1) -> None:
        """Counts paths with their outcome; an outcome that none had is not named."""
        if number:
            self.seen += number
            self.outcomes[outcome] += number

    def skip(self, path: str, reason: str) -> None:
        """Counts a path that was left alone; one that a person should have been able to read is named."""
        self.count(Outcome.SKIPPED)
        self.skipped[reason] += 1
        if reason == NOT_AN_IMAGE:
            self.endings[suffix_of(path)] += 1
        if reason not in EXPECTED:
            self.refused.append((path, reason))

    def leave(self, files: Sequence[Candidate]) -> None:
        """Counts files of cameras on which others are at work."""
        self.count(Outcome.SKIPPED, len(files))
        self.skipped.update({_HELD: len(files)} if files else {})


_HELD = "another command is at work on its camera"


def ingest(
    database: Database, found: Found, *, spread: Map, limits: Limits, clock: Clock, progress: Progress = silent
) -> IngestReport:
    """Takes in what was found: the report of every path's outcome."""
    report = IngestReport()
    with writing(database, "ingest", arguments=found.arguments, clock=clock, by_camera=True) as run:
        run.counts = report.counts
        for skipped in found.skipped:
            report.skip(skipped.path, skipped.reason)
        report.folders = found.unwalked_folders
        found = _kept(database, found, report)
        claim = Claim(run.right, found)
        sorted_out, others = claim.sort_out(database)
        report.leave(others)
        _count_known(database, sorted_out.unchanged, found, report, claim=claim, clock=clock)

        writer = _Writer(database, found, report, run, claim, Contents(sorted_out.gone), clock)
        described = _describe(database, sorted_out.news, found, spread=spread, limits=limits)
        advance = progress("reading images", len(sorted_out.news))
        for batch in _one_behind(writer.write, _batches(described, _WRITTEN)):
            advance(len(batch))
        if sorted_out.gone:
            _mark_missing(database, sorted_out, report)
        report.held = claim.held
        report.unmatched = found.unmatched
        report.unread_stamps = found.unread_stamps
        with database.read() as session:
            report.undecided = decisions.count_undecided(session)
            report.in_system_folders = count_in_system_folders(session, before=run.id)
            report.alike = list_similar_names(cameras.list_cameras(session))
        run.counts = report.counts
    return report


def _mark_missing(database: Database, sorted_out: SortedOut, report: IngestReport) -> None:
    """Marks the images nobody saw; those that nobody looked for as they lie in system folders, with that reason."""
    unwalked = {number: sorted_out.gone[number] for number in sorted_out.unwalked}
    others = {number: path for number, path in sorted_out.gone.items() if number not in unwalked}
    with database.write() as session:
        report.missing = images.mark_missing(session, others)
        report.unwalked = images.mark_missing(session, unwalked, reason=f"in a {SYSTEM_FOLDER}, which is not walked")
        report.missing += report.unwalked


def _kept(database: Database, found: Found, report: IngestReport) -> Found:
    """What was found, without the paths that the database cannot keep; these are told."""
    too_long = {candidate.path for candidate in found.candidates if not database.can_store_path(candidate.path)}
    if not too_long:
        return found
    for path in sorted(too_long):
        report.skip(path, "its path is too long for this database")
    return replace(found, candidates=tuple(one for one in found.candidates if one.path not in too_long))


def _count_known(
    database: Database,
    unchanged: Sequence[Candidate],
    found: Found,
    report: IngestReport,
    *,
    claim: Claim,
    clock: Clock,
) -> None:
    """Counts the files that need not be opened; gives them another name first, if a person said one."""
    if found.camera is None and found.pattern is None:
        report.count(Outcome.UNCHANGED, len(unchanged))
        return
    for batch in _batches(unchanged, _RENAMED):
        with database.write() as session:
            known = images.list_known(session, [candidate.path for candidate in batch])
            for candidate in batch:
                asked, now = found.naming(candidate), known.get(candidate.path)
                if now is None:
                    report.skip(candidate.path, "another command changed it meanwhile")
                elif claim.may_rename(now.naming, asked):
                    report.count(_name_again(session, now, asked, at=clock()))
                else:
                    report.leave([candidate])


def _describe(database: Database, news: Sequence[News], found: Found, *, spread: Map, limits: Limits) -> Iterator[Seen]:
    """Each file that must be opened, with what it is; prepared as the profile of its camera says."""
    with database.read() as session:
        usual = profiles.get_active_profile(session).profile.preparation
        own = {camera: stored.profile.preparation for camera, stored in profiles.list_own_profiles(session).items()}

    def task(new: News) -> DescribeTask:
        preparation = own.get(found.naming(new[0]).camera, usual) if own else usual
        recipe = recipe_of(preparation)
        return DescribeTask(new[0].path, () if recipe is None else (recipe,), limits, preparation.levels)

    def task_there(new: News) -> DescribeTask:
        here = task(new)
        return replace(here, path=path_there(spread, here.path))

    for new, answer in zip(news, spread(describe, map(task_there, news)), strict=True):
        if isinstance(answer, Lost):
            aside = set_aside(task(new), reason=f"decoding it {answer.reason}")
            yield new, replace(aside, mtime_ns=new[0].mtime_ns if aside.problem is None else None)
        else:
            # The time as it is here, from before it was read: where a worker mounts the file, stamps may be coarser.
            mtime_ns = new[0].mtime_ns if isinstance(spread, Afar) and answer.mtime_ns is not None else answer.mtime_ns
            yield new, replace(answer, path=new[0].path, mtime_ns=mtime_ns)


def _name_again(session: Session, known: KnownFile, asked: Naming, *, at: datetime) -> Outcome:
    """Gives a known file the camera and time that a person's `--camera` or `--pattern` says, if they are others."""
    naming = naming_with_options(known.naming, asked)
    if naming == known.naming:
        return Outcome.UNCHANGED
    images.rename_image(session, known.id, naming=naming)
    decisions.supersede(session, [known.id], at=at)
    return Outcome.RENAMED


@dataclass(frozen=True)
class _Writer:
    """What writes described files, batch by batch, and counts each when its batch is committed."""

    database: Database
    found: Found
    report: IngestReport
    run: Run
    claim: Claim
    contents: Contents
    clock: Clock

    def write(self, batch: list[Seen]) -> None:
        """Writes a batch; a file whose row the database refuses is named, and the others are taken in."""
        try:
            self._write(batch)
        except RowRefused as problem:
            self.contents.clear()
            if len(batch) > 1:
                for one in batch:
                    self.write([one])
            else:
                self.report.skip(batch[0][1].path, f"the index does not take it: {problem.reason}")
        self.run.counts = self.report.counts

    def _write(self, batch: list[Seen]) -> None:
        with self.database.write() as session:
            ours, others = self.claim.ours(session, batch, contents=self.contents)
            usable = [seen for seen in ours if seen[1].problem is None]
            arrivals, outcomes = self._keep(session, usable)
            taken_in = take_in(session, arrivals, contents=self.contents, run_id=self.run.id, at=self.clock())
        self.report.leave(others)
        self.report.retimed += sum(_is_retimed(known, seen, candidate) for (candidate, known), seen in usable)
        for _, seen in ours:
            if seen.problem is not None:
                self.report.skip(seen.path, seen.problem)
            self.report.flat += any(thumbnail.flat for thumbnail in seen.thumbnails)
        for outcome in [*outcomes, *taken_in.outcomes]:
            self.report.count(outcome)
        for removal in taken_in.returned:
            lock_and_note_return(removal, index_id=self.run.index_id, at=self.clock())

    def _keep(self, session: Session, usable: list[Seen]) -> tuple[list[Arrival], list[str]]:
        """Writes on the rows of files with the bytes that they had, with their outcomes; the others, as arrivals."""
        arrivals, outcomes = list[Arrival](), list[str]()
        for (candidate, known), seen in usable:
            if known is None or known.content_hash != seen.content_hash:
                naming = self.found.naming(candidate, exif=(seen.exif_time, seen.exif_offset))
                arrivals.append(Arrival(seen, naming, candidate.root, known))
            elif known.state == seen.state:
                was_walked = find_system_folder(known.path, root=known.root) is not None
                root = candidate.root if was_walked else known.root
                images.update_mtime_and_root(session, known.id, mtime_ns=seen.mtime_ns or candidate.mtime_ns, root=root)
                outcomes.append(_name_again(session, known, self.found.naming(candidate), at=self.clock()))
            else:
                # The same bytes, judged otherwise: a limit was moved, or a worker was lost over them once.
                self.contents.clear([known.content_hash])
                images.relocate_image(session, known.id, seen, naming=known.naming, root=candidate.root)
                thumbnails.add_thumbnails(session, [(known.id, thumbnail) for thumbnail in seen.thumbnails])
                decisions.supersede(session, [known.id], at=self.clock())
                outcomes.append(Outcome.CHANGED if seen.state == "ready" else str(seen.state))
        return arrivals, outcomes


def _is_retimed(known: KnownFile | None, seen: Description, candidate: Candidate) -> bool:
    """Whether a file has its bytes and another time, as after a change to summer time on a FAT disk."""
    if known is None or (known.content_hash, known.state) != (seen.content_hash, seen.state):
        return False
    return known.mtime_ns != clamped_mtime(candidate.mtime_ns)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _one_behind(work: Callable[[T], None], items: Iterable[T]) -> Iterator[T]:
    """Each item when the work on it is done; that goes on, in order, in a thread beside the making of the next item.

    Left in whatever way, it leaves no work half done.
    """
    with ThreadPoolExecutor(1) as thread:
        under_way: tuple[T, Future[None]] | None = None
        for item in chain(items, (None,)):
            if under_way is not None:
                under_way[1].result()
                yield under_way[0]
            under_way = None if item is None else (item, thread.submit(work, item))
