"""Killed at any moment: whatever was cut off, and how often, the next run ends where an undisturbed one does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.store import schema
from indexer.store.database import Database
from indexer.store.schema import open_database
from tests.support.apart import rows
from tests.support.kill_runs import Work, fight, of_compare, of_ingest
from tests.support.video_kill_runs import fight_for_videos, record


@pytest.mark.parametrize("make", [of_ingest, of_compare])
def test_five_kills(tmp_path: Path, make: Callable[..., Work]) -> None:
    """Five kills within a few hundred files leave the same index as none."""
    work = make(tmp_path, frames=200, size=(240, 320))
    bout = fight(tmp_path, work, kills=5, share=1.0, seed=5)
    assert (bout.kills, bout.rounds > 0) == (5, True)


def test_five_kills_of_videos(tmp_path: Path) -> None:
    """Five kills within a few videos leave the same frames, rows and spans as none."""
    record(tmp_path / "videos", cameras=2, videos=3, seconds=10)
    bout = fight_for_videos(tmp_path, kills=5, seed=5)
    assert (bout.kills, bout.rounds > 0) == (5, True)


def test_cut_between_tables_and_log(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index whose making was cut at any step writes ahead in the end: readers of it never wait."""
    for step in ("migrate", "use_write_ahead_log"):
        home = schema if step == "migrate" else Database
        with monkeypatch.context() as patch:
            patch.setattr(home, step, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                open_database(f"{step}.db", create=True)
        open_database(f"{step}.db", create=True).close()
        assert rows(own_home / f"{step}.db", "PRAGMA journal_mode") == [("wal",)]
