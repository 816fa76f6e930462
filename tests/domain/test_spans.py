"""Spans: every frame that was looked at is stored, or in exactly one span; the worst score is the largest one."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.spans import SPAN_LENGTH_US, FrameTime, Span, SpanReason, SpanRecorder

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000

STEPS = st.integers(0, 200 * SECOND_US)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("stored"), STEPS),
        st.tuples(st.just("seen"), STEPS, st.sampled_from("abc"), st.floats(0, 999)),
        st.tuples(st.just("damaged"), STEPS),
        st.tuples(st.just("full_disk"), STEPS, st.floats(1000, 9999)),
        st.tuples(st.just("gap"), st.integers(1, 10**9)),
    ),
    max_size=60,
)


def frame(offset_us: int) -> FrameTime:
    """A frame of a recording that began at `START`."""
    return FrameTime(offset_us, START + timedelta(microseconds=offset_us))


def second(number: float) -> FrameTime:
    """A frame at a second of the recording."""
    return frame(round(number * SECOND_US))


def recorded(events: list[tuple]) -> tuple[SpanRecorder, list[Span], list[tuple[FrameTime, tuple]]]:  # type: ignore[type-arg]
    """The recorder after these events, all spans, and each event with its time; a step is the time since the last."""
    recorder, spans, at_us, log = SpanRecorder(), list[Span](), 0, []
    for event in events:
        kind, step, *rest = event
        before = frame(at_us)
        at_us += step
        now = frame(at_us)
        log.append((now, event))
        if kind == "stored":
            spans += recorder.add_stored(now)
        elif kind == "seen":
            spans += recorder.add_seen(now, witness=rest[0], score=rest[1])
        elif kind == "gap":
            spans += recorder.add_gap(before, now, detail="no frames")
        else:
            spans += recorder.add_unstored(now, reason=SpanReason(kind), score=rest[0] if rest else None)
    return recorder, [*spans, *recorder.close()], log


@given(EVENTS)
def test_the_sums_match(events: list[tuple]) -> None:  # type: ignore[type-arg]
    """Each frame looked at is stored or counted once, by its reason and its witness, whatever comes after what."""
    recorder, spans, log = recorded(events)
    looked_at = [event for _, event in log if event[0] != "gap"]
    assert recorder.looked_at == len(looked_at)
    assert recorder.stored == sum(event[0] == "stored" for event in looked_at)
    assert recorder.looked_at == recorder.stored + sum(span.frames for span in spans)
    counted = Counter[tuple[str, str | None]]()
    for span in spans:
        counted[span.reason, span.witness] += span.frames
    unstored = [event for event in looked_at if event[0] != "stored"]
    events_by_kind = Counter((event[0], event[2] if event[0] == "seen" else None) for event in unstored)
    assert +counted == events_by_kind
    assert sum(span.reason is SpanReason.GAP for span in spans) == sum(event[0] == "gap" for _, event in log)


@given(EVENTS)
def test_every_frame_lies_in_a_span_of_its_witness(events: list[tuple]) -> None:  # type: ignore[type-arg]
    """The times of a frame that was seen are within a span of its witness whose worst score is not below its own."""
    _, spans, log = recorded(events)
    for now, event in log:
        if event[0] == "seen":
            _, _, witness, score = event
            around = [span for span in spans if span.witness == witness and span.first <= now <= span.last]
            assert any(span.worst_score is not None and span.worst_score >= score for span in around)
    worst = [span for span in spans if span.worst is not None]
    times = {(now, event[-1]) for now, event in log if event[0] in {"seen", "full_disk"}}
    assert {(span.worst, span.worst_score) for span in worst} <= times


@given(EVENTS)
def test_no_span_covers_what_was_stored_or_a_gap(events: list[tuple]) -> None:  # type: ignore[type-arg]
    """Where a frame was stored, or nobody looked, spans end."""
    _, spans, log = recorded(events)
    for now, event in log:
        if event[0] == "stored":
            assert not any(span.first < now < span.last for span in spans)
    gaps = [span for span in spans if span.reason is SpanReason.GAP]
    counted = [span for span in spans if span.reason is not SpanReason.GAP]
    assert not any(span.first < gap.last and gap.first < span.last for gap in gaps for span in counted)


def test_a_quiet_hour_is_one_span() -> None:
    """While one witness stands for all frames, its span goes on, and has the worst of them."""
    recorder = SpanRecorder()
    assert recorder.add_stored(second(0)) == []
    for number in range(1, 3601):
        assert recorder.add_seen(second(number), witness="a", score=412.0 if number == 77 else 3.0) == []
    whole = Span(SpanReason.SEEN, second(1), second(3600), 3600, "a", 412.0, second(77))
    assert recorder.close() == [whole]


def test_witnesses_that_alternate_make_no_row_a_frame() -> None:
    """Flicker between two witnesses makes one span of each about every minute."""
    recorder, spans = SpanRecorder(), list[Span]()
    for number in range(600):
        spans += recorder.add_seen(second(number), witness="ab"[number % 2], score=1.0)
    spans += recorder.close()
    assert len(spans) == 20
    assert all(span.last.offset_us - span.first.offset_us < SPAN_LENGTH_US for span in spans)
    assert sum(span.frames for span in spans) == 600


def test_the_worst_frame_is_known_while_the_span_is_open() -> None:
    """Who keeps the picture of the worst frame learns of each that it is the worst so far."""
    recorder, worst = SpanRecorder(), []
    for number, score in enumerate([5.0, 5.0, 9.0, 7.0]):
        recorder.add_seen(second(number), witness="a", score=score)
        worst.append(recorder.is_worst(second(number), witness="a"))
    assert worst == [True, False, True, False]


def test_times_do_not_go_back() -> None:
    """A frame before the last one, and a gap without length, are refused."""
    recorder = SpanRecorder()
    recorder.add_stored(second(2))
    with pytest.raises(ValueError, match="comes after"):
        recorder.add_seen(second(1), witness="a", score=0.0)
    with pytest.raises(ValueError, match="takes no time"):
        recorder.add_gap(second(2), second(2), detail="no frames")
