"""What index and disk say beside the paths of an ingest: what numbers were taken for, and which folders lie there.

It opens no file, and reads the last images of a camera, only until they tell.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Set

from indexer.domain.naming.hour_folders import NameTime
from indexer.domain.naming.known_files import KnownSibling
from indexer.domain.naming.reading import read_path
from indexer.domain.naming.tree import KnownNumbers, Surroundings, clock_of_known, has_number
from indexer.domain.paths import lies_below
from indexer.files.walking import iter_parents
from indexer.store import camera_sources, video_names
from indexer.store.database import Database, Session

_KINDS_WITH_TIMES = frozenset({NameTime.LOCAL, NameTime.ZONED})
_CLOCK_BRANCH = re.compile(r"\*/(?:.*/)?[0-9]{2}")
_MAX_NUMBERED = 64
"""So many cameras, and so many images of each, show whether a number counts events."""
_MAX_OWN = 10_000
"""So many images of a camera show what its numbers were taken for: 200 000 of them would take three seconds."""
_SEVERAL = 2
_NUMBER_CLAIM = re.compile(r"[0-9]+\*")


class KnownSurroundings(Surroundings):
    """What an index and the disk say; `database`: None if nothing that the index has counts."""

    def __init__(self, database: Database | None) -> None:
        self._database = database

    def known_numbers(self, folder: str, *, in_names: bool, in_folders: Set[NameTime]) -> KnownNumbers:
        """What the index took the numbers of a camera's folder for, in names of files, and in names of folders with
        files of these kinds."""
        if self._database is None or not (in_names or in_folders):
            return KnownNumbers()
        with self._database.read() as session:
            are_events = in_names and any(map(has_number, _iter_own_paths(session, folder)))
            below = [source[len(folder) + 1 :] for source in camera_sources.list_sources_below(session, folder)]
            channels = [source for source in below if _NUMBER_CLAIM.fullmatch(source)]
            lone_channel = None
            if len(channels) == 1 and not are_events:
                lone_channel = _find_camera(session, f"{folder}/{channels[0]}")
            in_channels = in_folders & _list_kinds_in_channels(session, folder, filter(_CLOCK_BRANCH.fullmatch, below))
            in_hours = _list_kinds_in_hours(session, folder, in_folders - (in_channels - _KINDS_WITH_TIMES))
            in_both = in_channels & in_hours  # single folders are channels: new files say themselves what they are
        return KnownNumbers(
            True if are_events else False if channels else None,
            {**dict.fromkeys(in_hours - in_both, False), **dict.fromkeys(in_channels - in_both, True)},
            lone_channel,
        )

    def list_images(self, camera: str) -> Iterable[str]:
        """The paths of the images of a camera that are not missing; of videos, and not of their frames."""
        if self._database is not None:
            with self._database.read() as session:
                frame_ids = video_names.list_frame_ids(session, camera)
                present = (one for one in camera_sources.iter_images(session, camera) if not one.is_missing)
                yield from (one.path for one in present if one.image_id not in frame_ids)
                yield from (path for path, _ in video_names.iter_paths(session, camera))

    def list_known(self, folder: str, texts: Collection[str]) -> Iterable[KnownSibling]:
        """The last files of a camera's folder, and those of the cameras called like one of these texts in the folders
        above."""
        if self._database is None:
            return
        above = list(iter_parents(folder))
        with self._database.read() as session:
            sources = [folder, *above, *(f"{folder}/{text}*" for text in texts)]
            by_source = camera_sources.list_cameras_of(session, sources)
            cameras = {name for source in sources if source not in above for name in by_source.get(source, ())}
            cameras |= {name for source in above for name in by_source.get(source, ()) if name in texts}
            for camera in sorted(cameras)[:_MAX_NUMBERED]:
                yield from camera_sources.list_recent_files(session, camera, limit=_MAX_NUMBERED)
                yield from video_names.list_recent_files(session, camera, limit=_MAX_NUMBERED)

    def list_numbered(self, folder: str, text: str) -> Iterable[str]:
        """The paths of the last images of a camera's folder whose camera is this text, perhaps with a number behind."""
        if self._database is None:
            return
        with self._database.read() as session:
            sources = [folder, f"{folder}/{text}*"]
            names = sorted(
                {name for known in camera_sources.list_cameras_of(session, sources).values() for name in known}
            )
            numbered = [name for name in names if name.rpartition("/")[2].startswith(text)]
            for camera in numbered[-_MAX_NUMBERED:]:
                yield from camera_sources.list_recent_paths(session, camera, limit=_MAX_NUMBERED)
                yield from video_names.list_recent_paths(session, camera, limit=_MAX_NUMBERED)

    def is_counted(self, folder: str, text: str) -> bool:
        """Whether images of a camera's folder are of the camera called like this text, with a number behind it."""
        if self._database is None:
            return False
        with self._database.read() as session:
            if text not in camera_sources.list_cameras_of(session, [folder]).get(folder, ()):
                return False
            paths = camera_sources.list_recent_paths(session, text, limit=_MAX_NUMBERED)
            paths += video_names.list_recent_paths(session, text, limit=_MAX_NUMBERED)
        return any(read_path(path).uncounted_text == text for path in paths)

    def list_folders(self, folder: str) -> Collection[str]:
        """The names of the folders in a folder; none if it cannot be looked at."""
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            return ()


