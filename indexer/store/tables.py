"""The tables: each column has a type, and a comment that says what it means and what NULL means.

The migrations make the tables; these classes only describe them. Rows do not leave the store.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, false
from sqlalchemy.orm import Mapped, mapped_column

from indexer.store.columns import GROWING_ID, PathText
from indexer.store.finding_tables import FindingRow as FindingRow
from indexer.store.table_base import Base as Base
from indexer.store.table_base import PartialIndex
from indexer.store.trigger_tables import OpenImageRow as OpenImageRow
from indexer.store.trigger_tables import TwinRow as TwinRow
from indexer.store.video_tables import RecordingFrameRow as RecordingFrameRow
from indexer.store.video_tables import RecordingRow as RecordingRow
from indexer.store.video_tables import SpanRow as SpanRow
from indexer.store.video_tables import VideoFrameRow as VideoFrameRow
from indexer.store.video_tables import VideoRow as VideoRow


class PreparationRow(Base):
    """How a thumbnail is made: the first layer of a profile."""

    __tablename__ = "preparations"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True, comment="sha256 of the parameters")
    parameters: Mapped[str] = mapped_column(comment="JSON object")


class ScoringRow(Base):
    """How a score is computed: the second layer of a profile."""

    __tablename__ = "scorings"
    id: Mapped[int] = mapped_column(primary_key=True)
    preparation_id: Mapped[int] = mapped_column(ForeignKey("preparations.id"))
    digest: Mapped[str] = mapped_column(unique=True, comment="sha256 of the parameters and the preparation's digest")
    parameters: Mapped[str] = mapped_column(comment="JSON object, without the preparation")
    min_contour_area: Mapped[float | None] = mapped_column(
        comment="that of the parameters, for queries; NULL: they have none"
    )
    max_distance: Mapped[float | None] = mapped_column(
        comment="that of the parameters, for queries; NULL: they have none"
    )


class ProfileRow(Base):
    """A full set of parameters. Only `active` ever changes."""

    __tablename__ = "profiles"
    __table_args__ = (PartialIndex("uq_profiles_active", "active", where="active", unique=True),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    scoring_id: Mapped[int] = mapped_column(ForeignKey("scorings.id"))
    digest: Mapped[str] = mapped_column(comment="sha256 of the limits and the scoring's digest")
    max_score: Mapped[float] = mapped_column(comment="similar is a score below this, in reference pixels")
    record_limit: Mapped[float] = mapped_column(comment="scores up to this are recorded")
    active: Mapped[bool] = mapped_column(
        comment="decides all cameras that have no profile of their own; one row at most"
    )


class CameraRow(Base):
    """A camera that does not move."""

    __tablename__ = "cameras"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"), comment="NULL: the active profile")


class NamingRuleRow(Base):
    """What a person said of an ingested folder: how its images are named."""

    __tablename__ = "naming_rules"
    __table_args__ = (
        CheckConstraint("camera IS NULL OR camera_level IS NULL", name="one_camera"),
        CheckConstraint("pattern IS NULL OR scheme IS NULL", name="one_pattern"),
    )
    folder: Mapped[str] = mapped_column(PathText, primary_key=True, comment="the real path of a folder given to ingest")
    camera: Mapped[str | None] = mapped_column(comment="all its images are of this camera; NULL: not said")
    camera_level: Mapped[int | None] = mapped_column(
        comment="the camera is the folder so many levels below, 1 for the first; NULL: not said"
    )
    base: Mapped[str | None] = mapped_column(
        PathText, comment="the folder above it that level and pattern begin at; NULL: the folder itself"
    )
    pattern: Mapped[str | None] = mapped_column(comment="regular expression; NULL: none")
    scheme: Mapped[str | None] = mapped_column(comment="name of a built-in pattern; NULL: none")
    timezone: Mapped[str | None] = mapped_column(comment="of times without an offset; NULL: UTC")
    is_earlier: Mapped[bool] = mapped_column(
        server_default=false(), comment="whether names are read by the rules of earlier versions"
    )


class CameraSourceRow(Base):
    """A folder that images of a camera come from."""

    __tablename__ = "camera_sources"
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"), primary_key=True)
    source: Mapped[str] = mapped_column(
        PathText, primary_key=True, comment="the camera's folder, with its channel if it has one"
    )
    is_root: Mapped[bool] = mapped_column(
        server_default=false(), comment="whether it is the folder given to ingest, and all below it counts"
    )
    is_confirmed: Mapped[bool] = mapped_column(
        server_default=false(), comment="whether a person said that its images are of this camera"
    )


class IdentityRow(Base):
    """The identity of this index; the table has one row."""

    __tablename__ = "index_identity"
    id: Mapped[str] = mapped_column(primary_key=True, comment="32 hex digits")
    copied_from: Mapped[str | None] = mapped_column(comment="the id of the index that it was copied from; NULL: none")


class RunRow(Base):
    """One run of a writing command."""

    __tablename__ = "runs"
    __table_args__ = (CheckConstraint("outcome IN ('done', 'failed', 'interrupted')", name="outcome"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    command: Mapped[str]
    arguments: Mapped[str] = mapped_column(comment="JSON object")
    version: Mapped[str] = mapped_column(comment="of indexer")
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(comment="NULL: running, or cut off")
    outcome: Mapped[str | None] = mapped_column(comment="NULL: running, or cut off")
    counts: Mapped[str | None] = mapped_column(comment="JSON object; NULL: running, or cut off")
    token: Mapped[str | None] = mapped_column(comment="32 hex digits; NULL: a run of an earlier version")
    username: Mapped[str | None] = mapped_column(comment="NULL: a run of an earlier version")
    hostname: Mapped[str | None] = mapped_column(comment="NULL: a run of an earlier version")


class ImageRow(Base):
    """The bytes of one image file. The content of a row never changes; changed bytes at a path make a new row."""

    __tablename__ = "images"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'unreadable', 'damaged', 'too_small', 'missing', 'removed')", name="state"),
        CheckConstraint(
            "state <> 'ready' OR (width IS NOT NULL AND height IS NOT NULL AND sharpness IS NOT NULL)", name="measured"
        ),
        PartialIndex("uq_images_path", "path", where="state NOT IN ('missing', 'removed')", unique=True),
        Index("ix_images_any_path", "path"),
        # With all columns that a camera's summary needs, so that the query reads this index only.
        Index("ix_images_camera_id_state_captured_at_file_size", "camera_id", "state", "captured_at", "file_size"),
        Index("ix_images_content_hash_state_camera_id", "content_hash", "state", "camera_id"),
        Index("ix_images_camera_id_captured_at", "camera_id", "captured_at"),
        Index("ix_images_run_id_captured_at", "run_id", "captured_at"),
        PartialIndex("ix_images_held_back", "id", where="held_back = 1", where_postgresql="held_back"),
    )
    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True)
    path: Mapped[str] = mapped_column(PathText, comment="absolute; a file URI if it is not UTF-8")
    root: Mapped[str] = mapped_column(PathText, comment="the folder given to ingest; of a lone file, its folder")
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    camera_source: Mapped[str] = mapped_column(comment="option, pattern, name or folder")
    captured_at: Mapped[datetime | None] = mapped_column(comment="UTC; NULL: unknown")
    captured_at_source: Mapped[str | None] = mapped_column(comment="pattern, name, exif or mtime; NULL: unknown")
    width: Mapped[int | None] = mapped_column(comment="pixels as shown, EXIF rotation applied; NULL: unknown")
    height: Mapped[int | None] = mapped_column(comment="pixels as shown; NULL: unknown")
    file_size: Mapped[int] = mapped_column(BigInteger, comment="bytes")
    mtime_ns: Mapped[int] = mapped_column(BigInteger, comment="when it was last looked at")
    content_hash: Mapped[str] = mapped_column(comment="sha256 of the file's bytes, hex")
    sharpness: Mapped[float | None] = mapped_column(comment="variance of the Laplacian at 320 wide; NULL: not decoded")
    state: Mapped[str]
    state_reason: Mapped[str | None] = mapped_column(comment="NULL: nothing to say")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), comment="the run that first saw it")
    held_back: Mapped[bool] = mapped_column(
        server_default=false(),
        comment="whether no plan takes it until a person includes it: it has the file of a removed image",
    )


class ThumbnailRow(Base):
    """The thumbnail of an image in one preparation: its planes in 8-bit grey as PNG, so that any tool can show it."""

    __tablename__ = "thumbnails"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    preparation_id: Mapped[int] = mapped_column(ForeignKey("preparations.id"), primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary, comment="PNG")
    flat: Mapped[bool] = mapped_column(
        server_default=false(), comment="whether one grey level is all that there is to look at"
    )


class SignatureRow(Base):
    """The signature of a thumbnail, of some keepers: it goes with the thumbnail."""

    __tablename__ = "signatures"
    __table_args__ = (
        ForeignKeyConstraint(
            ["image_id", "preparation_id"], ["thumbnails.image_id", "thumbnails.preparation_id"], ondelete="CASCADE"
        ),
    )
    image_id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True)
    preparation_id: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(
        LargeBinary, comment="mean of each block of 3 x 3 pixels, row by row, and a checksum"
    )


class PictureRow(Base):
    """The preview of a removed image or of its keeper: a small colour picture, made when prune read the file."""

    __tablename__ = "pictures"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary, comment="JPEG")


class ScoreRow(Base):
    """The evidence of one pair of images."""

    __tablename__ = "scores"
    __table_args__ = (
        CheckConstraint("image_a_id < image_b_id", name="ordered"),
        Index("ix_scores_image_b_id", "image_b_id"),
        # In this order pairs are closer and closer to a limit: where nothing counts, by the largest contour.
        Index("ix_scores_scoring_id_score_largest_contour", "scoring_id", "score", "largest_contour"),
    )
    scoring_id: Mapped[int] = mapped_column(ForeignKey("scorings.id"), primary_key=True)
    image_a_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    image_b_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    score: Mapped[float] = mapped_column(comment="reference pixels; native pixels in the profile original")
    largest_contour: Mapped[float] = mapped_column(comment="area of the largest contour, counting or not, same unit")
    contour_count: Mapped[int] = mapped_column(comment="contours that count")
    changed_fraction: Mapped[float] = mapped_column(comment="share of pixels over the threshold, 0 to 1")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    distance: Mapped[float | None] = mapped_column(
        comment="largest distance of the features of a cell; NULL: the scoring has no features"
    )
    changed_area: Mapped[float | None] = mapped_column(
        comment="the score before the distance was looked at; NULL: the scoring has no features"
    )


class DecisionRow(Base):
    """A decision on an image. Rows are only added; of a row only `superseded_at` changes, and the reach if its keeper
    gets another time. Of a row of an earlier version camera, rank, reach and time are filled in."""

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint("verdict IN ('keep', 'duplicate')", name="verdict"),
        CheckConstraint("reason IN ('new', 'pinned', 'similar', 'identical', 'verdict')", name="reason"),
        CheckConstraint("(verdict = 'duplicate') = (keeper_id IS NOT NULL)", name="keeper"),
        CheckConstraint("keeper_id <> image_id", name="other"),
        PartialIndex("uq_decisions_current", "image_id", where="superseded_at IS NULL", unique=True),
        Index("ix_decisions_image_id_superseded_at_verdict", "image_id", "superseded_at", "verdict"),
        Index("ix_decisions_keeper_id", "keeper_id"),
        # Of the current decisions of a camera: its keepers, the duplicates of a keeper, and those near a time.
        PartialIndex(
            "ix_decisions_kept", "of_camera_id", "image_id", where="superseded_at IS NULL AND verdict = 'keep'"
        ),
        PartialIndex(
            "ix_decisions_camera_keeper",
            "of_camera_id",
            "keeper_id",
            where="superseded_at IS NULL AND keeper_id IS NOT NULL",
        ),
        PartialIndex(
            "ix_decisions_reach",
            "of_camera_id",
            "rank_class",
            "reach_class",
            "captured_us",
            where="superseded_at IS NULL AND keeper_id IS NOT NULL",
        ),
        PartialIndex("ix_decisions_unplaced", "image_id", where="superseded_at IS NULL AND of_camera_id IS NULL"),
    )
    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id"))
    verdict: Mapped[str] = mapped_column(comment="keep or duplicate")
    keeper_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"), comment="NULL: kept")
    score: Mapped[float | None] = mapped_column(comment="of image and keeper, 0 if identical; NULL: kept, or a verdict")
    reason: Mapped[str] = mapped_column(comment="new, pinned, similar, identical or verdict")
    decided_by: Mapped[str] = mapped_column(comment="compare, or the name of the person who judged the pair")
    decided_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    superseded_at: Mapped[datetime | None] = mapped_column(comment="NULL: the current decision")
    of_camera_id: Mapped[int | None] = mapped_column(comment="the camera that was decided; NULL: not noted yet")
    rank_class: Mapped[int | None] = mapped_column(
        BigInteger, comment="of a duplicate: its rank by pixels, sharpness and folder; NULL: kept, or not noted yet"
    )
    reach_class: Mapped[int | None] = mapped_column(
        comment="of a duplicate: bits of the microseconds to its keeper, 64 without a time; NULL as rank_class"
    )
    captured_us: Mapped[int | None] = mapped_column(
        BigInteger,
        comment="of a duplicate: its capture time in microseconds since 1970; NULL: unknown, or as rank_class",
    )


class VerdictRow(Base):
    """A person's verdict on a pair of images of one camera."""

    __tablename__ = "verdicts"
    __table_args__ = (
        CheckConstraint("image_a_id < image_b_id", name="ordered"),
        CheckConstraint("verdict IN ('same', 'different')", name="verdict"),
        PartialIndex("uq_verdicts_current", "image_a_id", "image_b_id", where="withdrawn_at IS NULL", unique=True),
        Index("ix_verdicts_image_b_id", "image_b_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    image_a_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    image_b_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    verdict: Mapped[str] = mapped_column(comment="same or different")
    judged_by: Mapped[str] = mapped_column(comment="a person's name")
    note: Mapped[str | None] = mapped_column(comment="NULL: none")
    judged_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None] = mapped_column(comment="NULL: it holds")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))


