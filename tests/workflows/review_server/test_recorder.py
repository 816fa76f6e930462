"""Verdicts of a session: committed when it says so, on the disk while they wait, and undone exactly."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.verdict_changes import PersonVerdict, VerdictChange
from indexer.errors import DatabaseError, IndexInUseError, VerdictError
from indexer.execution import serial
from indexer.files.pending_entries import PendingEntries, open_pending_entries
from indexer.workflows.admin.profile import use_profile
from indexer.workflows.context import ComparisonContext
from indexer.workflows.review.judging import VerdictConflictError
from indexer.workflows.review_server import recorder as recorder_module
from indexer.workflows.review_server.deciding import CameraDecisions
from indexer.workflows.review_server.recorder import VerdictRecorder
from indexer.workflows.runs.run import ActiveRun, record_run
from tests.support.index import BIRD, CAR, Index, name, picture, prepared

A, B, C = (name(minute) for minute in (0, 1, 2))
SAME, DIFFERENT = PersonVerdict("same", "Ada"), PersonVerdict("different", "Ben", "a bird")


@prepared
def place(index: Index) -> None:
    """An empty place, the same with a bird, and with a car; and another camera."""
    for file, marks in {A: (), B: (BIRD,), C: (CAR,), name(0, "yard"): ()}.items():
        index.put(file, picture(*marks))
    index.ingest()
    index.compare()


Opened = tuple[VerdictRecorder, PendingEntries]


@pytest.fixture
def session(place: Index, tmp_path: Path) -> Callable[[], Any]:
    """Opens a session; what waits lies in one file."""

    @contextmanager
    def start() -> Iterator[VerdictRecorder]:
        with open_pending_entries(str(tmp_path / "waits.jsonl")) as pending:
            recorder = VerdictRecorder(place.database, pending, camera=None, clock=place.clock)
            try:
                yield recorder
            finally:
                recorder.close()

    return start


@pytest.fixture
def change(place: Index) -> Callable[..., VerdictChange]:
    """Makes a change of the verdict on two files, as a page that shows them now would send it."""
    known = {
        place.file(path): (id_, text) for id_, path, text in place.rows("SELECT id, path, content_hash FROM images")
    }

    def make(
        file_a: str, file_b: str, after: PersonVerdict | None, before: PersonVerdict | None = None
    ) -> VerdictChange:
        (id_a, hash_a), (id_b, hash_b) = sorted((known[file_a], known[file_b]))
        return VerdictChange((id_a, id_b), (hash_a, hash_b), before, after)

    return make


Start, Change = Callable[[], Any], Callable[..., VerdictChange]


def holding(index: Index) -> list[tuple[Any, ...]]:
    """The verdicts that hold."""
    return index.rows("SELECT verdict, judged_by, note FROM verdicts WHERE withdrawn_at IS NULL ORDER BY id")


def runs(index: Index) -> list[tuple[Any, ...]]:
    """The runs of sessions: what they counted, and how they ended."""
    return index.rows("SELECT counts, outcome FROM runs WHERE command = 'review' ORDER BY id")


def test_a_session_is_one_run(place: Index, session: Start, change: Change) -> None:
    """All verdicts of a session have its run, which counts them; a session without any has no run."""
    with session():
        pass
    assert runs(place) == []
    with session() as recorder:
        recorder.record([change(A, C, SAME)])
        recorder.record([change(A, B, DIFFERENT)])
        recorder.record([change(A, C, None, SAME)])
        assert runs(place)[0][1] is None
    assert holding(place) == [("different", "Ben", "a bird")]
    assert runs(place) == [('{"recorded": 2, "withdrawn": 1}', "done")]
    assert place.rows("SELECT DISTINCT run_id FROM verdicts") == [(recorder.run_id,)]


def test_undo_goes_back_to_any_depth(place: Index, session: Start, change: Change) -> None:
    """Verdicts, one of which replaced another's, undone in reverse order give the first decisions and words again."""
    place.judge(B, C, "same", by="Eva", note="first")
    place.compare()
    before = (place.decisions(), holding(place))
    eva = PersonVerdict("same", "Eva", "first")
    changes = [change(A, C, SAME), change(B, C, DIFFERENT, eva), change(A, C, DIFFERENT, SAME)]
    with session() as recorder:
        for made in changes:
            recorder.record([made])
    place.compare()
    assert (place.decisions(), holding(place)) != before
    with session() as recorder:
        for made in reversed(changes):
            recorder.record([made.reverse])
    place.compare()
    assert (place.decisions(), holding(place)) == before


def test_all_or_none(place: Index, session: Start, change: Change) -> None:
    """If one change of a request cannot be made, none is."""
    stale = change(A, C, SAME)
    stale = VerdictChange(stale.pair, ("0" * 64, stale.content_hashes[1]), None, SAME)
    across = change(A, name(0, "yard"), SAME)
    with session() as recorder:
        for bad in (stale, across):
            with pytest.raises(VerdictError):
                recorder.record([change(A, B, DIFFERENT), bad])
    assert holding(place) == []


