"""What a watch did."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from indexer.escaping import printable
from indexer.workflows.ingest.outcomes import IngestOutcome, IngestReport
from indexer.workflows.ingest.video_outcomes import VideoReport

LAST_ARRIVAL_KEY, AWAY_KEY = "last_arrival_at", "away"
"""The keys under which a run stores when files were taken in last, and which folders are not there."""

_NOT_COUNTED = {IngestOutcome.SKIPPED, IngestOutcome.UNCHANGED}
"""A file that could not be used now is tried again, and one that the index has as it is was counted before."""


@dataclass
class WatchReport:
    """What a watch did since it began.

    `outcomes`: files that were taken in, by outcome. `videos`: videos by outcome, and their frames; None if none were
    to be taken in. `batches`: how often files were taken in; `decided`: decisions that changed. `waiting`: files that
    were not taken in when it ended, by path with the reason, at most a hundred; `waits`: how many there are.
    `last_arrival_at`: when files were taken in last. `away`: folders that are not there. `ended_by`: the name of the
    signal that ended it; None if nothing waited any more.
    """

    folders: tuple[str, ...] = ()
    outcomes: Counter[str] = field(default_factory=Counter)
    videos: Counter[str] | None = None
    batches: int = 0
    decided: int = 0
    waits: int = 0
    waiting: list[tuple[str, str]] = field(default_factory=list)
    last_arrival_at: datetime | None = None
    away: list[str] = field(default_factory=list)
    ended_by: str | None = None

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        videos = {} if self.videos is None else {"videos": dict(self.videos)}
        at = self.last_arrival_at
        times = {} if at is None else {LAST_ARRIVAL_KEY: at.isoformat(timespec="seconds")}
        away = {AWAY_KEY: [printable(folder) for folder in self.away]}
        return {**self.outcomes, "batches": self.batches, "decided": self.decided, **videos, **times, **away}

    def add_images(self, report: IngestReport, *, at: datetime) -> None:
        """Adds what became of the images of a batch, at this time."""
        outcomes = _counted(report.outcomes)
        self.outcomes.update(outcomes)
        self.last_arrival_at = at if outcomes else self.last_arrival_at

    def add_videos(self, report: VideoReport, *, at: datetime) -> None:
        """Adds what became of videos, at this time."""
        videos = self.videos if self.videos is not None else Counter[str]()
        outcomes = _counted(report.outcomes)
        videos.update({**outcomes, "frames_read": report.frames_read, "frames_stored": report.frames_stored})
        self.videos = videos
        self.last_arrival_at = at if outcomes else self.last_arrival_at


def _counted(outcomes: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in outcomes.items() if name not in _NOT_COUNTED}


def kind_of(reason: str) -> str:
    """A reason without the file that it names, as each attempt may name another one."""
    return reason.partition(" (")[0]
