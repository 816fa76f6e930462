"""db copy: from either kind of database to either, all rows of one moment, or none; and work goes on with them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import DatabaseError, IndexerError, InterruptedRunError, UsageError
from indexer.store.database import Database, parse_database
from indexer.store.schema import SchemaState, migrate, open_database, schema_state
from indexer.store.tables import Base
from indexer.store.transfer import rows as rows_of
from indexer.store.transfer.rows import TableContents, TableWriter
from indexer.workflows.admin import copy_index
from indexer.workflows.admin.copy_index import CopyReport
from indexer.workflows.context import Advance, Progress, no_progress
from indexer.workflows.review import explain
from tests.support import databases
from tests.support.brute_force import assert_promises
from tests.support.databases import Maker
from tests.support.index import BIKE, BIRD, CAR, Index, Ticking, name, picture, prepared
from tests.support.video_rows import add_recording_rows, add_video_rows

Copied = Callable[..., Index]


@pytest.fixture
def target(other_maker: Maker, tmp_path: Path) -> str:
    """Where the copy goes: a database of each kind that is not there yet, or empty."""
    return other_maker.place(tmp_path)


@pytest.fixture
def copied(target: str) -> Iterator[Copied]:
    """Copies an index and opens the copy."""
    opened: list[Database] = []

    def make(index: Index) -> Index:
        copy(index, target)
        opened.append(open_database(target))
        return Index(opened[-1], index.folder, index.clock)

    yield make
    for database in opened:
        database.close()


@prepared
def busy(index: Index) -> None:
    """An index with rows in every table: all verbs were used on it, and names that are not UTF-8."""
    for camera in ("gate", "caf\udce9"):
        for minute, marks in enumerate([(), (BIRD,), (CAR,), (BIKE,), (), (CAR, BIRD)]):
            index.put(f"{camera}/{name(minute, 'gate')}", picture(*marks, stamp=minute))
    index.put("broken.png", b"\x89PNG")
    index.make_profile("mine", max_score=1234.5678901234567)
    index.ingest(camera="gate")
    index.compare()
    index.prune()
    index.restore(index.folder / f"gate/{name(1)}")
    index.judge(f"gate/{name(0)}", f"gate/{name(2)}", "different", note="Ã–mer; \N{SNOWMAN}\n'\"")
    index.compare(profile="plain")
    index.compare(profile="balanced")
    ((path,), *_) = index.rows("SELECT path FROM images WHERE state = 'ready' AND path LIKE '/%' ORDER BY path")
    add_video_rows(index.database, index.folder / "caf\udce9.mp4", image=Path(path))
    add_recording_rows(index.database, image=Path(path))
    index.execute(
        "INSERT INTO findings (camera_id, kind, region, opened_at, since, strength, evidence, run_id) "
        "SELECT id, 'moved', '', '2026-01-02 00:00:00.000000', '2026-01-01 00:00:00.000000', 1.5, '{}', 1 FROM cameras"
    )
    index.execute("INSERT INTO signatures SELECT image_id, preparation_id, data FROM thumbnails")
    index.execute("INSERT INTO open_images SELECT MIN(id) FROM images WHERE state = 'ready'")  # as if it lost something
    index.execute("INSERT INTO twins SELECT MIN(id), MAX(id) FROM images WHERE state = 'ready'")


def copy(index: Index, target: str, *, progress: Progress = no_progress) -> CopyReport:
    """Copies an index, as the command does."""
    source = index.database.url.render_as_string(hide_password=False)
    return copy_index.copy(source, target, clock=Ticking(), progress=progress)


def at_stage(stage: str, act: Callable[[], Any]) -> Progress:
    """A progress that does something when a stage has begun."""

    def begin(begun: str, _total: int | None) -> Advance:
        if begun == stage:
            act()
        return lambda _count: None

    return begin


def is_empty(target: str) -> bool:
    """Whether there is nothing at all in a database."""
    with closing(Database(parse_database(target))) as database, database.read() as session:
        return schema_state(session.connection()) is SchemaState.EMPTY


def interrupt() -> None:
    """Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def fail() -> None:
    """An error of ours."""
    raise IndexerError("enough")


def test_every_row_arrives(busy: Index, copied: Copied) -> None:
    """From either kind to either, every row of every table is in the copy, value for value."""
    before = busy.dump()
    assert all(before[table] for table in Base.metadata.tables.keys() - {"index_identity"})
    copy = copied(busy)
    assert copy.dump() == before == busy.dump()


def test_copy_is_an_index_of_its_own(busy: Index, copied: Copied) -> None:
    """A copy has an id that no other index has, and says which one it was copied from."""
    ((mine, _),) = busy.rows("SELECT id, copied_from FROM index_identity")
    ((other, copied_from),) = copied(busy).rows("SELECT id, copied_from FROM index_identity")
    assert (len(mine), len(other), copied_from) == (32, 32, mine)
    assert mine != other


def test_there_and_back(busy: Index, target: str, maker: Maker, tmp_path: Path) -> None:
    """Copied there and back again, an index is what it was, and so is every digest."""
    there = copy(busy, target)
    home = maker.place(tmp_path)
    back = copy_index.copy(target, home, clock=Ticking())
    with closing(open_database(home)) as database:
        assert Index(database, busy.folder).dump() == busy.dump()
    assert back.tables == there.tables
    assert there.rows == sum(map(len, busy.dump().values()))


def test_work_goes_on(busy: Index, copied: Copied) -> None:
    """With the copy the next files are taken in, decided, pruned and brought back as with the index itself."""
    index = copied(busy)
    for minute in range(10, 14):
        index.put(f"gate/{name(minute)}", picture(CAR if minute % 2 else BIKE, stamp=minute))
    assert index.ingest().outcomes["added"] == 4
    index.compare()
    assert_promises(index.rows, "balanced")
    index.prune()
    assert explain.explain_image(index.database, str(index.folder / f"gate/{name(12)}")).removals
    assert index.restore().failures == []
    assert [command for (command,) in index.rows("SELECT command FROM runs ORDER BY id")][-2:] == ["prune", "restore"]


