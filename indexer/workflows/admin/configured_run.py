"""What `run` did: the reports of its steps; and the profiles that the configuration gives to cameras.

Decision 0054: one optional file says what the command line says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from indexer.domain.profiles import BUILT_IN
from indexer.errors import ProfileError
from indexer.store import cameras, profiles
from indexer.store.database import Database
from indexer.workflows.admin.profile import ProfileUse, use_profile
from indexer.workflows.compare.compare import CompareReport
from indexer.workflows.context import Clock
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.removal.prune import PruneReport


@dataclass
class ConfiguredRun:
    """The reports of the steps, in their order. `ingests`: one for each group of folders that are named alike.

    `profile_uses`: cameras that got another profile. `unknown_cameras`: cameras of the configuration that the index
    does not have. `compared` is None until that step has ended, `pruned` also if no file is to be removed. `error` is
    None: `indexer.cli.main` puts into the document what ended the run before its last step.
    """

    configuration: str
    compared: CompareReport | None = None
    ingests: list[IngestReport] = field(default_factory=list)
    profile_uses: list[ProfileUse] = field(default_factory=list)
    unknown_cameras: list[str] = field(default_factory=list)
    pruned: PruneReport | None = None
    error: str | None = None

    @property
    def has_failed(self) -> bool:
        """Whether a step left something alone that a person must look at."""
        ingested = any(report.left_alone for report in self.ingests)
        compared = self.compared is not None and bool(self.compared.held_back)
        return ingested or compared or (self.pruned is not None and self.pruned.has_failed)

    @property
    def exit_code(self) -> int:
        """The exit code of the steps that have ended: 0 or 1."""
        return int(self.has_failed)


def require_profiles(database: Database | None, names: Iterable[str]) -> None:
    """Raises `ProfileError` for the first name that no profile has. `database`: None if there is no index yet, which
    will have the built-in profiles only."""
    if database is not None:
        with database.read() as session:
            for name in names:
                profiles.get_profile(session, name)
        return
    built_in = [profile.name for profile in BUILT_IN]
    for name in names:
        if name not in built_in:
            raise ProfileError(f"there is no profile {name!r}; there are {', '.join(built_in)}")


def use_profiles(
    database: Database, profile_names: Mapping[str, str], *, clock: Clock
) -> tuple[list[ProfileUse], list[str]]:
    """Gives each camera the profile of that mapping, unless it has it. Returns the changes, and cameras that are not
    in the index.

    Raises `ProfileError`, before anything is written, for a profile that does not exist.
    """
    require_profiles(database, profile_names.values())
    with database.read() as session:
        known = cameras.list_cameras(session)
        own = profiles.list_own_profiles(session)
    uses = [
        use_profile(database, name, camera=camera, active=False, clock=clock)
        for camera, name in profile_names.items()
        if camera in known and (camera not in own or own[camera].profile.name != name)
    ]
    return uses, [camera for camera in profile_names if camera not in known]
