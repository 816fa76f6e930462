"""The tables of videos and recordings: what was read, the images stored of it, and the spans of all other frames.

As `indexer.store.tables`, which names these tables too.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from indexer.store.columns import GROWING_ID, PathText
from indexer.store.table_base import Base, PartialIndex


class VideoRow(Base):
    """A video file that was read, or that cannot be read. Changed bytes at a path make a new row."""

    __tablename__ = "videos"
    __table_args__ = (
        CheckConstraint("state IN ('read', 'partial', 'unreadable')", name="state"),
        CheckConstraint("state <> 'unreadable' OR (state_reason IS NOT NULL AND frames_read = 0)", name="unread"),
        CheckConstraint("(started_at IS NULL) = (started_at_source IS NULL)", name="started"),
        CheckConstraint("frames_stored >= 0 AND frames_read >= frames_stored", name="frames"),
        PartialIndex("uq_videos_path", "path", where="missing_reason IS NULL", unique=True),
        Index("ix_videos_fingerprint", "fingerprint"),
        Index("ix_videos_camera_id_started_at", "camera_id", "started_at"),
    )
    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True)
    path: Mapped[str] = mapped_column(PathText, comment="absolute; a file URI if it is not UTF-8")
    root: Mapped[str] = mapped_column(PathText, comment="the folder given to ingest; of a lone file, its folder")
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    camera_source: Mapped[str] = mapped_column(comment="option, pattern, name or folder")
    started_at: Mapped[datetime | None] = mapped_column(comment="time of the first frame, UTC; NULL: unknown")
    started_at_source: Mapped[str | None] = mapped_column(comment="pattern, name, container or mtime; NULL: unknown")
    ended_at: Mapped[datetime | None] = mapped_column(comment="end of the last frame that is there; NULL: unknown")
    duration_s: Mapped[float | None] = mapped_column(comment="as the header says; NULL: it says nothing")
    width: Mapped[int | None] = mapped_column(comment="pixels as shown; NULL: not read")
    height: Mapped[int | None] = mapped_column(comment="pixels as shown; NULL: not read")
    codec: Mapped[str | None] = mapped_column(comment="as FFmpeg calls it; NULL: not read")
    sampling: Mapped[str | None] = mapped_column(comment="what was decoded: keyframes or all; NULL: not read")
    interval_s: Mapped[float | None] = mapped_column(comment="from one frame looked at to the next; NULL: not read")
    frames_read: Mapped[int] = mapped_column(BigInteger, comment="frames looked at")
    frames_stored: Mapped[int] = mapped_column(BigInteger, comment="frames that became images")
    file_size: Mapped[int] = mapped_column(BigInteger, comment="bytes")
    mtime_ns: Mapped[int] = mapped_column(BigInteger, comment="when it was last looked at")
    fingerprint: Mapped[str] = mapped_column(comment="sha256 of the size and of the first and last MiB, hex")
    state: Mapped[str] = mapped_column(comment="read, partial or unreadable")
    state_reason: Mapped[str | None] = mapped_column(comment="NULL: nothing to say")
    missing_reason: Mapped[str | None] = mapped_column(comment="why it is not at its path any more; NULL: it is there")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), comment="the run that read it")


class VideoFrameRow(Base):
    """An image that was stored of a video."""

    __tablename__ = "video_frames"
    __table_args__ = (Index("ix_video_frames_video_id_offset_us", "video_id", "offset_us"),)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("videos.id"))
    offset_us: Mapped[int] = mapped_column(BigInteger, comment="microseconds since the first frame of the video")


class RecordingRow(Base):
    """A time in which the frames of a live camera were looked at, without a break of the stream."""

    __tablename__ = "recordings"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
        CheckConstraint(
            "ended_because IN ('stopped', 'lost', 'stalled', 'clock', 'error', 'cut_off')", name="ended_because"
        ),
        CheckConstraint("frames_stored >= 0 AND frames_read >= frames_stored", name="frames"),
        CheckConstraint("frames_missed >= 0 AND frames_damaged >= 0", name="counts"),
        CheckConstraint("started_at <= seen_until", name="ordered"),
        Index("ix_recordings_camera_id_started_at", "camera_id", "started_at"),
        Index("ix_recordings_run_id", "run_id"),
    )
    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    source: Mapped[str] = mapped_column(comment="address without user, password and query")
    started_at: Mapped[datetime] = mapped_column(comment="time of the first frame, UTC")
    seen_until: Mapped[datetime] = mapped_column(comment="time of the last frame that is accounted for, UTC")
    ended_at: Mapped[datetime | None] = mapped_column(comment="when the stream broke, UTC; NULL: it goes on")
    ended_because: Mapped[str | None] = mapped_column(
        comment="stopped, lost, stalled, clock, error or cut_off; NULL: it goes on"
    )
    detail: Mapped[str | None] = mapped_column(comment="why it ended, in a few words; NULL: nothing to say")
    width: Mapped[int] = mapped_column(comment="pixels as shown")
    height: Mapped[int] = mapped_column(comment="pixels as shown")
    codec: Mapped[str] = mapped_column(comment="as FFmpeg calls it")
    every_s: Mapped[float] = mapped_column(comment="from one frame that was to be looked at to the next")
    frames_read: Mapped[int] = mapped_column(BigInteger, comment="frames looked at")
    frames_stored: Mapped[int] = mapped_column(BigInteger, comment="frames that became images")
    frames_missed: Mapped[int] = mapped_column(BigInteger, comment="frames that were due and did not come")
    frames_damaged: Mapped[int] = mapped_column(BigInteger, comment="frames looked at that were not whole")
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"), comment="the profile that compared the frames")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))


class RecordingFrameRow(Base):
    """An image that was stored of a recording."""

    __tablename__ = "recording_frames"
    __table_args__ = (Index("ix_recording_frames_recording_id", "recording_id"),)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"))


class SpanRow(Base):
    """Frames of a video or recording that were looked at and not stored, or a time in which nobody looked."""

    __tablename__ = "spans"
    __table_args__ = (
        CheckConstraint("reason IN ('seen', 'damaged', 'gap', 'full_disk', 'capped')", name="reason"),
        CheckConstraint("(reason = 'seen') = (image_id IS NOT NULL)", name="witness"),
        CheckConstraint("reason <> 'seen' OR (worst_score IS NOT NULL AND profile_id IS NOT NULL)", name="scored"),
        CheckConstraint("(worst_score IS NULL) = (worst_at IS NULL)", name="worst"),
        CheckConstraint("(reason = 'gap') = (frames = 0)", name="frames"),
        CheckConstraint("from_at <= to_at", name="ordered"),
        CheckConstraint("(video_id IS NULL) <> (recording_id IS NULL)", name="origin"),
        Index("ix_spans_camera_id_from_at", "camera_id", "from_at"),
        Index("ix_spans_image_id", "image_id"),
        Index("ix_spans_recording_id", "recording_id"),
        Index("ix_spans_video_id", "video_id"),
    )
    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    video_id: Mapped[int | None] = mapped_column(ForeignKey("videos.id"))
    recording_id: Mapped[int | None] = mapped_column(ForeignKey("recordings.id"))
    image_id: Mapped[int | None] = mapped_column(
        ForeignKey("images.id"), comment="the witness: the stored image that shows the same; NULL: none"
    )
    reason: Mapped[str] = mapped_column(comment="seen, damaged, gap, full_disk or capped")
    detail: Mapped[str | None] = mapped_column(comment="why, in a few words; NULL: nothing to say")
    profile_id: Mapped[int | None] = mapped_column(
        ForeignKey("profiles.id"), comment="the profile that compared the frames; NULL: none were compared"
    )
    from_at: Mapped[datetime] = mapped_column(comment="first frame, UTC; of a gap: the last frame before it")
    to_at: Mapped[datetime] = mapped_column(comment="last frame, UTC; of a gap: the first frame after it")
    frames: Mapped[int] = mapped_column(BigInteger, comment="frames looked at; 0 for a gap")
    every_s: Mapped[float | None] = mapped_column(comment="from one frame looked at to the next; NULL: none")
    worst_score: Mapped[float | None] = mapped_column(
        comment="largest score of a frame and the witness; NULL: none was scored"
    )
    worst_at: Mapped[datetime | None] = mapped_column(comment="when that frame was taken; NULL: none was scored")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
