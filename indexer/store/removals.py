"""The journal of removals: a row is written before a file is touched, and updated afterwards."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalCandidate, RemovalState
from indexer.store.bulk import chunks
from indexer.store.columns import lies_below
from indexer.store.pins import UNRESTORED, is_pinned_by_person
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, RemovalRow, RunRow

_SAMPLED = 2000

Act = Literal["quarantine", "delete", "restore", "restore_unpinned", "purge"]
"""What is done to a file. There are two kinds of restore, so that the recovery after a crash knows whether to pin."""


@dataclass(frozen=True)
class JournalEntry:
    """One row of the journal, with the present path, state and size of its keeper.

    `run_token`: that of its run; empty for a run of an earlier version.
    """

    id: int
    image_id: int
    keeper_id: int
    camera: str
    path: str
    keeper_path: str
    keeper_state: ImageState
    keeper_size_bytes: int
    size_bytes: int
    content_hash: str
    keeper_hash: str
    state: RemovalState
    pending: Act | None
    quarantine_path: str | None
    problem: str | None
    removed_at: datetime | None
    run_id: int
    aside_path: str | None
    recorded: bool
    held_back: bool
    run_token: str


IS_HELD_BACK: ColumnElement[bool] = or_(
    ImageRow.held_back, exists().where(RemovalRow.image_id == ImageRow.id, RemovalRow.held_back)
)
"""The SQL condition that no plan takes an image once it is present, as it came back after its removal.

The state of the removal does not count: of a file that was copied out of quarantine, the copy there may be purged.
"""


def begin_removal(
    session: Session, candidate: RemovalCandidate, *, act: Act, quarantine_path: str | None, at: datetime, run_id: int
) -> int:
    """Adds the row of a file that `act` is about to happen to, and returns its id."""
    values = _planned_values(candidate, at=at, run_id=run_id) | {
        "state": RemovalState.PLANNED,
        "pending": act,
        "quarantine_path": quarantine_path,
        "recorded": True,
    }
    return session.execute(insert(RemovalRow).values(**values).returning(RemovalRow.id)).scalar_one()


def record_aside_path(session: Session, removal_id: int, *, aside_path: str) -> None:
    """Records the path that a file has until its keeper was checked for the last time; then the file is deleted."""
    session.execute(update(RemovalRow).where(RemovalRow.id == removal_id).values(aside_path=aside_path))


def add_failure(session: Session, candidate: RemovalCandidate, *, problem: str, at: datetime, run_id: int) -> None:
    """Adds a row for a file that was not removed because a check failed; not if the image's last row says the same."""
    values = _planned_values(candidate, at=at, run_id=run_id) | {"state": RemovalState.FAILED, "problem": problem}
    removal_id = session.execute(insert(RemovalRow).values(**values).returning(RemovalRow.id)).scalar_one()
    _drop_repeated(session, removal_id)


def fail_act(session: Session, removal_id: int, *, problem: str, at: datetime) -> None:
    """Records that a removal failed and the file is where it was. Drops the row if the image's row before says the
    same."""
    finish_act(session, removal_id, RemovalState.FAILED, at=at, problem=problem)
    _drop_repeated(session, removal_id)


def _drop_repeated(session: Session, removal_id: int) -> None:
    """Drops a failed row that repeats the image's last row; otherwise a nightly prune would add one each night."""
    same = (RemovalRow.decision_id, RemovalRow.keeper_id, RemovalRow.path, RemovalRow.state, RemovalRow.problem)
    new = session.execute(select(RemovalRow.image_id, *same).where(RemovalRow.id == removal_id)).one()
    last = select(*same).where(RemovalRow.image_id == new.image_id, RemovalRow.id < removal_id)
    if session.execute(last.order_by(RemovalRow.id.desc()).limit(1)).first() == new[1:]:
        session.execute(delete(RemovalRow).where(RemovalRow.id == removal_id))


def list_failed(session: Session) -> set[int]:
    """The ids of the images of failed removals, and of their keepers."""
    failed = select(RemovalRow.image_id, RemovalRow.keeper_id).where(RemovalRow.state == RemovalState.FAILED)
    return {image_id for pair in session.execute(failed) for image_id in pair}


def begin_act(session: Session, removal_id: int, *, act: Act) -> None:
    """Records that `act` is about to happen to a removed file."""
    session.execute(update(RemovalRow).where(RemovalRow.id == removal_id).values(pending=act))


def set_held_back(session: Session, removal_id: int, *, held_back: bool) -> None:
    """Records whether plans leave a removed file out once it is back."""
    session.execute(update(RemovalRow).where(RemovalRow.id == removal_id).values(held_back=held_back))


def release(session: Session, image_id: int, *, before: int | None = None) -> None:
    """Ends that an image is held back, as far as earlier removals than `before` (None: all) hold it back."""
    held_back = (RemovalRow.image_id == image_id) & RemovalRow.held_back
    held_back &= RemovalRow.id < before if before is not None else RemovalRow.id.is_not(None)
    session.execute(update(RemovalRow).where(held_back).values(held_back=False))
    session.execute(update(ImageRow).where(ImageRow.id == image_id, ImageRow.held_back).values(held_back=False))


