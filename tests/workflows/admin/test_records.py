"""Status of records: who records what, which cameras are away, and which records were cut off."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexer.store import runs
from indexer.workflows.admin.records import list_away, list_records
from indexer.workflows.admin.status_check import check_status
from indexer.workflows.record.outcomes import SourceState
from tests.support.databases import on_sqlite
from tests.support.index import Index
from tests.support.live_cameras import web_camera
from tests.support.recordings import recording


def test_status_of_a_record_at_work(index: Index, tmp_path: Path) -> None:
    """Each camera with its state; one that sends nothing for two minutes needs a person, and a still one does not."""
    with web_camera() as camera:
        sources = f"gate={camera.address('stream')}", "lot=http://127.0.0.1:1/x"
        with recording(index.database, tmp_path / "frames", *sources) as work:
            work.until_frames(3)
            work.until(lambda: any(state.sources[0].frames_read for state in list_records(index.database)))
            (state,) = list_records(index.database)
            assert (state.is_running, state.cameras) == (True, ("gate", "lot"))
            gate, lot = state.sources
            assert (gate.state, gate.frames_stored, gate.reason) == (SourceState.RECORDING, 1, None)
            assert (lot.state, lot.reason, lot.last_frame_at) == (SourceState.AWAY, "Connection refused", None)
            now = datetime.now(UTC)
            assert list_away([state], now=now) == ()
            soon = now + timedelta(seconds=121)
            assert [away.camera for away in list_away([state], now=soon)] == ["gate", "lot"]
            check = check_status(index.database, silent_after=1, clock=lambda: datetime.now(UTC) + timedelta(days=1))
            assert check.silent == ()
            assert [away.camera for away in check.cameras_away] == ["gate", "lot"]
            assert check.needs_person
    assert list_records(index.database) == ()


@on_sqlite
def test_a_record_that_was_cut_off(index: Index) -> None:
    """A person must start it again; a later one of the same cameras does."""
    arguments = {"sources": {"gate": "rtsp://camera/live"}}
    with index.database.write() as session:
        runs.start_run(session, "record", arguments=arguments, at=index.clock(), is_long=True)
    (state,) = list_records(index.database)
    assert (state.is_running, state.cameras, state.sources) == (False, ("gate",), ())
    assert check_status(index.database, silent_after=0, clock=index.clock).records_cut_off == 1
    with index.database.write() as session:
        later = runs.start_run(session, "record", arguments=arguments, at=index.clock(), is_long=True)
        runs.finish_run(session, later, outcome="done", counts={}, at=index.clock())
    assert list_records(index.database) == ()
