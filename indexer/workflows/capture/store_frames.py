"""Gives stored frames their paths and their rows as images, for videos and live cameras alike.

It promises that a frame whose file is there already is taken as it is, and that no file is overwritten. Files get their
paths first; the rows are the caller's transaction.

Decision 0045: frames get their files first, and then one transaction writes all rows.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from indexer.domain.descriptions import Thumbnail
from indexer.domain.frame_paths import frame_path, next_millisecond
from indexer.domain.images import ImageState
from indexer.domain.names import Naming
from indexer.files import io_steps
from indexer.files.frame_files import place_frame, take_back_frame
from indexer.store import images, thumbnails
from indexer.store.database import Database, Session
from indexer.store.images import KnownFile
from indexer.store.removals import JournalEntry
from indexer.workflows.capture.new_frames import NewFrame
from indexer.workflows.ingest.discovery import WRITE_BATCH_SIZE
from indexer.workflows.ingest.equal_rows import EqualRowsCache
from indexer.workflows.ingest.image_identity import NewContent, upsert_images

_MAX_SAME_TIME = 1000
"""So many frames of a camera may have names in one second; a camera has fewer."""


@dataclass(frozen=True)
class FramesFolder:
    """Where frames are stored, and where those of one video are until then."""

    path: str
    partial: str


@dataclass(frozen=True)
class PlacedFrame:
    """A frame at its path; `is_new`: its file was moved there just now."""

    frame: NewFrame
    path: str
    captured_at: datetime
    is_new: bool


class LostFrameError(OSError):
    """The file of a frame is neither at its path nor where it was written; `key`: of the frame."""

    def __init__(self, key: str) -> None:
        super().__init__(errno.ENOENT, "the file of a frame is gone")
        self.key = key


def add_frame_images(
    session: Session,
    placed: Sequence[PlacedFrame],
    camera: tuple[str, str],
    *,
    folder: FramesFolder,
    run_id: int,
    at: datetime,
) -> tuple[dict[str, int], list[JournalEntry]]:
    """Adds the images of frames that have their paths.

    `camera`: its name, and where that comes from. Returns the ids of the images by the keys of their frames, and the
    removals that end as their files are back.
    """
    image_ids, returned = dict[str, int](), list[JournalEntry]()
    for start in range(0, len(placed), WRITE_BATCH_SIZE):  # so that few thumbnails are in memory at once
        batch = placed[start : start + WRITE_BATCH_SIZE]
        known = images.list_known(session, [each.path for each in batch])
        contents = [
            content
            for each in batch
            if (content := _new_content(each, known.get(each.path), camera, root=folder.path)) is not None
        ]
        result = upsert_images(session, contents, row_cache=EqualRowsCache({}), run_id=run_id, at=at)
        returned += result.returned
        ids = {path: row.id for path, row in images.list_known(session, [each.path for each in batch]).items()}
        thumbnails.add_thumbnails(session, [(ids[each.path], _thumbnail(each.frame, folder)) for each in batch])
        image_ids |= {each.frame.key: ids[each.path] for each in batch}
    return image_ids, returned


def _thumbnail(frame: NewFrame, folder: FramesFolder) -> Thumbnail:
    """The thumbnail of a frame, with its PNG; raises `OSError` if that cannot be read."""
    return replace(frame.thumbnail, data=Path(folder.partial, frame.thumbnail_name).read_bytes())


def _new_content(
    placed: PlacedFrame, known: KnownFile | None, camera: tuple[str, str], *, root: str
) -> NewContent | None:
    """The image of a frame; None if the index has it at this path already."""
    described = placed.frame.description
    if known is not None and known.content_hash == described.content_hash and known.state is ImageState.READY:
        return None
    description = replace(described, path=placed.path, mtime_ns=os.lstat(placed.path).st_mtime_ns)
    naming = Naming(*camera, placed.captured_at, "name")
    return NewContent(description, naming, root, known)


def place_frames(
    database: Database, frames: Sequence[NewFrame], folder: FramesFolder, *, camera: str
) -> list[PlacedFrame]:
    """The frames at their paths, synced. If the disk refuses one, all of them have their partial names again.

    Where the disk refuses that, too, frames stay at their paths, and the next call finds them there. A file that is an
    image of another camera is none of them, even if it is equal: the names of two cameras may give one folder. Raises
    `OSError` if the disk refuses, and `LostFrameError` if a frame is nowhere any more.
    """
    placed: list[PlacedFrame] = []
    try:
        for frame in frames:
            placed.append(_place(database, frame, folder, camera=camera))
        for parent in sorted({os.path.dirname(each.path) for each in placed}):
            _sync_up_to(parent, folder.path)
    except OSError:
        for each in placed:
            if each.is_new:
                with suppress(OSError):
                    take_back_frame(_partial_path(each.frame, folder), each.path)
        raise
    for each in placed:
        with suppress(OSError):
            os.unlink(_partial_path(each.frame, folder))
    return placed


def _partial_path(frame: NewFrame, folder: FramesFolder) -> str:
    return os.path.join(folder.partial, frame.partial_name)


def _place(database: Database, frame: NewFrame, folder: FramesFolder, *, camera: str) -> PlacedFrame:
    """A frame at its path: by its time, or a few milliseconds later if other frames have that name."""
    partial, at = _partial_path(frame, folder), frame.time.at
    for _ in range(_MAX_SAME_TIME):
        path = os.path.join(folder.path, frame_path(camera, at))
        try:
            is_new = place_frame(partial, path, content_hash=str(frame.description.content_hash))
        except FileExistsError:
            at = next_millisecond(at)
            continue
        except FileNotFoundError as problem:
            if os.path.isdir(folder.path) and not os.path.lexists(partial):
                raise LostFrameError(frame.key) from problem
            raise
        if not is_new and _is_of_other_camera(database, path, camera=camera):
            at = next_millisecond(at)
            continue
        return PlacedFrame(frame, path, at.replace(microsecond=at.microsecond // 1000 * 1000), is_new)
    raise FileExistsError(errno.EEXIST, "other files have the names of this time", path)


def _is_of_other_camera(database: Database, path: str, *, camera: str) -> bool:
    """Whether the index has a file as a present image of another camera."""
    with database.read() as session:
        known = images.list_known(session, [path]).get(path)
    return known is not None and known.naming.camera != camera


def _sync_up_to(folder: str, top: str) -> None:
    """Makes the names in a folder and in those above it, up to `top`, survive a power failure."""
    while True:
        io_steps.sync_folder(os.path.join(folder, ""))
        if folder == top or len(folder) <= len(top):
            return
        folder = os.path.dirname(folder)
