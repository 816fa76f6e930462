-- Images of each camera and hour of the day (UTC), removed ones included, and how many of them are kept.
-- first: camera, hour, images, kept, share_kept
WITH counted AS (
    SELECT camera_id, substr(CAST(captured_at AS TEXT), 12, 2) AS hour, COUNT(*) AS images, 0 AS kept
    FROM images
    WHERE state IN ('ready', 'removed')
    GROUP BY camera_id, substr(CAST(captured_at AS TEXT), 12, 2)
    UNION ALL
    SELECT image.camera_id, substr(CAST(image.captured_at AS TEXT), 12, 2), -COUNT(*), 0
    FROM open_images
    CROSS JOIN images AS image
    WHERE image.id = open_images.image_id AND image.state = 'ready'
      AND NOT EXISTS (SELECT 1 FROM decisions WHERE image_id = image.id AND superseded_at IS NULL)
    GROUP BY image.camera_id, substr(CAST(image.captured_at AS TEXT), 12, 2)
    UNION ALL
    SELECT image.camera_id, substr(CAST(image.captured_at AS TEXT), 12, 2), -COUNT(*), 0
    FROM cameras AS camera
    CROSS JOIN images AS image
    WHERE image.camera_id = camera.id AND image.state = 'removed'
      AND NOT EXISTS (SELECT 1 FROM decisions WHERE image_id = image.id AND superseded_at IS NULL)
    GROUP BY image.camera_id, substr(CAST(image.captured_at AS TEXT), 12, 2)
    UNION ALL
    SELECT image.camera_id, substr(CAST(image.captured_at AS TEXT), 12, 2), 0, COUNT(*)
    FROM (
        SELECT image_id FROM decisions WHERE superseded_at IS NULL AND verdict = 'keep' AND of_camera_id > 0
        UNION ALL
        SELECT image_id FROM decisions WHERE superseded_at IS NULL AND of_camera_id IS NULL AND verdict = 'keep'
    ) AS decision
    CROSS JOIN images AS image
    WHERE image.id = decision.image_id AND image.state IN ('ready', 'removed')
    GROUP BY image.camera_id, substr(CAST(image.captured_at AS TEXT), 12, 2)
),
hourly AS (
    SELECT camera_id, hour, CAST(SUM(images) AS BIGINT) AS images, CAST(SUM(kept) AS BIGINT) AS kept
    FROM counted
    GROUP BY camera_id, hour
)
SELECT camera.name AS camera,
       COALESCE(hourly.hour, 'unknown') AS hour,
       hourly.images AS images,
       hourly.kept AS kept,
       ROUND(1.0 * hourly.kept / hourly.images, 3) AS share_kept
FROM hourly
JOIN cameras AS camera ON camera.id = hourly.camera_id
WHERE hourly.images > 0
ORDER BY camera.name, COALESCE(hourly.hour, 'unknown')
