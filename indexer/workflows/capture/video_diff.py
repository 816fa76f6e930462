"""The difference between the videos that a walk found and those of the index: known, moved, new, gone.

It promises that an unchanged video is not opened, and that a known one is not read again wherever it lies: a new or
changed path costs the first and the last MiB of its file. It writes nothing.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from indexer.domain.names import clamped_mtime
from indexer.domain.videos import VideoState
from indexer.files.reading import os_error_message
from indexer.files.video_files import VideoIdentity, fingerprint_of, identify_video, open_video_file
from indexer.files.walking import Candidate, Skipped, list_outermost_folders
from indexer.store import videos
from indexer.store.database import Database, Session
from indexer.store.videos import KnownVideo
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.index_diff import SILENT_REASONS, TOO_LONG, split_storable


@dataclass(frozen=True)
class VideoToRead:
    """A video that the index does not know, with what it is known again by.

    `earlier`: the video that was at its path until now. `continues`: whether the file begins with all its bytes.
    """

    candidate: Candidate
    identity: VideoIdentity
    earlier: KnownVideo | None = None
    continues: bool = False


@dataclass
class VideoDiff:
    """What is to be done with each video.

    `relocated`: known videos with the file that has their bytes now. `equal`: files with the bytes of a known video
    that is still at its own path, or of another file; `equal_cameras`: the cameras of known videos by fingerprint.
    Equal videos of two cameras are two videos: see `without_copies`. `refused`: files that cannot be opened, with the
    reason. `gone`: those that are not at their paths any more, by id.
    """

    unchanged: list[Candidate] = field(default_factory=list)
    relocated: list[tuple[KnownVideo, VideoToRead]] = field(default_factory=list)
    equal: list[VideoToRead] = field(default_factory=list)
    equal_cameras: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    to_read: list[VideoToRead] = field(default_factory=list)
    refused: list[tuple[Candidate, str]] = field(default_factory=list)
    gone: dict[int, KnownVideo] = field(default_factory=dict)


def diff_videos(database: Database | None, request: IngestRequest) -> VideoDiff:
    """Compares the videos of a request with the index; reads the ends of those that are new or changed.

    `database`: None if there is no index yet.
    """
    diff = VideoDiff()
    known = dict[str, KnownVideo]()
    if database is not None:
        with database.read() as session:
            known = videos.list_known_videos(session, [candidate.path for candidate in request.videos])
            diff.gone = dict(_iter_gone(session, request))
    storable, too_long = split_storable(database, request.videos)
    diff.refused += [(candidate, TOO_LONG) for candidate in too_long]
    new = list[VideoToRead]()
    for candidate in storable:
        row = known.get(candidate.path)
        if (
            row is not None
            and _is_unchanged(row, candidate)
            and not (request.again and row.state is not VideoState.READ)
        ):
            diff.unchanged.append(candidate)
            continue
        try:
            new.append(_identified(candidate, row))
        except OSError as problem:
            diff.refused.append((candidate, os_error_message(problem)))
    _sort_new(database, request, diff, new)
    return diff


def _identified(candidate: Candidate, earlier: KnownVideo | None) -> VideoToRead:
    """A video to read, after a look at the ends of its file, and at those of the earlier one, as far as it has them.

    Raises `OSError` if it cannot be opened or read.
    """
    with open_video_file(candidate.path) as file:
        identity = identify_video(file)
        continues = (
            earlier is not None
            and earlier.size_bytes <= identity.size_bytes
            and fingerprint_of(file, size_bytes=earlier.size_bytes) == earlier.fingerprint
        )
    return VideoToRead(candidate, identity, earlier, continues)


def without_copies(
    diff: VideoDiff, camera_of: Callable[[Candidate], str]
) -> tuple[list[VideoToRead], list[VideoToRead]]:
    """The videos to read, and those that are copies of a video of the same camera; `camera_of`: the name of a file's
    camera."""
    seen = {(fingerprint, camera) for fingerprint, names in diff.equal_cameras.items() for camera in names}
    to_read, copies = list[VideoToRead](), list[VideoToRead]()
    for video in [*diff.to_read, *diff.equal]:
        key = (video.identity.fingerprint, camera_of(video.candidate))
        (copies if key in seen else to_read).append(video)
        seen.add(key)
    return to_read, copies


def _sort_new(database: Database | None, request: IngestRequest, diff: VideoDiff, new: Sequence[VideoToRead]) -> None:
    """Finds out which of the new files are known videos that moved, or copies of one."""
    rows = list[KnownVideo]()
    if database is not None:
        with database.read() as session:
            rows = videos.list_videos_by_fingerprint(session, sorted({video.identity.fingerprint for video in new}))
    by_fingerprint = dict[str, list[KnownVideo]]()
    for row in rows:
        by_fingerprint.setdefault(row.fingerprint, []).append(row)
    seen = set[str]()
    for video in sorted(new, key=lambda each: not _has_known_ends(each)):  # a copy is none of a video to read again
        path, fingerprint = video.candidate.path, video.identity.fingerprint
        equal = by_fingerprint.get(fingerprint, [])
        owner = _choose_row(equal, path)
        if owner is not None:
            equal.remove(owner)
        if owner is not None and not _is_read_again(owner, video.candidate, again=request.again):
            diff.gone.pop(owner.id, None)
            diff.relocated.append((owner, video))
            diff.equal_cameras[fingerprint].add(owner.camera)
        elif owner is None and (equal or fingerprint in seen):
            diff.equal.append(video)
            diff.equal_cameras[fingerprint] |= {known.camera for known in equal}
        else:
            diff.to_read.append(video)
        seen.add(fingerprint)


def _has_known_ends(video: VideoToRead) -> bool:
    """Whether the ends of a file are those of the video that was at its path until now."""
    return video.earlier is not None and video.earlier.fingerprint == video.identity.fingerprint


def _choose_row(rows: Sequence[KnownVideo], path: str) -> KnownVideo | None:
    """The row that a file with the same bytes belongs to: that of its path, else one whose own file is gone; of several
    one that was at its path until now."""
    at_path = [row for row in rows if row.path == path]
    free = [row for row in rows if row.missing_reason is not None or not is_video_at_path(row)]
    return next((row for some in (at_path, free) for row in sorted(some, key=_was_missing)), None)


def _is_read_again(row: KnownVideo, candidate: Candidate, *, again: bool) -> bool:
    """Whether a video whose ends are known is read once more: what was broken, where a person asks for it, or where its
    file was written to. Between its ends a file is filled that had its full size from the beginning."""
    is_written_to = row.path == candidate.path and not _is_unchanged(row, candidate)
    return row.state is not VideoState.READ and (again or is_written_to)


def _was_missing(row: KnownVideo) -> bool:
    return row.missing_reason is not None


def is_video_at_path(row: KnownVideo) -> bool:
    """Whether a video's bytes are still at its path, as far as its ends show."""
    try:
        status = os.lstat(row.path)
        if (status.st_size, clamped_mtime(status.st_mtime_ns)) == (row.size_bytes, row.mtime_ns):
            return True
        with open_video_file(row.path) as file:
            return identify_video(file).fingerprint == row.fingerprint
    except OSError:
        return False


def _is_unchanged(row: KnownVideo, candidate: Candidate) -> bool:
    return (row.size_bytes, row.mtime_ns) == (candidate.size_bytes, clamped_mtime(candidate.mtime_ns))


def _iter_gone(session: Session, request: IngestRequest) -> Iterator[tuple[int, KnownVideo]]:
    """The present videos below the named folders that were not seen; none in a folder in which nothing was seen."""
    seen = {candidate.path for candidate in request.videos}
    refused = tuple(f"{skipped.path.rstrip('/')}/" for skipped in request.skipped if _hides(skipped))
    walked = set(list_outermost_folders(request.paths))
    for folder in sorted({candidate.root for candidate in (*request.videos, *request.candidates)} & walked):
        for row in videos.iter_present_videos_under(session, folder):
            if row.path not in seen and not f"{row.path}/".startswith(refused):
                yield row.id, row


def _hides(skipped: Skipped) -> bool:
    """Whether it is not known what lies below a skipped path, or at it."""
    return skipped.reason not in SILENT_REASONS
