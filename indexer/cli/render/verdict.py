"""Verdicts as text: what changed, the list of all, and which verdicts contradict each other."""

from collections.abc import Sequence

from rich.console import Console

from indexer.cli.render.tables import format_utc, list_files, print_table
from indexer.domain.plurals import counted
from indexer.domain.verdicts import Contradiction
from indexer.escaping import command_line, printable
from indexer.store.verdicts import JudgedPair
from indexer.workflows.review.verdict import AbsentImage, VerdictList, VerdictReport

_NAMED = 10
_MOST = 1000  # verdicts listed before "and so many more"
_SHOWN = {True: "as judged", False: "otherwise", None: "not yet"}


def render_verdicts(console: Console, report: VerdictReport) -> None:
    """Prints what was recorded or withdrawn."""
    if report.refused:
        console.print(f"Nothing was written, as {counted(len(report.refused), 'line')} cannot be followed:")
        list_files(console, report.refused)
        return
    _render_pairs(console, "recorded", report.recorded)
    _render_pairs(console, "in place of", report.replaced)
    _render_pairs(console, "it was so already", report.unchanged)
    _render_pairs(console, "taken back", report.withdrawn)
    for sentence in describe_both_pinned(report):
        console.print(sentence)
    if report.away:
        console.print("A verdict on these images counts when they are back:")
        list_files(console, [(pair.path, _undo_advice(pair)) for pair in report.away])
    render_contradictions(console, report.contradictions)
    if any(pair.state_a == pair.state_b == "ready" for pair in (*report.recorded, *report.withdrawn)):
        console.print("This counts from the next compare on.")


def describe_both_pinned(report: VerdictReport) -> list[str]:
    """One sentence for each pair that was judged `same`, but of which both images stay, as both are pinned.

    At most `_NAMED` pairs, and then one sentence for the others.
    """
    more = len(report.both_pinned) - _NAMED
    others = f"So it is with {counted(more, 'more pair')}; --json names them all."
    named = [
        f"Images {pair.image_a_id} and {pair.image_b_id} are both pinned, so both are kept although they are the same. "
        f"Why each is pinned: {command_line('explain', str(pair.image_a_id), str(pair.image_b_id))}"
        for pair in report.both_pinned[:_NAMED]
    ]
    return [*named, others] if more > 0 else named


def render_verdict_list(console: Console, verdicts: VerdictList) -> None:
    """Prints all verdicts in force."""
    heads = ("a", "b", "verdict", "decided", "image a", "image b", "camera", "by", "note", "when")
    rows = [
        (
            verdict.image_a_id,
            verdict.image_b_id,
            verdict.verdict,
            _SHOWN[verdict.agrees],
            verdict.path_a,
            verdict.path_b,
            "two" if verdict.camera is None else verdict.camera,
            verdict.by,
            verdict.note,
            format_utc(verdict.judged_at),
        )
        for verdict in verdicts.verdicts
    ]
    if rows:
        first = (*heads[:6], "by")
        print_table(console, heads, rows, what="verdicts", most=_MOST, first=first, paths=("image a", "image b"))
    else:
        console.print(f"There is no verdict. Next: {command_line('verdict', 'A', 'B', 'same')}")
    render_contradictions(console, verdicts.contradictions)


def render_contradictions(console: Console, contradictions: Sequence[Contradiction]) -> None:
    """Prints verdicts that contradict each other, by the numbers of the images."""
    if contradictions:
        undo = command_line("verdict", "undo", "A", "B")
        console.print(f"These verdicts contradict each other; take one back with: {undo}")
    for contradiction in contradictions[:_NAMED]:
        same, different = map(str, contradiction.chain), map(str, contradiction.different)
        console.print(f"  {' same '.join(same)}, but {' different '.join(different)}")
    if len(contradictions) > _NAMED:
        console.print(f"  and {len(contradictions) - _NAMED} more; --json names them all")


def _render_pairs(console: Console, what: str, pairs: Sequence[JudgedPair]) -> None:
    for pair in pairs[:_NAMED]:
        note = f" ({printable(pair.note)})" if pair.note else ""
        images = f"{printable(pair.path_a)} and {printable(pair.path_b)}"
        console.print(f"{what}: {images}: {pair.verdict}, says {printable(pair.by)}{note}")
    if len(pairs) > _NAMED:
        console.print(f"{what}: {len(pairs) - _NAMED} more; --json names them all")


def _undo_advice(absent: AbsentImage) -> str:
    if absent.restorable:
        return f"removed; bring it back with: {command_line('restore', names=[absent.path])}"
    return f"{absent.state}; not in quarantine" if absent.state == "removed" else str(absent.state)
