"""Folders that no walk enters: a quarantine is known wherever it was moved to, and nothing else is taken for one."""

import shutil
from pathlib import Path

import pytest

from indexer.errors import FolderError
from indexer.files.manifest import Entry, append_entry
from indexer.files.markers import QUARANTINE_MARKER, find_quarantine
from indexer.files.quarantine import prepare_quarantine, reserve_quarantine_path
from indexer.files.walking import QUARANTINE_FOLDER, Candidate, Skipped, walk


@pytest.fixture
def quarantine(tmp_path: Path) -> Path:
    """A quarantine under a name of its own, with one file."""
    folder = tmp_path / "data" / "removed"
    prepare_quarantine(str(folder))
    place = reserve_quarantine_path(str(folder), run="run-0123abcd-3", name="7", basename="1.png")
    append_entry(place, Entry("/lot/1.png", 1, "0" * 64, "/lot/0.png", "2026-01-01"))
    Path(place).write_bytes(b"?")
    return folder


def walked(folder: Path) -> tuple[list[str], list[str]]:
    """The candidates below a folder, and the folders skipped as quarantines."""
    found = list(walk([str(folder)]))
    candidates = [one.path for one in found if isinstance(one, Candidate)]
    return candidates, [one.path for one in found if isinstance(one, Skipped) and one.reason == QUARANTINE_FOLDER]


def test_marked_folder_is_not_walked(tmp_path: Path, quarantine: Path) -> None:
    """A quarantine of any name is skipped and counted, also after it was renamed."""
    assert walked(tmp_path) == ([], [str(quarantine)])
    moved = quarantine.rename(tmp_path / "renamed")
    assert walked(tmp_path) == ([], [str(moved)])


def test_run_that_was_copied_out_is_not_walked(tmp_path: Path, quarantine: Path) -> None:
    """One run that was copied elsewhere, or a quarantine of an earlier version without a marker, is skipped too."""
    copy = tmp_path / "stick" / "run-0123abcd-3"
    shutil.copytree(quarantine / copy.name, copy)
    (quarantine / QUARANTINE_MARKER).unlink()
    (quarantine / copy.name).rename(quarantine / "run-3")
    assert walked(tmp_path) == ([], [str(quarantine / "run-3"), str(copy)])


@pytest.mark.parametrize("below", ["", "run-0123abcd-3", "run-0123abcd-3/7", "run-0123abcd-3/7/1.png"])
def test_quarantine_as_an_argument_is_refused(tmp_path: Path, quarantine: Path, below: str) -> None:
    """A quarantine, or what lies in one, cannot be named: a sentence says so."""
    with pytest.raises(FolderError, match="lies in a quarantine"):
        list(walk([str(quarantine / below)]))
    assert find_quarantine(str(quarantine / below)) == str(quarantine)


@pytest.mark.parametrize("name", ["run-3", "run-x", "shots"])
def test_a_data_set_with_a_manifest_is_walked(tmp_path: Path, name: str) -> None:
    """Another program's `manifest.jsonl` beside images does not hide them, whatever its folder is called."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "manifest.jsonl").write_text('{"file": "1.png", "label": "cat"}\n')
    (folder / "1.png").write_bytes(b"?")
    assert walked(tmp_path) == ([str(folder / "1.png")], [])
