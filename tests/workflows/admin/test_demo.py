"""demo: frames of a known scenario, and what the tool decides about them."""

from collections import Counter
from pathlib import Path

from indexer.workflows.admin.demo import write_frames
from tests.support.databases import on_sqlite
from tests.support.index import Index


def test_frames_are_written_as_requested(tmp_path: Path) -> None:
    """Every frame of the scenario is a file in the folder, of three cameras, named in both forms."""
    frames = write_frames(tmp_path / "frames")
    assert sorted(frame.path for frame in frames) == sorted(str(path) for path in (tmp_path / "frames").iterdir())
    assert len({frame.camera for frame in frames}) == 3
    assert {"__" in Path(frame.path).name for frame in frames} == {True, False}


@on_sqlite
def test_the_tool_decides_the_demo_as_described(index: Index) -> None:
    """Each camera keeps one frame per new state of the scenario, never the blurred one; one file is damaged."""
    index.folder.rmdir()
    frames = write_frames(index.folder)
    index.ingest()
    index.compare()
    kept = {file for file, (verdict, _, _) in index.decisions().items() if verdict == "keep"}
    told = {Path(frame.path).name: frame for frame in frames}
    assert Counter(told[file].camera for file in kept) == Counter(frame.camera for frame in frames if frame.new)
    [soft] = [frame for file, frame in told.items() if frame.new and file not in kept]
    assert "out of focus" in soft.what
    assert Counter(state for _, state, _ in index.states())["damaged"] == 1