def test_an_empty_index(index: Index, copied: Copied) -> None:
    """An index without an image can be copied and used as well."""
    copy = copied(index)
    assert copy.dump() == index.dump()
    copy.put(name(0), picture())
    assert copy.ingest().outcomes["added"] == 1


def test_one_moment(busy: Index, target: str) -> None:
    """What is written to the index while it is copied is not in the copy, in no table."""
    before = busy.dump()
    late = at_stage("copying images", lambda: (busy.put(name(50), picture(CAR)), busy.ingest(), busy.compare()))
    copy(busy, target, progress=late)
    with closing(open_database(target)) as database:
        assert Index(database, busy.folder).dump() == before != busy.dump()


@pytest.mark.parametrize("stage", ["copying images", "copying removals", "checking thumbnails"])
@pytest.mark.parametrize(("act", "said"), [(interrupt, InterruptedRunError), (fail, IndexerError)])
def test_a_cut_leaves_nothing(
    busy: Index, target: str, stage: str, act: Callable[[], None], said: type[Exception]
) -> None:
    """Cut off anywhere, there is no copy; the index is what it was, and copying it again works."""
    before = busy.dump()
    with pytest.raises(said):
        copy(busy, target, progress=at_stage(stage, act))
    assert is_empty(target)
    assert busy.dump() == before
    assert copy(busy, target).rows == sum(map(len, before.values()))


def test_ctrl_c_comes_between_rows(busy: Index, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while rows are on their way ends the copy with one sentence, which says that nothing is left."""
    monkeypatch.setattr(TableWriter, "add", lambda _self, _rows: interrupt())
    with pytest.raises(InterruptedRunError, match="nothing was copied") as said:
        copy(busy, target)
    assert said.value.exit_code == 130
    assert is_empty(target)


@pytest.mark.parametrize("spoiled", [{"rows": 0}, {"digest": "0"}])
def test_what_comes_back_otherwise_is_refused(
    busy: Index, target: str, spoiled: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the new database gives back other rows than were put in, there is no copy, and the tables are named."""
    real = rows_of.TableDigest.contents.fget
    assert real is not None

    def told(tally: rows_of.TableDigest) -> TableContents:
        found = real(tally)
        other = isinstance(tally, TableWriter) and found.table in {"scores", "pins"}
        return TableContents(**(vars(found) | spoiled)) if other else found

    monkeypatch.setattr(rows_of.TableDigest, "contents", property(told))
    with pytest.raises(DatabaseError, match="gave back other rows of pins, scores than were put in"):
        copy(busy, target)
    assert is_empty(target)


def test_an_older_index_is_to_be_upgraded_first(maker: Maker, target: str, tmp_path: Path) -> None:
    """An index of an older version is not copied; the sentence gives the command that upgrades it."""
    older = maker.place(tmp_path)
    with closing(Database(parse_database(older))) as database, database.write_connection() as connection:
        migrate(connection, revision="0003")
    with pytest.raises(DatabaseError, match=r"is of an older version; .* db upgrade"):
        copy_index.copy(older, target, clock=Ticking())
    assert is_empty(target)


def test_an_index_is_not_copied_over_another(busy: Index, index: Index, copied: Copied, target: str) -> None:
    """A second copy into the same place is refused, and the first stays as it is."""
    before = copied(busy).dump()
    busy.put(name(50), picture(CAR))
    busy.ingest()
    with pytest.raises(DatabaseError, match="with rows already"):
        copy(busy, target)
    with closing(open_database(target)) as database:
        assert Index(database, busy.folder).dump() == before


def test_progress_adds_up(busy: Index, target: str) -> None:
    """The bars of both passes reach their ends: every row is counted twice."""
    done: dict[str, list[int | None]] = {}

    def begin(stage: str, total: int | None) -> Advance:
        done[stage] = [total]
        return done[stage].append

    report = copy(busy, target, progress=begin)
    assert all(total == sum(filter(None, counts)) for total, *counts in done.values())
    assert sum(total or 0 for total, *_ in done.values()) == 2 * report.rows


def test_times_are_equal_to_the_microsecond(index: Index, copied: Copied) -> None:
    """A time with microseconds comes through every kind of database."""
    databases.execute(
        index.database,
        "INSERT INTO runs (command, arguments, version, started_at) VALUES ('a', '', '', ?)",
        datetime(2026, 1, 1, 12, 0, 0, 123456).isoformat(sep=" "),
    )
    assert copied(index).rows("SELECT started_at FROM runs") == [("2026-01-01 12:00:00.123456",)]


def test_onto_itself(index: Index) -> None:
    """An index is not copied onto itself, empty or not, and is what it was."""
    here = index.database.url.render_as_string(hide_password=False)
    before = index.dump()
    with pytest.raises(UsageError, match="would be copied onto itself; name another index"):
        copy_index.copy(here, here, clock=Ticking())
    assert index.dump() == before


def test_text_with_nul(index: Index, target: str) -> None:
    """Text of an early index that holds NUL, which no server can keep, goes over with U+FFFD in its place."""
    if index.database.path is None:
        pytest.skip("a server never holds NUL")
    index.put(name(0), picture())
    index.ingest()
    index.execute("UPDATE images SET state_reason = ?", "a\0b")
    copy(index, target)
    with closing(open_database(target)) as there:
        assert databases.rows(there, "SELECT state_reason FROM images") == [("a\ufffdb",)]
