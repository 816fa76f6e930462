"""explain names where camera and time of an image were read from."""

from pathlib import Path

import pytest

from tests.support.command import Run, draw


@pytest.mark.parametrize(
    ("name", "options", "camera", "time"),
    [
        ("gate_2026_03_01__12_00_00.png", (), "its name", "its name"),
        ("frame.png", (), "its folder", "its modification time"),
        ("frame.png", ("--camera", "gate"), "an option", "its modification time"),
        ("a-20260301.png", ("--pattern", r"(?P<camera>\w)-(?P<timestamp>\d+)"), "a pattern", "a pattern"),
    ],
)
def test_sources_are_named_in_words(
    own_home: Path, run: Run, name: str, options: tuple[str, ...], camera: str, time: str
) -> None:
    """Each source of a camera and of a time has words of its own, whatever the index calls it."""
    draw(own_home / "lot" / name)
    assert run("ingest", "lot", "--processes", 1, *options).code == 0
    lines = [line.strip() for line in run("explain", 1).out.splitlines()]
    (from_camera,) = [line for line in lines if line.startswith("camera ")]
    (from_time,) = [line for line in lines if line.startswith("captured ")]
    assert (f"(from {camera})" in from_camera, f"(from {time})" in from_time) == (True, True)
