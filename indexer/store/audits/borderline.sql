-- Pairs whose score decided by the smallest margin: duplicates just below the limit, kept pairs just above it.
-- :limit at most so many rows [50]
SELECT image.camera AS camera,
       CASE WHEN image.verdict = other.verdict THEN 'both kept' ELSE 'duplicate' END AS decided,
       score.score AS score,
       image.max_score AS max_score,
       score.score - image.max_score AS over_limit,
       CASE WHEN other.verdict = 'duplicate' THEN other.path ELSE image.path END AS path,
       CASE WHEN other.verdict = 'duplicate' THEN image.path ELSE other.path END AS other_path,
       image.profile AS profile
FROM audit_decisions AS image
JOIN profiles AS profile ON profile.name = image.profile
JOIN scores AS score ON score.scoring_id = profile.scoring_id AND score.image_a_id = image.image_id
JOIN audit_decisions AS other ON other.image_id = score.image_b_id AND other.profile = image.profile
WHERE image.state IN ('ready', 'removed') AND other.state IN ('ready', 'removed')
  AND ((image.keeper_id = other.image_id AND image.reason = 'similar')
       OR (other.keeper_id = image.image_id AND other.reason = 'similar')
       OR (image.verdict = 'keep' AND other.verdict = 'keep' AND score.score >= image.max_score))
  AND NOT EXISTS (SELECT 1 FROM verdicts AS judged
                  WHERE judged.image_a_id = score.image_a_id AND judged.image_b_id = score.image_b_id
                    AND judged.withdrawn_at IS NULL)
ORDER BY ABS(score.score - image.max_score), image.camera, image.path, other.path
LIMIT CAST(:limit AS INTEGER)
