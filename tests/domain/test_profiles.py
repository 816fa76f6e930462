"""Profiles: the numbers built in, what a change of each one touches, and which ones make no sense."""

from dataclasses import FrozenInstanceError, asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.profiles import (
    BALANCED,
    BUILT_IN,
    COLOUR,
    DEFAULT,
    LEARNED,
    ORIGINAL,
    PARAMETERS,
    PLAIN,
    EncodedMaskImage,
    Profile,
    derive_profile,
    parse_mask,
    parse_rectangle,
)
from indexer.errors import ProfileError

CHANGES: dict[str, Any] = {
    "work_width": 640,
    "contrast": False,
    "mask": (5, 10, 5, 1),
    "ignore": ((70.0, 0.0, 30.0, 12.5),),
    "ignore_picture": EncodedMaskImage(4, 3, 5, "not looked at"),
    "levels": (28000, 33000),
    "chroma": 3,
    "threshold": 31,
    "dilations": 3,
    "min_contour_area": 1001.0,
    "max_score": 999.0,
    "record_limit": 3999.0,
    "max_distance": 0.3,
    "veto_distance": 0.5,
}
PREPARATION, SCORING = (
    ["work_width", "contrast", "mask", "ignore", "ignore_picture", "levels", "chroma"],
    ["threshold", "dilations", "min_contour_area", "max_distance", "veto_distance"],
)
COLOUR_DIGESTS = ["7ec3e618f7f02012", "099dc3e0e60dd790", "f8e3bb66efd92b9d"]
DIGESTS = ("preparation", "scoring", "profile")


def derived(base: Profile = BALANCED, *, name: str = "mine", **changes: Any) -> Profile:
    return derive_profile(base, name=name, changes=changes)


def digests(profile: Profile) -> tuple[str, str, str]:
    return profile.preparation.digest, profile.scoring.digest, profile.digest


def test_built_in_profiles_are_those_of_the_design() -> None:
    """The five profiles that come with the tool have exactly these numbers, and `balanced` is the default."""
    shared = {"mask": (5, 10, 5, 0), "dilations": 2, "min_contour_area": 1000.0, "max_score": 1000.0}
    shared |= {"record_limit": 4000.0}
    assert {profile.name: profile.parameters for profile in BUILT_IN} == {
        "balanced": shared | {"work_width": 320, "contrast": True, "threshold": 30},
        "plain": shared | {"work_width": 320, "contrast": False, "threshold": 45},
        "original": shared | {"work_width": None, "contrast": False, "threshold": 45},
        "colour": shared | {"work_width": 320, "contrast": True, "threshold": 30, "chroma": 2},
        "learned": shared
        | {"work_width": 320, "contrast": True, "threshold": 30, "max_distance": 0.35, "veto_distance": 0.6}
        | {"features": "efficientnet-lite0-block5-448-1"},
    }
    assert DEFAULT is BALANCED
    assert [profile.preparation.native for profile in BUILT_IN] == [False, False, True, False, False]
    assert [profile.preparation.planes for profile in BUILT_IN] == [1, 1, 1, 3, 1]


def test_stored_digests_never_change() -> None:
    """The digest of the default's layers is what it always was: an index made earlier finds its evidence again."""
    assert [digest[:16] for digest in digests(BALANCED)] == ["27ab6fdd3d1c49e0", "7c0c06915733ef76", "8e83829831735d12"]
    strict = derived(name="strict", max_score=500.0)
    assert strict.digest == "fd0573a732a8d94133bde57257daee17a3bd22e4c411f526f4540187de22b48f"
    assert [digest[:16] for digest in digests(COLOUR)] == COLOUR_DIGESTS


def test_digests_of_what_is_ignored_never_change() -> None:
    """Rectangles and a drawing are digested as they always were, in whatever order the rectangles were said."""
    drawing = EncodedMaskImage(4, 3, 5, "iVBORw0K")
    own = derived(ignore=((70.0, 0.0, 30.0, 12.5), (0.0, 90.0, 20.0, 10.0)), ignore_picture=drawing)
    assert own.preparation.digest == "0cd7a25976ced6cd231cb58d1d3bfea9f186ea4a8c6af20f6f5e66b24c192bc4"
    again = ((0.0, 90.0, 20.0, 10.0), (70.0, 0.0, 30.0, 12.5), (0.0, 90.0, 20.0, 10.0))
    assert derived(ignore=again, ignore_picture=drawing) == own


