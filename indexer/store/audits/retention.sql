-- Images of each camera and hour of the day (UTC), removed ones included, and how many of them are kept.
WITH hourly AS (
    SELECT image.camera_id AS camera_id,
           substr(CAST(image.captured_at AS TEXT), 12, 2) AS hour,
           COUNT(*) AS images,
           COUNT(CASE WHEN decision.verdict = 'keep' THEN 1 END) AS kept
    FROM images AS image
    JOIN decisions AS decision ON decision.image_id = image.id AND decision.superseded_at IS NULL
    WHERE image.state IN ('ready', 'removed')
    GROUP BY image.camera_id, substr(CAST(image.captured_at AS TEXT), 12, 2)
)
SELECT camera.name AS camera,
       COALESCE(hourly.hour, 'unknown') AS hour,
       hourly.images AS images,
       hourly.kept AS kept,
       ROUND(1.0 * hourly.kept / hourly.images, 3) AS share_kept
FROM hourly
JOIN cameras AS camera ON camera.id = hourly.camera_id
ORDER BY camera.name, COALESCE(hourly.hour, 'unknown')
