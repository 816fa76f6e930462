"""An attempt to read a video, and how the workers of an executor make it. It needs no database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from indexer.domain.camera_images import ImageKey
from indexer.execution import ParallelMap, WorkerFailure, map_path
from indexer.store.profiles import StoredProfile
from indexer.workflows.capture.plan_videos import PlannedVideo
from indexer.workflows.capture.read_video import VideoResult, VideoTask, read_video


@dataclass(frozen=True)
class VideoAttempt:
    """One attempt to read a video: the profile that compares its frames, its folder, what the worker gets, and the keys
    of the images in its memory by path."""

    video: PlannedVideo
    profile: StoredProfile
    folder: str
    task: VideoTask
    memory_keys: dict[str, ImageKey]


def read_attempts(executor: ParallelMap, attempts: Sequence[VideoAttempt]) -> Iterator[VideoResult | WorkerFailure]:
    """What the workers of an executor make of attempts, in order."""
    return executor(read_video, [_mapped(attempt.task, executor) for attempt in attempts])


def _mapped(task: VideoTask, executor: ParallelMap) -> VideoTask:
    """The task with the paths that the workers open."""
    return replace(
        task,
        path=map_path(executor, task.path),
        frames_folder=map_path(executor, task.frames_folder),
        partial_folder=map_path(executor, task.partial_folder),
    )
