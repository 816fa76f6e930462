"""The documents of `ingest`, `compare`, `sweep`, `evaluate` and `report`."""

from typing import Annotated, TypedDict

from indexer.cli.json_documents.cameras import NamePlanDocument
from indexer.cli.json_documents.review import ContradictionDocument

Rectangle = tuple[float, float, float, float]


class VideosDocument(TypedDict):
    """What became of videos and their frames."""

    frames_folder: Annotated[str, "Folder that the stored frames lie in."]
    seen: Annotated[int, "Number of videos that were seen."]
    outcomes: Annotated[
        dict[str, int],
        "Number of videos by outcome: `read`, `partial` (broken: the part before that was read), `unreadable`, "
        "`unchanged`, `moved`, `returned`, `equal` (a copy of a known one), `skipped`. An outcome without videos is "
        "left out. The sum is `seen`.",
    ]
    frames_read: Annotated[int, "Number of frames that were looked at."]
    frames_stored: Annotated[int, "Number of them that showed something new and became images."]
    frames_damaged: Annotated[int, "Number of them that could not be decoded completely. Spans count these, too."]
    adopted: Annotated[int, "Number of stored frames whose file was already there, from an earlier run."]
    spans: Annotated[int, "Number of spans, which count the other frames."]
    gaps: Annotated[int, "Number of gaps inside videos, in which no frame was looked at."]
    missing: Annotated[int, "Number of videos of earlier runs whose file is gone."]
    all_frames: Annotated[
        int, "Number of videos whose frames were all decoded, because their keyframes are too far apart."
    ]
    problems: Annotated[
        list[tuple[str, str]], "Path and reason of each video that is broken, or whose times may be wrong."
    ]
    refused: Annotated[list[tuple[str, str]], "Path and reason of each video that could not be used now."]
    names: Annotated[NamePlanDocument, "What was found when the new videos were named."]
    ambiguous_times: Annotated[int, "Number of videos that begin in an hour that happens twice, when clocks go back."]


class IngestDocument(TypedDict):
    """What became of the paths that were seen."""

    seen: Annotated[int, "Number of paths that were seen."]
    outcomes: Annotated[
        dict[str, int],
        "Number of paths by outcome: `added`, `unchanged`, `changed`, `moved`, `returned`, `renamed`, `unreadable`, "
        "`damaged`, `too_small`, `skipped`. An outcome without paths is left out. The sum is `seen`.",
    ]
    skipped: Annotated[dict[str, int], "Number of skipped paths by reason."]
    folders: Annotated[dict[str, int], "Number of hidden or system folders that were not walked, by name."]
    missing: Annotated[int, "Number of images of earlier runs whose file is gone."]
    unwalked: Annotated[int, "Number of missing images in folders that are not walked."]
    in_system_folders: Annotated[
        int | None, "Number of present images in hidden or system folders. `null`: they were not counted."
    ]
    alike: Annotated[list[list[str]], "Groups of cameras whose names look the same."]
    retimed: Annotated[
        int, "Number of files of which only the modification time changed. Each is counted with its outcome, too."
    ]
    unmatched: Annotated[int, "Number of names that do not match `--pattern`."]
    unread_stamps: Annotated[int, "Number of timestamps found by `--pattern` that are not a time."]
    refused: Annotated[list[tuple[str, str]], "Path and reason of each file or folder that could not be used."]
    held: Annotated[dict[str, str], "Cameras whose files were left alone, each with who works on it."]
    undecided: Annotated[int, "Number of images in the index that `compare` has not decided yet."]
    endings: Annotated[dict[str, int], "Number of skipped files that are no images, by ending."]
    flat: Annotated[int, "Number of images that show only one grey level."]
    names: Annotated[NamePlanDocument, "What was found when the new files were named."]
    ambiguous_times: Annotated[int, "Number of images from an hour that happens twice, when clocks go back."]
    equal_contents: Annotated[int, "Number of new contents that lie in two cameras."]
    equal_example: Annotated[tuple[str, str] | None, "The two paths of one of them. `null`: there are none."]
    videos: Annotated[VideosDocument | None, "What became of videos. `null`: without `--frames`."]


