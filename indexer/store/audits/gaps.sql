-- Times in which nobody looked at a camera: inside its videos, and between them.
-- :seconds at least so many seconds [60]
-- :limit at most so many rows [1000]
SELECT camera, from_at, to_at, length_s, detail AS reason, video_path
FROM audit_spans
WHERE reason = 'gap' AND length_s >= CAST(:seconds AS INTEGER)
UNION ALL
SELECT camera, idle_from, started_at, idle_s, 'no video', path
FROM audit_videos
WHERE idle_s >= CAST(:seconds AS INTEGER)
ORDER BY camera, from_at, video_path
LIMIT CAST(:limit AS INTEGER)
