"""The documents of `explain`, `verdict`, `pin` and `unpin`."""

from typing import Annotated, Literal, TypedDict

from indexer.cli.json_documents.form import Time

ImageStateName = Literal["ready", "unreadable", "damaged", "too_small", "missing", "removed"]


class EvidenceDocument(TypedDict):
    """The evidence of one pair. Areas are in reference pixels; in the profile `original` they are in native pixels."""

    score: Annotated[float, "Sum of the areas of all regions that count."]
    largest_contour: Annotated[float, "Area of the largest region, also if it is too small to count."]
    contour_count: Annotated[int, "Number of regions that count."]
    changed_fraction: Annotated[float, "Share of the pixels that differ by more than the threshold, 0 to 1."]
    distance: Annotated[float | None, "Distance of the features, from 0. `null`: the profile has none."]
    changed_area: Annotated[
        float | None, "Sum of the areas that count, whatever the distance. `null`: the profile has no features."
    ]


class NamedEvidenceDocument(TypedDict):
    """Recorded evidence of one pair."""

    scoring_id: Annotated[int, "Number of the scoring parameters in the index."]
    profile: Annotated[str, "First profile that has these scoring parameters."]
    evidence: Annotated[EvidenceDocument, "The evidence."]


class NeighbourDocument(TypedDict):
    """The image with the smallest recorded score to a kept image."""

    image_id: Annotated[int, "Number of the neighbour."]
    path: Annotated[str, "Its path."]
    captured_at: Annotated[Time | None, "When it was taken. `null`: the time is not known."]
    kept: Annotated[bool, "Whether the neighbour is kept, too."]
    score: Annotated[float, "Score of the pair."]
    distance: Annotated[float | None, "Distance of the features. `null`: the profile has none."]


class TwinDocument(TypedDict):
    """A capture of the same camera within a second, with a name of the other kind."""

    image_id: Annotated[int, "Number of the twin."]
    path: Annotated[str, "Its path."]
    state: Annotated[ImageStateName, "Its state."]
    apart_s: Annotated[float, "Time between the two captures, in seconds."]


class DecisionDocument(TypedDict):
    """One decision on an image."""

    verdict: Annotated[Literal["keep", "duplicate"], "What was decided."]
    reason: Annotated[Literal["new", "pinned", "similar", "identical", "verdict"], "Why it was decided so."]
    keeper_id: Annotated[int | None, "Number of the keeper. `null`: the image is kept."]
    keeper_path: Annotated[str | None, "Path of the keeper. `null`: the image is kept."]
    keeper_state: Annotated[ImageStateName | None, "State of the keeper now. `null`: the image is kept."]
    keeper_captured_at: Annotated[Time | None, "When the keeper was taken. `null`: no keeper, or no known time."]
    preferred_for: Annotated[
        Literal["pinned", "pixels", "sharpness", "folder", "time", "content", "path"] | None,
        "Property that ranks the keeper above the image. `null`: the image is kept.",
    ]
    score: Annotated[float | None, "Score of the image and its keeper. `null`: there is none."]
    max_score: Annotated[float, "Limit at the time of the decision."]
    profile: Annotated[str, "Profile that decided."]
    native: Annotated[bool, "Whether the score is in native pixels (profile `original`)."]
    decided_by: Annotated[str, "`compare`, or the name of the person whose verdict decided."]
    decided_at: Annotated[Time, "When it was decided."]
    run_id: Annotated[int, "Run that decided."]
    superseded_at: Annotated[Time | None, "When another decision replaced it. `null`: it is in force."]
    min_contour_area: Annotated[float, "Smallest area that counted at the time of the decision."]
    largest_contour: Annotated[
        float | None, "Largest changed area of the image and its keeper. `null`: none is recorded."
    ]
    changed_fraction: Annotated[
        float | None, "Share of the pixels that differ from the keeper, 0 to 1. `null`: none is recorded."
    ]
    closeness: Annotated[
        float | None,
        "Change, divided by the smallest change that keeps an image. Duplicates: below 1. `null`: no score decided.",
    ]
    distance: Annotated[float | None, "Distance of the features from the keeper's. `null`: none is recorded."]
    changed_area: Annotated[
        float | None, "Sum of the areas that count, whatever the distance. `null`: none is recorded."
    ]
    max_distance: Annotated[
        float, "Limit at the time of the decision: a pair with a smaller distance was similar. 0: none."
    ]
    veto_distance: Annotated[
        float, "Limit at that time: no pair with this distance or a larger one was similar. 0: none."
    ]


