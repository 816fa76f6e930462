"""The distance of features beside the score of a pair, and the built-in profile `learned`.

`audit_scores` gets two columns at its end: `distance`, and `changed_area`, the area before the distance was looked at.
Both are NULL where the scoring has no features. `closeness` is that of `indexer.domain.similarity`: where the distance
alone says that the images are alike, it is the distance as a share of `max_distance`, which stands in a column of its
own as `min_contour_area` does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_EVIDENCE = """
       CASE WHEN decision.reason = 'identical' THEN 0.0 ELSE evidence.largest_contour END AS largest_contour,
       CASE WHEN decision.reason = 'identical' THEN 0.0 ELSE evidence.changed_fraction END AS changed_fraction,
       CASE WHEN decision.reason = 'identical' THEN 0.0
            WHEN decision.reason = 'similar' AND profile.max_score > 0
            THEN CASE WHEN evidence.distance < scoring.max_distance THEN evidence.distance / scoring.max_distance
                      ELSE CASE WHEN evidence.score > 0 THEN evidence.score ELSE evidence.largest_contour END
                           / CASE WHEN scoring.min_contour_area > profile.max_score THEN scoring.min_contour_area
                                  ELSE profile.max_score END
                 END
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

_AUDIT_SCORES = """
CREATE VIEW audit_scores AS
SELECT (SELECT profile.name FROM profiles AS profile WHERE profile.scoring_id = score.scoring_id
        ORDER BY profile.id LIMIT 1) AS scoring,
       camera.name AS camera, image_a.path AS image_a_path, image_b.path AS image_b_path,
       score.score AS score, score.largest_contour AS largest_contour, score.contour_count AS contour_count,
       score.changed_fraction AS changed_fraction, score.run_id AS run_id,
       score.image_a_id AS image_a_id, score.image_b_id AS image_b_id,
       score.distance AS distance, score.changed_area AS changed_area
FROM scores AS score
JOIN images AS image_a ON image_a.id = score.image_a_id
JOIN images AS image_b ON image_b.id = score.image_b_id
JOIN cameras AS camera ON camera.id = image_a.camera_id
"""


def upgrade() -> None:
    """Adds the columns and makes three views anew; `db upgrade` then adds the profile."""
    for view in ("audit_decisions", "audit_removals", "audit_scores"):
        op.execute(f"DROP VIEW {view}")
    op.add_column(
        "scores",
        sa.Column(
            "distance",
            sa.Double(),
            nullable=True,
            comment="largest distance of the features of a cell; NULL: the scoring has no features",
        ),
    )
    op.add_column(
        "scores",
        sa.Column(
            "changed_area",
            sa.Double(),
            nullable=True,
            comment="the score before the distance was looked at; NULL: the scoring has no features",
        ),
    )
    op.add_column(
        "scorings",
        sa.Column(
            "max_distance",
            sa.Double(),
            nullable=True,
            comment="that of the parameters, for queries; NULL: they have none",
        ),
    )
    op.execute(_AUDIT_DECISIONS)
    op.execute(_AUDIT_REMOVALS)
    op.execute(_AUDIT_SCORES)
