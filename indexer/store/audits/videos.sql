-- Videos: how many frames of each were looked at, how many were new and stored, and how many of these are still kept.
-- :limit at most so many rows [1000]
-- first: started_at, frames_read, frames_stored, kept, path, state, camera, duration_s
SELECT video.camera AS camera,
       video.path AS path,
       video.started_at AS started_at,
       video.started_at_source AS time_from,
       video.duration_s AS duration_s,
       video.frames_read AS frames_read,
       video.frames_stored AS frames_stored,
       COALESCE(stored.kept, 0) AS kept,
       video.state AS state,
       video.state_reason AS reason,
       video.missing_reason AS missing,
       video.file_size AS size_bytes,
       video.video_id AS video_id
FROM audit_videos AS video
LEFT JOIN (
    SELECT frame.video_id AS video_id, COUNT(*) AS kept
    FROM video_frames AS frame
    JOIN images AS image ON image.id = frame.image_id AND image.state = 'ready'
    LEFT JOIN decisions AS decision ON decision.image_id = image.id AND decision.superseded_at IS NULL
    WHERE COALESCE(decision.verdict, 'keep') = 'keep'
    GROUP BY frame.video_id
) AS stored ON stored.video_id = video.video_id
ORDER BY video.camera, video.started_at, video.path
LIMIT CAST(:limit AS INTEGER)
