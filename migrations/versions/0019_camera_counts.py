"""What `status` counts, by index: a camera's images by state, and the last image of each run.

The view of cameras is made anew. It adds up the images of each camera and state; first and last times are looked up.
The new index finds images with a later time than their run: a million images are not read.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_AUDIT_CAMERAS = """
CREATE VIEW audit_cameras AS
SELECT camera.name AS camera,
       image.ready AS images,
       image.unreadable AS unreadable,
       COALESCE(decided.kept, 0) AS kept,
       image.ready - COALESCE(decided.kept, 0) - COALESCE(opened.undecided, 0) AS duplicates,
       image.removed AS removed,
       (SELECT MIN(captured_at) FROM images WHERE camera_id = camera.id AND state = 'ready') AS first_captured_at,
       (SELECT MAX(captured_at) FROM images WHERE camera_id = camera.id AND state = 'ready') AS last_captured_at,
       COALESCE(opened.undecided, 0) AS undecided,
       image.missing AS missing,
       image.size_bytes AS size_bytes
FROM cameras AS camera
JOIN (
    SELECT camera_id,
           CAST(SUM(CASE WHEN state = 'ready' THEN images ELSE 0 END) AS BIGINT) AS ready,
           CAST(SUM(CASE WHEN state IN ('unreadable', 'damaged', 'too_small') THEN images ELSE 0 END) AS BIGINT)
               AS unreadable,
           CAST(SUM(CASE WHEN state = 'removed' THEN images ELSE 0 END) AS BIGINT) AS removed,
           CAST(SUM(CASE WHEN state = 'missing' THEN images ELSE 0 END) AS BIGINT) AS missing,
           CAST(SUM(CASE WHEN state = 'ready' THEN size_bytes ELSE 0 END) AS BIGINT) AS size_bytes
    FROM (
        SELECT camera_id, state, COUNT(*) AS images, SUM(file_size) AS size_bytes
        FROM images
        GROUP BY camera_id, state
    ) AS of_state
    GROUP BY camera_id
) AS image ON image.camera_id = camera.id
LEFT JOIN (
    SELECT kept.camera_id AS camera_id, COUNT(*) AS kept
    FROM (
        SELECT image_id FROM decisions WHERE superseded_at IS NULL AND verdict = 'keep' AND of_camera_id > 0
        UNION ALL
        SELECT image_id FROM decisions WHERE superseded_at IS NULL AND of_camera_id IS NULL AND verdict = 'keep'
    ) AS decision
    CROSS JOIN images AS kept
    WHERE kept.id = decision.image_id AND kept.state = 'ready'
    GROUP BY kept.camera_id
) AS decided ON decided.camera_id = camera.id
LEFT JOIN (
    SELECT listed.camera_id AS camera_id, COUNT(*) AS undecided
    FROM open_images
    CROSS JOIN images AS listed
    WHERE listed.id = open_images.image_id AND listed.state = 'ready' AND NOT EXISTS (
        SELECT 1 FROM decisions WHERE decisions.image_id = listed.id AND decisions.superseded_at IS NULL
    )
    GROUP BY listed.camera_id
) AS opened ON opened.camera_id = camera.id
"""


def upgrade() -> None:
    """Adds the index, and makes the view of cameras anew."""
    op.create_index("ix_images_run_id_captured_at", "images", ["run_id", "captured_at"])
    op.execute("DROP VIEW audit_cameras")
    op.execute(_AUDIT_CAMERAS)
