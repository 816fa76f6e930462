"""What an undone removal leaves behind, and which removed images another profile would have kept.

`removals.held_back` marks a file that came back when its run was undone: no plan takes it until a person says so.
`reconsidered` has the decision of a later profile on a removed image. The view of cameras has no camera without images
any more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_AUDIT_CAMERAS = """
CREATE VIEW audit_cameras AS
SELECT camera.name AS camera,
       COALESCE(image.ready, 0) AS images,
       COALESCE(image.unreadable, 0) AS unreadable,
       COALESCE(decided.kept, 0) AS kept,
       COALESCE(decided.duplicates, 0) AS duplicates,
       COALESCE(image.removed, 0) AS removed,
       image.first_captured_at AS first_captured_at,
       image.last_captured_at AS last_captured_at,
       COALESCE(image.ready, 0) - COALESCE(decided.kept, 0) - COALESCE(decided.duplicates, 0) AS undecided,
       COALESCE(image.missing, 0) AS missing,
       CAST(COALESCE(image.size_bytes, 0) AS BIGINT) AS size_bytes
FROM cameras AS camera
JOIN (
    SELECT camera_id,
           COUNT(CASE WHEN state = 'ready' THEN 1 END) AS ready,
           COUNT(CASE WHEN state IN ('unreadable', 'damaged', 'too_small') THEN 1 END) AS unreadable,
           COUNT(CASE WHEN state = 'removed' THEN 1 END) AS removed,
           COUNT(CASE WHEN state = 'missing' THEN 1 END) AS missing,
           MIN(CASE WHEN state = 'ready' THEN captured_at END) AS first_captured_at,
           MAX(CASE WHEN state = 'ready' THEN captured_at END) AS last_captured_at,
           SUM(CASE WHEN state = 'ready' THEN file_size END) AS size_bytes
    FROM images
    GROUP BY camera_id
) AS image ON image.camera_id = camera.id
LEFT JOIN (
    SELECT ready.camera_id AS camera_id,
           COUNT(CASE WHEN decision.verdict = 'keep' THEN 1 END) AS kept,
           COUNT(CASE WHEN decision.verdict = 'duplicate' THEN 1 END) AS duplicates
    FROM images AS ready
    JOIN decisions AS decision ON decision.image_id = ready.id AND decision.superseded_at IS NULL
    WHERE ready.state = 'ready'
    GROUP BY ready.camera_id
) AS decided ON decided.camera_id = camera.id
"""


def upgrade() -> None:
    """Adds the column, the table and their indexes, and makes the view of cameras anew."""
    op.add_column(
        "removals",
        sa.Column(
            "held_back",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="whether no plan takes the restored file until a person includes it: its run was undone",
        ),
    )
    op.create_index(
        "ix_removals_held_back",
        "removals",
        ["image_id"],
        sqlite_where=sa.text("held_back = 1"),
        postgresql_where=sa.text("held_back"),
    )
    op.create_table(
        "reconsidered",
        sa.Column("removal_id", GROWING_ID, nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False, comment="a profile that came into force later"),
        sa.Column("kept", sa.Boolean(), nullable=False, comment="whether that profile would have kept the image"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_reconsidered_profile_id")),
        sa.ForeignKeyConstraint(["removal_id"], ["removals.id"], name=op.f("fk_reconsidered_removal_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_reconsidered_run_id")),
        sa.PrimaryKeyConstraint("removal_id", "profile_id", name=op.f("pk_reconsidered")),
    )
    op.execute("DROP VIEW audit_cameras")
    op.execute(_AUDIT_CAMERAS)
