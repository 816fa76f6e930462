"""How the thumbnails of each camera are made in one ingest. It writes nothing."""

from collections.abc import Iterable

from indexer.domain.descriptions import ThumbnailRecipe
from indexer.domain.profiles import Preparation
from indexer.store import profiles
from indexer.store.database import Database
from indexer.workflows.profile_parameters import proved_recipe, thumbnail_recipe


class CameraRecipes:
    """How the thumbnails of each camera are made, by the profile in force for it."""

    def __init__(self, database: Database) -> None:
        with database.read() as session:
            self._default = profiles.get_active_profile(session).profile.preparation
            self._own = {
                camera: stored.profile.preparation for camera, stored in profiles.list_own_profiles(session).items()
            }
        self._recipes: dict[Preparation, ThumbnailRecipe | None] = {}

    @property
    def differ(self) -> bool:
        """Whether cameras have profiles of their own, so that the camera of a file matters."""
        return bool(self._own)

    def of_camera(self, camera: str) -> tuple[Preparation, ThumbnailRecipe | None]:
        """The preparation of a camera, and its proved recipe; None at native size.

        Raises `MissingLibraryError` and `EngineError` if features are to be made, and this process cannot make them.
        """
        preparation = self._own.get(camera, self._default)
        if preparation not in self._recipes:
            recipe = thumbnail_recipe(preparation)
            self._recipes[preparation] = None if recipe is None else proved_recipe(recipe)
        return preparation, self._recipes[preparation]

    def require(self, cameras_to_read: Iterable[str]) -> None:
        """Raises, before any work, what `of_camera` raises for one of these cameras."""
        if self._default.has_features or any(preparation.has_features for preparation in self._own.values()):
            for camera in cameras_to_read:
                self.of_camera(camera)
