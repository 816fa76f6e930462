"""Whether a thumbnail is flat, so that its image is not similar to any other by score.

Thumbnails of earlier versions count as not flat until they are made again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column(
        "thumbnails",
        sa.Column(
            "flat",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="whether one grey level is all that there is to look at",
        ),
    )
