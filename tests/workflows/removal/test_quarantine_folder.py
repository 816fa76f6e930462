"""A quarantine that a person names: never where the next ingest would take its files in again."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from indexer.errors import FolderError
from indexer.files.walking import QUARANTINE_NAME
from indexer.workflows.ingest.discovery import discover

IN_THE_ROOT = ["frames", "frames/bin", "frames/sub/deep/bin", "frames/../frames/bin", "in/bin", QUARANTINE_NAME]
OUTSIDE = ["bin", "frames-bin", f"frames/{QUARANTINE_NAME}", f"frames/sub/{QUARANTINE_NAME}/bin", "frames/out/bin"]

# An `index` is made by this folder's conftest: an empty one, with an empty folder `frames`.


@pytest.fixture
def planned(index: Any) -> Any:
    """An index with one of two copies to take away, and links that lead into their folder and out of it."""
    frame = np.random.default_rng(1).integers(0, 255, (64, 96), np.uint8)
    for second in (0, 1):
        index.put(f"gate_2026_01_01__12_00_0{second}.png", cv2.imencode(".png", frame)[1].tobytes())
    beside = index.folder.parent
    for folder in (index.folder / "sub", beside / "elsewhere"):
        folder.mkdir()
    (index.folder / "out").symlink_to(beside / "elsewhere")
    (beside / "in").symlink_to(index.folder)
    (beside / QUARANTINE_NAME).symlink_to(index.folder / "sub")
    index.ingest()
    index.compare()
    return index


@pytest.mark.parametrize("place", IN_THE_ROOT)
def test_quarantine_inside_a_root_is_refused(planned: Any, place: str) -> None:
    """A folder that a walk of a victim's root would see is refused before a run is begun or a file moved."""
    before = planned.tree(), planned.dump()
    with pytest.raises(FolderError, match="next ingest would take the files in again; name a folder outside"):
        planned.prune(quarantine=f"{planned.folder.parent}/{place}")
    assert (planned.tree(), planned.dump()) == before


@pytest.mark.parametrize("place", OUTSIDE)
def test_quarantine_that_no_walk_sees_is_taken(planned: Any, place: str) -> None:
    """A folder outside the root, or inside it under the name that is never walked, takes the file."""
    folder, victim = planned.folder.parent / place, Path(planned.plan().victims[0].victim.path)
    data = victim.read_bytes()
    report = planned.prune(quarantine=str(folder))
    assert (report.removed, report.failures) == (1, [])
    assert [path.read_bytes() for path in folder.rglob(victim.name)] == [data]
    assert victim.name not in [Path(found.path).name for found in discover([str(planned.folder)]).candidates]


def test_relative_quarantine_is_where_the_command_is_typed(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder is refused if it lies in a root as seen from the current folder."""
    monkeypatch.chdir(planned.folder)
    with pytest.raises(FolderError):
        planned.prune(quarantine="bin")
    assert planned.removals() == []


def test_quarantine_does_not_matter_without_one(planned: Any) -> None:
    """Deleting for good puts nothing into a quarantine, so any will do."""
    report = planned.prune(permanent=True, quarantine=str(planned.folder))
    assert (report.removed, report.failures) == (1, [])
