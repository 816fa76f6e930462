"""Adds rows for removals that this index does not know.

Another index made them, or an earlier version, or this index before it was restored from a backup.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.domain.namings import Naming, clamped_mtime
from indexer.domain.removal import RemovalState
from indexer.store import runs
from indexer.store.bulk import chunks
from indexer.store.cameras import get_or_add_camera
from indexer.store.profiles import get_camera_profile
from indexer.store.tables import DecisionRow, ImageRow, RemovalRow, RunRow


@dataclass(frozen=True)
class AdoptedFile:
    """A file in quarantine, with the ids of its image and its keeper, and the original path of each."""

    image_id: int
    keeper_id: int
    path: str
    keeper_path: str
    size_bytes: int
    content_hash: str
    keeper_hash: str
    quarantine_path: str
    removed_at: datetime


def add_removed_image(
    session: Session,
    *,
    path: str,
    root: str,
    naming: Naming,
    size_bytes: int,
    mtime_ns: int,
    content_hash: str,
    run_id: int,
) -> int:
    """Adds a row for an image that is removed already, and returns its id.

    The row has no size in pixels and no sharpness, because the file was never decoded.
    """
    values = {
        "path": path,
        "root": root,
        "camera_id": get_or_add_camera(session, naming.camera),
        "camera_source": naming.camera_source,
        "captured_at": naming.captured_at,
        "captured_at_source": naming.captured_at_source,
        "file_size": size_bytes,
        "mtime_ns": clamped_mtime(mtime_ns),
        "content_hash": content_hash,
        "state": ImageState.REMOVED,
        "run_id": run_id,
    }
    return session.execute(insert(ImageRow).values(**values).returning(ImageRow.id)).scalar_one()


def add_quarantined(session: Session, adopted: AdoptedFile, *, token: str, at: datetime, run_id: int) -> None:
    """Adds a journal row for a file in quarantine, under the run with the token `token`.

    The run is added if it is missing. With an empty token the row belongs to `run_id`, the run that adopts it.
    """
    values = asdict(adopted) | {
        "decision_id": _get_or_add_decision(session, adopted, at=at, run_id=run_id),
        "state": RemovalState.QUARANTINED,
        "planned_at": adopted.removed_at,
        "run_id": _get_or_add_run(session, token, at=adopted.removed_at) if token else run_id,
        "recorded": bool(token),
    }
    session.execute(insert(RemovalRow).values(**values))


def list_closed(session: Session) -> dict[tuple[str, str, str], int]:
    """The removals whose file counts as gone and whose image is not back: their ids, by the path in quarantine, the
    original path and the content hash."""
    query = select(RemovalRow.quarantine_path, RemovalRow.path, RemovalRow.content_hash, RemovalRow.id)
    query = query.join(ImageRow, ImageRow.id == RemovalRow.image_id).where(
        RemovalRow.state == RemovalState.PURGED,
        RemovalRow.pending.is_(None),
        RemovalRow.quarantine_path.is_not(None),
        ImageRow.state == ImageState.REMOVED,
    )
    return {
        (quarantine_path or "", path, content_hash): removal_id
        for quarantine_path, path, content_hash, removal_id in session.execute(query.order_by(RemovalRow.id))
    }


def reopen(session: Session, removal_id: int) -> None:
    """Records that a file that counted as gone lies in quarantine."""
    values = {"state": RemovalState.QUARANTINED, "purged_at": None, "problem": None}
    session.execute(update(RemovalRow).where(RemovalRow.id == removal_id).values(**values))


def mark_recorded(session: Session, removal_ids: Sequence[int]) -> None:
    """Marks removals as recorded beside the images (`indexer.files.witness_record`)."""
    for chunk in chunks(removal_ids):
        session.execute(update(RemovalRow).where(RemovalRow.id.in_(chunk)).values(recorded=True))


def _get_or_add_run(session: Session, token: str, *, at: datetime) -> int:
    existing_id = session.scalar(select(RunRow.id).where(RunRow.token == token))
    if existing_id is not None:
        return existing_id
    run_id = runs.start_run(session, "prune", arguments={"adopted": True}, at=at, token=token)
    runs.finish_run(session, run_id, outcome="done", counts={}, at=at)
    return run_id


def _get_or_add_decision(session: Session, adopted: AdoptedFile, *, at: datetime, run_id: int) -> int:
    """The id of the decision behind the removal: the current one if it names this keeper, else a new one."""
    is_of_pair = (DecisionRow.image_id == adopted.image_id) & (DecisionRow.keeper_id == adopted.keeper_id)
    existing_id = session.scalar(select(DecisionRow.id).where(is_of_pair).order_by(DecisionRow.id.desc()).limit(1))
    is_current = (DecisionRow.image_id == adopted.image_id) & DecisionRow.superseded_at.is_(None)
    if existing_id is not None and session.scalar(select(DecisionRow.id).where(is_current)) == existing_id:
        return existing_id
    session.execute(update(DecisionRow).where(is_current).values(superseded_at=at))
    camera_id = session.execute(select(ImageRow.camera_id).where(ImageRow.id == adopted.keeper_id)).scalar_one()
    values = {
        "image_id": adopted.image_id,
        "profile_id": get_camera_profile(session, camera_id).id,
        "verdict": "duplicate",
        "keeper_id": adopted.keeper_id,
        "score": 0.0 if adopted.content_hash == adopted.keeper_hash else None,
        "reason": "identical" if adopted.content_hash == adopted.keeper_hash else "similar",
        "decided_by": "db adopt",
        "decided_at": at,
        "run_id": run_id,
        "of_camera_id": camera_id,
    }
    return session.execute(insert(DecisionRow).values(**values).returning(DecisionRow.id)).scalar_one()