class JournalEntryDocument(TypedDict):
    """One entry of the journal of removals."""

    id: Annotated[int, "Number of the entry."]
    image_id: Annotated[int, "Number of the removed image."]
    keeper_id: Annotated[int, "Number of its keeper."]
    camera: Annotated[str, "Camera of the image."]
    path: Annotated[str, "Path that the file was removed from."]
    keeper_path: Annotated[str, "Path of the keeper now."]
    keeper_state: Annotated[ImageStateName, "State of the keeper now."]
    keeper_size_bytes: Annotated[int, "Size of the keeper's file in bytes."]
    size_bytes: Annotated[int, "Size of the removed file in bytes."]
    content_hash: Annotated[str, "SHA-256 of the removed file, hexadecimal."]
    keeper_hash: Annotated[str, "SHA-256 of the keeper, hexadecimal."]
    state: Annotated[
        Literal["planned", "quarantined", "deleted", "restored", "purged", "failed"], "State of the removal."
    ]
    pending: Annotated[
        Literal["quarantine", "delete", "restore", "restore_unpinned", "purge"] | None,
        "Act that was begun and not finished. `null`: there is none.",
    ]
    quarantine_path: Annotated[str | None, "Path of the file in quarantine. `null`: it was never there."]
    problem: Annotated[str | None, "Why the last act failed. `null`: it did not fail."]
    removed_at: Annotated[Time | None, "When the file was removed. `null`: it was not removed."]
    run_id: Annotated[int, "Run that removed the file."]
    aside_path: Annotated[str | None, "Second name of the file while it is deleted. `null`: it has none."]
    recorded: Annotated[bool, "Whether the witness record beside the images has this removal."]
    held_back: Annotated[bool, "Whether the file is held back from later plans because it came back."]
    run_token: Annotated[str, "Token of its run, as the witness record has it; empty for a run of an old version."]


class FrameOriginDocument(TypedDict):
    """The video that an image comes from."""

    video_id: Annotated[int, "Number of the video."]
    path: Annotated[str, "Path of the video."]
    missing_reason: Annotated[str | None, "Why the video is not there any more. `null`: it is there."]
    offset_us: Annotated[int, "Microseconds from its first frame to this one."]
    started_at: Annotated[Time | None, "When its first frame was taken. `null`: the time is not known."]
    started_at_source: Annotated[
        Literal["pattern", "name", "container", "mtime"] | None,
        "Where the start time comes from. `null`: there is no time.",
    ]


class ImageDetailsDocument(TypedDict):
    """One image: its facts, its decisions and the journal of its file."""

    id: Annotated[int, "Number of the image."]
    path: Annotated[str, "Absolute path of the file."]
    camera: Annotated[str, "Its camera."]
    camera_source: Annotated[Literal["option", "pattern", "name", "folder"], "Where the camera's name comes from."]
    captured_at: Annotated[Time | None, "When it was taken. `null`: the time is not known."]
    captured_at_source: Annotated[
        Literal["pattern", "name", "exif", "mtime"] | None, "Where the time comes from. `null`: there is no time."
    ]
    width: Annotated[int | None, "Width in pixels, after EXIF rotation. `null`: the header could not be read."]
    height: Annotated[int | None, "Height in pixels, after EXIF rotation. `null`: the header could not be read."]
    size_bytes: Annotated[int, "Size of the file in bytes."]
    sharpness: Annotated[float | None, "Variance of the Laplacian. `null`: the image could not be decoded."]
    content_hash: Annotated[str, "SHA-256 of the file, hexadecimal."]
    state: Annotated[ImageStateName, "State of the image."]
    state_reason: Annotated[str | None, "Why it is in that state. `null`: there is no reason to give."]
    pinned_by_person: Annotated[bool, "Whether a person pinned the image."]
    pinned: Annotated[
        bool, "Whether it is pinned: by a person, as the keeper of a removed image, or as the witness of a span."
    ]
    stands_for: Annotated[int, "Number of images that have this one as their keeper."]
    neighbour: Annotated[
        NeighbourDocument | None, "Most similar image, if this image is kept. `null`: none is recorded."
    ]
    twins: Annotated[list[TwinDocument], "Twins of the image."]
    decisions: Annotated[list[DecisionDocument], "All decisions on the image, newest first."]
    removals: Annotated[list[JournalEntryDocument], "Removals of the file, oldest first."]
    timezone: Annotated[str | None, "Time zone stored for its folder. `null`: UTC."]
    video: Annotated[FrameOriginDocument | None, "Video that it comes from. `null`: it comes from none."]
    source: Annotated[str | None, "Address of the camera that it was recorded from. `null`: it was not recorded."]
    spans: Annotated[int, "Number of spans that it is the witness of."]
    span_frames: Annotated[int, "Number of frames that these spans count. They showed nothing new and were not stored."]
    held_back: Annotated[bool, "Whether it came back after a removal that this index knows. Then no plan takes it."]


