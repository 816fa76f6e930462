"""Database indexes for a million images: for summaries, for the nearest scores, and for two views that use them.

Four indexes replace narrower ones that began with the same columns. An index of the unfinished acts replaces the index
of all acts. `audit_cameras` counts images and decisions separately, each from an index. `audit_twins` compares no image
with itself. The columns of both views are the same as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WIDER = {
    "ix_images_camera_id_state": ("images", ["camera_id", "state", "captured_at", "file_size"]),
    "ix_images_content_hash": ("images", ["content_hash", "state", "camera_id"]),
    "ix_decisions_image_id": ("decisions", ["image_id", "superseded_at", "verdict"]),
    "ix_removals_state": ("removals", ["state", "size_bytes"]),
}

_AUDIT_CAMERAS = """
CREATE VIEW audit_cameras AS
SELECT camera.name AS camera,
       COALESCE(image.ready, 0) AS images,
       COALESCE(image.unreadable, 0) AS unreadable,
       COALESCE(decided.kept, 0) AS kept,
       COALESCE(decided.duplicates, 0) AS duplicates,
       COALESCE(image.removed, 0) AS removed,
       image.first_captured_at AS first_captured_at,
       image.last_captured_at AS last_captured_at,
       COALESCE(image.ready, 0) - COALESCE(decided.kept, 0) - COALESCE(decided.duplicates, 0) AS undecided,
       COALESCE(image.missing, 0) AS missing,
       CAST(COALESCE(image.size_bytes, 0) AS BIGINT) AS size_bytes
FROM cameras AS camera
LEFT JOIN (
    SELECT camera_id,
           COUNT(CASE WHEN state = 'ready' THEN 1 END) AS ready,
           COUNT(CASE WHEN state IN ('unreadable', 'damaged', 'too_small') THEN 1 END) AS unreadable,
           COUNT(CASE WHEN state = 'removed' THEN 1 END) AS removed,
           COUNT(CASE WHEN state = 'missing' THEN 1 END) AS missing,
           MIN(CASE WHEN state = 'ready' THEN captured_at END) AS first_captured_at,
           MAX(CASE WHEN state = 'ready' THEN captured_at END) AS last_captured_at,
           SUM(CASE WHEN state = 'ready' THEN file_size END) AS size_bytes
    FROM images
    GROUP BY camera_id
) AS image ON image.camera_id = camera.id
LEFT JOIN (
    SELECT ready.camera_id AS camera_id,
           COUNT(CASE WHEN decision.verdict = 'keep' THEN 1 END) AS kept,
           COUNT(CASE WHEN decision.verdict = 'duplicate' THEN 1 END) AS duplicates
    FROM images AS ready
    JOIN decisions AS decision ON decision.image_id = ready.id AND decision.superseded_at IS NULL
    WHERE ready.state = 'ready'
    GROUP BY ready.camera_id
) AS decided ON decided.camera_id = camera.id
"""

_AUDIT_TWINS = """
CREATE VIEW audit_twins AS
SELECT camera.name AS camera, image_a.path AS image_a_path, image_b.path AS image_b_path,
       image_a.captured_at AS captured_a_at, image_b.captured_at AS captured_b_at,
       CAST({apart_us} AS DOUBLE PRECISION) / 1000000.0 AS apart_s, image_a.state AS state_a, image_b.state AS state_b,
       image_a.id AS image_a_id, image_b.id AS image_b_id
FROM images AS image_a
JOIN images AS image_b ON image_b.camera_id = image_a.camera_id AND image_b.id <> image_a.id
    AND image_b.captured_at BETWEEN {a_earlier} AND {a_later}
    AND image_a.captured_at BETWEEN {b_earlier} AND {b_later}
JOIN cameras AS camera ON camera.id = image_a.camera_id
WHERE image_a.captured_at_source IN ('name', 'pattern') AND image_b.captured_at_source IN ('name', 'pattern')
    AND image_a.path LIKE '%' || {epoch_a_ms} || '%' AND image_b.path NOT LIKE '%' || {epoch_b_ms} || '%'
    AND {apart_us} <= 1000000
"""


def _sqlite() -> dict[str, str]:
    def epoch_us(image: str) -> str:
        seconds = f"CAST(strftime('%s', substr({image}.captured_at, 1, 19)) AS INTEGER)"
        return f"({seconds} * 1000000 + CAST(substr({image}.captured_at, 21, 6) AS INTEGER))"

    def moved(image: str, by: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%f', {image}.captured_at, '{by} seconds')"

    return {
        "apart_us": f"abs({epoch_us('image_b')} - {epoch_us('image_a')})",
        "epoch_a_ms": f"({epoch_us('image_a')} / 1000)",
        "epoch_b_ms": f"({epoch_us('image_b')} / 1000)",
        "a_earlier": moved("image_a", "-1.002"),
        "a_later": moved("image_a", "+1.002"),
        "b_earlier": moved("image_b", "-1.002"),
        "b_later": moved("image_b", "+1.002"),
    }


def _postgresql() -> dict[str, str]:
    def epoch_us(image: str) -> str:
        return f"CAST(EXTRACT(EPOCH FROM {image}.captured_at) * 1000000 AS BIGINT)"

    return {
        "apart_us": f"abs({epoch_us('image_b')} - {epoch_us('image_a')})",
        "epoch_a_ms": f"CAST({epoch_us('image_a')} / 1000 AS TEXT)",
        "epoch_b_ms": f"CAST({epoch_us('image_b')} / 1000 AS TEXT)",
        "a_earlier": "image_a.captured_at - INTERVAL '1 second'",
        "a_later": "image_a.captured_at + INTERVAL '1 second'",
        "b_earlier": "image_b.captured_at - INTERVAL '1 second'",
        "b_later": "image_b.captured_at + INTERVAL '1 second'",
    }


def upgrade() -> None:
    """Makes the indexes and the views."""
    for name, (table, columns) in _WIDER.items():
        op.drop_index(name, table_name=table)
        op.create_index("_".join(("ix", table, *columns)), table, columns)
    op.create_index("ix_scores_scoring_id_score", "scores", ["scoring_id", "score"])
    op.drop_index("ix_removals_pending", table_name="removals")
    there = sa.text("pending IS NOT NULL")
    op.create_index("ix_removals_open", "removals", ["id"], sqlite_where=there, postgresql_where=there)
    words = _postgresql() if op.get_context().dialect.name == "postgresql" else _sqlite()
    for name, view in {"audit_cameras": _AUDIT_CAMERAS, "audit_twins": _AUDIT_TWINS.format(**words)}.items():
        op.execute(f"DROP VIEW {name}")
        op.execute(view)
