"""Writes what is known of a recording: frames get their paths, and images, spans and the recording their rows.

It promises that all rows of one write are there or none; that a witness is a present image of the camera when its span
is written, and is pinned from then on; and that a gap row says why nobody looked between two recordings.

Decision 0045: frames get their files first, and then one transaction writes all rows.

Decision 0050: a recording is one stream, read by one process.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.domain.frame_paths import frame_path
from indexer.domain.images import ImageState
from indexer.domain.recording.loss import RecordingEnd
from indexer.domain.spans import FrameTime, Span, SpanReason
from indexer.store import camera_sources, images, recordings, runs, spans
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.locks.run_lock import list_running
from indexer.store.recordings import FrameImage, NewRecording, StoredRecording
from indexer.workflows.capture.store_frames import (
    FramesFolder,
    LostFrameError,
    PlacedFrame,
    add_frame_images,
    place_frames,
)
from indexer.workflows.context import Clock
from indexer.workflows.ingest.equal_rows import is_still_at_path
from indexer.workflows.record.messages import Order
from indexer.workflows.record.recording_log import PendingRows, RecordingLog, gap_detail
from indexer.workflows.runs.run import ActiveRun
from indexer.workflows.witnesses import lock_and_record_return

_SOURCE = "option"
"""Where the name of the camera comes from: a person gave it."""


@dataclass(frozen=True)
class RecordedCamera:
    """A camera as it is recorded now. `source`: its address as it may be stored. `folder`: where its frames go."""

    camera: str
    source: str
    profile_id: int
    every_s: float
    folder: FramesFolder


class RecordingGoneError(Exception):
    """Another command deleted the row of a recording while it went on."""


class RecordingStore:
    """Writes recordings to the index, in the batches of one long run."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def write(self, camera: RecordedCamera, log: RecordingLog, *, run: ActiveRun) -> list[Order]:
        """Writes what a log holds, and returns what the reader is to be told.

        Raises `OSError` if the disk refuses, `DatabaseError` if the database does, and `RecordingGoneError` if another
        command deleted the row of the recording; then nothing was written, and the log holds it still, also what the
        reader is to be told.
        """
        for witness in self._find_removed(camera, log):
            log.note_removed(witness)
        self._place(camera, log)
        rows = log.rows()
        placed = [log.placed[frame.key] for frame in rows.frames]
        with self._database.write() as session:
            recording_id = log.recording_id
            if recording_id is None:
                recording_id = self._begin(session, camera, log, run=run)
            else:
                _require_recording(session, recording_id, camera, log)
            image_ids, returned = add_frame_images(
                session, placed, (camera.camera, _SOURCE), folder=camera.folder, run_id=run.id, at=self._clock()
            )
            _add_source(session, camera, placed)
            recordings.add_recording_frames(session, recording_id, list(image_ids.values()))
            known = log.image_ids | image_ids
            span_ids = [
                spans.put_recording_span(
                    session,
                    span,
                    span_id=log.span_ids.get(key),
                    recording_id=recording_id,
                    image_ids=known,
                    profile_id=camera.profile_id,
                    every_s=camera.every_s,
                    run_id=run.id,
                )
                for key, span in rows.spans
            ]
            recordings.update_recording(session, recording_id, seen_until=rows.seen_until, counts=rows.counts)
            if rows.end is not None:
                recordings.end_recording(
                    session, recording_id, at=self._clock(), because=rows.end.because, detail=rows.end.detail
                )
        for removal in returned:
            lock_and_record_return(removal, index_id=run.index_id, at=self._clock())
        pinned = self._note_written(log, rows, placed, recording_id, image_ids, span_ids)
        return [*_removal_orders(log), *pinned]

    def place(self, camera: RecordedCamera, log: RecordingLog) -> list[Order]:
        """Gives the frames that wait their paths, and returns what the reader is to be told of those that were lost.

        A transaction that fails is tried again with the same files. Raises `OSError` if the disk refuses; the reader is
        told later then.
        """
        self._place(camera, log)
        return _removal_orders(log)

    def _place(self, camera: RecordedCamera, log: RecordingLog) -> None:
        is_there = os.path.isdir(camera.folder.path)
        for key in [key for key, each in log.placed.items() if is_there and not os.path.lexists(each.path)]:
            log.note_lost(key)
        while unplaced := [frame for frame in log.frames if frame.key not in log.placed]:
            try:
                placed = place_frames(self._database, unplaced, camera.folder, camera=camera.camera)
            except LostFrameError as problem:
                log.note_lost(problem.key)
            else:
                log.placed |= {each.frame.key: each for each in placed}

    def _note_written(
        self,
        log: RecordingLog,
        rows: PendingRows,
        placed: Sequence[PlacedFrame],
        recording_id: int,
        image_ids: dict[str, int],
        span_ids: Sequence[int],
    ) -> list[Order]:
        log.recording_id = recording_id
        paths = {each.frame.key: each.path for each in placed}
        pinned = log.note_written(rows, paths=paths, image_ids=image_ids, span_ids=span_ids)
        return [Order(pinned=pinned)] if pinned else []

    def _find_removed(self, camera: RecordedCamera, log: RecordingLog) -> list[str]:
        """The witnesses that are no images of the camera with their files any more; the ids of the others are noted."""
        paths = {key: log.paths[key] for key in log.list_new_witnesses()}
        if not paths:
            return []
        with self._database.read() as session:
            known = images.list_known(session, list(paths.values()))
        removed = list[str]()
        for key, path in paths.items():
            row = known.get(path)
            if row is not None and _is_witness(row, camera, content_hash=log.contents[key]):
                log.image_ids[key] = row.id
            else:
                removed.append(key)
        return removed

    def _begin(self, session: Session, camera: RecordedCamera, log: RecordingLog, *, run: ActiveRun) -> int:
        """Adds the row of a recording, and the gaps before it."""
        started = log.started
        assert started is not None
        previous = recordings.find_last_recording(session, camera.camera)
        gaps = [] if previous is None else self._end_previous(session, previous, camera, before=started.at, run=run)
        new = NewRecording(
            camera.camera,
            camera.source,
            started.at,
            started.width,
            started.height,
            started.codec,
            camera.every_s,
            camera.profile_id,
        )
        recording_id = recordings.add_recording(session, new, run_id=run.id)
        for gap in gaps:
            spans.put_recording_span(
                session,
                gap,
                span_id=None,
                recording_id=recording_id,
                image_ids={},
                profile_id=camera.profile_id,
                every_s=camera.every_s,
                run_id=run.id,
            )
        return recording_id

    def _end_previous(
        self, session: Session, previous: StoredRecording, camera: RecordedCamera, *, before: datetime, run: ActiveRun
    ) -> list[Span]:
        """Ends the previous recording if it was cut off, and returns the gaps since then.

        Frames that got their files after its last write, and that were taken into the index since, are its own. Later
        ones are those of a record that ended before it wrote a row: there are gaps before and after it.
        """
        top = camera.folder.path
        frames = [
            frame
            for frame in recordings.list_frames_of_none(
                session, camera.camera, after=previous.seen_until, before=before
            )
            if frame.path == os.path.join(top, frame_path(camera.camera, frame.captured_at))
        ]
        own = list[FrameImage]()
        if previous.ended_at is None:
            next_at = _next_run_at(session, camera.camera, after=previous.run_id) if frames else None
            own = [frame for frame in frames if next_at is None or frame.captured_at < next_at]
            running = list_running(self._database, [previous.run_id]) - {run.id}
            if previous.run_id not in running:
                recordings.add_adopted_frames(session, previous, own)
            recordings.end_cut_off(session, camera.camera, running_runs=running)
        seen_until = own[-1].captured_at if own else previous.seen_until
        first, later = FrameTime(0, before), frames[len(own) :]
        if not later:
            return [_gap(previous, seen_until, first)]
        detail = gap_detail(RecordingEnd.CUT_OFF, None)
        return [
            _gap(previous, seen_until, FrameTime(0, later[0].captured_at)),
            Span(SpanReason.GAP, FrameTime(0, later[-1].captured_at), first, 0, detail=detail),
        ]


