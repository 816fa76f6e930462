"""Profiles and their parameters as text. One function per report; each prints and decides nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from indexer.cli.render.tables import print_fitting, without_zeros
from indexer.domain.plurals import counted
from indexer.domain.profiles import Preparation, Profile, is_below_all_scores
from indexer.escaping import command_line, printable
from indexer.store.profiles import StoredProfile
from indexer.workflows.admin.profile import MadeProfile, ProfileUse

_FIRST = ("profile", "active", "cameras", "threshold", "min_contour_area", "max_score", "contrast")
_NAMED = 3  # cameras listed before "and so many more"


def render_profiles(console: Console, stored: Sequence[StoredProfile]) -> None:
    """Prints all profiles."""
    heads = ["work_width", "contrast", "mask", "threshold", "min_contour_area", "max_score"]
    rows = [
        (
            stored_profile.profile.name,
            "yes" if stored_profile.active else "",
            *(_value(stored_profile.profile.parameters[name]) for name in heads),
            str(stored_profile.profile.preparation.chroma or ""),
            _distances(stored_profile.profile),
            _ignored(stored_profile.profile.preparation),
            _few(stored_profile.cameras),
        )
        for stored_profile in stored
    ]
    all_heads, shown = without_zeros(
        ["profile", "active", *heads, "chroma", "distances", "ignore", "cameras"],
        rows,
        optional=("chroma", "distances", "ignore", "cameras"),
    )
    print_fitting(console, all_heads, shown, first=_FIRST)


def render_profile(console: Console, stored: StoredProfile) -> None:
    """Prints all parameters of one profile, each rectangle on a line."""
    console.print(f"profile {stored.profile.name}{' (active)' if stored.active else ''}")
    for name, value in _lines(stored):
        console.print(f"  {name} = {value}")


def render_made_profile(console: Console, made: MadeProfile) -> None:
    """Prints all parameters of a new profile, and if it decides as another one, what would make a difference."""
    render_profile(console, made)
    if made.decides_as is not None:
        console.print(f"It decides as {made.decides_as} does.")
    area, limit = made.profile.scoring.min_contour_area, made.profile.max_score
    if is_below_all_scores(limit, min_contour_area=area):
        numbers = ("--max-score", f"{limit:g}", "--min-contour-area", f"{limit:g}")
        command = command_line("profile", "make", "NAME", "--base", made.decides_as or made.profile.name, *numbers)
        console.print(
            f"No score lies between 0 and min_contour_area ({area:g}), so all limits up to that are one. To keep "
            f"smaller changes, lower both: {command}"
        )


def render_profile_use(console: Console, use: ProfileUse) -> None:
    """Prints which profile decides a camera from now on."""
    which = f"its own profile {use.profile}" if use.own else f"the active profile, {use.profile}"
    if not use.changed:
        console.print(f"camera {printable(use.camera)} was decided by {which} already.")
        return
    console.print(f"camera {printable(use.camera)} is decided by {which}, from the next compare on.")
    if use.profile != use.before:
        console.print(f"Next: {command_line('compare')}")


def _lines(stored: StoredProfile) -> Iterator[tuple[str, str]]:
    for name, value in stored.profile.parameters.items():
        if name == "ignore":
            yield from ((name, _value(rectangle)) for rectangle in value)
        elif name == "ignore_picture":
            yield name, _drawing(stored.profile.preparation)
        else:
            yield name, _value(value)
    yield "digest", stored.profile.digest
    if stored.cameras:
        yield "cameras", ", ".join(map(printable, stored.cameras))


def _distances(profile: Profile) -> str:
    """The distances of a profile with features."""
    scoring = profile.scoring
    return f"{scoring.max_distance:g},{scoring.veto_distance:g}" if scoring.veto_distance else ""


def _ignored(preparation: Preparation) -> str:
    """What is ignored besides the border, in a few words."""
    number = len(preparation.ignore)
    rectangles = [counted(number, "rectangle")] if number else []
    return ", ".join(rectangles + ([] if preparation.ignore_picture is None else ["picture"]))


def _drawing(preparation: Preparation) -> str:
    drawing = preparation.ignore_picture
    return "" if drawing is None else f"{drawing.width} x {drawing.height} pixels, {drawing.ignored_share:.1%} ignored"


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join([*map(printable, names[:_NAMED]), *([f"and {more} more"] if more > 0 else [])])


def _value(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(map(_value, value))
    return "native" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
