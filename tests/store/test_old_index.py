"""An index that commit 00675fd made: every later version opens it and finds the same decisions and the same evidence.

`old/make_00675fd.py` made the dump, from frames that were made up.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.profiles import COLOUR, LEARNED
from indexer.store.database import Database, parse_database
from indexer.store.schema import check_database, head_revision, open_database, upgrade_database
from tests.support.databases import Maker, rows
from tests.support.old_indexes import make_old_index, old_rows

DUMP = Path(__file__).parent / "old" / "00675fd.sql"
QUESTIONS = (
    "SELECT id, image_id, profile_id, verdict, keeper_id, score, reason, decided_by, decided_at, run_id, superseded_at "
    "FROM decisions ORDER BY id",
    "SELECT scoring_id, image_a_id, image_b_id, score, largest_contour, contour_count, changed_fraction, run_id "
    "FROM scores ORDER BY 1, 2, 3",
    "SELECT id, image_id, keeper_id, path, state, pending, quarantine_path FROM removals ORDER BY id",
    "SELECT id, path, state, content_hash FROM images ORDER BY id",
    "SELECT image_id, preparation_id, data FROM thumbnails ORDER BY 1, 2",
    "SELECT id, image_id, reason, unpinned_at FROM pins ORDER BY id",
    "SELECT id, name, digest, active FROM profiles ORDER BY id",
    "SELECT id, image_a_id, image_b_id, verdict FROM verdicts ORDER BY id",
)
PROFILES = next(place for place, question in enumerate(QUESTIONS) if " FROM profiles " in question)


def make_index(place: str) -> None:
    """Makes that index, as it was."""
    with closing(old_rows(DUMP, Path("/srv/site"))) as old:
        make_old_index(old, place)


def answers(place: str) -> list[list[tuple[Any, ...]]]:
    """What the index says, asked past the tool."""
    with closing(Database(parse_database(place))) as database:
        return [rows(database, question) for question in QUESTIONS]


def test_old_index_is_upgraded_with_its_decisions(maker: Maker, tmp_path: Path) -> None:
    """`db upgrade` opens it; decisions, scores, removals, images, thumbnails, pins and verdicts are what they were, and
    so are its profiles, with the built-in ones that it lacked behind them."""
    place = maker.place(tmp_path)
    make_index(place)
    before = answers(place)
    assert [len(rows) for rows in before] == [18, 10, 8, 13, 12, 3, 4, 1]
    assert upgrade_database(place).revision == head_revision()
    after = answers(place)
    lacked = [row[1:] for row in after[PROFILES][len(before[PROFILES]) :]]
    assert lacked == [(profile.name, profile.digest, False) for profile in (COLOUR, LEARNED)]
    del after[PROFILES][len(before[PROFILES]) :]
    assert after == before
    with closing(open_database(place)) as database:
        assert check_database(database).problems == ()
        decided = rows(
            database,
            "SELECT verdict, COUNT(*) FROM audit_decisions WHERE state = 'ready' GROUP BY verdict ORDER BY verdict",
        )
        assert decided == [("keep", 5)]


@pytest.mark.parametrize("chosen", [0o600, 0o640, 0o644])
def test_rights_stay(tmp_path: Path, chosen: int) -> None:
    """An upgrade changes nothing of who may read the index; the lock that it makes is closed to others."""
    old_index = tmp_path / "indexer.db"
    make_index(str(old_index))
    old_index.chmod(chosen)
    upgrade_database(str(old_index))
    files = (old_index, Path(f"{old_index}.lock"))
    assert [file.stat().st_mode & 0o777 for file in files] == [chosen, 0o600]