@pytest.mark.parametrize("parameter", CHANGES)
def test_any_parameter_changes_its_own_layer_and_those_above(parameter: str) -> None:
    """A change touches the layer it belongs to and what rests on it, and leaves the evidence below as it is."""
    base = LEARNED if parameter in LEARNED.parameters else BALANCED
    changed = derived(base, **{parameter: CHANGES[parameter]})
    lowest = 0 if parameter in PREPARATION else 1 if parameter in SCORING else 2
    same = [one == other for one, other in zip(digests(changed), digests(base), strict=True)]
    assert same == [layer < lowest for layer in range(len(DIGESTS))]
    follows = {"record_limit": 3996.0} if parameter == "max_score" else {}
    value = asdict(CHANGES[parameter]) if parameter == "ignore_picture" else CHANGES[parameter]
    assert changed.parameters == base.parameters | follows | {parameter: value}


def test_changes_cover_every_parameter() -> None:
    """The table of changes above forgets no parameter, so that each has its place in a digest."""
    assert CHANGES.keys() == set(PARAMETERS) - {"features"}  # those of a base stay
    assert {"ignore", "ignore_picture", "levels", "chroma"} == CHANGES.keys() - LEARNED.parameters.keys()
    assert LEARNED.parameters.keys() - BALANCED.parameters.keys() == {"features", "max_distance", "veto_distance"}


@given(st.sampled_from(BUILT_IN), st.integers(0, 300_000), st.integers(0, 307_200))
def test_whole_and_real_numbers_are_one(base: Profile, area: int, limit: int) -> None:
    """1000 and 1000.0 are the same number, so they make equal profiles with equal digests."""
    whole = derived(base, min_contour_area=area, max_score=limit, record_limit=limit)
    real = derived(base, min_contour_area=float(area), max_score=float(limit), record_limit=float(limit))
    assert whole == real
    assert digests(whole) == digests(real)


def test_name_is_no_part_of_the_digest() -> None:
    """A profile of another name with the same numbers is the same measure; None means as in the base."""
    nothing: dict[str, Any] = dict.fromkeys(BALANCED.parameters)
    assert digests(derived(name="other", **nothing)) == digests(BALANCED)
    assert derived(name="balanced", **nothing) == BALANCED


def test_layers_do_not_mix() -> None:
    """The same scoring numbers over another preparation, or limits over another scoring, are another digest."""
    assert len({digest for profile in BUILT_IN for digest in digests(profile)}) == 3 * len(BUILT_IN)
    assert PLAIN.scoring.parameters == ORIGINAL.scoring.parameters


@given(st.floats(0, 1e9))
def test_record_limit_follows_the_limit(limit: float) -> None:
    """Pairs are recorded up to four times the limit, unless the change says another record limit."""
    assert derived(max_score=limit).record_limit == 4 * limit
    assert derived(max_score=limit, record_limit=2e9).record_limit == 2e9
    assert derived(threshold=40).record_limit == BALANCED.record_limit


def test_own_profile_stands_on_any_base() -> None:
    """Whole-image scoring becomes scoring of thumbnails by giving it a width; what is not said stays."""
    own = derived(ORIGINAL, work_width=640, mask=(0, 0, 0, 0))
    assert own.parameters == ORIGINAL.parameters | {"work_width": 640, "mask": (0, 0, 0, 0)}


def test_profiles_are_immutable() -> None:
    """No number of a profile can be set after it was made."""
    with pytest.raises(FrozenInstanceError):
        BALANCED.max_score = 1.0  # type: ignore[misc]


