"""The proposals of compare as text, with the commands to type."""

from rich.console import Console

from indexer.domain.plurals import counted
from indexer.escaping import command_line
from indexer.workflows.compare.ignore_proposals import IgnoreProposal

_MAX_LISTED = 3


def render_proposals(console: Console, proposals: list[IgnoreProposal]) -> None:
    """Prints what would keep fewer images, the first few proposals; nothing was changed."""
    for proposal in proposals[:_MAX_LISTED]:
        look = command_line("report", "pages", "--camera", proposal.camera)
        console.print(
            f"camera {proposal.camera!r}: what sets its kept images apart lies in {proposal.share:.1%} of the frame in "
            f"{proposal.decided} of {counted(proposal.pairs, 'pair')}, as with a clock, a caption or a thread. "
            "With that ignored "
            f"{proposal.kept_with} of {counted(proposal.images, 'image')} would be kept instead of "
            f"{proposal.kept}. Look there "
            f"first ({look}): what passes at a door or a gate would be lost."
        )
        ignored = [
            word
            for numbers in _all_rectangles(proposal)
            for word in ("--ignore", ",".join(f"{part:g}" for part in numbers))
        ]
        console.print(f"  {command_line('profile', 'make', proposal.name, '--base', proposal.profile, *ignored)}")
        console.print(f"  {command_line('profile', 'use', proposal.name, '--camera', proposal.camera)}")
    if len(proposals) > _MAX_LISTED:
        console.print(
            f"  and {counted(len(proposals) - _MAX_LISTED, 'more camera')} like these; --json has all of them"
        )


def _all_rectangles(proposal: IgnoreProposal) -> tuple[tuple[float, ...], ...]:
    """The rectangles of the new profile; with the base's own, because a new list replaces the base's list."""
    return (*proposal.ignored_already, *proposal.rectangles)
