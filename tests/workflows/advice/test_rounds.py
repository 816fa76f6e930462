"""A camera with more frames than are looked at: a fault of a few hours is looked at closely, and dated to the frame."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from indexer.domain.advice.findings import CameraFinding, Examination, Kind
from indexer.domain.advice.measurements import Condition, MeasuredFrame
from indexer.workflows.advice.examine import CameraExaminer, CameraRecord, GreyFrame
from indexer.workflows.advice.rounds import FrameRounds
from tests.domain.advice.test_view import PLAIN

BEGIN = datetime(2026, 5, 1, 6, tzinfo=UTC)
COUNT = 2000
TIMES = [BEGIN + number * timedelta(minutes=10) for number in range(COUNT)]
VIEW = np.random.default_rng(1).integers(40, 200, (60, 80)).astype(np.uint8)
BLURRED = replace(PLAIN, detail=(40.0,) * 24)


class Camera:
    """Frames of which those from `begin` to before `end` are out of focus; it counts which are measured."""

    def __init__(self, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.measured: list[int] = []

    def measure(self, positions: Sequence[int]) -> Iterator[GreyFrame]:
        """The frames at these positions."""
        for position in positions:
            self.measured.append(position)
            condition: Condition = BLURRED if self.begin <= position < self.end else PLAIN
            noise = np.random.default_rng(position).integers(0, 6, VIEW.shape)
            yield GreyFrame(
                MeasuredFrame(position + 1, TIMES[position], condition), (VIEW + noise).astype(np.uint8), position
            )


def examined(camera: Camera, *, most: int = 200, count: int = COUNT) -> list[tuple[str, datetime, datetime | None]]:
    """Kind, begin and end of what is found."""
    examiner = CameraExaminer(CameraRecord([]), now=TIMES[-1], days=14)
    found = FrameRounds(TIMES[:count], camera.measure, most=most).examine(examiner)
    assert len(camera.measured) <= most
    assert len({*camera.measured}) == len(camera.measured)
    return [(str(finding.kind), finding.since, finding.until) for finding in found.findings]


@pytest.mark.parametrize(("begin", "end"), [(1000, 1060), (1203, 1347), (700, COUNT)])
def test_a_fault_of_some_hours_is_dated_to_the_frame(begin: int, end: int) -> None:
    """A fault of ten hours in two weeks is found in a tenth of the frames, from the very frame to the very frame."""
    assert examined(Camera(begin, end)) == [("blurred", TIMES[begin], TIMES[end] if end < COUNT else None)]


def test_a_quiet_camera_is_looked_at_evenly() -> None:
    """Without a hint, all days are looked at more closely."""
    camera = Camera(0, 0)
    assert examined(camera) == []
    assert len(camera.measured) > 150
    assert {TIMES[position].date() for position in camera.measured} >= {time.date() for time in TIMES[:-144]}


class HintedExaminer(CameraExaminer):
    """Finds nothing, and has a weak hint at most of the time and a strong one at some hours of it."""

    def examine(self, frames: Sequence[GreyFrame]) -> Examination:
        """Nothing."""
        return Examination((), ())

    def find_hints(self, frames: Sequence[GreyFrame]) -> tuple[CameraFinding, ...]:
        """The weak hint has more frames."""
        return (
            CameraFinding(Kind.BLOCKED, TIMES[100], TIMES[1900], strength=1.2, evidence={"frames": 90}),
            CameraFinding(Kind.GLARE, TIMES[1000], TIMES[1060], strength=3.0, evidence={"frames": 4}),
        )


def test_a_weak_hint_does_not_hide_a_strong_one() -> None:
    """Hints at most of the time are no place to look at; beside them, a strong hint at some hours is looked at."""
    camera = Camera(0, 0)
    FrameRounds(TIMES, camera.measure, most=200).examine(HintedExaminer(CameraRecord([]), now=TIMES[-1], days=14))
    assert sum(1000 <= position < 1060 for position in camera.measured) > 40


class ManyHintsExaminer(HintedExaminer):
    """Has seven strong hints of one kind on other days, and a weak one of another kind at some hours."""

    def find_hints(self, frames: Sequence[GreyFrame]) -> tuple[CameraFinding, ...]:
        """Hours that a clock is off are no ratio to a limit."""
        strong = (
            CameraFinding(Kind.CLOCK, TIMES[begin], TIMES[begin + 60], strength=9.0) for begin in range(0, 700, 100)
        )
        return (*strong, CameraFinding(Kind.GLARE, TIMES[1000], TIMES[1060], strength=1.1))


def test_hints_of_one_kind_do_not_hide_another() -> None:
    """The strongest hint of each kind is looked at before the second one of any."""
    camera = Camera(0, 0)
    FrameRounds(TIMES, camera.measure, most=200).examine(ManyHintsExaminer(CameraRecord([]), now=TIMES[-1], days=14))
    assert sum(1000 <= position < 1060 for position in camera.measured) > 8


@pytest.mark.parametrize(("most", "count"), [(200, 200), (40, COUNT)])
def test_few_frames_are_one_round(most: int, count: int) -> None:
    """Few frames are all looked at; of a small sample nothing is put aside."""
    camera = Camera(0, 0)
    assert examined(camera, most=most, count=count) == []
    assert len(camera.measured) == most


def test_frames_that_cannot_be_read_end_nothing() -> None:
    """As where the disk of the images is away: nothing is found, and nothing is looked for between none."""
    rounds = FrameRounds(TIMES, lambda positions: iter(()), most=200)
    rounds.examine(CameraExaminer(CameraRecord([]), now=TIMES[-1], days=14))
    assert rounds.frames == []
