"""The folders that the images of each camera come from, and the times of its images."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from indexer.domain.images import ImageState
from indexer.domain.naming.cameras import KnownSource, folder_of_source
from indexer.domain.naming.known_files import KnownSibling
from indexer.domain.naming.tree import moved_source, source_of_known
from indexer.domain.namings import USER_SOURCES
from indexer.domain.paths import lies_at_or_below, relocated
from indexer.store.bulk import chunks
from indexer.store.cameras import get_or_add_cameras
from indexer.store.columns import lies_below
from indexer.store.tables import CameraRow, CameraSourceRow, ImageRow, VideoRow


class CapturedImage(NamedTuple):
    """An image of a camera; a tuple, as there may be a million."""

    image_id: int
    path: str
    captured_at: datetime | None
    """None also for a modification time, which copying a file changes."""
    is_missing: bool
    is_removed: bool
    is_by_person: bool
    """Whether a person said that it is of this camera."""
    is_by_folder: bool
    """Whether its folder says so, and not its name."""


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


def list_cameras_of(session: Session, sources: Collection[str]) -> dict[str, list[str]]:
    """The cameras that have each of these sources, without those whose folders an earlier version stored."""
    query = select(CameraSourceRow.source, CameraRow.name).join(CameraRow, CameraRow.id == CameraSourceRow.camera_id)
    stored_earlier = aliased(CameraSourceRow)
    is_earlier = exists().where(stored_earlier.camera_id == CameraRow.id, stored_earlier.is_root)
    cameras: dict[str, list[str]] = defaultdict(list)
    for chunk in chunks(sorted(sources)):
        rows = session.execute(query.where(CameraSourceRow.source.in_(chunk), ~is_earlier).order_by(CameraRow.name))
        for source, camera in rows:
            cameras[source].append(camera)
    return dict(cameras)


def list_sources_below(session: Session, folder: str) -> list[str]:
    """The sources below a folder, of all cameras, without those that an earlier version stored."""
    query = select(CameraSourceRow.source).where(lies_below(CameraSourceRow.source, folder), ~CameraSourceRow.is_root)
    return list(session.scalars(query))


def iter_sources_at_or_below(session: Session, folder: str) -> Iterator[tuple[str, str]]:
    """The camera and each source of it that lies in a folder or below it, without those that an earlier version
    stored."""
    query = select(CameraRow.name, CameraSourceRow.source).join(CameraRow, CameraRow.id == CameraSourceRow.camera_id)
    at_or_below = or_(lies_below(CameraSourceRow.source, folder), CameraSourceRow.source == folder)
    yield from (
        (camera, source) for camera, source in session.execute(query.where(at_or_below, ~CameraSourceRow.is_root))
    )


def list_single_image_cameras(session: Session, folder: str, *, by_folder: bool) -> list[str]:
    """The cameras with one image alone, without missing ones, whose source is a folder, or with `by_folder` a folder
    directly in it; without cameras that a person confirmed."""
    images = select(func.count()).where(ImageRow.camera_id == CameraRow.id, ImageRow.state != ImageState.MISSING)
    at_or_below = or_(lies_below(CameraSourceRow.source, folder), CameraSourceRow.source == folder)
    is_read = ~(CameraSourceRow.is_root | CameraSourceRow.is_confirmed)
    query = select(CameraRow.name, CameraSourceRow.source).join(CameraRow, CameraRow.id == CameraSourceRow.camera_id)
    rows = session.execute(query.where(at_or_below, is_read, images.scalar_subquery() == 1))
    folders = ((name, folder_of_source(source)) for name, source in rows)
    return sorted({name for name, own in folders if folder == ((own.rpartition("/")[0] or "/") if by_folder else own)})


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
    """Marks the sources of a camera as confirmed by a person, and returns how many there are.

    A folder that an earlier version stored is not marked: images of other cameras may come to lie below it.
    """
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    is_source = (CameraSourceRow.camera_id == camera_id) & ~CameraSourceRow.is_root
    confirmed = update(CameraSourceRow).where(is_source).values(is_confirmed=True)
    return len(session.execute(confirmed.returning(CameraSourceRow.source)).all())


def unconfirm_sources(session: Session, camera: str) -> int:
    """Marks the sources of a camera as confirmed by nobody, and returns how many were."""
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    is_confirmed = (CameraSourceRow.camera_id == camera_id) & CameraSourceRow.is_confirmed
    unconfirmed = update(CameraSourceRow).where(is_confirmed).values(is_confirmed=False)
    return len(session.execute(unconfirmed.returning(CameraSourceRow.source)).all())


def delete_sources_below(session: Session, folder: str, *, is_confirmed: bool = True) -> None:
    """Deletes the sources in a folder and below it; `is_confirmed`: also those that a person confirmed.

    What an earlier version stored is always deleted.
    """
    at_or_below = or_(lies_below(CameraSourceRow.source, folder), CameraSourceRow.source == folder)
    is_read = CameraSourceRow.is_root | ~CameraSourceRow.is_confirmed
    session.execute(delete(CameraSourceRow).where(at_or_below if is_confirmed else at_or_below & is_read))


def relocate_sources(session: Session, old: str, new: str) -> None:
    """Changes the sources below `old` to `new`; a source that is there already stays as it is.

    Call it after the paths of the images were changed. Those whose camera's folder is one above `old`, as where `old`
    is a date, bring a source of their own.
    """
    _add_moved_sources(session, old, new)
    known = set(_list_pairs(session))
    for camera_id, source in sorted(known):
        moved = relocated(source, old=old, new=new)
        is_it = (CameraSourceRow.camera_id == camera_id) & (CameraSourceRow.source == source)
        if moved != source and (camera_id, moved) in known:
            session.execute(delete(CameraSourceRow).where(is_it))
        elif moved != source:
            session.execute(update(CameraSourceRow).where(is_it).values(source=moved))


def _add_moved_sources(session: Session, old: str, new: str) -> None:
    recorded: dict[int, dict[str, bool]] = defaultdict(dict)
    known = select(CameraSourceRow.camera_id, CameraSourceRow.source, CameraSourceRow.is_confirmed)
    for camera_id, source, is_confirmed in session.execute(known.where(~CameraSourceRow.is_root)):
        if not lies_at_or_below(source, old):
            recorded[camera_id][source] = is_confirmed
    rows: dict[tuple[int, str], bool] = {}
    moved = select(ImageRow.camera_id, ImageRow.path).where(lies_below(ImageRow.path, new))
    for camera_id, path in session.execute(moved.where(ImageRow.camera_id.in_(select(CameraSourceRow.camera_id)))):
        sources, old_path = recorded.get(camera_id, {}), relocated(path, old=new, new=old)
        moved_to = moved_source(old_path, path, sources) if sources else None
        if moved_to is not None and moved_to not in sources:
            rows[camera_id, moved_to] = sources[source_of_known(old_path, sources)]
    existing = set(_list_pairs(session))
    values = [
        {"camera_id": camera_id, "source": source, "is_confirmed": is_confirmed}
        for (camera_id, source), is_confirmed in sorted(rows.items())
        if (camera_id, source) not in existing
    ]
    if values:
        session.execute(insert(CameraSourceRow), values)


def _list_pairs(session: Session) -> list[tuple[int, str]]:
    query = select(CameraSourceRow.camera_id, CameraSourceRow.source)
    return [(camera_id, source) for camera_id, source in session.execute(query)]


def iter_images(session: Session, camera: str) -> Iterator[CapturedImage]:
    """All images of a camera, in any state and in no particular order."""
    query = (
        select(
            ImageRow.id,
            ImageRow.path,
            ImageRow.captured_at,
            ImageRow.captured_at_source,
            ImageRow.state,
            ImageRow.camera_source,
        )
        .join(CameraRow, CameraRow.id == ImageRow.camera_id)
        .where(CameraRow.name == camera)
    )
    yield from (
        CapturedImage(
            image_id,
            path,
            None if time_source == "mtime" else captured_at,
            state == ImageState.MISSING,
            state == ImageState.REMOVED,
            camera_source in USER_SOURCES,
            camera_source == "folder",
        )
        for image_id, path, captured_at, time_source, state, camera_source in session.execute(query).yield_per(1000)
    )


def list_written_ns(session: Session, camera: str) -> dict[str, int]:
    """When the files of a camera's images were last written, in nanoseconds since 1970, by path; no missing ones."""
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    query = select(ImageRow.path, ImageRow.mtime_ns)
    rows = session.execute(query.where(ImageRow.camera_id == camera_id, ImageRow.state != ImageState.MISSING))
    return {path: mtime_ns for path, mtime_ns in rows}


