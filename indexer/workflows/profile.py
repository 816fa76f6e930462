"""profile: the parameter sets that decisions rest on: list, show, make."""

from collections.abc import Mapping
from typing import Any

from indexer.domain.profiles import derive_profile, parse_mask
from indexer.errors import ProfileProblem
from indexer.store import profiles
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.running import writing
from indexer.workflows.watching import Clock


def list_profiles(database: Database) -> list[StoredProfile]:
    """All profiles."""
    with database.read() as session:
        return profiles.list_profiles(session)


def show_profile(database: Database, name: str) -> StoredProfile:
    """One profile."""
    with database.read() as session:
        return profiles.get_profile(session, name)


def make_profile(
    database: Database, name: str, *, base: str, changes: Mapping[str, Any], clock: Clock
) -> StoredProfile:
    """A new profile: the base with some parameters changed (a mask as "5,10,5,0"). A name that is taken is refused."""
    read = dict(changes)
    if isinstance(read.get("mask"), str):
        read["mask"] = parse_mask(read["mask"])
    with database.read() as session:
        derived = derive_profile(profiles.get_profile(session, base).profile, name=name, changes=read)
        taken = profiles.find_profile(session, name)
    if taken is not None:
        raise ProfileProblem(f"profile {name!r} exists and is never changed; choose another name")
    arguments = {"name": name, "base": base} | {key: value for key, value in changes.items() if value is not None}
    with writing(database, "profile make", arguments=arguments, clock=clock), database.write() as session:
        return profiles.add_profile(session, derived)
