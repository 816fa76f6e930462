"""ingest: every path in one outcome, unchanged files unopened, bytes that keep their row wherever they go."""

import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from indexer.errors import DatabaseError, FolderError, IndexerError, UsageError
from indexer.execution import processes
from indexer.store.columns import path_from_text
from indexer.store.database import Session
from indexer.store.schema import check_database
from indexer.workflows.admin.camera import confirm_camera
from indexer.workflows.ingest import ingest as workflow
from indexer.workflows.ingest.discovery import IngestRequest, discover
from tests.support.databases import fill_up, on_sqlite
from tests.support.index import BIKE, BIRD, CAR, SECOND_BIRD, Index, name, picture

Watch = Callable[[], AbstractContextManager[list[str]]]


def facts(index: Index) -> list[tuple[Any, ...]]:
    """All that is known of every image, its thumbnails included, but for numbers that depend on the order."""
    return index.rows(
        "SELECT path, root, camera.name, camera_source, captured_at, captured_at_source, image.width, image.height, "
        "file_size, mtime_ns, content_hash, sharpness, state, state_reason, preparation_id, data FROM images AS image "
        "JOIN cameras AS camera ON camera.id = camera_id LEFT JOIN thumbnails ON image_id = image.id ORDER BY path"
    )


def keep_nothing_new(index: Index, watch: Watch) -> None:
    """Asserts that ingesting again opens nothing and finds everything unchanged."""
    with watch() as opened:
        report = index.ingest()
    assert (opened, set(report.outcomes) - {"skipped"}) == ([], {"unchanged"})


def test_every_path_ends_in_one_outcome(index: Index) -> None:
    """What is seen is what the outcomes add up to, each path once, and the run remembers the same numbers."""
    (index.folder / "link.png").symlink_to(index.put(name(0), picture()))
    (index.folder / "pipe.png").mkdir()
    (index.folder / "a folder.png" / ".indexer-quarantine").mkdir(parents=True)
    for file, content in {
        name(1): picture(CAR),
        name(2): picture(CAR)[:900],
        name(3): b"no picture",
        name(4): picture(height=63),
        "notes.txt": b"",
        ".indexer-quarantine/run-1/1/" + name(5): picture(),
    }.items():
        index.put(file, content)
    os.mkfifo(index.folder / "fifo.png")
    report = index.ingest()
    outcomes = {"added": 2, "damaged": 1, "unreadable": 1, "too_small": 1, "skipped": 3}
    reasons = {"not an image name": 1, "symbolic link": 1, "not a regular file": 1}
    assert (report.seen, dict(report.outcomes), dict(report.skipped)) == (8, outcomes, reasons)
    assert report.endings == {".txt": 1}
    [(counts,)] = index.rows("SELECT counts FROM audit_runs")
    others = {"missing": 0, "skipped_by_reason": reasons, "folders_not_walked": {}, "in_system_folders": 0}
    assert json.loads(counts) == {"seen": 8} | others | outcomes


def test_unchanged_file_is_not_opened(index: Index, opened_images: Watch) -> None:
    """A second ingest opens no image and writes nothing but its run row."""
    for minute in range(5):
        index.put(name(minute), picture(stamp=minute))
    index.put(name(9), b"broken")
    with opened_images() as opened:
        index.ingest()
    assert len(opened) == 6
    before = index.dump(without=("runs",))
    keep_nothing_new(index, opened_images)
    assert index.dump(without=("runs",)) == before


def test_touched_file_is_unchanged(index: Index, opened_images: Watch) -> None:
    """Another modification time alone changes nothing but that time, and is looked into once."""
    path = index.put(name(0), picture())
    index.ingest()
    index.compare()
    before = index.dump(without=("runs", "images"))
    os.utime(path, ns=(5, 5))
    assert dict(index.ingest().outcomes) == {"unchanged": 1}
    assert index.rows("SELECT id, mtime_ns, state FROM images") == [(1, 5, "ready")]
    assert index.dump(without=("runs", "images")) == before
    keep_nothing_new(index, opened_images)


