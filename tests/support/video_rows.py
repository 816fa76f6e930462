"""Videos and recordings in an index without a source that can be read: the rows that reading it would have left."""

import hashlib
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from indexer.domain.spans import FrameTime, Span, SpanReason
from indexer.domain.videos import EPOCH, VideoState
from indexer.store import images, profiles, recordings, spans, videos
from indexer.store.database import Database
from indexer.store.recordings import NewRecording
from indexer.store.videos import NewVideo

NOON = EPOCH + timedelta(milliseconds=1_623_844_800_000)


def add_video_rows(database: Database, path: Path, *, image: Path, run_id: int = 1) -> int:
    """Adds a video of which `image` is a stored frame and the witness of five others. Returns its id."""
    with database.write() as session:
        known = images.list_known(session, [str(image)])[str(image)]
        fingerprint = hashlib.sha256(os.fsencode(path.name)).hexdigest()
        size_bytes, mtime_ns = (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else (1000, 1)
        video = NewVideo(
            str(path), str(path.parent), known.naming.camera, "name", size_bytes, mtime_ns, fingerprint, VideoState.READ
        )
        whole = replace(
            video, started_at=NOON, started_at_source="name", length_s=9.0, frames_read=6, frames_stored=1, codec="h264"
        )
        videos.end_earlier_reading(session, whole)
        video_id = videos.add_video(session, whole, run_id=run_id)
        videos.add_video_frames(session, video_id, {known.id: 0})
        first, last = (FrameTime(second * 1_000_000, NOON + timedelta(seconds=second)) for second in (1, 8))
        spans.add_spans(
            session,
            [Span(SpanReason.SEEN, first, last, 5, "image", 412.5, first)],
            video_id=video_id,
            image_ids={"image": known.id},
            profile_id=profiles.get_profile(session, "balanced").id,
            every_s=1.0,
            run_id=run_id,
        )
    return video_id


def add_recording_rows(database: Database, *, image: Path, run_id: int = 1) -> int:
    """Adds a recording of the camera of `image`, which is a stored frame of it. Returns its id."""
    with database.write() as session:
        known = images.list_known(session, [str(image)])[str(image)]
        profile_id = profiles.get_profile(session, "balanced").id
        new = NewRecording(known.naming.camera, "rtsp://192.0.2.7/1", NOON, 640, 480, "h264", 1.0, profile_id)
        recording_id = recordings.add_recording(session, new, run_id=run_id)
        recordings.add_recording_frames(session, recording_id, [known.id])
    return recording_id
