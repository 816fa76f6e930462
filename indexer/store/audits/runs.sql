-- Runs of writing commands, newest first.
-- :limit at most so many rows [50]
-- first: run_id, command, started_at, outcome, finished_at, username, hostname
SELECT run_id,
       command,
       started_at,
       finished_at,
       COALESCE(outcome, 'running, or cut off') AS outcome,
       counts,
       arguments,
       version,
       username,
       hostname
FROM audit_runs
ORDER BY run_id DESC
LIMIT CAST(:limit AS INTEGER)