def finish_act(
    session: Session, removal_id: int, state: RemovalState, *, at: datetime, problem: str | None = None
) -> None:
    """Records the result of an act, and that no act is pending any more."""
    times = {
        RemovalState.QUARANTINED: "removed_at",
        RemovalState.DELETED: "removed_at",
        RemovalState.RESTORED: "restored_at",
        RemovalState.PURGED: "purged_at",
    }
    values: dict[str, object] = {"state": state, "pending": None, "problem": problem}
    if state in times and (problem is None or state is RemovalState.PURGED):
        values[times[state]] = at
    session.execute(update(RemovalRow).where(RemovalRow.id == removal_id).values(**values))


def list_pending(session: Session) -> list[JournalEntry]:
    """The rows with an act that was begun and not finished, oldest first."""
    return [_journal_entry(row) for row in session.execute(_SELECT.where(RemovalRow.pending.is_not(None)))]


def find_removal(session: Session, removal_id: int) -> JournalEntry | None:
    """One row of the journal as it is now; None if there is none."""
    row = session.execute(_SELECT.where(RemovalRow.id == removal_id)).first()
    return None if row is None else _journal_entry(row)


def list_unrecorded(session: Session, *, after: int, limit: int) -> list[tuple[JournalEntry, str, str]]:
    """At most `limit` removals without a record beside the images, with ids above `after`, sorted by id.

    Earlier versions made no record. Each removal comes with the root of its file and the root of its keeper.
    """
    query = _SELECT.add_columns(ImageRow.root, _keeper.root.label("keeper_root"))
    query = query.where(~RemovalRow.recorded, RemovalRow.state.in_(UNRESTORED), RemovalRow.id > after).limit(limit)
    return [(_journal_entry(row), root, keeper_root) for *row, root, keeper_root in session.execute(query)]


def list_with_roots(session: Session, removal_ids: Sequence[int]) -> list[tuple[JournalEntry, str, str]]:
    """These removals, sorted by id, each with the root of its file and the root of its keeper."""
    query = _SELECT.add_columns(ImageRow.root, _keeper.root.label("keeper_root"))
    return [
        (_journal_entry(row), root, keeper_root)
        for chunk in chunks(sorted(removal_ids))
        for *row, root, keeper_root in session.execute(query.where(RemovalRow.id.in_(chunk)))
    ]


def list_known_keys(session: Session) -> set[tuple[str, str]]:
    """The keys of all files in the journal, to check whether a file in quarantine is known.

    Each row has two keys: (path in quarantine, ""), and (original path, content hash + token of the run).
    """
    query = select(RemovalRow.quarantine_path, RemovalRow.path, RemovalRow.content_hash, RunRow.token)
    keys = set[tuple[str, str]]()
    for quarantine_path, path, content_hash, token in session.execute(
        query.join(RunRow, RunRow.id == RemovalRow.run_id)
    ):
        keys |= {(quarantine_path or "", ""), (path, content_hash + (token or ""))}
    return keys


