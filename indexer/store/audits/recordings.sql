-- Recordings of live cameras, the last one first: when frames were looked at, how many were new, and why each ended.
-- :limit at most so many rows [1000]
-- first: started_at, length_s, camera, ended, reason, frames_read, frames_stored, seen_until
SELECT camera,
       started_at,
       seen_until,
       length_s,
       COALESCE(ended_because, 'goes on') AS ended,
       detail AS reason,
       frames_read,
       frames_stored,
       frames_missed,
       frames_damaged,
       source,
       recording_id
FROM audit_recordings
ORDER BY started_at DESC, recording_id DESC
LIMIT CAST(:limit AS INTEGER)
