"""On a server, the triggers of `twins` look at an image's neighbours in time, whatever the server believes of a table.

Two indexes of `images` begin with the camera. One of them has the capture time after the state, so that it finds
neighbours only by reading the whole camera; a server without statistics held the two to be equal, and kept its plan: a
million images that one transaction wrote took time that grew with their square. Asked for in the order of time, they
come from the other index. SQLite never uses that one, and keeps its triggers.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ADD = """
INSERT INTO twins (image_a_id, image_b_id)
SELECT image_a.id, image_b.id
FROM images AS {image}
CROSS JOIN LATERAL (
    SELECT neighbour.id, neighbour.path, neighbour.captured_at, neighbour.captured_at_source
    FROM images AS neighbour
    WHERE neighbour.camera_id = {image}.camera_id AND neighbour.id <> {image}.id
        AND neighbour.captured_at BETWEEN {image}.captured_at - INTERVAL '1 second'
            AND {image}.captured_at + INTERVAL '1 second'
    ORDER BY neighbour.captured_at
) AS {other}
WHERE {image}.id = NEW.id
    AND image_a.captured_at_source IN ('name', 'pattern') AND image_b.captured_at_source IN ('name', 'pattern')
    AND {is_epoch_a} AND NOT {is_epoch_b}
ON CONFLICT DO NOTHING"""
_DROP = "DELETE FROM twins WHERE image_a_id = NEW.id OR image_b_id = NEW.id; "


def _is_epoch(image: str) -> str:
    epoch_us = f"CAST(EXTRACT(EPOCH FROM {image}.captured_at) * 1000000 AS BIGINT)"
    return f"(strpos({image}.path, CAST({epoch_us} / 1000 AS TEXT)) > 0)"


def upgrade() -> None:
    """Replaces the two functions on a server."""
    if op.get_context().dialect.name != "postgresql":
        return
    words = {"is_epoch_a": _is_epoch("image_a"), "is_epoch_b": _is_epoch("image_b")}
    add = "; ".join(
        " ".join(_ADD.format(image=image, other=other, **words).split())
        for image, other in (("image_a", "image_b"), ("image_b", "image_a"))
    )
    for name, act in (("pair_new_image", add), ("pair_renamed_image", _DROP + add)):
        kind = "RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off"
        op.execute(f"CREATE OR REPLACE FUNCTION {name}() {kind} AS $$ BEGIN {act}; RETURN NULL; END $$")
