"""export: complete or not there, nothing overwritten, the index and the images as they were."""

import csv
import errno
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import CameraError, FolderError, ImageError, UsageError
from indexer.files import io_steps, new_output
from indexer.store.tables import Base
from indexer.workflows.export.export import ExportReport, export
from indexer.workflows.export.formats import NO_FILE, NO_LINE, NOT_UTF8, OUTSIDE, ROW_KEYS
from tests.support.databases import on_sqlite, rows
from tests.support.index import BIRD, CAR, Index, name, picture, prepared

ODD = os.fsdecode(b"odd\xff\n\r-1623844980000.png")


@prepared
def lot(index: Index) -> None:
    """Kept: an empty frame, one with a car, a yard and an odd name; removed: two empty frames, one of them purged."""
    index.put(name(0), picture())
    index.put(name(1), picture(stamp=1))
    index.put(name(2), picture(BIRD, stamp=2))
    index.put(name(3), picture(CAR))
    index.put(name(0, "yard"), picture(CAR, stamp=4))
    index.put(ODD, picture(CAR, stamp=5))
    index.ingest()
    index.compare()
    index.prune()


def state(index: Index) -> tuple[Any, ...]:
    """All rows of the index, and all files with their bytes and times."""
    tables = sorted(table.name for table in Base.metadata.sorted_tables)
    files = [path for path in sorted(index.folder.parent.rglob("*.png")) if "out" not in path.parts]
    stored = [sorted(map(repr, rows(index.database, f"SELECT * FROM {table}"))) for table in tables]
    return stored, [(path, path.read_bytes(), path.stat().st_mtime_ns) for path in files]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for exports."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def written(out: Path) -> dict[str, bytes]:
    """All files of a folder with their bytes."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("format", ["nul", "csv", "jsonl", "coco", "fiftyone", "dvc", "tree", "imagefolder"])
def test_only_the_target_is_written(lot: Index, out: Path, format: str) -> None:
    """Whatever the format: afterwards the index and all images are as they were, and nothing unfinished is left."""
    before = state(lot)
    report = export(lot.database, format, str(out / "it"), which="all")
    assert report.exported + report.left_out.total() == 6
    assert report.failures == []
    assert state(lot) == before
    assert os.listdir(out) == ["it"]
    with pytest.raises(FolderError, match="nothing is overwritten"):
        export(lot.database, format, str(out / "it"))


def test_rows_tell_why(lot: Index, out: Path) -> None:
    """A row has the image, its decision, the image that stands for it, and where the file is now."""
    export(lot.database, "jsonl", str(out / "all.jsonl"), which="all")
    lines = [json.loads(line) for line in (out / "all.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [set(ROW_KEYS)] * 6
    kept = [line for line in lines if line["status"] == "kept"]
    assert {os.path.basename(line["path"]) for line in kept} >= {name(3), name(0, "yard"), ODD}
    assert all(line["file"] == line["path"] and line["keeper_path"] is None for line in kept)
    removed = [line for line in lines if line["status"] == "removed"]
    assert len(removed) == 2
    for line in removed:
        assert (line["reason"], line["score"] < line["max_score"], line["camera"]) == ("similar", True, "gate")
        assert line["keeper_path"] in {other["path"] for other in kept}
        assert Path(line["file"]).is_file()
        assert not Path(line["path"]).exists()


def test_lists_have_all_bytes_of_paths(lot: Index, out: Path) -> None:
    """A list with NUL has each path byte for byte; a CSV is UTF-8, and has a file URI for a path that is not."""
    assert export(lot.database, "nul", str(out / "list")).exported == 4
    listed = (out / "list").read_bytes().split(b"\0")
    assert listed.pop() == b""
    assert sorted(map(os.fsdecode, listed)) == sorted(map(str, lot.folder.glob("*.png")))
    export(lot.database, "csv", str(out / "kept.csv"))
    with (out / "kept.csv").open(encoding="utf-8", newline="") as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    assert [path for path in paths if path.startswith("file://")] == [
        f"file://{lot.folder}/odd%FF%0A%0D-1623844980000.png"
    ]


def test_data_sets_name_files(lot: Index, out: Path) -> None:
    """COCO and FiftyOne get each image with its path; a path that BSON cannot hold is left out and counted."""
    export(lot.database, "coco", str(out / "coco.json"))
    images = json.loads((out / "coco.json").read_bytes())["images"]
    assert {os.fsencode(image["file_name"]) for image in images} == {
        os.fsencode(path) for path in lot.folder.glob("*.png")
    }
    assert all((image["width"], image["height"]) == (96, 64) for image in images)
    report = export(lot.database, "fiftyone", str(out / "lot.json"), which="all")
    document = json.loads((out / "lot.json").read_bytes())
    assert (document["name"], len(document["samples"]), report.left_out) == ("lot", 5, {NOT_UTF8: 1})
    assert {tuple(sample["tags"]) for sample in document["samples"]} == {("kept",), ("removed",)}


def test_list_for_dvc(lot: Index, out: Path) -> None:
    """A list for DVC has paths below its own folder; what no line can hold, and what lies outside, is counted."""
    report = export(lot.database, "dvc", str(lot.folder / "list.txt"))
    lines = (lot.folder / "list.txt").read_text().splitlines()
    assert all((lot.folder / line).is_file() for line in lines)
    assert (len(lines), report.left_out) == (3, {NO_LINE: 1})
    assert export(lot.database, "dvc", str(out / "list.txt")).left_out == {OUTSIDE: 4}


@pytest.mark.parametrize("copies", [False, True])
def test_tree(lot: Index, out: Path, copies: bool) -> None:
    """A tree has each file whole under a name that can be shown; links are the same file, copies are not."""
    report = export(lot.database, "tree", str(out / "tree"), copies=copies)
    with (out / "tree" / "metadata.csv").open(encoding="utf-8", newline="") as file:
        described = {row["file_name"]: row["path"] for row in csv.DictReader(file)}
    files = written(out / "tree")
    del files["metadata.csv"]
    assert files.keys() == described.keys()
    assert report.exported == len(files) == 4
    assert sorted(files.values()) == sorted(path.read_bytes() for path in lot.folder.glob("*.png"))
    for exported, path in described.items():
        assert exported.isprintable()
        if not path.startswith("file://"):
            source, target = Path(path).stat(), (out / "tree" / exported).stat()
            assert os.path.samestat(source, target) is not copies
            assert source.st_mtime_ns == target.st_mtime_ns


def test_image_folder_has_one_part(lot: Index, out: Path) -> None:
    """A data set for `datasets` has numbered files in one part, so that no camera named `test` becomes another one."""
    export(lot.database, "imagefolder", str(out / "set"), which="all")
    files = written(out / "set")
    assert {os.path.dirname(path) for path in files} == {"train"}
    with (out / "set" / "train" / "metadata.csv").open(encoding="utf-8", newline="") as file:
        described = [row["file_name"] for row in csv.DictReader(file)]
    assert sorted([*(f"train/{name}" for name in described), "train/metadata.csv"]) == sorted(files)


@pytest.mark.parametrize("copies", [False, True])
def test_changed_files_are_left_out(lot: Index, out: Path, copies: bool) -> None:
    """A file that is gone, a link, or other bytes of the same size are left out and named; the others are exported."""
    gone, linked, changed = lot.folder / name(3), lot.folder / name(0, "yard"), lot.folder / ODD
    gone.unlink()
    content = changed.read_bytes()
    changed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    linked.rename(lot.folder / "elsewhere")
    linked.symlink_to("elsewhere")
    report = export(lot.database, "tree", str(out / "tree"), copies=copies)
    assert {path for path, _ in report.failures} == {str(gone), str(linked), str(changed)}
    assert report.exported == len(written(out / "tree")) - 1 == 1


def test_a_touched_file_is_exported(lot: Index, out: Path) -> None:
    """A file of which only the time changed is read, and exported, as its bytes are those that the index knows."""
    os.utime(lot.folder / name(3))
    report = export(lot.database, "tree", str(out / "tree"))
    assert (report.exported, report.failures) == (4, [])


def refuse(*_: object, **__: object) -> None:
    """A disk that another file cannot be linked to."""
    raise OSError(18, os.strerror(18))


def test_links_to_another_disk_are_refused(lot: Index, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a link cannot be, nothing is left, and the message says what to type."""
    monkeypatch.setattr(new_output.os, "link", refuse)
    with pytest.raises(FolderError, match="add --copy to export copies"):
        export(lot.database, "tree", str(out / "tree"))
    assert os.listdir(out) == []
    assert export(lot.database, "tree", str(out / "tree"), copies=True).exported == 4


