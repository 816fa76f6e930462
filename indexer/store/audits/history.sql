-- All that was decided of one image and done to its file, oldest first.
-- :image the image's number, or its path
-- first: happened_at, event, reason, other_path, score, profile, run_id
WITH chosen AS (
    SELECT id, run_id FROM images WHERE id = CAST(:image AS BIGINT)
)
SELECT chosen.id AS image_id,
       decision.decided_at AS happened_at,
       decision.verdict AS event,
       decision.reason AS reason,
       keeper.path AS other_path,
       decision.score AS score,
       profile.max_score AS max_score,
       profile.name AS profile,
       decision.decided_by AS decided_by,
       decision.superseded_at AS held_until,
       decision.run_id AS run_id
FROM chosen
JOIN decisions AS decision ON decision.image_id = chosen.id
JOIN profiles AS profile ON profile.id = decision.profile_id
LEFT JOIN images AS keeper ON keeper.id = decision.keeper_id
UNION ALL
SELECT chosen.id, run.started_at, 'first seen', NULL, NULL, NULL, NULL, NULL, NULL, NULL, run.id
FROM chosen JOIN runs AS run ON run.id = chosen.run_id
UNION ALL
SELECT chosen.id, pin.pinned_at, 'pinned', pin.reason, NULL, NULL, NULL, NULL, NULL, pin.unpinned_at, pin.run_id
FROM chosen JOIN pins AS pin ON pin.image_id = chosen.id
UNION ALL
SELECT chosen.id, judged.judged_at, 'judged ' || judged.verdict, judged.note, other.path, NULL, NULL, NULL,
       judged.judged_by, judged.withdrawn_at, judged.run_id
FROM chosen
JOIN verdicts AS judged ON chosen.id IN (judged.image_a_id, judged.image_b_id)
JOIN images AS other ON other.id = judged.image_a_id + judged.image_b_id - chosen.id
UNION ALL
SELECT chosen.id, removal.removed_at, CASE WHEN removal.quarantine_path IS NULL THEN 'deleted' ELSE 'quarantined' END,
       NULL, removal.quarantine_path, NULL, NULL, NULL, NULL, removal.restored_at, removal.run_id
FROM chosen JOIN removals AS removal ON removal.image_id = chosen.id AND removal.removed_at IS NOT NULL
UNION ALL
SELECT chosen.id, removal.restored_at, 'restored', NULL, removal.path, NULL, NULL, NULL, NULL, NULL, NULL
FROM chosen JOIN removals AS removal ON removal.image_id = chosen.id AND removal.restored_at IS NOT NULL
UNION ALL
SELECT chosen.id, removal.purged_at, 'purged', NULL, removal.quarantine_path, NULL, NULL, NULL, NULL, NULL, NULL
FROM chosen JOIN removals AS removal ON removal.image_id = chosen.id AND removal.purged_at IS NOT NULL
UNION ALL
SELECT chosen.id, removal.planned_at, 'removal ' || removal.state, removal.problem, removal.keeper_path,
       NULL, NULL, NULL, NULL, NULL, removal.run_id
FROM chosen JOIN removals AS removal ON removal.image_id = chosen.id
    AND COALESCE(removal.state, '') IN ('planned', 'failed')  -- or SQLite would begin with all that failed
ORDER BY happened_at, image_id, event
