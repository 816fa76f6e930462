-- Captures of one camera within a second of each other, one named by the epoch and one by date and time.
-- :camera only those of this camera []
-- :limit at most so many rows [1000]
-- first: apart_s, image_a_path, image_b_path, camera, image_a_id, image_b_id
SELECT camera, apart_s, image_a_path, image_b_path, captured_a_at, captured_b_at, image_a_id, image_b_id
FROM audit_twins
WHERE (CAST(:camera AS TEXT) IS NULL OR camera = CAST(:camera AS TEXT))
  AND state_a <> 'missing' AND state_b <> 'missing'
ORDER BY camera, captured_a_at, image_a_id, image_b_id
LIMIT CAST(:limit AS INTEGER)