class StoredSpanDocument(TypedDict):
    """Frames of a video or recording that were looked at and not stored, or a gap in which no frame was looked at."""

    id: Annotated[int, "Number of the span."]
    camera: Annotated[str, "The camera."]
    reason: Annotated[
        Literal["seen", "damaged", "gap", "full_disk", "capped"],
        "Why they were not stored. `seen`: the witness shows all that they show.",
    ]
    from_at: Annotated[Time, "Time of the first frame. For a gap: time of the last frame before it."]
    to_at: Annotated[Time, "Time of the last frame. For a gap: time of the first frame after it."]
    frames: Annotated[int, "Number of frames. 0 for a gap."]
    every_s: Annotated[float | None, "Seconds between two frames that were looked at. `null`: none was looked at."]
    witness_id: Annotated[int | None, "Number of the image that shows the same. `null`: none does."]
    witness_path: Annotated[str | None, "Its path. `null`: there is none."]
    worst_score: Annotated[float | None, "Largest score of a frame and the witness. `null`: none was scored."]
    worst_at: Annotated[Time | None, "Time of that frame. `null`: none was scored."]
    max_score: Annotated[float | None, "Limit of the profile. `null`: nothing was compared."]
    profile: Annotated[str | None, "Profile that compared them. `null`: nothing was compared."]
    detail: Annotated[str | None, "The reason in a few words. `null`: there is nothing to say."]
    video_path: Annotated[str | None, "Path of the video. `null`: it is of a recording."]
    source: Annotated[str | None, "Address of the recorded camera, without password. `null`: it is of a video."]


class StoredFrameDocument(TypedDict):
    """An image that was stored from a video or recording."""

    image_id: Annotated[int, "Number of the image."]
    path: Annotated[str, "Its path."]
    captured_at: Annotated[Time, "When it was taken."]
    state: Annotated[ImageStateName, "Its state."]
    video_path: Annotated[str | None, "Path of the video. `null`: it is of a recording."]
    offset_us: Annotated[
        int | None, "Microseconds from the first frame of the video to this one. `null`: it is of a recording."
    ]
    source: Annotated[str | None, "Address of the recorded camera, without password. `null`: it is of a video."]


class VideoAtDocument(TypedDict):
    """A video that was being recorded at a time."""

    path: Annotated[str, "Its path."]
    started_at: Annotated[Time, "Time of its first frame."]
    ended_at: Annotated[Time, "Time of its end."]
    started_at_source: Annotated[Literal["pattern", "name", "container", "mtime"], "Where its time comes from."]
    interval_s: Annotated[float | None, "Seconds between two frames that were looked at. `null`: none was looked at."]


