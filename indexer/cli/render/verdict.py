"""How verdicts read to a person: what became of one, the list of all, and what contradicts what."""

from collections.abc import Sequence

from rich.console import Console

from indexer.cli.render.tables import format_time, list_files, print_table
from indexer.domain.verdicts import Contradiction
from indexer.escaping import command_line, printable
from indexer.store.verdicts import JudgedPair
from indexer.workflows.review.verdict import AbsentImage, VerdictList, VerdictReport

_NAMED = 10
_MOST = 1000  # verdicts told one by one before "and so many more"
_SHOWN = {True: "as judged", False: "otherwise", None: "not yet"}


def render_verdicts(console: Console, report: VerdictReport) -> None:
    """What became of verdicts that were given or taken back."""
    if report.refused:
        console.print(f"Nothing was written, as {len(report.refused)} lines cannot be followed:")
        list_files(console, report.refused)
        return
    _each(console, "recorded", report.recorded)
    _each(console, "in place of", report.replaced)
    _each(console, "it was so already", report.unchanged)
    _each(console, "taken back", report.withdrawn)
    if report.away:
        console.print("What is said of these counts once they are back:")
        list_files(console, [(one.path, _way_back(one)) for one in report.away])
    render_contradictions(console, report.contradictions)
    if any(one.state_a == one.state_b == "ready" for one in (*report.recorded, *report.withdrawn)):
        console.print("This counts from the next compare on.")


def render_verdict_list(console: Console, found: VerdictList) -> None:
    """All verdicts that hold."""
    heads = ("a", "b", "camera", "verdict", "by", "note", "when", "decided")
    rows = [
        (
            f"{one.image_a_id} {printable(one.path_a)}",
            f"{one.image_b_id} {printable(one.path_b)}",
            "two" if one.camera is None else one.camera,
            one.verdict,
            one.by,
            one.note,
            format_time(one.judged_at),
            _SHOWN[one.agrees],
        )
        for one in found.verdicts
    ]
    if rows:
        print_table(console, heads, rows, what="verdicts", most=_MOST)
    else:
        console.print(f"There is no verdict. Next: {command_line('verdict', 'A', 'B', 'same')}")
    render_contradictions(console, found.contradictions)


def render_contradictions(console: Console, found: Sequence[Contradiction]) -> None:
    """Verdicts that contradict each other, by the numbers of the images."""
    if found:
        undo = command_line("verdict", "undo", "A", "B")
        console.print(f"These verdicts contradict each other; take one back with: {undo}")
    for one in found[:_NAMED]:
        console.print(f"  {' same '.join(map(str, one.chain))}, but {' different '.join(map(str, one.different))}")
    if len(found) > _NAMED:
        console.print(f"  and {len(found) - _NAMED} more; --json names them all")


def _each(console: Console, what: str, pairs: Sequence[JudgedPair]) -> None:
    for one in pairs[:_NAMED]:
        note = f" ({printable(one.note)})" if one.note else ""
        images = f"{printable(one.path_a)} and {printable(one.path_b)}"
        console.print(f"{what}: {images}: {one.verdict}, says {printable(one.by)}{note}")
    if len(pairs) > _NAMED:
        console.print(f"{what}: {len(pairs) - _NAMED} more; --json names them all")


def _way_back(one: AbsentImage) -> str:
    if one.restorable:
        return f"removed; bring it back with: {command_line('restore', names=[one.path])}"
    return f"{one.state}; not in quarantine" if one.state == "removed" else str(one.state)
