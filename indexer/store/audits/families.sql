-- Keepers that stand for the most duplicates, removed ones included.
-- :limit at most so many rows [50]
SELECT camera,
       keeper_path,
       COUNT(*) AS duplicates,
       COUNT(CASE WHEN state = 'removed' THEN 1 END) AS removed,
       SUM(file_size) AS duplicates_size_bytes,
       MIN(captured_at) AS first_captured_at,
       MAX(captured_at) AS last_captured_at,
       keeper_id
FROM audit_decisions
WHERE verdict = 'duplicate' AND state IN ('ready', 'removed')
GROUP BY camera, keeper_id, keeper_path
ORDER BY duplicates DESC, camera, keeper_path
LIMIT CAST(:limit AS INTEGER)
