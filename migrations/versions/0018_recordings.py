"""Recordings of live cameras, and the images that were stored of them; a span is of a video or of a recording."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTE_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_AUDIT_RECORDINGS = """
CREATE VIEW audit_recordings AS
SELECT recording.id AS recording_id, camera.name AS camera, recording.source AS source,
       recording.started_at AS started_at, recording.seen_until AS seen_until, {length_s} AS length_s,
       recording.ended_at AS ended_at, recording.ended_because AS ended_because, recording.detail AS detail,
       recording.width AS width, recording.height AS height, recording.codec AS codec, recording.every_s AS every_s,
       recording.frames_read AS frames_read, recording.frames_stored AS frames_stored,
       recording.frames_missed AS frames_missed, recording.frames_damaged AS frames_damaged, profile.name AS profile,
       recording.run_id AS run_id
FROM recordings AS recording
JOIN cameras AS camera ON camera.id = recording.camera_id
JOIN profiles AS profile ON profile.id = recording.profile_id
"""

_AUDIT_SPANS = """
CREATE VIEW audit_spans AS
SELECT span.id AS span_id, camera.name AS camera, span.reason AS reason, span.from_at AS from_at, span.to_at AS to_at,
       {length_s} AS length_s, span.frames AS frames, span.every_s AS every_s, span.image_id AS witness_id,
       witness.path AS witness_path, span.worst_score AS worst_score, span.worst_at AS worst_at,
       profile.max_score AS max_score, profile.name AS profile, span.detail AS detail, span.video_id AS video_id,
       video.path AS video_path, span.run_id AS run_id, span.recording_id AS recording_id, recording.source AS source
