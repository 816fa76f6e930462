-- Equal files of two cameras or more: never removed, but one of them may be named wrongly.
-- :limit at most so many rows [1000]
-- first: content_hash, camera, path, image_id, captured_at
SELECT image.content_hash AS content_hash,
       camera.name AS camera,
       image.path AS path,
       image.captured_at AS captured_at,
       image.file_size AS size_bytes,
       image.id AS image_id
FROM images AS image
JOIN cameras AS camera ON camera.id = image.camera_id
WHERE image.state = 'ready'
  AND image.content_hash IN (SELECT content_hash FROM images WHERE state = 'ready'
                             GROUP BY content_hash HAVING MIN(camera_id) < MAX(camera_id)
                             ORDER BY content_hash LIMIT CAST(:limit AS INTEGER))
ORDER BY image.content_hash, camera.name, image.path
LIMIT CAST(:limit AS INTEGER)
