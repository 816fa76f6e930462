"""Errors of a disk as sentences: they name what is in the way, a missing right or the disk."""

import errno
import os
from pathlib import Path

import pytest

from indexer.files.refusals import NAMING, DiskRefusalError, refusal_error, translate_refusal
from tests.support.rights import without_rights_of_root


def test_a_missing_right_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    """Who may not write to a folder is told this, and nothing of mounts. The file stays."""
    lot = tmp_path / "lot"
    lot.mkdir()
    (lot / "a").write_bytes(b"frame")
    lot.chmod(0o555)
    with (
        pytest.raises(DiskRefusalError) as refused,
        without_rights_of_root(),
        translate_refusal(NAMING, str(lot / "a")),
    ):
        os.rename(lot / "a", lot / "b")
    lot.chmod(0o755)
    sentence = str(refused.value.strerror)
    assert (refused.value.errno, f"may not write to the folder '{lot}'" in sentence) == (errno.EACCES, True)
    assert "mount" not in sentence
    assert {path.name: path.read_bytes() for path in lot.iterdir()} == {"a": b"frame"}


def test_a_disk_that_refuses_its_owner_is_named(tmp_path: Path) -> None:
    """Where a person may write and is refused all the same, the disk is in the way, and the sentence says what else to
    try."""
    problem = PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    with pytest.raises(DiskRefusalError, match="neither links nor renames") as refused:
        raise refusal_error(NAMING, f"{tmp_path}/a", problem)
    assert "mount it with another driver" in str(refused.value.strerror)
