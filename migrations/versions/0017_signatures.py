"""The signatures of keepers: what proves most thumbnails dissimilar without reading them.

The table begins empty: compare adds the signature of a keeper whose thumbnail it had to decode. A signature goes with
its thumbnail.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "signatures",
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("preparation_id", sa.Integer(), nullable=False),
        sa.Column(
            "data",
            sa.LargeBinary(),
            nullable=False,
            comment="mean of each block of 3 x 3 pixels, row by row, and a checksum",
        ),
        sa.ForeignKeyConstraint(
            ["image_id", "preparation_id"],
            ["thumbnails.image_id", "thumbnails.preparation_id"],
            name=op.f("fk_signatures_image_id_preparation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("image_id", "preparation_id", name=op.f("pk_signatures")),
    )