FROM spans AS span
JOIN cameras AS camera ON camera.id = span.camera_id
LEFT JOIN videos AS video ON video.id = span.video_id
LEFT JOIN recordings AS recording ON recording.id = span.recording_id
LEFT JOIN images AS witness ON witness.id = span.image_id
LEFT JOIN profiles AS profile ON profile.id = span.profile_id
"""

_COLUMNS = (
    "id, camera_id, video_id, image_id, reason, detail, profile_id, from_at, to_at, frames, every_s, worst_score, "
    "worst_at, run_id"
)


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
    """Makes the tables and a view, and lets a span be of a recording."""
    op.execute("DROP VIEW audit_spans")
    _create_recordings()
    _create_recording_frames()
    if op.get_context().dialect.name == "postgresql":
        _change_spans()
    else:
        _make_spans_again()
    op.execute(_AUDIT_RECORDINGS.format(length_s=_seconds("recording.started_at", "recording.seen_until")))
    op.execute(_AUDIT_SPANS.format(length_s=_seconds("span.from_at", "span.to_at")))


def _create_recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", GROWING_ID, nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("source", BYTE_ORDERED, nullable=False, comment="address without user, password and query"),
        sa.Column("started_at", sa.DateTime(), nullable=False, comment="time of the first frame, UTC"),
        sa.Column(
            "seen_until", sa.DateTime(), nullable=False, comment="time of the last frame that is accounted for, UTC"
        ),
        sa.Column("ended_at", sa.DateTime(), nullable=True, comment="when the stream broke, UTC; NULL: it goes on"),
        sa.Column(
            "ended_because",
            BYTE_ORDERED,
            nullable=True,
            comment="stopped, lost, stalled, clock, error or cut_off; NULL: it goes on",
        ),
        sa.Column("detail", BYTE_ORDERED, nullable=True, comment="why it ended, in a few words; NULL: nothing to say"),
        sa.Column("width", sa.Integer(), nullable=False, comment="pixels as shown"),
        sa.Column("height", sa.Integer(), nullable=False, comment="pixels as shown"),
        sa.Column("codec", BYTE_ORDERED, nullable=False, comment="as FFmpeg calls it"),
        sa.Column(
            "every_s", sa.Double(), nullable=False, comment="from one frame that was to be looked at to the next"
        ),
        sa.Column("frames_read", sa.BigInteger(), nullable=False, comment="frames looked at"),
        sa.Column("frames_stored", sa.BigInteger(), nullable=False, comment="frames that became images"),
        sa.Column("frames_missed", sa.BigInteger(), nullable=False, comment="frames that were due and did not come"),
        sa.Column("frames_damaged", sa.BigInteger(), nullable=False, comment="frames looked at that were not whole"),
        sa.Column("profile_id", sa.Integer(), nullable=False, comment="the profile that compared the frames"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_recordings_ended")),
        sa.CheckConstraint(
            "ended_because IN ('stopped', 'lost', 'stalled', 'clock', 'error', 'cut_off')",
            name=op.f("ck_recordings_ended_because"),
        ),
        sa.CheckConstraint("frames_stored >= 0 AND frames_read >= frames_stored", name=op.f("ck_recordings_frames")),
        sa.CheckConstraint("frames_missed >= 0 AND frames_damaged >= 0", name=op.f("ck_recordings_counts")),
        sa.CheckConstraint("started_at <= seen_until", name=op.f("ck_recordings_ordered")),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_recordings_camera_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_recordings_profile_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_recordings_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
    )
    op.create_index("ix_recordings_camera_id_started_at", "recordings", ["camera_id", "started_at"])
    op.create_index("ix_recordings_run_id", "recordings", ["run_id"])


def _create_recording_frames() -> None:
    op.create_table(
        "recording_frames",
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("recording_id", GROWING_ID, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_recording_frames_image_id")),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_recording_frames_recording_id")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_recording_frames")),
    )
    op.create_index("ix_recording_frames_recording_id", "recording_frames", ["recording_id"])


def _change_spans() -> None:
    op.add_column("spans", sa.Column("recording_id", GROWING_ID, nullable=True))
    op.alter_column("spans", "video_id", nullable=True)
    op.create_foreign_key(op.f("fk_spans_recording_id"), "spans", "recordings", ["recording_id"], ["id"])
    op.create_check_constraint(op.f("ck_spans_origin"), "spans", "(video_id IS NULL) <> (recording_id IS NULL)")
    op.create_index("ix_spans_recording_id", "spans", ["recording_id"])


def _make_spans_again() -> None:
    """SQLite cannot change a column: the table is made again with the same rows. No other table refers to it."""
    op.execute("CREATE TABLE spans_before AS SELECT * FROM spans")
    op.drop_table("spans")
    _create_spans()
    op.execute(f"INSERT INTO spans ({_COLUMNS}) SELECT {_COLUMNS} FROM spans_before")
    op.drop_table("spans_before")


def _create_spans() -> None:
    op.create_table(
        "spans",
        sa.Column("id", GROWING_ID, nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("video_id", GROWING_ID, nullable=True),
        sa.Column("recording_id", GROWING_ID, nullable=True),
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
        sa.CheckConstraint("(video_id IS NULL) <> (recording_id IS NULL)", name=op.f("ck_spans_origin")),
        sa.CheckConstraint("from_at <= to_at", name=op.f("ck_spans_ordered")),
        sa.CheckConstraint("(reason = 'seen') = (image_id IS NOT NULL)", name=op.f("ck_spans_witness")),
        sa.CheckConstraint("reason IN ('seen', 'damaged', 'gap', 'full_disk', 'capped')", name=op.f("ck_spans_reason")),
        sa.CheckConstraint("(worst_score IS NULL) = (worst_at IS NULL)", name=op.f("ck_spans_worst")),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_spans_camera_id")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_spans_video_id")),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_spans_recording_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_spans_image_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_spans_profile_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_spans_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spans")),
    )
    op.create_index("ix_spans_camera_id_from_at", "spans", ["camera_id", "from_at"])
    op.create_index("ix_spans_image_id", "spans", ["image_id"])
    op.create_index("ix_spans_recording_id", "spans", ["recording_id"])
    op.create_index("ix_spans_video_id", "spans", ["video_id"])
