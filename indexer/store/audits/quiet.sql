-- The longest times in which a camera showed nothing new, each with the image that stands for all its frames.
-- :limit at most so many rows [50]
-- first: from_at, length_s, camera, witness_path, frames, worst_score, to_at
SELECT span.camera AS camera,
       span.from_at AS from_at,
       span.to_at AS to_at,
       span.length_s AS length_s,
       span.frames AS frames,
       span.every_s AS every_s,
       span.witness_path AS witness_path,
       span.worst_score AS worst_score,
       span.worst_at AS worst_at,
       span.max_score AS max_score,
       span.profile AS profile,
       span.video_path AS video_path,
       span.span_id AS span_id,
       span.source AS source
FROM audit_spans AS span
LEFT JOIN videos AS video ON video.id = span.video_id
WHERE span.reason = 'seen' AND COALESCE(video.missing_reason, '') <> 'read again'
ORDER BY length_s DESC, camera, from_at, span_id
LIMIT CAST(:limit AS INTEGER)
