"""A camera that sends one and the same picture for a year: the work grows with the number of files, and no faster.

What is counted is work, not time: rows read, files looked at, pairs known.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.images import ImageState
from indexer.domain.names import Naming
from indexer.store import images
from indexer.store.images import KnownFile
from indexer.workflows.compare import decider
from indexer.workflows.ingest import equal_rows, ingest
from indexer.workflows.ingest.equal_rows import EqualRows
from tests.support.index import Index, name, picture

FILES = 300


class Counter:
    """Counts what calls of a function gave."""

    def __init__(self) -> None:
        self.total = 0

    def around(self, call: Callable[..., Any], *, measure: Callable[[Any], int] = lambda _: 1) -> Callable[..., Any]:
        """The function, counted."""

        def counted(*given: Any, **more: Any) -> Any:
            found = call(*given, **more)
            self.total += measure(found)
            return found

        return counted


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> dict[str, Counter]:
    """How many rows of equal bytes were read, how many files were looked at for them, how many pairs were known."""
    monkeypatch.setattr(ingest, "WRITE_BATCH_SIZE", 16)
    made = {word: Counter() for word in ("rows", "files", "pairs")}
    monkeypatch.setattr(images, "list_by_hash", made["rows"].around(images.list_by_hash, measure=len))
    monkeypatch.setattr(equal_rows, "is_still_at_path", made["files"].around(equal_rows.is_still_at_path))
    monkeypatch.setattr(decider, "Decision", made["pairs"].around(decider.Decision))
    return made


def test_ingest_looks_at_each_equal_file_once(index: Index, counters: dict[str, Counter]) -> None:
    """Of equal files, a few rows are read and a few files looked at again, whether they are new, or more of them."""
    for minute in range(FILES):
        index.put(name(minute), picture())
    assert index.ingest().outcomes == {"added": FILES}
    first = {word: counter.total for word, counter in counters.items()}
    for minute in range(FILES, 2 * FILES):
        index.put(name(minute), picture())
    assert index.ingest().outcomes == {"added": FILES, "unchanged": FILES}
    assert max(first.values()) < FILES
    assert counters["rows"].total <= first["rows"] + FILES
    assert counters["files"].total <= first["files"] + FILES


def test_compare_knows_only_keepers_of_equal_bytes(index: Index, counters: dict[str, Counter]) -> None:
    """Each equal file is compared by its bytes with the keeper alone: twice, as the keeper is new in this run."""
    for minute in range(FILES):
        index.put(name(minute), picture())
    index.ingest()
    index.compare()
    found = index.decisions()
    assert [found[name(minute)][:2] for minute in range(FILES)] == [("keep", None)] + [("duplicate", name(0))] * (
        FILES - 1
    )
    assert counters["pairs"].total == 2 * (FILES - 1)


def test_equal_files_move_and_come_back(index: Index, counters: dict[str, Counter]) -> None:
    """A folder of equal files that gets another name, or was away, keeps its rows, each file one."""
    for minute in range(FILES):
        index.put(f"day/{name(minute)}", picture())
    index.put(name(0, camera="other"), picture(stamp=1))
    index.ingest()
    (index.folder / "day").rename(index.folder / "night")
    assert index.ingest().outcomes == {"moved": FILES, "unchanged": 1}
    (index.folder / "night").rename(index.folder.parent / "away")
    assert index.ingest().missing == FILES
    (index.folder.parent / "away").rename(index.folder / "night")
    assert index.ingest().outcomes == {"returned": FILES, "unchanged": 1}
    assert counters["rows"].total <= 2.5 * FILES
    assert counters["files"].total <= 0.5 * FILES
    paths = [file for file, state, _ in index.states() if state == "ready"]
    assert sorted(paths) == sorted([name(0, camera="other"), *(f"night/{name(minute)}" for minute in range(FILES))])


def test_equal_files_that_lost_their_signal(index: Index, counters: dict[str, Counter]) -> None:
    """Files that are all replaced by one picture become new rows, and get their old rows back with their old bytes."""
    names = [name(minute) for minute in range(60)]
    for stamp, file in enumerate(names):
        index.put(file, picture(stamp=stamp))
    index.ingest()
    for file in names:
        index.put(file, picture(height=128, width=192))
    assert index.ingest().outcomes == {"changed": 60}
    for stamp, file in enumerate(names):
        index.put(file, picture(stamp=stamp))
    assert index.ingest().outcomes == {"returned": 60}
    assert [file for file, state, _ in index.states() if state == "ready"] == names
    assert counters["rows"].total <= 4 * len(names)
    assert counters["files"].total <= 2 * len(names)


def known(
    number: int, path: str, *, state: ImageState = ImageState.READY, camera: str = "gate", root: str = "/"
) -> KnownFile:
    """A row of one content."""
    return KnownFile(number, path, root, 4, 0, "hash", state, Naming(camera, "name", None, None))


def equal(*rows: KnownFile, gone: frozenset[int] = frozenset()) -> EqualRows:
    """These rows, as they lie on the disk."""
    found = EqualRows()
    for row in rows:
        found.add(row, is_gone=row.id in gone)
    return found


def test_own_row_before_a_loose_one() -> None:
    """What was away from a path comes back to it, removed or missing; each row is taken once."""
    rows = equal(
        known(1, "/b", state=ImageState.MISSING),
        known(2, "/a", state=ImageState.REMOVED),
        known(3, "/a", state=ImageState.MISSING),
    )
    taken = [rows.take_same_path("/a"), rows.take_same_path("/a"), rows.take_same_path("/a")]
    assert [row and row.id for row in taken] == [2, 3, None]
    assert [row and row.id for row in (rows.take_unplaced("gate"), rows.take_unplaced("gate"))] == [1, None]


def test_oldest_of_what_lies_nowhere() -> None:
    """The oldest row goes first; a removed one lies in quarantine, and is nobody's but its own path's."""
    rows = equal(
        known(4, "/none/4"),
        known(1, "/none/1", state=ImageState.REMOVED),
        known(3, "/none/3", state=ImageState.MISSING),
        known(2, "/none/2"),
        gone=frozenset({4}),
    )
    taken = [rows.take_unplaced("gate") for _ in range(4)]
    assert [row and row.id for row in taken] == [2, 3, 4, None]


def test_row_whose_file_is_there_is_nobodys(tmp_path: Path) -> None:
    """Bytes that lie where they were stay there, until other bytes are found there."""
    file = tmp_path / "a"
    file.write_bytes(b"1234")
    os.utime(file, ns=(0, 0))
    row = known(1, str(file), root=str(tmp_path))
    rows = equal(row)
    assert (rows.take_unplaced("gate"), rows.ready_count) == (None, 1)
    rows.mark_replaced(row)
    assert (rows.take_same_path("/elsewhere"), rows.ready_count) == (None, 0)
    assert rows.take_same_path(str(file)) is not None


def test_taken_row_is_not_displaced_from_where_it_was() -> None:
    """Bytes that were found elsewhere a moment ago are not given away once more."""
    row = known(1, "/none/1")
    rows = equal(row, gone=frozenset({1}))
    assert rows.take_unplaced("gate") == row
    rows.mark_replaced(row)
    assert (rows.take_unplaced("gate"), rows.take_same_path("/none/1")) == (None, None)


def test_folder_that_cannot_be_seen_keeps_its_rows() -> None:
    """Rows of another camera whose folder is away are not taken; those of the same camera, and those gone, are."""
    away = known(1, "/no such/1", camera="yard", root="/no such")
    assert equal(away).take_unplaced("gate") is None
    assert equal(away).take_unplaced("yard") == away
    assert equal(away, gone=frozenset({1})).take_unplaced("gate") == away
    assert equal(away).owner_cameras(paths=set(), cameras={"gate"}) == set()
    assert equal(away).owner_cameras(paths={"/no such/1"}, cameras={"yard"}) == {"yard"}
    missing = known(1, "/no such/1", camera="yard", root="/no such", state=ImageState.MISSING)
    assert equal(missing).owner_cameras(paths={"/no such/1"}, cameras=set()) == {"yard"}


def test_row_that_moved_is_not_given_away_again(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that got another name and a copy keeps its row, and the copy gets one, however far apart they are met."""
    monkeypatch.setattr(ingest, "WRITE_BATCH_SIZE", 2)
    index.put("a.png", picture())
    index.ingest()
    (index.folder / "a.png").rename(index.folder / "b.png")
    for number in range(5):
        index.put(f"c{number}.png", picture(stamp=number + 1))
    index.put("z.png", picture())
    assert index.ingest().outcomes == {"moved": 1, "added": 6}
    assert sorted(file for file, state, _ in index.states() if state == "ready") == sorted(
        path.name for path in index.folder.iterdir()
    )
