"""Made-up fortnights of a camera, with a fault on one of the days: its frames are drawn when they are looked at.

The weather changes from day to day, and a car is parked on every other one. Cameras, weather and noise are another with
each seed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal

import numpy as np

from indexer.domain.advice.findings import Examination
from indexer.domain.advice.measurements import Capture, MeasuredFrame
from indexer.imaging.condition import grey_for_comparison, measure_condition
from indexer.imaging.synthetic.scenes import Scene, Thing, draw
from indexer.workflows.advice.examine import CameraExaminer, CameraRecord, GreyFrame
from indexer.workflows.advice.rounds import FrameRounds
from tests.support.camera_days import (
    BEGIN,
    LOCATIONS,
    WEATHERS,
    Picture,
    behind_box,
    blurred,
    brighter,
    covered,
    light_at,
    shifted,
    with_drop,
    with_glare,
)

EVERY = timedelta(minutes=20)
A_DAY = 72  # frames
DAYS = 14
COUNT = DAYS * A_DAY
FAULT_BEGIN, FAULT_END = 6 * A_DAY + 19, 7 * A_DAY + 19  # at twenty past six

Fault = Literal[
    "blurred",
    "dirty",
    "blocked",
    "box",
    "glare",
    "flicker",
    "frozen",
    "frozen bytes",
    "clock",
    "clock of copies",
    "moved",
]
FAULTS: dict[Fault, str] = {
    "blurred": "blurred",
    "dirty": "dirty",
    "blocked": "blocked",
    "box": "blocked",
    "glare": "glare",
    "flicker": "flicker",
    "frozen": "frozen",
    "frozen bytes": "frozen",
    "clock": "clock",
    "clock of copies": "clock",
    "moved": "moved",
}
"""The kind of finding that each fault must give. A moved camera stays where it is; the others last for a day."""

_CHANGES: dict[Fault, Callable[[Picture], Picture]] = {
    "blurred": blurred,
    "dirty": with_drop,
    "blocked": covered,
    "box": behind_box,
    "glare": with_glare,
    "moved": partial(shifted, right=2),
}


@dataclass(frozen=True)
class Fortnight:
    """Two weeks of a camera with an image each twenty minutes. `fault`: what is planted in it; None: nothing."""

    seed: int
    fault: Fault | None = None

    def picture(self, number: int) -> Picture:
        """The picture with this number, from 0 to below COUNT."""
        if self.fault in ("frozen", "frozen bytes") and self.is_faulty(number):
            number = FAULT_BEGIN
        picture = self._quiet(number)
        if not self.is_faulty(number):
            return picture
        if self.fault == "flicker":
            return brighter(picture, levels=10 * (number % 2))
        return picture if self.fault not in _CHANGES else _CHANGES[self.fault](picture)

    def is_faulty(self, number: int) -> bool:
        """Whether a picture shows the fault."""
        last = COUNT if self.fault == "moved" else FAULT_END
        return self.fault is not None and FAULT_BEGIN <= number < last

    def captures(self) -> list[Capture]:
        """The rows of the index, in the order of the true times."""
        return [self._capture(number) for number in range(COUNT)]

    def examine(
        self, *, most: int = 200, seen: Callable[[int, Picture], object] = lambda _number, _picture: None
    ) -> Examination:
        """What is found in at most so many frames; `seen` gets each picture that is looked at, and its number."""
        images = sorted(self.captures(), key=lambda image: (image.captured_at, image.image_id))

        def measure(positions: Sequence[int]) -> Iterator[GreyFrame]:
            for position in positions:
                image = images[position]
                picture = self.picture(image.image_id - 1)
                seen(image.image_id - 1, picture)
                frame = MeasuredFrame(image.image_id, image.captured_at, measure_condition(picture))
                yield GreyFrame(frame, grey_for_comparison(picture), position)

        rounds = FrameRounds([image.captured_at for image in images], measure, most=most)
        return rounds.examine(CameraExaminer(CameraRecord(images), now=images[-1].captured_at, days=DAYS))

    def _quiet(self, number: int) -> Picture:
        rng = np.random.default_rng([self.seed, number])
        scene = Scene(LOCATIONS[self.seed % 3], seed=self.seed, width=640, height=480)
        hour = ((BEGIN + number * EVERY) - BEGIN).total_seconds() / 3600 % 24
        day = number // A_DAY
        things: tuple[Thing, ...] = ()
        if (self.seed + day) % 2 and 7 <= hour < 19:
            things = (Thing("car", 150 + 30 * (self.seed % 5), 408, 118, (50, 44, 190)),)
        if rng.random() < 0.3:
            things = (*things, Thing("passing", float(rng.uniform(60, 580)), 340, 160))
        if rng.random() < 0.2:
            things = (*things, Thing("walker", float(rng.uniform(60, 580)), 330, 90, (60, 140, 220)))
        weather = WEATHERS[int(np.random.default_rng([self.seed, day, 7]).integers(len(WEATHERS)))]
        return draw(scene, things=things, light=light_at(hour, weather, rng), seed=100_000 * self.seed + number)

    def _capture(self, number: int) -> Capture:
        time = BEGIN + number * EVERY
        written_s = time.timestamp() + 2
        if self.fault == "clock of copies":
            written_s = 4e9 + number / 100
        content = FAULT_BEGIN if self.fault == "frozen bytes" and self.is_faulty(number) else number
        is_late = self.fault in ("clock", "clock of copies") and self.is_faulty(number)
        taken = time - timedelta(hours=1) if is_late else time
        return Capture(number + 1, taken, f"{content:064x}", written_s, True)
