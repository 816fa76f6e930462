"""The images and their cameras: the facts of each file, and its state.

The content of a row never changes. Its path, its naming (camera, time) and its `state` can change. The workflows decide
when such a change supersedes the image's decision (`decisions.supersede`).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from indexer.domain.descriptions import FileDescription
from indexer.domain.images import ABSENT_STATES, ImageState
from indexer.domain.namings import Naming, clamped_mtime
from indexer.files.beneath import lies_beneath
from indexer.store.bulk import bulk_insert, chunks
from indexer.store.cameras import get_or_add_camera, get_or_add_cameras
from indexer.store.columns import lies_below, path_from_text, stored_text, to_ns
from indexer.store.pins import is_pinned
from indexer.store.tables import CameraRow, ImageRow, RunRow


@dataclass(frozen=True)
class KnownFile:
    """A file as the index knows it."""

    id: int
    path: str
    root: str
    size_bytes: int
    mtime_ns: int
    content_hash: str
    state: ImageState
    naming: Naming


class PresentFile(NamedTuple):
    """The facts that show whether a file is unchanged; a tuple, as there may be a million."""

    id: int
    path: str
    size_bytes: int
    mtime_ns: int
    ready: bool
    run_id: int
    """The run that first saw the image."""


class PresentFileDetails(NamedTuple):
    """What the index knows of the file of a present image."""

    image_id: int
    path: str
    root: str
    size_bytes: int
    mtime_ns: int
    content_hash: str


class EqualFile(NamedTuple):
    """A file whose content other files of the index have, too."""

    image_id: int
    path: str
    pinned: bool


class NewImage(NamedTuple):
    """A described file for a new row, with its naming and its root."""

    description: FileDescription
    naming: Naming
    root: str


def list_known(session: Session, paths: Sequence[str]) -> dict[str, KnownFile]:
    """The rows at these paths that are neither missing nor removed, by path."""
    results = (
        session.execute(_SELECT_KNOWN.where(ImageRow.path.in_(chunk), ImageRow.state.not_in(ABSENT_STATES)))
        for chunk in chunks(paths)
    )
    return {known.path: known for rows in results for known in map(_known_file, rows)}


def list_by_hash(session: Session, hashes: Sequence[str]) -> list[KnownFile]:
    """All rows with one of these content hashes, in any state, oldest first."""
    results = (session.execute(_SELECT_KNOWN.where(ImageRow.content_hash.in_(chunk))) for chunk in chunks(hashes))
    return sorted((_known_file(row) for rows in results for row in rows), key=lambda known: known.id)


def list_at_path(session: Session, path: str, *, content_hash: str) -> list[KnownFile]:
    """All rows with this path and this content hash, in any state, oldest first."""
    query = _SELECT_KNOWN.where(ImageRow.path == path, ImageRow.content_hash == content_hash)
    return list(map(_known_file, session.execute(query.order_by(ImageRow.id))))


def find_ready(session: Session, *, content_hash: str) -> KnownFile | None:
    """The oldest ready row with this content hash; None if there is none."""
    query = _SELECT_KNOWN.where(ImageRow.content_hash == content_hash, ImageRow.state == ImageState.READY)
    row = session.execute(query.order_by(ImageRow.id).limit(1)).first()
    return None if row is None else _known_file(row)


def list_equal_ready(session: Session, hashes: Sequence[str]) -> dict[str, list[EqualFile]]:
    """The ready rows with these content hashes, by hash, oldest first; only for hashes with several such rows."""
    equal_files: dict[str, list[EqualFile]] = {}
    for chunk in chunks(hashes):
        shared = (
            select(ImageRow.content_hash)
            .where(ImageRow.content_hash.in_(chunk), ImageRow.state == ImageState.READY)
            .group_by(ImageRow.content_hash)
            .having(func.count() > 1)
        )
        query = select(ImageRow.content_hash, ImageRow.id, ImageRow.path, is_pinned(ImageRow.id))
        query = query.where(ImageRow.content_hash.in_(shared), ImageRow.state == ImageState.READY).order_by(ImageRow.id)
        for content_hash, image_id, path, pinned in session.execute(query):
            equal_files.setdefault(content_hash, []).append(EqualFile(image_id, path, bool(pinned)))
    return equal_files


def iter_present(session: Session, paths: Sequence[str]) -> Iterator[PresentFile]:
    """The rows at these paths that are neither missing nor removed, in no particular order."""
    for chunk in chunks(paths):
        yield from map(PresentFile._make, session.execute(_SELECT_PRESENT.where(ImageRow.path.in_(chunk))))


def list_present_of_cameras(session: Session, cameras: Sequence[str]) -> list[KnownFile]:
    """The rows of these cameras that are neither missing nor removed, in no particular order."""
    query = _SELECT_KNOWN.where(CameraRow.name.in_(cameras), ImageRow.state.not_in(ABSENT_STATES))
    return list(map(_known_file, session.execute(query)))


def iter_present_under(session: Session, folder: str) -> Iterator[PresentFile]:
    """All rows below a folder, an absolute path, that are neither missing nor removed, in no particular order."""
    yield from map(
        PresentFile._make, session.execute(_SELECT_PRESENT.where(lies_below(ImageRow.path, folder))).yield_per(1000)
    )


def count_present(session: Session) -> int:
    """The number of rows that are neither missing nor removed."""
    return session.scalar(select(func.count()).where(ImageRow.state.not_in(ABSENT_STATES))) or 0


def list_stored_files(session: Session, *, after: int, limit: int) -> list[PresentFileDetails]:
    """A page of the rows that are neither missing nor removed: at most `limit` with ids above `after`, by id."""
    query = select(
        ImageRow.id, ImageRow.path, ImageRow.root, ImageRow.file_size, ImageRow.mtime_ns, ImageRow.content_hash
    ).where(ImageRow.id > after, ImageRow.state.not_in(ABSENT_STATES))
    return list(map(PresentFileDetails._make, session.execute(query.order_by(ImageRow.id).limit(limit))))


def iter_with_other_root(session: Session, folder: str) -> Iterator[tuple[int, str, str]]:
    """The id, path and root of each row below a folder that was ingested with another root.

    Missing and removed rows are left out.
    """
    query = select(ImageRow.id, ImageRow.path, ImageRow.root)
    query = query.where(
        lies_below(ImageRow.path, folder), ImageRow.root != folder, ImageRow.state.not_in(ABSENT_STATES)
    )
    yield from ((image_id, path, root) for image_id, path, root in session.execute(query))


def add_images(session: Session, new_images: Sequence[NewImage], *, run_id: int) -> list[int]:
    """Adds rows for described files, and returns their ids in the same order."""
    if not new_images:
        return []
    cameras = get_or_add_cameras(session, [naming.camera for _, naming, _ in new_images])
    rows = [
        _description_values(description)
        | _naming_values(naming, camera_id=cameras[naming.camera])
        | {"path": description.path, "root": root, "run_id": run_id}
        for description, naming, root in new_images
    ]
    session.execute(bulk_insert(ImageRow), rows)
    ids = {
        present.path: present.id
        for present in iter_present(session, [description.path for description, _, _ in new_images])
    }
    return [ids[description.path] for description, _, _ in new_images]


def relocate_image(session: Session, image_id: int, description: FileDescription, *, naming: Naming, root: str) -> None:
    """Updates a row whose file moved, or returned, to the file's present path, facts and naming."""
    camera_id = get_or_add_camera(session, naming.camera)
    values = (
        _description_values(description)
        | _naming_values(naming, camera_id=camera_id)
        | {"path": description.path, "root": root}
    )
    session.execute(update(ImageRow).where(ImageRow.id == image_id).values(**values))


