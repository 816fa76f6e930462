"""The folders that the images of each camera come from, and the times of its images there."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import and_, delete, func, insert, not_, or_, select, update
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.domain.naming.cameras import KnownSource, TimeSpan
from indexer.store.bulk import chunks
from indexer.store.cameras import get_or_add_cameras
from indexer.store.columns import lies_below, relocated
from indexer.store.tables import CameraRow, CameraSourceRow, ImageRow

_ABSENT_STATES = (ImageState.MISSING, ImageState.REMOVED)


def list_sources(session: Session, cameras: Collection[str] | None = None) -> dict[str, list[KnownSource]]:
    """The sources of these cameras, or of all, by name; a camera of the index without any has an empty list."""
    known: dict[str, list[KnownSource]] = defaultdict(list)
    query = select(
        CameraRow.name, CameraSourceRow.source, CameraSourceRow.is_root, CameraSourceRow.is_confirmed
    ).outerjoin(CameraSourceRow, CameraSourceRow.camera_id == CameraRow.id)
    queries = (
        [query] if cameras is None else [query.where(CameraRow.name.in_(chunk)) for chunk in chunks(sorted(cameras))]
    )
    for one in queries:
        for name, source, is_root, is_confirmed in session.execute(one.order_by(CameraSourceRow.source)):
            known[name] += [] if source is None else [KnownSource(source, bool(is_root), bool(is_confirmed))]
    return dict(known)


def add_sources(session: Session, pairs: Iterable[tuple[str, str]], *, is_confirmed: bool = False) -> None:
    """Adds sources to cameras, by name; cameras that are new are added, and sources that are there stay."""
    unique = sorted(set(pairs))
    ids = get_or_add_cameras(session, [camera for camera, _ in unique])
    existing: set[tuple[int, str]] = set()
    for chunk in chunks(sorted(set(ids.values()))):
        query = select(CameraSourceRow.camera_id, CameraSourceRow.source).where(CameraSourceRow.camera_id.in_(chunk))
        existing |= {(camera_id, source) for camera_id, source in session.execute(query)}
    rows = [
        {"camera_id": ids[camera], "source": source, "is_confirmed": is_confirmed}
        for camera, source in unique
        if (ids[camera], source) not in existing
    ]
    if rows:
        session.execute(insert(CameraSourceRow), rows)


def confirm_sources(session: Session, camera: str) -> int:
    """Marks all sources of a camera as confirmed by a person; returns how many there are."""
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    confirmed = update(CameraSourceRow).where(CameraSourceRow.camera_id == camera_id).values(is_confirmed=True)
    return len(session.execute(confirmed.returning(CameraSourceRow.source)).all())


def delete_sources_below(session: Session, folder: str, *, is_root: bool = False) -> None:
    """Deletes the sources in a folder and below it; `is_root`: only what an earlier version knew of their cameras."""
    at_or_below = or_(lies_below(CameraSourceRow.source, folder), CameraSourceRow.source == folder)
    deleted = delete(CameraSourceRow).where(at_or_below)
    session.execute(deleted.where(CameraSourceRow.is_root) if is_root else deleted)


def relocate_sources(session: Session, old: str, new: str) -> None:
    """Changes the sources below `old` to `new`; a source that is there already stays as it is."""
    known = set(_list_pairs(session))
    for camera_id, source in sorted(known):
        moved = relocated(source, old=old, new=new)
        is_it = (CameraSourceRow.camera_id == camera_id) & (CameraSourceRow.source == source)
        if moved != source and (camera_id, moved) in known:
            session.execute(delete(CameraSourceRow).where(is_it))
        elif moved != source:
            session.execute(update(CameraSourceRow).where(is_it).values(source=moved))


def _list_pairs(session: Session) -> list[tuple[int, str]]:
    query = select(CameraSourceRow.camera_id, CameraSourceRow.source)
    return [(camera_id, source) for camera_id, source in session.execute(query)]


def list_spans(
    session: Session, camera: str, sources: Collection[str], *, without: Collection[int] = ()
) -> Mapping[str, TimeSpan]:
    """The times of the present images of a camera below each of these folders that has any.

    A modification time does not count as a time: copying a file changes it. `without`: images that count as gone.
    """
    spans = {}
    for source in sources:
        deeper = [other for other in sources if other.startswith(f"{source.rstrip('/')}/")]
        is_own = and_(lies_below(ImageRow.path, source), *(not_(lies_below(ImageRow.path, other)) for other in deeper))
        query = (
            select(
                func.min(ImageRow.captured_at).label("first"),
                func.max(ImageRow.captured_at).label("last"),
                func.count().label("images"),
                func.count(ImageRow.captured_at).filter(ImageRow.captured_at_source != "mtime").label("times"),
            )
            .join(CameraRow, CameraRow.id == ImageRow.camera_id)
            .where(CameraRow.name == camera, ImageRow.state.not_in(_ABSENT_STATES), is_own)
        )
        if without:
            query = query.where(ImageRow.id.not_in(sorted(without)))
        row = session.execute(query).one()
        if row.images:
            spans[source] = TimeSpan(row.first, row.last, is_complete=row.images == row.times)
    return spans
