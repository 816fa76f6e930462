"""The reports of the `db` commands as text."""

from rich import filesize
from rich.console import Console

from indexer.cli.render.tables import make_table
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.store.reader_roles import Reader
from indexer.store.schema import Health
from indexer.workflows.admin.backup import BackupReport
from indexer.workflows.admin.copy_index import CopyReport
from indexer.workflows.admin.health import CheckReport, UpgradeReport
from indexer.workflows.admin.readers import NOT_NEEDED
from indexer.workflows.admin.shrink import ShrinkPlan, ShrinkReport

_PATHS_SHOWN = 10


def render_reader(console: Console, reader: Reader) -> None:
    """Prints the role that only reads, and how to use it for queries."""
    if reader.state == NOT_NEEDED:
        console.print("An index of SQLite needs no reader: audit --sql opens the file for reading alone.")
        return
    console.print(f"The role {printable(reader.role)} may read this index and do nothing else.")
    console.print("Put its password into ~/.pgpass, and ask as this role:")
    console.print(f"  {command_line('--db', reader.url, 'audit', '--sql', 'SELECT * FROM audit_cameras')}")


def render_health(console: Console, health: Health) -> None:
    """Prints the result of a check of the database."""
    console.print(
        f"{printable(health.database)}: revision {health.revision}, {counted(len(health.problems), 'problem')}"
    )
    for problem in health.problems:
        console.print(f"  {problem}")


def render_check(console: Console, report: CheckReport) -> None:
    """Prints what is wrong with the database and its files, each kind with a few paths and what to type."""
    render_health(console, report)
    if report.files is None:
        return
    files = report.files
    console.print(
        f"{counted(files.images, 'image')}, {counted(files.videos, 'video')} and "
        f"{counted(files.quarantined, 'file')} in quarantine looked at, "
        f"{'with' if files.hashed else 'without'} their bytes: {counted(sum(files.counts.values()), 'finding')}"
    )
    for kind, count in files.counts.items():
        found = [finding for finding in files.findings if finding.kind == kind]
        console.print(f"{kind}: {counted(count, 'file')}")
        for finding in found[:_PATHS_SHOWN]:
            console.print(f"  {printable(finding.path)}: {finding.reason}")
        if count > _PATHS_SHOWN:
            console.print(f"  and {count - _PATHS_SHOWN} more")
        for step in dict.fromkeys(step for finding in found[:_PATHS_SHOWN] for step in finding.advice):
            console.print(f"  Next: {step}")


def render_upgrade(console: Console, report: UpgradeReport) -> None:
    """Prints what a check found after an upgrade, and where the index of before is."""
    render_health(console, report)
    if report.backup is not None:
        console.print(f"The index as it was before: {printable(report.backup)}")
    elif report.upgraded_from is not None:
        console.print(f"It had revision {report.upgraded_from} before. This command made no backup.")


def render_backup(console: Console, report: BackupReport) -> None:
    """Prints where the backup is."""
    size = filesize.decimal(report.size_bytes)
    console.print(f"{printable(report.database)} copied to {printable(report.backup)}: {size}, checked.")


def render_copy(console: Console, report: CopyReport) -> None:
    """Prints what was copied and verified."""
    console.print(make_table(("table", "rows"), [(copied.table, copied.rows) for copied in report.tables]))
    console.print(f"{counted(report.rows, 'row')} of {printable(report.source)} copied to {printable(report.target)},")
    console.print("read back from there and found equal. Go on with one of the two: both name the same files.")


def render_shrink_plan(console: Console, plan: ShrinkPlan) -> None:
    """Prints what would be deleted."""
    pictures = f"{counted(plan.thumbnails, 'thumbnail')} and {counted(plan.previews, 'preview')}"
    console.print(f"{pictures} of removed images would be deleted, {filesize.decimal(plan.size_bytes)}.")
    if plan.in_quarantine:
        images = counted(plan.in_quarantine, "of these images is", "of these images are")
        console.print(f"{images} in quarantine. What is restored gets a new thumbnail at the next compare.")


def render_shrink(console: Console, report: ShrinkReport) -> None:
    """Prints what was freed."""
    before, after = map(filesize.decimal, report.size_bytes)
    pictures = f"{counted(report.thumbnails, 'thumbnail')} and {counted(report.previews, 'preview')}"
    console.print(f"{pictures} deleted.")
    console.print(f"The index has {after} now, {before} before.")
