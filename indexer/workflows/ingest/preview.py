"""ingest --dry-run: what an ingest would name the files, and what would change. It opens no file and writes nothing."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from indexer.domain.names import Naming
from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.tree import rule_of
from indexer.files.walking import Candidate
from indexer.store import images
from indexer.store.database import Database
from indexer.store.images import KnownFile
from indexer.workflows.ingest.camera_claims import rename
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.index_diff import IndexDiff, diff_with_index
from indexer.workflows.ingest.name_plan import NamePlan, apply_rules, is_zone_new, plan_names
from indexer.workflows.ingest.outcomes import IngestReport

_UNOPENED = "EXIF or mtime"


@dataclass(frozen=True)
class CameraPreview:
    """A camera as it would be after the ingest: its files among those named.

    `first` and `last` are times that names have, or that the index has. `camera_from` and `time_from`: the sources of
    camera and time, the most frequent first. `timezone`: of its folders; None: UTC.
    """

    camera: str
    files: int
    new: int
    folders: int
    first: datetime | None
    last: datetime | None
    example: str
    camera_from: str
    time_from: str
    timezone: str | None


@dataclass(frozen=True)
class CameraChange:
    """Known images that would get another camera. `needs_new_rules`: only if a person asks for the rules of today."""

    camera: str
    becomes: str
    files: int
    example: str
    needs_new_rules: bool


@dataclass(frozen=True)
class VideoPreview:
    """A video as it would be taken in; `state`: what would be done with it, or why nothing could be.

    `timezone`: of its folder; None: UTC.
    """

    path: str
    camera: str
    started_at: datetime | None
    time_from: str
    state: str
    size_bytes: int
    timezone: str | None


@dataclass(frozen=True)
class IngestPreview:
    """What an ingest would do to names. `ambiguous_times`: new files of an hour that happens twice. `videos`: None
    if none are wanted. `new_times`: known images that would get another time, or be read for it. `skipped`, `endings`,
    `refused`: as in `indexer.workflows.ingest.outcomes.IngestReport`, as far as that is known before a file is read."""

    cameras: tuple[CameraPreview, ...]
    changes: tuple[CameraChange, ...]
    names: NamePlan
    new: int
    known: int
    ambiguous_times: int = 0
    videos: tuple[VideoPreview, ...] | None = None
    new_times: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    endings: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[tuple[str, str]] = ()


@dataclass
class _CameraFiles:
    """What is counted of the files of one camera."""

    paths: list[str] = field(default_factory=list)
    new: int = 0
    times: list[datetime] = field(default_factory=list)
    camera_from: Counter[str] = field(default_factory=Counter)
    time_from: Counter[str] = field(default_factory=Counter)
    timezones: set[str | None] = field(default_factory=set)

    def summary(self, camera: str) -> CameraPreview:
        """The counts as they are shown."""
        return CameraPreview(
            camera,
            len(self.paths),
            self.new,
            len({os.path.dirname(path) for path in self.paths}),
            min(self.times, default=None),
            max(self.times, default=None),
            min(self.paths),
            ", ".join(source for source, _ in self.camera_from.most_common()),
            ", ".join(source for source, _ in self.time_from.most_common()),
            next(iter(self.timezones)) if len(self.timezones) == 1 else None,
        )


def preview_ingest(database: Database | None, request: IngestRequest) -> IngestPreview:
    """What an ingest of this request would name the files; `database`: None if there is no index yet."""
    request = apply_rules(database, request)
    diff = (
        IndexDiff([], [(candidate, None) for candidate in request.candidates], {})
        if database is None
        else diff_with_index(database, request)
    )
    known = _list_known(database, diff)
    planned, rest, plan, held_files = plan_names(database, request, diff)
    after = _names_after(known, planned, held_files)
    changes = _iter_changes(known, after, needs_new_rules=False)
    left_alone = IngestReport()
    for entry in request.skipped:
        left_alone.skip(entry.path, entry.reason)
    return IngestPreview(
        tuple(_iter_cameras(planned, after, known)),
        (*changes, *_changes_of_new_rules(database, request, diff, known)),
        plan,
        sum(row is None for _, row in diff.files_to_read),
        len(known),
        sum(planned.path_naming(candidate.path).is_ambiguous() for candidate, _ in rest.files_to_read),
        new_times=_count_new_times(request, known, after),
        skipped=left_alone.skipped,
        endings=left_alone.endings,
        refused=left_alone.refused,
    )


def _count_new_times(request: IngestRequest, known: Mapping[str, KnownFile], after: Mapping[str, Naming]) -> int:
    is_new = is_zone_new(request)
    return sum(
        after[path].captured_at != row.naming.captured_at or (is_new and row.naming.captured_at_source == "exif")
        for path, row in known.items()
        if path in after
    )


def _list_known(database: Database | None, diff: IndexDiff) -> dict[str, KnownFile]:
    """The rows that stay: of unchanged files, and of files that must be opened again."""
    if database is None:
        return {}
    with database.read() as session:
        known = images.list_known(session, [candidate.path for candidate in diff.unchanged])
    return known | {candidate.path: row for candidate, row in diff.files_to_read if row is not None}


def _names_after(
    known: Mapping[str, KnownFile], request: IngestRequest, held_files: Sequence[Candidate]
) -> dict[str, Naming]:
    """The naming that each file would have, by path; a known file that is held back keeps its own."""
    kept = {candidate.path: known[candidate.path].naming for candidate in held_files if candidate.path in known}
    is_new = is_zone_new(request)
    return {
        candidate.path: _naming_after(candidate, known, request, is_zone_new=is_new) for candidate in request.candidates
    } | kept


def _naming_after(
    candidate: Candidate, known: Mapping[str, KnownFile], request: IngestRequest, *, is_zone_new: bool
) -> Naming:
    """The naming that a file would have; without a time where it must be opened for one."""
    row = known.get(candidate.path)
    if row is not None:
        naming = rename(row.naming, request.naming(candidate), request) if request.options else row.naming
        return replace(naming, captured_at=None) if is_zone_new and naming.captured_at_source == "exif" else naming
    named = request.path_naming(candidate.path)
    captured_at = None if named.moment is None else to_utc(named.moment, named.zone)
    return Naming(named.camera, named.camera_source, captured_at, named.moment_source)


def _iter_cameras(
    request: IngestRequest, after: Mapping[str, Naming], known: Mapping[str, KnownFile]
) -> Iterator[CameraPreview]:
    cameras: dict[str, _CameraFiles] = defaultdict(_CameraFiles)
    for path, naming in after.items():
        files = cameras[naming.camera]
        files.paths.append(path)
        files.new += path not in known
        files.times += [] if naming.captured_at is None else [naming.captured_at]
        files.camera_from[naming.camera_source] += 1
        files.time_from[naming.captured_at_source or _UNOPENED] += 1
        files.timezones.add(rule_of(path, request.rules).timezone)
    for camera in sorted(cameras):
        yield cameras[camera].summary(camera)


def _changes_of_new_rules(
    database: Database | None, request: IngestRequest, diff: IndexDiff, known: Mapping[str, KnownFile]
) -> Iterator[CameraChange]:
    """What would change if a person asked for the rules of today."""
    options = request.options
    if not known or options.is_new_rules or options.camera or options.camera_level or options.pattern or options.scheme:
        return
    asked = apply_rules(database, replace(request, options=replace(options, is_new_rules=True)))
    planned, _, _, held_files = plan_names(database, asked, diff)
    after = _names_after(known, planned, held_files)
    yield from _iter_changes(known, after, needs_new_rules=True)


def _iter_changes(
    known: Mapping[str, KnownFile], after: Mapping[str, Naming], *, needs_new_rules: bool
) -> Iterator[CameraChange]:
    changed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, row in known.items():
        if path in after and after[path].camera != row.naming.camera:
            changed[row.naming.camera, after[path].camera].append(path)
    for (camera, becomes), paths in sorted(changed.items()):
        yield CameraChange(camera, becomes, len(paths), min(paths), needs_new_rules)
