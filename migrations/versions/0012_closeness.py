"""How close each decision was: the views tell the evidence of image and keeper, and their closeness to the limit.

`closeness` is that of `indexer.domain.similarity`: the score, or the largest contour where nothing counts, as a share
of the smallest change that keeps an image. Equal bytes are 0. It is NULL where no score decided. `min_contour_area`
stands in a column of its own, as the two databases read JSON in two ways. `decision` is a second name of `verdict`
(keep or duplicate), which is also the word for what a person says.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_EVIDENCE = """
       CASE WHEN decision.reason = 'identical' THEN 0.0 ELSE evidence.largest_contour END AS largest_contour,
       CASE WHEN decision.reason = 'identical' THEN 0.0 ELSE evidence.changed_fraction END AS changed_fraction,
       CASE WHEN decision.reason = 'identical' THEN 0.0
            WHEN decision.reason = 'similar' AND profile.max_score > 0
            THEN CASE WHEN evidence.score > 0 THEN evidence.score ELSE evidence.largest_contour END
                 / CASE WHEN scoring.min_contour_area > profile.max_score THEN scoring.min_contour_area
                        ELSE profile.max_score END
       END AS closeness"""

_PAIR = """
LEFT JOIN scores AS evidence ON evidence.scoring_id = profile.scoring_id
    AND evidence.image_a_id = CASE WHEN decision.image_id < decision.keeper_id THEN decision.image_id
                                   ELSE decision.keeper_id END
    AND evidence.image_b_id = CASE WHEN decision.image_id < decision.keeper_id THEN decision.keeper_id
                                   ELSE decision.image_id END"""

_AUDIT_DECISIONS = f"""
CREATE VIEW audit_decisions AS
SELECT image.id AS image_id, image.path AS path, camera.name AS camera, image.captured_at AS captured_at,
       decision.verdict AS verdict, keeper.id AS keeper_id, keeper.path AS keeper_path,
       decision.score AS score, profile.max_score AS max_score, profile.name AS profile,
       decision.reason AS reason, decision.decided_by AS decided_by, decision.decided_at AS decided_at,
       decision.run_id AS run_id, image.state AS state, image.file_size AS file_size,{_EVIDENCE},
       decision.verdict AS decision
FROM decisions AS decision
JOIN images AS image ON image.id = decision.image_id
JOIN cameras AS camera ON camera.id = image.camera_id
JOIN profiles AS profile ON profile.id = decision.profile_id
JOIN scorings AS scoring ON scoring.id = profile.scoring_id
LEFT JOIN images AS keeper ON keeper.id = decision.keeper_id{_PAIR}
WHERE decision.superseded_at IS NULL
"""

_AUDIT_REMOVALS = f"""
CREATE VIEW audit_removals AS
SELECT removal.path AS path, camera.name AS camera, keeper.path AS keeper_path,
       decision.score AS score, profile.max_score AS max_score, profile.name AS profile,
       removal.state AS state, removal.quarantine_path AS quarantine_path,
       removal.content_hash AS content_hash, removal.keeper_hash AS keeper_hash,
       removal.removed_at AS removed_at, removal.restored_at AS restored_at, removal.run_id AS run_id,
       removal.purged_at AS purged_at, removal.problem AS problem, removal.size_bytes AS size_bytes,
       removal.image_id AS image_id, removal.keeper_id AS keeper_id, decision.reason AS reason,
       removal.keeper_path AS keeper_path_then,{_EVIDENCE}
FROM removals AS removal
JOIN images AS image ON image.id = removal.image_id
JOIN cameras AS camera ON camera.id = image.camera_id
JOIN images AS keeper ON keeper.id = removal.keeper_id
JOIN decisions AS decision ON decision.id = removal.decision_id
JOIN profiles AS profile ON profile.id = decision.profile_id
JOIN scorings AS scoring ON scoring.id = profile.scoring_id{_PAIR}
"""

_AREA = {
    "sqlite": "CAST(json_extract(parameters, '$.min_contour_area') AS DOUBLE)",
    "postgresql": "CAST(CAST(parameters AS json) ->> 'min_contour_area' AS DOUBLE PRECISION)",
}


def upgrade() -> None:
    """Adds and fills the column, widens an index and makes two views anew."""
    for view in ("audit_decisions", "audit_removals"):
        op.execute(f"DROP VIEW {view}")
    op.add_column(
        "scorings",
        sa.Column(
            "min_contour_area",
            sa.Double(),
            nullable=True,
            comment="that of the parameters, for queries; NULL: they have none",
        ),
    )
    op.execute(f"UPDATE scorings SET min_contour_area = {_AREA[op.get_context().dialect.name]}")
    op.drop_index("ix_scores_scoring_id_score", table_name="scores")
    op.create_index("ix_scores_scoring_id_score_largest_contour", "scores", ["scoring_id", "score", "largest_contour"])
    op.execute(_AUDIT_DECISIONS)
    op.execute(_AUDIT_REMOVALS)
