"""Takes in the frames that an earlier record stored and could not write to the index, as it was killed.

It promises that files and rows are equal again afterwards. A frame gets its name a moment before its row: only the
newest files of a camera can be without.
"""

import os

from indexer.domain.frame_paths import file_name_of_camera
from indexer.files.walking import Candidate, is_image_name
from indexer.store import images, recordings
from indexer.workflows.ingest.discovery import request_of_files
from indexer.workflows.ingest.ingest import ingest_files
from indexer.workflows.ingest.outcomes import IngestOutcome, IngestReport
from indexer.workflows.record.record_context import RecordContext
from indexer.workflows.runs.lock_wait import LockWait
from indexer.workflows.runs.run import LongRun

_ADOPTED = (
    IngestOutcome.ADDED,
    IngestOutcome.CHANGED,
    IngestOutcome.MOVED,
    IngestOutcome.RETURNED,
    IngestOutcome.RENAMED,
)


def adopt_frames(context: RecordContext, run: LongRun, frames_folder: str, camera: str, *, wait: LockWait) -> int:
    """Takes in the files of a camera that the index does not have, and returns how many images there are more.

    Raises `IndexInUseError` if another command has the index or the camera, and `OSError` if a folder cannot be read.
    """
    candidates = _list_unknown(context, frames_folder, camera, since=_last_day(context, camera))
    if not candidates:
        return 0
    report = IngestReport()
    with run.record_batch(cameras=[camera], wait=wait) as batch:
        counts, batch.counts = batch.counts, {}
        ingest_files(
            context.database,
            request_of_files(candidates),
            run=batch,
            report=report,
            executor=context.executor,
            limits=context.limits,
            clock=context.clock,
        )
        batch.counts = counts
    return sum(report.outcomes[outcome] for outcome in _ADOPTED)


def _last_day(context: RecordContext, camera: str) -> str | None:
    """The folder of the day on which a camera was recorded last; None if it never was."""
    with context.database.read() as session:
        last = recordings.find_last_recording(session, camera)
    return None if last is None else f"{last.seen_until.year:04}-{last.seen_until:%m-%d}"


def _list_unknown(context: RecordContext, frames_folder: str, camera: str, *, since: str | None) -> list[Candidate]:
    """The files of a camera, of a day and later ones, that no present image has."""
    folder = os.path.join(frames_folder, file_name_of_camera(camera))
    try:
        with os.scandir(folder) as entries:
            days = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
    candidates = list[Candidate]()
    for day in days:
        if since is None or day >= since:
            candidates += _list_files(os.path.join(folder, day), frames_folder)
    with context.database.read() as session:
        known = images.list_known(session, [candidate.path for candidate in candidates])
    return [candidate for candidate in candidates if candidate.path not in known]


def _list_files(folder: str, root: str) -> list[Candidate]:
    candidates = list[Candidate]()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and is_image_name(entry.name):
                status = entry.stat(follow_symlinks=False)
                candidates.append(Candidate(entry.path, root, status.st_size, status.st_mtime_ns))
    return candidates
