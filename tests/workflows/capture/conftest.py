"""An index beside a folder of videos, worked through the workflow."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits
from indexer.domain.videos import Sampling
from indexer.execution import ParallelMap, serial
from indexer.workflows.capture.ingest_videos import ingest_with_videos
from indexer.workflows.capture.options import VideoOptions
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.ingest.video_outcomes import VideoReport
from tests.support.index import Index
from tests.support.videos import make_video

NOON = "20210616_120000"
"""The time in the names of videos, which the index reads as 12:00:00 UTC."""


def scene(*cars: int, height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    """A grey place, (H, W, 3), with a bright square for each left edge in `cars`."""
    frame = np.full((height, width, 3), 90, dtype=np.uint8)
    frame[: height // 3] = 60
    for left in cars:
        frame[height // 2 : height // 2 + 60, left : left + 60] = 230
    return frame


def seconds(*scenes: NDArray[np.uint8], rate: int = 5) -> list[NDArray[np.uint8]]:
    """A second of each scene."""
    return [each for each in scenes for _ in range(rate)]


@dataclass
class Videos:
    """An index, a folder of videos, and a folder of frames."""

    index: Index
    folder: Path
    frames: Path

    def make(self, name: str, *scenes: NDArray[np.uint8], rate: int = 5, **how: Any) -> Path:
        """A video that shows each scene for a second, with a keyframe each second."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return make_video(path, rate=rate, keyframe_every=rate, pictures=seconds(*scenes, rate=rate), **how)

    def ingest(
        self,
        *paths: Path,
        every_s: float = 1.0,
        sampling: Sampling = Sampling.AUTO,
        executor: ParallelMap | None = None,
        again: bool = False,
        time_s: float = 120.0,
        **naming: Any,
    ) -> IngestReport:
        """Takes in the folder, or these paths, with its videos."""
        self.frames.mkdir(exist_ok=True)
        frames = str(self.frames.resolve())
        named = [str(path) for path in paths or (self.folder,)]
        request = discover(named, frames_folder=frames, again=again, **naming)
        options = VideoOptions(frames, every_s, sampling, time_s)

        @contextmanager
        def make_executor(_time_s: float) -> Iterator[ParallelMap]:
            if executor is not None:
                yield executor
            else:
                with serial() as alone:
                    yield alone

        with serial() as local:
            return ingest_with_videos(
                self.index.database,
                request,
                options,
                executor=local,
                make_video_executor=make_executor,
                limits=Limits(),
                clock=self.index.clock,
            )

    def read(self, **how: Any) -> VideoReport:
        """The same; what became of the videos."""
        report = self.ingest(**how).videos
        assert report is not None
        return report

    def stored(self) -> list[str]:
        """The files of stored frames, as they lie in their folder."""
        return sorted(str(path.relative_to(self.frames)) for path in self.frames.rglob("*.jpg"))

    def require_accounted(self) -> None:
        """Each frame that was looked at has one row: files equal rows, and stored and counted frames add up."""
        rows = self.index.rows
        known = {path for (path,) in rows("SELECT path FROM images WHERE state = 'ready'")}
        assert known >= {str(path.resolve()) for path in self.frames.rglob("*.jpg")}
        assert not list(self.frames.rglob("*.part"))
        in_force = "COALESCE(missing_reason, '') <> 'read again'"
        for video_id, read, stored in rows(f"SELECT id, frames_read, frames_stored FROM videos WHERE {in_force}"):
            (frames,) = rows("SELECT COUNT(*) FROM video_frames WHERE video_id = ?", video_id)[0]
            (counted,) = rows("SELECT COALESCE(SUM(frames), 0) FROM spans WHERE video_id = ?", video_id)[0]
            assert (frames, read) == (stored, stored + counted)
        wrong = "reason = 'seen' AND (worst_score >= max_score OR witness_id IS NULL)"
        assert rows(f"SELECT COUNT(*) FROM audit_spans WHERE {wrong}") == [(0,)]


@pytest.fixture
def videos(index: Index, tmp_path: Path) -> Videos:
    """An index with an empty folder of videos."""
    folder = tmp_path / "recorder"
    folder.mkdir()
    return Videos(index, folder.resolve(), tmp_path / "frames")
