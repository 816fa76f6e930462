"""Ctrl-C while files move: the run and the person are told exactly how many files moved."""

import signal
from collections.abc import Callable

import pytest

from indexer.errors import RunInterrupt
from indexer.workflows.context import Advance
from indexer.workflows.removal import prune as prune_workflow
from indexer.workflows.removal import purge as purge_workflow
from indexer.workflows.removal import restore as restore_workflow
from tests.support.index import CAR, Index, name, picture, prepared

WORDS = {"prune": "removed", "restore": "brought back", "purge": "deleted"}


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: three duplicates of one keeper, and another keeper."""
    for minute in range(4):
        index.put(name(minute), picture(stamp=minute))
    index.put(name(9), picture(CAR))
    index.ingest()
    index.compare()


@pytest.mark.parametrize("command", sorted(WORDS))
def test_a_file_that_moved_while_ctrl_c_came_is_counted(
    lot: Index, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Ctrl-C during the second file: that file is finished, and the run and the sentence count two of three; the
    sentence says how to go on."""
    workflow = {"prune": prune_workflow, "restore": restore_workflow, "purge": purge_workflow}[command]
    act = {"prune": lot.prune, "restore": lot.undo_run, "purge": lot.purge}[command]
    if command != "prune":
        lot.prune()
    function = {"prune": "remove_file", "restore": "make_synced_folders", "purge": "delete_witnessed"}[command]
    calls: list[None] = []
    usual: Callable[..., object] = getattr(workflow, function)

    def interrupted(*arguments: object, **more: object) -> object:
        calls.append(None)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return usual(*arguments, **more)

    monkeypatch.setattr(workflow, function, interrupted)
    with pytest.raises(RunInterrupt, match=f"2 files were {WORDS[command]} by run \\d+; the same command goes on"):
        act()
    ((counts, outcome),) = lot.rows("SELECT counts, outcome FROM runs ORDER BY id DESC LIMIT 1")
    count = {"prune": "removed", "restore": "restored", "purge": "purged"}[command]
    assert (outcome, f'"{count}": 2' in counts) == ("interrupted", True)


@pytest.mark.parametrize("begin", ["ingest", "prune"])
def test_ctrl_c_before_the_first_file(lot: Index, begin: str) -> None:
    """Ctrl-C before the first file: the sentence says that nothing was done."""

    def progress(_stage: str, _total: int | None) -> Advance:
        raise KeyboardInterrupt

    def prune() -> object:
        options = prune_workflow.RemovalOptions()
        return prune_workflow.prune(
            lot.database, lot.plan(), options=options, camera=None, clock=lot.clock, progress=progress
        )

    lot.put(name(20), picture())
    act = prune if begin == "prune" else lambda: lot.ingest(progress=progress)
    with pytest.raises(RunInterrupt, match=r"no file was removed|nothing was stored"):
        act()