def list_sample_quarantine_paths(session: Session) -> list[str]:
    """The path of one file in quarantine for each folder of a run in which some of up to 2000 files lie.

    These are evenly spaced from the oldest row in quarantine to the newest: reading a million takes too long. A run
    removes the files of a folder one after another, so only a small share of all can be passed over.
    """
    is_quarantined = RemovalRow.state == RemovalState.QUARANTINED
    ids = select(RemovalRow.id).where(is_quarantined)
    first, last = (session.scalar(ids.order_by(order).limit(1)) for order in (RemovalRow.id, RemovalRow.id.desc()))
    if first is None or last is None:
        return []
    sampled_ids = [*range(first, last, (last - first) // _SAMPLED + 1), last]
    query = select(RemovalRow.quarantine_path).where(is_quarantined, RemovalRow.quarantine_path.is_not(None))
    results = (session.scalars(query.where(RemovalRow.id.in_(chunk))) for chunk in chunks(sampled_ids))
    paths = [path for rows in results for path in rows if path is not None]
    return list({os.path.dirname(os.path.dirname(path)): path for path in paths}.values())


def list_quarantine_paths(session: Session, image_ids: Sequence[int]) -> dict[int, str]:
    """Where the files of these removed images lie in quarantine, by image id; those with an open act are left out.

    Of an image that was removed twice, and copied out in between, it is the path of the last removal.
    """
    query = select(RemovalRow.image_id, RemovalRow.quarantine_path).order_by(RemovalRow.id)
    query = query.where(RemovalRow.state == RemovalState.QUARANTINED, RemovalRow.pending.is_(None))
    results = (session.execute(query.where(RemovalRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id: path for rows in results for image_id, path in rows if path is not None}


def list_removed_images(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Those of these images that have a row in the journal, whatever became of their files."""
    query = select(RemovalRow.image_id).distinct()
    results = (session.scalars(query.where(RemovalRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id for ids in results for image_id in ids}


def list_quarantined(
    session: Session, *, run_id: int | None = None, removed_before: datetime | None = None
) -> list[JournalEntry]:
    """The files in quarantine, oldest first.

    With `run_id` only those that this run removed, with `removed_before` only those removed before that time.
    """
    query = _SELECT.where(RemovalRow.state == RemovalState.QUARANTINED)
    if run_id is not None:
        query = query.where(RemovalRow.run_id == run_id)
    if removed_before is not None:
        query = query.where(RemovalRow.removed_at < removed_before)
    return [_journal_entry(row) for row in session.execute(query)]


def list_away(session: Session) -> list[JournalEntry]:
    """The removals whose file is not back: in quarantine or deleted, oldest first."""
    return [_journal_entry(row) for row in session.execute(_SELECT.where(RemovalRow.state.in_(UNRESTORED)))]


def sum_quarantined(session: Session) -> tuple[int, int]:
    """The number of files in quarantine, and their bytes."""
    sums = select(func.count(), func.coalesce(func.sum(RemovalRow.size_bytes), 0))
    count, size_bytes = session.execute(sums.where(RemovalRow.state == RemovalState.QUARANTINED)).one()
    return count, int(size_bytes)


def has_quarantined_below(session: Session, folder: str) -> bool:
    """Whether a file that was below a folder lies in quarantine."""
    query = select(RemovalRow.id).where(RemovalRow.state == RemovalState.QUARANTINED)
    return session.scalar(query.where(lies_below(RemovalRow.path, folder)).limit(1)) is not None


def count_held_back(session: Session, *, camera_id: int | None = None, undecided: bool = False) -> int:
    """The number of present images that are held back, of all cameras or of one, and that nobody pinned.

    Those that are decided as kept are not counted; with `undecided` only those without a decision are.
    """
    decided = exists().where(DecisionRow.image_id == ImageRow.id, DecisionRow.superseded_at.is_(None))
    settled = decided if undecided else decided.where(DecisionRow.verdict == "keep")
    removed_ids = select(RemovalRow.image_id).where(RemovalRow.held_back)
    ids = removed_ids.union(select(ImageRow.id).where(ImageRow.held_back))
    query = select(func.count()).select_from(ImageRow)
    query = query.where(ImageRow.id.in_(ids), ImageRow.state == ImageState.READY, ~settled)
    query = query.where(~is_pinned_by_person(ImageRow.id))
    if camera_id is not None:
        query = query.where(ImageRow.camera_id == camera_id)
    return session.scalar(query) or 0


def list_unwitnessed(session: Session) -> list[JournalEntry]:
    """The removed files whose keeper is not present any more, oldest first."""
    query = _SELECT.where(RemovalRow.state.in_(UNRESTORED), _keeper.state != ImageState.READY)
    return [_journal_entry(row) for row in session.execute(query)]


def list_for_image(session: Session, image_id: int) -> list[JournalEntry]:
    """The journal of one image's file, oldest first."""
    return [_journal_entry(row) for row in session.execute(_SELECT.where(RemovalRow.image_id == image_id))]


_keeper = aliased(ImageRow)
_SELECT = (
    select(RemovalRow, CameraRow.name, _keeper.path, _keeper.state, _keeper.file_size, RunRow.token)
    .join(RunRow, RunRow.id == RemovalRow.run_id)
    .join(ImageRow, ImageRow.id == RemovalRow.image_id)
    .join(CameraRow, CameraRow.id == ImageRow.camera_id)
    .join(_keeper, _keeper.id == RemovalRow.keeper_id)
    .order_by(RemovalRow.id)
    .execution_options(populate_existing=True)
)


def _planned_values(candidate: RemovalCandidate, *, at: datetime, run_id: int) -> dict[str, object]:
    return {
        "image_id": candidate.victim.image_id,
        "keeper_id": candidate.keeper.image_id,
        "decision_id": candidate.decision_id,
        "path": candidate.victim.path,
        "keeper_path": candidate.keeper.path,
        "size_bytes": candidate.victim.size_bytes,
        "content_hash": candidate.victim.content_hash,
        "keeper_hash": candidate.keeper.content_hash,
        "planned_at": at,
        "run_id": run_id,
    }


def _journal_entry(row: Any) -> JournalEntry:
    removal, camera, keeper_path, keeper_state, keeper_size_bytes, run_token = row
    acts: dict[str | None, Act | None] = {act: act for act in get_args(Act)}
    return JournalEntry(
        id=removal.id,
        image_id=removal.image_id,
        keeper_id=removal.keeper_id,
        camera=camera,
        path=removal.path,
        keeper_path=keeper_path,
        keeper_state=ImageState(keeper_state),
        keeper_size_bytes=keeper_size_bytes,
        size_bytes=removal.size_bytes,
        content_hash=removal.content_hash,
        keeper_hash=removal.keeper_hash,
        state=RemovalState(removal.state),
        pending=acts.get(removal.pending),
        quarantine_path=removal.quarantine_path,
        problem=removal.problem,
        removed_at=removal.removed_at,
        run_id=removal.run_id,
        aside_path=removal.aside_path,
        recorded=removal.recorded,
        held_back=removal.held_back,
        run_token=run_token or "",
    )
