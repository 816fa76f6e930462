"""What is printed of cameras that are held back."""

from functools import partial

import pytest

from indexer.cli.render.camera import note_names
from indexer.workflows.ingest.held_cameras import HeldCamera
from indexer.workflows.ingest.name_plan import NamePlan
from tests.cli.render.test_reports import said


@pytest.mark.parametrize(
    ("folders", "words", "command"),
    [
        (("/data/North", "/data/South"), (), "ingest --camera-level 1 /data"),
        (("/data/North/*/001/jpg", "/data/South/Reolink_00*"), (), "ingest --camera-level 1 /data"),
        (("/data", "/data/South"), (), "ingest --camera NAME /data/South"),
        (("/a/x", "/b/x"), (), "ingest --camera NAME /b/x"),
        (("/data/x",), ("gate", "yard"), "(?P<camera>gate|yard)"),
    ],
)
def test_command_that_parts_a_camera(
    folders: tuple[str, ...], words: tuple[str, ...], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that is proposed names the folder in which the folders of the camera differ, or its words."""
    monkeypatch.setattr("os.path.isdir", lambda _folder: True)
    held = HeldCamera("c10", 2, folders, f"{folders[0]}/1.png", words)
    assert command in said(partial(note_names, ambiguous_times=0), NamePlan((held,)))


@pytest.mark.parametrize(
    ("folders", "scope", "pattern", "command"),
    [
        (
            ("/cards/F", "/cards/G"),
            "/cards/G",
            "(?P<camera>x)",
            "'^(?:(?P<camera>F|G)(?=/)).*?(?:(?P<camera>x))' /cards",
        ),
        (("/cards/F", "/cards/G/a"), "/cards/G", "^(?P<camera>x)", "'^(?:(?P<camera>F|G)/)(?:(?P<camera>x))' /cards"),
        (("/cards", "/cards/G"), "/cards/G", "^(?P<camera>x)", "'^(?:(?P<camera>G)/)?(?:(?P<camera>x))' /cards"),
        (("/a/x", "/b/x"), "/b/x", "^(?P<camera>x)", "'^(?:(?P<camera>x)/)(?:(?P<camera>x))' /b"),
        (("/a", "/b"), "/b", "(?P<camera>x)", "ingest --pattern REGEX FOLDER"),
    ],
)
def test_command_that_parts_cameras_of_a_pattern(
    folders: tuple[str, ...], scope: str, pattern: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that is proposed keeps the pattern, and puts the folders in front of the cameras that it says."""
    monkeypatch.setattr("os.path.isdir", lambda _folder: True)
    held = HeldCamera("x", 2, folders, f"{scope}/1.png", pattern=pattern, scopes=(scope,))
    assert command in said(partial(note_names, ambiguous_times=0), NamePlan((held,)))
