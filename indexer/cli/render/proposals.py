"""How it reads to a person what compare proposes, with the commands to type."""

from rich.console import Console

from indexer.escaping import command_line
from indexer.workflows.compare.ignore_proposals import IgnoreProposal

_SHOWN = 3


def render_proposals(console: Console, proposals: list[IgnoreProposal]) -> None:
    """What would keep less, the first few; nothing was changed."""
    for one in proposals[:_SHOWN]:
        look = command_line("report", "pages", "--camera", one.camera)
        console.print(
            f"camera {one.camera!a}: what sets its kept images apart lies in {one.share:.1%} of the frame in "
            f"{one.decided} of {one.pairs} pairs, as with a clock, a caption or a thread. With that ignored "
            f"{one.kept_with} of {one.images} images would be kept instead of {one.kept}. Look there first "
            f"({look}): what passes at a door or a gate would be lost."
        )
        ignored = [word for numbers in _all(one) for word in ("--ignore", ",".join(f"{part:g}" for part in numbers))]
        console.print(f"  {command_line('profile', 'make', one.name, '--base', one.profile, *ignored)}")
        console.print(f"  {command_line('profile', 'use', one.name, '--camera', one.camera)}")
    if len(proposals) > _SHOWN:
        console.print(f"  and {len(proposals) - _SHOWN} more cameras like these; --json has all of them")


def _all(one: IgnoreProposal) -> tuple[tuple[float, ...], ...]:
    """The rectangles of the new profile: those of its base are not taken over where others are named."""
    return (*one.ignored_already, *one.rectangles)
