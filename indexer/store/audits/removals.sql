-- Files that were taken away, the last one first: where each is, what stands for it, and how close the decision was.
-- :run only those of the run with this number []
-- :limit at most so many rows [1000]
-- first: run_id, state, closeness, path, keeper_path, removed_at, camera
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
       problem,
       closeness,
       largest_contour,
       changed_fraction,
       content_hash,
       keeper_hash,
       (SELECT username FROM audit_runs WHERE audit_runs.run_id = audit_removals.run_id) AS username,
       (SELECT hostname FROM audit_runs WHERE audit_runs.run_id = audit_removals.run_id) AS hostname
FROM audit_removals
WHERE CAST(:run AS INTEGER) IS NULL OR run_id = CAST(:run AS INTEGER)
ORDER BY run_id DESC, CASE WHEN removed_at IS NULL THEN 1 ELSE 0 END, removed_at DESC, image_id DESC, path
LIMIT CAST(:limit AS INTEGER)
