"""What advise found about cameras, and a view of it for audits."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BYTE_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_OPEN = "until IS NULL AND dismissed_at IS NULL"

_AUDIT_FINDINGS = """
CREATE VIEW audit_findings AS
SELECT finding.id AS finding_id, camera.name AS camera, finding.kind AS kind, finding.light_class AS light_class,
       finding.region AS region, finding.opened_at AS opened_at, finding.since AS since, finding.until AS until,
       finding.strength AS strength, finding.evidence AS evidence, finding.dismissed_at AS dismissed_at,
       finding.dismissed_by AS dismissed_by, finding.note AS note, finding.run_id AS run_id
FROM findings AS finding
JOIN cameras AS camera ON camera.id = finding.camera_id
"""


def upgrade() -> None:
    """Makes the table, its indexes and the view."""
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("kind", BYTE_ORDERED, nullable=False, comment="moved, sways, blurred and so on"),
        sa.Column("light_class", BYTE_ORDERED, nullable=True, comment="light that it was seen in; NULL: all"),
        sa.Column(
            "region",
            BYTE_ORDERED,
            nullable=False,
            comment="X,Y,W,H in per cent, several with a semicolon; empty: the whole frame",
        ),
        sa.Column("opened_at", sa.DateTime(), nullable=False, comment="when it was first told"),
        sa.Column("since", sa.DateTime(), nullable=False, comment="capture time of the first frame that shows it"),
        sa.Column("until", sa.DateTime(), nullable=True, comment="capture time at which it was over; NULL: it is not"),
        sa.Column(
            "strength",
            sa.Double(),
            nullable=False,
            comment="how far over its limit, from 1; if dismissed, as it was then",
        ),
        sa.Column(
            "evidence", BYTE_ORDERED, nullable=False, comment="JSON object: numbers and texts by name, image_ids"
        ),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run that first told it"),
        sa.Column("dismissed_at", sa.DateTime(), nullable=True, comment="NULL: nobody dismissed it"),
        sa.Column("dismissed_by", BYTE_ORDERED, nullable=True, comment="a person's name; NULL: nobody dismissed it"),
        sa.Column("note", BYTE_ORDERED, nullable=True, comment="what that person said; NULL: nothing"),
        sa.CheckConstraint("light_class IN ('colour', 'mono', 'dark')", name=op.f("ck_findings_light_class")),
        sa.CheckConstraint("until IS NULL OR since <= until", name=op.f("ck_findings_ordered")),
        sa.CheckConstraint("(dismissed_at IS NULL) = (dismissed_by IS NULL)", name=op.f("ck_findings_dismissed")),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_findings_camera_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_findings_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    op.create_index("ix_findings_camera_id", "findings", ["camera_id"])
    op.create_index(
        "uq_findings_open",
        "findings",
        ["camera_id", "kind", "region"],
        unique=True,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
    op.execute(_AUDIT_FINDINGS)