class StoredRecordingDocument(TypedDict):
    """A time in which a live camera was recorded without a break."""

    id: Annotated[int, "Number of the recording."]
    camera: Annotated[str, "The camera."]
    source: Annotated[str, "Address of the camera, without user, password and query."]
    started_at: Annotated[Time, "Time of its first frame."]
    seen_until: Annotated[Time, "Time of its last frame that is accounted for."]
    ended_at: Annotated[Time | None, "When it ended. `null`: it goes on."]
    ended_because: Annotated[
        Literal["stopped", "lost", "stalled", "clock", "error", "cut_off"] | None, "Why it ended. `null`: it goes on."
    ]
    detail: Annotated[str | None, "The same in a few words. `null`: there is nothing to say."]
    every_s: Annotated[float, "Seconds between two frames that were looked at."]
    frames_read: Annotated[int, "Number of frames looked at."]
    frames_stored: Annotated[int, "Number of these that became images."]
    frames_missed: Annotated[int, "Number of frames that were due and did not come."]
    frames_damaged: Annotated[int, "Number of frames that were looked at and were not whole."]
    run_id: Annotated[int, "Number of the run."]


class StandInDocument(TypedDict):
    """An image that stands for a moment."""

    image_id: Annotated[int, "Number of the image."]
    path: Annotated[str, "Its path."]
    state: Annotated[ImageStateName, "Its state."]
    keeper_path: Annotated[str | None, "Path of its keeper. `null`: it is no duplicate, or not decided."]


class MomentDocument(TypedDict):
    """What stands for a moment of a camera's videos and recordings."""

    camera: Annotated[str, "The camera."]
    at: Annotated[Time, "The moment."]
    kind: Annotated[
        Literal["stored", "seen", "between", "not_stored", "gap", "no_video"],
        "What is known of it. `stored`: its frame is an image. `seen`: it lies in a span with a witness. `between`: it "
        "lies between two frames that were looked at. `not_stored`: frames there were damaged. `gap`: no frame "
        "was looked at. `no_video`: no video and no recording covers it.",
    ]
    images: Annotated[
        list[StandInDocument], "Images that stand for it. For `between`: images that stand for the frame before it."
    ]
    spans: Annotated[list[StoredSpanDocument], "Spans that it lies in."]
    videos: Annotated[list[VideoAtDocument], "Videos that were being recorded."]
    before: Annotated[StoredFrameDocument | None, "Frame stored last before it. `null`: there is none."]
    after: Annotated[StoredFrameDocument | None, "Frame stored first after it. `null`: there is none."]
    timezone: Annotated[str | None, "Time zone stored for the camera. `null`: UTC."]
    recordings: Annotated[list[StoredRecordingDocument], "Recordings that it lies in."]


class JudgedPairDocument(TypedDict):
    """A verdict of a person on a pair of images."""

    image_a_id: Annotated[int, "Number of the first image."]
    image_b_id: Annotated[int, "Number of the second image."]
    path_a: Annotated[str, "Path of the first image."]
    path_b: Annotated[str, "Path of the second image."]
    state_a: Annotated[ImageStateName, "State of the first image."]
    state_b: Annotated[ImageStateName, "State of the second image."]
    camera: Annotated[str | None, "Camera of both. `null`: they belong to two cameras now."]
    verdict: Annotated[Literal["same", "different"], "The verdict."]
    by: Annotated[str, "Who gave it."]
    note: Annotated[str | None, "Note of that person. `null`: there is none."]
    judged_at: Annotated[Time, "When it was given."]
    agrees: Annotated[bool | None, "Whether the current decisions agree. `null`: not decided yet, or not comparable."]


class PairDetailsDocument(TypedDict):
    """The evidence of a pair of images."""

    image_a: Annotated[ImageDetailsDocument, "The first image."]
    image_b: Annotated[ImageDetailsDocument, "The second image."]
    recorded: Annotated[list[NamedEvidenceDocument], "Recorded evidence, one entry per scoring."]
    profile: Annotated[str, "Profile in force for the camera of the first image."]
    max_score: Annotated[float, "Limit of that profile."]
    computed: Annotated[
        EvidenceDocument | None, "Evidence computed now. `null`: it is recorded, or the pair cannot be scored."
    ]
    why_not: Annotated[str | None, "Why the pair cannot be scored. `null`: it can."]
    judged: Annotated[JudgedPairDocument | None, "Verdict in force on the pair. `null`: there is none."]