def test_changed_bytes_make_a_new_row(index: Index) -> None:
    """Changed bytes are a new image; the old row becomes missing and keeps its scores, decisions and pins."""
    index.put(name(0), picture())
    index.put(name(1), picture(BIRD))
    index.ingest()
    index.pin(name(0))
    index.compare()
    kept = {table: index.dump()[table] for table in ("scores", "decisions", "pins")}
    index.put(name(0), picture(CAR))
    assert dict(index.ingest().outcomes) == {"changed": 1, "unchanged": 1}
    assert index.states() == [
        (name(0), "missing", "replaced"),
        (name(1), "ready", None),
        (name(0), "ready", None),
    ]
    assert {table: index.dump()[table] for table in ("scores", "decisions", "pins")} == kept
    index.compare()
    assert index.decisions() == {name(0): ("keep", None, None), name(1): ("keep", None, None)}


@pytest.mark.parametrize("target", [f"other/{name(0)}", "other/new name.png"])
def test_moved_file_keeps_its_row(index: Index, target: str) -> None:
    """Bytes that moved keep their row, thumbnail and scores; nothing is added and nothing is missing."""
    path = index.put(f"here/{name(0)}", picture())
    index.put(f"here/{name(1)}", picture(BIRD))
    index.ingest()
    index.compare()
    kept = {table: index.dump()[table] for table in ("thumbnails", "scores")}
    (index.folder / "other").mkdir()
    path.rename(index.folder / target)
    report = index.ingest()
    assert (dict(report.outcomes), report.missing) == ({"moved": 1, "unchanged": 1}, 0)
    assert index.states() == [(target, "ready", None), (f"here/{name(1)}", "ready", None)]
    assert {table: index.dump()[table] for table in ("thumbnails", "scores")} == kept


def test_a_folder_that_is_away_loses_nothing_to_another_camera(index: Index) -> None:
    """Bytes of an image whose whole folder cannot be seen are a new image of another camera."""
    index.put(f"west/{name(0)}", picture())
    index.ingest(index.folder / "west")
    (index.folder / "west").rename(index.folder / "unplugged")
    index.put(f"east/{name(0, 'yard')}", picture())
    assert index.ingest(index.folder / "east").outcomes == {"added": 1}


def test_a_folder_that_is_away_is_asked_about(index: Index) -> None:
    """Where the camera's name is the same, a person says whether it is one camera; then equal bytes are that image."""
    index.put(f"west/{name(0)}", picture())
    index.ingest(index.folder / "west")
    (index.folder / "west").rename(index.folder / "unplugged")
    index.put(f"east/{name(0)}", picture())
    assert index.ingest(index.folder / "east").outcomes == {"skipped": 1}
    confirm_camera(index.database, "gate", clock=index.clock)
    assert index.ingest(index.folder / "east").outcomes == {"moved": 1}


def test_file_that_left_a_link_behind_has_moved(index: Index) -> None:
    """Bytes that moved keep their row where a link to them lies at the old path too."""
    path = index.put(name(0), picture())
    index.ingest()
    path.rename(index.folder / name(1))
    path.symlink_to(index.folder / name(1))
    report = index.ingest()
    assert (dict(report.outcomes), report.missing) == ({"skipped": 1, "moved": 1}, 0)
    assert index.states() == [(name(1), "ready", None)]


@pytest.mark.parametrize("one_run", [True, False])
def test_moved_file_keeps_its_decision(index: Index, one_run: bool) -> None:
    """A move between folders, seen in one run or only at its new place, leaves every decision as it was."""
    path = index.put(f"here/{name(0)}", picture())
    index.put(f"here/{name(1)}", picture(BIRD))
    (index.folder / "there").mkdir()
    index.ingest()
    index.compare()
    kept = index.dump()["decisions"]
    path.rename(index.folder / "there" / name(0))
    index.ingest(index.folder if one_run else index.folder / "there")
    assert index.compare().counts["decided"] == 0
    assert index.dump()["decisions"] == kept


