"""The documents of `relocate`, `forget`, `db shrink` and `pin list`."""

from typing import Annotated, TypedDict

from indexer.cli.json_documents.form import Time


class RelocationPlanDocument(TypedDict):
    """What the index has below a folder, and how much of it is at the new path."""

    old: Annotated[str, "The folder as the index knows it."]
    new: Annotated[str, "The folder where it is now."]
    images: Annotated[int, "Number of present images below it."]
    there: Annotated[int, "Number of them whose file is at the new path and has its size."]
    removals: Annotated[int, "Number of rows of the journal below it."]
    quarantined: Annotated[int, "Number of files in quarantine among them."]
    quarantined_there: Annotated[int, "Number of these files that are where they will be looked for."]
    not_there: Annotated[list[str], "New paths where the file of an image is missing."]
    videos: Annotated[int, "Number of present videos below it."]
    videos_there: Annotated[int, "Number of them whose file is at the new path and has its size."]


class RelocationDocument(TypedDict):
    """What `relocate` changed."""

    old: Annotated[str, "The folder as the index knew it."]
    new: Annotated[str, "The folder where it is now."]
    images: Annotated[int, "Number of images with a new path, also removed and missing ones."]
    removals: Annotated[int, "Number of rows of the journal with a new path."]
    not_there: Annotated[list[str], "New paths where the file of an image is missing."]
    videos: Annotated[int, "Number of videos with a new path."]


class ForgottenRowsDocument(TypedDict):
    """Number of rows of each kind."""

    images: Annotated[int, "Images."]
    thumbnails: Annotated[int, "Thumbnails."]
    previews: Annotated[int, "Previews of removed images."]
    scores: Annotated[int, "Scores of pairs."]
    decisions: Annotated[int, "Decisions."]
    verdicts: Annotated[int, "Verdicts."]
    pins: Annotated[int, "Pins."]
    removals: Annotated[int, "Rows of the journal."]
    videos: Annotated[int, "Videos: also those with an image or a witness among the images."]
    spans: Annotated[int, "Spans of these videos and recordings."]
    recordings: Annotated[int, "Recordings: also those with an image or a witness among the images."]


class ForgetPlanDocument(TypedDict):
    """What `forget` would delete from the index."""

    folder: Annotated[str | None, "The folder. `null`: a camera was named."]
    camera: Annotated[str | None, "The camera. `null`: a folder was named."]
    rows: Annotated[ForgottenRowsDocument, "The rows."]
    gone: Annotated[int, "Number of removed files that are gone with their quarantine and their keepers."]


class ForgetDocument(TypedDict):
    """What `forget` deleted from the index."""

    folder: Annotated[str | None, "The folder. `null`: a camera was named."]
    camera: Annotated[str | None, "The camera. `null`: a folder was named."]
    rows: Annotated[ForgottenRowsDocument, "The rows."]
    size_bytes: Annotated[tuple[int, int], "Size of the index in bytes, before and after."]


class ShrinkPlanDocument(TypedDict):
    """What `db shrink` would delete."""

    thumbnails: Annotated[int, "Number of thumbnails."]
    previews: Annotated[int, "Number of previews."]
    size_bytes: Annotated[int, "Their size in bytes."]
    in_quarantine: Annotated[int, "Number of these images that are in quarantine, and can still come back."]


class ShrinkDocument(TypedDict):
    """What `db shrink` deleted."""

    thumbnails: Annotated[int, "Number of thumbnails."]
    previews: Annotated[int, "Number of previews."]
    size_bytes: Annotated[tuple[int, int], "Size of the index in bytes, before and after."]


class ListedPinDocument(TypedDict):
    """A pin that a person set."""

    image_id: Annotated[int, "Number of the image."]
    path: Annotated[str, "Its path."]
    camera: Annotated[str, "Its camera."]
    state: Annotated[str, "State of the image."]
    reason: Annotated[str, "Command that set the pin: `pin` or `restore`."]
    pinned_at: Annotated[Time, "When it was set."]
    run_id: Annotated[int, "Number of the run that set it."]


class PinListDocument(TypedDict):
    """The pins of persons."""

    pins: Annotated[list[ListedPinDocument], "The pins, by camera and path."]
