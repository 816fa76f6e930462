"""ingest: find what is new, describe it, store it, report.

It promises that

- an unchanged file is not opened;
- every path seen ends in exactly one outcome; and
- a run interrupted anywhere leaves an index from which the next run continues.

Decision 0032: a folder in which no image is seen marks nothing as missing.

Decision 0033: unchanged files are found with one query for each named folder; batches are written in a thread.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from typing import TypeVar

from indexer.domain.descriptions import FileDescription, Limits
from indexer.domain.names import USER_SOURCES, Naming, clamped_mtime
from indexer.domain.similar_names import list_similar_names
from indexer.errors import RowRefusedError
from indexer.execution import ParallelMap, RemoteExecutor, WorkerFailure, map_path
from indexer.files.system_folders import find_system_folder
from indexer.files.walking import SYSTEM_FOLDER, Candidate
from indexer.store import cameras, decisions, images, open_images, thumbnails
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.system_folders import count_in_system_folders
from indexer.workflows.context import Clock, Progress, no_progress
from indexer.workflows.image_files import DescribeTask, describe_file, describe_unreadable
from indexer.workflows.ingest.camera_claims import CameraClaims, DescribedFile, rename
from indexer.workflows.ingest.discovery import WRITE_BATCH_SIZE, IngestRequest
from indexer.workflows.ingest.equal_rows import EqualRowsCache
from indexer.workflows.ingest.image_identity import NewContent, upsert_images
from indexer.workflows.ingest.index_diff import TOO_LONG, FileToRead, IndexDiff, split_storable
from indexer.workflows.ingest.name_plan import apply_rules, is_zone_new, needs_recording, record_rules
from indexer.workflows.ingest.outcomes import IngestOutcome, IngestReport
from indexer.workflows.ingest.recipes import CameraRecipes
from indexer.workflows.ingest.source_recorder import SourceRecorder
from indexer.workflows.runs.run import ActiveRun, record_run
from indexer.workflows.witnesses import lock_and_record_return

T = TypeVar("T")
_RENAME_BATCH_SIZE = 500


def ingest(
    database: Database,
    request: IngestRequest,
    *,
    executor: ParallelMap,
    limits: Limits,
    clock: Clock,
    progress: Progress = no_progress,
) -> IngestReport:
    """Stores what discovery found. Returns the report with every path's outcome."""
    with record_run(database, "ingest", arguments=request.arguments, clock=clock, by_camera=True) as run:
        return ingest_under_lock(
            database, request, run=run, executor=executor, limits=limits, clock=clock, progress=progress
        )


def ingest_under_lock(
    database: Database,
    request: IngestRequest,
    *,
    run: ActiveRun,
    executor: ParallelMap,
    limits: Limits,
    clock: Clock,
    progress: Progress = no_progress,
) -> IngestReport:
    """The same in a run that is in progress and has the lock, so that the run may do more beside it."""
    report = IngestReport()
    run.counts.update(report.counts)
    for skipped in request.skipped:
        report.skip(skipped.path, skipped.reason)
    report.folders = request.unwalked_folders
    request = ingest_files(
        database, request, run=run, report=report, executor=executor, limits=limits, clock=clock, progress=progress
    )
    report.unmatched = request.unmatched + report.names.unmatched
    report.unread_stamps = request.unread_stamps
    _note_state(database, report, run_id=run.id)
    run.counts.update(report.counts)
    return report


