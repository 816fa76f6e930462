"""The built-in profile `colour`: no table changes.

`db upgrade` adds the built-in profiles that an index lacks, after the migrations and in the same transaction. An index
of revision 0008 has all tables already. It gets a new revision so that `db upgrade` is required.
"""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Changes nothing."""