class PinRow(Base):
    """A person's pin: the image is always kept."""

    __tablename__ = "pins"
    __table_args__ = (PartialIndex("uq_pins_current", "image_id", where="unpinned_at IS NULL", unique=True),)
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    reason: Mapped[str] = mapped_column(comment="pin or restore: the command that set it")
    pinned_at: Mapped[datetime]
    unpinned_at: Mapped[datetime | None] = mapped_column(comment="NULL: it holds")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))


class RemovalRow(Base):
    """The journal: the removal of one file; the row is written before the file is touched."""

    __tablename__ = "removals"
    __table_args__ = (
        CheckConstraint("state IN ('planned', 'quarantined', 'deleted', 'restored', 'purged', 'failed')", name="state"),
        CheckConstraint("pending IN ('quarantine', 'delete', 'restore', 'restore_unpinned', 'purge')", name="pending"),
        CheckConstraint("state <> 'planned' OR pending IS NOT NULL", name="planned_is_pending"),
        Index("ix_removals_state_size_bytes", "state", "size_bytes"),
        # A few of a million rows: the acts that a crash left unfinished, in their order.
        PartialIndex("ix_removals_open", "id", where="pending IS NOT NULL"),
        PartialIndex("ix_removals_unrecorded", "id", where="recorded = 0", where_postgresql="NOT recorded"),
        PartialIndex("ix_removals_held_back", "image_id", where="held_back = 1", where_postgresql="held_back"),
    )
    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    keeper_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"))
    path: Mapped[str] = mapped_column(PathText, comment="where the file was")
    keeper_path: Mapped[str] = mapped_column(PathText, comment="where its keeper was")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(comment="sha256 of the file, read again before it went")
    keeper_hash: Mapped[str] = mapped_column(comment="sha256 of the keeper, read again before the file went")
    state: Mapped[str]
    pending: Mapped[str | None] = mapped_column(comment="the act that was begun and not yet written down; NULL: none")
    quarantine_path: Mapped[str | None] = mapped_column(
        PathText, comment="where the file is or was; NULL: deleted at once"
    )
    problem: Mapped[str | None] = mapped_column(comment="why the last act failed; NULL: it did not")
    planned_at: Mapped[datetime]
    removed_at: Mapped[datetime | None] = mapped_column(comment="NULL: not taken away")
    restored_at: Mapped[datetime | None] = mapped_column(comment="NULL: not restored")
    purged_at: Mapped[datetime | None] = mapped_column(comment="NULL: not purged")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), comment="the run that took it away")
    aside_path: Mapped[str | None] = mapped_column(
        PathText,
        comment="where a file that is deleted at once waits for the last look at its keeper; NULL: it does not",
    )
    recorded: Mapped[bool] = mapped_column(
        server_default=false(), comment="whether a record beside the images tells of it"
    )
    held_back: Mapped[bool] = mapped_column(
        server_default=false(),
        comment="whether no plan takes the restored file until a person includes it: its run was undone",
    )


class ReconsideredRow(Base):
    """The decision that a profile would have made on an image that another profile removed."""

    __tablename__ = "reconsidered"
    removal_id: Mapped[int] = mapped_column(ForeignKey("removals.id"), primary_key=True)
    profile_id: Mapped[int] = mapped_column(
        ForeignKey("profiles.id"), primary_key=True, comment="a profile that came into force later"
    )
    kept: Mapped[bool] = mapped_column(comment="whether that profile would have kept the image")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
