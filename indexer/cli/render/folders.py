"""The reports of `relocate` and `forget` as text."""

from rich import filesize
from rich.console import Console

from indexer.cli.render.tables import list_files
from indexer.escaping import command_line, printable
from indexer.store.forgetting import ForgottenRows
from indexer.workflows.admin.forget import ForgetPlan, ForgetReport
from indexer.workflows.removal.relocate import RelocationPlan, RelocationReport


def render_relocation_plan(console: Console, plan: RelocationPlan) -> None:
    """Prints what the index has below the old path, and what is at the new one."""
    console.print(f"{printable(plan.old)} became {printable(plan.new)}:")
    console.print(f"  {plan.images} images, {plan.there} of them there")
    if plan.removals:
        quarantined = f"{plan.quarantined} files in quarantine, {plan.quarantined_there} of them there"
        console.print(f"  {plan.removals} rows of the journal; {quarantined}")
    _list_not_there(console, plan.not_there)


def render_relocation(console: Console, report: RelocationReport) -> None:
    """Prints what has a new path."""
    console.print(f"{report.images} images and {report.removals} rows of the journal have their new paths.")
    if report.not_there:
        again = command_line("ingest", names=[report.new])
        console.print(f"{len(report.not_there)} images are not there; to have them marked as missing: {again}")


def render_forget_plan(console: Console, plan: ForgetPlan) -> None:
    """Prints what would be forgotten."""
    name = f"camera {plan.camera!a}" if plan.folder is None else printable(plan.folder)
    console.print(f"All that the index has about {name}: {_describe(plan.rows)}. The files stay.")


def render_forget(console: Console, report: ForgetReport) -> None:
    """Prints what was forgotten."""
    before, after = map(filesize.decimal, report.size_bytes)
    console.print(f"Forgotten: {_describe(report.rows)}. The index has {after} now, {before} before.")


def _describe(rows: ForgottenRows) -> str:
    words = {
        "images": rows.images,
        "thumbnails": rows.thumbnails,
        "previews": rows.previews,
        "scores": rows.scores,
        "decisions": rows.decisions,
        "verdicts": rows.verdicts,
        "pins": rows.pins,
        "rows of the journal": rows.removals,
    }
    return ", ".join(f"{number} {word}" for word, number in words.items() if number)


def _list_not_there(console: Console, paths: tuple[str, ...]) -> None:
    list_files(console, [(path, "not there, or of another size") for path in paths])
