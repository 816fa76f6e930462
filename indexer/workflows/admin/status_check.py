"""status --check: what in the index needs a person; for a nightly job. It writes nothing."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from indexer.domain.capture_gaps import MAX_GAPS, usual_interval_s
from indexer.files.absence import find_read_refusal
from indexer.files.quarantine import is_quarantine_missing, quarantine_of
from indexer.store import cameras, confirmations, image_folders, images, open_images, relocation, removals
from indexer.store.database import Database, Session
from indexer.workflows.admin.records import AwayCamera, list_away, list_full_disk, list_records
from indexer.workflows.admin.watches import list_watches
from indexer.workflows.context import Clock
from indexer.workflows.removal.missing_folders import find_missing_folder
from indexer.workflows.removal.removal_plan import plan

SILENT_AFTER = 3.0
"""How many of a camera's intervals may pass without an image."""
_NEW = timedelta(days=1)


@dataclass(frozen=True)
class SilentCamera:
    """A camera whose last image is older than it should be: how old, and the camera's interval, in seconds."""

    camera: str
    last_captured_at: datetime
    silent_s: float
    interval_s: float


@dataclass(frozen=True)
class StatusCheck:
    """What needs a person.

    `undecided`: present images that compare did not decide, without those of the last day that a watch or a record
    which still works took in. `held_back`: the cameras that prune would leave alone, and
    why. `held_back_files`: files that came back after their removal: a person pins them, or has them removed again.
    `unwitnessed`: removed files whose keeper is not present. `unreadable_new`: files that could not be used, first
    seen within the last day. `left_open`: removals that a crash cut off. `silent`: cameras without an image for longer
    than some of their intervals (`indexer.domain.capture_gaps`), but for those that are recorded. `watches_cut_off`:
    watches that ended otherwise than by being stopped, and that nobody started again. `folders_away`: watched folders
    that are not there. `records_cut_off`: as `watches_cut_off`. `cameras_away`: recorded cameras that sent no frame for
    two minutes. `cameras_full_disk`: recorded cameras of which nothing new is stored, as the disk is full.
    `missing_quarantines`, `missing_folders`, `questions`: as in `indexer.workflows.admin.status.Status`.
    """

    undecided: int
    held_back: dict[str, str]
    held_back_files: int
    unwitnessed: int
    unreadable_new: int
    left_open: int
    silent: tuple[SilentCamera, ...]
    watches_cut_off: int = 0
    folders_away: tuple[str, ...] = ()
    records_cut_off: int = 0
    cameras_away: tuple[AwayCamera, ...] = ()
    missing_quarantines: tuple[str, ...] = ()
    missing_folders: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    cameras_full_disk: tuple[str, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether anything here needs a person."""
        numbers = (self.undecided, self.held_back_files, self.unwitnessed, self.unreadable_new, self.left_open)
        lists = (self.held_back, self.silent, self.folders_away, self.questions)
        recorded = (self.cameras_away, self.cameras_full_disk)
        missing = (self.missing_quarantines, self.missing_folders)
        cut_off = self.watches_cut_off or self.records_cut_off
        return any(numbers) or any((*lists, *recorded, *missing)) or bool(cut_off)


def check_status(database: Database, *, silent_after: float, clock: Clock) -> StatusCheck:
    """What needs a person now. `silent_after`: how many of its intervals a camera may be silent; 0: any."""
    planned = plan(database)
    now = clock()
    watches, records = list_watches(database), list_records(database)
    running_ids = [watch.run_id for watch in watches if watch.is_running]
    running_ids += [record.run_id for record in records if record.is_running]
    on_record = {camera for record in records if record.is_running for camera in record.cameras}
    with database.read() as session:
        silent = [
            camera
            for name, camera_id in cameras.list_cameras(session).items()
            if silent_after > 0
            and name not in on_record  # one that shows nothing new gives no image
            and (
                camera := _find_silence(
                    name, cameras.list_last_captures(session, camera_id, limit=MAX_GAPS + 1), silent_after, now=now
                )
            )
            is not None
        ]
        return StatusCheck(
            undecided=open_images.count_undecided(session, waiting_since=now - _NEW, running_ids=running_ids),
            held_back={blocked.camera.camera: blocked.reason for blocked in planned.held_back},
            held_back_files=removals.count_held_back(session) + planned.recorded_returns,
            unwitnessed=len(removals.list_unwitnessed(session)),
            unreadable_new=images.count_unusable_since(session, now - _NEW),
            left_open=len(removals.list_pending(session)),
            silent=tuple(silent),
            watches_cut_off=sum(not watch.is_running for watch in watches),
            folders_away=tuple(sorted({folder for watch in watches if watch.is_running for folder in watch.away})),
            records_cut_off=sum(not record.is_running for record in records),
            cameras_away=list_away(records, now=now),
            missing_quarantines=list_missing_quarantines(session),
            missing_folders=list_missing_folders(session),
            questions=list_questions(session),
            cameras_full_disk=list_full_disk(records),
        )


def list_questions(session: Session) -> tuple[str, ...]:
    """The cameras that an ingest held back, with no answer yet, by name."""
    return tuple(sorted(confirmations.list_open_questions(session)))


def list_missing_folders(session: Session) -> tuple[str, ...]:
    """The outermost missing folders, at or above ingested folders whose files should be there or come back.

    A folder is not counted if an ingest saw that its files are gone, and none of them is in quarantine: somebody
    deleted it on purpose.
    """
    roots = image_folders.list_outermost_roots(session)
    missing = {root: folder for root in roots if (folder := find_missing_folder(os.path.join(root, "image")))}
    return tuple(sorted({folder for root, folder in missing.items() if _is_missed(session, root)}))


def _is_missed(session: Session, root: str) -> bool:
    return relocation.has_present_below(session, root) or removals.has_quarantined_below(session, root)


def list_missing_quarantines(session: Session) -> tuple[str, ...]:
    """The quarantines that are not there or cannot be read, or of which the folder of a run is so."""
    paths = removals.list_sample_quarantine_paths(session)
    return tuple(
        sorted({quarantine_of(path) for path in paths if is_quarantine_missing(path) or find_read_refusal(path)})
    )


def _find_silence(name: str, times: list[datetime], silent_after: float, *, now: datetime) -> SilentCamera | None:
    """How long a camera is silent, if that is too long; `times` of its last captures, the newest first."""
    interval_s = usual_interval_s(times)
    if interval_s is None:
        return None
    silent_s = (now - times[0]).total_seconds()
    return SilentCamera(name, times[0], silent_s, interval_s) if silent_s > silent_after * interval_s else None
