-- Keepers that stand for the most duplicates, removed ones included.
-- :limit at most so many rows [50]
WITH family AS (
    SELECT decision.keeper_id AS keeper_id,
           image.camera_id AS camera_id,
           COUNT(*) AS duplicates,
           COUNT(CASE WHEN image.state = 'removed' THEN 1 END) AS removed,
           SUM(image.file_size) AS duplicates_size_bytes,
           MIN(image.captured_at) AS first_captured_at,
           MAX(image.captured_at) AS last_captured_at
    FROM decisions AS decision
    JOIN images AS image ON image.id = decision.image_id
    WHERE decision.superseded_at IS NULL AND decision.verdict = 'duplicate' AND image.state IN ('ready', 'removed')
    GROUP BY decision.keeper_id, image.camera_id
)
SELECT camera.name AS camera,
       keeper.path AS keeper_path,
       family.duplicates AS duplicates,
       family.removed AS removed,
       family.duplicates_size_bytes AS duplicates_size_bytes,
       family.first_captured_at AS first_captured_at,
       family.last_captured_at AS last_captured_at,
       family.keeper_id AS keeper_id
FROM family
JOIN images AS keeper ON keeper.id = family.keeper_id
JOIN cameras AS camera ON camera.id = family.camera_id
ORDER BY family.duplicates DESC, camera.name, keeper.path
LIMIT CAST(:limit AS INTEGER)
