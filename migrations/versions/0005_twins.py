"""Twins: captures of one camera within a second of each other, one named by the epoch and one by date and time.

A name is one of the epoch if the path contains the milliseconds of the capture time that was read from it. The view has
two conditions on the time that mean the same, so that a query may start from either image of a pair. SQLite stores and
compares times as text, to the millisecond. So the view also computes the exact difference.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_AUDIT_TWINS = """
CREATE VIEW audit_twins AS
SELECT camera.name AS camera, image_a.path AS image_a_path, image_b.path AS image_b_path,
       image_a.captured_at AS captured_a_at, image_b.captured_at AS captured_b_at,
       CAST({apart_us} AS DOUBLE PRECISION) / 1000000.0 AS apart_s, image_a.state AS state_a, image_b.state AS state_b,
       image_a.id AS image_a_id, image_b.id AS image_b_id
FROM images AS image_a
JOIN images AS image_b ON image_b.camera_id = image_a.camera_id
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
    """Makes the view, and the database index that finds the images before and after an image in time."""
    op.create_index("ix_images_camera_id_captured_at", "images", ["camera_id", "captured_at"])
    words = _postgresql() if op.get_context().dialect.name == "postgresql" else _sqlite()
    op.execute(_AUDIT_TWINS.format(**words))
