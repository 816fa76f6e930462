-- Present images with a time before 1990, in the first month of 2000, or in a later year than they were taken in: a clock was wrong.
-- :limit at most so many rows [1000]
SELECT camera.name AS camera,
       image.path AS path,
       image.captured_at AS captured_at,
       image.captured_at_source AS time_from,
       image.id AS image_id
FROM images AS image
JOIN cameras AS camera ON camera.id = image.camera_id
JOIN runs AS run ON run.id = image.run_id
WHERE image.state = 'ready'
    AND (image.captured_at < '1990-01-01'
        OR (image.captured_at >= '2000-01-01' AND image.captured_at < '2000-02-01')
        OR (image.captured_at > run.started_at
            AND SUBSTR(CAST(image.captured_at AS TEXT), 1, 4) > SUBSTR(CAST(run.started_at AS TEXT), 1, 4)))
ORDER BY camera.name, image.path
LIMIT CAST(:limit AS INTEGER)