def ingest_files(
    database: Database,
    request: IngestRequest,
    *,
    run: ActiveRun,
    report: IngestReport,
    executor: ParallelMap,
    limits: Limits,
    clock: Clock,
    progress: Progress = no_progress,
    is_postponed: Callable[[FileDescription], bool] | None = None,
) -> IngestRequest:
    """Stores the candidates of a request in a run that has the lock, and counts each. Returns the request with names.

    Only what lies in folders that the request names, and was not seen there, is marked as missing: nothing at all for
    the request of `request_of_files`. It does not look at the rest of the index. `is_postponed`: of a file that was
    read, whether it is left alone and not counted, because it may be unfinished.
    """
    request = apply_rules(database, _storable(database, request, report))
    claims = CameraClaims(run.write_lock, request)
    diff, locked_files = claims.diff(database)
    request, report.names = claims.request, claims.plan
    diff = _with_exif_read_again(database, diff, request)
    recipes = CameraRecipes(database)
    recipes.require(request.naming(file[0]).camera for file in diff.files_to_read)
    _record_rules(database, request)
    report.skip_locked(locked_files)
    report.skip_held(claims.held_files)
    _count_known(database, diff.unchanged, request, report, claims=claims, clock=clock)

    writer = _Writer(database, request, report, run, claims, EqualRowsCache(diff.gone), clock)
    described = _describe(diff.files_to_read, request, recipes=recipes, executor=executor, limits=limits)
    if is_postponed is not None:
        described = (file for file in described if not is_postponed(file[1]))
    advance = progress("reading images", len(diff.files_to_read))
    for batch in _overlapped(writer.write, _batches(described, WRITE_BATCH_SIZE)):
        advance(len(batch))
    if diff.gone:
        _mark_missing(database, diff, report)
    report.held = claims.locked_cameras
    return request


def _note_state(database: Database, report: IngestReport, *, run_id: int) -> None:
    """Adds to the report what the index as a whole is like after the ingest."""
    with database.read() as session:
        report.undecided = open_images.count_undecided(session)
        report.in_system_folders = count_in_system_folders(session, before=run_id)
        report.alike = list_similar_names(cameras.list_cameras(session))
        if report.outcomes[IngestOutcome.ADDED]:
            report.equal_contents, report.equal_example = images.find_equal_in_cameras(session, run_id=run_id)


def _mark_missing(database: Database, diff: IndexDiff, report: IngestReport) -> None:
    """Marks images that were not seen as missing; those in system folders are not walked and get that reason."""
    unwalked = {image_id: diff.gone[image_id] for image_id in diff.unwalked}
    others = {image_id: path for image_id, path in diff.gone.items() if image_id not in unwalked}
    with database.write() as session:
        report.missing = images.mark_missing(session, others)
        report.unwalked = images.mark_missing(session, unwalked, reason=f"in a {SYSTEM_FOLDER}, which is not walked")
        report.missing += report.unwalked


def _record_rules(database: Database, request: IngestRequest) -> None:
    """Stores how the folders of the request are named, if that is new."""
    if needs_recording(request):
        with database.write() as session:
            record_rules(session, request)


def _with_exif_read_again(database: Database, diff: IndexDiff, request: IngestRequest) -> IndexDiff:
    """The difference, with the known files that must be read again for their EXIF time.

    These are the files with a time from EXIF whose time zone changes. If a person takes back what they said of the
    files, they are also those whose time may be from EXIF. The index does not store what EXIF says.
    """
    if not is_zone_new(request) and not request.options.forgets_rules:
        return diff
    sources = {"exif"} if not request.options.forgets_rules else {"exif", *USER_SOURCES}
    with database.read() as session:
        known = images.list_known(session, [candidate.path for candidate in diff.unchanged])
    is_again = {
        path
        for path, row in known.items()
        if (source := row.naming.captured_at_source) == "exif"
        or (source in sources and request.path_naming(path).moment is None)
    }
    again = [(candidate, known[candidate.path]) for candidate in diff.unchanged if candidate.path in is_again]
    rest = [candidate for candidate in diff.unchanged if candidate.path not in is_again]
    return replace(diff, unchanged=rest, files_to_read=[*diff.files_to_read, *again])


def _storable(database: Database, request: IngestRequest, report: IngestReport) -> IngestRequest:
    """The request without the paths that the database cannot store; these are reported as skipped."""
    storable, too_long = split_storable(database, request.candidates)
    for candidate in too_long:
        report.skip(candidate.path, TOO_LONG)
    return replace(request, candidates=storable) if too_long else request


