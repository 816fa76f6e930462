"""The documents of `advise`."""

from typing import Annotated, Literal, TypedDict

from indexer.cli.json_documents.form import From, Time
from indexer.domain.masks import Rectangle

KindName = Literal[
    "moved",
    "sways",
    "blurred",
    "dirty",
    "blocked",
    "frozen",
    "silent",
    "clock",
    "glare",
    "too_dark",
    "flicker",
    "light_only",
    "restless_area",
    "interval",
]
LightClassName = Literal["colour", "mono", "dark"]


class CameraFindingDocument(TypedDict):
    """What is wrong with a camera, and what shows it."""

    kind: Annotated[KindName, "What is wrong."]
    since: Annotated[Time, "Capture time of the first frame that shows it."]
    until: Annotated[Time | None, "Capture time at which it was over. `null`: it is not over."]
    strength: Annotated[float, "How far it is over its limit: 1 is at the limit, 2 is twice as strong."]
    light_class: Annotated[
        LightClassName | None,
        "Light that it was seen in: `colour`, `mono` (no colour, as under infrared light) or `dark`. `null`: all.",
    ]
    regions: Annotated[list[Rectangle], "Parts of the frame: left, top, width, height in per cent. Empty: all of it."]
    image_ids: Annotated[
        list[int], "Numbers of images that show it: the last one before it, and the first one that has it."
    ]
    evidence: Annotated[dict[str, int | float | str], "Numbers and texts by name; see docs/advice.md."]


class StoredFindingDocument(TypedDict):
    """A finding of the index."""

    id: Annotated[int, "Number of the finding, for `advise dismiss`."]
    camera: Annotated[str, "The camera."]
    finding: Annotated[CameraFindingDocument, "What is wrong."]
    opened_at: Annotated[Time, "When it was first reported."]
    run_id: Annotated[int, "Run that first reported it."]
    dismissed_at: Annotated[Time | None, "When a person dismissed it. `null`: nobody did."]
    dismissed_by: Annotated[str | None, "Who dismissed it. `null`: nobody did."]
    note: Annotated[str | None, "What that person said. `null`: nothing."]


class UntoldDocument(TypedDict):
    """A question about a camera that could not be answered."""

    kind: Annotated[KindName, "What was looked for."]
    light_class: Annotated[LightClassName | None, "In which light. `null`: all."]
    reason: Annotated[str, "What is missing for an answer."]


class CameraAdviceDocument(TypedDict):
    """What was found about one camera."""

    camera: Annotated[str, "The camera."]
    images: Annotated[int, "Number of its images in the time that was examined, removed ones included."]
    frames: Annotated[int, "Number of images that were looked at."]
    unusable: Annotated[int, "Number of images that could not be read."]
    since: Annotated[Time | None, "Time of the first present image. `null`: there is none."]
    last: Annotated[Time | None, "Time of the last present image. `null`: there is none."]
    findings: Annotated[list[StoredFindingDocument], "The open findings: they last, and nobody dismissed them."]
    untold: Annotated[list[UntoldDocument], "What could not be answered."]
    problem: Annotated[str | None, "Why the camera was not looked at. `null`: it was."]


class AdviceDocument(TypedDict):
    """What was found about the cameras."""

    cameras: Annotated[list[CameraAdviceDocument], "The cameras, by name."]
    needs_person: Annotated[bool, "Whether there is an open finding, or a camera that was not looked at."]


class FindingListDocument(TypedDict):
    """The findings of the index."""

    findings: Annotated[list[StoredFindingDocument], "The findings, by camera, then the oldest first."]
    with_past: Annotated[bool, "Whether findings that are over or dismissed are included."]


class DismissalDocument(TypedDict):
    """A dismissed finding."""

    dismissed: Annotated[StoredFindingDocument, "The finding.", From("finding")]
    changed: Annotated[bool, "Whether it was not dismissed before."]


class CameraPictureDocument(TypedDict):
    """The picture of a camera."""

    camera: Annotated[str, "The camera."]
    picture: Annotated[str, "The file."]
    pairs: Annotated[int, "Number of pairs of neighbours in time that it is computed from."]
    never_share: Annotated[float, "Share of the frame in which nothing ever came or went, 0 to 1."]
    regions: Annotated[int, "Number of areas of open findings that are outlined."]
