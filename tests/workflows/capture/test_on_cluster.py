"""Videos over a Dask cluster: the rows and frames of the serial run."""

import os
import signal
from pathlib import Path

import pytest

from indexer.execution import ResourceLimits
from indexer.files.partial_frames import ProgressFile
from indexer.workflows.capture import read_video
from indexer.workflows.capture.read_video import VideoResult, VideoTask
from tests.support.clusters import started
from tests.support.databases import on_sqlite
from tests.workflows.capture.conftest import NOON, Videos, scene

pytest.importorskip("distributed", reason="needs Dask: pip install distributed")


def read_or_die(task: VideoTask) -> VideoResult:
    """What a worker says of a video; of a camera `kill` the second keyframe ends it."""

    class Deadly(ProgressFile):
        def write(self, number: int) -> None:
            super().write(number)
            if task.camera == "kill" and number == 5:
                os.kill(os.getpid(), signal.SIGKILL)

    read_video.ProgressFile = Deadly  # type: ignore[attr-defined]
    return read_video.read_video(task)


FACTS = (
    "SELECT camera, started_at, frames_read, frames_stored, state FROM audit_videos",
    "SELECT camera, reason, from_at, to_at, frames, worst_score FROM audit_spans",
    "SELECT captured_at, content_hash FROM images",
)


@on_sqlite
def test_the_same_as_in_this_process(videos: Videos, tmp_path: Path) -> None:
    """Workers of a cluster read videos as this process does; one that is no video costs itself."""
    from indexer.execution.dask_cluster import cluster

    for camera in ("gate", "yard"):
        videos.make(f"{camera}_{NOON}.mp4", scene(), scene(200), scene(), scene(60))
        videos.make(f"{camera}_20210616_130000.mp4", scene(200), scene(10))
    (videos.folder / "text_20210616_120000.mp4").write_text("no video")
    with started(tmp_path, workers=2) as machines:
        limits = ResourceLimits(2**31, 60.0)
        with cluster(machines.address, workers=2, resource_limits=limits, file_limits=limits) as spread:
            assert videos.read(executor=spread).outcomes == {"read": 4, "unreadable": 1}
    videos.require_accounted()
    found = [sorted(map(repr, videos.index.rows(sql))) for sql in FACTS]
    for table in ("spans", "video_frames", "videos"):
        videos.index.execute(f"DELETE FROM {table}")
    for path in videos.frames.rglob("*.jpg"):
        path.unlink()
    for table in ("thumbnails", "images", "camera_sources"):
        videos.index.execute(f"DELETE FROM {table}")
    assert videos.read().outcomes == {"read": 4, "unreadable": 1}
    assert [sorted(map(repr, videos.index.rows(sql))) for sql in FACTS] == found


@on_sqlite
def test_a_video_that_ends_its_worker_costs_itself(
    videos: Videos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where reading a video takes a worker of a cluster more memory than it may have, or ends it, the video has that
    reason, and those of other cameras are read."""
    from indexer.execution.dask_cluster import cluster

    for camera in ("gate", "kill", "yard"):
        videos.make(f"{camera}_{NOON}.mp4", scene(), scene(200), scene(), scene(60))
    monkeypatch.setattr("indexer.workflows.capture.attempts.read_video", read_or_die)
    with started(tmp_path, workers=2) as machines:
        limits = ResourceLimits(2**31, 60.0)
        with cluster(machines.address, workers=2, resource_limits=limits, file_limits=limits) as spread:
            report = videos.read(executor=spread)
    assert report.outcomes == {"read": 2, "partial": 1}
    assert report.problems == [
        (
            str(videos.folder / f"kill_{NOON}.mp4"),
            "1 piece of it cannot be decoded; reading it ended the process that worked on it (signal SIGKILL)",
        )
    ]
    videos.require_accounted()
