"""Files that a database cannot hold, and files that changed unseen: each costs itself and no other."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.descriptions import FileDescription
from indexer.domain.names import clamped_mtime, name_image
from indexer.workflows.image_files import describe_file
from indexer.workflows.ingest import index_diff
from indexer.workflows.ingest import ingest as workflow
from tests.support import databases
from tests.support.index import BIRD, Index, name, picture

LATE_S = 10_413_792_000
"""2300-01-01, beyond what 64 bits hold in nanoseconds; ext4, XFS, btrfs, NTFS and memory hold it."""


def late(path: Path, second: int = LATE_S) -> None:
    """Dates a file; skips where the disk does not hold such a time."""
    os.utime(path, (second, second))
    if int(path.stat().st_mtime) != second:
        pytest.skip("this file system holds no time after 2262")


@given(st.integers())
def test_kept_times_fit_into_64_bits(mtime_ns: int) -> None:
    """Any time is kept as itself or as the nearest that fits, and what is not itself is no capture time."""
    kept = clamped_mtime(mtime_ns)
    assert -(2**63) <= kept < 2**63
    assert clamped_mtime(kept) == kept
    assert abs(kept - mtime_ns) == max(0, mtime_ns - (2**63 - 1), -(2**63) - mtime_ns)
    assert (name_image("/a/x.png", root="/a", mtime_ns=mtime_ns).captured_at is None) == (
        not -(2**63) < mtime_ns < 2**63 - 1
    )


def test_file_of_a_late_date_is_taken_in(index: Index) -> None:
    """A camera's clock that is centuries ahead costs nothing: the file is an image, without a time, and unchanged."""
    late(index.put("a.png", picture()))
    index.put("b.png", picture(BIRD))
    assert index.ingest().outcomes == {"added": 2}
    assert index.ingest().outcomes == {"unchanged": 2}
    found = index.rows("SELECT captured_at, captured_at_source FROM images ORDER BY path")
    assert (found[0], found[1][1]) == ((None, None), "mtime")
    late(index.folder / "b.png", LATE_S + 1)
    assert index.ingest().outcomes == {"unchanged": 2}


def test_late_file_is_compared_removed_and_restored(index: Index) -> None:
    """Such a file goes the way of all others, and comes back with its own time."""
    index.put(name(0), picture())
    path = index.put(name(1), picture(stamp=1))
    late(path)
    index.ingest()
    index.compare()
    before = index.tree()
    assert index.prune().removed == 1
    assert not path.exists()
    index.restore()
    assert index.tree() == before
    assert index.ingest().outcomes == {"unchanged": 2}


def refuse(index: Index, when: str) -> None:
    """From now on the database takes no image row for which `when` is true, as it breaks a rule."""
    if index.database.path is not None:
        act = f"WHEN {when} BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    else:
        said = "RAISE 'not this one' USING ERRCODE = 'check_violation'"
        index.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {when} THEN {said}; END IF; RETURN NEW; END $$"
        )
        act = "FOR EACH ROW EXECUTE FUNCTION refuse()"
    index.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON images {act}")


def test_refused_row_costs_its_file_alone(index: Index) -> None:
    """A row that the database refuses is a counted outcome: its file is named, the others of its batch are taken in."""
    for minute in range(6):
        index.put(name(minute), picture(stamp=minute % 2))
    refuse(index, f"NEW.path LIKE '%{name(3)}'")
    report = index.ingest()
    assert report.outcomes == {"added": 5, "skipped": 1}
    assert [path for path, _ in report.refused] == [str(index.folder / name(3))]
    assert "not this one" in report.refused[0][1]
    assert index.ingest().outcomes == {"unchanged": 5, "skipped": 1}
    assert index.rows("SELECT outcome FROM runs") == [("done",), ("done",)]


