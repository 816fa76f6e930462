"""db check --files: each kind of difference between a row and its file is found and named, and nothing is changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.workflows.admin import file_check
from indexer.workflows.admin.file_check import FindingKind, check_files
from indexer.workflows.admin.health import check
from tests.support.index import CAR, Index, name, picture

FILES = [name(minute) for minute in range(4)]


@pytest.fixture
def pruned(index: Index) -> Index:
    """Four images of which the second and the fourth were removed, into a quarantine."""
    for file, marks in zip(FILES, [(), (), (CAR,), (CAR,)], strict=True):
        index.put(file, picture(*marks, stamp=FILES.index(file)))
    index.ingest()
    index.compare()
    assert index.prune().removed == 2
    return index


def quarantined(index: Index) -> Path:
    """The path of the first file in quarantine."""
    return Path(index.rows("SELECT quarantine_path FROM audit_removals WHERE quarantine_path IS NOT NULL")[0][0])


def flip_bytes(path: Path) -> None:
    """Other bytes with the size and time of before, as a failing disk makes them."""
    status = path.stat()
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def append(path: Path) -> None:
    """A longer file."""
    path.write_bytes(path.read_bytes() + b"more")


def kept(index: Index) -> Path:
    """A present image."""
    return index.folder / FILES[0]


DAMAGES: dict[str, tuple[Callable[[Index], object], bool, FindingKind]] = {
    "deleted": (lambda index: kept(index).unlink(), False, FindingKind.MISSING),
    "longer": (lambda index: append(kept(index)), False, FindingKind.CHANGED),
    "other time": (lambda index: os.utime(kept(index), (1, 1)), False, FindingKind.CHANGED),
    "other bytes": (lambda index: flip_bytes(kept(index)), True, FindingKind.OTHER_BYTES),
    "a folder": (lambda index: (kept(index).unlink(), kept(index).mkdir()), False, FindingKind.MISSING),
    "taken out": (lambda index: quarantined(index).unlink(), False, FindingKind.TAKEN_OUT),
    "longer in quarantine": (lambda index: append(quarantined(index)), False, FindingKind.QUARANTINED_CHANGED),
    "other bytes in quarantine": (lambda index: flip_bytes(quarantined(index)), True, FindingKind.QUARANTINED_CHANGED),
    "quarantine away": (
        lambda index: os.rename(quarantined(index).parents[1], quarantined(index).parents[3] / "away"),
        False,
        FindingKind.QUARANTINE_MISSING,
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_difference_is_found(pruned: Index, damage: str) -> None:
    """Each is of its kind, and without it nothing is found; what only bytes show is found with `hashes` alone."""
    act, needs_bytes, kind = DAMAGES[damage]
    assert check_files(pruned.database, hashes=True).counts == {}
    act(pruned)
    if needs_bytes:
        assert check_files(pruned.database, hashes=False).counts == {}
    found = check_files(pruned.database, hashes=needs_bytes)
    assert set(found.counts) == {kind}
    assert all(finding.kind is kind and finding.reason.endswith(".") and finding.advice for finding in found.findings)


def test_a_check_changes_nothing(pruned: Index) -> None:
    """Neither a file nor a row is another afterwards, and no run is recorded."""
    kept(pruned).unlink()
    files = {path: path.stat().st_mtime_ns for path in pruned.folder.parent.rglob("*")}
    before = pruned.rows("SELECT id, state, state_reason FROM images"), pruned.rows("SELECT id FROM runs")
    report = check(pruned.database, hashes=True)
    assert not report.found_nothing
    assert (pruned.rows("SELECT id, state, state_reason FROM images"), pruned.rows("SELECT id FROM runs")) == before
    assert {path: path.stat().st_mtime_ns for path in files if path.is_file()} == {
        path: time for path, time in files.items() if path.is_file()
    }


def test_a_report_names_some_and_counts_all(pruned: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is away makes no report of a million paths."""
    monkeypatch.setattr(file_check, "SHOWN_PER_KIND", 1)
    for file in (FILES[0], FILES[2]):
        (pruned.folder / file).unlink()
    report = check_files(pruned.database, hashes=False)
    assert report.counts == {FindingKind.MISSING: 2}
    assert len(report.findings) == 1
    assert f"relocate {pruned.folder} NEW" in report.findings[0].advice


def test_all_pages_are_looked_at(index: Index) -> None:
    """Rows beyond the first page are looked at, too."""
    for minute in range(5):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    assert check_files(index.database, hashes=False, page=2).images == 5
