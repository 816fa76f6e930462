"""Images that are held back although it was another image that was removed: `images.held_back`.

A person took a removed file out of quarantine and put it where a missing image with the same bytes was. The row of the
missing image has the file now, and no removal of its own that could say that no plan takes it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column and its index."""
    op.add_column(
        "images",
        sa.Column(
            "held_back",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="whether no plan takes it until a person includes it: it has the file of a removed image",
        ),
    )
    op.create_index(
        "ix_images_held_back",
        "images",
        ["id"],
        sqlite_where=sa.text("held_back = 1"),
        postgresql_where=sa.text("held_back"),
    )
