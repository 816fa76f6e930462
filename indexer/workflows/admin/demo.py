"""demo: sample frames of three cameras with a known scenario, written to a folder."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexer.files import private
from indexer.imaging.synthetic.scenario import iter_frames

_START_TIME = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class DemoFrame:
    """One frame that was written: where, and what it shows."""

    path: str
    camera: str
    what: str
    new: bool


def write_frames(folder: Path) -> list[DemoFrame]:
    """Writes the frames of the scenario, named in both forms of the original data set. Returns what each shows."""
    private.make_folders(str(folder))
    written = []
    for frame in iter_frames():
        time = _START_TIME + timedelta(seconds=frame.seconds)
        stamp = f"-{round(time.timestamp() * 1000)}" if frame.stamp == "epoch" else f"_{time:%Y_%m_%d__%H_%M_%S}"
        path = folder / f"{frame.camera}{stamp}{frame.suffix}"
        private.write_new(str(path), frame.data)
        written.append(DemoFrame(str(path), frame.camera, frame.what, frame.new))
    return written