def _count_known(
    database: Database,
    unchanged: Sequence[Candidate],
    request: IngestRequest,
    report: IngestReport,
    *,
    claims: CameraClaims,
    clock: Clock,
) -> None:
    """Counts the files that need not be opened; renames them first if `--camera` or `--pattern` says another name."""
    if not request.options:
        report.count(IngestOutcome.UNCHANGED, len(unchanged))
        return
    sources = SourceRecorder()
    for batch in _batches(unchanged, _RENAME_BATCH_SIZE):
        with database.write() as session:
            known = images.list_known(session, [candidate.path for candidate in batch])
            for candidate in batch:
                requested, known_file = request.naming(candidate), known.get(candidate.path)
                if known_file is None:
                    report.skip(candidate.path, "another command changed it meanwhile")
                elif claims.may_rename(known_file.naming, requested):
                    report.count(_rename(session, known_file, requested, request=request, sources=sources, at=clock()))
                    report.ambiguous_times += request.path_naming(candidate.path).is_ambiguous()
                else:
                    report.skip_locked([candidate])


def _describe(
    files_to_read: Sequence[FileToRead],
    request: IngestRequest,
    *,
    recipes: CameraRecipes,
    executor: ParallelMap,
    limits: Limits,
) -> Iterator[DescribedFile]:
    """Each file that must be opened, with its description; thumbnails are made as the profile of its camera says."""
    is_remote = isinstance(executor, RemoteExecutor)

    def local_task(file: FileToRead) -> DescribeTask:
        preparation, recipe = recipes.of_camera(request.naming(file[0]).camera if recipes.differ else "")
        return DescribeTask(file[0].path, () if recipe is None else (recipe,), limits, preparation.levels)

    def remote_task(file: FileToRead) -> DescribeTask:
        task = local_task(file)
        return replace(task, path=map_path(executor, task.path)) if is_remote else task

    for file, answer in zip(files_to_read, executor(describe_file, map(remote_task, files_to_read)), strict=True):
        if isinstance(answer, WorkerFailure):
            unreadable = describe_unreadable(local_task(file), reason=f"decoding it {answer.reason}")
            yield file, replace(unreadable, mtime_ns=file[0].mtime_ns if unreadable.problem is None else None)
        else:
            # The time as this host saw it before the file was read. A worker's mount may have coarser timestamps.
            mtime_ns = file[0].mtime_ns if is_remote and answer.mtime_ns is not None else answer.mtime_ns
            yield file, replace(answer, path=file[0].path, mtime_ns=mtime_ns)


def _rename(
    session: Session,
    known: KnownFile,
    requested: Naming,
    *,
    request: IngestRequest,
    sources: SourceRecorder,
    at: datetime,
) -> IngestOutcome:
    """Gives a known file the camera and time that the options of the request say, if they differ."""
    naming = rename(known.naming, requested, request)
    if naming.camera != known.naming.camera or request.options.is_new_rules:
        sources.add(session, [(request.path_naming(known.path), naming)])
    if naming == known.naming:
        return IngestOutcome.UNCHANGED
    images.rename_image(session, known.id, naming=naming)
    decisions.supersede(session, [known.id], at=at)
    return IngestOutcome.RENAMED


