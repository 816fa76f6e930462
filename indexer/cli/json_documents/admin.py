"""The documents of `status`, `audit`, `profile`, `db` and `demo`, and the one of a command that was refused."""

from typing import Annotated, Any, Literal, TypedDict

from indexer.cli.json_documents.capture import SourceStatusDocument
from indexer.cli.json_documents.comparison import (
    CompareDocument,
    IngestDocument,
    NotComparedDocument,
    Rectangle,
    WouldKeepDocument,
)
from indexer.cli.json_documents.form import Time
from indexer.cli.json_documents.removal import PruneDocument
from indexer.cli.json_documents.review import ImageDetailsDocument, JournalEntryDocument

FindingKindName = Literal[
    "missing",
    "removed by an unknown run",
    "changed",
    "other bytes",
    "unreadable",
    "not in quarantine",
    "quarantine not there",
    "changed in quarantine",
    "in quarantine without a row",
]


class ErrorDocument(TypedDict):
    """Why a command was refused or failed."""

    error: Annotated[str, "What was wrong, in one sentence."]
    exit_code: Annotated[int, "Exit code of the command."]


class CameraSummaryDocument(TypedDict):
    """The counts of one camera."""

    camera: Annotated[str, "The camera."]
    images: Annotated[int, "Number of images that are present and can be compared."]
    kept: Annotated[int, "Number of them that are kept."]
    duplicates: Annotated[int, "Number of them that are duplicates."]
    undecided: Annotated[int, "Number of them that are not decided."]
    unreadable: Annotated[int, "Number of present files that are unreadable, damaged or too small."]
    removed: Annotated[int, "Number of images that were removed."]
    missing: Annotated[int, "Number of images whose file is gone."]
    size_bytes: Annotated[int, "Size of the present files in bytes."]
    first_captured_at: Annotated[Time | None, "Time of the earliest image. `null`: no time is known."]
    last_captured_at: Annotated[Time | None, "Time of the latest image. `null`: no time is known."]


class UnknownRunsDocument(TypedDict):
    """A quarantine with files of runs that the index does not know."""

    folder: Annotated[str, "The quarantine."]
    runs: Annotated[int, "Number of these runs."]


class SilentCameraDocument(TypedDict):
    """A camera whose last image is older than it should be."""

    camera: Annotated[str, "The camera."]
    last_captured_at: Annotated[Time, "Time of its last image."]
    silent_s: Annotated[float, "Time since then, in seconds."]
    interval_s: Annotated[float, "Longest pause between its last 100 images, in seconds."]


class AwayCameraDocument(TypedDict):
    """A camera that is recorded and sends nothing."""

    camera: Annotated[str, "The camera."]
    source: Annotated[str, "Its address, without user, password and query."]
    last_frame_at: Annotated[Time | None, "When its last frame was taken. `null`: it sent none."]
    reason: Annotated[str | None, "Why it sends nothing. `null`: the reason is not known."]


class StatusCheckDocument(TypedDict):
    """What needs a person. Each value is 0 or empty if nothing does."""

    undecided: Annotated[int, "Number of present images that are not decided."]
    held_back: Annotated[dict[str, str], "Why `prune` would leave a camera alone, by camera."]
    held_back_files: Annotated[int, "Number of files that came back after their removal, and that no plan takes."]
    unwitnessed: Annotated[int, "Number of removed files whose keeper is not present."]
    unreadable_new: Annotated[int, "Number of files that cannot be used, first seen within the last day."]
    left_open: Annotated[int, "Number of removals that were cut off."]
    silent: Annotated[list[SilentCameraDocument], "Cameras without an image for too long, by name."]
    watches_cut_off: Annotated[int, "Number of watches that were cut off and not started again."]
    folders_away: Annotated[list[str], "Watched folders that are not there."]
    records_cut_off: Annotated[int, "Number of records that were cut off and not started again."]
    cameras_away: Annotated[list[AwayCameraDocument], "Recorded cameras without a frame for two minutes, by name."]
    missing_quarantines: Annotated[list[str], "Quarantines of this index that are not there, or cannot be read."]
    missing_folders: Annotated[list[str], "Folders of its images that are not there."]
    questions: Annotated[list[str], "Cameras that an ingest held back, with no answer yet."]
    cameras_full_disk: Annotated[list[str], "Recorded cameras of which nothing new is stored, as the disk is full."]


