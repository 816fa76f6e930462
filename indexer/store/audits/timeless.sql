-- Present images without a capture time of their own: none at all, or only the file's modification time.
-- :limit at most so many rows [1000]
-- first: captured_at, time_from, path, camera, image_id
SELECT camera.name AS camera,
       image.path AS path,
       image.captured_at AS captured_at,
       COALESCE(image.captured_at_source, 'unknown') AS time_from,
       image.camera_source AS camera_from,
       image.id AS image_id
FROM images AS image
JOIN cameras AS camera ON camera.id = image.camera_id
WHERE image.state = 'ready' AND (image.captured_at IS NULL OR image.captured_at_source = 'mtime')
ORDER BY camera.name, image.path
LIMIT CAST(:limit AS INTEGER)
