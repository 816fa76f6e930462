"""Which images compare must look at, kept by triggers, and what a decision is found by.

`open_images` has the ready images without a current decision, and those that lost a thumbnail. Triggers keep it, so
that nothing that writes can forget it. The new columns of `decisions` have the place of the image among the images of
its camera; the indexes of them serve `compare`, which reads a camera in part. They are NULL in the decisions made
before: the next compare reads such a camera whole, and fills them in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# As before; but what is kept and undecided is counted by the indexes of these, and the rest are duplicates: a million
# decisions are not read. CROSS JOIN keeps SQLite from beginning with all images.
_AUDIT_CAMERAS = """
CREATE VIEW audit_cameras AS
SELECT camera.name AS camera,
       COALESCE(image.ready, 0) AS images,
       COALESCE(image.unreadable, 0) AS unreadable,
       COALESCE(decided.kept, 0) AS kept,
       COALESCE(image.ready, 0) - COALESCE(decided.kept, 0) - COALESCE(opened.undecided, 0) AS duplicates,
       COALESCE(image.removed, 0) AS removed,
       image.first_captured_at AS first_captured_at,
       image.last_captured_at AS last_captured_at,
       COALESCE(opened.undecided, 0) AS undecided,
       COALESCE(image.missing, 0) AS missing,
       CAST(COALESCE(image.size_bytes, 0) AS BIGINT) AS size_bytes
