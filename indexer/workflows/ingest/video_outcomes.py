"""What became of the videos that an ingest saw: the outcome of each, and the report of all."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from indexer.workflows.ingest.name_plan import NamePlan


class VideoOutcome(StrEnum):
    """What became of a video."""

    READ = "read"
    PARTIAL = "partial"
    UNREADABLE = "unreadable"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    RETURNED = "returned"
    EQUAL = "equal"
    SKIPPED = "skipped"


@dataclass
class VideoReport:
    """How many videos ended in each outcome, and what became of their frames.

    `seen`: videos, the sum of `outcomes`. `frames_read`: frames looked at; `frames_stored` of them became images, and
    `spans` count the others, `frames_damaged` of which could not be decoded whole. `gaps`: times inside videos in which
    nobody looked. `missing`: videos of earlier runs whose file is gone. `adopted`: stored frames whose file was there
    already, of a run that was killed. `problems`: path and reason of each video that is broken, in part or as a whole,
    or whose times may be wrong; `refused`: of each that could not be used now and is tried again. `all_frames`: videos
    of which all frames were decoded, as keyframes are too far apart. `names`: what was found when the new videos were
    named. `ambiguous_times`: those that begin in an hour that happens twice, when clocks go back. `frames_folder`:
    where frames are stored.
    """

    frames_folder: str = ""
    seen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    frames_read: int = 0
    frames_stored: int = 0
    frames_damaged: int = 0
    adopted: int = 0
    spans: int = 0
    gaps: int = 0
    missing: int = 0
    all_frames: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    names: NamePlan = field(default_factory=NamePlan)
    ambiguous_times: int = 0

    def count(self, outcome: VideoOutcome) -> None:
        """Counts a video with its outcome."""
        self.seen += 1
        self.outcomes[outcome] += 1

    def refuse(self, path: str, reason: str) -> None:
        """Counts a video that could not be used now."""
        self.count(VideoOutcome.SKIPPED)
        self.refused.append((path, reason))

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        frames = {"frames_read": self.frames_read, "frames_stored": self.frames_stored, "adopted": self.adopted}
        frames |= {"frames_damaged": self.frames_damaged} if self.frames_damaged else {}
        spans = {"spans": self.spans, "gaps": self.gaps, "missing": self.missing}
        return {"seen": self.seen, **self.outcomes, **frames, **spans}