class CameraResultDocument(TypedDict):
    """What `compare` did to one camera."""

    camera: Annotated[str, "The camera."]
    profile: Annotated[str, "Profile that decides it."]
    images: Annotated[int, "Number of present images."]
    kept: Annotated[int, "Number of them that are kept."]
    duplicates: Annotated[int, "Number of them that are duplicates."]
    decided: Annotated[int, "Number of images that this run decided."]
    scored: Annotated[int, "Number of pairs that this run scored."]
    recorded: Annotated[int, "Number of scores that this run recorded."]
    problem: Annotated[str | None, "Why the camera was left unchanged. `null`: it was not."]
    contradictions: Annotated[list[ContradictionDocument], "Verdicts of the camera that contradict each other."]


class IgnoreProposalDocument(TypedDict):
    """An area of a camera's frames that may be worth ignoring."""

    camera: Annotated[str, "The camera."]
    profile: Annotated[str, "Profile in force."]
    name: Annotated[str, "Name for the new profile. No profile has it yet."]
    rectangles: Annotated[list[Rectangle], "The area: left, top, width and height of each part, in per cent."]
    ignored_already: Annotated[list[Rectangle], "Rectangles that the profile in force ignores."]
    share: Annotated[float, "Share of the frame that the area covers, 0 to 1."]
    pairs: Annotated[int, "Number of successive kept images that were compared."]
    decided: Annotated[int, "Number of these pairs that are similar if the area is ignored."]
    images: Annotated[int, "Number of images that were looked at. They are the newest of the camera."]
    kept: Annotated[int, "Number of them that are kept now."]
    kept_with: Annotated[int, "Number of them that would be kept if the area is ignored."]
    touching: Annotated[int, "Number of the other pairs in which a change that lies elsewhere reaches into the area."]


class WouldKeepDocument(TypedDict):
    """Removed images of a camera that the profile in force would have kept."""

    camera: Annotated[str, "The camera."]
    profile: Annotated[str, "Profile in force."]
    removed: Annotated[int, "Number of these images."]
    restorable: Annotated[int, "Number of them that lie in quarantine."]


class NotComparedDocument(TypedDict):
    """Images of a camera that another profile sent to quarantine, and that the profile in force did not decide."""

    camera: Annotated[str, "The camera."]
    profile: Annotated[str, "Profile in force."]
    removed: Annotated[int, "Number of these images."]
    whole_pictures: Annotated[bool, "Whether that profile compares whole pictures. Then it never decides them."]


class CompareDocument(TypedDict):
    """What `compare` did."""

    activated: Annotated[str | None, "Profile that this run made the active one. `null`: it did not change."]
    cameras: Annotated[list[CameraResultDocument], "The cameras, by name."]
    proposals: Annotated[list[IgnoreProposalDocument], "Areas that may be worth ignoring. They change nothing."]
    in_system_folders: Annotated[int, "Number of present images in hidden or system folders."]
    would_keep: Annotated[list[WouldKeepDocument], "Removed images that the profiles in force would have kept."]
    not_compared: Annotated[
        list[NotComparedDocument], "Images in quarantine that the profiles in force did not decide."
    ]


class SweepRowDocument(TypedDict):
    """What one limit would keep and remove."""

    max_score: Annotated[float, "The limit."]
    min_contour_area: Annotated[float, "The minimum area."]
    kept: Annotated[int, "Number of images that would be kept."]
    duplicates: Annotated[int, "Number of images that would be duplicates."]
    size_bytes: Annotated[int, "Size of these duplicates in bytes."]
    current: Annotated[bool, "Whether this limit and this area are in force."]
    removed_kept: Annotated[int | None, "Number of removed images that it would have kept. `null`: not asked for."]
    max_distance: Annotated[float, "The distance of the features. 0: the profile has none."]


class CameraSweepDocument(TypedDict):
    """The sweep of one camera."""

    camera: Annotated[str, "The camera."]
    profile: Annotated[str, "Profile in force."]
    max_score: Annotated[float, "Limit in force."]
    min_contour_area: Annotated[float, "Minimum area in force."]
    max_distance: Annotated[float, "Distance of the features in force. 0: the profile has none."]
    images: Annotated[int, "Number of images that were tried: present ones, and with `--with-removed` removed ones."]
    removed_left_out: Annotated[
        int | None, "Number of removed images without a thumbnail, which were not tried. `null`: not asked for."
    ]
    rows: Annotated[list[SweepRowDocument], "The results, by area, then by limit."]
    problem: Annotated[str | None, "Why there are no results. `null`: there are."]


