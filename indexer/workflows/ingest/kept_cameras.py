"""New files whose camera an index calls otherwise, as it read their names, or their folders, by earlier rules.

It promises that such files keep the camera of the known files that claim the same by the rules of today, until a person
asks for these rules: in the same folder, or, for what a file name says, in another folder of the camera. Known files of
two cameras tell nothing. Nor do files whose camera depends on other files, as a channel that may be an hour.
What a person said of a file is no rule for others.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import cache, lru_cache

from indexer.domain.names import PathNaming
from indexer.domain.naming.cameras import folder_of_source, make_claim
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.hour_folders import ALL_CHANNELS
from indexer.domain.naming.reading import read_path
from indexer.domain.naming.siblings import NO_SIBLINGS, FolderVerdict
from indexer.domain.paths import lies_at_or_below, lies_below
from indexer.store import camera_sources
from indexer.store.database import Database, Session

_MAX_CAMERAS = 64
"""So many cameras of a folder, and so many files of each, are looked at."""

_CHANNELS = FolderVerdict(hours=ALL_CHANNELS)

_Key = tuple[str, str]
"""What a file claims by the rules of today: the source, and the shortest name."""


def find_kept_cameras(
    database: Database, names: Mapping[str, PathNaming], *, renamed_folders: Iterable[str]
) -> dict[str, str]:
    """The camera of each path that keeps one of the index, where it differs from the one of its naming.

    `renamed_folders`: the folders in which a person asks for the rules of today.
    """
    renamed = tuple(renamed_folders)
    open_names = {
        path: naming
        for path, naming in names.items()
        if naming.claim is not None and naming.camera_source in {"name", "folder"} and not _lies_in(path, renamed)
    }
    if not open_names:
        return {}
    with database.read() as session:
        kept = _KnownNames(session, _list_sources(session, {path.rpartition("/")[0] for path in open_names}))
        found = {path: kept.find(path, naming) for path, naming in open_names.items()}
    return {path: camera for path, camera in found.items() if camera is not None and camera != names[path].camera}


class _KnownNames:
    """What the files of an index claim by the rules of today, and which cameras they have."""

    def __init__(self, session: Session, recorded: Mapping[str, Set[str]]) -> None:
        """`recorded`: the sources of each camera, as far as files that are asked for may be of one."""
        self._session, self._recorded = session, recorded
        self._by_folder: dict[str, set[str]] = defaultdict(set)
        self._folders_read_otherwise: set[str] = set()
        for camera, sources in recorded.items():
            for source in sources:
                folder = folder_of_source(source)
                self._by_folder[folder].add(camera)
                if (today := read_folder(folder).camera_folder) != folder:
                    self._folders_read_otherwise.add(today)
        self._of_folder = cache(self._read_folder)
        self._of_source = cache(self._read_source)
        self._is_new = cache(lambda camera, source: source not in self._recorded.get(camera, ()))

    def find(self, path: str, naming: PathNaming) -> str | None:
        """The camera of the known files that claim the same as a new one; None if there is none, or are several."""
        if naming.claim is None:
            return None
        key = naming.claim.source, naming.claim.names[0]
        cameras: Set[str] = frozenset()
        if naming.folder in self._folders_read_otherwise:
            cameras = self._of_folder(path.rpartition("/")[0]).get(key, frozenset())
        if not cameras and self._is_new(naming.camera, naming.source):
            cameras = self._of_source(naming.source).get(key, frozenset())
        return next(iter(cameras)) if len(cameras) == 1 else None

    def _read_folder(self, folder: str) -> dict[_Key, set[str]]:
        """The cameras of the files directly in a folder."""
        files = camera_sources.list_read_files(self._session, folder=folder, limit=_MAX_CAMERAS)
        return self._cameras_by_key((path, camera) for path, camera in files if path.rpartition("/")[0] == folder)

    def _read_source(self, source: str) -> dict[_Key, set[str]]:
        """The cameras of the last files of all cameras with a source in the folder of this one."""
        cameras = sorted(self._by_folder.get(folder_of_source(source), ()))
        return self._cameras_by_key(
            file
            for camera in cameras[:_MAX_CAMERAS]
            for file in camera_sources.list_read_files(self._session, camera=camera, limit=_MAX_CAMERAS)
        )

    def _cameras_by_key(self, files: Iterable[tuple[str, str]]) -> dict[_Key, set[str]]:
        cameras: dict[_Key, set[str]] = defaultdict(set)
        for path, camera in files:
            reading = read_path(path)
            is_channel = make_claim(reading, _CHANNELS).source in self._recorded.get(camera, ())
            if reading.decided or (reading._replace(clock=()).decided and not is_channel):
                claim = make_claim(reading, NO_SIBLINGS)
                cameras[claim.source, claim.names[0]].add(camera)
        return cameras


def _list_sources(session: Session, folders: Iterable[str]) -> dict[str, set[str]]:
    """The sources that files in these folders may have by earlier rules, by camera; or more.

    Earlier rules may know fewer dates. So they share what is above the first folder that is none of a camera today.
    """
    shared = sorted({_shared_part(folder) for folder in folders})
    outermost = [folder for folder in shared if not any(lies_below(folder, other) for other in shared[:_MAX_CAMERAS])]
    sources: dict[str, set[str]] = defaultdict(set)
    for folder in outermost if len(outermost) <= _MAX_CAMERAS else ["/"]:
        for camera, source in camera_sources.iter_sources_at_or_below(session, folder):
            sources[camera].add(source)
    return sources


@lru_cache(maxsize=10_000)
def _shared_part(folder: str) -> str:
    """The outermost folders of a path as far as all of them may be cameras."""
    while read_folder(folder).camera_folder != folder:
        folder = folder.rpartition("/")[0]
    return folder


def _lies_in(path: str, folders: Iterable[str]) -> bool:
    return any(lies_at_or_below(path, folder) for folder in folders)
