"""ingest --dry-run of videos: what an ingest would do with each. It reads the ends of new files, and writes nothing."""

from collections.abc import Iterator

from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.tree import rule_of
from indexer.store import videos
from indexer.store.database import Database
from indexer.store.videos import KnownVideo
from indexer.workflows.capture.plan_videos import name_videos
from indexer.workflows.capture.video_diff import VideoDiff, diff_videos, without_copies
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.name_plan import apply_rules
from indexer.workflows.ingest.preview import VideoPreview

_UNOPENED = "container or mtime"


def preview_videos(database: Database | None, request: IngestRequest) -> tuple[VideoPreview, ...]:
    """The videos of a request by path; `database`: None if there is no index yet."""
    request = apply_rules(database, request)
    diff = diff_videos(database, request)
    named, _, held = name_videos(database, request, diff)
    to_read, copies = without_copies(diff, lambda candidate: named.path_naming(candidate.path).camera)
    states = dict(_iter_states(diff))
    states |= {video.candidate.path: "new" for video in to_read} | {video.candidate.path: "equal" for video in copies}
    states |= {candidate.path: "held back" for candidate in held if states[candidate.path] == "new"}
    known = _list_known(database, diff)
    previews = []
    for candidate in sorted(request.videos, key=lambda each: each.path):
        row, path = known.get(candidate.path), named.path_naming(candidate.path)
        camera, started_at, source = path.camera, None, path.moment_source
        if row is not None:
            camera, started_at, source = row.camera, row.started_at, row.started_at_source
        elif path.moment is not None:
            started_at = to_utc(path.moment, path.zone)
        previews.append(
            VideoPreview(
                candidate.path,
                camera,
                started_at,
                _UNOPENED if started_at is None else str(source),
                states[candidate.path],
                candidate.size_bytes,
                rule_of(candidate.path, request.rules).timezone,
            )
        )
    return tuple(previews)


def _list_known(database: Database | None, diff: VideoDiff) -> dict[str, KnownVideo]:
    """What the index has of videos that are not read again, by the paths of their files now."""
    known = {video.candidate.path: row for row, video in diff.relocated}
    if database is not None and diff.unchanged:
        with database.read() as session:
            known |= videos.list_known_videos(session, [candidate.path for candidate in diff.unchanged])
    return known


def _iter_states(diff: VideoDiff) -> Iterator[tuple[str, str]]:
    yield from ((candidate.path, "unchanged") for candidate in diff.unchanged)
    yield from ((candidate.path, reason) for candidate, reason in diff.refused)
    for known, video in diff.relocated:
        is_same = known.missing_reason is None and known.path == video.candidate.path
        yield video.candidate.path, "unchanged" if is_same else "moved or returned"
