"""The rules of folders: which one holds, what a new word changes, and what becomes of them when a folder moves."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.naming.rules import NamingOptions, NamingRule, RuleBook


def book(*rules: NamingRule) -> RuleBook:
    """The rules by their folders."""
    return RuleBook({rule.folder: rule for rule in rules})


@pytest.mark.parametrize("folder", ["/", "/data"])
def test_a_word_about_a_folder_holds_for_it_and_below(folder: str) -> None:
    """A camera said of a folder, be it the root, takes the place of its rule and of those below it."""
    before = book(
        NamingRule(folder, timezone="UTC"), NamingRule("/data/a", camera="a"), NamingRule("/other", camera="o")
    )
    after = before.after(NamingOptions(camera="all"), [folder]).rules
    assert after[folder] == NamingRule(folder, camera="all", timezone="UTC")
    assert set(after) == ({"/"} if folder == "/" else {"/data", "/other"})


def test_a_time_zone_of_the_root_keeps_the_given_one() -> None:
    """A time zone alone is added to the rules below; what they say of cameras stays."""
    after = book(NamingRule("/data", camera="a")).after(NamingOptions(timezone="Europe/Berlin"), ["/"]).rules
    assert after == {
        "/": NamingRule("/", timezone="Europe/Berlin"),
        "/data": NamingRule("/data", camera="a", timezone="Europe/Berlin"),
    }


PATTERN = r"(?P<camera>[^/]+)/x"


@pytest.mark.parametrize(
    ("rule", "new", "carried"),
    [
        (NamingRule("/data", timezone="Europe/Berlin"), "/m/N", NamingRule("/m/N", timezone="Europe/Berlin")),
        (NamingRule("/data", camera="gate"), "/m/N", NamingRule("/m/N", camera="gate")),
        (NamingRule("/data", is_earlier=True), "/m/N", NamingRule("/m/N", is_earlier=True)),
        (NamingRule("/data", camera_level=1), "/m/N", NamingRule("/m/N", camera="data/North")),
        (NamingRule("/data", camera_level=2), "/m/N", NamingRule("/m/N", camera_level=2, base="/m")),
        (NamingRule("/data", pattern=PATTERN), "/m/N", NamingRule("/m/N", pattern=PATTERN, base="/m")),
        (NamingRule("/data", pattern=PATTERN), "/N", NamingRule("/N", pattern=PATTERN, base="/")),
        (NamingRule("/", camera_level=3), "/N", NamingRule("/N", camera_level=1)),
        (NamingRule("/data"), "/m/N", None),
    ],
)
def test_a_rule_goes_along_with_a_folder_below(rule: NamingRule, new: str, carried: NamingRule | None) -> None:
    """What was said of a folder above holds for a folder that was moved out of it; the rule above stays."""
    after = book(rule, NamingRule("/m")).relocated("/data/North", new).rules
    expected = {rule.folder: rule, "/m": NamingRule("/m")} | ({} if carried is None else {new: carried})
    assert after == expected


def test_a_level_becomes_the_name_that_the_index_has() -> None:
    """A folder that was a camera by its level stays the camera of that name."""
    rules = book(NamingRule("/data", camera_level=2))
    cameras = {"/data/North/cam1": "North/cam1"}
    after = rules.relocated("/data/North/cam1/x", "/m/N", find_camera=cameras.get).rules
    assert after["/m/N"] == NamingRule("/m/N", camera="North/cam1")


def test_a_rule_that_is_there_stays() -> None:
    """A folder that has a rule at its new path keeps that one."""
    there = NamingRule("/m/N", camera="there")
    rules = book(NamingRule("/data", camera="gate"), NamingRule("/data/North", camera="n"), there)
    assert rules.relocated("/data/North", "/m/N").rules == {"/data": NamingRule("/data", camera="gate"), "/m/N": there}


def test_no_rule_is_added_where_the_same_holds() -> None:
    """A folder that moves within what was said of a folder above needs no rule of its own."""
    rules = book(NamingRule("/data", camera="gate"))
    assert rules.relocated("/data/North", "/data/old/North").rules == rules.rules


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/data", {"/data": NamingRule("/data", timezone="UTC")}),
        (
            "/data/a",
            {
                "/data": NamingRule("/data", camera="all"),
                "/data/a": NamingRule("/data/a", camera="all", timezone="UTC"),
            },
        ),
    ],
)
def test_rules_are_forgotten(folder: str, expected: dict[str, NamingRule]) -> None:
    """What was said of a folder and below it holds no more; what was said above holds, and so does what is said now."""
    before = book(NamingRule("/data", camera="all"), NamingRule("/data/a", camera="a", pattern="(?P<camera>x)"))
    options = NamingOptions(forgets_rules=True, timezone="UTC").checked()
    assert before.after(options, [folder]).rules == expected


SAID = st.sampled_from(
    [
        NamingOptions(camera_level=1),
        NamingOptions(camera_level=2, scheme="axis"),
        NamingOptions(pattern=r"^(?P<camera>[^/]+)/"),
        NamingOptions(pattern=r"(?P<timestamp>\d+)"),
        NamingOptions(camera="x", pattern=r"^(?P<timestamp>\d+)"),
    ]
)


@given(options=SAID, folders=st.lists(st.sampled_from(["a", "a/b", "b", "b/c/d"]), min_size=1, max_size=4))
def test_rules_with_a_base_hold_as_if_the_base_were_named(options: NamingOptions, folders: list[str]) -> None:
    """Level and pattern with a base read each path below as if the base itself were named, in any order of folders."""
    whole, parts = book().after(options, ["/data"]), book()
    for folder in folders:
        parts = parts.after(replace(options, base="/data"), [f"/data/{folder}"])
    for folder in folders:
        expected, actual = whole.find(f"/data/{folder}/x"), parts.find(f"/data/{folder}/x")
        assert expected is not None
        assert actual is not None
        path = f"/data/{folder}/x/1.png"
        assert actual.relative(path) == expected.relative(path)
        assert replace(actual, folder="/data", base=None) == expected


TIME = r"(?P<timestamp>\d+)"


@pytest.mark.parametrize(
    ("rule", "after"),
    [
        (NamingRule("/data/a", camera_level=1), NamingRule("/data/a", camera_level=2, base="/data", pattern=TIME)),
        (
            NamingRule("/data/a", camera_level=1, base="/"),
            NamingRule("/data/a", camera_level=1, base="/", pattern=TIME),
        ),
        (NamingRule("/data/a", camera="a"), NamingRule("/data/a", camera="a", base="/data", pattern=TIME)),
    ],
)
def test_a_level_stays_at_its_folder(rule: NamingRule, after: NamingRule) -> None:
    """A pattern that begins above, and names no camera, does not change which folder is the camera."""
    assert book(rule).after(NamingOptions(pattern=TIME, base="/data"), ["/data/a"]).rules == {"/data/a": after}


@pytest.mark.parametrize(
    ("folder", "zone"), [("/data", None), ("/data/a", None), ("/data/a/b", None), ("/data/b", "UTC"), ("/", None)]
)
def test_a_default_zone_replaces_none(folder: str, zone: str | None) -> None:
    """A default zone counts only where no zone is known of the folder, nor of one above or below."""
    rules = {"/data/a": NamingRule("/data/a", timezone="Asia/Tokyo"), "/data": NamingRule("/data", camera="x")}
    assert NamingOptions(default_timezone="UTC").resolved(rules, [folder]) == NamingOptions(timezone=zone)
