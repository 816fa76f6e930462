"""ingest --dry-run of videos: what an ingest would do with each. It reads the ends of new files, and writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from indexer.domain.naming.moments import to_utc
from indexer.files.walking import Candidate
from indexer.store.database import Database
from indexer.workflows.capture.video_diff import VideoDiff, diff_videos, without_copies
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.index_diff import IndexDiff
from indexer.workflows.ingest.name_plan import apply_rules, plan_names
from indexer.workflows.ingest.preview import VideoPreview

_UNOPENED = "container or mtime"


def preview_videos(database: Database | None, request: IngestRequest) -> tuple[VideoPreview, ...]:
    """The videos of a request by path; `database`: None if there is no index yet."""
    request = apply_rules(database, request)
    diff = diff_videos(database, request)
    named, held = _named(database, request)
    to_read, copies = without_copies(diff, lambda candidate: named.path_naming(candidate.path).camera)
    states = dict(_iter_states(diff))
    states |= {video.candidate.path: "new" for video in to_read} | {video.candidate.path: "equal" for video in copies}
    states |= {candidate.path: "held back" for candidate in held if states[candidate.path] == "new"}
    previews = []
    for candidate in sorted(request.videos, key=lambda each: each.path):
        path = named.path_naming(candidate.path)
        started_at = None if path.moment is None else to_utc(path.moment, path.zone)
        source = _UNOPENED if started_at is None else str(path.moment_source)
        state = states[candidate.path]
        previews.append(VideoPreview(candidate.path, path.camera, started_at, source, state, candidate.size_bytes))
    return tuple(previews)


def _named(database: Database | None, request: IngestRequest) -> tuple[IngestRequest, Sequence[Candidate]]:
    """The request with the names of its videos, and those of cameras that would be held back."""
    request = replace(request, candidates=request.videos, names={})
    diff = IndexDiff([], [(candidate, None) for candidate in request.videos], {})
    named, _, _, held = plan_names(database, request, diff)
    return named, held


def _iter_states(diff: VideoDiff) -> Iterator[tuple[str, str]]:
    yield from ((candidate.path, "unchanged") for candidate in diff.unchanged)
    yield from ((candidate.path, reason) for candidate, reason in diff.refused)
    for known, video in diff.relocated:
        is_same = known.missing_reason is None and known.path == video.candidate.path
        yield video.candidate.path, "unchanged" if is_same else "moved or returned"
