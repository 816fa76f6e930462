"""Videos, the images that were stored of them, and the spans of their other frames; two views for audits."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTE_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_AUDIT_VIDEOS = """
CREATE VIEW audit_videos AS
SELECT video.id AS video_id, video.path AS path, camera.name AS camera, video.started_at AS started_at,
       video.started_at_source AS started_at_source, video.ended_at AS ended_at, video.duration_s AS duration_s,
       video.width AS width, video.height AS height, video.codec AS codec, video.sampling AS sampling,
       video.interval_s AS interval_s, video.frames_read AS frames_read, video.frames_stored AS frames_stored,
       video.file_size AS file_size, video.state AS state, video.state_reason AS state_reason,
       video.missing_reason AS missing_reason, video.idle_from AS idle_from, {idle_s} AS idle_s, video.run_id AS run_id
FROM (
    SELECT ordered.*,
           CASE WHEN ordered.started_at IS NOT NULL THEN MAX(ordered.ended_at) OVER (
               PARTITION BY ordered.camera_id ORDER BY ordered.started_at, ordered.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) END AS idle_from
    FROM videos AS ordered
) AS video
JOIN cameras AS camera ON camera.id = video.camera_id
"""

_AUDIT_SPANS = """
CREATE VIEW audit_spans AS
SELECT span.id AS span_id, camera.name AS camera, span.reason AS reason, span.from_at AS from_at, span.to_at AS to_at,
       {length_s} AS length_s, span.frames AS frames, span.every_s AS every_s, span.image_id AS witness_id,
       witness.path AS witness_path, span.worst_score AS worst_score, span.worst_at AS worst_at,
       profile.max_score AS max_score, profile.name AS profile, span.detail AS detail, span.video_id AS video_id,
       video.path AS video_path, span.run_id AS run_id
