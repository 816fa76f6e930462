"""Profiles: written once, in layers that are shared, and one of them active."""

from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select, update

from indexer.domain.profiles import BALANCED, BUILT_IN, PLAIN, EncodedMaskImage, derive_profile
from indexer.errors import DatabaseError, ProfileError
from indexer.store import profiles
from indexer.store.database import Database
from indexer.store.tables import CameraRow, PreparationRow, ProfileRow, ScoringRow

LAYERS = (PreparationRow, ScoringRow, ProfileRow)
MINE = derive_profile(BALANCED, name="mine", changes={"max_score": 2000.5, "mask": (1, 2, 3, 4), "dilations": 0})


def count_layers(database: Database) -> list[int | None]:
    with database.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in LAYERS]


def test_a_new_index_has_the_built_in_profiles(database: Database) -> None:
    """The built-in profiles come back equal, in order, with `balanced` the active one."""
    with database.read() as session:
        stored = profiles.list_profiles(session)
    assert [(one.profile, one.active) for one in stored] == [(profile, profile is BALANCED) for profile in BUILT_IN]


def test_built_in_profiles_are_added_once(database: Database) -> None:
    """Adding the built-in profiles again adds nothing and leaves the active one."""
    with database.write() as session:
        profiles.activate(session, "plain")
    before = count_layers(database)
    with database.write_connection() as connection:
        profiles.add_built_in(connection, BUILT_IN, active=BALANCED)
    with database.read() as session:
        assert (profiles.get_active_profile(session).profile, count_layers(database)) == (PLAIN, before)


def test_a_profile_comes_back_equal(database: Database) -> None:
    """A stored profile comes back with every parameter and digest, not active, and is found again by its name."""
    with database.write() as session:
        stored = profiles.add_profile(session, MINE)
    assert (stored.profile, stored.active, stored.profile.digest) == (MINE, False, MINE.digest)
    with database.read() as session:
        assert profiles.find_profile(session, "mine") == profiles.get_profile(session, "mine") == stored


@pytest.mark.parametrize(
    ("changes", "added"),
    [({"max_score": 2000}, [0, 0, 1]), ({"threshold": 31}, [0, 1, 1]), ({"mask": (0, 0, 0, 0)}, [1, 1, 1])],
)
def test_layers_are_shared(database: Database, changes: dict[str, object], added: list[int]) -> None:
    """A new limit uses the scoring that is there, a new scoring the preparation that is there."""
    before = count_layers(database)
    with database.write() as session:
        profiles.add_profile(session, derive_profile(BALANCED, name="mine", changes=changes))
    assert [after - earlier for after, earlier in zip(count_layers(database), before, strict=True)] == added


def test_an_equal_profile_is_found(database: Database) -> None:
    """Adding a profile that is there with the same parameters changes nothing."""
    before = count_layers(database)
    with database.write() as session:
        assert profiles.add_profile(session, BALANCED) == profiles.get_profile(session, "balanced")
    assert count_layers(database) == before


def test_a_profile_is_never_changed(database: Database) -> None:
    """A name that is taken by other parameters is refused, and the profile stays as it was."""
    with database.write() as session, pytest.raises(ProfileError, match="'balanced' exists with other parameters"):
        profiles.add_profile(session, replace(BALANCED, max_score=1.0))
    with database.read() as session:
        assert profiles.get_profile(session, "balanced").profile == BALANCED


def test_an_unknown_profile(database: Database) -> None:
    """A profile that does not exist is None to one who looks, and a sentence with the names to one who needs it."""
    with database.read() as session:
        assert profiles.find_profile(session, "nope") is None
        with pytest.raises(
            ProfileError,
            match="there is no profile 'nope'; there are balanced, plain, original, colour, learned; make one",
        ):
            profiles.get_profile(session, "nope")


def test_one_profile_is_active(database: Database) -> None:
    """Activating a profile takes the place of the active one; the database itself refuses a second."""
    with database.write() as session:
        profiles.activate(session, "plain")
    with database.read() as session:
        assert [one.profile.name for one in profiles.list_profiles(session) if one.active] == ["plain"]
    with pytest.raises(DatabaseError, match=r"(?i)unique"), database.write() as session:
        session.execute(update(ProfileRow).values(active=True))


def test_a_camera_may_have_its_own(database: Database) -> None:
    """The profile in force for a camera is its own, else the active one."""
    with database.write() as session:
        own = profiles.get_profile(session, "original")
        session.execute(insert(CameraRow), [{"id": 1, "name": "gate", "profile_id": None}])
        session.execute(insert(CameraRow), [{"id": 2, "name": "night", "profile_id": own.id}])
        profiles.activate(session, "plain")
    with database.read() as session:
        names = [profiles.get_camera_profile(session, camera_id).profile.name for camera_id in (1, 2)]
    assert names == ["plain", "original"]


def test_what_is_ignored_comes_back_equal(database: Database) -> None:
    """Rectangles and a drawing are stored inside the preparation and come back as they were."""
    ignored = {
        "ignore": ((70.0, 0.5, 30.0, 12.5), (0.0, 90.0, 20.0, 10.0)),
        "ignore_picture": EncodedMaskImage(4, 3, 5, "iVBO"),
    }
    profile = derive_profile(BALANCED, name="mine", changes=ignored)
    with database.write() as session:
        profiles.add_profile(session, profile)
    with database.read() as session:
        found = profiles.get_profile(session, "mine").profile
    assert (found, found.digest) == (profile, profile.digest)


def test_nothing_is_stored_of_what_is_not_ignored(database: Database) -> None:
    """A preparation without rectangles and drawing is stored as before there were any."""
    with database.read() as session:
        stored = session.scalars(select(PreparationRow.parameters).order_by(PreparationRow.id)).first()
    assert stored == '{"contrast": true, "mask": [5, 10, 5, 0], "work_width": 320}'


def test_a_profile_names_its_cameras(database: Database) -> None:
    """A camera is given a profile and given back, and the profile names it meanwhile."""
    with database.write() as session:
        plain = profiles.get_profile(session, "plain")
        session.execute(insert(CameraRow), [{"id": 1, "name": "gate"}, {"id": 2, "name": "door"}])
        for camera_id in (1, 2):
            profiles.set_camera_profile(session, camera_id, plain.id)
        assert profiles.get_profile(session, "plain").cameras == ("door", "gate")
        assert {name: own.id for name, own in profiles.list_own_profiles(session).items()} == dict.fromkeys(
            ("door", "gate"), plain.id
        )
        profiles.set_camera_profile(session, 1, None)
        assert list(profiles.list_own_profiles(session)) == ["door"]
