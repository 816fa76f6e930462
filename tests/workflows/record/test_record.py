"""record: each frame of a live camera is an image or in one span, whatever the camera, the disk and the index do."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from sqlalchemy import text

from indexer.errors import CameraError, DatabaseError, ProfileError
from indexer.files.partial_frames import PARTIAL_FOLDER
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.profiles import activate
from indexer.workflows.admin.records import list_records
from indexer.workflows.admin.status_check import check_status
from indexer.workflows.record import record as record_module
from indexer.workflows.record.store_recording import RecordingStore
from indexer.workflows.review.moment import MomentKind, explain_moment
from indexer.workflows.runs.lock_wait import LockWait
from tests.support.databases import on_postgresql, on_sqlite
from tests.support.index import Index
from tests.support.live_cameras import scene, web_camera
from tests.support.recordings import list_readers, reasons, recorded, recording, stored

Hold = Callable[[], AbstractContextManager[object]]


def test_what_is_new_is_stored(index: Index, tmp_path: Path) -> None:
    """A still camera gives one image; each car one more; all other frames are in spans, and their witness is pinned."""
    with web_camera(password="me:secret") as camera, recorded(camera, index, tmp_path) as work:
        work.until_frames(5)
        assert stored(index) == 1
        camera.picture = scene(40)
        work.until(lambda: stored(index) == 2)
        camera.picture = scene(140)
        work.until(lambda: stored(index) == 3)
        camera.picture = scene()
        work.until_frames(40)
    assert stored(index) == 3
    source = work.source()
    assert (source.recordings, source.frames_stored, source.frames_damaged) == (1, 3, 0)
    assert index.rows("SELECT ended_because, source FROM recordings") == [
        ("stopped", f"http://127.0.0.1:{camera.port}/stream")
    ]
    assert reasons(index) == {"seen"}
    written = [repr(index.rows(f"SELECT * FROM {table}")) for table in ("runs", "recordings", "spans", "images")]
    assert "secret" not in "".join([*written, *work.lines, *work.states])
    ((at,),) = index.rows("SELECT worst_at FROM audit_spans ORDER BY span_id LIMIT 1")
    moment = explain_moment(index.database, "gate", str(at))
    assert (moment.kind, [each.image_id for each in moment.images]) == (MomentKind.SEEN, [1])
    assert [each.source for each in moment.recordings] == [f"http://127.0.0.1:{camera.port}/stream"]
    report = index.ingest(tmp_path / "frames")
    assert (report.outcomes["unchanged"], sum(report.outcomes.values())) == (3, 3)


@on_sqlite
def test_a_reconnect_stores_nothing(index: Index, tmp_path: Path) -> None:
    """The stream ends and comes back: a gap between two recordings, and no image more. Another camera goes on."""
    with web_camera() as camera, web_camera() as other:
        sources = [f"gate={camera.address('stream')}", f"lot={other.address('snapshot')}"]
        with recording(index.database, tmp_path / "frames", *sources) as work:
            work.until_frames(3)
            camera.is_open = False
            work.until(lambda: any("'gate' is away" in line for line in work.lines))
            camera.is_open = True
            work.until(lambda: "camera 'gate' is recorded again" in work.lines)
            work.until_frames(8)
            work.until_frames(5, "lot")
    assert (stored(index), stored(index, "lot")) == (1, 1)
    ended = index.rows("SELECT ended_because FROM audit_recordings WHERE camera = 'gate' ORDER BY recording_id")
    assert ended in ([("lost",), ("stopped",)], [("error",), ("stopped",)])  # error: it ended inside a picture
    ((gaps, detail),) = index.rows("SELECT COUNT(*), MAX(detail) FROM spans WHERE reason = 'gap'")
    assert gaps == 1
    assert detail.startswith(f"{ended[0][0]}: ")
    assert work.source("lot").recordings == 1


@on_sqlite
def test_a_killed_reader_is_started_again(index: Index, tmp_path: Path) -> None:
    """Its frames up to then are accounted for, and the loss has its reason."""
    with web_camera() as camera:
        before = list_readers()
        with recording(index.database, tmp_path / "frames", f"gate={camera.address('stream')}") as work:
            work.until_frames(5)
            (reader,) = list_readers() - before
            os.kill(reader, signal.SIGKILL)
            work.until(lambda: index.rows("SELECT COUNT(*) FROM recordings") == [(2,)])
            work.until_frames(12)
    assert stored(index) == 1
    (first, *_) = index.rows("SELECT ended_because, detail FROM recordings ORDER BY id")
    assert first == ("error", "the process that read it ended: signal SIGKILL")


@on_sqlite
def test_a_storm_is_capped(index: Index, tmp_path: Path) -> None:
    """More new frames than the limit are counted, and not stored; also where the reader is started again meanwhile."""
    before, numbers = list_readers(), count()
    with web_camera() as camera, recorded(camera, index, tmp_path, max_per_minute=2) as work:

        def is_capped(recordings: int) -> bool:
            camera.picture = scene(10 + 40 * (next(numbers) % 6))
            time.sleep(0.2)
            capped = "SELECT COUNT(DISTINCT recording_id) FROM spans WHERE reason = 'capped'"
            return work.count(capped) == recordings

        work.until(partial(is_capped, 1))
        (reader,) = list_readers() - before
        os.kill(reader, signal.SIGKILL)
        work.until(partial(is_capped, 2))
    assert stored(index) == 2
    assert work.source().frames_capped > 0
    assert sum("too much is new" in line for line in work.lines) == 1


@on_sqlite
def test_a_full_disk_stores_nothing(index: Index, tmp_path: Path) -> None:
    """With less free space than there must be, new frames are counted as such, and no file is made."""
    with web_camera() as camera, recorded(camera, index, tmp_path, min_free_bytes=2**62) as work:
        work.until_frames(5)
        (record,) = list_records(index.database)
        assert record.sources[0].refusal == "full_disk"
        check = check_status(index.database, silent_after=0, clock=lambda: datetime.now(UTC))
        assert (check.cameras_full_disk, check.needs_person) == (("gate",), True)
    assert (stored(index), reasons(index)) == (0, {"full_disk"})
    source = work.source()
    assert source.frames_full_disk == source.frames_read
    assert sum("too little free space" in line for line in work.lines) == 1


@on_sqlite
def test_damaged_frames_are_never_new(index: Index, tmp_path: Path) -> None:
    """A picture that is cut off is counted as damaged."""
    with web_camera() as camera, recorded(camera, index, tmp_path) as work:
        work.until_frames(3)
        camera.cut_after = 1000
        work.until(lambda: "damaged" in reasons(index))

        def last_whole() -> object:
            return list_records(index.database)[0].sources[0].last_frame_at

        whole_at, damaged = last_whole(), work.count("SELECT SUM(frames_damaged) FROM recordings")
        work.until(lambda: work.count("SELECT SUM(frames_damaged) FROM recordings") > damaged + 5)
        assert last_whole() == whole_at, "a broken picture shows nothing"
        camera.cut_after = 10**9
        work.until_frames(10)
    assert stored(index) == 1
    assert work.source().frames_damaged > 0


@on_sqlite
def test_a_camera_that_refuses_is_tried_a_minute_later(index: Index, tmp_path: Path) -> None:
    """Cameras lock out who tries often; and the reason is said without the password."""
    with web_camera(password="me:secret") as camera:
        address = camera.address("stream").replace("secret", "wrong")
        with recording(index.database, tmp_path / "frames", f"gate={address}") as work:
            work.until(lambda: any("refused the password" in line for line in work.lines))
        assert camera.opened <= 2  # FFmpeg asks once without the password
    assert work.source().reason == "the camera refused the password"
    assert "wrong" not in "".join(work.lines)
    assert not work.report or not work.report.has_answered


@on_sqlite
def test_a_profile_without_thumbnails_is_refused(index: Index, tmp_path: Path) -> None:
    """`original` compares native pixels, which are not kept."""
    with index.database.write() as session:
        activate(session, "original")
    with pytest.raises(ProfileError, match="work_width"), recording(index.database, tmp_path / "f", "a=http://x/"):
        pass


@on_sqlite
def test_frames_of_a_killed_record_are_taken_in(index: Index, tmp_path: Path) -> None:
    """A file that has its name and no row yet is an image of its camera after the next start."""
    frames = tmp_path / "frames"
    with web_camera() as camera:
        address = f"gate={camera.address('stream')}"
        with recording(index.database, frames, address) as work:
            work.until(lambda: stored(index) == 1)
        (path,) = frames.rglob("*.jpg")
        camera.picture = scene(100)
        orphan = path.with_name(path.name.replace(".jpg", "").rstrip("0123456789") + "1900000000000.jpg")
        orphan.write_bytes(camera.jpeg())
        before = work.count("SELECT SUM(frames_read) FROM audit_recordings")
        with recording(index.database, frames, address) as work:
            work.until_frames(before + 4)
    assert work.report is not None
    assert work.report.adopted == 1
    assert stored(index) == 2, "the frame of the orphan is known to the gate"


def test_another_command_has_the_index(
    index: Index, tmp_path: Path, hold_index: Callable[[], AbstractContextManager[object]]
) -> None:
    """Frames wait meanwhile, at their paths, where a kill does not lose them; and all are there afterwards."""
    with web_camera() as camera, recorded(camera, index, tmp_path, lock_wait_s=0.2) as work:
        work.until_frames(2)
        with hold_index():
            camera.picture = scene(60)
            work.until(lambda: any(line.startswith("waits for") for line in work.lines))
            work.until(lambda: len(list((tmp_path / "frames" / "gate").rglob("*.jpg"))) == 2)
            assert stored(index) == 1
        work.until(lambda: stored(index) == 2)
        work.until(lambda: "the index is free again" in work.lines)


@on_sqlite
def test_a_stop_while_another_command_has_the_index(index: Index, tmp_path: Path, hold_index: Hold) -> None:
    """It ends soon, says what was not written, and keeps the files: the next record takes them in, in order."""
    with web_camera() as camera:
        address = f"gate={camera.address('stream')}"
        with recording(index.database, tmp_path / "frames", address, lock_wait_s=10**6) as work:
            work.until_frames(2)
            with hold_index():
                camera.picture = scene(60)
                work.until(lambda: any(line.startswith("waits for") for line in work.lines))
                work.stop.ask(signal.SIGTERM)
                work.until(lambda: work.report is not None)
            assert work.report is not None
            assert (work.report.unwritten, work.source().frames_stored) == (1, 1)
            assert (stored(index), len(list((tmp_path / "frames").rglob("*.jpg")))) == (1, 2)
            with recording(index.database, tmp_path / "frames", address) as later:
                later.until(lambda: later.count("SELECT COUNT(*) FROM recordings") == 2)
    assert later.report is not None
    assert later.report.adopted == 1
    assert stored(index) == 2
    assert index.rows("SELECT ended_because, frames_stored FROM recordings ORDER BY id") == [
        ("cut_off", 2),
        ("stopped", 0),
    ]


@on_postgresql
def test_another_command_has_one_camera(index: Index, tmp_path: Path) -> None:
    """The cameras after it are written meanwhile, and it afterwards."""
    with web_camera() as camera, web_camera() as other, ExitStack() as stack:
        sources = [f"gate={camera.address('stream')}", f"lot={other.address('stream')}"]
        work = stack.enter_context(recording(index.database, tmp_path / "frames", *sources, lock_wait_s=0.2))
        for name in ("gate", "lot"):
            work.until_frames(2, name)
        with writer_lock(index.database, command="prune", since=index.clock(), by_camera=True) as lock:
            work.until(lambda: lock.acquire("gate") is None)
            camera.picture = other.picture = scene(60)
            work.until(lambda: stored(index, "lot") == 2)
            assert stored(index) == 1
        work.until(lambda: stored(index) == 2)


@on_sqlite
def test_a_camera_that_is_forgotten_meanwhile(index: Index, tmp_path: Path) -> None:
    """Its recording ends and a new one begins; another camera goes on in its recording."""
    with web_camera() as camera, web_camera() as other:
        sources = [f"gate={camera.address('stream')}", f"lot={other.address('stream')}"]
        with recording(index.database, tmp_path / "frames", *sources) as work:
            for name in ("gate", "lot"):
                work.until_frames(2, name)
            of_gate = "(SELECT recording_id FROM audit_recordings WHERE camera = 'gate')"
            with index.database.write() as session:
                for where in ("spans WHERE recording_id", "recording_frames WHERE recording_id", "recordings WHERE id"):
                    session.execute(text(f"DELETE FROM {where} IN {of_gate}"))
            work.until(lambda: "camera 'gate' is recorded again" in work.lines)
            work.until_frames(2)
            work.until_frames(20, "lot")
    assert work.source("lot").recordings == 1
    assert any("deleted what the index has of it" in line for line in work.lines)


@on_sqlite
def test_a_partial_folder_that_vanished(index: Index, tmp_path: Path) -> None:
    """Somebody deleted the hidden folder: a new one is made, and what is new is stored again."""
    with web_camera() as camera, recorded(camera, index, tmp_path) as work:
        work.until_frames(2)
        rmtree(tmp_path / "frames" / PARTIAL_FOLDER)
        camera.picture = scene(60)
        work.until(lambda: stored(index) == 2)


@on_sqlite
def test_a_camera_is_recorded_once(index: Index, tmp_path: Path) -> None:
    """A second record of it is refused, also before the camera ever answered."""
    silent = "gate=http://127.0.0.1:1/x"
    with recording(index.database, tmp_path / "frames", silent) as work:
        work.until(lambda: "READY=1" in work.states)
        with pytest.raises(CameraError, match="recorded already"), recording(index.database, tmp_path / "b", silent):
            pass


@on_sqlite
def test_a_run_that_counts_as_dead_is_replaced(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server was restarted, and does not answer at first whether the lock of the run is there still."""
    answers: list[object] = [DatabaseError("not yet"), set()]
    outages = [DatabaseError("the server does not answer")]
    write = RecordingStore.write

    def refuse_once(*words: Any, **more: Any) -> Any:
        if outages:
            raise outages.pop()
        return write(*words, **more)

    def answer(*_: object) -> object:
        if not answers:
            return {1, 2}
        if isinstance(first := answers.pop(0), Exception):
            raise first
        return first

    monkeypatch.setattr(RecordingStore, "write", refuse_once)
    monkeypatch.setattr(record_module, "list_running", answer)
    with web_camera() as camera, recorded(camera, index, tmp_path) as work:
        work.until(lambda: work.count("SELECT COUNT(*) FROM runs WHERE command = 'record'") == 2)
        work.until_frames(3)
    assert answers == []
    assert stored(index) == 1


@pytest.fixture
def hold_index(index: Index) -> Hold:
    """Holds the lock of the index, as another command does, as soon as it is free for a moment."""

    @contextmanager
    def hold() -> Iterator[None]:
        with ExitStack() as stack:
            lock = partial(writer_lock, index.database, command="prune", since=index.clock(), by_camera=False)
            LockWait(30.0, 30.0, pauses_s=(0.001,)).enter(stack, lock)
            yield

    return hold
