"""status: what is in the index, per camera. It writes nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from indexer.domain.similar_names import list_similar_names
from indexer.store import (
    audit_queries,
    cameras,
    findings,
    pins,
    profiles,
    reconsidered,
    removals,
    runs,
    spans,
    timezones,
    videos,
)
from indexer.store.cameras import CameraSummary
from indexer.store.database import Database, Session
from indexer.store.reconsidered import NotCompared, WouldKeep
from indexer.store.removals import JournalEntry
from indexer.store.spans import SpanCounts
from indexer.store.system_folders import count_in_system_folders
from indexer.store.videos import VideoCounts
from indexer.workflows.admin.records import RecordState, list_records
from indexer.workflows.admin.status_check import (
    StatusCheck,
    list_missing_folders,
    list_missing_quarantines,
    list_questions,
)
from indexer.workflows.admin.watches import WatchState, list_watches
from indexer.workflows.removal.returned_files import count_held_back
from indexer.workflows.removal.unknown_runs import UnknownRuns, list_unknown_runs
from indexer.workflows.runs.killed_runs import list_killed_runs


@dataclass(frozen=True)
class LongRunState:
    """A long run without an end; `is_running`: it is at work, else it was cut off."""

    run_id: int
    command: str
    started_at: datetime
    is_running: bool


@dataclass(frozen=True)
class Status:
    """What the index holds; `unwitnessed` are removed files whose keeper is not present any more.

    `unlikely_times` is the number of present images whose time no camera can have (`audit unlikely_times`).
    `unknown_runs`: quarantines near the images with files of runs that this index does not know. `in_system_folders`:
    the number of images in hidden folders, bins and the like, which an earlier version walked. `alike`: cameras whose
    names look the same. `timezones`: those stored for the folders of cameras, by camera. `profile` is the active one;
    `own_profiles` names, by camera, those that some cameras have in its place. `pins`: images that a person pinned.
    `held_back_files`: files that came back after their removal, and that no plan takes. `would_keep`: removed images
    that the profile in force would have kept. `missing_quarantines`: quarantines of this index that are not there, or
    cannot be read. `missing_folders`: folders of its images that are not there, or the outermost folder above one that
    is not, as that was renamed. `questions`: cameras that an ingest held back, with no answer yet. `check`: what needs
    a person; None if nobody asked. `videos` and `spans`: counts of videos, and of the frames that were not stored;
    None if there never was a video. `unfinished_runs`: long runs that are at work, or that were cut off. `watches`:
    those that are at work, and the last ones that were cut off. `records`: the same of records. `findings`: number of
    open findings of `advise`, by camera.
    """

    database: str
    profile: str
    own_profiles: dict[str, str]
    cameras: tuple[CameraSummary, ...]
    quarantined: int
    quarantined_bytes: int
    left_open: int
    unwitnessed: tuple[JournalEntry, ...]
    unknown_runs: tuple[UnknownRuns, ...]
    unlikely_times: int = 0
    in_system_folders: int = 0
    alike: tuple[tuple[str, ...], ...] = ()
    timezones: dict[str, str] = field(default_factory=dict)
    pins: int = 0
    held_back_files: int = 0
    would_keep: tuple[WouldKeep, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    missing_quarantines: tuple[str, ...] = ()
    missing_folders: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    check: StatusCheck | None = None
    videos: VideoCounts | None = None
    spans: SpanCounts | None = None
    unfinished_runs: tuple[LongRunState, ...] = ()
    watches: tuple[WatchState, ...] = ()
    records: tuple[RecordState, ...] = ()
    findings: dict[str, int] = field(default_factory=dict)

    @property
    def undecided(self) -> int:
        """How many present images compare did not decide yet."""
        return sum(camera.undecided for camera in self.cameras)


def status(database: Database, *, check: StatusCheck | None = None) -> Status:
    """What is in the index now; `check`: what in it needs a person, if that was asked."""
    unknown = list_unknown_runs(database)
    watches, records = list_watches(database), list_records(database)
    killed = {run.id for run in list_killed_runs(database)}
    with database.read() as session:
        quarantined, quarantined_bytes = removals.sum_quarantined(session)
        return Status(
            database=database.name,
            profile=profiles.get_active_profile(session).profile.name,
            own_profiles={name: own.profile.name for name, own in sorted(profiles.list_own_profiles(session).items())},
            cameras=tuple(cameras.list_summaries(session)),
            quarantined=quarantined,
            quarantined_bytes=quarantined_bytes,
            left_open=len(removals.list_pending(session)),
            unwitnessed=tuple(removals.list_unwitnessed(session)),
            unknown_runs=unknown,
            unlikely_times=audit_queries.count_rows(session, "unlikely_times"),
            in_system_folders=count_in_system_folders(session),
            alike=tuple(list_similar_names(cameras.list_cameras(session))),
            timezones=timezones.list_timezones(session),
            pins=pins.count_pins(session),
            held_back_files=count_held_back(session) if check is None else check.held_back_files,
            would_keep=tuple(reconsidered.count_would_keep(session)),
            not_compared=tuple(reconsidered.count_not_compared(session)),
            missing_quarantines=list_missing_quarantines(session) if check is None else check.missing_quarantines,
            missing_folders=list_missing_folders(session) if check is None else check.missing_folders,
            questions=list_questions(session) if check is None else check.questions,
            check=check,
            **_count_videos(session),
            unfinished_runs=tuple(
                LongRunState(run.id, run.command, run.started_at, run.id not in killed)
                for run in runs.list_unfinished(session)
            ),
            watches=watches,
            records=records,
            findings=findings.count_open(session),
        )


def _count_videos(session: Session) -> dict[str, Any]:
    """The counts of videos and spans; empty if there never was a video."""
    counts = videos.count_videos(session)
    if not counts.read + counts.partial + counts.unreadable + counts.missing:
        return {}
    return {"videos": counts, "spans": spans.count_spans(session)}
