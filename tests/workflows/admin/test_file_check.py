"""db check --files: each kind of difference between a row and its file is found and named, and nothing is changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.domain.videos import VideoState
from indexer.files import manifest
from indexer.files.manifest import ManifestContents
from indexer.files.video_files import identify_video
from indexer.store import videos
from indexer.store.videos import NewVideo
from indexer.workflows.admin import file_check
from indexer.workflows.admin.file_check import FileCheck, check_files
from indexer.workflows.admin.file_findings import FindingKind
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
    "a stranger in quarantine": (
        lambda index: quarantined(index).with_name("x.png").write_bytes(b"x"),
        False,
        FindingKind.UNKNOWN,
    ),
    "a stranger beside the files of a run": (
        lambda index: (quarantined(index).parents[1] / "x.png").write_bytes(b"x"),
        False,
        FindingKind.UNKNOWN,
    ),
    "a stranger beside the runs": (
        lambda index: (quarantined(index).parents[2] / "x.png").write_bytes(b"x"),
        False,
        FindingKind.UNKNOWN,
    ),
    "a folder of strangers": (
        lambda index: (
            (quarantined(index).parents[2] / "a/b").mkdir(parents=True)
            or (quarantined(index).parents[2] / "a/b/x.png").symlink_to("y")
        ),
        False,
        FindingKind.UNKNOWN,
    ),
    "quarantine away": (
        lambda index: os.rename(quarantined(index).parents[1], quarantined(index).parents[3] / "away"),
        False,
        FindingKind.QUARANTINE_MISSING,
    ),
}


INGEST = "for all of its folder, also new files: manage.py ingest {}"
DISK, BACKUP = (
    "look at its rights and at its disk",
    "look at its disk, and bring the file back from a backup of your own",
)
ADVICE: dict[FindingKind, Callable[[Index], tuple[str, ...]]] = {
    FindingKind.MISSING: lambda index: (INGEST.format(index.folder),),
    FindingKind.CHANGED: lambda index: (
        f"for the file alone: manage.py ingest {kept(index)}",
        INGEST.format(index.folder),
    ),
    FindingKind.OTHER_BYTES: lambda index: (BACKUP,),
    FindingKind.UNREADABLE: lambda index: (DISK,),
    FindingKind.TAKEN_OUT: lambda index: (
        "if it lies elsewhere now, take that folder in with ingest; the next purge notes it as gone",
    ),
    FindingKind.QUARANTINED_CHANGED: lambda index: (BACKUP,),
    FindingKind.UNKNOWN: lambda index: ("look at it, and move it out of the quarantine",),
    FindingKind.QUARANTINE_MISSING: lambda index: (
        "mount its disk, if that is not mounted",
        f"if it was deleted: manage.py purge --gone {quarantined(index).parents[2]}",
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
    assert all(finding.kind is kind and finding.reason.endswith(".") for finding in found.findings)
    assert {finding.advice for finding in found.findings} == {ADVICE[kind](pruned)}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda old: old, "The file has the same bytes, but another time."),
        (lambda old: old[::-1], "The file was written to: it has other bytes, and another time."),
    ],
)
def test_bytes_say_what_another_time_means(pruned: Index, content: Callable[[bytes], bytes], reason: str) -> None:
    """With `hashes` a file with another time is read, and the reason says whether its bytes are the same."""
    kept(pruned).write_bytes(content(kept(pruned).read_bytes()))
    os.utime(kept(pruned), (1, 1))
    (finding,) = check_files(pruned.database, hashes=True).findings
    assert (finding.kind, finding.reason) == (FindingKind.CHANGED, reason)


@pytest.fixture
def cameras(index: Index) -> Path:
    """A folder with two cameras: `gate` with images in two folders below it, and `yard`."""
    for number, folder in enumerate(("gate/d1", "gate/d2", "yard")):
        index.put(f"{folder}/{name(number)}", picture(stamp=number))
    index.ingest()
    return index.folder


def test_a_renamed_folder_and_a_lost_file_need_other_steps(index: Index, cameras: Path) -> None:
    """Of a renamed folder `relocate` names that folder, not those below; of a lost file only `ingest` is proposed."""
    (cameras / "gate").rename(cameras / "front")
    next((cameras / "yard").iterdir()).unlink()
    ingest = f"for all of its folder, also new files: manage.py ingest {cameras}"
    renamed = (
        "mount its disk, if that is not mounted",
        f"if '{cameras}/gate' was renamed or moved: manage.py relocate {cameras}/gate NEW",
        f"if its files were deleted, {ingest}",
    )
    found = check_files(index.database, hashes=False).findings
    assert [finding.advice for finding in found] == [renamed, renamed, (ingest,)]
    cameras.rename(cameras.with_name("moved"))
    away = f"if '{cameras}' was renamed or moved: manage.py relocate {cameras} NEW"
    assert {finding.advice for finding in check_files(index.database, hashes=False).findings} == {(renamed[0], away)}


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


def test_all_pages_are_looked_at(index: Index) -> None:
    """Rows beyond the first page are looked at, too."""
    for minute in range(5):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    assert check_files(index.database, hashes=False, page=2).images == 5


def add_video(index: Index, path: Path) -> None:
    """Adds the row of a video file that was read, without frames."""
    with path.open("rb") as file:
        identity = identify_video(file)
    facts = (identity.size_bytes, identity.mtime_ns, identity.fingerprint, VideoState.READ)
    with index.database.write() as session:
        videos.add_video(session, NewVideo(str(path), str(path.parent), "gate", "name", *facts), run_id=1)


def test_only_quarantines_and_runs_are_searched(pruned: Index) -> None:
    """A run that was moved to a folder of other files is searched, and that folder is not."""
    run, other = quarantined(pruned).parents[1], pruned.folder.parent / "other"
    moved = other / run.name
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    run.rename(moved)
    pruned.execute(f"UPDATE removals SET quarantine_path = replace(quarantine_path, '{run}', '{moved}')")
    assert check_files(pruned.database, hashes=False).counts == {}
    (moved / "manifest.jsonl").unlink()
    assert check_files(pruned.database, hashes=False).counts == {}


def test_videos_are_looked_at(index: Index) -> None:
    """A video that is gone, or has other bytes, is found by its row, page by page; one that is missing has no file."""
    index.put(FILES[0], picture())
    index.ingest()
    for number, path in enumerate(("a.mp4", "b.mp4", "c.mp4")):
        add_video(index, index.put(path, bytes(1000) + bytes([number])))
    assert check_files(index.database, hashes=True, page=1) == FileCheck(1, 3, 0, True, {}, ())
    (index.folder / "a.mp4").unlink()
    flip_bytes(index.folder / "b.mp4")
    found = check_files(index.database, hashes=True)
    assert found.counts == {FindingKind.MISSING: 1, FindingKind.OTHER_BYTES: 1}
    index.execute("UPDATE videos SET missing_reason = 'not found' WHERE path LIKE '%a.mp4'")
    assert check_files(index.database, hashes=False).counts == {}


def test_a_prune_beside_the_check_is_no_finding(pruned: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another command removes while the manifests are read has a row in the end."""
    real, removed = manifest.read, list[int]()

    def read(folder: str) -> ManifestContents:
        monkeypatch.setattr(manifest, "read", real)
        pruned.put(name(7), picture(stamp=7))
        pruned.ingest()
        pruned.compare()
        removed.append(pruned.prune().removed)
        return real(folder)

    monkeypatch.setattr(manifest, "read", read)
    found = check_files(pruned.database, hashes=False)
    assert removed == [1]
    assert FindingKind.UNKNOWN not in found.counts