FROM spans AS span
JOIN cameras AS camera ON camera.id = span.camera_id
JOIN videos AS video ON video.id = span.video_id
LEFT JOIN images AS witness ON witness.id = span.image_id
LEFT JOIN profiles AS profile ON profile.id = span.profile_id
"""


def _seconds(begin: str, end: str) -> str:
    """The SQL for the seconds from one time to another, exact to the microsecond; NULL if they overlap."""
    if op.get_context().dialect.name == "postgresql":
        difference_us = f"CAST(EXTRACT(EPOCH FROM ({end} - {begin})) * 1000000 AS BIGINT)"
    else:
        difference_us = f"({_sqlite_epoch_us(end)} - {_sqlite_epoch_us(begin)})"
    seconds = f"CAST({difference_us} AS DOUBLE PRECISION) / 1000000.0"
    return f"CASE WHEN {end} >= {begin} THEN {seconds} END"


def _sqlite_epoch_us(time: str) -> str:
    seconds = f"CAST(strftime('%s', substr({time}, 1, 19)) AS INTEGER)"
    return f"({seconds} * 1000000 + CAST(substr({time}, 21, 6) AS INTEGER))"


def upgrade() -> None:
    """Makes the tables, their indexes and the views."""
    _create_videos()
    _create_video_frames()
    _create_spans()
    op.execute(_AUDIT_VIDEOS.format(idle_s=_seconds("video.idle_from", "video.started_at")))
    op.execute(_AUDIT_SPANS.format(length_s=_seconds("span.from_at", "span.to_at")))


def _create_videos() -> None:
    op.create_table(
        "videos",
        sa.Column("id", GROWING_ID, nullable=False),
        sa.Column("path", BYTE_ORDERED, nullable=False, comment="absolute; a file URI if it is not UTF-8"),
        sa.Column(
            "root", BYTE_ORDERED, nullable=False, comment="the folder given to ingest; of a lone file, its folder"
        ),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("camera_source", BYTE_ORDERED, nullable=False, comment="option, pattern, name or folder"),
        sa.Column("started_at", sa.DateTime(), nullable=True, comment="time of the first frame, UTC; NULL: unknown"),
        sa.Column(
            "started_at_source", BYTE_ORDERED, nullable=True, comment="pattern, name, container or mtime; NULL: unknown"
        ),
        sa.Column(
            "ended_at", sa.DateTime(), nullable=True, comment="end of the last frame that is there; NULL: unknown"
        ),
        sa.Column("duration_s", sa.Double(), nullable=True, comment="as the header says; NULL: it says nothing"),
        sa.Column("width", sa.Integer(), nullable=True, comment="pixels as shown; NULL: not read"),
        sa.Column("height", sa.Integer(), nullable=True, comment="pixels as shown; NULL: not read"),
        sa.Column("codec", BYTE_ORDERED, nullable=True, comment="as FFmpeg calls it; NULL: not read"),
        sa.Column(
            "sampling", BYTE_ORDERED, nullable=True, comment="what was decoded: keyframes or all; NULL: not read"
        ),
        sa.Column(
            "interval_s", sa.Double(), nullable=True, comment="from one frame looked at to the next; NULL: not read"
        ),
        sa.Column("frames_read", sa.BigInteger(), nullable=False, comment="frames looked at"),
        sa.Column("frames_stored", sa.BigInteger(), nullable=False, comment="frames that became images"),
        sa.Column("file_size", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False, comment="when it was last looked at"),
        sa.Column(
            "fingerprint", BYTE_ORDERED, nullable=False, comment="sha256 of the size and of the first and last MiB, hex"
        ),
        sa.Column("state", BYTE_ORDERED, nullable=False, comment="read, partial or unreadable"),
        sa.Column("state_reason", BYTE_ORDERED, nullable=True, comment="NULL: nothing to say"),
        sa.Column(
            "missing_reason",
            BYTE_ORDERED,
            nullable=True,
            comment="why it is not at its path any more; NULL: it is there",
        ),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run that read it"),
        sa.CheckConstraint(
            "state <> 'unreadable' OR (state_reason IS NOT NULL AND frames_read = 0)", name=op.f("ck_videos_unread")
        ),
        sa.CheckConstraint("state IN ('read', 'partial', 'unreadable')", name=op.f("ck_videos_state")),
        sa.CheckConstraint("frames_stored >= 0 AND frames_read >= frames_stored", name=op.f("ck_videos_frames")),
        sa.CheckConstraint("(started_at IS NULL) = (started_at_source IS NULL)", name=op.f("ck_videos_started")),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_videos_camera_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_videos_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_videos")),
    )
    op.create_index("ix_videos_camera_id_started_at", "videos", ["camera_id", "started_at"])
    op.create_index("ix_videos_fingerprint", "videos", ["fingerprint"])
    op.create_index(
        "uq_videos_path",
        "videos",
        ["path"],
        unique=True,
        sqlite_where=sa.text("missing_reason IS NULL"),
        postgresql_where=sa.text("missing_reason IS NULL"),
    )


def _create_video_frames() -> None:
    op.create_table(
        "video_frames",
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("video_id", GROWING_ID, nullable=False),
        sa.Column(
            "offset_us", sa.BigInteger(), nullable=False, comment="microseconds since the first frame of the video"
        ),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_video_frames_image_id")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_video_frames_video_id")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_video_frames")),
    )
    op.create_index("ix_video_frames_video_id_offset_us", "video_frames", ["video_id", "offset_us"])


def _create_spans() -> None:
    op.create_table(
        "spans",
        sa.Column("id", GROWING_ID, nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("video_id", GROWING_ID, nullable=False),
        sa.Column(
            "image_id",
            GROWING_ID,
            nullable=True,
            comment="the witness: the stored image that shows the same; NULL: none",
        ),
        sa.Column("reason", BYTE_ORDERED, nullable=False, comment="seen, damaged, gap, full_disk or capped"),
        sa.Column("detail", BYTE_ORDERED, nullable=True, comment="why, in a few words; NULL: nothing to say"),
        sa.Column(
            "profile_id",
            sa.Integer(),
            nullable=True,
            comment="the profile that compared the frames; NULL: none were compared",
        ),
        sa.Column(
            "from_at", sa.DateTime(), nullable=False, comment="first frame, UTC; of a gap: the last frame before it"
        ),
        sa.Column(
            "to_at", sa.DateTime(), nullable=False, comment="last frame, UTC; of a gap: the first frame after it"
        ),
        sa.Column("frames", sa.BigInteger(), nullable=False, comment="frames looked at; 0 for a gap"),
        sa.Column("every_s", sa.Double(), nullable=True, comment="from one frame looked at to the next; NULL: none"),
        sa.Column(
            "worst_score",
            sa.Double(),
            nullable=True,
            comment="largest score of a frame and the witness; NULL: none was scored",
        ),
        sa.Column("worst_at", sa.DateTime(), nullable=True, comment="when that frame was taken; NULL: none was scored"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(reason = 'gap') = (frames = 0)", name=op.f("ck_spans_frames")),
        sa.CheckConstraint(
            "reason <> 'seen' OR (worst_score IS NOT NULL AND profile_id IS NOT NULL)", name=op.f("ck_spans_scored")
        ),
        sa.CheckConstraint("from_at <= to_at", name=op.f("ck_spans_ordered")),
        sa.CheckConstraint("(reason = 'seen') = (image_id IS NOT NULL)", name=op.f("ck_spans_witness")),
        sa.CheckConstraint("reason IN ('seen', 'damaged', 'gap', 'full_disk', 'capped')", name=op.f("ck_spans_reason")),
        sa.CheckConstraint("(worst_score IS NULL) = (worst_at IS NULL)", name=op.f("ck_spans_worst")),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_spans_camera_id")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_spans_video_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_spans_image_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_spans_profile_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_spans_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spans")),
    )
    op.create_index("ix_spans_camera_id_from_at", "spans", ["camera_id", "from_at"])
    op.create_index("ix_spans_image_id", "spans", ["image_id"])
    op.create_index("ix_spans_video_id", "spans", ["video_id"])
