"""A removal that failed or was cut off is no removal, also for an index that was restored from a backup later."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from indexer.domain.removal import ExclusionReason
from indexer.errors import IndexerError
from indexer.files import io_steps
from indexer.files.moving import aside_path
from indexer.files.witness_record import RECORD_NAME, list_removals
from indexer.store import removals
from tests.support.index import BIRD, CAR, Index, name, picture, prepared

KEEPER, BIRDS, OTHER = name(0), name(1), name(2)
STEPS = {"append": io_steps, "link": io_steps, "unlink": io_steps, "finish_act": removals}
"""Where a removal is struck, and in which module; `tests/e2e/test_faults.py` has every step."""


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: one file is to be removed."""
    for file, content in {KEEPER: picture(), BIRDS: picture(BIRD), OTHER: picture(CAR)}.items():
        index.put(file, content)
    index.ingest()
    index.compare()


def strike(monkeypatch: pytest.MonkeyPatch, step: str, *, calls: range, crash: bool) -> list[int]:
    """Lets some calls of a step fail, or ends the process before them. Returns the list that gets all calls."""
    real, met = getattr(STEPS[step], step), list[int]()

    def instead(*given: Any, **more: Any) -> Any:
        met.append(len(met))
        if met[-1] in calls:
            raise KeyboardInterrupt if crash else OSError(errno.EIO, "struck")
        return real(*given, **more)

    monkeypatch.setattr(STEPS[step], step, instead)
    return met


@pytest.mark.parametrize(("crash", "permanent"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("step", STEPS)
def test_an_older_index_holds_back_what_was_removed_and_nothing_else(
    lot: Index,
    others: Callable[..., Index],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    crash: bool,
    permanent: bool,
) -> None:
    """Wherever a removal fails, once or from there on, or is cut off: after the next command an index from a backup
    takes the file if it was never away, and holds it back if it was."""
    older, victim = others(lot, copy=True), lot.folder / BIRDS
    number = 0
    while True:
        for calls in (range(number, number + 1), range(number, 1000)):
            with monkeypatch.context() as patch:
                met = strike(patch, step, calls=calls, crash=crash)
                with suppress(IndexerError, OSError, KeyboardInterrupt):
                    lot.prune(permanent=permanent)
            lot.ingest()
            was_removed = not victim.exists()
            assert lot.removals()[-1:] in ([], [(BIRDS, "failed")]) or was_removed
            if was_removed:
                lot.undo_run() if not permanent else lot.put(BIRDS, picture(BIRD))
            made = older.plan()
            expected = ([], {ExclusionReason.HELD_BACK: 1}) if was_removed else ([str(victim)], {})
            assert ([item.victim.path for item in made.victims], dict(made.left_out)) == expected, (number, calls)
            assert victim.read_bytes() == picture(BIRD)
            if was_removed:
                assert number or len(met) > number, "the step is not met"
                return
        number += 1


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EIO])
def test_a_file_that_is_gone_is_never_noted_as_not_removed(
    lot: Index, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A network disk may delete the file and report an error all the same: its keeper then still stands for it."""
    real, deleted = io_steps.unlink, list[str]()

    def delete_and_fail(path: str) -> None:
        real(path)
        if aside_path(path, name="") in path:
            deleted.append(path)
            raise OSError(code, "struck", path)

    with monkeypatch.context() as patch:
        patch.setattr(io_steps, "unlink", delete_and_fail)
        lot.prune(permanent=True)
    assert len(deleted) == 1
    assert not (lot.folder / BIRDS).exists()
    lot.ingest()
    assert lot.removals() == [(BIRDS, "deleted")]
    (record,) = lot.folder.parent.rglob(RECORD_NAME)
    assert [line.removed_path for line in list_removals(str(record.parent))] == [str(lot.folder / BIRDS)]


@pytest.mark.parametrize("permanent", [False, True])
def test_a_disk_that_drops_is_no_proof_that_a_file_was_kept(
    lot: Index, monkeypatch: pytest.MonkeyPatch, permanent: bool
) -> None:
    """Where the disk fails after the file was moved, and then shows no name at all, the next command finds out."""
    real, exists, is_away = io_steps.unlink, os.path.lexists, list[str]()

    def unlink_and_drop(path: str) -> None:
        real(path)
        is_away.append(path)
        raise OSError(errno.EIO, "struck", path)

    with monkeypatch.context() as patch:
        patch.setattr(io_steps, "unlink", unlink_and_drop)
        patch.setattr(os.path, "lexists", lambda path: not is_away and exists(path))
        lot.prune(permanent=permanent)
    assert len(is_away) == 1
    assert lot.removals() == [(BIRDS, "planned")]
    lot.ingest()
    if permanent:  # the first name that goes is the file's own; the aside name gives it back
        assert (lot.removals(), (lot.folder / BIRDS).read_bytes()) == ([(BIRDS, "failed")], picture(BIRD))
        return
    assert (lot.removals(), (lot.folder / BIRDS).exists()) == ([(BIRDS, "quarantined")], False)
    (record,) = lot.folder.parent.rglob(RECORD_NAME)
    assert [line.removed_path for line in list_removals(str(record.parent))] == [str(lot.folder / BIRDS)]
    assert (lot.undo_run().restored, (lot.folder / BIRDS).read_bytes()) == (1, picture(BIRD))
