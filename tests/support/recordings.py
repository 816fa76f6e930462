"""A record at work beside a test, and what must hold of an index afterwards."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.domain.descriptions import Limits
from indexer.domain.recording.sources import parse_sources
from indexer.execution import serial
from indexer.interrupts import StopRequest
from indexer.store.database import Database
from indexer.workflows.record.outcomes import RecordReport, SourceStatus
from indexer.workflows.record.record import record
from indexer.workflows.record.record_context import RecordContext, RecordOptions
from tests.support import databases
from tests.support.index import Index
from tests.support.live_cameras import WebCamera

WAIT_S = 120.0

Rows = Callable[..., list[tuple[Any, ...]]]


def list_readers() -> set[int]:
    """The processes at work that the fork server of this process started."""
    return {reader for server in _children(os.getpid()) if _is_fork_server(server) for reader in _children(server)}


def _children(process: int) -> set[int]:
    """The processes that one started, without those that ended."""
    children = set[int]()
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(OSError):  # a thread that just ended
            children |= {int(number) for number in (task / "children").read_text().split()}
    return {child for child in children if _is_at_work(child)}


def _is_at_work(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _is_fork_server(process: int) -> bool:
    return b"forkserver" in Path(f"/proc/{process}/cmdline").read_bytes()


def require_accounted(rows: Rows, frames: Path) -> None:
    """Files equal rows, each frame looked at is stored or in one span, gaps overlap none, and no part is left."""
    known = {path for (path,) in rows("SELECT path FROM images WHERE state = 'ready'")}
    files = {str(path.resolve()) for path in frames.rglob("*") if path.is_file()}
    assert known == files
    for recording, read, stored in rows("SELECT id, frames_read, frames_stored FROM recordings"):
        (images,) = rows("SELECT COUNT(*) FROM recording_frames WHERE recording_id = ?", recording)[0]
        (counted,) = rows("SELECT COALESCE(SUM(frames), 0) FROM spans WHERE recording_id = ?", recording)[0]
        assert (images, read) == (stored, stored + counted), (recording, images, read, stored, counted)
    wrong = "reason = 'seen' AND (worst_score >= max_score OR witness_id IS NULL)"
    assert rows(f"SELECT COUNT(*) FROM audit_spans WHERE {wrong}") == [(0,)]
    is_in_gap = "gap.reason = 'gap' AND gap.camera_id = {0}.camera_id AND gap.from_at < {1} AND {1} < gap.to_at"
    for column in ("from_at", "to_at"):
        inside = is_in_gap.format("span", f"span.{column}")
        assert rows(f"SELECT * FROM spans AS gap, spans AS span WHERE span.reason <> 'gap' AND {inside}") == []
    inside = is_in_gap.format("image", "image.captured_at")
    assert rows(f"SELECT * FROM spans AS gap, images AS image WHERE {inside}") == []


@dataclass
class Recording:
    """A record: what it said, what it told the service manager, and its report when it has ended."""

    database: Database
    frames: Path
    stop: StopRequest
    lines: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    report: RecordReport | None = None
    problem: BaseException | None = None

    def run(self, sources: list[str], options: dict[str, Any]) -> None:
        """Records until it ends, with a connection of its own."""
        database = Database(self.database.url)
        chosen = RecordOptions(
            str(self.frames),
            **{"every_s": 0.025, "write_s": 0.05, "open_s": 0.2, "pause_s": 0.1, "min_free_bytes": 0, "timeout_s": 20.0}
            | {"max_per_minute": 1000}
            | options,
        )
        with closing(database), serial() as executor:
            context = RecordContext(
                database,
                executor,
                Limits(),
                lambda: datetime.now(UTC),
                self.lines.append,
                self.states.append,
            )
            try:
                self.report = record(context, parse_sources(sources), chosen, stop=self.stop)
            except BaseException as problem:
                self.problem = problem

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits until something holds; fails if that takes too long, or the record ended."""
        end_s = time.monotonic() + WAIT_S
        while not condition():
            assert self.problem is None, self.problem
            assert time.monotonic() < end_s, (self.lines, self.states[-3:])
            time.sleep(0.02)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query answers."""
        return databases.rows(self.database, sql, *values)

    def count(self, sql: str, *values: Any) -> int:
        """The number that a query answers."""
        return int(self.rows(sql, *values)[0][0])

    def until_frames(self, number: int, camera: str = "gate") -> None:
        """Waits until the index accounts for so many frames of a camera."""
        sql = "SELECT COALESCE(SUM(frames_read), 0) FROM audit_recordings WHERE camera = ?"
        self.until(lambda: self.count(sql, camera) >= number)

    def source(self, camera: str = "gate") -> SourceStatus:
        """What the report says of a camera."""
        assert self.report is not None
        return next(source for source in self.report.sources if source.camera == camera)


@contextmanager
def recording(database: Database, frames: Path, *sources: str, **options: Any) -> Iterator[Recording]:
    """Records until the block ends; then all is accounted for, and no process and no descriptor is left."""
    frames.mkdir(exist_ok=True)
    before = list_readers()
    stop = StopRequest(within_s=60)
    with closing(stop):
        started = Recording(database, frames.resolve(), stop)
        thread = threading.Thread(target=started.run, args=(list(sources), options))
        thread.start()
        try:
            yield started
        finally:
            stop.ask(15)
            thread.join(WAIT_S)
            assert not thread.is_alive(), "the record did not end"
        if started.problem is not None:
            raise started.problem
    require_accounted(started.rows, frames)
    assert not list_readers() - before


def stored(index: Index, camera: str = "gate") -> int:
    """How many images of a camera there are."""
    sql = "SELECT COUNT(*) FROM images JOIN cameras ON cameras.id = camera_id WHERE name = ?"
    return int(index.rows(sql, camera)[0][0])


def recorded(camera: WebCamera, index: Index, folder: Path, **options: Any) -> AbstractContextManager[Recording]:
    """Records the stream of a camera, as `gate`."""
    return recording(index.database, folder / "frames", f"gate={camera.address('stream')}", **options)


def reasons(index: Index) -> set[str]:
    """The reasons of all spans."""
    return {reason for (reason,) in index.rows("SELECT DISTINCT reason FROM spans")}
