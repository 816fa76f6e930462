-- Days (UTC) of each camera with videos or recordings: in how many hours something new was stored, and how many frames were looked at.
-- :limit at most so many rows [1000]
-- first: camera, day, hours, frames_stored, frames_read
WITH looked_at AS (
    SELECT span.camera_id,
           SUBSTR(CAST(span.from_at AS TEXT), 1, 10) AS day,
           CAST(NULL AS TEXT) AS hour,
           0 AS stored,
           span.frames AS frames
    FROM spans AS span
    LEFT JOIN videos AS video ON video.id = span.video_id
    WHERE span.reason <> 'gap' AND COALESCE(video.missing_reason, '') <> 'read again'
    UNION ALL
    SELECT image.camera_id,
           SUBSTR(CAST(image.captured_at AS TEXT), 1, 10),
           SUBSTR(CAST(image.captured_at AS TEXT), 12, 2),
           1,
           1
    FROM (SELECT image_id FROM video_frames UNION SELECT image_id FROM recording_frames) AS frame
    JOIN images AS image ON image.id = frame.image_id
)
SELECT camera.name AS camera,
       COALESCE(looked_at.day, 'unknown') AS day,
       COUNT(DISTINCT looked_at.hour) AS hours,
       CAST(SUM(looked_at.stored) AS BIGINT) AS frames_stored,
       CAST(SUM(looked_at.frames) AS BIGINT) AS frames_read
FROM looked_at
JOIN cameras AS camera ON camera.id = looked_at.camera_id
GROUP BY camera.name, looked_at.day
ORDER BY camera.name, COALESCE(looked_at.day, 'unknown')
LIMIT CAST(:limit AS INTEGER)
