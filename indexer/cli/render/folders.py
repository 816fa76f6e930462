"""The reports of `relocate` and `forget` as text."""

from rich import filesize
from rich.console import Console

from indexer.cli.render.tables import list_files
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.store.forgetting import ForgottenRows
from indexer.workflows.admin.forget import ForgetPlan, ForgetReport
from indexer.workflows.removal.relocate import RelocationPlan, RelocationReport


def render_relocation_plan(console: Console, plan: RelocationPlan) -> None:
    """Prints what the index has below the old path, and what is at the new one."""
    console.print(f"{printable(plan.old)} became {printable(plan.new)}:")
    console.print(f"  {counted(plan.images, 'image')}, {plan.there} of them there")
    if plan.videos:
        console.print(f"  {counted(plan.videos, 'video')}, {plan.videos_there} of them there")
    if plan.removals:
        quarantined = f"{counted(plan.quarantined, 'file')} in quarantine, {plan.quarantined_there} of them there"
        console.print(f"  {_count_journal(plan.removals)}; {quarantined}")
    _list_not_there(console, plan.not_there)


def render_relocation(console: Console, report: RelocationReport) -> None:
    """Prints what has a new path."""
    videos = f", {counted(report.videos, 'video')}" if report.videos else ""
    images = f"{counted(report.images, 'image')}{' (also removed and missing ones)' if report.removals else ''}"
    changed = f"{images}{videos} and {_count_journal(report.removals)}"
    console.print(f"{changed} have their new paths.")
    if report.not_there:
        again = command_line("ingest", names=[report.new])
        count = counted(len(report.not_there), "image is", "images are")
        console.print(f"{count} not there; to have them marked as missing: {again}")


def render_forget_plan(console: Console, plan: ForgetPlan) -> None:
    """Prints what would be forgotten."""
    name = f"camera {plan.camera!r}" if plan.folder is None else printable(plan.folder)
    console.print(f"All that the index has about {name}: {_describe(plan.rows)}. The files stay.")
    if plan.gone:
        files = counted(plan.gone, "removed file is", "removed files are")
        console.print(
            f"{files} not there, nor the quarantine, nor what was kept for them. If a disk is only away, mount it and "
            "do not go on."
        )


def render_forget(console: Console, report: ForgetReport) -> None:
    """Prints what was forgotten."""
    before, after = map(filesize.decimal, report.size_bytes)
    console.print(f"Forgotten: {_describe(report.rows)}. The index has {after} now, {before} before.")


def _describe(rows: ForgottenRows) -> str:
    numbers = {
        "image": rows.images,
        "thumbnail": rows.thumbnails,
        "preview": rows.previews,
        "score": rows.scores,
        "decision": rows.decisions,
        "verdict": rows.verdicts,
        "pin": rows.pins,
        "video": rows.videos,
        "recording": rows.recordings,
        "span": rows.spans,
    }
    counts = [counted(number, noun) for noun, number in numbers.items() if number]
    named = [*counts, *([_count_journal(rows.removals)] if rows.removals else [])]
    return ", ".join(named) or "no image, and the folders that it had images from"


def _count_journal(rows: int) -> str:
    return counted(rows, "row of the journal", "rows of the journal")


def _list_not_there(console: Console, paths: tuple[str, ...]) -> None:
    list_files(console, [(path, "not there, or of another size") for path in paths])
