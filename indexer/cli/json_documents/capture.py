"""The documents of `watch` and `record`."""

from typing import Annotated, Literal, TypedDict

from indexer.cli.json_documents.form import Time


class WatchDocument(TypedDict):
    """What a watch did until it ended."""

    folders: Annotated[list[str], "Folders that were watched."]
    outcomes: Annotated[
        dict[str, int],
        "Number of files that were taken in, by outcome: `added`, `changed`, `moved`, `returned`, `renamed`, "
        "`unreadable`, `damaged`, `too_small`. An outcome without files is left out.",
    ]
    videos: Annotated[
        dict[str, int] | None,
        "Number of videos by outcome: `read`, `partial`, `unreadable`, `moved`, `returned`, `equal`; and of frames: "
        "`frames_read`, `frames_stored`. `null`: without `--frames`.",
    ]
    batches: Annotated[int, "Number of batches of images that were taken in."]
    decided: Annotated[int, "Number of decisions that changed."]
    waits: Annotated[int, "Number of files that were not taken in when it ended."]
    waiting: Annotated[list[tuple[str, str]], "Path and reason of some of them."]
    last_arrival_at: Annotated[Time | None, "When files were taken in last. `null`: never."]
    away: Annotated[list[str], "Watched folders that were not there when it ended."]
    ended_by: Annotated[str | None, "Signal that ended it, such as `SIGTERM`. `null`: nothing waited any more."]


class SourceStatusDocument(TypedDict):
    """A camera of a record."""

    camera: Annotated[str, "Its name."]
    source: Annotated[str, "Its address, without user, password and query."]
    state: Annotated[
        Literal["recording", "opening", "away"],
        "What the camera is doing. `opening`: it did not answer yet. `away`: it does not answer, and is tried again.",
    ]
    since: Annotated[Time, "Since when it is in this state."]
    reason: Annotated[str | None, "Why it is away. `null`: it is not."]
    last_frame_at: Annotated[Time | None, "When its last whole frame was taken. `null`: none came."]
    recordings: Annotated[int, "Number of recordings in this run."]
    frames_read: Annotated[int, "Number of frames looked at in this run."]
    frames_stored: Annotated[int, "Number of these that became images."]
    frames_missed: Annotated[int, "Number of frames that were due and did not come."]
    frames_damaged: Annotated[int, "Number of frames that were looked at and were not whole."]
    frames_full_disk: Annotated[int, "Number of new frames that were not stored because the disk had too little space."]
    frames_capped: Annotated[int, "Number of new frames that were not stored because there were too many in a minute."]
    refusal: Annotated[
        Literal["full_disk", "capped"] | None, "Why new frames are not stored now. `null`: they are stored."
    ]


class RecordDocument(TypedDict):
    """What a record did until it ended."""

    frames_folder: Annotated[str, "Folder of the frames."]
    sources: Annotated[list[SourceStatusDocument], "The cameras."]
    adopted: Annotated[int, "Number of frames that were taken in from a killed record."]
    unwritten: Annotated[
        int,
        "Number of new frames that are files and not in the index, because it was not free. The next record takes "
        "them in.",
    ]
    ended_by: Annotated[str | None, "Signal that ended it, such as `SIGTERM`. `null`: its time was over."]