@pytest.mark.parametrize("values", [{"width": 2**70}, {"height": -(2**70)}, {"state_reason": "\udcff"}])
def test_values_that_no_database_holds(
    index: Index, monkeypatch: pytest.MonkeyPatch, values: dict[str, object]
) -> None:
    """Whatever a worker may say of a file, the database's no to it is one file's and not the run's."""

    def odd(task: object) -> FileDescription:
        seen = describe_file(task)  # type: ignore[arg-type]
        return FileDescription(**{**vars(seen), **values}) if seen.path.endswith(name(1)) else seen

    monkeypatch.setattr(workflow, "describe_file", odd)
    for minute in range(3):
        index.put(name(minute), picture(stamp=minute))
    report = index.ingest()
    assert (report.outcomes, [path for path, _ in report.refused]) == (
        {"added": 2, "skipped": 1},
        [str(index.folder / name(1))],
    )


def replace_unseen(path: Path, data: bytes) -> None:
    """Other bytes of the same number and with the same time."""
    before = path.stat()
    path.write_bytes(data + b"\0" * (before.st_size - len(data)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.fixture
def replaced(index: Index) -> Index:
    """Three like images of which one, and not the keeper, was replaced unseen."""
    for minute in range(3):
        index.put(name(minute), picture(stamp=minute) + b"\0" * 500)
    index.ingest()
    index.compare()
    replace_unseen(index.folder / name(2), picture(BIRD, stamp=9))
    return index


def test_again_reads_what_was_replaced_unseen(replaced: Index) -> None:
    """A file of other bytes with the size and time of the old ones is seen by `--again`, and is then a new image."""
    assert replaced.ingest().outcomes == {"unchanged": 3}
    assert replaced.ingest(again=True).outcomes == {"unchanged": 2, "changed": 1}
    assert [(file, state) for file, state, _ in replaced.states()][2:] == [(name(2), "missing"), (name(2), "ready")]


@pytest.mark.parametrize("which", [2, 0])
def test_again_reads_what_could_not_be_removed(replaced: Index, monkeypatch: pytest.MonkeyPatch, which: int) -> None:
    """A file that failed to go, or whose keeper changed, is read again also where the disk keeps no time of changes."""
    if which == 0:
        replace_unseen(replaced.folder / name(0), picture(stamp=8))
    replaced.prune(max_share=1.0)
    monkeypatch.setattr(index_diff, "ctime_s", lambda path: 0.0)
    assert replaced.ingest(again=True).outcomes["changed"] == (1 if which == 2 else 2)


def test_again_reads_a_file_that_is_named(replaced: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a person names is read, whatever the disk says of it."""
    monkeypatch.setattr(index_diff, "ctime_s", lambda path: 0.0)
    assert replaced.ingest(again=True).outcomes == {"unchanged": 3}
    assert replaced.ingest(replaced.folder / name(2), again=True).outcomes == {"changed": 1}


def test_failure_of_every_night_is_one_row(replaced: Index) -> None:
    """What prune cannot remove stays, and is written down once however often it is tried."""
    for _ in range(3):
        report = replaced.prune(max_share=1.0)
        assert (len(report.failures), report.changed_in) == (1, [str(replaced.folder)])
    failed = [row for row in replaced.removals() if row[1] == "failed"]
    assert failed == [(name(2), "failed")]
    assert (replaced.folder / name(2)).exists()
    replaced.ingest(again=True)
    replaced.compare()
    assert replaced.prune(max_share=1.0).failures == []


def test_another_failure_is_another_row(replaced: Index) -> None:
    """A file that cannot go for another reason than last time gets a row for it, and again for the first."""
    path = replaced.folder / name(2)
    data = path.read_bytes()
    replaced.prune(max_share=1.0)
    path.unlink()
    replaced.prune(max_share=1.0)
    path.write_bytes(data)
    replaced.prune(max_share=1.0)
    problems = [
        problem
        for (problem,) in databases.rows(
            replaced.database, "SELECT problem FROM removals WHERE state = 'failed' ORDER BY id"
        )
    ]
    assert len(problems) == 3
    assert problems[0] != problems[1] != problems[2]
