"""Takes in a batch of complete images, and finds out which files the index has afterwards.

It promises that the index alone says what was taken in: whatever became of a file in between, a file that the index
does not have as it is waits again. A young file that cannot be read whole, or whose end may be missing, is not recorded
at all.
"""

import os
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.descriptions import FileDescription
from indexer.domain.images import ImageState
from indexer.domain.names import clamped_mtime
from indexer.domain.naming.rules import NamingOptions, RuleBook
from indexer.errors import FolderError
from indexer.execution import ParallelMap
from indexer.files.walking import Candidate, is_image_name
from indexer.store import images, naming_rules, videos
from indexer.store.confirmations import ASKED_AFTER_KEY, find_last_run, held_counts
from indexer.store.database import Database
from indexer.workflows.capture.options import VideoOptions
from indexer.workflows.context import ComparisonContext
from indexer.workflows.ingest.discovery import request_of_files
from indexer.workflows.ingest.ingest import ingest_files
from indexer.workflows.ingest.name_plan import describe_reread
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.runs.run import LongRun
from indexer.workflows.watch.outcomes import WatchReport

_UNFINISHED_STATES = {"damaged", "unreadable"}

MakeVideoExecutor = Callable[[float, Callable[[], bool]], AbstractContextManager[ParallelMap]]
"""An executor for one video, which may take so many seconds, and which is given up once the function says so."""


@dataclass
class IntakeResult:
    """What became of files. `taken`: those that the index has now. `refused`: those that it does not have, with the
    reason, an empty text for those that may be unfinished. `cameras`: those that got images. `notes`: what a person
    should know of the names of a folder's files, by folder."""

    taken: list[Candidate] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    cameras: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VideoIntake:
    """How videos are taken in: where their frames go, and who reads each of them."""

    options: VideoOptions
    make_executor: MakeVideoExecutor