def update_mtime_and_root(session: Session, image_id: int, *, mtime_ns: int, root: str) -> None:
    """Records that an unchanged file has another modification time, or was ingested with another root."""
    values = {"mtime_ns": clamped_mtime(mtime_ns), "root": root}
    session.execute(update(ImageRow).where(ImageRow.id == image_id).values(**values))


def rename_image(session: Session, image_id: int, *, naming: Naming) -> None:
    """Sets the camera and the capture time of an image."""
    values = _naming_values(naming, camera_id=get_or_add_camera(session, naming.camera))
    session.execute(update(ImageRow).where(ImageRow.id == image_id).values(**values))


def set_state(session: Session, image_ids: Sequence[int], state: ImageState, *, reason: str | None = None) -> None:
    """Sets the state of images, and its reason."""
    for chunk in chunks(image_ids):
        session.execute(update(ImageRow).where(ImageRow.id.in_(chunk)).values(state=state, state_reason=reason))


def mark_replaced(session: Session, image_id: int, *, path: str) -> bool:
    """Marks a row as replaced if its path is still `path`.

    Returns False if the row has another path, because its file was ingested there meanwhile.
    """
    is_still_there = (ImageRow.id == image_id) & (ImageRow.path == path)
    replaced = update(ImageRow).where(is_still_there).values(state=ImageState.MISSING, state_reason="replaced")
    return session.execute(replaced.returning(ImageRow.id)).first() is not None


