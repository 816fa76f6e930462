"""What became of the paths that an ingest saw: the outcome of each, and the report of all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from indexer.files.walking import NOT_AN_IMAGE, Candidate, suffix_of
from indexer.store.confirmations import ANSWERED_KEY, held_counts
from indexer.store.system_folders import COUNTS_KEY
from indexer.workflows.ingest.index_diff import SILENT_REASONS
from indexer.workflows.ingest.name_plan import NamePlan
from indexer.workflows.ingest.video_outcomes import VideoReport

_CAMERA_LOCKED_REASON = "another command is at work on its camera"
_CAMERA_HELD_REASON = "its camera is held back"


class IngestOutcome(StrEnum):
    """What became of a path; skipped paths are also counted by their reason."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MOVED = "moved"
    RETURNED = "returned"
    RENAMED = "renamed"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    TOO_SMALL = "too_small"
    SKIPPED = "skipped"


@dataclass
class IngestReport:
    """How many paths ended in each outcome, and what a person should look at.

    `endings`: the suffixes of files that were skipped because they are no images. `flat`: images that show nothing.
    `folders`: how many hidden or system folders were not walked, by their names. `unwalked`: the missing images that
    lie in such folders. `in_system_folders`: images that are still there because an earlier version walked those
    folders. `alike`: cameras whose names look the same. `retimed`: files of which only the time changed; they are
    counted with their outcome, too. `held`: who works on the cameras whose files were left alone, by camera. `names`:
    what was found when the new files were named. `ambiguous_times`: images of an hour that happens twice, when clocks
    go back; the first is taken. `equal_contents`: new contents that lie in two
    cameras; `equal_example`: the two paths of one of them. `videos`: what became of videos; None if none were wanted.
    """

    seen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    unwalked: int = 0
    in_system_folders: int | None = None
    alike: list[tuple[str, ...]] = field(default_factory=list)
    retimed: int = 0
    unmatched: int = 0
    unread_stamps: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    undecided: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    flat: int = 0
    names: NamePlan = field(default_factory=NamePlan)
    ambiguous_times: int = 0
    equal_contents: int = 0
    equal_example: tuple[str, str] | None = None
    videos: VideoReport | None = None

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        skipped = {"skipped_by_reason": dict(self.skipped), "folders_not_walked": dict(self.folders)}
        counted: dict[str, Any] = {} if self.in_system_folders is None else {COUNTS_KEY: self.in_system_folders}
        held = {one.camera: (one.folders, one.words) for one in self.names.held}
        counted |= held_counts(held, of_known=self.names.held_of_known)
        counted |= {ANSWERED_KEY: list(self.names.answered)} if self.names.answered else {}
        counted |= {"ambiguous_times": self.ambiguous_times} if self.ambiguous_times else {}
        return {"seen": self.seen, **self.outcomes, **skipped, "missing": self.missing, **counted}

    @property
    def left_alone(self) -> bool:
        """Whether files, videos or cameras were left alone that a person must look at."""
        videos_refused = self.videos is not None and bool(self.videos.refused)
        return bool(self.refused or self.held or self.names.held) or videos_refused

    def count(self, outcome: str, number: int = 1) -> None:
        """Counts paths with their outcome; an outcome without paths gets no entry."""
        if number:
            self.seen += number
            self.outcomes[outcome] += number

    def skip(self, path: str, reason: str) -> None:
        """Counts a path that was left alone; a path that should have been readable is listed for the report."""
        self.count(IngestOutcome.SKIPPED)
        self.skipped[reason] += 1
        if reason == NOT_AN_IMAGE:
            self.endings[suffix_of(path)] += 1
        if reason not in SILENT_REASONS:
            self.refused.append((path, reason))

    def skip_locked(self, files: Sequence[Candidate]) -> None:
        """Counts files of cameras that other commands have locked."""
        self.count(IngestOutcome.SKIPPED, len(files))
        self.skipped.update({_CAMERA_LOCKED_REASON: len(files)} if files else {})

    def skip_held(self, files: Sequence[Candidate]) -> None:
        """Counts files of cameras that are held back until a person says whether they are one."""
        self.count(IngestOutcome.SKIPPED, len(files))
        self.skipped.update({_CAMERA_HELD_REASON: len(files)} if files else {})
