-- Present images with a time before 1990, in the first month of 2000, or in a later year than they were taken in: a clock was wrong.
-- :limit at most so many rows [1000]
-- first: captured_at, time_from, path, camera, image_id
WITH late_run AS MATERIALIZED (
    SELECT run.id AS id, run.last_year AS last_year
    FROM (
        SELECT id,
               SUBSTR(CAST(COALESCE(finished_at, CURRENT_TIMESTAMP) AS TEXT), 1, 4) AS last_year,
               (SELECT MAX(image.captured_at) FROM images AS image WHERE image.run_id = runs.id) AS captured_at
        FROM runs
    ) AS run
    WHERE SUBSTR(CAST(run.captured_at AS TEXT), 1, 4) > run.last_year
),
unlikely AS (
    SELECT image.id AS id
    FROM cameras AS camera
    CROSS JOIN images AS image
    WHERE image.camera_id = camera.id AND image.captured_at < '1990-01-01'
    UNION
    SELECT image.id
    FROM cameras AS camera
    CROSS JOIN images AS image
    WHERE image.camera_id = camera.id AND image.captured_at >= '2000-01-01' AND image.captured_at < '2000-02-01'
    UNION
    SELECT image.id
    FROM late_run
    CROSS JOIN images AS image
    WHERE image.run_id = late_run.id AND SUBSTR(CAST(image.captured_at AS TEXT), 1, 4) > late_run.last_year
)
SELECT camera.name AS camera,
       image.path AS path,
       image.captured_at AS captured_at,
       image.captured_at_source AS time_from,
       image.id AS image_id
FROM unlikely
JOIN images AS image ON image.id = unlikely.id
JOIN cameras AS camera ON camera.id = image.camera_id
WHERE image.state = 'ready'
ORDER BY camera.name, image.path
LIMIT CAST(:limit AS INTEGER)