NOT_A_NUMBER, ENDLESS = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("base", "changes", "sentence"),
    [
        (BALANCED, {"work_width": 63}, "work width 63 is not within 64 to 4096"),
        (BALANCED, {"work_width": 4097}, "work width 4097 is not within 64 to 4096"),
        (BALANCED, {"mask": (5, -1, 5, 0)}, r"mask \(5, -1, 5, 0\) has a side below 0"),
        (BALANCED, {"mask": (50, 0, 50, 0)}, r"mask \(50, 0, 50, 0\) covers the whole picture"),
        (BALANCED, {"mask": (0, 99, 0, 1)}, r"mask \(0, 99, 0, 1\) covers the whole picture"),
        (BALANCED, {"ignore": ((-0.1, 0.0, 5.0, 5.0),)}, r"ignore \(-0.1, 0.0, 5.0, 5.0\) does not lie within"),
        (BALANCED, {"ignore": ((0.0, -1.0, 5.0, 5.0),)}, "does not lie within the frame, 0 to 100 per cent"),
        (BALANCED, {"ignore": ((0.0, 0.0, 0.0, 5.0),)}, "does not lie within"),
        (BALANCED, {"ignore": ((0.0, 0.0, 5.0, -5.0),)}, "does not lie within"),
        (BALANCED, {"ignore": ((60.0, 0.0, 40.1, 5.0),)}, "does not lie within"),
        (BALANCED, {"ignore": ((0.0, 60.0, 5.0, 40.1),)}, "does not lie within"),
        (BALANCED, {"ignore": ((1.0, 1.0, 2.0, 2.0), (NOT_A_NUMBER, 0.0, 5.0, 5.0))}, "does not lie within"),
        (BALANCED, {"ignore": ((0.0, 0.0, ENDLESS, 5.0),)}, "does not lie within"),
        (
            BALANCED,
            {"ignore_picture": EncodedMaskImage(4, 3, 0, "")},
            "the picture ignores none of its 4 x 3 pixels; paint",
        ),
        (
            BALANCED,
            {"ignore_picture": EncodedMaskImage(4, 3, 12, "")},
            "the picture ignores all of its 4 x 3 pixels; leave",
        ),
        (ORIGINAL, {"contrast": True}, "local contrast needs a work width"),
        (ORIGINAL, {"chroma": 2}, "chroma needs a work width"),
        (BALANCED, {"chroma": -1}, "chroma -1 is not within 0 to 8"),
        (BALANCED, {"chroma": 9}, "chroma 9 is not within 0 to 8"),
        (BALANCED, {"max_distance": 0.3}, "distances need features, which this profile has not; .*--base learned"),
        (BALANCED, {"veto_distance": 0.3}, "distances need features"),
        (BALANCED, {"features": "resnet"}, "features 'resnet' are not known to this version"),
        (LEARNED, {"features": ""}, "distances need features"),
        (LEARNED, {"max_distance": -0.1}, "max distance -0.1 is not a number from 0 up to 0.6"),
        (LEARNED, {"max_distance": 0.7}, "max distance 0.7 is not a number from 0 up to 0.6"),
        (LEARNED, {"max_distance": NOT_A_NUMBER}, "max distance nan"),
        (LEARNED, {"veto_distance": 0.0}, "veto distance 0 is not a number above 0 and up to 2"),
        (LEARNED, {"veto_distance": 2.1}, "veto distance 2.1"),
        (LEARNED, {"work_width": 64}, "features need a work width of 80 pixels or more"),
        (BALANCED, {"threshold": -1}, "threshold -1 is not within 0 to 254"),
        (BALANCED, {"threshold": 255}, "threshold 255 is not within 0 to 254"),
        (BALANCED, {"dilations": -1}, "dilations -1 is not within 0 to 50"),
        (BALANCED, {"dilations": 51}, "dilations 51 is not within 0 to 50"),
        (BALANCED, {"min_contour_area": -0.5}, "min contour area -0.5"),
        (BALANCED, {"min_contour_area": ENDLESS}, "min contour area inf"),
        (
            BALANCED,
            {"min_contour_area": 307201},
            "min contour area 307201 is not a number from 0 up",
        ),
        (ORIGINAL, {"min_contour_area": 1e308}, "min contour area 1e"),
        (BALANCED, {"min_contour_area": NOT_A_NUMBER}, "min contour area nan"),
        (BALANCED, {"max_score": -1}, "max score -1"),
        (BALANCED, {"max_score": ENDLESS}, "max score inf"),
        (BALANCED, {"max_score": NOT_A_NUMBER}, "max score nan"),
        (BALANCED, {"record_limit": 999}, "record limit 999"),
        (BALANCED, {"record_limit": ENDLESS}, "record limit inf"),
        (BALANCED, {"record_limit": NOT_A_NUMBER}, "record limit nan"),
        (BALANCED, {"max_sore": 1}, "unknown parameter 'max_sore'; there are work_width, .*record_limit"),
    ],
)
def test_senseless_numbers_are_refused(base: Profile, changes: dict[str, Any], sentence: str) -> None:
    """Each rule refuses what lies just beyond it and names the number."""
    with pytest.raises(ProfileError, match=sentence):
        derived(base, **changes)


