"""Writes what one video gave: its frames get their paths, and images, spans and the video their rows, all or nothing.

It promises that

- each frame that was looked at is accounted for in the same transaction as its video;
- a witness is a present image at that moment; and
- a frame whose file is there already is taken as it is.

Files get their paths first. If the transaction after that fails, or a crash prevents it, the next run finds them by
their names and bytes.

Decision 0045: frames get their files first, and then one transaction writes all rows.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from indexer.domain.camera_images import ImageKey
from indexer.domain.images import ImageState
from indexer.domain.names import Naming, PathNaming
from indexer.domain.spans import Span, SpanReason
from indexer.domain.videos import VideoState
from indexer.store import images, spans, videos
from indexer.store.database import Database
from indexer.store.videos import NewVideo
from indexer.workflows.capture.read_video import VideoResult, iter_witnesses
from indexer.workflows.capture.store_frames import FramesFolder, add_frame_images, place_frames
from indexer.workflows.capture.video_diff import VideoToRead
from indexer.workflows.context import Clock
from indexer.workflows.ingest.equal_rows import is_still_at_path
from indexer.workflows.ingest.source_recorder import SourceRecorder
from indexer.workflows.runs.run import ActiveRun
from indexer.workflows.witnesses import lock_and_record_return


@dataclass(frozen=True)
class VideoNames:
    """The camera of a video, and where that comes from."""

    path: PathNaming
    camera: str
    camera_source: str


@dataclass(frozen=True)
class StoredVideo:
    """What was stored of a video. `result`: as in the index; `adopted`: how many of its frames had their files already.

    A frame whose very image another video has is counted in a span of that image.
    """

    result: VideoResult
    adopted: int


class WitnessGoneError(Exception):
    """An image that stands for frames of a video was removed or changed while the video was read."""


class VideoStore:
    """Writes videos to the index, in the batches of one long run."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add_refused(self, file: VideoToRead, names: VideoNames, reason: str, *, run: ActiveRun) -> None:
        """Adds a video that cannot be read."""
        video = replace(_new_video(file, names), state=VideoState.UNREADABLE, state_reason=reason)
        with self._database.write() as session:
            videos.end_earlier_reading(session, video)
            videos.add_video(session, video, run_id=run.id)

    def add(
        self,
        file: VideoToRead,
        names: VideoNames,
        result: VideoResult,
        *,
        folder: FramesFolder,
        profile_id: int,
        memory_keys: Mapping[str, ImageKey],
        run: ActiveRun,
    ) -> StoredVideo:
        """Adds a video with its frames and spans. Returns what was stored.

        `memory_keys`: of the images that its frames were compared with, by path.

        Raises
        ------
        WitnessGoneError
            If a witness is no present image of the camera any more; then nothing was written.
        OSError
            If the disk refuses; then nothing was written.
        """
        witnesses = self._list_witnesses(result, memory_keys, camera=names.camera)
        placed = place_frames(self._database, result.frames, folder, camera=names.camera)
        with self._database.write() as session:
            image_ids, returned = add_frame_images(
                session, placed, (names.camera, names.camera_source), folder=folder, run_id=run.id, at=self._clock()
            )
            naming = Naming(names.camera, names.camera_source, None, None)
            SourceRecorder().add(session, [(names.path, naming)] if placed else [])
            videos.end_earlier_reading(session, _read_video(_new_video(file, names), result), continues=file.continues)
            others = videos.list_frames_in_force(session, [*image_ids.values()])
            result = _without_frames(result, {key for key, image_id in image_ids.items() if image_id in others})
            video = _read_video(_new_video(file, names), result)
            video_id = videos.add_video(session, video, run_id=run.id)
            offsets = {image_ids[frame.key]: frame.time.offset_us for frame in result.frames}
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
        stored = {frame.key for frame in result.frames}
        return StoredVideo(result, adopted=sum(not each.is_new and each.frame.key in stored for each in placed))

    def _list_witnesses(
        self, result: VideoResult, memory_keys: Mapping[str, ImageKey], *, camera: str
    ) -> dict[str, int]:
        """The ids of the witnesses that the index had before the video was read, by their paths.

        Raises `WitnessGoneError` unless each is still an image of the camera, with its file.
        """
        keys = {frame.key for frame in result.frames}
        paths = [witness for witness in iter_witnesses(result) if witness not in keys]
        with self._database.read() as session:
            known = images.list_known(session, paths)
        for path in paths:
            row = known.get(path)
            is_witness = row is not None and (row.id, row.content_hash) == memory_keys[path]
            if (
                row is None
                or not is_witness
                or row.naming.camera != camera
                or row.state is not ImageState.READY
                or not is_still_at_path(row)
            ):
                raise WitnessGoneError(path)
        return {path: known[path].id for path in paths}


def _without_frames(result: VideoResult, keys: Set[str]) -> VideoResult:
    """The result with spans in place of some of its frames, each of which is its own witness."""
    equal = [frame for frame in result.frames if frame.key in keys]
    spans_of_equal = [Span(SpanReason.SEEN, each.time, each.time, 1, each.key, 0.0, each.time) for each in equal]
    frames = tuple(frame for frame in result.frames if frame.key not in keys)
    return replace(result, frames=frames, spans=(*result.spans, *spans_of_equal))


def _new_video(file: VideoToRead, names: VideoNames) -> NewVideo:
    """A video of which nothing was read."""
    candidate = file.candidate
    return NewVideo(
        candidate.path,
        candidate.root,
        names.camera,
        names.camera_source,
        candidate.size_bytes,
        candidate.mtime_ns,
        file.identity.fingerprint,
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
