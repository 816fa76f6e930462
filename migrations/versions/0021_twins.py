"""Twins as rows, kept by triggers: who lists them reads no other image.

The view `audit_twins` has the columns and the rows that it had; a million images took three seconds. A pair changes
only if an image comes, goes, or gets another name, camera or time. The functions on a server look images up by index
whatever the server believes of a table that grows while it is filled.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_PAIRS = """
SELECT image_a.id, image_b.id
FROM images AS image_a
JOIN images AS image_b ON image_b.camera_id = image_a.camera_id AND image_b.id <> image_a.id
    AND image_b.captured_at BETWEEN {a_earlier} AND {a_later}
    AND image_a.captured_at BETWEEN {b_earlier} AND {b_later}
WHERE image_a.captured_at_source IN ('name', 'pattern') AND image_b.captured_at_source IN ('name', 'pattern')
    AND {is_epoch_a} AND NOT {is_epoch_b}
    AND {apart_us} <= 1000000"""

_AUDIT_TWINS = """
CREATE VIEW audit_twins AS
SELECT camera.name AS camera, image_a.path AS image_a_path, image_b.path AS image_b_path,
       image_a.captured_at AS captured_a_at, image_b.captured_at AS captured_b_at,
       CAST({apart_us} AS DOUBLE PRECISION) / 1000000.0 AS apart_s, image_a.state AS state_a, image_b.state AS state_b,
       twin.image_a_id AS image_a_id, twin.image_b_id AS image_b_id
FROM twins AS twin
JOIN images AS image_a ON image_a.id = twin.image_a_id
JOIN images AS image_b ON image_b.id = twin.image_b_id
JOIN cameras AS camera ON camera.id = image_a.camera_id
"""

_DROP = "DELETE FROM twins WHERE image_a_id = NEW.id OR image_b_id = NEW.id; "
_CHANGED = (
    "NEW.camera_id <> OLD.camera_id OR NEW.captured_at {differs} OLD.captured_at "
    "OR NEW.captured_at_source {differs} OLD.captured_at_source OR {is_epoch_new} <> {is_epoch_old}"
)


def _sqlite() -> dict[str, str]:
    def epoch_us(image: str) -> str:
        seconds = f"CAST(strftime('%s', substr({image}.captured_at, 1, 19)) AS INTEGER)"
        return f"({seconds} * 1000000 + CAST(substr({image}.captured_at, 21, 6) AS INTEGER))"

    def moved(image: str, by: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%f', {image}.captured_at, '{by} seconds')"

    def is_epoch(image: str) -> str:
        return f"(instr({image}.path, {epoch_us(image)} / 1000) > 0)"

    return {
        "differs": "IS NOT",
        "apart_us": f"abs({epoch_us('image_b')} - {epoch_us('image_a')})",
        "is_epoch_a": is_epoch("image_a"),
        "is_epoch_b": is_epoch("image_b"),
        "is_epoch_new": is_epoch("NEW"),
        "is_epoch_old": is_epoch("OLD"),
        "a_earlier": moved("image_a", "-1.002"),
        "a_later": moved("image_a", "+1.002"),
        "b_earlier": moved("image_b", "-1.002"),
        "b_later": moved("image_b", "+1.002"),
    }


def _postgresql() -> dict[str, str]:
    def epoch_us(image: str) -> str:
        return f"CAST(EXTRACT(EPOCH FROM {image}.captured_at) * 1000000 AS BIGINT)"

    def is_epoch(image: str) -> str:
        return f"(strpos({image}.path, CAST({epoch_us(image)} / 1000 AS TEXT)) > 0)"

    return {
        "differs": "IS DISTINCT FROM",
        "apart_us": f"abs({epoch_us('image_b')} - {epoch_us('image_a')})",
        "is_epoch_a": is_epoch("image_a"),
        "is_epoch_b": is_epoch("image_b"),
        "is_epoch_new": is_epoch("NEW"),
        "is_epoch_old": is_epoch("OLD"),
        "a_earlier": "image_a.captured_at - INTERVAL '1 second'",
        "a_later": "image_a.captured_at + INTERVAL '1 second'",
        "b_earlier": "image_b.captured_at - INTERVAL '1 second'",
        "b_later": "image_b.captured_at + INTERVAL '1 second'",
    }


def upgrade() -> None:
    """Adds the table, its triggers and the twins that there are, and makes the view anew."""
    is_server = op.get_context().dialect.name == "postgresql"
    words = _postgresql() if is_server else _sqlite()
    op.create_table(
        "twins",
        sa.Column("image_a_id", GROWING_ID, nullable=False, comment="named by the epoch"),
        sa.Column("image_b_id", GROWING_ID, nullable=False, comment="named by date and time"),
        sa.ForeignKeyConstraint(["image_a_id"], ["images.id"], name=op.f("fk_twins_image_a_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["image_b_id"], ["images.id"], name=op.f("fk_twins_image_b_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image_a_id", "image_b_id", name=op.f("pk_twins")),
    )
    op.create_index("ix_twins_image_b_id", "twins", ["image_b_id"])
    pairs = " ".join(_PAIRS.format(**words).split())
    op.execute(f"INSERT INTO twins (image_a_id, image_b_id) {pairs}")
    op.execute("DROP VIEW audit_twins")
    op.execute(_AUDIT_TWINS.format(**words))
    add = "; ".join(
        f"INSERT INTO twins (image_a_id, image_b_id) {pairs} AND {image}.id = NEW.id ON CONFLICT DO NOTHING"
        for image in ("image_a", "image_b")  # of two images of one statement, a server calls the function for both
    )
    columns = "path, camera_id, captured_at, captured_at_source"
    for name, event, condition, act in (
        ("pair_new_image", "INSERT", "NEW.captured_at_source IN ('name', 'pattern')", add),
        ("pair_renamed_image", f"UPDATE OF {columns}", _CHANGED.format(**words), _DROP + add),
    ):
        when = f"AFTER {event} ON images FOR EACH ROW WHEN ({condition})"
        if is_server:
            function = "LANGUAGE plpgsql SET enable_seqscan = off"
            op.execute(f"CREATE FUNCTION {name}() RETURNS trigger {function} AS $$ BEGIN {act}; RETURN NULL; END $$")
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()")
        else:
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN {act}; END")
