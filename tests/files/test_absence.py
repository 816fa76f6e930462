"""What counts as gone: only what the system says is not there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.files.absence import is_absent, is_folder_absent
from indexer.files.lost_files import is_lost
from indexer.files.quarantine import is_quarantine_missing
from indexer.workflows.removal.missing_folders import find_missing_folder
from tests.support.rights import without_rights_of_root


def _no_right(folder: Path) -> None:
    folder.chmod(0)


def _loop(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    folder.symlink_to(folder)


@pytest.mark.parametrize("hide", [_no_right, _loop])
def test_what_cannot_be_looked_into_is_not_gone(tmp_path: Path, hide: Callable[[Path], None]) -> None:
    """A file behind a folder that may not be searched, or that leads nowhere, is neither gone nor lost."""
    file = tmp_path / "quarantine" / "run-1" / "3" / "a.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"frame")
    hide(tmp_path / "quarantine")
    with without_rights_of_root():
        assert not os.path.lexists(file)
        answers = [is_absent(str(file)), is_folder_absent(str(file.parent)), is_quarantine_missing(str(file))]
        lost = is_lost(str(tmp_path / "lot" / "a.png"), aside=None, quarantine_path=str(file))
        missing = find_missing_folder(str(file))
    if hide is _no_right:
        (tmp_path / "quarantine").chmod(0o700)
    assert (answers, lost, missing) == ([False] * 3, False, None)


def test_what_is_gone(tmp_path: Path) -> None:
    """What does not exist is gone, also below a file. A link without a target is there, but no folder."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("nowhere")
    names = ["nothing", "nothing/more", "file/more", "file", "link", "."]
    assert [is_absent(str(tmp_path / name)) for name in names] == [True, True, True, False, False, False]
    assert [is_folder_absent(str(tmp_path / name)) for name in names] == [True, True, True, True, True, False]
