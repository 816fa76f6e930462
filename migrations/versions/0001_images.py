"""The tables of runs, profiles and their layers, cameras, images and thumbnails."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "preparations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", TEXT, nullable=False, comment="sha256 of the parameters"),
        sa.Column("parameters", TEXT, nullable=False, comment="JSON object"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preparations")),
        sa.UniqueConstraint("digest", name=op.f("uq_preparations_digest")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("command", TEXT, nullable=False),
        sa.Column("arguments", TEXT, nullable=False, comment="JSON object"),
        sa.Column("version", TEXT, nullable=False, comment="of indexer"),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True, comment="NULL: running, or cut off"),
        sa.Column("outcome", TEXT, nullable=True, comment="NULL: running, or cut off"),
        sa.Column("counts", TEXT, nullable=True, comment="JSON object; NULL: running, or cut off"),
        sa.CheckConstraint("outcome IN ('done', 'failed', 'interrupted')", name=op.f("ck_runs_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_table(
        "scorings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("preparation_id", sa.Integer(), nullable=False),
        sa.Column("digest", TEXT, nullable=False, comment="sha256 of the parameters and the preparation's digest"),
        sa.Column("parameters", TEXT, nullable=False, comment="JSON object, without the preparation"),
        sa.ForeignKeyConstraint(["preparation_id"], ["preparations.id"], name=op.f("fk_scorings_preparation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scorings")),
        sa.UniqueConstraint("digest", name=op.f("uq_scorings_digest")),
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scoring_id", sa.Integer(), nullable=False),
        sa.Column("digest", TEXT, nullable=False, comment="sha256 of the limits and the scoring's digest"),
        sa.Column(
            "max_score", sa.Double(), nullable=False, comment="similar is a score below this, in reference pixels"
        ),
        sa.Column("record_limit", sa.Double(), nullable=False, comment="scores up to this are recorded"),
        sa.Column(
            "active",
            sa.Boolean(),
            nullable=False,
            comment="decides all cameras that have no profile of their own; one row at most",
        ),
        sa.ForeignKeyConstraint(["scoring_id"], ["scorings.id"], name=op.f("fk_profiles_scoring_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("name", name=op.f("uq_profiles_name")),
    )
    op.create_index(
        "uq_profiles_active",
        "profiles",
        ["active"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "cameras",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=True, comment="NULL: the active profile"),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_cameras_profile_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cameras")),
        sa.UniqueConstraint("name", name=op.f("uq_cameras_name")),
    )
    op.create_table(
        "images",
        sa.Column("id", GROWING_ID, nullable=False),
        sa.Column("path", TEXT, nullable=False, comment="absolute; a file URI if it is not UTF-8"),
        sa.Column("root", TEXT, nullable=False, comment="the folder given to ingest; of a lone file, its folder"),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("camera_source", TEXT, nullable=False, comment="option, pattern, name or folder"),
        sa.Column("captured_at", sa.DateTime(), nullable=True, comment="UTC; NULL: unknown"),
        sa.Column("captured_at_source", TEXT, nullable=True, comment="pattern, name, exif or mtime; NULL: unknown"),
        sa.Column(
            "width", sa.Integer(), nullable=True, comment="pixels as shown, EXIF rotation applied; NULL: unknown"
        ),
        sa.Column("height", sa.Integer(), nullable=True, comment="pixels as shown; NULL: unknown"),
        sa.Column("file_size", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False, comment="when it was last looked at"),
        sa.Column("content_hash", TEXT, nullable=False, comment="sha256 of the file's bytes, hex"),
        sa.Column(
            "sharpness", sa.Double(), nullable=True, comment="variance of the Laplacian at 320 wide; NULL: not decoded"
        ),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("state_reason", TEXT, nullable=True, comment="NULL: nothing to say"),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run that first saw it"),
        sa.CheckConstraint(
            "state <> 'ready' OR (width IS NOT NULL AND height IS NOT NULL AND sharpness IS NOT NULL)",
            name=op.f("ck_images_measured"),
        ),
        sa.CheckConstraint(
            "state IN ('ready', 'unreadable', 'damaged', 'too_small', 'missing', 'removed')",
            name=op.f("ck_images_state"),
        ),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_images_camera_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_images_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
    )
    op.create_index("ix_images_any_path", "images", ["path"], unique=False)
    op.create_index("ix_images_camera_id_state", "images", ["camera_id", "state"], unique=False)
    op.create_index(op.f("ix_images_content_hash"), "images", ["content_hash"], unique=False)
    op.create_index(
        "uq_images_path",
        "images",
        ["path"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('missing', 'removed')"),
        postgresql_where=sa.text("state NOT IN ('missing', 'removed')"),
    )
    op.create_table(
        "thumbnails",
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("preparation_id", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="PNG"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_thumbnails_image_id")),
        sa.ForeignKeyConstraint(["preparation_id"], ["preparations.id"], name=op.f("fk_thumbnails_preparation_id")),
        sa.PrimaryKeyConstraint("image_id", "preparation_id", name=op.f("pk_thumbnails")),
    )
