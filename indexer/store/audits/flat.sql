-- Present images with nothing on their prepared picture, one grey level alone: only equal bytes make them duplicates.
-- :limit at most so many rows [1000]
-- first: path, captured_at, camera, image_id
SELECT camera.name AS camera,
       image.path AS path,
       image.captured_at AS captured_at,
       image.id AS image_id
FROM images AS image
JOIN cameras AS camera ON camera.id = image.camera_id
WHERE image.state = 'ready'
    AND EXISTS (SELECT 1 FROM thumbnails AS thumbnail WHERE thumbnail.image_id = image.id AND thumbnail.flat)
ORDER BY camera.name, image.path
LIMIT CAST(:limit AS INTEGER)