def test_numbers_on_the_edge_are_allowed() -> None:
    """Every rule takes its own limits in."""
    least: dict[str, Any] = {
        "work_width": 64,
        "mask": (0, 0, 0, 0),
        "ignore": ((0.0, 0.0, 1e-9, 100.0),),
        "threshold": 0,
        "dilations": 0,
        "min_contour_area": 0.0,
    }
    least |= {"max_score": 0.0, "record_limit": 0.0}
    most: dict[str, Any] = {
        "work_width": 4096,
        "mask": (99, 0, 0, 99),
        "ignore": ((0.1, 0.7, 99.9, 99.3), (14.1, 0.0, 85.9, 100.0)),
        "threshold": 254,
        "dilations": 50,
        "record_limit": 1000.0,
    }
    assert derived(**least).parameters == BALANCED.parameters | least
    assert derived(**most).parameters == BALANCED.parameters | most


@pytest.mark.parametrize("name", ["", " ", "-x", ".x", "a b", "a/b", "ä", "x\n", "x" * 65])
def test_name_must_be_plain(name: str) -> None:
    """A profile's name is short and needs no quoting; another is refused and shown."""
    with pytest.raises(ProfileError, match="use letters, digits, dot, dash, underscore"):
        derived(name=name)


@pytest.mark.parametrize("name", ["a", "0", "night-2.b_C", "x" * 64])
def test_plain_name_is_taken(name: str) -> None:
    """A plain name is taken as it is."""
    assert derived(name=name).name == name


@pytest.mark.parametrize(("text", "mask"), [("5,10,5,0", (5, 10, 5, 0)), (" 1, 2 ,3,-4", (1, 2, 3, -4))])
def test_mask_is_read(text: str, mask: tuple[int, int, int, int]) -> None:
    """Four whole numbers with commas are left, top, right, bottom."""
    assert parse_mask(text) == mask


@pytest.mark.parametrize("text", ["", "5", "5,10,5", "5,10,5,0,0", "5,10,5,", "a,b,c,d", "5.5,1,1,1", "5 10 5 0"])
def test_other_masks_are_refused(text: str) -> None:
    """Anything else is refused, shown, and followed by what to type."""
    with pytest.raises(ProfileError, match="is not four whole numbers; type for example --mask 5,10,5,0"):
        parse_mask(text)


@pytest.mark.parametrize(
    ("text", "rectangle"),
    [("70,0,30,12.5", (70.0, 0.0, 30.0, 12.5)), (" .5, -0 ,1e1,-3", (0.5, 0.0, 10.0, -3.0))],
)
def test_rectangle_is_read(text: str, rectangle: tuple[float, float, float, float]) -> None:
    """Four numbers with commas are left, top, wide, high; zero has no sign."""
    assert repr(parse_rectangle(text)) == repr(rectangle)


@pytest.mark.parametrize("text", ["", "5", "5,10,5", "5,10,5,0,0", "5,10,5,", "a,b,c,d", "5%,1,1,1", "5 10 5 0"])
def test_other_rectangles_are_refused(text: str) -> None:
    """Anything else is refused, shown, and followed by what to type."""
    with pytest.raises(ProfileError, match=r"is not four numbers .* type for example --ignore 70,0,30,12.5"):
        parse_rectangle(text)


def test_a_drawing_says_its_share() -> None:
    """The share of the frame that a drawing ignores is that of its pixels."""
    assert [EncodedMaskImage(4, 3, ignored_px, "").ignored_share for ignored_px in (3, 12)] == [0.25, 1.0]


def test_a_veto_always_counts() -> None:
    """With features no limit is above the score of a vetoed pair, which is the whole frame."""
    with pytest.raises(ProfileError, match="above the whole frame"):
        derived(LEARNED, max_score=307_201)