class SweepDocument(TypedDict):
    """What other limits would keep and remove."""

    cameras: Annotated[list[CameraSweepDocument], "The cameras, by name."]
    totals: Annotated[list[SweepRowDocument], "Sums for each limit and area that was tried on every camera."]
    undecided: Annotated[int, "Number of present images that are not decided. The rows count them, too."]


class StateMetricsDocument(TypedDict):
    """How well decisions agree with labels of the form `image,state`."""

    images: Annotated[int, "Number of labelled images that are decided."]
    undecided: Annotated[int, "Number of labelled images that are not decided."]
    kept: Annotated[int, "Number of labelled images that are kept."]
    duplicates: Annotated[int, "Number of labelled images that are duplicates."]
    witnessed: Annotated[int, "Number of these duplicates whose keeper is labelled."]
    wrong_removals: Annotated[int, "Number of duplicates whose keeper has another state."]
    wrong_share: Annotated[float | None, "`wrong_removals` / `witnessed`, 0 to 1. `null`: `witnessed` is 0."]
    states: Annotated[int, "Number of states."]
    states_lost: Annotated[list[str], "States without a labelled image that is kept."]
    redundant_keeps: Annotated[int, "Number of kept images beyond the first of each state."]


class PairMetricsDocument(TypedDict):
    """How well decisions agree with labels of the form `image_a,image_b,verdict`."""

    pairs: Annotated[int, "Number of labelled pairs where both images are decided."]
    undecided: Annotated[int, "Number of other labelled pairs."]
    same: Annotated[int, "Number of pairs labelled `same`."]
    different: Annotated[int, "Number of pairs labelled `different`."]
    wrong_removals: Annotated[int, "Number of pairs labelled `different` where one image is the keeper of the other."]
    redundant_keeps: Annotated[int, "Number of pairs labelled `same` where both images are kept."]


class CameraEvaluationDocument(TypedDict):
    """The result of one camera."""

    camera: Annotated[str, "The camera."]
    figures: Annotated[
        StateMetricsDocument | PairMetricsDocument | None, "The figures. The kind depends on the form of the labels."
    ]
    problem: Annotated[str | None, "Why there are no figures. `null`: there are."]


class EvaluationDocument(TypedDict):
    """The result under one profile and one limit."""

    profile: Annotated[
        str | None, "The profile. `null`: the current decisions. `in force`: each camera by its own profile."
    ]
    max_score: Annotated[float | None, "The limit. `null`: the current decisions, or limits that differ."]
    cameras: Annotated[list[CameraEvaluationDocument], "The cameras, by name."]
    total: Annotated[StateMetricsDocument | PairMetricsDocument | None, "All cameras together."]


class EvaluateDocument(TypedDict):
    """How well decisions agree with the labels of a person."""

    evaluations: Annotated[list[EvaluationDocument], "One entry per profile and limit."]
    unknown: Annotated[list[str], "Labelled images that are not in the index."]


class PictureCountsDocument(TypedDict):
    """Where the pictures of a report come from."""

    reused: Annotated[int, "Number of pictures that the folder had already."]
    from_files: Annotated[int, "Number of pictures made from image files."]
    from_index: Annotated[int, "Number of pictures made from the index."]
    none: Annotated[int, "Number of images without a picture."]


class ReportDocument(TypedDict):
    """What `report` wrote."""

    folder: Annotated[str, "Folder of the pages."]
    page: Annotated[str, "Page to open first."]
    cameras: Annotated[int, "Number of cameras."]
    images: Annotated[int, "Number of images."]
    pairs: Annotated[int, "Number of pairs that are shown."]
    borderline: Annotated[int, "Number of pairs on the pages of the decisions closest to the limit."]
    pages: Annotated[int, "Number of pages."]
    swept: Annotated[bool, "Whether other limits were tried."]
    dropped: Annotated[int, "Number of files of an earlier report that were deleted."]
    pictures: Annotated[PictureCountsDocument, "Where the pictures come from."]
    undecided: Annotated[int, "Number of present images that are not decided."]
