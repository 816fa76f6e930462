-- Times in which no frame of a camera was looked at: inside its videos and recordings, and between them.
-- :seconds at least so many seconds [60]
-- :limit at most so many rows [1000]
-- first: from_at, length_s, camera, video_path, reason, to_at, source
SELECT span.camera AS camera, span.from_at AS from_at, span.to_at AS to_at, span.length_s AS length_s,
       span.detail AS reason, span.video_path AS video_path, span.source AS source
FROM audit_spans AS span
LEFT JOIN videos AS video ON video.id = span.video_id
WHERE span.reason = 'gap' AND span.length_s >= CAST(:seconds AS INTEGER)
  AND COALESCE(video.missing_reason, '') <> 'read again'
UNION ALL
SELECT camera, idle_from, started_at, idle_s, 'no video', path, CAST(NULL AS TEXT)
FROM audit_videos
WHERE idle_s >= CAST(:seconds AS INTEGER)
ORDER BY camera, from_at, video_path
LIMIT CAST(:limit AS INTEGER)
