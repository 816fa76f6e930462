"""Whatever happens to files, indexes and backups, in whatever order: nothing that was removed is without a witness."""

from pathlib import Path

import pytest

from indexer.workflows.removal.safeguards import WitnessRecords
from tests.support import removal_histories
from tests.support.history_runs import PROCESSES, lived


def test_histories_lose_nothing(scratch: Path) -> None:
    """In four histories of sixty steps every content ever removed is there, or what was named as its keeper is."""
    ends = lived(scratch, first_seed=1, histories=4)
    assert [code for code, _ in ends] == [0] * PROCESSES, ends


def test_histories_notice_a_loss(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the record of witnesses one of a few such histories loses a content, and the oracle says so."""
    monkeypatch.setattr(WitnessRecords, "list_in_force", lambda *_, **__: [])
    histories = (
        removal_histories.run(scratch / "w", first_seed=seed, histories=1, number_of_steps=60) for seed in range(41, 61)
    )
    losses, removals = next((found for found in histories if found[0]), ([], 0))
    assert (len(losses) > 0, removals > 0) == (True, True)
