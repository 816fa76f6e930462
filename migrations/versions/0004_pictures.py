"""The table of previews: colour pictures of removed images and of their keepers.

With them a person can look at a removal years later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "pictures",
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="JPEG"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_pictures_image_id")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_pictures")),
    )
