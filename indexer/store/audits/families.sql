-- Keepers that stand for the most duplicates, removed ones included.
-- :limit at most so many rows [50]
-- first: duplicates, removed, keeper_path, camera, first_captured_at, last_captured_at
WITH named AS (
    SELECT of_camera_id AS camera_id, keeper_id, COUNT(*) AS images
    FROM decisions
    WHERE superseded_at IS NULL AND keeper_id IS NOT NULL AND of_camera_id > 0
    GROUP BY of_camera_id, keeper_id
    UNION ALL
    SELECT image.camera_id, decision.keeper_id, COUNT(*)
    FROM decisions AS decision
    JOIN images AS image ON image.id = decision.image_id
    WHERE decision.superseded_at IS NULL AND decision.of_camera_id IS NULL AND decision.keeper_id IS NOT NULL
    GROUP BY image.camera_id, decision.keeper_id
    UNION ALL
    SELECT COALESCE(decision.of_camera_id, image.camera_id), decision.keeper_id, -COUNT(*)
    FROM cameras AS camera
    CROSS JOIN images AS image
    CROSS JOIN decisions AS decision
    WHERE image.camera_id = camera.id AND image.state IN ('unreadable', 'damaged', 'too_small', 'missing')
      AND decision.image_id = image.id AND decision.superseded_at IS NULL AND decision.keeper_id IS NOT NULL
    GROUP BY COALESCE(decision.of_camera_id, image.camera_id), decision.keeper_id
),
family AS (
    SELECT camera.name AS camera, keeper.path AS keeper_path, counted.*
    FROM (
        SELECT camera_id, keeper_id, SUM(images) AS duplicates
        FROM named
        GROUP BY camera_id, keeper_id
        HAVING SUM(images) > 0
    ) AS counted
    JOIN images AS keeper ON keeper.id = counted.keeper_id
    JOIN cameras AS camera ON camera.id = counted.camera_id
    ORDER BY counted.duplicates DESC, camera.name, keeper.path
    LIMIT CAST(:limit AS INTEGER)
)
SELECT family.camera AS camera,
       family.keeper_path AS keeper_path,
       CAST(family.duplicates AS BIGINT) AS duplicates,
       COUNT(CASE WHEN image.state = 'removed' THEN 1 END) AS removed,
       SUM(image.file_size) AS duplicates_size_bytes,
       MIN(image.captured_at) AS first_captured_at,
       MAX(image.captured_at) AS last_captured_at,
       family.keeper_id AS keeper_id
FROM family
JOIN decisions AS decision ON decision.keeper_id = family.keeper_id AND decision.superseded_at IS NULL
JOIN images AS image ON image.id = decision.image_id AND image.state IN ('ready', 'removed')
WHERE COALESCE(decision.of_camera_id, image.camera_id) = family.camera_id
GROUP BY family.camera, family.keeper_path, family.duplicates, family.keeper_id
ORDER BY family.duplicates DESC, family.camera, family.keeper_path
