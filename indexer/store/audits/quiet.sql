-- The longest times in which a camera showed nothing new, each with the image that stands for all its frames.
-- :limit at most so many rows [50]
SELECT camera,
       from_at,
       to_at,
       length_s,
       frames,
       every_s,
       witness_path,
       worst_score,
       worst_at,
       max_score,
       profile,
       video_path,
       span_id
FROM audit_spans
WHERE reason = 'seen'
ORDER BY length_s DESC, camera, from_at, span_id
LIMIT CAST(:limit AS INTEGER)
