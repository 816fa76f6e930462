"""The documents of `prune`, `restore`, `rescue`, `recover`, `purge` and `db adopt`."""

from typing import Annotated, TypedDict

from indexer.cli.json_documents.form import Time


class IndexedFileDocument(TypedDict):
    """A file as the index knows it."""

    image_id: Annotated[int, "Number of the image."]
    path: Annotated[str, "Its path."]
    root: Annotated[str, "Folder that was ingested."]
    size_bytes: Annotated[int, "Size in bytes."]
    content_hash: Annotated[str, "SHA-256 of the file, hexadecimal."]


class RemovalCandidateDocument(TypedDict):
    """A duplicate that may be removed."""

    decision_id: Annotated[int, "Number of the decision."]
    camera: Annotated[str, "The camera."]
    victim: Annotated[IndexedFileDocument, "The duplicate."]
    keeper: Annotated[IndexedFileDocument, "Its keeper."]
    score: Annotated[float | None, "Score of the pair, 0 for equal bytes. `null`: a verdict decided."]
    max_score: Annotated[float, "Limit at the time of the decision."]
    profile: Annotated[str, "Profile that decided."]
    captured_at: Annotated[Time | None, "When the duplicate was taken. `null`: the time is not known."]
    keeper_present: Annotated[bool, "Whether the keeper is present."]
    keeper_kept: Annotated[bool, "Whether the keeper is kept under the same profile."]
    profile_in_force: Annotated[bool, "Whether that profile is in force for the camera."]
    pinned: Annotated[bool, "Whether the duplicate was pinned since."]
    judged: Annotated[bool, "Whether a person judged the pair since."]
    in_system_folder: Annotated[bool, "Whether the duplicate lies in a folder that is not walked any more."]
    keeper_apart: Annotated[bool, "Whether the keeper lies in a hidden folder, a bin or a snapshot of its own."]
    held_back: Annotated[bool, "Whether it is held back because it came back. `--include-restored` takes it again."]
    is_removed: Annotated[
        bool, "Whether its file is not there, and a record says that a run unknown to this index removed it."
    ]


class CameraPlanDocument(TypedDict):
    """The plan for one camera."""

    camera: Annotated[str, "The camera."]
    images: Annotated[int, "Number of present images."]
    victims: Annotated[int, "Number of files to remove."]
    size_bytes: Annotated[int, "Size of these files in bytes."]


class BlockedCameraDocument(TypedDict):
    """A camera that is held back."""

    camera: Annotated[CameraPlanDocument, "The plan for it."]
    reason: Annotated[str, "Why it is held back."]


class PlanDocument(TypedDict):
    """What `prune` would remove."""

    victims: Annotated[list[RemovalCandidateDocument], "The files to remove, in order."]
    cameras: Annotated[list[CameraPlanDocument], "The plan by camera."]
    left_out: Annotated[dict[str, int], "Number of images that are left out, by reason."]
    held_back: Annotated[list[BlockedCameraDocument], "Cameras that are held back."]
    undecided: Annotated[int, "Number of present images that are not decided, so the plan cannot contain them."]
    recorded_returns: Annotated[int, "Number of files that are held back only by the records beside the images."]
    failures: Annotated[
        list[tuple[str, str]],
        "Path and problem of each file that cannot be removed: it or its keeper is missing, or cannot be looked at.",
    ]
    changed_in: Annotated[list[str], "Folders with files that are not there."]
    missing_folders: Annotated[list[str], "Folders of images that are not there."]
    stopped: Annotated[str | None, "Why the disk of the quarantine has no space for all of it. `null`: it has."]


