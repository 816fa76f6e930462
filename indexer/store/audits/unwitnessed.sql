-- Removed files whose keeper is not present any more: nothing on the disk stands for them.
-- first: state, keeper_state, path, keeper_path, run_id, removed_at, camera
SELECT removal.camera AS camera,
       removal.path AS path,
       removal.state AS state,
       removal.quarantine_path AS quarantine_path,
       removal.keeper_path AS keeper_path,
       keeper.state AS keeper_state,
       keeper.state_reason AS keeper_reason,
       removal.removed_at AS removed_at,
       removal.run_id AS run_id,
       removal.image_id AS image_id
FROM audit_removals AS removal
JOIN images AS keeper ON keeper.id = removal.keeper_id
WHERE removal.state IN ('planned', 'quarantined', 'deleted', 'purged') AND keeper.state <> 'ready'
ORDER BY removal.camera, removal.path