class Intake:
    """Takes in batches of images. `executor` reads files; `is_young`: of a path, whether its file may be unfinished.

    `videos`: how videos are taken in; None if they are not.
    """

    def __init__(
        self,
        context: ComparisonContext,
        executor: ParallelMap,
        is_young: Callable[[str], bool],
        *,
        videos: VideoIntake | None = None,
    ) -> None:
        self._database, self._limits, self._clock = context.database, context.limits, context.clock
        self._executor, self._is_young = executor, is_young
        self.videos = videos
        self._copies: dict[str, tuple[int, int]] = {}

    @property
    def workers(self) -> int:
        """How many files are read at once; so many videos, too."""
        return max(1, self._executor.workers)

    def list_unknown(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those of these files that the index does not have as they are."""
        known = dict[str, tuple[int, int]]()
        if candidates:
            paths = [candidate.path for candidate in candidates]
            with self._database.read() as session:
                known = {row.path: (row.size_bytes, row.mtime_ns) for row in images.iter_present(session, paths)}
                if self.videos is not None:
                    of_videos = [path for path in paths if not _is_image(path)]
                    for path, row in videos.list_known_videos(session, of_videos).items():
                        known[path] = row.size_bytes, row.mtime_ns
        return [
            candidate
            for candidate in candidates
            if _stored(candidate) not in {known.get(candidate.path), self._copies.get(candidate.path)}
        ]

    def note_copies(self, candidates: Sequence[Candidate]) -> None:
        """Notes those of these videos that were looked at and got no row: copies of known ones."""
        for candidate in self.list_unknown(candidates):
            self._copies[candidate.path] = _stored(candidate)

    def sort(
        self, candidates: Sequence[Candidate], unfinished: Set[str], reasons: Mapping[str, str], *, default: str = ""
    ) -> IntakeResult:
        """Finds out which of these files the index has now; `default`: the reason of those without one."""
        result, unknown = IntakeResult(), {candidate.path for candidate in self.list_unknown(candidates)}
        for candidate in candidates:
            path = candidate.path
            if path not in unknown:
                result.taken.append(candidate)
            else:
                result.refused[path] = "" if path in unfinished else reasons.get(path, default)
        return result

    def take_in(self, run: LongRun, candidates: Sequence[Candidate], *, report: WatchReport) -> IntakeResult:
        """Takes in images, and adds to the report what became of them. Raises `DatabaseError` if the index refuses."""
        before = self._list_cameras(candidates)
        outcome, unfinished = IngestReport(), set[str]()

        def is_postponed(description: FileDescription) -> bool:
            is_bad = description.problem is not None or str(description.state) in _UNFINISHED_STATES
            if (is_bad or description.may_lack_its_end) and self._is_young(description.path):
                unfinished.add(description.path)
                return True
            return False

        with run.record_batch() as batch:
            counts = batch.counts
            batch.counts = {}  # those of one batch, which the ingest writes
            try:
                ingest_files(
                    self._database,
                    request_of_files(candidates),
                    run=batch,
                    report=outcome,
                    executor=self._executor,
                    limits=self._limits,
                    clock=self._clock,
                    is_postponed=is_postponed,
                )
                report.add_images(outcome, at=self._clock())
                report.batches += 1
            finally:
                batch.counts = counts
            batch.counts.update(report.counts)
            self._add_questions(batch.counts, outcome)
        default = ""  # it changed while it was taken in
        if outcome.names.held:
            default = "its camera is held back"
        elif outcome.held:
            default = "another command is at work on its camera"
        result = self.sort(candidates, unfinished, dict(outcome.refused), default=default)
        result.cameras = before | self._list_cameras(candidates)  # also of one that is stored, and changed since
        result.notes = {folder: describe_reread(folder) for folder in outcome.names.reread_folders}
        return result

    def _add_questions(self, counts: dict[str, Any], outcome: IngestReport) -> None:
        """Adds the cameras that were held back, with the last run: a later one may have answered the same question."""
        held = {one.camera: (one.folders, one.words) for one in outcome.names.held}
        if not held:
            return
        with self._database.read() as session:
            last_run = find_last_run(session)
        questions = held_counts(held) | {ASKED_AFTER_KEY: dict.fromkeys(held, last_run)}
        for key, by_camera in questions.items():
            counts[key] = {**counts.get(key, {}), **by_camera}

    def _list_cameras(self, candidates: Sequence[Candidate]) -> set[str]:
        """The cameras of the images that the index has at these paths."""
        with self._database.read() as session:
            known = images.list_known(session, [candidate.path for candidate in candidates])
        return {row.naming.camera for row in known.values() if row.state is ImageState.READY}


def record_naming(database: Database, folders: Sequence[str], options: NamingOptions) -> None:
    """Stores how the files of watched folders are named, so that each batch and each later ingest names them so.

    Raises `FolderError` if the index has images of a folder that would be named in another way.
    """
    with database.write() as session:
        before = naming_rules.list_rules_to_change(session)
        book, options = RuleBook(before), options.resolved(before, folders).checked()
        after = book.after(options, folders).rules
        for folder in folders if options else ():
            known = book.find(folder)
            if known is not None and known.folder != folder:
                known = known.at(folder)
            is_changed = after.get(folder) != known
            if is_changed and next(images.iter_present_under(session, folder), None) is not None:
                raise FolderError(
                    f"the index has images of {folder!r} that are named in another way; to name them again, run ingest "
                    "of the folder with the same options first"
                )
        for folder in before.keys() - after.keys():
            naming_rules.delete_rule(session, folder)
        for folder, rule in after.items():
            if rule != before.get(folder):
                naming_rules.set_rule(session, rule)


def _stored(candidate: Candidate) -> tuple[int, int]:
    """What the index stores of a file that it has as it is."""
    return candidate.size_bytes, clamped_mtime(candidate.mtime_ns)


def _is_image(path: str) -> bool:
    return is_image_name(os.path.basename(path))
