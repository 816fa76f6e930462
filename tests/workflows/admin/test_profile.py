"""profile: made once, never changed."""

from typing import Any

import pytest

from indexer.domain.profiles import BALANCED, BUILT_IN
from indexer.errors import ProfileError
from indexer.workflows.admin.profile import list_profiles, make_profile, show_profile
from tests.support.index import Index


def test_built_in_profiles_are_there(index: Index) -> None:
    """A new index has the five built-in profiles, and `balanced` is active."""
    assert len(BUILT_IN) == 5
    assert tuple(stored.profile for stored in list_profiles(index.database)) == BUILT_IN
    assert [stored.profile.name for stored in list_profiles(index.database) if stored.active] == ["balanced"]


def test_made_profile_is_its_base_with_changes(index: Index) -> None:
    """A profile made from another has its parameters but for those that were given; the record limit follows."""
    index.make_profile("mine", max_score=2000.0, mask="0,0,0,20", threshold=None)
    found = show_profile(index.database, "mine").profile
    assert found.parameters == BALANCED.parameters | {
        "max_score": 2000.0,
        "record_limit": 8000.0,
        "mask": (0, 0, 0, 20),
    }


def test_layers_are_shared(index: Index) -> None:
    """Another limit shares scoring and preparation, another least area the preparation, another width nothing."""
    for profile, changes in (("a", {"max_score": 5.0}), ("b", {"min_contour_area": 5.0}), ("c", {"work_width": 160})):
        index.make_profile(profile, **changes)
    first, *made = [show_profile(index.database, profile) for profile in ("balanced", "a", "b", "c")]
    assert [(one.scoring_id == first.scoring_id, one.preparation_id == first.preparation_id) for one in made] == [
        (True, True),
        (False, True),
        (False, False),
    ]


@pytest.mark.parametrize(
    ("changes", "decides_as"),
    [
        ({"max_score": 500.0}, "balanced"),
        ({"record_limit": 9000.0}, "balanced"),
        ({"max_score": 0.0}, None),
        ({"max_score": 1000.5}, None),
        ({"max_score": 500.0, "min_contour_area": 500.0}, None),
        ({"threshold": 31}, None),
    ],
)
def test_a_profile_that_decides_as_its_base_says_so(
    index: Index, changes: dict[str, float], decides_as: str | None
) -> None:
    """No score lies between 0 and the minimum area, so another limit up to that makes no difference."""
    made = make_profile(index.database, "mine", base="balanced", changes=changes, clock=index.clock)
    assert made.decides_as == decides_as


@pytest.mark.parametrize(
    "asked",
    [
        {"profile": "plain"},
        {"profile": "mine", "base": "unknown"},
        {"profile": "mine", "max_score": -1.0},
        {"profile": "mine", "mask": "5,10"},
        {"profile": "a name"},
    ],
)
def test_nonsense_is_refused_and_leaves_nothing(index: Index, asked: dict[str, Any]) -> None:
    """A taken name, an unknown base or impossible numbers are refused, and not even a run is written."""
    before = index.dump()
    with pytest.raises(ProfileError):
        index.make_profile(**asked)
    assert index.dump() == before