def test_a_failure_leaves_nothing(lot: Index, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk fails or somebody interrupts, nothing is at the target, and the images are as they were."""
    before = state(lot)

    def interrupt(*_: object) -> Iterator[Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(io_steps, "open_to_read", interrupt)
        with pytest.raises(KeyboardInterrupt):
            export(lot.database, "tree", str(out / "tree"), copies=True)
    with monkeypatch.context() as patch:
        patch.setattr(new_output, "move_no_replace", refuse)
        with pytest.raises(FolderError, match="cannot be written"):
            export(lot.database, "csv", str(out / "kept.csv"))
    assert os.listdir(out) == []
    assert state(lot) == before


def test_purged_files_are_only_in_tables(lot: Index, out: Path) -> None:
    """The rows of purged files stay in tables, without a file; formats that need one count them."""
    lot.purge()
    export(lot.database, "csv", str(out / "removed.csv"), which="removed")
    with (out / "removed.csv").open(encoding="utf-8", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["", ""]
    report = export(lot.database, "tree", str(out / "tree"), which="removed")
    assert (report.exported, report.left_out) == (0, {NO_FILE: 2})


def test_restored_files_are_kept(lot: Index, out: Path) -> None:
    """A file that came back is exported as kept once it is decided, and once only."""
    lot.restore()
    lot.compare()
    report = export(lot.database, "nul", str(out / "kept"))
    assert (report.exported, report.waiting) == (6, 0)
    with pytest.raises(ImageError, match="no image is removed"):
        export(lot.database, "nul", str(out / "removed"), which="removed")


def test_only_one_camera(lot: Index, out: Path) -> None:
    """With a camera only its images are exported, and an unknown one is refused."""
    report = export(lot.database, "nul", str(out / "yard"), which="all", camera="yard")
    assert (report.exported, (out / "yard").read_bytes()) == (1, os.fsencode(lot.folder / name(0, "yard")) + b"\0")
    with pytest.raises(CameraError):
        export(lot.database, "nul", str(out / "x"), camera="nowhere")


def test_what_is_not_decided_is_counted(index: Index, out: Path) -> None:
    """Images that are not decided, and duplicates that are still there, are counted and not exported."""
    for number in range(3):
        index.put(name(number), picture(stamp=number))
    index.ingest()
    with pytest.raises(ImageError, match=r"first: .*compare"):
        export(index.database, "nul", str(out / "x"))
    index.compare()
    index.put(name(9), picture(CAR))
    index.ingest()
    report = export(index.database, "nul", str(out / "kept"))
    expected = ExportReport(str(out / "kept"), "nul", exported=1, undecided=1, waiting=2)
    assert report == expected


@on_sqlite
@pytest.mark.parametrize(
    ("words", "how", "sentence"),
    [
        (("xml", "out/x"), {}, "there is no format 'xml'; there are nul, csv"),
        (("nul", "out/x"), {"which": "both"}, "--which is 'both'; give kept, removed or all"),
        (("nul", "out/x"), {"copies": True}, "--copy is for tree and imagefolder; leave it out"),
        (("tree", "lot/tree"), {}, "the next ingest would take the files in again"),
        (("csv", "nowhere/x"), {}, "does not exist; make it first"),
        (("csv", "/"), {}, "is not the name of a new file or folder"),
    ],
)
def test_what_makes_no_sense_is_refused(
    lot: Index, out: Path, words: tuple[str, str], how: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown formats and choices, and targets that cannot be, are refused before anything is written."""
    monkeypatch.chdir(out.parent)
    format, target = words
    target = target.replace("lot/", f"{lot.folder}/")
    with pytest.raises((UsageError, FolderError)) as problem:
        export(lot.database, format, target, **how)
    assert sentence in str(problem.value)
    assert os.listdir(out) == []


def test_a_return_in_a_path_breaks_no_row(index: Index, out: Path) -> None:
    """A carriage return, which is UTF-8, is quoted: each reader of CSV finds the row whole, in lists and trees."""
    odd = index.put("odd\r-1623844980000.png", picture(CAR))
    index.ingest()
    index.compare()
    export(index.database, "csv", str(out / "kept.csv"))
    export(index.database, "tree", str(out / "tree"))
    for path in (out / "kept.csv", out / "tree" / "metadata.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            assert [row["path"] for row in csv.DictReader(file)] == [str(odd)]
        assert path.read_bytes().splitlines(keepends=True)[0].endswith(b"decided_at\n")


@pytest.mark.parametrize("copies", [False, True])
def test_an_interrupt_ends_the_export_at_once(
    lot: Index, out: Path, copies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while files are linked or copied ends it before the next file; meanwhile others can write to the index
    and no transaction is open; nothing is left."""
    before, done = state(lot), []
    step = "copy_file" if copies else "link_file"
    usual = getattr(new_output, step)

    def interrupted(*words: Any, **how: Any) -> None:
        done.append(lot.database.engine.pool.checkedout())  # type: ignore[attr-defined]
        usual(*words, **how)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(new_output, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        export(lot.database, "tree", str(out / "tree"), copies=copies)
    assert done == [0]
    assert os.listdir(out) == []
    assert state(lot) == before


def test_an_interrupt_ends_a_list_at_once(lot: Index, out: Path) -> None:
    """Ctrl-C while a list is written ends it, and nothing is left."""

    def progress(_stage: str, _total: int | None) -> Callable[[int], None]:
        return lambda _number: signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        export(lot.database, "csv", str(out / "kept.csv"), progress=progress)
    assert os.listdir(out) == []


def failing(step: Callable[..., Any], number: int, *, after: int) -> Callable[..., Any]:
    """A step that works so many times and then fails with an error of that number."""
    calls = []

    def call(*words: Any, **how: Any) -> Any:
        calls.append(words)
        if len(calls) > after:
            raise OSError(number, os.strerror(number))
        return step(*words, **how)

    return call


def test_a_read_error_leaves_no_part_of_a_copy(lot: Index, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stops being readable in its middle is named and is not in the tree; the others are whole."""
    monkeypatch.setattr(new_output.os, "read", failing(os.read, errno.EIO, after=1))
    report = export(lot.database, "tree", str(out / "tree"), copies=True)
    monkeypatch.undo()
    assert (report.exported, len(report.failures)) == (0, 4)
    assert {reason for _, reason in report.failures} == {"The file cannot be read: Input/output error."}
    assert list(written(out / "tree")) == ["metadata.csv"]


@on_sqlite
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("copies", [False, True])
def test_a_full_disk_ends_the_export(
    lot: Index, out: Path, copies: bool, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk of the target takes no more, the export ends at the first file that it refuses, and nothing is
    left."""
    before, tried = state(lot), []

    def full(*words: Any, **_: Any) -> None:
        tried.append(words)
        raise OSError(number, os.strerror(number))

    module, step = (new_output.io_steps, "sync_file") if copies else (new_output.os, "link")
    monkeypatch.setattr(module, step, full)
    with pytest.raises(FolderError, match="nothing was left there"):
        export(lot.database, "tree", str(out / "tree"), copies=copies)
    monkeypatch.undo()
    assert len(tried) == 1
    assert os.listdir(out) == []
    assert state(lot) == before


@on_sqlite
@pytest.mark.parametrize("copies", [False, True])
def test_a_tree_is_synced_before_it_gets_its_name(
    lot: Index, out: Path, copies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies, the table and all folders are synced before the tree gets its name, and the folder above after it."""
    events: list[tuple[str, bool]] = []

    def sync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        events.append((re.sub(r"\.partial-\w+", "", path).removeprefix(str(out)), (out / "tree").exists()))

    monkeypatch.setattr(new_output.os, "fsync", sync)
    export(lot.database, "tree", str(out / "tree"), copies=copies)
    monkeypatch.undo()
    copied = [f"/tree/{name}" for name in written(out / "tree") if name != "metadata.csv"] if copies else []
    names = ["/tree/metadata.csv", "/tree/images/gate", "/tree/images/yard", "/tree/images", "/tree"]
    expected = {(name, False) for name in (*copied, *names)} | {("", True)}
    assert {event for event in events if "lot" not in event[0]} >= expected
    assert [name for name, _ in events][-2:] == ["/tree", ""]


@on_sqlite
def test_targets_with_a_slash_and_names_with_a_dash(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slash at the end of the target changes nothing; a file whose name begins with a dash is no option for xargs."""
    lot.put("-x_20260301_120000.png", picture(CAR, stamp=9))
    lot.ingest()
    lot.compare()
    monkeypatch.chdir(lot.folder)
    report = export(lot.database, "dvc", "list/")
    lines = (lot.folder / "list").read_text().splitlines()
    assert (report.exported, report.left_out) == (len(lines), {NO_LINE: 1})
    assert any(line.startswith("./-x") for line in lines)
    assert all((lot.folder / line).is_file() and not line.startswith("-") for line in lines)
    export(lot.database, "fiftyone", "set.json/")
    assert json.loads((lot.folder / "set.json").read_bytes())["name"] == "set"
