-- Files that were taken away, newest first: where each is, and what stands for it.
-- :run only those of the run with this number []
-- :limit at most so many rows [1000]
SELECT run_id,
       removed_at,
       state,
       camera,
       path,
       keeper_path,
       score,
       max_score,
       profile,
       reason,
       size_bytes,
       quarantine_path,
       restored_at,
       purged_at,
       problem
FROM audit_removals
WHERE CAST(:run AS INTEGER) IS NULL OR run_id = CAST(:run AS INTEGER)
ORDER BY run_id DESC, camera, path
LIMIT CAST(:limit AS INTEGER)