def test_a_page_of_an_older_state_changes_nothing(place: Index, session: Start, change: Change) -> None:
    """A verdict that was changed meanwhile stays, and the page gets it; the same again changes nothing."""
    with session() as recorder:
        recorder.record([change(A, C, DIFFERENT)])
        with pytest.raises(VerdictConflictError) as conflict:
            recorder.record([change(A, C, SAME)])
        assert (conflict.value.current.verdict, conflict.value.current.by) == ("different", "Ben")
        recorder.record([change(A, C, DIFFERENT)])
    assert place.rows("SELECT count(*) FROM verdicts") == [(1,)]


@contextmanager
def another_command(index: Index) -> Iterator[None]:
    """Another command has the whole index until the end of the block."""
    entered, done = threading.Event(), threading.Event()

    def work() -> None:
        with record_run(index.database, "prune", arguments={}, clock=index.clock):
            entered.set()
            done.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    assert entered.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_verdicts_wait_for_another_command(place: Index, session: Start, change: Change) -> None:
    """While another command has the index, verdicts wait in order, and are recorded when it is free."""
    with session() as recorder:
        with another_command(place):
            first = recorder.record([change(A, C, SAME)])
            recorder.record([change(A, C, None, SAME)])
            recorder.record([change(A, C, DIFFERENT)])
            recorder.record([change(A, B, SAME)])
            recorder.record([change(A, B, DIFFERENT)])  # by somebody who did not see the one before
            assert ("prune" in (first.waiting_for or ""), recorder.waiting) == (True, 5)
            assert recorder.record_waiting() == ([], [])
            with pytest.raises(IndexInUseError), recorder.batch():
                pass
        assert holding(place) == []
        applied, problems = recorder.record_waiting()
    assert ([item.change.after for item in applied], problems) == ([SAME, None, DIFFERENT, SAME, DIFFERENT], [])
    assert holding(place) == [("different", "Ben", "a bird")] * 2


def test_the_next_session_records_what_waited(place: Index, session: Start, change: Change) -> None:
    """What waited when a session was killed is recorded by the next, once, and not over a later word."""
    with another_command(place), session() as recorder:
        recorder.record([change(A, C, SAME)])
        recorder.record([change(A, B, DIFFERENT)])
        recorder.record([change(B, C, SAME)])
    place.judge(A, B, "same", by="Eva")
    with session() as recorder:
        assert recorder.waiting == 3
        recorder.record_waiting()
        assert (recorder.waiting, recorder.record_waiting()) == (0, ([], []))
    assert sorted(holding(place)) == [("same", "Ada", None), ("same", "Ada", None), ("same", "Eva", None)]


def test_what_can_never_be_recorded_is_reported(place: Index, session: Start, change: Change) -> None:
    """A verdict that waited on an image whose bytes changed is told with all its words, and holds up no other."""
    stale = change(A, C, SAME)
    with another_command(place), session() as recorder:
        recorder.record([VerdictChange(stale.pair, ("0" * 64, "1" * 64), None, SAME)])
        recorder.record([change(A, B, DIFFERENT)])
    with session() as recorder:
        _, (problem,) = recorder.record_waiting()
    assert all(word in problem for word in ("other bytes", "'Ada'", "'same'"))
    assert holding(place) == [("different", "Ben", "a bird")]


def test_verdicts_do_not_wait_for_decisions(place: Index, session: Start, change: Change) -> None:
    """While the session itself decides a camera, a verdict is noted at once, and recorded after that."""
    with session() as recorder:
        with recorder.batch():
            results = [recorder.record([change(A, C, SAME)]), recorder.record([change(A, B, SAME)])]
            assert [(result.committed, result.waiting_for) for result in results] == [(False, None)] * 2
            assert holding(place) == []
        recorder.record_waiting()
        assert holding(place) == [("same", "Ada", None)] * 2


def test_verdicts_wait_while_the_database_refuses(
    place: Index, session: Start, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a full disk or a locked database refuses is noted, with the reason, and recorded when it can be."""
    with session() as recorder:
        with monkeypatch.context() as refusing:
            refusing.setattr(recorder_module, "apply_changes", refuse)
            result = recorder.record([change(A, C, SAME)])
            assert (result.committed, result.waiting_for, recorder.waiting) == (False, "the disk is full", 1)
            assert recorder.record_waiting() == ([], [])
        applied, problems = recorder.record_waiting()
    assert ([item.change.after for item in applied], problems, holding(place)) == ([SAME], [], [("same", "Ada", None)])


def refuse(*_arguments: object, **_how: object) -> None:
    """As a database that cannot be written."""
    raise DatabaseError("the disk is full")


def test_a_camera_is_decided_by_the_profile_that_holds_when_its_turn_comes(
    place: Index, session: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever had the index before may have chosen another profile for the camera: that one decides it."""
    with session() as recorder, serial() as executor:
        cameras = CameraDecisions(ComparisonContext(place.database, executor, Limits(), place.clock), recorder)
        batch = recorder.batch

        def take_turn(names: Sequence[str] = ()) -> AbstractContextManager[ActiveRun]:
            use_profile(place.database, "plain", camera="gate", active=False, clock=place.clock)
            return batch(names)

        monkeypatch.setattr(recorder, "batch", take_turn)
        cameras.decide("gate")
        cameras.close()
    decided = "SELECT DISTINCT profile FROM audit_decisions WHERE camera = 'gate'"
    assert place.rows(decided) == [("plain",)]