class ShownImageDocument(TypedDict):
    """One of the two images of a picture."""

    image_id: Annotated[int, "Number of the image."]
    path: Annotated[str, "Its path."]
    captured_at: Annotated[Time | None, "When it was taken. `null`: the time is not known."]
    source: Annotated[Literal["file", "quarantine", "stored", "thumbnail"], "What the image was drawn from."]


class IllustrationDocument(TypedDict):
    """A picture of two images with their changes outlined."""

    details: Annotated[ImageDetailsDocument | PairDetailsDocument, "What `explain` says without `--picture`."]
    picture: Annotated[str, "Path of the picture, as it was typed."]
    left: Annotated[ShownImageDocument, "The left image."]
    right: Annotated[ShownImageDocument, "The right image."]
    score: Annotated[float | None, "Score of the pair. `null`: the two cannot be compared."]
    distance: Annotated[float | None, "Distance of the features. `null`: the profile has none, or no comparison."]
    distances: Annotated[
        tuple[float, float],
        "Two limits of the distance: below the first, pairs are similar; from the second on, they are not. "
        "0: the profile has no features.",
    ]
    max_score: Annotated[float, "Limit of `profile`."]
    native: Annotated[bool, "Whether the score is in native pixels (profile `original`)."]
    why_not: Annotated[str | None, "Why the two cannot be compared. `null`: they can."]
    profile: Annotated[str, "Profile whose score and outlines are drawn."]
    by_decision: Annotated[bool, "Whether that profile decided the pair. `false`: it is the profile in force."]


class AbsentImageDocument(TypedDict):
    """A judged image that is not compared now."""

    path: Annotated[str, "Its path."]
    state: Annotated[ImageStateName, "Its state."]
    restorable: Annotated[bool, "Whether it is in quarantine, so that `restore` can bring it back."]


class ContradictionDocument(TypedDict):
    """Verdicts that contradict each other."""

    different: Annotated[tuple[int, int], "Two images that were judged different."]
    chain: Annotated[
        list[int], "Images that lead from one of the two to the other. Each was judged the same as the next."
    ]


class VerdictReportDocument(TypedDict):
    """What was done with verdicts."""

    recorded: Annotated[list[JudgedPairDocument], "New verdicts."]
    replaced: Annotated[list[JudgedPairDocument], "Older verdicts that the new ones replaced."]
    unchanged: Annotated[list[JudgedPairDocument], "Verdicts that were recorded before."]
    withdrawn: Annotated[list[JudgedPairDocument], "Verdicts that were taken back."]
    both_pinned: Annotated[
        list[JudgedPairDocument], "Verdicts `same` on two pinned images: both are kept, whatever was judged."
    ]
    away: Annotated[list[AbsentImageDocument], "Judged images that are not compared now."]
    contradictions: Annotated[list[ContradictionDocument], "All contradictions in the cameras of these images."]
    refused: Annotated[
        list[tuple[str, str]], "Line and problem of each line that was refused. If there is one, nothing was written."
    ]


class VerdictListDocument(TypedDict):
    """All verdicts in force."""

    verdicts: Annotated[list[JudgedPairDocument], "The verdicts."]
    contradictions: Annotated[list[ContradictionDocument], "Where they contradict each other."]


class PinDocument(TypedDict):
    """What was pinned or unpinned."""

    changed: Annotated[list[str], "Paths of the images that were pinned or unpinned."]
    unchanged: Annotated[list[str], "Paths of the images that already were."]


class ReviewDocument(TypedDict):
    """What a session of `review` did, written when it ended."""

    pairs: Annotated[int, "Number of pairs to judge when it began."]
    address: Annotated[str | None, "Address of the page, without its token. `null`: there was nothing to judge."]
    run: Annotated[int | None, "Number of its run. `null`: it wrote nothing."]
    recorded: Annotated[int, "Number of verdicts that it recorded."]
    withdrawn: Annotated[int, "Number of verdicts that it withdrew."]
    waiting: Annotated[int, "Number of requests that wait for the index; the next session records them."]
