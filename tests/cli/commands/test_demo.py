"""The demo runs the whole job and reports each step."""

import shutil
from pathlib import Path

from indexer.workflows.admin.demo import write_frames
from tests.support.command import Run


def test_demo(run: Run, tmp_path: Path) -> None:
    """The demo takes away all that shows nothing new and one soft frame, whose clear twin stays, and nothing else."""
    told = run("demo", "--json").document
    present = {path.name for path in Path(told["folder"], "frames").iterdir()}
    frames = write_frames(tmp_path / "again")
    new = {Path(frame.path).name for frame in frames if frame.new}
    assert (told["frames"], told["new_frames"], len(new - present), len(present - new)) == (68, 18, 1, 2)
    assert told["pruned"]["removed"] == 49
    assert len(present) == 68 - 49
    shutil.rmtree(told["folder"])


def test_demo_says_how_to_go_on(run: Run) -> None:
    """The commands that the demo ends with can be typed as they stand."""
    lines = run("demo").out.splitlines()
    begin = next(number for number, line in enumerate(lines) if line == "Go on with:")
    commands = [line.split()[2:] for line in lines[begin + 1 :] if line.startswith("   python manage.py --db")]
    assert [words[2] for words in commands] == ["status", "explain", "report", "audit", "restore"]
    for words in commands:
        assert run(*words).code == 0, words
    shutil.rmtree(Path(commands[0][1]).parent)
