"""The order on the disk: a new name is synced before the old one goes, the journal is written before and after."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from indexer.files import io_steps
from indexer.files.manifest import MANIFEST_NAME
from indexer.files.markers import QUARANTINE_MARKER
from indexer.files.witness_record import RECORD_NAME
from indexer.store.database import Database
from tests.support.index import Index
from tests.support.own_files import OWN_FILES
from tests.support.world import BIRDS, COPY, make_lot

WATCHED = ("link", "unlink", "append")


@pytest.fixture
def lot(database: Database, tmp_path: Path) -> Index:
    """A keeper and two that it stands for."""
    return make_lot(database, tmp_path / "site")


def place(path: str) -> str:
    """Where a path is, and of which file."""
    inside = "quarantine" if ".indexer-quarantine" in path else "frames"
    name = os.path.basename(path)
    if name.startswith(".indexer-aside-"):
        return f"{inside}/aside"
    return f"{inside}/{name if name in OWN_FILES else lot_name(path)}"


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch, lot: Index) -> list[str]:
    """What happens: names given and taken, folders and files synced, commits with the rows that are open then."""
    done: list[str] = []
    commit, fsync = Session.commit, os.fsync

    def told(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            found = real(*given, **more)
            path = given[1] if name == "link" else given[0]
            if not str(path).endswith("partial"):
                done.append(f"{name} {place(str(path))}")
            return found

        return instead

    def synced(descriptor: int) -> None:
        fsync(descriptor)
        synced = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
        done.append(f"fsync {'run-3' if synced == run else synced}")

    def committed(session: Session) -> None:
        commit(session)
        done.append("commit " + ", ".join(state for _, state in rows(lot)))

    run = f"run-{lot.rows('SELECT id FROM index_identity')[0][0][:8]}-3"
    for step in WATCHED:
        monkeypatch.setattr(io_steps, step, told(step, getattr(io_steps, step)))
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Session, "commit", committed)
    return done


def lot_name(path: str) -> str:
    """Which of the two a path is of, also while it is copied."""
    return {Path(COPY).name: "copy", Path(BIRDS).name: "birds"}.get(os.path.basename(path), "other")


def rows(lot: Index) -> list[tuple[str, str]]:
    """The rows of the journal as others see them: file, and what is under way or how it ended."""
    found = lot.rows("SELECT path, COALESCE(pending || '...', state) FROM removals ORDER BY id")
    return [(lot_name(path), state) for path, state in found]


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc to name what is synced")


@needs_proc
def test_prune_order(lot: Index, order: list[str]) -> None:
    """For each file in the plan's order: the line of the manifest synced, a commit, the line of the record synced, the
    new name synced, the old one taken away, a commit; never one transaction for two files."""
    lot.prune()
    first = order.index(f"append quarantine/{MANIFEST_NAME}")
    assert order[first - 1 :] == [
        f"fsync {MANIFEST_NAME}",
        f"append quarantine/{MANIFEST_NAME}",
        "fsync run-3",
        "commit quarantine...",
        f"fsync {RECORD_NAME}",
        f"append quarantine/{RECORD_NAME}",
        "fsync .indexer-quarantine",
        "link quarantine/copy",
        "fsync 2",
        "unlink frames/copy",
        "fsync day",
        "commit quarantined",
        "fsync run-3",
        f"fsync {MANIFEST_NAME}",
        f"append quarantine/{MANIFEST_NAME}",
        "commit quarantined, quarantine...",
        f"fsync {RECORD_NAME}",
        f"append quarantine/{RECORD_NAME}",
        "link quarantine/birds",
        "fsync 3",
        "unlink frames/birds",
        "fsync day",
        "commit quarantined, quarantined",
        "commit quarantined, quarantined",
    ]


@needs_proc
def test_restore_order(lot: Index, order: list[str]) -> None:
    """For each file: a commit, the new name synced, the old one taken away, a commit."""
    lot.prune()
    order.clear()
    lot.restore()
    assert [event for event in order if "other" not in event][1:6] == [
        "commit restore..., quarantined",
        "link frames/copy",
        "fsync day",
        "unlink quarantine/copy",
        "fsync 2",
    ]
    assert [event for event in order if event.startswith("commit")] == [
        "commit quarantined, quarantined",
        "commit restore..., quarantined",
        "commit restored, quarantined",
        "commit restored, restore...",
        "commit restored, restored",
        "commit restored, restored",
    ]


@needs_proc
def test_purge_order(lot: Index, order: list[str]) -> None:
    """For each file: a commit, the name taken away while it waits under another one, that one too, a commit."""
    lot.prune()
    order.clear()
    lot.purge()
    assert [event for event in order if "other" not in event and MANIFEST_NAME not in event] == [
        "commit quarantined, quarantined",
        "commit purge..., quarantined",
        "link quarantine/aside",
        "fsync 2",
        "unlink quarantine/copy",
        "fsync 2",
        "unlink quarantine/aside",
        "fsync 2",
        "commit purged, quarantined",
        "commit purged, purge...",
        "link quarantine/aside",
        "fsync 3",
        "unlink quarantine/birds",
        "fsync 3",
        "unlink quarantine/aside",
        "fsync 3",
        "commit purged, purged",
        "commit purged, purged",
    ]


def test_deletion_order(lot: Index, order: list[str]) -> None:
    """A file that is deleted at once has its row and its line before, waits aside, and its row is written on after."""
    lot.prune(permanent=True)
    assert [event for event in order if not event.startswith("fsync")] == [
        "commit ",
        f"append quarantine/{QUARANTINE_MARKER}",
        "commit delete...",
        f"append quarantine/{RECORD_NAME}",
        "link frames/aside",
        "unlink frames/copy",
        "unlink frames/aside",
        "commit deleted",
        "commit deleted, delete...",
        f"append quarantine/{RECORD_NAME}",
        "link frames/aside",
        "unlink frames/birds",
        "unlink frames/aside",
        "commit deleted, deleted",
        "commit deleted, deleted",
    ]
