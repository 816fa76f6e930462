-- Files that could not be used, with the reason.
-- :limit at most so many rows [1000]
-- first: state, path, reason, camera, size_bytes, image_id
SELECT camera.name AS camera,
       image.state AS state,
       image.state_reason AS reason,
       image.path AS path,
       image.width AS width,
       image.height AS height,
       image.file_size AS size_bytes,
       image.id AS image_id
FROM images AS image
JOIN cameras AS camera ON camera.id = image.camera_id
WHERE image.state IN ('unreadable', 'damaged', 'too_small')
ORDER BY camera.name, image.state, image.path
LIMIT CAST(:limit AS INTEGER)
