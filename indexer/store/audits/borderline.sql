-- Pairs whose score decided by the smallest margin: duplicates just below the limit, kept pairs just above it.
-- :limit at most so many rows [50]
WITH pair AS NOT MATERIALIZED (
    SELECT score.scoring_id, score.score, profile.id AS profile_id, profile.name AS profile, profile.max_score,
           image.verdict AS verdict, other.verdict AS other_verdict, image_a.path AS path, image_b.path AS other_path,
           image_a.camera_id, image.verdict = 'keep' AND other.verdict = 'keep' AS kept,
           CASE WHEN image.keeper_id = other.image_id AND image.reason = 'similar' THEN 1
                WHEN other.keeper_id = image.image_id AND other.reason = 'similar' THEN 1
                ELSE 0 END AS similar_pair
    FROM scores AS score
    JOIN decisions AS image ON image.image_id = score.image_a_id AND image.superseded_at IS NULL
    JOIN decisions AS other ON other.image_id = score.image_b_id AND other.superseded_at IS NULL
    JOIN profiles AS profile ON profile.id = image.profile_id AND profile.scoring_id = score.scoring_id
    JOIN images AS image_a ON image_a.id = score.image_a_id
    JOIN images AS image_b ON image_b.id = score.image_b_id
    WHERE other.profile_id = image.profile_id
      AND image_a.state IN ('ready', 'removed') AND image_b.state IN ('ready', 'removed')
      AND NOT EXISTS (SELECT 1 FROM verdicts AS judged
                      WHERE judged.image_a_id = score.image_a_id AND judged.image_b_id = score.image_b_id
                        AND judged.withdrawn_at IS NULL)
),
-- Where the rows of each profile begin and end, found by walking from its limit: only what lies between is looked at.
edge AS MATERIALIZED (
    SELECT profile.id AS profile_id, profile.scoring_id,
           (SELECT pair.score FROM pair
            WHERE pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id
              AND pair.score < profile.max_score AND pair.similar_pair = 1
            ORDER BY pair.score DESC LIMIT 1 OFFSET CAST(:limit AS INTEGER)) AS lowest,
           (SELECT pair.score FROM pair
            WHERE pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id
              AND pair.score >= profile.max_score AND pair.kept
            ORDER BY pair.score LIMIT 1 OFFSET CAST(:limit AS INTEGER)) AS highest
    FROM profiles AS profile
)
SELECT camera.name AS camera,
       CASE WHEN pair.kept THEN 'both kept' ELSE 'duplicate' END AS decided,
       pair.score AS score,
       pair.max_score AS max_score,
       pair.score - pair.max_score AS over_limit,
       CASE WHEN pair.other_verdict = 'duplicate' THEN pair.other_path ELSE pair.path END AS path,
       CASE WHEN pair.other_verdict = 'duplicate' THEN pair.path ELSE pair.other_path END AS other_path,
       pair.profile AS profile
FROM edge
JOIN pair ON pair.scoring_id = edge.scoring_id AND pair.profile_id = edge.profile_id
    AND pair.score BETWEEN COALESCE(edge.lowest, 0) AND COALESCE(edge.highest, 1e300)
JOIN cameras AS camera ON camera.id = pair.camera_id
WHERE pair.similar_pair = 1 OR (pair.kept AND pair.score >= pair.max_score)
ORDER BY ABS(pair.score - pair.max_score), camera.name, pair.path, pair.other_path
LIMIT CAST(:limit AS INTEGER)