def test_files_that_took_each_others_names_keep_their_rows(index: Index) -> None:
    """Where every file took its neighbour's name, rows and pins go with the bytes; only what is new is added."""
    for minute, marks in enumerate([(), (CAR,), (BIKE,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.pin(name(0))
    contents = [(index.folder / name(minute)).read_bytes() for minute in range(3)]
    for minute, content in enumerate([picture(BIRD), *contents]):
        index.put(name(minute), content)
    report = index.ingest()
    assert (dict(report.outcomes), report.missing) == ({"changed": 1, "moved": 3}, 0)
    assert index.states() == [(name(minute), "ready", None) for minute in (1, 2, 3, 0)]
    index.compare()
    [(pinned,)] = index.rows("SELECT path FROM audit_decisions WHERE reason = 'pinned'")
    assert index.file(pinned) == name(1)


def test_vanished_keeper_frees_its_duplicates(index: Index) -> None:
    """A file that is gone is missing, and the duplicates that it stood for are decided again."""
    first = index.put(name(0), picture())
    index.put(name(1), picture(BIRD))
    index.put(name(2), picture(stamp=1))
    index.ingest()
    index.compare()
    first.unlink()
    assert index.ingest().missing == 1
    assert index.states()[0] == (name(0), "missing", "not found")
    index.compare()
    assert index.decisions() == {name(1): ("keep", None, None), name(2): ("duplicate", name(1), 0.0)}


def test_returning_file_is_ready_again(index: Index) -> None:
    """A missing file that is back is ready in its old row, undecided, and decided like any other."""
    first = index.put(name(0), picture())
    index.put(name(1), picture(BIRD))
    index.ingest()
    index.compare()
    decided = index.decisions()
    content = first.read_bytes()
    first.unlink()
    index.ingest()
    index.compare()
    index.put(name(0), content)
    report = index.ingest()
    assert (dict(report.outcomes), report.undecided) == ({"returned": 1, "unchanged": 1}, 1)
    assert index.states() == [(name(0), "ready", None), (name(1), "ready", None)]
    index.compare()
    assert index.decisions() == decided


@pytest.mark.parametrize("by_copy", [True, False])
def test_bytes_back_at_the_path_of_a_removed_image(index: Index, by_copy: bool) -> None:
    """Bytes put back by hand make the removed row ready, undecided; the journal shows whether quarantine has them."""
    index.put(name(0), picture())
    index.put(name(1), picture(BIRD))
    index.ingest()
    index.compare()
    assert index.prune().removed == 1
    [(place,)] = index.rows("SELECT quarantine_path FROM audit_removals")
    (shutil.copy if by_copy else shutil.move)(place, index.folder / name(1))
    report = index.ingest()
    assert (dict(report.outcomes), report.undecided) == ({"returned": 1, "unchanged": 1}, 1)
    assert index.states() == [(name(0), "ready", None), (name(1), "ready", None)]
    assert index.removals() == [(name(1), "quarantined" if by_copy else "restored")]
    assert index.purge().purged == by_copy
    index.compare()
    assert index.decisions() == {name(0): ("keep", None, None), name(1): ("duplicate", name(0), 0.0)}


def test_another_camera_renames_without_opening(index: Index, opened_images: Watch) -> None:
    """`--camera` on known files moves them to that camera unopened, and they are decided again there."""
    for minute, marks in enumerate([(), (BIRD,), (CAR,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare()
    with opened_images() as opened:
        report = index.ingest(index.folder / name(1), index.folder / name(2), camera="yard")
    assert (opened, dict(report.outcomes), report.undecided) == ([], {"renamed": 2}, 2)
    index.compare()
    assert set(index.decisions().values()) == {("keep", None, None)}
    found = index.rows(
        "SELECT camera, camera_source, count(*) FROM audit_decisions JOIN images USING (path) GROUP BY 1, 2 ORDER BY 1"
    )
    assert found == [("gate", "name", 1), ("yard", "option", 2)]


def test_another_pattern_renames_without_opening(index: Index, opened_images: Watch) -> None:
    """`--pattern` on known files gives them its camera and time unopened; what it does not match stays."""
    for file in ("north_20210327_101500.png", "south_20210327_101600.png", name(0)):
        index.put(file, picture())
    index.ingest()
    with opened_images() as opened:
        report = index.ingest(pattern=r"^(?P<camera>[a-z]+)_(?P<timestamp>\d{8}_\d{6})")
    assert (opened, dict(report.outcomes), report.unmatched) == ([], {"renamed": 2, "unchanged": 1}, 1)
    assert index.rows("SELECT camera_source, captured_at, captured_at_source FROM images ORDER BY id") == [
        ("name", "2021-06-16 12:00:00.000000", "name"),
        ("pattern", "2021-03-27 10:15:00.000000", "pattern"),
        ("pattern", "2021-03-27 10:16:00.000000", "pattern"),
    ]


def test_keeper_of_another_time_may_lose_its_duplicates(index: Index) -> None:
    """Where a keeper is said to be of another time, its duplicates are decided again too: another may be nearer now."""
    index.put(f"20200101000000/{name(0)}", picture())
    index.put(name(9), picture(BIRD))
    index.put(name(20), picture(BIRD, SECOND_BIRD, height=128, width=192))
    index.ingest()
    index.compare()
    assert index.decisions()[name(9)] == ("duplicate", f"20200101000000/{name(0)}", 0.0)
    index.ingest(pattern=r"^(?P<timestamp>\d{14})/")
    index.compare()
    assert index.decisions()[name(9)] == ("duplicate", name(20), 0.0)


def test_path_decides_between_equal_bytes(index: Index) -> None:
    """Of two equal files of one time the smaller path is kept, after a move too."""
    for file in ("a.png", "b.png"):
        index.put(file, picture(), mtime_s=5)
    index.ingest()
    index.compare()
    (index.folder / "a.png").rename(index.folder / "c.png")
    index.ingest()
    index.compare()
    assert index.decisions() == {"b.png": ("keep", None, None), "c.png": ("duplicate", "b.png", 0.0)}


def test_names_given_by_a_person_stay(index: Index) -> None:
    """A camera once given holds in later runs without it, and where the bytes move or come back."""
    path = index.put(name(0), picture())
    index.put(name(1), picture(CAR))
    index.ingest(camera="yard")
    index.ingest()
    path.rename(index.folder / name(2))
    index.ingest()
    named = "SELECT name, camera_source, captured_at FROM images JOIN cameras ON cameras.id = camera_id"
    found = index.rows(f"{named} ORDER BY images.id")
    assert found == [("yard", "option", "2021-06-16 12:02:00.000000"), ("yard", "option", "2021-06-16 12:01:00.000000")]


@pytest.mark.parametrize("moved", [True, False])
def test_an_equal_file_elsewhere_is_not_of_a_named_camera(index: Index, moved: bool) -> None:
    """A new file with the bytes of one that is gone, of a camera that a person said, is of its own camera unless it
    is that file."""
    path = index.put(f"west/{name(0)}", picture())
    index.ingest(index.folder / "west", camera="yard")
    (index.folder / "east").mkdir()
    if moved:
        path.rename(index.folder / "east" / name(0))
    else:
        path.unlink()
        index.put(f"east/{name(0)}", picture())
    index.ingest(index.folder / "east")
    found = index.rows("SELECT path, name, state FROM images JOIN cameras ON cameras.id = camera_id ORDER BY images.id")
    rows = [(index.file(file), camera, state) for file, camera, state in found]
    east = f"east/{name(0)}"
    new = [(f"west/{name(0)}", "yard", "ready"), (east, "gate", "ready")]
    assert rows == ([(east, "yard", "ready")] if moved else new)


@pytest.mark.parametrize(
    ("files", "how", "kind"),
    [
        ([], {}, FolderError),
        (["notes.txt", "list.csv"], {}, FolderError),
        ([name(0)], {"pattern": r"(?P<camera>lot)_"}, FolderError),
        ([name(0)], {"pattern": r"gate-(\d+)"}, UsageError),
        ([name(0)], {"pattern": r"(?P<camera>"}, UsageError),
    ],
)
def test_request_without_images_is_refused(index: Index, files: list[str], how: dict[str, str], kind: type) -> None:
    """A folder without images, or a pattern that fits none, is refused before a database is asked for."""
    for file in files:
        index.put(file, picture())
    with pytest.raises(kind):
        discover([str(index.folder)], **how)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    """A path that is not there is refused with its name."""
    with pytest.raises(IndexerError, match="nowhere"):
        discover([str(tmp_path / "nowhere")])


def test_root_that_looks_empty_marks_nothing_missing(index: Index) -> None:
    """A root without any image, as an unmounted disk is, leaves its images as they were."""
    for minute, folder in enumerate(("disk", "other")):
        index.put(f"{folder}/{name(minute)}", picture(stamp=len(folder)))
    index.ingest(index.folder / "disk", index.folder / "other")
    (index.folder / "disk" / name(0)).unlink()
    report = index.ingest(index.folder / "disk", index.folder / "other")
    assert (dict(report.outcomes), report.missing) == ({"unchanged": 1}, 0)
    assert {state for _, state, _ in index.states()} == {"ready"}


def test_lone_file_marks_nothing_missing(index: Index) -> None:
    """Ingesting one file says nothing of its neighbours."""
    for minute in range(2):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    (index.folder / name(1)).unlink()
    assert index.ingest(index.folder / name(0)).missing == 0


def test_folder_that_cannot_be_listed_marks_nothing_missing(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images below a folder that may not be read are not missing; the folder is named, the rest goes on."""
    for file in (f"closed/deep/{name(0)}", "closed.png", name(2)):
        index.put(file, picture())
    index.ingest()
    (index.folder / name(2)).unlink()
    scandir, closed = os.scandir, str(index.folder / "closed")

    def refusing(path: str) -> Any:
        if os.fspath(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = index.ingest()
    assert (dict(report.outcomes), report.missing) == ({"unchanged": 1, "skipped": 1}, 1)
    assert report.refused == [(closed, "Permission denied")]
    assert sorted(index.states()) == [
        ("closed.png", "ready", None),
        (f"closed/deep/{name(0)}", "ready", None),
        (name(2), "missing", "not found"),
    ]


def test_file_that_cannot_be_read_costs_itself_alone(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is skipped with its reason; what was known at its path stays, others go on."""
    path = str(index.put(name(0), picture()))
    index.ingest()
    index.put(name(0), picture(CAR))
    index.put(name(1), picture(BIKE))
    opening = os.open

    def refusing(given: Any, *how: Any, **more: Any) -> int:
        if given == path:
            raise PermissionError(13, "Permission denied", given)
        return opening(given, *how, **more)

    monkeypatch.setattr(os, "open", refusing)
    report = index.ingest()
    assert (dict(report.outcomes), report.refused) == ({"skipped": 1, "added": 1}, [(path, "Permission denied")])
    assert index.states() == [(name(0), "ready", None), (name(1), "ready", None)]


HOSTILE = [
    b"two\nlines.png",
    b'it\'s "quoted" `$(rm)`; --.png',
    b"-rf.png",
    b"caf\xe9 \xff.png",
    "Straße 🚗 %20.png".encode(),
    b"back\\slash%_*?[a].png",
    b" spaced .png",
    b"file:.png",
    b"x" * 251 + b".png",
]


def test_hostile_names_survive_the_whole_job(index: Index) -> None:
    """Every name a disk can hold is the same after ingest, compare, prune and restore."""
    index.put("keeper.png", picture(), mtime_s=-1)
    for stamp, hostile in enumerate(HOSTILE):
        index.put(os.fsdecode(hostile), picture(stamp=stamp + 1))
    before = index.tree()
    index.ingest()
    index.compare()
    stored = {os.fsencode(os.path.basename(path_from_text(path))) for (path,) in index.rows("SELECT path FROM images")}
    assert stored == {b"keeper.png", *HOSTILE}
    report = index.prune()
    assert (report.removed, report.failures) == (len(HOSTILE), [])
    assert sorted(content for content in index.tree().values()) == sorted(before.values())
    assert [os.fsencode(path.name) for path in index.folder.iterdir()] == [b"keeper.png"]
    assert index.restore(*(index.folder / os.fsdecode(hostile) for hostile in HOSTILE)).restored == len(HOSTILE)
    assert index.tree() == before
    assert dict(index.ingest().outcomes) == {"unchanged": 1 + len(HOSTILE)}


def test_malformed_files_end_with_a_state(shared_data: Path, open_index: Callable[..., Index]) -> None:
    """Each malformed file becomes a row, with a reason unless it is ready, and none ends the run."""
    index = open_index(shared_data / "malformed")
    report = index.ingest()
    assert report.seen == sum(report.outcomes.values()) == len(list(index.folder.iterdir()))
    states = {file: (state, reason is not None) for file, state, reason in index.states()}
    assert len(states) + report.outcomes["skipped"] == report.seen
    assert set(states.values()) <= {("ready", False), ("unreadable", True), ("damaged", True), ("too_small", True)}
    assert states["truncated_jpeg.jpg"] == ("damaged", True)
    assert check_database(index.database).problems == ()


def test_interrupted_ingest_goes_on_where_it_stopped(index: Index, open_index: Callable[..., Index]) -> None:
    """Cut off after its first batch, a run leaves that batch; the next run ends where an undisturbed one does."""
    for minute in range(70):
        index.put(name(minute), picture(height=64, width=64, stamp=minute))

    def interrupting(_stage: str, _total: int | None) -> Callable[[int], None]:
        def advance(_count: int) -> None:
            raise KeyboardInterrupt

        return advance

    with pytest.raises(KeyboardInterrupt):
        index.ingest(progress=interrupting)
    assert index.rows("SELECT count(*), outcome FROM images, runs GROUP BY 2") == [(64, "interrupted")]
    assert dict(index.ingest().outcomes) == {"unchanged": 64, "added": 6}
    undisturbed = open_index(index.folder)
    undisturbed.ingest()
    assert facts(index) == facts(undisturbed)


def test_worker_processes_find_the_same(index: Index, open_index: Callable[..., Index]) -> None:
    """Two worker processes take in what one process does, in the same order."""
    for minute in range(12):
        index.put(name(minute), picture(stamp=minute) if minute % 3 else b"broken %d" % minute)
    index.ingest()
    other = open_index(index.folder)
    with processes(2) as spread:
        other.ingest(spread=spread)
    assert other.dump(without=("runs",)) == index.dump(without=("runs",))


def test_equal_bytes_at_two_paths_are_two_images(index: Index) -> None:
    """A copy is an image of its own, in its own row."""
    for minute in range(2):
        index.put(name(minute), picture())
    assert Counter(index.ingest().outcomes) == {"added": 2}
    assert index.states() == [(name(0), "ready", None), (name(1), "ready", None)]


def spoken(index: Index, **how: Any) -> Counter[str]:
    """How often each kind of statement is said to the database in an ingest."""
    said: Counter[str] = Counter()

    def listen(*call: Any) -> None:
        said[call[2].split()[0]] += 1

    event.listen(index.database.engine, "before_cursor_execute", listen)
    try:
        index.ingest(**how)
    finally:
        event.remove(index.database.engine, "before_cursor_execute", listen)
    return said


def test_questions_do_not_grow_with_the_files(index: Index) -> None:
    """A rerun asks as much about a hundred unchanged files in ten folders as about one, and writes its run alone."""
    index.put(name(0), b"no picture")
    index.ingest()
    few = spoken(index)
    for minute in range(1, 100):
        index.put(f"{minute // 10}/{name(minute)}", b"no picture")
    index.ingest()
    many = spoken(index)
    assert (many, many["INSERT"], many["UPDATE"]) == (few, 1, 1)


def test_statements_do_not_grow_with_the_new_files(index: Index) -> None:
    """A batch of new files is written with as many statements as one new file."""
    index.put(name(0), picture())
    index.ingest()
    index.put(name(1), picture(stamp=1))
    few = spoken(index)
    for minute in range(2, 40):
        index.put(name(minute), picture(stamp=minute))
    assert spoken(index) == few


def test_file_below_two_arguments_is_known_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a folder that can be walked by its own name alone are unchanged, not gone, when both are named."""
    inner = index.folder / "closed" / "open"
    for file in (f"closed/open/{name(0)}", name(1)):
        index.put(file, picture(stamp=len(file)))
    index.ingest()
    scandir, closed = os.scandir, str(index.folder / "closed")

    def refusing(path: str) -> Any:
        if os.fspath(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = index.ingest(index.folder, inner)
    assert (dict(report.outcomes), report.missing) == ({"skipped": 1, "unchanged": 2}, 0)


def test_writing_goes_on_beside_reading(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one batch is written the next files are read; each batch is reported when it is written, and in order."""
    monkeypatch.setattr(workflow, "WRITE_BATCH_SIZE", 2)
    events: list[tuple[str, int]] = []
    store, describe = workflow.upsert_images, workflow.describe_file
    reading = threading.Event()

    def slow_store(session: Session, contents: list[Any], **how: Any) -> Any:
        assert events or reading.wait(10)  # for the third file, which nobody would read if that had to wait
        return store(session, contents, **how)

    def seen(task: Any) -> Any:
        if task.path.endswith(name(2)):
            reading.set()
        return describe(task)

    monkeypatch.setattr(workflow, "upsert_images", slow_store)
    monkeypatch.setattr(workflow, "describe_file", seen)
    for minute in range(5):
        index.put(name(minute), picture(stamp=minute))
    index.ingest(progress=lambda _stage, _total: lambda count: events.append(("told", count)))
    assert [number for kind, number in events if kind == "told"] == [2, 2, 1]
    assert [file for file, _, _ in index.states()] == [name(minute) for minute in range(5)]


def test_batch_that_cannot_be_written_ends_the_run(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails ends the run with its problem, what was written before stays, and the run is marked."""
    monkeypatch.setattr(workflow, "WRITE_BATCH_SIZE", 2)
    for minute in range(6):
        index.put(name(minute), picture(stamp=minute))
    fill_up(index.database, "images", f"NEW.path LIKE '%{name(3)}'")
    with pytest.raises(DatabaseError, match="the disk is full"):
        index.ingest()
    assert [file for file, _, _ in index.states()] == [name(0), name(1)]
    assert index.rows("SELECT outcome FROM runs") == [("failed",)]


@on_sqlite  # on a server a name also tells whose right to write is needed
def test_no_camera_profile_no_second_naming(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no camera has a profile of its own, files are sent to the workers with no more work than before."""
    index.put(name(0), picture())
    named: list[str] = []
    naming = IngestRequest.naming
    monkeypatch.setattr(
        IngestRequest, "naming", lambda self, one, **how: named.append(one.path) or naming(self, one, **how)
    )
    index.ingest()
    assert len(named) == 1
    assert index.rows("SELECT preparation_id, count(*) FROM thumbnails GROUP BY 1") == [(1, 1)]


def test_a_path_that_a_server_cannot_keep(index: Index) -> None:
    """A path that is too long for the database is skipped, named and counted, and ends no run; SQLite takes all."""
    deep = "/".join([f"{number:0200}" for number in range(14)])
    index.put(name(0), picture())
    os.chdir(index.folder)
    for part in deep.split("/"):
        os.mkdir(part)
        os.chdir(part)
    Path(name(1)).write_bytes(picture(stamp=1))
    report = index.ingest()
    told = [(f"{index.folder}/{deep}/{name(1)}", "its path is too long for this database")]
    on_server = index.database.path is None
    assert report.refused == (told if on_server else [])
    assert report.outcomes == ({"added": 1, "skipped": 1} if on_server else {"added": 2})


def test_a_file_of_a_time_beyond_64_bits_is_taken_in(index: Index) -> None:
    """Its time is the nearest that can be stored, the files beside it are taken in, and it is not opened again."""
    path = index.put("gate.png", picture())
    index.put(name(1), picture(CAR))
    os.utime(path, ns=(0, 10_413_792_000 * 10**9))
    if path.stat().st_mtime_ns < 2**63:
        pytest.skip("needs a file system with times after 2262")
    assert index.ingest().outcomes == {"added": 2}
    assert index.rows("SELECT mtime_ns FROM images WHERE path LIKE '%gate.png'") == [(2**63 - 1,)]
    assert index.ingest().outcomes == {"unchanged": 2}
