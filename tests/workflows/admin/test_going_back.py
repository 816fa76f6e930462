"""An index from a backup: what was removed since is not called back, and every command says how to adopt it."""

from collections.abc import Callable

import pytest

from indexer.domain.removal import ExclusionReason
from indexer.files.markers import QUARANTINE_NAME
from indexer.workflows.admin.file_check import check_files
from indexer.workflows.admin.file_findings import FindingKind
from indexer.workflows.admin.status import status
from indexer.workflows.admin.status_check import check_status
from indexer.workflows.removal.adopt import adopt
from tests.support.index import CAR, Index, name, picture, prepared


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: a keeper, two that it stands for, and a car."""
    for minute, content in enumerate((picture(), picture(stamp=1), picture(stamp=2), picture(CAR))):
        index.put(name(minute), content)
    index.ingest()
    index.compare()


@pytest.fixture
def backup(lot: Index, others: Callable[..., Index]) -> Index:
    """The index from a backup that was made before files were removed."""
    copy = others(lot, copy=True)
    assert lot.prune().removed == 2
    return copy


def held_back(index: Index) -> set[int]:
    """How many files are held back, by `status` and by `status --check`."""
    checked = check_status(index.database, silent_after=0, clock=index.clock)
    return {status(index.database).held_back_files, checked.held_back_files}


def test_what_lies_in_quarantine_did_not_come_back(lot: Index, backup: Index) -> None:
    """Files that a later run removed are not counted as back, and no plan takes them; those that are back are."""
    assert held_back(backup) == {0}
    assert (backup.plan().victims, backup.plan().left_out) == ((), {ExclusionReason.REMOVED: 2})
    lot.undo_run()
    assert held_back(backup) == {2}
    assert (backup.plan().victims, backup.plan().left_out) == ((), {ExclusionReason.HELD_BACK: 2})


def test_check_says_what_to_adopt(lot: Index, backup: Index) -> None:
    """Each removed file is one finding, which names the quarantine; after `db adopt` nothing is wrong."""
    quarantine = str(lot.folder.parent / QUARANTINE_NAME)
    found = check_files(backup.database, hashes=True)
    assert found.counts == {FindingKind.REMOVED: 2}
    assert {step for finding in found.findings for step in finding.advice} == {f"manage.py db adopt {quarantine}"}
    assert adopt(backup.database, quarantine, clock=backup.clock).adopted == 2
    assert check_files(backup.database, hashes=True).counts == {}
    assert check_files(lot.database, hashes=True).counts == {}


def test_own_files_without_a_row_are_found(lot: Index, backup: Index, others: Callable[..., Index]) -> None:
    """A file that this index put into quarantine and does not know any more is found; that of another index is not."""
    backup.execute("UPDATE images SET state = 'missing', state_reason = 'not found' WHERE path LIKE ?", f"%{name(1)}")
    assert check_files(backup.database, hashes=False).counts == {FindingKind.REMOVED: 1, FindingKind.UNKNOWN: 1}
    stranger = others(lot)
    stranger.ingest()
    assert check_files(stranger.database, hashes=False).counts == {}
