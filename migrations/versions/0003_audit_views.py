"""The audit views: the public interface for queries in SQL.

Their columns are documented in the README. Columns are only added, at the end.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AUDIT_DECISIONS = """
CREATE VIEW audit_decisions AS
SELECT image.id AS image_id, image.path AS path, camera.name AS camera, image.captured_at AS captured_at,
       decision.verdict AS verdict, keeper.id AS keeper_id, keeper.path AS keeper_path,
       decision.score AS score, profile.max_score AS max_score, profile.name AS profile,
       decision.reason AS reason, decision.decided_by AS decided_by, decision.decided_at AS decided_at,
       decision.run_id AS run_id, image.state AS state, image.file_size AS file_size
FROM decisions AS decision
JOIN images AS image ON image.id = decision.image_id
JOIN cameras AS camera ON camera.id = image.camera_id
JOIN profiles AS profile ON profile.id = decision.profile_id
LEFT JOIN images AS keeper ON keeper.id = decision.keeper_id
WHERE decision.superseded_at IS NULL
"""

AUDIT_REMOVALS = """
CREATE VIEW audit_removals AS
SELECT removal.path AS path, camera.name AS camera, keeper.path AS keeper_path,
       decision.score AS score, profile.max_score AS max_score, profile.name AS profile,
       removal.state AS state, removal.quarantine_path AS quarantine_path,
       removal.content_hash AS content_hash, removal.keeper_hash AS keeper_hash,
       removal.removed_at AS removed_at, removal.restored_at AS restored_at, removal.run_id AS run_id,
       removal.purged_at AS purged_at, removal.problem AS problem, removal.size_bytes AS size_bytes,
       removal.image_id AS image_id, removal.keeper_id AS keeper_id, decision.reason AS reason,
       removal.keeper_path AS keeper_path_then
FROM removals AS removal
JOIN images AS image ON image.id = removal.image_id
JOIN cameras AS camera ON camera.id = image.camera_id
JOIN images AS keeper ON keeper.id = removal.keeper_id
JOIN decisions AS decision ON decision.id = removal.decision_id
JOIN profiles AS profile ON profile.id = decision.profile_id
"""

AUDIT_SCORES = """
CREATE VIEW audit_scores AS
SELECT (SELECT profile.name FROM profiles AS profile WHERE profile.scoring_id = score.scoring_id
        ORDER BY profile.id LIMIT 1) AS scoring,
       camera.name AS camera, image_a.path AS image_a_path, image_b.path AS image_b_path,
       score.score AS score, score.largest_contour AS largest_contour, score.contour_count AS contour_count,
       score.changed_fraction AS changed_fraction, score.run_id AS run_id,
       score.image_a_id AS image_a_id, score.image_b_id AS image_b_id
FROM scores AS score
JOIN images AS image_a ON image_a.id = score.image_a_id
JOIN images AS image_b ON image_b.id = score.image_b_id
JOIN cameras AS camera ON camera.id = image_a.camera_id
"""

AUDIT_CAMERAS = """
CREATE VIEW audit_cameras AS
SELECT camera.name AS camera,
       COUNT(CASE WHEN image.state = 'ready' THEN 1 END) AS images,
       COUNT(CASE WHEN image.state IN ('unreadable', 'damaged', 'too_small') THEN 1 END) AS unreadable,
       COUNT(CASE WHEN image.state = 'ready' AND decision.verdict = 'keep' THEN 1 END) AS kept,
       COUNT(CASE WHEN image.state = 'ready' AND decision.verdict = 'duplicate' THEN 1 END) AS duplicates,
       COUNT(CASE WHEN image.state = 'removed' THEN 1 END) AS removed,
       MIN(CASE WHEN image.state = 'ready' THEN image.captured_at END) AS first_captured_at,
       MAX(CASE WHEN image.state = 'ready' THEN image.captured_at END) AS last_captured_at,
       COUNT(CASE WHEN image.state = 'ready' AND decision.verdict IS NULL THEN 1 END) AS undecided,
       COUNT(CASE WHEN image.state = 'missing' THEN 1 END) AS missing,
       CAST(SUM(CASE WHEN image.state = 'ready' THEN image.file_size ELSE 0 END) AS BIGINT) AS size_bytes
FROM cameras AS camera
LEFT JOIN images AS image ON image.camera_id = camera.id
LEFT JOIN decisions AS decision ON decision.image_id = image.id AND decision.superseded_at IS NULL
GROUP BY camera.id, camera.name
"""

AUDIT_RUNS = """
CREATE VIEW audit_runs AS
SELECT id AS run_id, command, arguments, version, started_at, finished_at, outcome, counts FROM runs
"""


def upgrade() -> None:
    """Makes the five views."""
    for view in (AUDIT_DECISIONS, AUDIT_REMOVALS, AUDIT_SCORES, AUDIT_CAMERAS, AUDIT_RUNS):
        op.execute(view)
