"""Writes what one video gave: its frames get their paths, and images, spans and the video their rows, all or nothing.

It promises that each frame that was looked at is accounted for in the same transaction as its video, that a witness is
a present image at that moment, and that a frame whose file is there already is taken as it is. Files get their paths
first. If the transaction after that fails, or a crash prevents it, the next run finds them by their names and bytes.

Decision 0045: frames get their files first, and then one transaction writes all rows.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from indexer.domain.descriptions import Thumbnail
from indexer.domain.frame_paths import frame_path, next_millisecond
from indexer.domain.images import ImageState
from indexer.domain.names import Naming, PathNaming
from indexer.domain.videos import VideoState
from indexer.files import io_steps
from indexer.files.frame_files import place_frame
from indexer.files.walking import Candidate
from indexer.store import images, spans, thumbnails, videos
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.removals import JournalEntry
from indexer.store.videos import NewVideo
from indexer.workflows.capture.read_video import NewFrame, VideoResult, iter_witnesses
from indexer.workflows.context import Clock
from indexer.workflows.ingest.discovery import WRITE_BATCH_SIZE
from indexer.workflows.ingest.equal_rows import EqualRowsCache
from indexer.workflows.ingest.image_identity import NewContent, upsert_images
from indexer.workflows.ingest.source_recorder import SourceRecorder
from indexer.workflows.runs.run import ActiveRun
from indexer.workflows.witnesses import lock_and_record_return

_MAX_SAME_TIME = 1000
"""So many frames of a camera may have names in one second; a camera has fewer."""


@dataclass(frozen=True)
class VideoNames:
    """The camera of a video, and where that comes from."""

    path: PathNaming
    camera: str
    camera_source: str


@dataclass(frozen=True)
class FramesFolder:
    """Where frames are stored, and where those of this run are until then."""

    path: str
    partial: str


@dataclass(frozen=True)
class _PlacedFrame:
    """A frame at its path; `is_new`: its file was moved there just now."""

    frame: NewFrame
    path: str
    captured_at: datetime
    is_new: bool


class WitnessGoneError(Exception):
    """An image that stands for frames of a video was removed or changed while the video was read."""


class VideoStore:
    """Writes videos to the index, in the batches of one long run."""

    def __init__(self, database: Database, folder: FramesFolder, *, clock: Clock) -> None:
        self._database, self._folder, self._clock = database, folder, clock

    def add_refused(
        self, candidate: Candidate, names: VideoNames, fingerprint: str, reason: str, *, run: ActiveRun
    ) -> None:
        """Adds a video that cannot be read."""
        video = replace(_new_video(candidate, names, fingerprint), state=VideoState.UNREADABLE, state_reason=reason)
        with self._database.write() as session:
            videos.add_video(session, video, run_id=run.id)

    def add(
        self,
        candidate: Candidate,
        names: VideoNames,
        fingerprint: str,
        result: VideoResult,
        *,
        profile_id: int,
        run: ActiveRun,
    ) -> int:
        """Adds a video with its frames and spans. Returns how many frames had their files already.

        Raises
        ------
        WitnessGoneError
            If a witness is no present image of the camera any more; then nothing was written.
        OSError
            If the disk refuses; then nothing was written.
        """
        witnesses = self._list_witnesses(result, names.camera)
        placed = _place_all(result.frames, self._folder, camera=names.camera)
        video = _read_video(_new_video(candidate, names, fingerprint), result)
        with self._database.write() as session:
            image_ids, returned = self._add_images(session, placed, names, run=run)
            video_id = videos.add_video(session, video, run_id=run.id)
            offsets = {image_ids[one.frame.key]: one.frame.time.offset_us for one in placed}
            videos.add_video_frames(session, video_id, offsets)
            spans.add_spans(
                session,
                result.spans,
                video_id=video_id,
                image_ids=image_ids | witnesses,
                profile_id=profile_id,
                every_s=video.interval_s or 0.0,
                run_id=run.id,
            )
        for removal in returned:
            lock_and_record_return(removal, index_id=run.index_id, at=self._clock())
        return sum(not one.is_new for one in placed)

    def _list_witnesses(self, result: VideoResult, camera: str) -> dict[str, int]:
        """The ids of the witnesses that the index had before the video was read, by their paths."""
        keys = {frame.key for frame in result.frames}
        paths = [witness for witness in iter_witnesses(result) if witness not in keys]
        with self._database.read() as session:
            known = images.list_known(session, paths)
        for path in paths:
            row = known.get(path)
            if row is None or row.state is not ImageState.READY or row.naming.camera != camera:
                raise WitnessGoneError(path)
        return {path: known[path].id for path in paths}

    def _add_images(
        self, session: Session, placed: Sequence[_PlacedFrame], names: VideoNames, *, run: ActiveRun
    ) -> tuple[dict[str, int], list[JournalEntry]]:
        """The ids of the images of the frames, by key, and the removals that end as their files are back."""
        image_ids, returned = dict[str, int](), list[JournalEntry]()
        for start in range(0, len(placed), WRITE_BATCH_SIZE):  # so that few thumbnails are in memory at once
            batch = placed[start : start + WRITE_BATCH_SIZE]
            known = images.list_known(session, [one.path for one in batch])
            contents = [
                content
                for one in batch
                if (content := _new_content(one, known.get(one.path), names, root=self._folder.path)) is not None
            ]
            result = upsert_images(session, contents, row_cache=EqualRowsCache({}), run_id=run.id, at=self._clock())
            returned += result.returned
            ids = {path: row.id for path, row in images.list_known(session, [one.path for one in batch]).items()}
            thumbnails.add_thumbnails(session, [(ids[one.path], self._thumbnail(one.frame)) for one in batch])
            image_ids |= {one.frame.key: ids[one.path] for one in batch}
        naming = Naming(names.camera, names.camera_source, None, None)
        SourceRecorder().add(session, [(names.path, naming)] if placed else [])
        return image_ids, returned

    def _thumbnail(self, frame: NewFrame) -> Thumbnail:
        """The thumbnail of a frame, with its PNG; raises `OSError` if that cannot be read."""
        path = os.path.join(self._folder.partial, frame.thumbnail_name)
        return replace(frame.thumbnail, data=Path(path).read_bytes())


def _new_content(placed: _PlacedFrame, known: KnownFile | None, names: VideoNames, *, root: str) -> NewContent | None:
    """The image of a frame; None if the index has it at this path already."""
    described = placed.frame.description
    if known is not None and known.content_hash == described.content_hash and known.state is ImageState.READY:
        return None
    description = replace(described, path=placed.path, mtime_ns=os.lstat(placed.path).st_mtime_ns)
    naming = Naming(names.camera, names.camera_source, placed.captured_at, "name")
    return NewContent(description, naming, root, known)


def _place_all(frames: Sequence[NewFrame], folder: FramesFolder, *, camera: str) -> list[_PlacedFrame]:
    """The frames at their paths, synced. If the disk refuses one, those that were moved there are deleted again."""
    placed: list[_PlacedFrame] = []
    try:
        for frame in frames:
            placed.append(_place(frame, folder, camera=camera))
        for each in sorted({os.path.dirname(one.path) for one in placed}):
            _sync_up_to(each, folder.path)
    except OSError:
        for one in placed:
            if one.is_new:
                with suppress(OSError):
                    os.unlink(one.path)
        raise
    return placed


def _place(frame: NewFrame, folder: FramesFolder, *, camera: str) -> _PlacedFrame:
    """A frame at its path: by its time, or a few milliseconds later if other frames have that name."""
    partial, at = os.path.join(folder.partial, frame.partial_name), frame.time.at
    for _ in range(_MAX_SAME_TIME):
        path = os.path.join(folder.path, frame_path(camera, at))
        try:
            is_new = place_frame(partial, path, content_hash=str(frame.description.content_hash))
        except FileExistsError:
            at = next_millisecond(at)
            continue
        return _PlacedFrame(frame, path, at.replace(microsecond=at.microsecond // 1000 * 1000), is_new)
    raise FileExistsError(errno.EEXIST, "other files have the names of this time", path)


def _sync_up_to(folder: str, top: str) -> None:
    """Makes the names in a folder and in those above it, up to `top`, survive a power failure."""
    while True:
        io_steps.sync_folder(os.path.join(folder, ""))
        if folder == top or len(folder) <= len(top):
            return
        folder = os.path.dirname(folder)


def _new_video(candidate: Candidate, names: VideoNames, fingerprint: str) -> NewVideo:
    """A video of which nothing was read."""
    return NewVideo(
        candidate.path,
        candidate.root,
        names.camera,
        names.camera_source,
        candidate.size_bytes,
        candidate.mtime_ns,
        fingerprint,
        VideoState.READ,
    )


def _read_video(video: NewVideo, result: VideoResult) -> NewVideo:
    """A video with what was read of it."""
    facts, reading, start = result.facts, result.reading, result.start
    assert facts is not None
    assert reading is not None
    assert start is not None
    return replace(
        video,
        state=reading.state,
        state_reason=reading.reason,
        started_at=start.at,
        started_at_source=start.source,
        length_s=reading.duration_s,
        duration_s=facts.duration_s,
        width=facts.width,
        height=facts.height,
        codec=facts.codec,
        sampling=reading.sampling,
        interval_s=reading.interval_s,
        frames_read=result.frames_read,
        frames_stored=len(result.frames),
    )