def list_replaced_paths(session: Session, camera: str) -> set[str]:
    """The paths of images of a camera whose files have another content now."""
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    query = select(ImageRow.path).where(ImageRow.camera_id == camera_id, ImageRow.state_reason == "replaced")
    return set(session.scalars(query))


def list_read_files(
    session: Session, *, folder: str | None = None, camera: str | None = None, limit: int
) -> list[tuple[str, str]]:
    """The path and the camera of images and videos below a folder, or of a camera, whose camera no person said; of each
    kind the last `limit` ones, without missing ones: those added last, or of a camera those captured last."""
    files: list[tuple[str, str]] = []
    for row, captured_at, is_present in (
        (ImageRow, ImageRow.captured_at, ImageRow.state != ImageState.MISSING),
        (VideoRow, VideoRow.started_at, VideoRow.missing_reason.is_(None)),
    ):
        query = select(row.path, CameraRow.name).join(CameraRow, CameraRow.id == row.camera_id)
        query = query.where(is_present, row.camera_source.not_in(USER_SOURCES))
        query = query if folder is None else query.where(lies_below(row.path, folder))
        camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
        query = query if camera is None else query.where(row.camera_id == camera_id)
        query = query.order_by((row.id if camera is None else captured_at).desc(), row.id.desc())
        files += [(path, name) for path, name in session.execute(query.limit(limit))]
    return files


def list_recent_files(session: Session, camera: str, *, limit: int) -> list[KnownSibling]:
    """The files of the images that a camera got last, without missing ones, the newest first."""
    columns = (ImageRow.path, ImageRow.mtime_ns, ImageRow.captured_at, ImageRow.captured_at_source)
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    query = select(*columns, ImageRow.camera_source)
    query = query.where(ImageRow.camera_id == camera_id, ImageRow.state != ImageState.MISSING)
    return [
        KnownSibling(path, mtime_ns, captured_at if time_source == "name" else None, camera_source == "folder")
        for path, mtime_ns, captured_at, time_source, camera_source in session.execute(
            query.order_by(ImageRow.id.desc()).limit(limit)
        )
    ]


def list_recent_paths(session: Session, camera: str, *, limit: int) -> list[str]:
    """The paths of the images that a camera got last, without missing ones, the newest first."""
    camera_id = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    query = select(ImageRow.path).where(ImageRow.camera_id == camera_id, ImageRow.state != ImageState.MISSING)
    return list(session.scalars(query.order_by(ImageRow.id.desc()).limit(limit)))