class VideoCountsDocument(TypedDict):
    """How many videos the index has."""

    read: Annotated[int, "Number of present videos that were read whole."]
    partial: Annotated[int, "Number of present videos that are broken: the part before that was read."]
    unreadable: Annotated[int, "Number of present videos that cannot be read."]
    missing: Annotated[int, "Number of videos that are gone. Their images and spans stay."]
    frames_read: Annotated[int, "Number of frames of present videos that were looked at."]
    frames_stored: Annotated[int, "Number of them that became images."]


class SpanCountsDocument(TypedDict):
    """How many frames of videos were looked at and not stored."""

    spans: Annotated[int, "Number of spans."]
    frames: Annotated[int, "Number of frames that they count."]
    gaps: Annotated[int, "Number of gaps, in which no frame was looked at."]


class LongRunDocument(TypedDict):
    """A long run that is at work, or that was cut off."""

    run_id: Annotated[int, "Number of the run."]
    command: Annotated[str, "Its command."]
    started_at: Annotated[Time, "When it began."]
    is_running: Annotated[bool, "Whether it is at work. `false`: it was cut off."]


class WatchStateDocument(TypedDict):
    """A watch that is at work, or that was cut off."""

    run_id: Annotated[int, "Number of the run."]
    folders: Annotated[list[str], "Folders that it watches."]
    started_at: Annotated[Time, "When it began."]
    username: Annotated[str | None, "User who runs it. `null`: not known."]
    hostname: Annotated[str | None, "Host that it runs on. `null`: not known."]
    is_running: Annotated[bool, "Whether it is at work. `false`: it was cut off."]
    last_arrival_at: Annotated[Time | None, "When it took in files last. `null`: never."]
    away: Annotated[list[str], "Its folders that are not there."]


class RecordStateDocument(TypedDict):
    """A record of live cameras that is at work, or that was cut off."""

    run_id: Annotated[int, "Number of the run."]
    cameras: Annotated[list[str], "Cameras that it records."]
    started_at: Annotated[Time, "When it began."]
    username: Annotated[str | None, "User who runs it. `null`: not known."]
    hostname: Annotated[str | None, "Host that it runs on. `null`: not known."]
    is_running: Annotated[bool, "Whether it is at work. `false`: it was cut off."]
    sources: Annotated[list[SourceStatusDocument], "State of each of its cameras, as it was last written."]


class StatusDocument(TypedDict):
    """What the index holds."""

    database: Annotated[str, "Path or address of the index."]
    profile: Annotated[str, "The active profile."]
    own_profiles: Annotated[dict[str, str], "Profile of each camera that has its own, by camera."]
    cameras: Annotated[list[CameraSummaryDocument], "The cameras, by name."]
    quarantined: Annotated[int, "Number of files in quarantine."]
    quarantined_bytes: Annotated[int, "Size of these files in bytes."]
    left_open: Annotated[int, "Number of removals that were cut off."]
    unwitnessed: Annotated[list[JournalEntryDocument], "Removed files whose keeper is not present."]
    unknown_runs: Annotated[list[UnknownRunsDocument], "Quarantines near the images with unknown runs."]
    unlikely_times: Annotated[int, "Number of present images with a time that no camera can have."]
    in_system_folders: Annotated[int, "Number of present images in hidden or system folders."]
    alike: Annotated[list[list[str]], "Groups of cameras whose names look the same."]
    pins: Annotated[int, "Number of images that a person pinned."]
    held_back_files: Annotated[int, "Number of files that came back after their removal, and that no plan takes."]
    would_keep: Annotated[list[WouldKeepDocument], "Removed images that the profiles in force would have kept."]
    not_compared: Annotated[
        list[NotComparedDocument], "Images in quarantine that the profiles in force did not decide."
    ]
    missing_quarantines: Annotated[list[str], "Quarantines of this index that are not there, or cannot be read."]
    missing_folders: Annotated[list[str], "Folders of its images that are not there."]
    questions: Annotated[list[str], "Cameras that an ingest held back, with no answer yet."]
    timezones: Annotated[dict[str, str], "Time zone stored for the folders of cameras, by camera."]
    check: Annotated[StatusCheckDocument | None, "What needs a person. `null`: without `--check`."]
    videos: Annotated[VideoCountsDocument | None, "Videos of the index. `null`: there never was one."]
    spans: Annotated[SpanCountsDocument | None, "Frames that were not stored. `null`: there never was a video."]
    unfinished_runs: Annotated[list[LongRunDocument], "Long runs that are at work, or that were cut off."]
    watches: Annotated[list[WatchStateDocument], "Watches that are at work, and the last ones that were cut off."]
    records: Annotated[list[RecordStateDocument], "Records that are at work, and the last ones that were cut off."]
    findings: Annotated[dict[str, int], "Number of open findings of `advise`, by camera."]


