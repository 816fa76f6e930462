"""How the images of each ingested folder are named, and which folders the images of each camera come from.

`naming_rules` holds what a person said of a folder once (pattern, scheme, camera, level, time zone), so that the next
ingest needs no option; `camera_sources` holds the folders of each camera, so that another folder of the same name does
not become the same camera. Only `ingest` and `camera` write them, under the lock of the whole index or of the camera,
and only the store (`indexer.store.naming_rules`, `indexer.store.camera_sources`) reads and writes the tables.

The folders that an index has already are marked as read by the rules of earlier versions: its cameras stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes the two tables, and fills them with what is known of the images that are there."""
    op.create_table(
        "naming_rules",
        sa.Column("folder", TEXT, nullable=False, comment="the real path of a folder given to ingest"),
        sa.Column("camera", TEXT, nullable=True, comment="all its images are of this camera; NULL: not said"),
        sa.Column(
            "camera_level",
            sa.Integer(),
            nullable=True,
            comment="the camera is the folder so many levels below, 1 for the first; NULL: not said",
        ),
        sa.Column(
            "base",
            TEXT,
            nullable=True,
            comment="the folder above it that level and pattern begin at; NULL: the folder itself",
        ),
        sa.Column("pattern", TEXT, nullable=True, comment="regular expression; NULL: none"),
        sa.Column("scheme", TEXT, nullable=True, comment="name of a built-in pattern; NULL: none"),
        sa.Column("timezone", TEXT, nullable=True, comment="of times without an offset; NULL: UTC"),
        sa.Column(
            "is_earlier",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="whether names are read by the rules of earlier versions",
        ),
        sa.PrimaryKeyConstraint("folder", name=op.f("pk_naming_rules")),
        sa.CheckConstraint("camera IS NULL OR camera_level IS NULL", name=op.f("ck_naming_rules_one_camera")),
        sa.CheckConstraint("pattern IS NULL OR scheme IS NULL", name=op.f("ck_naming_rules_one_pattern")),
    )
    op.create_table(
        "camera_sources",
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("source", TEXT, nullable=False, comment="the camera's folder, with its channel if it has one"),
        sa.Column(
            "is_root",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="whether it is the folder given to ingest, and all below it counts",
        ),
        sa.Column(
            "is_confirmed",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="whether a person said that its images are of this camera",
        ),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_camera_sources_camera_id")),
        sa.PrimaryKeyConstraint("camera_id", "source", name=op.f("pk_camera_sources")),
    )
    op.execute("INSERT INTO naming_rules (folder, is_earlier) SELECT DISTINCT root, TRUE FROM images")
    op.execute(
        "INSERT INTO camera_sources (camera_id, source, is_root) SELECT DISTINCT camera_id, root, TRUE FROM images"
    )
