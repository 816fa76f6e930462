"""Whether the features of profiles can be made here, asked before any work."""

from collections.abc import Iterable, Mapping, Sequence

from indexer.errors import EngineError, MissingLibraryError
from indexer.imaging.network.execution import require_network
from indexer.store import cameras, profiles, thumbnails
from indexer.store.database import Session
from indexer.store.profiles import StoredProfile


def require_features(stored_profiles: Iterable[StoredProfile]) -> None:
    """Makes sure, before any work, that the features of these profiles can be made here; it loads no library.

    Raises
    ------
    MissingLibraryError
        If a package of the extra `learned` is not installed.
    EngineError
        If a profile has features of another version.
    """
    for measure in {stored.profile.preparation.features for stored in stored_profiles}:
        if measure:
            require_network(measure)


def require_features_below(session: Session, folders: Sequence[str]) -> None:
    """Makes sure, before any work, that features can be made here of what arrives below these folders.

    New cameras have the active profile; those that have images there may have one of their own.

    Raises `MissingLibraryError` and `EngineError` as `require_features`.
    """
    used, own = [profiles.get_active_profile(session)], profiles.list_own_profiles(session)
    if own:
        names = {name for folder in folders for name in cameras.list_below(session, folder)}
        used += [stored for name, stored in own.items() if name in names]
    require_features(used)


def require_missing_features(session: Session, in_force: Mapping[int, StoredProfile]) -> None:
    """Makes sure, before any work, that those features can be made here that present images lack.

    Where all are stored, nothing is required. `in_force`: the profile of each camera, by the camera's id. Only where
    features cannot be made the images are looked at.

    Raises `MissingLibraryError` and `EngineError` as `require_features`.
    """
    for camera_id, stored in in_force.items():
        try:
            require_features([stored])
        except (MissingLibraryError, EngineError):
            if thumbnails.is_one_missing(session, camera_id, preparation_id=stored.preparation_id):
                raise