class PruneDocument(TypedDict):
    """What `prune` removed."""

    run_id: Annotated[int | None, "Number of the run, for `restore --run`. `null`: there was nothing to remove."]
    removed: Annotated[int, "Number of files that were removed."]
    size_bytes: Annotated[int, "Size of these files in bytes."]
    hard_links: Annotated[int, "Number of files left alone because they are the same file as their keeper."]
    outdated: Annotated[int, "Number of files left alone because their decision changed after the plan was shown."]
    protected: Annotated[list[tuple[str, str]], "Path and reason of each file that must stay."]
    stopped: Annotated[str | None, "Why the run ended before the end of its plan. `null`: it did not."]
    failures: Annotated[list[tuple[str, str]], "Path and problem of each file that could not be removed."]
    changed_in: Annotated[list[str], "Folders with files that are not what the index knows."]
    left_out: Annotated[dict[str, int], "Number of images that were left out, by reason."]
    undecided: Annotated[int, "Number of present images that are not decided, so the plan could not contain them."]
    held_back: Annotated[dict[str, str], "Why each camera was held back, by camera."]
    quarantines: Annotated[dict[str, int], "Number of files that were moved to each quarantine, by folder."]
    present: Annotated[dict[str, int], "Number of present images before the run, by camera."]
    removed_of: Annotated[dict[str, int], "Number of removed files, by camera."]
    missing_folders: Annotated[list[str], "Folders of images that are not there."]


class RestoreDocument(TypedDict):
    """What `restore` or `rescue` brought back."""

    restored: Annotated[int, "Number of files that are back."]
    pinned: Annotated[bool, "Whether these files and their keepers were pinned."]
    failures: Annotated[list[tuple[str, str]], "Path and problem of each file that did not come back."]
    held_back: Annotated[bool, "Whether these files are held back from later plans."]
    folders: Annotated[dict[str, int], "Number of files that came back, by folder."]
    made_folders: Annotated[list[str], "Folders that were not there and were made."]
    copies: Annotated[int, "Number of files that stay in quarantine because the same image is back already."]
    quarantined: Annotated[int, "Number of all files in quarantine afterwards."]
    run_id: Annotated[int | None, "Number of the run, for `unpin --run`. `null`: `rescue` has no index."]


class RestorePlanDocument(TypedDict):
    """What `restore` would bring back."""

    files: Annotated[int, "Number of files that would come back."]
    size_bytes: Annotated[int, "Size of these files in bytes."]
    folders: Annotated[dict[str, int], "Number of these files, by folder."]
    missing_folders: Annotated[list[str], "Folders that are not there and would be made."]
    failures: Annotated[list[tuple[str, str]], "Path and problem of each file that cannot come back."]
    copies: Annotated[int, "Number of files that would stay in quarantine because the same image is back already."]


class RecoverDocument(TypedDict):
    """What became of interrupted removals."""

    finished: Annotated[int, "Number of removals that were finished."]
    undone: Annotated[int, "Number of removals that were undone."]
    left_open: Annotated[list[tuple[str, str]], "Path and reason of each removal that is still open."]


class PurgeDocument(TypedDict):
    """What `purge` deleted."""

    purged: Annotated[int, "Number of files that were deleted."]
    size_bytes: Annotated[int, "Size of these files in bytes."]
    gone: Annotated[int, "Number of files that were not in quarantine any more."]
    skipped: Annotated[list[tuple[str, str]], "Path and reason of each file that stays in quarantine."]


class PurgeCandidateDocument(TypedDict):
    """A file in quarantine, or one that is gone with its quarantine."""

    removal_id: Annotated[int, "Number of the removal."]
    path: Annotated[str, "Where the file was."]
    quarantine_path: Annotated[str | None, "Where it lies, or where it was. `null`: it was deleted at once."]
    size_bytes: Annotated[int, "Size in bytes."]
    removed_at: Annotated[Time | None, "When it was removed. `null`: the time is not known."]


class PurgeObstacleDocument(TypedDict):
    """A file that would stay in quarantine."""

    removal_id: Annotated[int, "Number of the removal."]
    path: Annotated[str, "Where it lies, or where it was."]
    reason: Annotated[str, "Why it would stay."]


class PurgePlanDocument(TypedDict):
    """What `purge` would delete."""

    gone: Annotated[
        bool, "Whether these files are gone with their quarantine or record, so that nothing would be deleted."
    ]
    size_bytes: Annotated[int, "Size of these files in bytes."]
    quarantines: Annotated[dict[str, int], "Number of these files, by quarantine."]
    files: Annotated[list[PurgeCandidateDocument], "The files."]
    skipped: Annotated[list[PurgeObstacleDocument], "The files that would stay, as far as that is known."]


class AdoptDocument(TypedDict):
    """What the index adopted from a quarantine."""

    adopted: Annotated[int, "Number of files that were adopted."]
    runs: Annotated[int, "Number of runs that they come from."]
    failures: Annotated[list[tuple[str, str]], "Path and reason of each file that was not adopted."]