def _removal_orders(log: RecordingLog) -> list[Order]:
    return [Order(removed=witness) for witness in log.take_unreported()]


def _is_witness(row: KnownFile, camera: RecordedCamera, *, content_hash: str) -> bool:
    """Whether an image is what frames of a camera were compared with, and present with its file."""
    is_same = row.state is ImageState.READY and row.content_hash == content_hash
    return is_same and row.naming.camera == camera.camera and is_still_at_path(row)


def _require_recording(session: Session, recording_id: int, camera: RecordedCamera, log: RecordingLog) -> None:
    assert log.started is not None
    if not recordings.recording_exists(session, recording_id, camera=camera.camera, started_at=log.started.at):
        raise RecordingGoneError


def _next_run_at(session: Session, camera: str, *, after: int) -> datetime | None:
    """When the next record of a camera began after a run; None if none did."""
    later = (each for each in runs.list_runs(session, command="record") if each.id > after)
    return next((each.started_at for each in later if camera in each.arguments["sources"]), None)


def _gap(previous: StoredRecording, seen_until: datetime, first: FrameTime) -> Span:
    """The time between two recordings. Where a clock stepped it is empty: what lies between the two was no time."""
    if previous.ended_because is RecordingEnd.CLOCK:
        return Span(SpanReason.GAP, first, first, 0, detail=previous.detail)
    if seen_until >= first.at:
        back_s = (seen_until - first.at).total_seconds()
        return Span(SpanReason.GAP, first, first, 0, detail=f"the clock went back by {back_s:.1f} s")
    detail = gap_detail(previous.ended_because, previous.detail)
    return Span(SpanReason.GAP, FrameTime(0, seen_until), first, 0, detail=detail)


def _add_source(session: Session, camera: RecordedCamera, placed: Sequence[PlacedFrame]) -> None:
    """Notes the folder of the camera's frames, so that a later ingest names them as they were."""
    folders = {os.path.dirname(os.path.dirname(each.path)) for each in placed}
    if folders:
        camera_sources.add_sources(session, [(camera.camera, folder) for folder in folders], is_confirmed=True)
