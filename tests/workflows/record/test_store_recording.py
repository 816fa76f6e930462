"""Writing a recording: a disk that refuses for a moment, or files that vanish, never wedge a camera or lose a frame."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.profiles import BALANCED
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.spans import FrameTime, Span, SpanReason
from indexer.files import io_steps
from indexer.store import profiles
from indexer.workflows.capture.new_frames import NewFrame, write_frame
from indexer.workflows.capture.store_frames import FramesFolder
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.record.messages import Ended, Order, Progress, Started
from indexer.workflows.record.recording_log import RecordingLog
from indexer.workflows.record.store_recording import RecordedCamera, RecordingGoneError, RecordingStore
from indexer.workflows.runs.run import ActiveRun, record_run
from tests.support.databases import on_sqlite
from tests.support.index import Index
from tests.support.live_cameras import scene
from tests.support.recordings import require_accounted

BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Camera:
    """A camera whose reader reported frames, and the store that writes them."""

    def __init__(self, index: Index, folder: Path, *, frames: Path | None = None, first: int = 0) -> None:
        self.index, self.frames, self.partial = index, frames or folder / "frames", folder / "partial"
        self.frames.mkdir(exist_ok=True)
        self.partial.mkdir(parents=True)
        with index.database.read() as session:
            profile_id = profiles.list_in_force(session, {"gate"})["gate"].id
        where = FramesFolder(str(self.frames), str(self.partial))
        self.camera = RecordedCamera("gate", "http://camera/", profile_id, 1.0, where)
        self.log = RecordingLog({})
        self.store = RecordingStore(index.database, clock=index.clock)
        self.log.start(Started(BEGIN, 320, 240, "mjpeg"))
        self._written = first

    def add(self, *spans: Span, ended: tuple[Span, ...] = ()) -> NewFrame:
        """Reports a new frame, and spans that go on."""
        number = self._written
        self._written += 1
        data = cv2.imencode(".jpg", scene(30 * number))[1].tobytes()
        recipe = thumbnail_recipe(BALANCED.preparation)
        assert recipe is not None
        frame, _ = write_frame(
            data, self.at(number), folder=str(self.partial), number=number, recipe=recipe, limits=Limits()
        )
        self.log.add(Progress(frame, ended, spans, last=frame.time))
        return frame

    @staticmethod
    def at(number: int) -> FrameTime:
        """The time of a frame: one each second."""
        return FrameTime(number * 1_000_000, BEGIN + timedelta(seconds=number))

    @contextmanager
    def run(self, *, at: datetime | None = None) -> Iterator[ActiveRun]:
        """A run that has the lock, at this time."""
        clock = self.index.clock if at is None else lambda: at
        with record_run(self.index.database, "record", arguments={"sources": {"gate": ""}}, clock=clock) as run:
            yield run

    def write(self, *, at: datetime | None = None) -> list[Order]:
        """Writes what there is, in a run of this time."""
        with self.run(at=at) as run:
            return self.store.write(self.camera, self.log, run=run)

    def files(self) -> dict[str, bytes]:
        """The frames at their paths."""
        return {path.name: path.read_bytes() for path in self.frames.rglob("*.jpg")}


@pytest.fixture
def camera(index: Index, tmp_path: Path) -> Camera:
    """A camera without frames."""
    return Camera(index, tmp_path)


@on_sqlite
@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_disk_that_refuses_once(
    camera: Camera, index: Index, monkeypatch: pytest.MonkeyPatch, is_read_only: bool
) -> None:
    """The sync fails, and where the disk is read-only, taking back, too: each frame is there, and is stored later."""
    for _ in range(3):
        camera.add()
    sent = {path.read_bytes() for path in camera.partial.glob("*.jpg")}
    with monkeypatch.context() as patch:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(30, os.strerror(30))

        patch.setattr(io_steps, "sync_folder", refuse)
        if is_read_only:
            patch.setattr(os, "unlink", refuse)
        with pytest.raises(OSError, match="Read-only"):
            camera.write()
    assert {path.read_bytes() for path in camera.partial.glob("*.jpg")} == sent
    camera.write()
    assert set(camera.files().values()) == sent
    assert list(camera.partial.glob("*.jpg")) == []
    require_accounted(index.rows, camera.frames)
    assert index.rows("SELECT frames_stored FROM recordings") == [(3,)]


@on_sqlite
def test_a_frame_that_is_nowhere(camera: Camera, index: Index) -> None:
    """Its file was deleted: it is counted as not stored, its span, too, the reader is told, and others are stored."""
    lost = camera.add()
    camera.add(Span(SpanReason.SEEN, camera.at(0), camera.at(0), 1, lost.key, 0.0, camera.at(0)))
    (camera.partial / lost.partial_name).unlink()
    assert camera.write() == [Order(removed=lost.key)]
    camera.log.finish(Ended(RecordingEnd.STOPPED, "the command ended"))
    camera.write()
    require_accounted(index.rows, camera.frames)
    assert index.rows("SELECT frames_read, frames_stored FROM recordings") == [(3, 1)]
    assert index.rows("SELECT reason, frames FROM spans ORDER BY reason") == [("capped", 1), ("full_disk", 1)]


@on_sqlite
def test_a_witness_is_its_content_and_not_its_number(camera: Camera, index: Index) -> None:
    """An image that was forgotten stands for nothing, also if another one has its path, and on SQLite its number."""
    witness = camera.add()
    camera.write()
    ((path,),) = index.rows("SELECT path FROM images")
    other = cv2.imencode(".jpg", scene(100))[1].tobytes()
    Path(path).write_bytes(other)
    values = hashlib.sha256(other).hexdigest(), len(other), Path(path).stat().st_mtime_ns
    index.execute("UPDATE images SET content_hash = ?, file_size = ?, mtime_ns = ?", *values)
    span = Span(SpanReason.SEEN, camera.at(1), camera.at(1), 1, witness.key, 0.0, camera.at(1))
    camera.log.add(Progress(None, (), (span,), last=span.last))
    assert camera.write() == [Order(removed=witness.key)]


@on_sqlite
def test_a_witness_whose_file_was_deleted(camera: Camera, index: Index) -> None:
    """What is written stays; a span that begins later has no witness, and each frame is counted once."""
    witness = camera.add()
    first = Span(SpanReason.SEEN, camera.at(1), camera.at(1), 1, witness.key, 0.0, camera.at(1))
    camera.log.add(Progress(None, (), (first,), last=first.last))
    camera.write()
    ((path,),) = index.rows("SELECT path FROM images")
    Path(path).unlink()
    longer = replace(first, last=camera.at(2), frames=2)
    later = replace(first, first=camera.at(3), last=camera.at(3))
    camera.log.add(Progress(None, (longer,), (later,), last=later.last))
    assert camera.write() == [Order(removed=witness.key)]
    camera.log.add(Progress(None, (later,), (), last=later.last, witness=witness.key))
    camera.write()
    index.execute("UPDATE images SET state = 'missing', state_reason = 'not found'")
    require_accounted(index.rows, camera.frames)
    assert index.rows("SELECT reason, frames FROM spans ORDER BY from_at") == [("seen", 2), ("capped", 1)]
    assert index.rows("SELECT frames_read FROM recordings") == [(4,)]


@on_sqlite
def test_order_of_a_removed_witness_outlasts_a_refused_write(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk or a database that refuses the write in between loses no order: else all that looks like the witness is
    compared with it, and not stored, until the recording ends."""
    witness = camera.add()
    camera.write()
    next(camera.frames.rglob("*.jpg")).unlink()
    lost = camera.add()
    (camera.partial / lost.partial_name).unlink()
    camera.add(Span(SpanReason.SEEN, camera.at(1), camera.at(1), 1, witness.key, 0.0, camera.at(1)))
    with monkeypatch.context() as patch:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(30, os.strerror(30))

        patch.setattr(io_steps, "sync_folder", refuse)
        with pytest.raises(OSError, match="Read-only"):
            camera.write()
    assert {order.removed for order in camera.write()} == {witness.key, lost.key}
    assert camera.write() == []


