"""Which videos of a request are read, named and in order.

It promises that a copy of a video of the same camera is not read, and that a video of a camera that is held back is
left alone. Both are counted in the report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from indexer.domain.naming.moments import to_utc
from indexer.domain.videos import EarlierReading, RecordingStart
from indexer.files.walking import Candidate
from indexer.store.database import Database
from indexer.workflows.capture.read_video import Crash
from indexer.workflows.capture.store_video import VideoNames
from indexer.workflows.capture.video_diff import VideoDiff, VideoToRead, without_copies
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.index_diff import IndexDiff
from indexer.workflows.ingest.name_plan import NamePlan, needs_recording, plan_names, record_rules
from indexer.workflows.ingest.video_outcomes import VideoOutcome, VideoReport
from indexer.workflows.runs.run import LongRun


@dataclass(frozen=True)
class PlannedVideo:
    """A video to read.

    Attributes
    ----------
    video : VideoToRead
    names : VideoNames
    named_at, named_source : datetime or None, str or None
        When it began, aware, and where that comes from; None if its path does not say.
    attempts : int
        How often it was read in vain, as a witness was removed meanwhile.
    crashes : tuple of Crash
        Those that reading it caused so far.
    """

    video: VideoToRead
    names: VideoNames
    named_at: datetime | None
    named_source: str | None
    attempts: int = 0
    crashes: tuple[Crash, ...] = ()

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.video.candidate.path

    @property
    def camera(self) -> str:
        """The name of its camera."""
        return self.names.camera

    @property
    def earlier(self) -> EarlierReading | None:
        """What was read before of the file at its path, if it was of the same camera, and with a time."""
        row = self.video.earlier
        if row is None or row.camera != self.camera or row.started_at is None or row.ended_at is None:
            return None
        return EarlierReading(RecordingStart(row.started_at, str(row.started_at_source)), row.ended_at)

    @property
    def rank(self) -> tuple[bool, float, str]:
        """For the order in which the videos of a camera are read: by the time of the name, else by that of the file."""
        at = self.named_at
        return at is None, self.video.identity.mtime_ns / 1e9 if at is None else at.timestamp(), self.path


def plan_videos(
    database: Database, request: IngestRequest, diff: VideoDiff, *, run: LongRun, report: VideoReport
) -> list[PlannedVideo]:
    """The videos to read, in no particular order. Naming rules of the request are recorded."""
    request, report.names, held_back = name_videos(database, request, diff)
    to_read, copies = without_copies(diff, lambda candidate: request.path_naming(candidate.path).camera)
    for _ in copies:
        report.count(VideoOutcome.EQUAL)
    if needs_recording(request):
        with run.record_batch(), database.write() as session:
            record_rules(session, request)
    left = _refuse_held_back(held_back, copies, report)
    planned = [_planned(video, request) for video in to_read if video.candidate.path not in left]
    report.ambiguous_times = sum(video.names.path.is_ambiguous() for video in planned)
    return planned


def name_videos(
    database: Database | None, request: IngestRequest, diff: VideoDiff
) -> tuple[IngestRequest, NamePlan, Sequence[Candidate]]:
    """The request with the names of its new videos, what a person should know of them, and those whose camera is held
    back. Known videos are their siblings."""
    request = replace(request, candidates=request.videos, names={})
    new = IndexDiff([], [(video.candidate, None) for video in (*diff.to_read, *diff.equal)], {})
    request, _, names, held_back = plan_names(database, request, new)
    return request, names, held_back


def _refuse_held_back(held_back: Sequence[Candidate], copies: Sequence[VideoToRead], report: VideoReport) -> set[str]:
    """Counts the videos whose camera is held back, and returns their paths; a copy is counted already."""
    left = {candidate.path for candidate in held_back} - {video.candidate.path for video in copies}
    for path in sorted(left):
        report.refuse(path, "its camera is held back")
    return left


def _planned(video: VideoToRead, request: IngestRequest) -> PlannedVideo:
    path = request.path_naming(video.candidate.path)
    names = VideoNames(path, path.camera, path.camera_source)
    if path.moment is None:
        return PlannedVideo(video, names, None, None)
    return PlannedVideo(video, names, to_utc(path.moment, path.zone), path.moment_source)
