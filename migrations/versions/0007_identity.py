"""Unique ids for an index and its runs, and the user and host of each run.

A file that is deleted at once is first moved to another name, until its keeper was checked for the last time. The
journal has that name (`aside_path`). `recorded` is false for removals of earlier versions, which are in no record
beside the images yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_AUDIT_RUNS = """
CREATE VIEW audit_runs AS
SELECT id AS run_id, command, arguments, version, started_at, finished_at, outcome, counts, token, username, hostname
FROM runs
"""


def upgrade() -> None:
    """Makes the table, adds the columns, and replaces the view of runs."""
    op.create_table(
        "index_identity",
        sa.Column("id", TEXT, nullable=False, comment="32 hex digits"),
        sa.Column(
            "copied_from", TEXT, nullable=True, comment="the id of the index that it was copied from; NULL: none"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_identity")),
    )
    op.execute("DROP VIEW audit_runs")
    earlier = "NULL: a run of an earlier version"
    op.add_column("runs", sa.Column("token", TEXT, nullable=True, comment=f"32 hex digits; {earlier}"))
    op.add_column("runs", sa.Column("username", TEXT, nullable=True, comment=earlier))
    op.add_column("runs", sa.Column("hostname", TEXT, nullable=True, comment=earlier))
    op.add_column(
        "removals",
        sa.Column(
            "aside_path",
            TEXT,
            nullable=True,
            comment="where a file that is deleted at once waits for the last look at its keeper; NULL: it does not",
        ),
    )
    op.add_column(
        "removals",
        sa.Column(
            "recorded",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="whether a record beside the images tells of it",
        ),
    )
    op.create_index(
        "ix_removals_unrecorded",
        "removals",
        ["id"],
        sqlite_where=sa.text("recorded = 0"),
        postgresql_where=sa.text("NOT recorded"),
    )
    op.execute(_AUDIT_RUNS)
