"""The documents of `ingest --dry-run` and `camera`, and what an ingest says of names."""

from typing import Annotated, TypedDict

from indexer.cli.json_documents.form import Time


class HeldCameraDocument(TypedDict):
    """A camera whose files may be of several cameras."""

    camera: Annotated[str, "The camera."]
    files: Annotated[int, "Number of files that it would get. They are left alone."]
    folders: Annotated[list[str], "The folders that they come from."]
    example: Annotated[str, "One of the files."]
    words: Annotated[
        list[str],
        "Words that may be cameras, in names of files, DCIM or hour folders. Empty: it is held back for its folders.",
    ]
    forms: Annotated[list[str], "Regular expressions of the folders between its folder and files with such words."]
    pattern: Annotated[str, "The pattern of a person that says a camera with images elsewhere. Empty: none does."]
    scopes: Annotated[list[str], "The folders that this pattern was given for."]


class NamePlanDocument(TypedDict):
    """What was found when files were named."""

    held: Annotated[list[HeldCameraDocument], "Cameras that are held back until `camera confirm`."]
    several_folders: Annotated[
        dict[str, list[str]],
        "Cameras that get images from a folder for the first time, each with all its folders.",
    ]
    single_image_cameras: Annotated[
        list[str], "New cameras of one image each, with those of the index in the same folders, if there are many."
    ]
    unread_times: Annotated[int, "Number of files whose names hold a time that stays in doubt."]
    unmatched: Annotated[int, "Number of new files that a stored pattern does not match."]
    earlier_folders: Annotated[
        list[str], "Folders whose new files are named by the rules of an earlier version, until `--new-rules`."
    ]
    reread_folders: Annotated[
        list[str],
        "Folders whose files, all together, give the numbers in names another meaning than known images have.",
    ]
    several_words: Annotated[
        dict[str, list[str]],
        "Words in names of files that may be cameras, by camera. These files are not held back. `<` and `>` enclose "
        "the part that may be a camera, `*` is any number, `?` any letter.",
    ]
    answered: Annotated[
        list[str], "Cameras that an earlier ingest held back, and that are not held back any more in the same folders."
    ]
    held_of_known: Annotated[list[str], "Cameras that are held back because of images in the index."]
    successive_cameras: Annotated[
        list[str],
        "New cameras whose names differ only in numbers and whose images follow each other, if there are many.",
    ]


class CameraPreviewDocument(TypedDict):
    """A camera as it would be after the ingest."""

    camera: Annotated[str, "The camera."]
    files: Annotated[int, "Number of its files among those that were named."]
    new: Annotated[int, "Number of them that the index does not have."]
    folders: Annotated[int, "Number of folders that they lie in."]
    first: Annotated[Time | None, "Earliest time in a name or in the index. `null`: none is known."]
    last: Annotated[Time | None, "Latest such time. `null`: none is known."]
    example: Annotated[str, "One of the files."]
    camera_from: Annotated[str, "Where the camera was read from; the most frequent source first."]
    time_from: Annotated[str, "Where the times were read from; the most frequent source first."]
    timezone: Annotated[str | None, "Time zone of its folders. `null`: UTC, or several."]


class CameraChangeDocument(TypedDict):
    """Known images that would get another camera."""

    camera: Annotated[str, "Their camera now."]
    becomes: Annotated[str, "Their camera after the ingest."]
    files: Annotated[int, "Number of these images."]
    example: Annotated[str, "One of them."]
    needs_new_rules: Annotated[bool, "Whether this only happens with `--new-rules`."]


class VideoPreviewDocument(TypedDict):
    """A video as it would be taken in."""

    path: Annotated[str, "Path of the file."]
    camera: Annotated[str, "Its camera."]
    started_at: Annotated[Time | None, "When it began, as its path says. `null`: the path does not say."]
    time_from: Annotated[str, "Where the time would come from: `pattern`, `name`, or `container or mtime`."]
    state: Annotated[
        str,
        "What would be done: `new` (it would be read), `unchanged`, `moved or returned`, `equal`, `held back`, or why "
        "it could not be read.",
    ]
    size_bytes: Annotated[int, "Size of the file in bytes."]
    timezone: Annotated[str | None, "Time zone of its folder. `null`: UTC."]


class IngestPreviewDocument(TypedDict):
    """How an ingest would name the files."""

    cameras: Annotated[list[CameraPreviewDocument], "The cameras, by name."]
    changes: Annotated[list[CameraChangeDocument], "Known images that would get another camera."]
    names: Annotated[NamePlanDocument, "What was found when the files were named."]
    new: Annotated[int, "Number of files that the index does not have."]
    known: Annotated[int, "Number of files that the index has."]
    ambiguous_times: Annotated[int, "Number of new files from an hour that happens twice, when clocks go back."]
    videos: Annotated[list[VideoPreviewDocument] | None, "The videos, by path. `null`: without `--frames`."]
    new_times: Annotated[int, "Number of known images that would get another time, or would be read to find it."]
    skipped: Annotated[dict[str, int], "Number of paths that would be skipped by reason."]
    endings: Annotated[dict[str, int], "Number of skipped files that are no images, by ending."]
    refused: Annotated[list[tuple[str, str]], "Path and reason of each file or folder that cannot be used."]


class CameraListingDocument(TypedDict):
    """A camera and the folders that its images come from."""

    camera: Annotated[str, "The camera."]
    images: Annotated[int, "Number of its images."]
    first_captured_at: Annotated[Time | None, "Earliest capture time. `null`: none is known."]
    last_captured_at: Annotated[Time | None, "Latest capture time. `null`: none is known."]
    sources: Annotated[list[str], "The folders that its images come from."]
    confirmed: Annotated[bool, "Whether a person said that all these folders are of this camera."]
    timezone: Annotated[str | None, "Time zone stored for the folders. `null`: UTC."]


class NamingRuleDocument(TypedDict):
    """How the images of an ingested folder are named."""

    folder: Annotated[str, "The folder."]
    camera: Annotated[str | None, "Camera of all its images. `null`: not given."]
    camera_level: Annotated[
        int | None, "Number of levels from `base` down to the folder that is the camera. `null`: not given."
    ]
    base: Annotated[str | None, "Folder that level and pattern begin at. `null`: the folder itself."]
    pattern: Annotated[str | None, "Regular expression of camera and time. `null`: not given."]
    scheme: Annotated[str | None, "Name of a built-in pattern. `null`: not given."]
    timezone: Annotated[str | None, "Time zone of times without an offset. `null`: UTC."]
    is_earlier: Annotated[bool, "Whether names are read by the rules of an earlier version."]


class SchemeDocument(TypedDict):
    """A built-in pattern for `ingest --scheme`."""

    name: Annotated[str, "Name of the pattern."]
    maker: Annotated[str, "Who names files like this."]
    example: Annotated[str, "A path."]
    camera: Annotated[str, "Camera of the example."]
    captured_at: Annotated[str, "Time of the example, in UTC. Empty: the path has none."]
    pattern: Annotated[str, "The regular expression."]
    certain: Annotated[bool, "Whether names of this form are read in this way in every folder."]


class ConfirmationDocument(TypedDict):
    """What a person confirmed."""

    camera: Annotated[str, "The camera."]
    folders: Annotated[list[str], "The folders whose images are all of this camera."]
    undone: Annotated[bool, "Whether the person took that back."]