@on_sqlite
def test_a_placed_frame_that_vanished(camera: Camera, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction failed, and meanwhile somebody deleted the file: the others are stored with the next write."""
    camera.add()
    camera.add()
    camera.store.place(camera.camera, camera.log)
    first, _ = sorted(camera.frames.rglob("*.jpg"))
    first.unlink()
    camera.write()
    require_accounted(index.rows, camera.frames)
    assert index.rows("SELECT frames_read, frames_stored FROM recordings") == [(2, 1)]


def test_frames_after_the_last_write_are_before_the_gap(camera: Camera, index: Index, tmp_path: Path) -> None:
    """A record is killed after it stored a file and before its row: the next one takes it in, and the gap begins there.

    Images of other origin in this time change nothing.
    """
    camera.add()
    camera.write(at=BEGIN)
    camera.add()
    camera.store.place(camera.camera, camera.log)
    index.ingest(camera.frames)
    later = Camera(index, tmp_path / "later", frames=camera.frames)
    later.log.start(Started(camera.at(60).at, 320, 240, "mjpeg"))
    later.write(at=camera.at(50).at)
    require_accounted(index.rows, camera.frames)
    assert index.rows("SELECT frames_read, frames_stored, ended_because FROM recordings ORDER BY id") == [
        (2, 2, "cut_off"),
        (0, 0, None),
    ]
    ((length_s,),) = index.rows("SELECT length_s FROM audit_spans WHERE reason = 'gap'")
    assert length_s == pytest.approx(59)


@on_sqlite
@pytest.mark.parametrize("is_ended", [False, True])
def test_frames_of_a_record_that_wrote_no_row(camera: Camera, index: Index, tmp_path: Path, is_ended: bool) -> None:
    """It was killed as soon as it had stored a file: nobody looked before it, since the last recording, nor after."""
    camera.add()
    if is_ended:
        camera.log.finish(Ended(RecordingEnd.LOST, "the camera ended the stream"))
    camera.write(at=BEGIN)
    killed = Camera(index, tmp_path / "killed", frames=camera.frames, first=1000)
    killed.add()
    killed.add()
    with killed.run(at=BEGIN + timedelta(seconds=900)):
        killed.store.place(killed.camera, killed.log)
    index.ingest(camera.frames)
    later = Camera(index, tmp_path / "later", frames=camera.frames)
    later.log.start(Started(camera.at(2000).at, 320, 240, "mjpeg"))
    later.write(at=BEGIN + timedelta(seconds=1900))
    require_accounted(index.rows, camera.frames)
    assert index.rows("SELECT frames_read, frames_stored FROM recordings ORDER BY id") == [(1, 1), (0, 0)]
    why = "lost: the camera ended the stream" if is_ended else "recording was cut off"
    gaps = index.rows("SELECT length_s, detail FROM audit_spans WHERE reason = 'gap' ORDER BY span_id")
    assert gaps == [(pytest.approx(1000), why), (pytest.approx(999), "recording was cut off")]


def test_a_recording_whose_row_was_deleted(camera: Camera, index: Index) -> None:
    """As by `forget`: nothing is written, and the caller can end this recording alone."""
    camera.add()
    camera.write()
    for table in ("spans", "recording_frames", "recordings"):
        index.execute(f"DELETE FROM {table}")
    camera.add()
    with pytest.raises(RecordingGoneError):
        camera.write()
    assert index.rows("SELECT COUNT(*) FROM recordings") == [(0,)]


@on_sqlite
def test_a_long_recording_does_not_grow(camera: Camera) -> None:
    """Of thousands of stored images the last ones stay known, and witnesses of spans that go on."""
    frame = camera.add()
    seen = Span(SpanReason.SEEN, camera.at(0), camera.at(0), 1, "frame 0", 0.0, camera.at(0))
    for number in range(1, 3000):
        new = replace(frame, key=f"frame {number}", time=camera.at(number))
        camera.log.add(Progress(new, (), (seen,), last=new.time))
        rows = camera.log.rows()
        keys = [each.key for each in rows.frames]
        camera.log.note_written(
            rows, paths=dict.fromkeys(keys, "/f"), image_ids=dict.fromkeys(keys, number), span_ids=[1]
        )
    assert len(camera.log.paths) == len(camera.log.image_ids) < 1100
    assert len(camera.log.pinned) == 1
    assert {"frame 0", *(f"frame {number}" for number in range(2999 - 300, 3000))} <= camera.log.paths.keys()