FROM cameras AS camera
JOIN (
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
    SELECT kept.camera_id AS camera_id, COUNT(*) AS kept
    FROM (
        SELECT image_id FROM decisions WHERE superseded_at IS NULL AND verdict = 'keep' AND of_camera_id > 0
        UNION ALL
        SELECT image_id FROM decisions WHERE superseded_at IS NULL AND of_camera_id IS NULL AND verdict = 'keep'
    ) AS decision
    CROSS JOIN images AS kept
    WHERE kept.id = decision.image_id AND kept.state = 'ready'
    GROUP BY kept.camera_id
) AS decided ON decided.camera_id = camera.id
LEFT JOIN (
    SELECT listed.camera_id AS camera_id, COUNT(*) AS undecided
    FROM open_images
    CROSS JOIN images AS listed
    WHERE listed.id = open_images.image_id AND listed.state = 'ready' AND NOT EXISTS (
        SELECT 1 FROM decisions WHERE decisions.image_id = listed.id AND decisions.superseded_at IS NULL
    )
    GROUP BY listed.camera_id
) AS opened ON opened.camera_id = camera.id
"""

_IS_READY = "EXISTS (SELECT 1 FROM images WHERE id = {id} AND state = 'ready')"
_IS_LISTED = "EXISTS (SELECT 1 FROM open_images WHERE image_id = {id})"
_ADD = "INSERT INTO open_images (image_id) SELECT {id} WHERE NOT " + _IS_LISTED
_ADD_READY = _ADD + " AND " + _IS_READY
_DROP = "DELETE FROM open_images WHERE image_id = {id}"
# Name, event, condition, statement.
_TRIGGERS = (
    ("open_new_image", "AFTER INSERT ON images", "NEW.state = 'ready'", _ADD.format(id="NEW.id")),
    (
        "open_returned_image",
        "AFTER UPDATE OF state ON images",
        "NEW.state = 'ready' AND OLD.state <> 'ready'",
        _ADD.format(id="NEW.id"),
    ),
    (
        "close_absent_image",
        "AFTER UPDATE OF state ON images",
        "NEW.state <> 'ready' AND OLD.state = 'ready'",
        _DROP.format(id="NEW.id"),
    ),
    (
        "open_superseded",
        "AFTER UPDATE OF superseded_at ON decisions",
        "NEW.superseded_at IS NOT NULL AND OLD.superseded_at IS NULL",
        _ADD_READY.format(id="NEW.image_id"),
    ),
    (
        "open_undecided",
        "AFTER DELETE ON decisions",
        "OLD.superseded_at IS NULL",
        _ADD_READY.format(id="OLD.image_id"),
    ),
    ("close_decided", "AFTER INSERT ON decisions", "NEW.superseded_at IS NULL", _DROP.format(id="NEW.image_id")),
    ("open_without_thumbnail", "AFTER DELETE ON thumbnails", None, _ADD_READY.format(id="OLD.image_id")),
)


def upgrade() -> None:
    """Adds the table, the columns, their indexes and the triggers, lists the images that are undecided, and makes the
    view of cameras anew."""
    op.create_table(
        "open_images",
        sa.Column("image_id", GROWING_ID, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_open_images_image_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_open_images")),
    )
    _add_columns()
    _create_indexes()
    op.execute(
        "INSERT INTO open_images (image_id) SELECT id FROM images WHERE state = 'ready' AND NOT EXISTS "
        "(SELECT 1 FROM decisions WHERE image_id = images.id AND superseded_at IS NULL)"
    )
    # Of images that are not there the camera is enough: such a decision counts again only after a return, which
    # withdraws it.
    op.execute(
        "UPDATE decisions SET of_camera_id = (SELECT camera_id FROM images WHERE images.id = decisions.image_id) "
        "WHERE superseded_at IS NULL AND image_id IN (SELECT id FROM images WHERE state <> 'ready')"
    )
    op.execute("DROP VIEW audit_cameras")
    op.execute(_AUDIT_CAMERAS)
    is_server = op.get_context().dialect.name == "postgresql"
    for trigger in _TRIGGERS:
        for statement in _on_server(*trigger) if is_server else _in_file(*trigger):
            op.execute(statement)


def _add_columns() -> None:
    columns = (
        sa.Column(
            "of_camera_id", sa.Integer(), nullable=True, comment="the camera that was decided; NULL: not noted yet"
        ),
        sa.Column(
            "rank_class",
            sa.BigInteger(),
            nullable=True,
            comment="of a duplicate: its rank by pixels, sharpness and folder; NULL: kept, or not noted yet",
        ),
        sa.Column(
            "reach_class",
            sa.Integer(),
            nullable=True,
            comment="of a duplicate: bits of the microseconds to its keeper, 64 without a time; NULL as rank_class",
        ),
        sa.Column(
            "captured_us",
            sa.BigInteger(),
            nullable=True,
            comment="of a duplicate: its capture time in microseconds since 1970; NULL: unknown, or as rank_class",
        ),
    )
    for column in columns:
        op.add_column("decisions", column)


def _create_indexes() -> None:
    current = "superseded_at IS NULL"
    for name, columns, condition in (
        ("ix_decisions_kept", ["of_camera_id", "image_id"], f"{current} AND verdict = 'keep'"),
        ("ix_decisions_camera_keeper", ["of_camera_id", "keeper_id"], f"{current} AND keeper_id IS NOT NULL"),
        (
            "ix_decisions_reach",
            ["of_camera_id", "rank_class", "reach_class", "captured_us"],
            f"{current} AND keeper_id IS NOT NULL",
        ),
        ("ix_decisions_unplaced", ["image_id"], f"{current} AND of_camera_id IS NULL"),
    ):
        op.create_index(
            name, "decisions", columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
        )


def _in_file(name: str, event: str, condition: str | None, act: str) -> list[str]:
    when = "" if condition is None else f" WHEN {condition}"
    return [f"CREATE TRIGGER {name} {event} FOR EACH ROW{when} BEGIN {act}; END"]


def _on_server(name: str, event: str, condition: str | None, act: str) -> list[str]:
    when = "" if condition is None else f" WHEN ({condition})"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {act}; RETURN NULL; END $$",
        f"CREATE TRIGGER {name} {event} FOR EACH ROW{when} EXECUTE FUNCTION {name}()",
    ]