def mark_missing(session: Session, paths_by_id: Mapping[int, str], *, reason: str = "not found") -> int:
    """Marks those of these images as missing that still have the path in `paths_by_id`. Returns their number."""
    missing: list[int] = []
    for chunk in chunks(list(paths_by_id)):
        query = select(ImageRow.id, ImageRow.path).where(ImageRow.id.in_(chunk), ImageRow.state.not_in(ABSENT_STATES))
        missing += [row.id for row in session.execute(query) if row.path == paths_by_id[row.id]]
    set_state(session, missing, ImageState.MISSING, reason=reason)
    return len(missing)


def hold_back(session: Session, image_id: int) -> None:
    """Records that no plan takes an image until a person includes it."""
    session.execute(update(ImageRow).where(ImageRow.id == image_id).values(held_back=True))


def list_paths(session: Session, image_ids: Sequence[int]) -> dict[int, tuple[str, ImageState]]:
    """The path and the state of each of these images, by image id."""
    query = select(ImageRow.id, ImageRow.path, ImageRow.state)
    results = (session.execute(query.where(ImageRow.id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id: (path, ImageState(state)) for rows in results for image_id, path, state in rows}


def list_first_runs(session: Session, image_ids: Sequence[int]) -> dict[int, int]:
    """The run that first saw each of these images, by image id."""
    query = select(ImageRow.id, ImageRow.run_id)
    results = (session.execute(query.where(ImageRow.id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id: run_id for rows in results for image_id, run_id in rows}


def list_camera_names(session: Session, image_ids: Sequence[int]) -> dict[int, str]:
    """The camera's name of each of these images, by image id."""
    query = select(ImageRow.id, CameraRow.name).join(CameraRow, CameraRow.id == ImageRow.camera_id)
    results = (session.execute(query.where(ImageRow.id.in_(chunk))) for chunk in chunks(image_ids))
    return {image_id: name for rows in results for image_id, name in rows}


def list_roots(session: Session, image_ids: Sequence[int] | None = None) -> list[str]:
    """The roots (folders passed to ingest) of these images, or of all images."""
    if image_ids is None:
        return list(session.scalars(select(ImageRow.root).distinct()))
    query = select(ImageRow.root).distinct()
    return sorted(
        {root for chunk in chunks(image_ids) for root in session.scalars(query.where(ImageRow.id.in_(chunk)))}
    )


def list_outermost_roots(session: Session) -> list[str]:
    """The roots (folders passed to ingest) that do not lie in another root, sorted.

    It makes one short query per root. Each uses the index on paths to jump over all paths below the last root.
    """
    roots: list[str] = []
    after = ""
    while True:
        query = select(ImageRow.root, ImageRow.path).where(ImageRow.path > after).order_by(ImageRow.path).limit(1)
        row = session.execute(query).first()
        if row is None:
            return sorted(set(roots))
        roots.append(row.root)
        # "0" is the character after "/". A path that is stored as a URI does not sort after its root.
        beyond = f"{row.root.rstrip('/')}0"
        after = beyond if stored_text(beyond) > stored_text(row.path) else row.path


def find_equal_in_cameras(session: Session, *, run_id: int) -> tuple[int, tuple[str, str] | None]:
    """How many contents that a run added lie in another camera, too, and the two paths of one of them."""
    new, other = aliased(ImageRow), aliased(ImageRow)
    ready = (new.run_id == run_id) & (new.state == ImageState.READY) & (other.state == ImageState.READY)
    pairs = select(new.content_hash, new.path, other.path).join(other, other.content_hash == new.content_hash)
    rows = session.execute(pairs.where(ready, other.camera_id != new.camera_id).order_by(new.path, other.path)).all()
    return len({row[0] for row in rows}), ((rows[0][1], rows[0][2]) if rows else None)


def list_ready_folders(session: Session) -> set[str]:
    """The folders in which the ready images lie."""
    connection, stored = session.connection(), set[str]()
    named = (
        ("ready_folders",) if connection.dialect.name == "postgresql" else ()
    )  # with a name, the server has the rows
    # A cursor of the driver takes a third of the time that rows of SQLAlchemy take.
    with closing(connection.connection.cursor(*named)) as cursor:
        cursor.execute("SELECT path FROM images WHERE state = 'ready'")
        while rows := cursor.fetchmany(1000):
            stored |= {path.rpartition("/")[0] for (path,) in rows}
    return {path_from_text(folder) or "/" for folder in stored}


def mark_present(session: Session, image_id: int, *, path: str) -> None:
    """Marks a removed image as ready again, at this path, and any other image there as missing.

    An adopted image that was never described becomes missing instead; the next ingest describes it.
    """
    others = (ImageRow.path == path) & (ImageRow.id != image_id) & ImageRow.state.not_in(ABSENT_STATES)
    session.execute(update(ImageRow).where(others).values(state=ImageState.MISSING, state_reason="replaced"))
    if session.scalar(select(ImageRow.path).where(ImageRow.id == image_id)) != path:  # it was moved since its removal
        around = [root for root in list_roots(session) if lies_beneath(path, root)]
        root = max(around, key=len, default=os.path.dirname(path))
        session.execute(update(ImageRow).where(ImageRow.id == image_id).values(path=path, root=root))
    set_state(session, [image_id], ImageState.READY if _is_described(session, image_id) else ImageState.MISSING)


def _is_described(session: Session, image_id: int) -> bool:
    return session.scalar(select(ImageRow.sharpness).where(ImageRow.id == image_id)) is not None


# Columns, not whole rows: SQLAlchemy takes several times as long to make an object of each row.
_SELECT_PRESENT = select(
    ImageRow.id,
    ImageRow.path,
    ImageRow.file_size,
    ImageRow.mtime_ns,
    (ImageRow.state == ImageState.READY).label("ready"),
    ImageRow.run_id,
).where(ImageRow.state.not_in(ABSENT_STATES))
_SELECT_KNOWN = select(
    ImageRow.id,
    ImageRow.path,
    ImageRow.root,
    ImageRow.file_size,
    ImageRow.mtime_ns,
    ImageRow.content_hash,
    ImageRow.state,
    CameraRow.name.label("camera"),
    ImageRow.camera_source,
    ImageRow.captured_at,
    ImageRow.captured_at_source,
).join(CameraRow, CameraRow.id == ImageRow.camera_id)


def _known_file(row: Any) -> KnownFile:
    image_id, path, root, size_bytes, mtime_ns, content_hash, state, *naming = row
    return KnownFile(image_id, path, root, size_bytes, mtime_ns, content_hash, ImageState(state), Naming(*naming))


def _description_values(description: FileDescription) -> dict[str, object]:
    return {
        "width": description.width,
        "height": description.height,
        "file_size": description.size_bytes,
        "mtime_ns": None if description.mtime_ns is None else clamped_mtime(description.mtime_ns),
        "content_hash": description.content_hash,
        "sharpness": description.sharpness,
        "state": description.state,
        "state_reason": description.state_reason,
    }


def _naming_values(naming: Naming, *, camera_id: int) -> dict[str, object]:
    return {
        "camera_id": camera_id,
        "camera_source": naming.camera_source,
        "captured_at": naming.captured_at,
        "captured_at_source": naming.captured_at_source,
    }


def count_unusable_since(session: Session, time: datetime) -> int:
    """The number of files that could not be used, first seen by a run that began at that time or later.

    A run that began earlier and had not ended by then may have seen them since: files written since count."""
    began_since = select(RunRow.id).where(RunRow.started_at >= time)
    ended_before = select(RunRow.id).where(RunRow.finished_at < time)
    seen_since = ImageRow.run_id.not_in(ended_before) & (ImageRow.mtime_ns >= to_ns(time))
    unusable = (ImageState.UNREADABLE, ImageState.DAMAGED, ImageState.TOO_SMALL)
    cameras = session.scalars(select(CameraRow.id)).all()  # there is an index for the images of each by state
    query = select(func.count()).where(ImageRow.state.in_(unusable), ImageRow.run_id.in_(began_since) | seen_since)
    return sum(session.scalar(query.where(ImageRow.camera_id.in_(chunk))) or 0 for chunk in chunks(cameras))
