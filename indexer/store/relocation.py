"""The paths of an index below a folder that was renamed or moved: what names it, and how the names change.

It promises that every path is changed or none. It looks at no file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from indexer.domain.images import ABSENT_STATES, ImageState
from indexer.domain.paths import relocated
from indexer.files.beneath import lies_beneath
from indexer.store.bulk import chunks
from indexer.store.camera_sources import relocate_sources
from indexer.store.columns import lies_below
from indexer.store.naming_rules import relocate_rules
from indexer.store.tables import ImageRow, RemovalRow, VideoRow

_BATCH_SIZE = 1000
_REMOVAL_PATHS = (RemovalRow.path, RemovalRow.keeper_path, RemovalRow.quarantine_path, RemovalRow.aside_path)


@dataclass(frozen=True)
class StoredFile:
    """A present file as the index knows it; the id is that of the image, or of the video."""

    id: int
    path: str
    size_bytes: int


@dataclass(frozen=True)
class RelocationCounts:
    """How many rows got another path."""

    images: int
    removals: int
    videos: int


def iter_present_below(session: Session, folder: str) -> Iterator[StoredFile]:
    """The files below a folder whose rows are neither missing nor removed."""
    query = select(ImageRow.id, ImageRow.path, ImageRow.file_size)
    query = query.where(lies_below(ImageRow.path, folder), ImageRow.state.not_in(ABSENT_STATES))
    yield from (StoredFile(*row) for row in session.execute(query))


def count_present_below(session: Session, folder: str) -> int:
    """The number of files below a folder whose rows are neither missing nor removed."""
    query = select(func.count()).select_from(ImageRow)
    return session.scalar(query.where(lies_below(ImageRow.path, folder), ImageRow.state.not_in(ABSENT_STATES))) or 0


def has_present_below(session: Session, folder: str) -> bool:
    """Whether a file below a folder has a row that is neither missing nor removed."""
    query = select(ImageRow.id).where(lies_below(ImageRow.path, folder), ImageRow.state.not_in(ABSENT_STATES)).limit(1)
    return session.scalar(query) is not None


def iter_present_videos_below(session: Session, folder: str) -> Iterator[StoredFile]:
    """The files of present videos below a folder, with the ids of the videos."""
    query = select(VideoRow.id, VideoRow.path, VideoRow.file_size)
    query = query.where(lies_below(VideoRow.path, folder), VideoRow.missing_reason.is_(None))
    yield from (StoredFile(*row) for row in session.execute(query))


def list_known_paths(session: Session, paths: Sequence[str]) -> set[str]:
    """Those of these paths that a present image or video has."""
    known = set[str]()
    for chunk in chunks(paths):
        is_image = ImageRow.path.in_(chunk) & ImageRow.state.not_in(ABSENT_STATES)
        known |= set(session.scalars(select(ImageRow.path).where(is_image)))
        is_video = VideoRow.path.in_(chunk) & VideoRow.missing_reason.is_(None)
        known |= set(session.scalars(select(VideoRow.path).where(is_video)))
    return known


def list_removal_ids(session: Session, folder: str) -> set[int]:
    """The ids of the removals with a path in a folder: of the file, its keeper, or its quarantine."""
    query = select(RemovalRow.id).where(or_(*(lies_below(column, folder) for column in _REMOVAL_PATHS)))
    return set(session.scalars(query))


def list_rank_changes(session: Session, folder: str) -> list[int]:
    """The ready images below a folder with the bytes of an image of the same camera elsewhere: paths rank these."""
    other = aliased(ImageRow)
    query = (
        select(ImageRow.id)
        .join(other, (other.content_hash == ImageRow.content_hash) & (other.camera_id == ImageRow.camera_id))
        .where(
            lies_below(ImageRow.path, folder),
            ~lies_below(other.path, folder),
            ImageRow.state == ImageState.READY,
            other.state == ImageState.READY,
        )
    )
    return list(session.scalars(query.distinct()))


def list_ready_below(session: Session, folder: str) -> list[int]:
    """The ids of the ready images below a folder."""
    query = select(ImageRow.id).where(lies_below(ImageRow.path, folder), ImageRow.state == ImageState.READY)
    return list(session.scalars(query))


def relocate(session: Session, old: str, new: str) -> RelocationCounts:
    """Changes the paths below `old` to `new`: of images, videos, roots, the journal, naming rules, cameras' folders.

    Images that left the folder that they were ingested with get the innermost ingested folder above them; if there is
    none, `new` is it from now on.
    Returns the number of images, removals and videos with a new path.
    """
    images = _relocate_column(session, ImageRow.path, old, new)
    videos = _relocate_column(session, VideoRow.path, old, new)
    for root in (ImageRow.root, VideoRow.root):
        _relocate_column(session, root, old, new)
    _correct_roots(session, new)
    removals = set[int]()
    for column in _REMOVAL_PATHS:
        removals |= _relocate_column(session, column, old, new)
    relocate_rules(session, old, new)
    relocate_sources(session, old, new)
    return RelocationCounts(len(images), len(removals), len(videos))


def _correct_roots(session: Session, new: str) -> None:
    """Gives a root above them to the images below `new` whose root is not above them any more."""
    is_below = lies_below(ImageRow.path, new)
    roots = list(session.scalars(select(ImageRow.root).where(is_below).distinct()))
    wrong = [root for root in roots if not _is_at_or_below(new, root) and not _is_at_or_below(root, new)]
    if wrong:
        above = [root for root in session.scalars(select(ImageRow.root).distinct()) if _is_at_or_below(new, root)]
        right = max(above, key=len, default=new)
        for chunk in chunks(wrong):
            session.execute(update(ImageRow).where(is_below, ImageRow.root.in_(chunk)).values(root=right))


def _is_at_or_below(path: str, folder: str) -> bool:
    return path == folder or lies_beneath(path, folder)


def _relocate_column(session: Session, column: InstrumentedAttribute[Any], old: str, new: str) -> set[int]:
    """Changes one column; the ids of the changed rows."""
    table: Any = column.class_.__table__
    row_id: Any = table.c.id
    query = select(row_id, column).where(or_(lies_below(column, old), column == old))
    rows = [(number, path) for number, path in session.execute(query)]
    change = update(table).where(row_id == bindparam("b_id")).values({column.key: bindparam("b_path")})
    for begin in range(0, len(rows), _BATCH_SIZE):
        batch = rows[begin : begin + _BATCH_SIZE]
        values = [{"b_id": number, "b_path": relocated(path, old=old, new=new)} for number, path in batch]
        session.connection().execute(change, values)
    return {number for number, _ in rows}
