"""Looks at the frames of a camera in rounds: first at some of all days and hours, then at more where these hint at
something, at last around the times at which each finding began and ended.

It promises that at most so many frames are looked at, each once, and that a camera with no more frames than that is
looked at in one round. It opens no file.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from indexer.domain.advice.findings import CameraFinding, Examination
from indexer.domain.advice.sampling import choose_between, choose_sample, choose_within
from indexer.workflows.advice.examine import CameraExaminer, GreyFrame

_MIN_FOR_ROUNDS = 100  # frames: fewer are too few to be divided
_FIRST_SHARE = 0.5
_CLOSER_ROUNDS = 4
_DATING_FRAMES = 16
_DATING_ROUNDS = 3
_MAX_HINTS = 6
_MAX_HINTED_SHARE = 1 / 3  # of all frames: the usual ones must not become few beside those that hint at something

Measure = Callable[[Sequence[int]], Iterable[GreyFrame]]
"""Measures the frames at some positions, ascending; leaves out those that cannot be read."""


class FrameRounds:
    """The frames of a camera that were looked at so far.

    Attributes
    ----------
    frames : list of GreyFrame
        Those that could be read, by time.
    looked_at : set of int
        The positions of all of them.
    """

    def __init__(self, times: Sequence[datetime], measure: Measure, *, most: int) -> None:
        """`times` of all frames, ascending; `most`: so many are looked at, at most; at least `RUN_LENGTH`."""
        self._times, self._measure, self._most = times, measure, most
        self.frames: list[GreyFrame] = []
        self.looked_at: set[int] = set()

    def examine(self, examiner: CameraExaminer) -> Examination:
        """Looks at the frames, and returns what is wrong with the camera."""
        if len(self._times) <= self._most or self._most < _MIN_FOR_ROUNDS:
            self._look(choose_sample(self._times, most=self._most))
            return examiner.examine(self.frames)
        self._look(choose_sample(self._times, most=round(_FIRST_SHARE * self._most)))
        for number in range(_CLOSER_ROUNDS):
            most = (self._most - _DATING_FRAMES - len(self.looked_at)) // (_CLOSER_ROUNDS - number)
            self._look(choose_within(self._hinted_ranges(examiner), looked_at=self.looked_at, most=most))
        examination = examiner.examine(self.frames)
        for number in range(_DATING_ROUNDS):
            gaps = self._gaps(examination.findings)
            most = (self._most - len(self.looked_at)) // (_DATING_ROUNDS - number)
            between = choose_between(gaps, most=most) if gaps else []
            if not between:
                break
            self._look(between)
            examination = examiner.examine(self.frames)
        return examination

    def _look(self, positions: Sequence[int]) -> None:
        self.looked_at.update(positions)
        self.frames = sorted([*self.frames, *self._measure(positions)], key=lambda item: item.position)

    def _hinted_ranges(self, examiner: CameraExaminer) -> list[tuple[int, int]]:
        """From the run before to the run after each hint that is not sure yet: of the strongest ones, as long as they
        leave most frames to what is usual. All frames, if there is no such hint."""
        sure = examiner.examine(self.frames).findings
        hints = [hint for hint in examiner.find_hints(self.frames) if not any(_is_part_of(hint, one) for one in sure)]
        everything = len(self._times)
        ranges: list[tuple[int, int]] = []
        for hint in _in_turn(hints)[:_MAX_HINTS]:
            wider = _merged([*ranges, *self._around(hint)])
            if sum(last - first + 1 for first, last in wider) <= _MAX_HINTED_SHARE * everything:
                ranges = wider
        return ranges or [(0, everything - 1)]

    def _around(self, hint: CameraFinding) -> list[tuple[int, int]]:
        """The positions from the frame before a hint to the frame after it; none if no frame shows it."""
        shown = [
            index
            for index, item in enumerate(self.frames)
            if hint.since <= item.frame.captured_at and (hint.until is None or item.frame.captured_at < hint.until)
        ]
        if not shown:
            return []
        first, last = max(shown[0] - 1, 0), min(shown[-1] + 1, len(self.frames) - 1)
        return [(self.frames[first].position, self.frames[last].position)]

    def _gaps(self, findings: Sequence[CameraFinding]) -> list[tuple[int, int]]:
        """Between the last frame before a finding and its first one, and between its last one and the first after it,
        if others lie between them."""
        positions = {item.frame.captured_at: item.position for item in self.frames}
        ordered = sorted(positions.values())
        times = [time for finding in findings if len(finding.image_ids) > 1 for time in (finding.since, finding.until)]
        changes = {positions[time] for time in times if time is not None and time in positions} - {*ordered[:1]}
        gaps = [(ordered[bisect_left(ordered, position) - 1], position) for position in sorted(changes)]
        return [(before, after) for before, after in gaps if after - before > 1]


def _in_turn(hints: Sequence[CameraFinding]) -> list[CameraFinding]:
    """The strongest hint of each kind, then the second of each, and so on: another kind is measured in another way."""
    ranked = sorted(hints, key=lambda hint: -hint.strength)
    turns = [sum(other.kind is hint.kind for other in ranked[:index]) for index, hint in enumerate(ranked)]
    return [hint for _, hint in sorted(zip(turns, ranked, strict=True), key=lambda item: item[0])]


def _is_part_of(hint: CameraFinding, sure: CameraFinding) -> bool:
    """Whether a hint is of the kind and of the time of a finding."""
    begins_before_end = sure.until is None or hint.since < sure.until
    return hint.kind is sure.kind and begins_before_end and (hint.until is None or sure.since < hint.until)


def _merged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges, those that meet as one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return merged
