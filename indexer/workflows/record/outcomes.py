"""What a record did, and what is known of each camera while it works."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

SOURCES_KEY = "sources"
"""The key under which a run stores the state of each camera."""


class SourceState(StrEnum):
    """What a camera is at: `recording`, `opening`, or `away`: it is tried again."""

    RECORDING = "recording"
    OPENING = "opening"
    AWAY = "away"


@dataclass(frozen=True)
class SourceStatus:
    """A camera of a record.

    `source`: its address without user, password and query. `since`: how long it is in this state. `reason`: why it is
    away, in a few words. `last_frame_at`: when its last whole frame was taken; None: none yet. `recordings`, and the
    frames: how many in this run; `frames_full_disk` and `frames_capped`: new ones that were not stored for lack of
    space, or as there were too many. `refusal`: which of both goes on now, `full_disk` or `capped`; None: neither.
    """

    camera: str
    source: str
    state: SourceState
    since: datetime
    reason: str | None = None
    last_frame_at: datetime | None = None
    recordings: int = 0
    frames_read: int = 0
    frames_stored: int = 0
    frames_missed: int = 0
    frames_damaged: int = 0
    frames_full_disk: int = 0
    frames_capped: int = 0
    refusal: str | None = None

    def to_counts(self) -> dict[str, Any]:
        """The same as a run stores it."""
        times = {name: at.isoformat() for name in ("since", "last_frame_at") if (at := getattr(self, name)) is not None}
        return {**asdict(self), **times}

    @classmethod
    def from_counts(cls, counts: Mapping[str, Any]) -> "SourceStatus":
        """The state of a camera as a run stored it."""
        last = counts["last_frame_at"]
        times = {
            "since": datetime.fromisoformat(counts["since"]),
            "last_frame_at": None if last is None else datetime.fromisoformat(last),
        }
        return cls(**{**counts, **times, "state": SourceState(counts["state"])})


@dataclass
class RecordReport:
    """What a record did. `adopted`: files of an earlier one that was killed, and that are taken in now. `unwritten`:
    frames that are files without rows, as the index could not be written; the next record takes them in. `ended_by`:
    the name of the signal that ended it; None: its time was over."""

    frames_folder: str
    sources: tuple[SourceStatus, ...] = ()
    adopted: int = 0
    unwritten: int = 0
    ended_by: str | None = None

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        return {"adopted": self.adopted, SOURCES_KEY: [source.to_counts() for source in self.sources]}

    @property
    def has_answered(self) -> bool:
        """Whether one of the cameras sent a frame."""
        return any(source.frames_read for source in self.sources)