@dataclass(frozen=True)
class _Writer:
    """Writes described files batch by batch, and counts each file when its batch is committed."""

    database: Database
    request: IngestRequest
    report: IngestReport
    run: ActiveRun
    claims: CameraClaims
    row_cache: EqualRowsCache
    clock: Clock
    sources: SourceRecorder = field(default_factory=SourceRecorder)

    def write(self, batch: list[DescribedFile]) -> None:
        """Writes a batch; a file whose row the database refuses is reported, and the others are stored."""
        try:
            self._write(batch)
        except RowRefusedError as problem:
            self.row_cache.clear()
            self.sources.forget()
            if len(batch) > 1:
                for file in batch:
                    self.write([file])
            else:
                self.report.skip(batch[0][1].path, f"the index does not take it: {problem.reason}")
        self.run.counts.update(self.report.counts)

    def _write(self, batch: list[DescribedFile]) -> None:
        with self.database.write() as session:
            writable, locked_files = self.claims.split_writable(session, batch, row_cache=self.row_cache)
            usable = [file for file in writable if file[1].problem is None]
            new_contents, outcomes = self._update_known_rows(session, usable)
            result = upsert_images(session, new_contents, row_cache=self.row_cache, run_id=self.run.id, at=self.clock())
            paths = [self.request.path_naming(content.description.path) for content in new_contents]
            self.sources.add(session, zip(paths, result.namings, strict=True))
        self.report.skip_locked(locked_files)
        self.report.retimed += sum(
            _is_retimed(known, description, candidate) for (candidate, known), description in usable
        )
        self.report.ambiguous_times += sum(map(self._is_ambiguous, usable))
        for _, description in writable:
            if description.problem is not None:
                self.report.skip(description.path, description.problem)
            self.report.flat += any(thumbnail.flat for thumbnail in description.thumbnails)
        for outcome in [*outcomes, *result.outcomes]:
            self.report.count(outcome)
        for removal in result.returned:
            lock_and_record_return(removal, index_id=self.run.index_id, at=self.clock())

    def _rename(self, session: Session, known: KnownFile, requested: Naming) -> IngestOutcome:
        at = self.clock()
        return _rename(session, known, requested, request=self.request, sources=self.sources, at=at)

    def _is_ambiguous(self, file: DescribedFile) -> bool:
        """Whether a file's local time happens twice."""
        (candidate, _), description = file
        named = self.request.path_naming(candidate.path)
        return named.is_ambiguous(exif_time=description.exif_time, exif_offset=description.exif_offset)

    def _update_known_rows(
        self, session: Session, usable: list[DescribedFile]
    ) -> tuple[list[NewContent], list[IngestOutcome]]:
        """Updates the rows of files with unchanged bytes. Returns the other files as new contents, and the outcomes."""
        new_contents, outcomes = list[NewContent](), list[IngestOutcome]()
        for (candidate, known), description in usable:
            if known is None or known.content_hash != description.content_hash:
                naming = self.request.naming(candidate, exif=(description.exif_time, description.exif_offset))
                new_contents.append(NewContent(description, naming, candidate.root, known))
            elif known.state == description.state:
                was_walked = find_system_folder(known.path, root=known.root) is not None
                root = candidate.root if was_walked else known.root
                images.update_mtime_and_root(
                    session, known.id, mtime_ns=description.mtime_ns or candidate.mtime_ns, root=root
                )
                exif = (description.exif_time, description.exif_offset)
                requested = self.request.naming(candidate, exif=exif)
                outcomes.append(self._rename(session, known, requested))
            else:
                # The same bytes with another result: a limit was changed, or a worker was once lost over them.
                self.row_cache.clear([known.content_hash])
                images.relocate_image(session, known.id, description, naming=known.naming, root=candidate.root)
                thumbnails.add_thumbnails(session, [(known.id, thumbnail) for thumbnail in description.thumbnails])
                decisions.supersede(session, [known.id], at=self.clock())
                outcomes.append(
                    IngestOutcome.CHANGED if description.state == "ready" else IngestOutcome(str(description.state))
                )
        return new_contents, outcomes


def _is_retimed(known: KnownFile | None, description: FileDescription, candidate: Candidate) -> bool:
    """Whether a file has the same bytes and another time, as after a change to summer time on a FAT disk."""
    if known is None or (known.content_hash, known.state) != (description.content_hash, description.state):
        return False
    return known.mtime_ns != clamped_mtime(candidate.mtime_ns)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _overlapped(work: Callable[[T], None], items: Iterable[T]) -> Iterator[T]:
    """Yields each item when `work` on it is done. `work` runs in a thread, in order, while the next item is made.

    However the caller leaves it, it leaves no work half done.
    """
    with ThreadPoolExecutor(1) as thread:
        pending: tuple[T, Future[None]] | None = None
        for item in chain(items, (None,)):
            if pending is not None:
                pending[1].result()
                yield pending[0]
            pending = None if item is None else (item, thread.submit(work, item))
