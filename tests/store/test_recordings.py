"""Recordings: their rows, their images, and the spans of their other frames, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.spans import FrameTime, Span, SpanReason
from indexer.errors import DatabaseError
from indexer.store import audit_queries, forgetting, profiles, recordings, spans
from indexer.store.database import Database
from indexer.store.forgetting import ForgetScope
from indexer.store.pins import is_pinned
from indexer.store.recordings import NewRecording, RecordingCounts
from indexer.store.tables import ImageRow

Add = Callable[..., int]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = "rtsp://camera/live"


def second(number: float) -> FrameTime:
    """A frame so many seconds after the first one."""
    return FrameTime(round(number * 1_000_000), NOON + timedelta(seconds=number))


SEEN = Span(SpanReason.SEEN, second(1), second(3), 3, "first", 412.5, second(2))


@pytest.fixture
def recorded(database: Database, add: Add, run_id: int) -> dict[str, int]:
    """A recording that goes on, with one image and a span of three other frames: their ids."""
    image_id = add("/frames/first.jpg", at=NOON)
    with database.write() as session:
        profile_id = profiles.get_profile(session, "balanced").id
        new = NewRecording("gate", SOURCE, NOON, 640, 480, "h264", 1.0, profile_id)
        recording_id = recordings.add_recording(session, new, run_id=run_id)
        recordings.add_recording_frames(session, recording_id, [image_id])
        recordings.add_recording_frames(session, recording_id, [image_id])
        how: Any = {"recording_id": recording_id, "image_ids": {"first": image_id}, "profile_id": profile_id}
        how |= {"every_s": 1.0, "run_id": run_id}
        begun = replace(SEEN, last=second(1), frames=1, worst_score=3.0, worst=second(1))
        span_id = spans.put_recording_span(session, begun, span_id=None, **how)
        assert spans.put_recording_span(session, SEEN, span_id=span_id, **how) == span_id
        counts = RecordingCounts(read=4, stored=1)
        recordings.update_recording(session, recording_id, seen_until=second(3).at, counts=counts)
    return {"image": image_id, "recording": recording_id, "span": span_id, "run": run_id}


def test_a_recording_is_found_again(database: Database, recorded: dict[str, int]) -> None:
    """By its camera, a time in it, its run and its image."""
    with database.read() as session:
        last = recordings.find_last_recording(session, "gate")
        assert last is not None
        assert (last.id, last.source, last.seen_until) == (recorded["recording"], SOURCE, second(3).at)
        assert (last.frames_read, last.frames_stored, last.ended_because) == (4, 1, None)
        assert recordings.list_recordings_at(session, "gate", second(2).at) == [last]
        assert recordings.list_recordings_at(session, "gate", second(4).at) == []
        assert recordings.list_recordings_of_run(session, recorded["run"]) == [last]
        assert recordings.find_recording_of_image(session, recorded["image"]) == last
        assert recordings.find_last_recording(session, "lot") is None


def test_a_span_that_goes_on_is_one_row(database: Database, recorded: dict[str, int]) -> None:
    """Its witness is pinned from the first write on, and what it says at the end is the whole of it."""
    with database.read() as session:
        (span,) = spans.find_moment(session, "gate", second(2).at).spans
        assert (span.id, span.frames, span.worst_score, span.worst_at) == (recorded["span"], 3, 412.5, second(2).at)
        assert (span.video_path, span.source, span.every_s) == (None, SOURCE, 1.0)
        assert session.query(ImageRow.id).where(is_pinned(ImageRow.id)).all() == [(recorded["image"],)]
        before = spans.find_moment(session, "gate", second(9).at).before
        assert before is not None
        assert (before.image_id, before.video_path, before.source) == (recorded["image"], None, SOURCE)


def test_what_was_cut_off_ends_with_its_last_frame(database: Database, recorded: dict[str, int]) -> None:
    """Only where the run is not at work any more."""
    with database.write() as session:
        recordings.end_cut_off(session, "gate", running_runs=[recorded["run"]])
        going = recordings.find_last_recording(session, "gate")
        recordings.end_cut_off(session, "gate", running_runs=[])
        ended = recordings.find_last_recording(session, "gate")
    assert going is not None
    assert ended == replace(going, ended_at=second(3).at, ended_because=RecordingEnd.CUT_OFF)


def test_audits_of_recordings(database: Database, recorded: dict[str, int]) -> None:
    """`recordings` says why each ended, `quiet` what stood for its frames, `shown` how many there were."""
    with database.write() as session:
        recordings.end_recording(
            session, recorded["recording"], at=second(9).at, because=RecordingEnd.LOST, detail="the stream ended"
        )
    answers = {}
    for name in ("recordings", "quiet", "shown"):
        with audit_queries.run_audit(database, name, {}) as table:
            answers[name] = list(table)
    start, until = "2026-03-01 12:00:00.000000", "2026-03-01 12:00:03.000000"
    rest = ("lost", "the stream ended", 4, 1, 0, 0, SOURCE, recorded["recording"])
    assert answers["recordings"] == [("gate", start, until, 3.0, *rest)]
    assert [row[-1] for row in answers["quiet"]] == [SOURCE]
    assert answers["shown"] == [("gate", "2026-03-01", 1, 1, 4)]


def test_a_span_is_of_a_video_or_of_a_recording(database: Database, recorded: dict[str, int]) -> None:
    """Not of both and not of none: the database refuses it."""
    with pytest.raises((IntegrityError, DatabaseError)), database.write() as session:
        session.query(spans.SpanRow).update({"recording_id": None})


@pytest.mark.parametrize("scope", [ForgetScope(camera="gate"), ForgetScope(folder="/frames")])
def test_forget_deletes_recordings(database: Database, recorded: dict[str, int], scope: ForgetScope) -> None:
    """Those of the camera, and those with an image in the folder, with their spans."""
    with database.write() as session:
        rows = forgetting.count_rows(session, scope)
        assert (rows.images, rows.recordings, rows.spans) == (1, 1, 1)
        forgetting.delete_rows(session, scope)
        assert recordings.find_last_recording(session, "gate") is None
        assert recordings.list_recordings_of_run(session, recorded["run"]) == []
        assert spans.count_spans(session).spans == 0
