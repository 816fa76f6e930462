"""profile: the parameter sets that decisions rest on: list, show, make, and assign to one camera."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.domain.profiles import (
    EncodedMaskImage,
    Profile,
    decides_alike,
    derive_profile,
    parse_levels,
    parse_mask,
    parse_rectangle,
)
from indexer.errors import ProfileError, UsageError
from indexer.escaping import command_line
from indexer.store import cameras, profiles
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run


def _load_mask_image(path: str) -> EncodedMaskImage:
    from indexer.workflows.profile_parameters import load_mask_image  # here, as it loads the image libraries

    return load_mask_image(path)


_PARSERS = {
    "mask": parse_mask,
    "ignore": lambda texts: tuple(map(parse_rectangle, texts)),
    "ignore_picture": _load_mask_image,
    "levels": parse_levels,
}
"""How a typed value is parsed if it is not a number."""
_IGNORED_AREA = {"mask", "ignore", "ignore_picture"}


@dataclass(frozen=True)
class MadeProfile(StoredProfile):
    """A new profile. `decides_as`: the profile that it was made from, if no limit makes the two decide differently."""

    decides_as: str | None = None


@dataclass(frozen=True)
class ProfileUse:
    """Which profile decides a camera from now on, whether that is its own or the active one, and which did before."""

    camera: str
    profile: str
    own: bool
    before: str
    changed: bool


def list_profiles(database: Database) -> list[StoredProfile]:
    """All profiles."""
    with database.read() as session:
        return profiles.list_profiles(session)


def show_profile(database: Database, name: str) -> StoredProfile:
    """One profile."""
    with database.read() as session:
        return profiles.get_profile(session, name)


def make_profile(
    database: Database,
    name: str,
    *,
    base: str,
    changes: Mapping[str, Any],
    clock: Clock,
    drawing: EncodedMaskImage | None = None,
    camera: str | None = None,
) -> MadeProfile:
    """A new profile: the base with some parameters changed, as they were typed. `drawing`: a mask image that a person
    drew elsewhere than in a file, in place of that of the base. `camera`: it becomes this camera's own at once.

    Raises `ProfileError` if the base does not exist, if the name does, or if no profile can have these parameters;
    `CameraError` if there is no such camera.
    """
    typed = {key: value for key, value in changes.items() if value is not None}
    parsed = typed | {key: parse(typed[key]) for key, parse in _PARSERS.items() if key in typed}
    if drawing is not None:
        parsed["ignore_picture"] = drawing
        typed["ignore_picture"] = f"drawn, {drawing.width} x {drawing.height}"
    with database.read() as session:
        base_profile = profiles.get_profile(session, base).profile
        derived = derive_profile(base_profile, name=name, changes=parsed)
        existing = profiles.find_profile(session, name)
        camera_id = None if camera is None else cameras.get_camera(session, camera)
    if existing is not None:
        raise ProfileError(f"profile {name!r} exists and is never changed; choose another name")
    if parsed.keys() & _IGNORED_AREA:
        _require_visible_area(derived)
    arguments = {"name": name, "base": base} | typed | ({} if camera is None else {"camera": camera})
    with record_run(database, "profile make", arguments=arguments, clock=clock), database.write() as session:
        stored = profiles.add_profile(session, derived)
        if camera_id is not None:
            profiles.set_camera_profile(session, camera_id, stored.id)
    alike = decides_alike(derived, base_profile)
    return MadeProfile(**vars(stored), decides_as=base if alike else None)


def use_profile(database: Database, name: str | None, *, camera: str, active: bool, clock: Clock) -> ProfileUse:
    """Gives a camera a profile of its own from the next compare on, or (`active`) returns it to the active one.

    Raises `UsageError` unless exactly one of the two is asked for, `CameraError` and `ProfileError` for unknown names.
    """
    if (name is None) != active:
        example = command_line("profile", "use", "NAME", "--camera", "CAMERA")
        raise UsageError(f"give the profile for the camera, or --active: {example}")
    with database.read() as session:
        camera_id = cameras.get_camera(session, camera)
        if name is not None:
            profiles.get_profile(session, name)
    arguments = {"name": name, "camera": camera, "active": active}
    with record_run(database, "profile use", arguments=arguments, clock=clock) as run, database.write() as session:
        before = profiles.get_camera_profile(session, camera_id)
        after = profiles.get_active_profile(session) if name is None else profiles.get_profile(session, name)
        profiles.set_camera_profile(session, camera_id, None if active else after.id)
        changed = (before.id, camera in before.cameras) != (after.id, not active)
        run.counts = {"changed": int(changed)}
    return ProfileUse(camera, after.profile.name, not active, before.profile.name, changed)


def _require_visible_area(profile: Profile) -> None:
    """Refuses a mask, rectangles and a picture that together leave nothing visible."""
    from indexer.imaging.masks import ignored_area
    from indexer.workflows.profile_parameters import mask_parameters

    if ignored_area(mask_parameters(profile.preparation), height=480, width=640).all():
        raise ProfileError(f"profile {profile.name!r}: the whole frame would be ignored; leave a part of it to compare")