class AuditParameterDocument(TypedDict):
    """A parameter of a ready-made query."""

    name: Annotated[str, "Name of the parameter."]
    description: Annotated[str, "What it does."]
    default: Annotated[str | None, "Value if it is not given. `null`: there is none."]
    required: Annotated[bool, "Whether it must be given."]


class AuditDocument(TypedDict):
    """A ready-made query."""

    name: Annotated[str, "Name of the query."]
    title: Annotated[str, "What it shows."]
    parameters: Annotated[list[AuditParameterDocument], "Its parameters."]
    sql: Annotated[str, "Its SQL."]
    main_columns: Annotated[list[str], "The columns that a narrow terminal shows."]


class QueryResultDocument(TypedDict):
    """The result of a query."""

    columns: Annotated[list[str], "Names of the columns."]
    rows: Annotated[list[list[Any]], "The rows, each with one value per column."]
    complete: Annotated[bool, "Whether these are all rows. `false`: a limit cut the others off."]
    total: Annotated[int | None, "Number of rows without the limit. `null`: it took too long to count them."]


class MaskImageDocument(TypedDict):
    """The drawing of a profile."""

    width: Annotated[int, "Width in pixels."]
    height: Annotated[int, "Height in pixels."]
    ignored_px: Annotated[int, "Number of its pixels that are ignored."]
    png: Annotated[str, "The drawing as PNG in base64. Black is ignored."]


class PreparationDocument(TypedDict):
    """How a thumbnail is made."""

    work_width: Annotated[int | None, "Width of the thumbnail in pixels. `null`: native size, and nothing is cached."]
    contrast: Annotated[bool, "Whether local contrast is evened out."]
    mask: Annotated[tuple[int, int, int, int], "Ignored border: left, top, right, bottom, in per cent."]
    ignore: Annotated[list[Rectangle], "Ignored rectangles: left, top, width, height, in per cent."]
    ignore_picture: Annotated[MaskImageDocument | None, "Drawing of the ignored area. `null`: there is none."]
    levels: Annotated[tuple[int, int] | None, "16-bit values that become black and white. `null`: no scale."]
    chroma: Annotated[int, "Weight of colour beside grey. 0: grey only."]
    features: Annotated[str, "Measure that made the features of a thumbnail, with its version. Empty: it has none."]


class ScoringDocument(TypedDict):
    """How a score is computed."""

    preparation: Annotated[PreparationDocument, "How the thumbnails are made."]
    threshold: Annotated[int, "Difference in grey levels from which a pixel counts as changed."]
    dilations: Annotated[int, "How often the changed pixels grow."]
    min_contour_area: Annotated[float, "Smallest area that counts."]
    max_distance: Annotated[float, "Distance of the features below which a pair is similar. 0: without features."]
    veto_distance: Annotated[float, "Distance of the features from which no pair is similar. 0: without features."]


class ProfileDocument(TypedDict):
    """The parameters of a profile."""

    name: Annotated[str, "Name of the profile."]
    scoring: Annotated[ScoringDocument, "How a score is computed."]
    max_score: Annotated[float, "Two images are similar if their score is below this limit."]
    record_limit: Annotated[float, "Scores up to this limit are recorded."]


class StoredProfileDocument(TypedDict):
    """A profile in the index."""

    id: Annotated[int, "Number of the profile."]
    scoring_id: Annotated[int, "Number of its scoring parameters."]
    preparation_id: Annotated[int, "Number of its preparation."]
    active: Annotated[bool, "Whether it is the active profile."]
    profile: Annotated[ProfileDocument, "Its parameters."]
    cameras: Annotated[list[str], "Cameras that have it as their own."]


