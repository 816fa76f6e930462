"""Images that an earlier version took in within system folders are counted on both databases, whatever the name."""

from collections.abc import Callable

from indexer.files.system_folders import LISTED_NAMES
from indexer.store import runs
from indexer.store.database import Database
from indexer.store.system_folders import count_in_system_folders
from tests.store.conftest import NOON

NAMES = [
    *LISTED_NAMES,
    "Trash-1000",
    "[recycle bin]",
    "recycled",
    "found.000",
    "TRASH~1",
    "Network Recycle Bin 2",
    ".x\udce9",
]


def count(database: Database, before: int | None = None) -> int:
    """What the index counts."""
    with database.read() as session:
        return count_in_system_folders(session, before=before)


def test_every_name_is_counted(database: Database, add: Callable[..., int]) -> None:
    """Each image below such a folder is counted once, in any letter case; none of those outside is."""
    for number, folder in enumerate(NAMES):
        add(f"/frames/gate/{folder}/files/{number}.png")
        add(f"/frames/gate/{folder.swapcase()}/{number}.png")
    for folder in ("gate", "#1", "snapshots", "@home", "recycling-centre", ".pool-of-nobody.png"):
        add(f"/frames/{folder}" if folder.endswith(".png") else f"/frames/{folder}/a.png")
    add("/frames/.snapshot/broken.png", state="damaged")
    assert count(database) == 2 * len(NAMES)


def test_what_the_last_ingest_counted_is_believed_if_it_was_none(database: Database, add: Callable[..., int]) -> None:
    """Nothing is looked for after an ingest that found none; after one of an earlier version, or one cut off, it is."""
    add("/frames/.snapshot/a.png")

    def ingested(counts: dict[str, int] | None) -> int:
        with database.write() as session:
            number = runs.start_run(session, "ingest", arguments={}, at=NOON)
            if counts is not None:
                runs.finish_run(session, number, outcome="done", counts=counts, at=NOON)
            return number

    last = [ingested(counts) for counts in ({"in_system_folders": 3}, {"in_system_folders": 0}, {}, None)]
    assert [count(database, before=number) for number in [*last, last[-1] + 1]] == [1, 1, 0, 1, 1]
