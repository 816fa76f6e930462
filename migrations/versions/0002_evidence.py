"""The tables of scores, decisions, verdicts, pins and removals."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "decisions",
        sa.Column("id", GROWING_ID, nullable=False),
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("verdict", TEXT, nullable=False, comment="keep or duplicate"),
        sa.Column("keeper_id", GROWING_ID, nullable=True, comment="NULL: kept"),
        sa.Column(
            "score", sa.Double(), nullable=True, comment="of image and keeper, 0 if identical; NULL: kept, or a verdict"
        ),
        sa.Column("reason", TEXT, nullable=False, comment="new, pinned, similar, identical or verdict"),
        sa.Column("decided_by", TEXT, nullable=False, comment="compare, or the name of the person who judged the pair"),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(), nullable=True, comment="NULL: the current decision"),
        sa.CheckConstraint("(verdict = 'duplicate') = (keeper_id IS NOT NULL)", name=op.f("ck_decisions_keeper")),
        sa.CheckConstraint(
            "reason IN ('new', 'pinned', 'similar', 'identical', 'verdict')", name=op.f("ck_decisions_reason")
        ),
        sa.CheckConstraint("verdict IN ('keep', 'duplicate')", name=op.f("ck_decisions_verdict")),
        sa.CheckConstraint("keeper_id <> image_id", name=op.f("ck_decisions_other")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_decisions_image_id")),
        sa.ForeignKeyConstraint(["keeper_id"], ["images.id"], name=op.f("fk_decisions_keeper_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_decisions_profile_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_decisions_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_image_id", "decisions", ["image_id"], unique=False)
    op.create_index("ix_decisions_keeper_id", "decisions", ["keeper_id"], unique=False)
    op.create_index(
        "uq_decisions_current",
        "decisions",
        ["image_id"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "pins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("reason", TEXT, nullable=False, comment="pin or restore: the command that set it"),
        sa.Column("pinned_at", sa.DateTime(), nullable=False),
        sa.Column("unpinned_at", sa.DateTime(), nullable=True, comment="NULL: it holds"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_pins_image_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_pins_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pins")),
    )
    op.create_index(op.f("ix_pins_image_id"), "pins", ["image_id"], unique=False)
    op.create_index(
        "uq_pins_current",
        "pins",
        ["image_id"],
        unique=True,
        sqlite_where=sa.text("unpinned_at IS NULL"),
        postgresql_where=sa.text("unpinned_at IS NULL"),
    )
    op.create_table(
        "scores",
        sa.Column("scoring_id", sa.Integer(), nullable=False),
        sa.Column("image_a_id", GROWING_ID, nullable=False),
        sa.Column("image_b_id", GROWING_ID, nullable=False),
        sa.Column(
            "score", sa.Double(), nullable=False, comment="reference pixels; native pixels in the profile original"
        ),
        sa.Column(
            "largest_contour",
            sa.Double(),
            nullable=False,
            comment="area of the largest contour, counting or not, same unit",
        ),
        sa.Column("contour_count", sa.Integer(), nullable=False, comment="contours that count"),
        sa.Column(
            "changed_fraction", sa.Double(), nullable=False, comment="share of pixels over the threshold, 0 to 1"
        ),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("image_a_id < image_b_id", name=op.f("ck_scores_ordered")),
        sa.ForeignKeyConstraint(["image_a_id"], ["images.id"], name=op.f("fk_scores_image_a_id")),
        sa.ForeignKeyConstraint(["image_b_id"], ["images.id"], name=op.f("fk_scores_image_b_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_scores_run_id")),
        sa.ForeignKeyConstraint(["scoring_id"], ["scorings.id"], name=op.f("fk_scores_scoring_id")),
        sa.PrimaryKeyConstraint("scoring_id", "image_a_id", "image_b_id", name=op.f("pk_scores")),
    )
    op.create_index("ix_scores_image_b_id", "scores", ["image_b_id"], unique=False)
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_a_id", GROWING_ID, nullable=False),
        sa.Column("image_b_id", GROWING_ID, nullable=False),
        sa.Column("verdict", TEXT, nullable=False, comment="same or different"),
        sa.Column("judged_by", TEXT, nullable=False, comment="a person's name"),
        sa.Column("note", TEXT, nullable=True, comment="NULL: none"),
        sa.Column("judged_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True, comment="NULL: it holds"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("verdict IN ('same', 'different')", name=op.f("ck_verdicts_verdict")),
        sa.CheckConstraint("image_a_id < image_b_id", name=op.f("ck_verdicts_ordered")),
        sa.ForeignKeyConstraint(["image_a_id"], ["images.id"], name=op.f("fk_verdicts_image_a_id")),
        sa.ForeignKeyConstraint(["image_b_id"], ["images.id"], name=op.f("fk_verdicts_image_b_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_verdicts_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
    )
    op.create_index("ix_verdicts_image_b_id", "verdicts", ["image_b_id"], unique=False)
    op.create_index(
        "uq_verdicts_current",
        "verdicts",
        ["image_a_id", "image_b_id"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "removals",
        sa.Column("id", GROWING_ID, nullable=False),
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.Column("keeper_id", GROWING_ID, nullable=False),
        sa.Column("decision_id", GROWING_ID, nullable=False),
        sa.Column("path", TEXT, nullable=False, comment="where the file was"),
        sa.Column("keeper_path", TEXT, nullable=False, comment="where its keeper was"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", TEXT, nullable=False, comment="sha256 of the file, read again before it went"),
        sa.Column("keeper_hash", TEXT, nullable=False, comment="sha256 of the keeper, read again before the file went"),
        sa.Column("state", TEXT, nullable=False),
        sa.Column(
            "pending", TEXT, nullable=True, comment="the act that was begun and not yet written down; NULL: none"
        ),
        sa.Column("quarantine_path", TEXT, nullable=True, comment="where the file is or was; NULL: deleted at once"),
        sa.Column("problem", TEXT, nullable=True, comment="why the last act failed; NULL: it did not"),
        sa.Column("planned_at", sa.DateTime(), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True, comment="NULL: not taken away"),
        sa.Column("restored_at", sa.DateTime(), nullable=True, comment="NULL: not restored"),
        sa.Column("purged_at", sa.DateTime(), nullable=True, comment="NULL: not purged"),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run that took it away"),
        sa.CheckConstraint(
            "pending IN ('quarantine', 'delete', 'restore', 'restore_unpinned', 'purge')",
            name=op.f("ck_removals_pending"),
        ),
        sa.CheckConstraint("state <> 'planned' OR pending IS NOT NULL", name=op.f("ck_removals_planned_is_pending")),
        sa.CheckConstraint(
            "state IN ('planned', 'quarantined', 'deleted', 'restored', 'purged', 'failed')",
            name=op.f("ck_removals_state"),
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_removals_decision_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_removals_image_id")),
        sa.ForeignKeyConstraint(["keeper_id"], ["images.id"], name=op.f("fk_removals_keeper_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_removals_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removals")),
    )
    op.create_index(op.f("ix_removals_image_id"), "removals", ["image_id"], unique=False)
    op.create_index(op.f("ix_removals_keeper_id"), "removals", ["keeper_id"], unique=False)
    op.create_index("ix_removals_pending", "removals", ["pending"], unique=False)
    op.create_index("ix_removals_state", "removals", ["state"], unique=False)