class MadeProfileDocument(StoredProfileDocument):
    """A new profile in the index."""

    decides_as: Annotated[str | None, "The base, if the new profile decides in the same way. `null`: it does not."]


class ProfileUseDocument(TypedDict):
    """Which profile decides a camera."""

    camera: Annotated[str, "The camera."]
    profile: Annotated[str, "Profile that decides it from the next `compare` on."]
    own: Annotated[bool, "Whether that is its own profile. `false`: it is the active one."]
    before: Annotated[str, "Profile that decided it before."]
    changed: Annotated[bool, "Whether the two differ."]


class HealthDocument(TypedDict):
    """The result of a check of the database."""

    database: Annotated[str, "Path or address of the index."]
    revision: Annotated[str, "Revision of its schema."]
    problems: Annotated[list[str], "What is wrong. Empty: nothing."]


class FindingDocument(TypedDict):
    """A file that is not what the index says."""

    kind: Annotated[FindingKindName, "What is wrong."]
    path: Annotated[str, "Path of the file."]
    reason: Annotated[str, "What was found, in one sentence."]
    advice: Annotated[list[str], "What to type or do: one command in each."]


class FileCheckDocument(TypedDict):
    """What a check of the files found."""

    images: Annotated[int, "Number of present images that were looked at."]
    videos: Annotated[int, "Number of present videos that were looked at."]
    quarantined: Annotated[int, "Number of files in quarantine that were looked at."]
    hashed: Annotated[bool, "Whether their bytes were read."]
    counts: Annotated[dict[FindingKindName, int], "Number of findings, by kind. Empty: all is well."]
    findings: Annotated[list[FindingDocument], "The first 100 findings of each kind."]


class CheckDocument(HealthDocument):
    """The result of a check of the database, and of the files."""

    files: Annotated[FileCheckDocument | None, "Result for the files. `null`: they were not looked at."]


class UpgradeDocument(HealthDocument):
    """The result of a check after an upgrade."""

    backup: Annotated[str | None, "Path of the index as it was before. `null`: no backup was made."]
    upgraded_from: Annotated[str | None, "Revision of before. `null`: the index was new, or not older."]


class BackupDocument(TypedDict):
    """A backup that was made."""

    database: Annotated[str, "Path of the index."]
    backup: Annotated[str, "Path of the backup."]
    revision: Annotated[str, "Revision of its schema."]
    size_bytes: Annotated[int, "Size of the file in bytes."]


class TableContentsDocument(TypedDict):
    """One table of a copy."""

    table: Annotated[str, "Name of the table."]
    rows: Annotated[int, "Number of its rows."]
    digest: Annotated[str, "SHA-256 over all values in the order of the keys. It is the same on every database."]


class CopyDocument(TypedDict):
    """What was copied to another index."""

    source: Annotated[str, "The index that was copied."]
    target: Annotated[str, "The new index."]
    revision: Annotated[str, "Revision of the schema."]
    rows: Annotated[int, "Number of rows of all tables."]
    tables: Annotated[list[TableContentsDocument], "The tables."]


class ReaderDocument(TypedDict):
    """A role that may only read."""

    role: Annotated[str, "Name of the role."]
    state: Annotated[Literal["made", "updated", "not needed"], "What was done. `not needed`: the index is a file."]
    url: Annotated[str, "Address of the index for this role, without a password."]


class DemoDocument(TypedDict):
    """What the demo did."""

    folder: Annotated[str, "Folder with all its files."]
    database: Annotated[str, "Path of its index."]
    frames: Annotated[int, "Number of frames that it made."]
    new_frames: Annotated[int, "Number of frames that show something new."]
    ingested: Annotated[IngestDocument, "Result of `ingest`."]
    compared: Annotated[CompareDocument, "Result of `compare`."]
    lost_by_plain: Annotated[list[str], "What the profile `plain` would lose."]
    pruned: Annotated[PruneDocument, "Result of `prune`."]
    explained: Annotated[ImageDetailsDocument, "One duplicate, as `explain` shows it."]
