-- Images of each camera and hour of the day (UTC), removed ones included, and how many of them are kept.
SELECT camera,
       COALESCE(substr(CAST(captured_at AS TEXT), 12, 2), 'unknown') AS hour,
       COUNT(*) AS images,
       COUNT(CASE WHEN verdict = 'keep' THEN 1 END) AS kept,
       ROUND(1.0 * COUNT(CASE WHEN verdict = 'keep' THEN 1 END) / COUNT(*), 3) AS share_kept
FROM audit_decisions
WHERE state IN ('ready', 'removed')
GROUP BY camera, COALESCE(substr(CAST(captured_at AS TEXT), 12, 2), 'unknown')
ORDER BY camera, hour
