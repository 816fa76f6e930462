-- Pairs that were decided by the smallest margin: first duplicates, whose removal has the weakest case, then kept pairs.
-- :side which of them: removed (also those still to be removed), kept or both [both]
-- :camera only pairs of this camera []
-- :limit at most so many rows of each side [50]
-- first: decided, closeness, score, path, other_path, camera, largest_contour, state
WITH joined AS NOT MATERIALIZED (
    SELECT score.scoring_id, score.image_a_id, score.image_b_id,
           score.score, score.largest_contour, score.changed_fraction, score.distance,
           image_a.path AS path, image_b.path AS other_path, image_a.state AS state, image_b.state AS other_state,
           image_a.camera_id,
           CASE WHEN image.verdict = 'keep' AND other.verdict = 'keep' AND image.profile_id = other.profile_id
                THEN image.profile_id END AS kept_profile_id,
           CASE WHEN image.keeper_id = score.image_b_id AND image.reason = 'similar' THEN image.profile_id
           END AS profile_of_a,
           CASE WHEN other.keeper_id = score.image_a_id AND other.reason = 'similar' THEN other.profile_id
           END AS profile_of_b
    FROM scores AS score
    JOIN images AS image_a ON image_a.id = score.image_a_id
    JOIN images AS image_b ON image_b.id = score.image_b_id
    LEFT JOIN decisions AS image ON image.image_id = score.image_a_id AND image.superseded_at IS NULL
    LEFT JOIN decisions AS other ON other.image_id = score.image_b_id AND other.superseded_at IS NULL
    WHERE (CAST(:camera AS TEXT) IS NULL
           OR image_a.camera_id = (SELECT id FROM cameras WHERE cameras.name = CAST(:camera AS TEXT)))
      AND image_a.state IN ('ready', 'removed') AND image_b.state IN ('ready', 'removed')
      AND NOT EXISTS (SELECT 1 FROM verdicts AS judged
                      WHERE judged.image_a_id = score.image_a_id AND judged.image_b_id = score.image_b_id
                        AND judged.withdrawn_at IS NULL)
),
-- The profile of a duplicate is the one that decided it. Its keeper may have been decided again, or not at all.
pair AS NOT MATERIALIZED (
    SELECT joined.*, profile.id AS profile_id, profile.name AS profile, profile.max_score,
           CASE WHEN joined.profile_of_a IS NULL AND joined.profile_of_b IS NULL THEN 1 ELSE 0 END AS kept
    FROM joined
    JOIN profiles AS profile ON profile.scoring_id = joined.scoring_id
        AND profile.id = COALESCE(joined.profile_of_a, joined.profile_of_b, joined.kept_profile_id)
),
-- Where the rows of each profile begin and end, found by walking from its limit: only what lies between is looked at.
-- Within a scoring, pairs in the order of score and largest contour are closer and closer to the limit. With features
-- duplicates are not, so all of them are looked at. Mostly the first pairs from the limit on are enough. A server would
-- read all pairs to find that out: so only these few are looked at first, and all if they were not enough.
edge AS MATERIALIZED (
    SELECT profile.id AS profile_id, profile.scoring_id, profile.max_score,
           CASE WHEN scoring.min_contour_area > profile.max_score THEN scoring.min_contour_area
                ELSE profile.max_score END AS least_change,
           scoring.min_contour_area AS min_contour_area, scoring.max_distance AS max_distance,
           CASE WHEN scoring.max_distance IS NULL THEN COALESCE(
           (SELECT pair.score
            FROM (SELECT score.image_a_id, score.image_b_id FROM scores AS score
                  WHERE score.scoring_id = profile.scoring_id AND score.score < profile.max_score
                  ORDER BY score.score DESC, score.largest_contour DESC
                  LIMIT 1000 + 20 * CAST(:limit AS BIGINT)) AS first
            CROSS JOIN pair
            WHERE pair.image_a_id = first.image_a_id AND pair.image_b_id = first.image_b_id
              AND pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id AND pair.kept = 0
            ORDER BY pair.score DESC, pair.largest_contour DESC LIMIT 1 OFFSET CAST(:limit AS INTEGER)),
           CASE WHEN EXISTS (SELECT 1 FROM scores AS score
                             WHERE score.scoring_id = profile.scoring_id AND score.score < profile.max_score
                             ORDER BY score.score DESC, score.largest_contour DESC
                             LIMIT 1 OFFSET 1000 + 20 * CAST(:limit AS BIGINT)) THEN
           (SELECT pair.score FROM pair
            WHERE pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id
              AND pair.score < profile.max_score AND pair.kept = 0
            ORDER BY pair.score DESC, pair.largest_contour DESC LIMIT 1 OFFSET CAST(:limit AS INTEGER))
           END)
           END AS lowest,
           CASE WHEN scoring.max_distance IS NULL THEN COALESCE(
           (SELECT pair.largest_contour
            FROM (SELECT score.image_a_id, score.image_b_id FROM scores AS score
                  WHERE score.scoring_id = profile.scoring_id AND score.score < profile.max_score
                  ORDER BY score.score DESC, score.largest_contour DESC
                  LIMIT 1000 + 20 * CAST(:limit AS BIGINT)) AS first
            CROSS JOIN pair
            WHERE pair.image_a_id = first.image_a_id AND pair.image_b_id = first.image_b_id
              AND pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id AND pair.kept = 0
            ORDER BY pair.score DESC, pair.largest_contour DESC LIMIT 1 OFFSET CAST(:limit AS INTEGER)),
           CASE WHEN EXISTS (SELECT 1 FROM scores AS score
                             WHERE score.scoring_id = profile.scoring_id AND score.score < profile.max_score
                             ORDER BY score.score DESC, score.largest_contour DESC
                             LIMIT 1 OFFSET 1000 + 20 * CAST(:limit AS BIGINT)) THEN
           (SELECT pair.largest_contour FROM pair
            WHERE pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id
              AND pair.score < profile.max_score AND pair.kept = 0
            ORDER BY pair.score DESC, pair.largest_contour DESC LIMIT 1 OFFSET CAST(:limit AS INTEGER))
           END)
           END AS smallest,
           COALESCE(
           (SELECT pair.score
            FROM (SELECT score.image_a_id, score.image_b_id FROM scores AS score
                  WHERE score.scoring_id = profile.scoring_id AND score.score >= profile.max_score
                  ORDER BY score.score, score.largest_contour
                  LIMIT 1000 + 20 * CAST(:limit AS BIGINT)) AS first
            CROSS JOIN pair
            WHERE pair.image_a_id = first.image_a_id AND pair.image_b_id = first.image_b_id
              AND pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id AND pair.kept = 1
            ORDER BY pair.score, pair.largest_contour LIMIT 1 OFFSET CAST(:limit AS INTEGER)),
           CASE WHEN EXISTS (SELECT 1 FROM scores AS score
                             WHERE score.scoring_id = profile.scoring_id AND score.score >= profile.max_score
                             ORDER BY score.score, score.largest_contour
                             LIMIT 1 OFFSET 1000 + 20 * CAST(:limit AS BIGINT)) THEN
           (SELECT pair.score FROM pair
            WHERE pair.scoring_id = profile.scoring_id AND pair.profile_id = profile.id
              AND pair.score >= profile.max_score AND pair.kept = 1
            ORDER BY pair.score, pair.largest_contour LIMIT 1 OFFSET CAST(:limit AS INTEGER))
           END) AS highest
    FROM profiles AS profile
    JOIN scorings AS scoring ON scoring.id = profile.scoring_id
),
near AS (
    SELECT pair.*, edge.min_contour_area, edge.least_change,
           CASE WHEN edge.max_score <= 0 THEN NULL
                WHEN pair.distance < edge.max_distance THEN pair.distance / edge.max_distance
                ELSE CASE WHEN pair.score > 0 THEN pair.score ELSE pair.largest_contour END / edge.least_change
           END AS closeness
    FROM edge
    JOIN pair ON pair.scoring_id = edge.scoring_id AND pair.profile_id = edge.profile_id
        AND (pair.score, pair.largest_contour) >= (COALESCE(edge.lowest, 0), COALESCE(edge.smallest, 0))
        AND pair.score <= COALESCE(edge.highest, 1e300)
    WHERE (pair.kept = 0 AND CAST(:side AS TEXT) IN ('removed', 'both'))
       OR (pair.kept = 1 AND pair.score >= pair.max_score AND CAST(:side AS TEXT) IN ('kept', 'both'))
),
ranked AS (
    SELECT near.*, camera.name AS camera,
           ROW_NUMBER() OVER (PARTITION BY near.kept
                              ORDER BY CASE WHEN near.kept = 1 THEN near.closeness ELSE -near.closeness END,
                                       camera.name, near.path, near.other_path) AS place
    FROM near
    JOIN cameras AS camera ON camera.id = near.camera_id
)
SELECT camera,
       CASE WHEN kept = 1 THEN 'both kept' ELSE 'duplicate' END AS decided,
       score,
       max_score,
       score - max_score AS over_limit,
       CASE WHEN profile_of_b IS NOT NULL THEN other_path ELSE path END AS path,
       CASE WHEN profile_of_b IS NOT NULL THEN path ELSE other_path END AS other_path,
       profile,
       closeness,
       largest_contour,
       min_contour_area,
       changed_fraction,
       CASE WHEN profile_of_b IS NOT NULL THEN other_state ELSE state END AS state
FROM ranked
WHERE place <= CAST(:limit AS INTEGER)
ORDER BY kept, place
