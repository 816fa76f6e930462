"""Profiles and their layers, which never change; which profile is active, and which cameras have their own."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Session

from indexer.domain.profiles import EncodedMaskImage, Preparation, Profile, Scoring
from indexer.errors import ProfileError
from indexer.escaping import command_line
from indexer.store.tables import CameraRow, PreparationRow, ProfileRow, ScoringRow


@dataclass(frozen=True)
class StoredProfile:
    """A profile with its id and those of its layers, and where it is in force.

    `active`: it is the profile of all cameras without their own. `cameras`: the cameras that have it as their own.
    """

    id: int
    scoring_id: int
    preparation_id: int
    active: bool
    profile: Profile
    cameras: tuple[str, ...] = ()


def add_built_in(connection: Connection, built_in: Sequence[Profile], *, active: Profile) -> None:
    """Adds those of these profiles that are missing, and activates `active` if no profile is active."""
    with Session(connection, join_transaction_mode="conditional_savepoint") as session:
        existing_names = {stored.profile.name for stored in list_profiles(session)}
        for profile in built_in:
            if profile.name not in existing_names:
                add_profile(session, profile)
        if not any(stored.active for stored in list_profiles(session)):
            activate(session, active.name)
        session.flush()


def add_profile(session: Session, profile: Profile) -> StoredProfile:
    """The stored profile: an existing one with equal parameters, else a new one.

    Raises `ProfileError` if a profile of that name has other parameters.
    """
    existing = find_profile(session, profile.name)
    if existing is not None:
        if existing.profile.digest != profile.digest:
            raise ProfileError(f"profile {profile.name!r} exists with other parameters; choose another name")
        return existing
    scoring_id = _get_or_add_scoring(session, profile.scoring)
    session.execute(
        insert(ProfileRow).values(
            name=profile.name,
            scoring_id=scoring_id,
            digest=profile.digest,
            max_score=profile.max_score,
            record_limit=profile.record_limit,
            active=False,
        )
    )
    return get_profile(session, profile.name)


def list_profiles(session: Session) -> list[StoredProfile]:
    """All profiles, oldest first."""
    return [_stored_profile(session, row) for row in session.execute(_SELECT.order_by(ProfileRow.id)).all()]


def find_profile(session: Session, name: str) -> StoredProfile | None:
    """The profile of that name; None if there is none."""
    row = session.execute(_SELECT.where(ProfileRow.name == name)).one_or_none()
    return None if row is None else _stored_profile(session, row)


def get_profile(session: Session, name: str) -> StoredProfile:
    """The profile of that name; raises `ProfileError` if there is none."""
    stored_profile = find_profile(session, name)
    if stored_profile is None:
        names = ", ".join(stored.profile.name for stored in list_profiles(session))
        make = command_line("profile", "make", "NAME")
        raise ProfileError(f"there is no profile {name!r}; there are {names}; make one with: {make}")
    return stored_profile


def get_active_profile(session: Session) -> StoredProfile:
    """The profile of all cameras without one of their own."""
    return _stored_profile(session, session.execute(_SELECT.where(ProfileRow.active)).one())


def get_camera_profile(session: Session, camera_id: int) -> StoredProfile:
    """The profile in force for a camera: its own, else the active one."""
    own = select(CameraRow.profile_id).where(CameraRow.id == camera_id).scalar_subquery()
    row = session.execute(_SELECT.where(ProfileRow.id == own)).one_or_none()
    return get_active_profile(session) if row is None else _stored_profile(session, row)


def list_in_force(session: Session, cameras: Iterable[str]) -> dict[str, StoredProfile]:
    """The profile in force for each of these cameras, by name. The number of queries does not depend on the number of
    cameras."""
    active, own = get_active_profile(session), list_own_profiles(session)
    return {camera: own.get(camera, active) for camera in cameras}


def activate(session: Session, name: str) -> StoredProfile:
    """Makes a profile the active one; raises `ProfileError` if there is none of that name."""
    chosen = get_profile(session, name)
    session.execute(update(ProfileRow).where(ProfileRow.active).values(active=False))
    session.execute(update(ProfileRow).where(ProfileRow.id == chosen.id).values(active=True))
    return chosen


def list_own_profiles(session: Session) -> dict[str, StoredProfile]:
    """The profiles of the cameras that have one of their own, by the cameras' names."""
    return {camera: stored for stored in list_profiles(session) for camera in stored.cameras}


def set_camera_profile(session: Session, camera_id: int, profile_id: int | None) -> None:
    """Gives a camera a profile of its own; None: it follows the active profile again."""
    session.execute(update(CameraRow).where(CameraRow.id == camera_id).values(profile_id=profile_id))


_SELECT = (
    select(ProfileRow, ScoringRow, PreparationRow)
    .join(ScoringRow, ScoringRow.id == ProfileRow.scoring_id)
    .join(PreparationRow, PreparationRow.id == ScoringRow.preparation_id)
    .execution_options(populate_existing=True)
)


def _stored_profile(session: Session, row: Any) -> StoredProfile:
    profile, scoring, preparation = row
    cameras = session.scalars(select(CameraRow.name).where(CameraRow.profile_id == profile.id).order_by(CameraRow.name))
    layers = Scoring(preparation_of(preparation.parameters), **json.loads(scoring.parameters))
    return StoredProfile(
        id=profile.id,
        scoring_id=scoring.id,
        preparation_id=preparation.id,
        active=profile.active,
        profile=Profile(profile.name, layers, profile.max_score, profile.record_limit),
        cameras=tuple(cameras),
    )


def preparation_of(parameters_json: str) -> Preparation:
    """The preparation in a stored JSON object, which has lists for tuples and leaves out empty parameters."""
    parameters: dict[str, Any] = json.loads(parameters_json)
    drawing = parameters.get("ignore_picture")
    converted = {
        "mask": tuple(parameters["mask"]),
        "ignore": tuple(map(tuple, parameters.get("ignore", ()))),
        "ignore_picture": None if drawing is None else EncodedMaskImage(**drawing),
        "levels": tuple(parameters["levels"]) if "levels" in parameters else None,
    }
    return Preparation(**parameters | converted)


def _get_or_add_scoring(session: Session, scoring: Scoring) -> int:
    existing_id = session.scalar(select(ScoringRow.id).where(ScoringRow.digest == scoring.digest))
    if existing_id is not None:
        return existing_id
    row = ScoringRow(
        preparation_id=_get_or_add_preparation(session, scoring.preparation),
        digest=scoring.digest,
        parameters=json.dumps(scoring.parameters, sort_keys=True),
        min_contour_area=scoring.min_contour_area,
        max_distance=scoring.max_distance or None,
    )
    session.add(row)
    session.flush()
    return row.id


def _get_or_add_preparation(session: Session, preparation: Preparation) -> int:
    existing_id = session.scalar(select(PreparationRow.id).where(PreparationRow.digest == preparation.digest))
    if existing_id is not None:
        return existing_id
    row = PreparationRow(digest=preparation.digest, parameters=json.dumps(preparation.parameters, sort_keys=True))
    session.add(row)
    session.flush()
    return row.id