def _list_kinds_in_channels(session: Session, folder: str, branches: Iterable[str]) -> Set[NameTime]:
    """The kinds of names in folders of two digits that are cameras; all kinds where no image tells it."""
    kinds = set[NameTime]()
    for branch in branches:
        source, paths = f"{folder}/{branch}", list[str]()
        for camera in camera_sources.list_cameras_of(session, [source]).get(source, ()):
            paths += camera_sources.list_recent_paths(session, camera, limit=_MAX_NUMBERED)
            paths += video_names.list_recent_paths(session, camera, limit=_MAX_NUMBERED)
        kinds_of_paths = [kinds_of for clock, kinds_of in map(clock_of_known, paths) if clock]
        kinds |= set[NameTime]().union(*kinds_of_paths) if kinds_of_paths else set(NameTime)
    return kinds


def _list_kinds_in_hours(session: Session, folder: str, kinds: Set[NameTime]) -> Set[NameTime]:
    """Those of these kinds whose images in several folders of two digits are of the camera of their folder. One folder
    alone tells nothing."""
    numbers: dict[NameTime, set[int]] = {kind: set() for kind in kinds}
    is_open = True
    for path in _iter_own_paths(session, folder) if kinds else ():
        clock, kinds_of_path = clock_of_known(path)
        for kind in kinds_of_path & kinds if clock else ():
            numbers[kind].add(clock[0])
            is_open = any(len(known) < _SEVERAL for known in numbers.values())
        if not is_open:
            break
    return {kind for kind, known in numbers.items() if len(known) >= _SEVERAL}


def _iter_own_paths(session: Session, folder: str) -> Iterator[str]:
    """The paths of the last images and videos that are of the camera of their folder; the very last ones twice."""
    for camera in camera_sources.list_cameras_of(session, [folder]).get(folder, ()):
        for limit in (_MAX_NUMBERED, _MAX_OWN):
            files = video_names.list_recent_files(session, camera, limit=limit)
            files += camera_sources.list_recent_files(session, camera, limit=limit)
            yield from (file.path for file in files if file.is_by_folder and lies_below(file.path, folder))


def _find_camera(session: Session, source: str) -> str | None:
    """The camera of a source; None if there are several, or if it has no image."""
    names = camera_sources.list_cameras_of(session, [source]).get(source, [])
    if len(names) != 1 or all(image.is_missing for image in camera_sources.iter_images(session, names[0])):
        return None
    return names[0]
