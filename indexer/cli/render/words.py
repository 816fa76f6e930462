"""How reports read to a person. One function per report; each prints and decides nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console

from indexer.cli.render.proposals import proposed
from indexer.cli.render.tables import SHOWN, grid, sentences, table
from indexer.domain.removal import LeftOut, Plan
from indexer.escaping import command_line, printable
from indexer.files.walking import NOT_AN_IMAGE
from indexer.store.audit_queries import Audit
from indexer.store.query_result import Table as Rows
from indexer.store.reader_roles import Reader
from indexer.store.schema import Health
from indexer.workflows.admin.copy_index import CopyReport
from indexer.workflows.admin.readers import NOT_NEEDED
from indexer.workflows.admin.status import Status
from indexer.workflows.compare.compare import CompareReport
from indexer.workflows.ingest.ingest import IngestReport, Outcome
from indexer.workflows.removal.adopt import AdoptReport
from indexer.workflows.removal.prune import PruneReport
from indexer.workflows.removal.purge import PurgeReport
from indexer.workflows.removal.recover import RecoverReport
from indexer.workflows.removal.rescue_plan import RescuePlan
from indexer.workflows.removal.restore import RestoreReport
from indexer.workflows.review.pin import PinReport

ALL = "all of these"
_NAMED = 10  # files named one by one before "and so many more"
_BY_INGEST = {str(reason) for reason in LeftOut if not reason.is_settled_by_compare}


def ingested(console: Console, report: IngestReport) -> None:
    """What ingest saw."""
    counts = [(outcome, report.outcomes[outcome]) for outcome in Outcome]
    parts = [f"{number} {outcome.replace('_', ' ')}" for outcome, number in counts if number]
    console.print(f"{report.seen} files seen: {', '.join(parts) or 'nothing'}.")
    for reason, number in report.skipped.items():
        endings = f" ({_endings(report.endings)})" if reason == NOT_AN_IMAGE and report.endings else ""
        console.print(f"  skipped {number}: {reason}{endings}")
    _not_walked(console, report.folders)
    if report.retimed:
        console.print(
            f"  Of {report.retimed} files nothing changed but the file time: bytes, capture times and decisions stay."
        )
    _missing(console, report)
    if report.flat:
        console.print(
            f"  {report.flat} images show nothing, one grey level alone: no score makes them duplicates. "
            f"See: {command_line('audit', 'flat')}"
        )
    if report.unmatched:
        console.print(f"  {report.unmatched} names do not match the pattern; they were read in the usual way.")
    if report.unread_stamps:
        console.print(
            f"  {report.unread_stamps} timestamps do not read as a time; those images have theirs from elsewhere."
        )
    named(console, report.refused)
    sentences(
        console,
        [
            f"camera {camera!a} is being written by {at_work}; run ingest again after that"
            for camera, at_work in report.held.items()
        ],
    )
    _in_system_folders(console, report.in_system_folders or 0)
    _alike(console, report.alike)
    if report.undecided:
        console.print(f"{report.undecided} images are not decided yet. Next: {command_line('compare')}")


def _missing(console: Console, report: IngestReport) -> None:
    """The images of earlier runs that were not seen, or not looked for."""
    if report.missing > report.unwalked:
        console.print(
            f"  {report.missing - report.unwalked} images of earlier runs are not there any more; their duplicates are "
            "decided again."
        )
    if report.unwalked:
        console.print(
            f"  {report.unwalked} images of earlier runs lie in such folders and count as missing now; their "
            "duplicates are decided again.\n"
            f"  What was removed as their duplicate is kept from purge; see: {command_line('status')}"
        )


def compared(console: Console, report: CompareReport) -> None:
    """What compare decided."""
    if report.activated is not None:
        console.print(f"The profile {report.activated} is the active one from now on.")
    done = [camera for camera in report.cameras if camera.problem is None]
    if len(done) > SHOWN:
        done.sort(key=lambda camera: not camera.decided)
    rows = [(c.camera, c.profile, c.images, c.kept, c.duplicates, c.decided, c.scored, c.recorded) for c in done]
    heads = ("camera", "profile", "images", "kept", "duplicates", "decided", "pairs scored", "recorded")
    if rows:
        sums = (ALL, "", *map(sum, zip(*(row[2:] for row in rows), strict=True)))
        totals = [sums] if len(rows) > SHOWN else []
        table(console, heads, rows, what="cameras, those with new decisions first", totals=totals)
    elif not report.cameras:
        console.print(f"There is nothing to compare yet. First: {command_line('ingest', 'FOLDER')}")
    sentences(console, [f"camera {one.camera!a} was left as it was: {one.problem}" for one in report.held_back])
    see = command_line("verdict", "list")
    sentences(
        console,
        [
            f"camera {one.camera!a}: {len(one.contradictions)} verdicts are contradicted. See: {see}"
            for one in report.cameras
            if one.contradictions
        ],
    )
    _in_system_folders(console, report.in_system_folders)
    proposed(console, report.proposals)
    if any(camera.duplicates for camera in report.cameras):
        console.print(f"Nothing is removed yet. Next: {command_line('prune', '--dry-run')}")


def planned(console: Console, plan: Plan) -> None:
    """What prune would take away."""
    if plan.victims:
        cameras = list(plan.cameras)
        if len(cameras) > SHOWN:
            cameras.sort(key=lambda camera: -camera.share)
        rows = [
            (camera.camera, camera.images, camera.victims, f"{camera.share:.1%}", size(camera.size_bytes))
            for camera in cameras
        ]
        total = sum(camera.images for camera in plan.cameras)
        all_of_them = (ALL, total, len(plan.victims), f"{len(plan.victims) / total:.1%}", size(plan.size_bytes))
        heads = ("camera", "images", "to remove", "share", "size")
        table(console, heads, rows, what="cameras, the largest shares first", totals=[all_of_them])
    else:
        console.print("There is nothing to remove.")
    _left_out(console, {str(reason): number for reason, number in plan.left_out.items()})
    _held_back(console, {held.camera.camera: held.reason for held in plan.held_back})


def pruned(console: Console, report: PruneReport) -> None:
    """What prune took away."""
    console.print(f"{report.removed} files removed, {size(report.size_bytes)}, by run {report.run_id}.")
    for folder, number in report.quarantines.items():
        console.print(f"  {number} lie in {path(folder)}")
    if report.hard_links:
        console.print(f"  {report.hard_links} left alone: the same file on disk as their keeper (hard links)")
    if report.protected:
        console.print(f"  {len(report.protected)} must stay, whatever this index decided:")
        named(console, report.protected)
    if report.outdated:
        console.print(f"  {report.outdated} left alone: their decision changed after the plan was shown")
    _left_out(console, report.left_out)
    _held_back(console, report.held_back)
    named(console, report.failures)
    if report.changed_in:
        console.print(f"To have changed files read again: {command_line('ingest', '--again', names=report.changed_in)}")
    if report.stopped:
        console.print(f"Stopped: {printable(report.stopped)}.")
    if report.quarantines:
        undo, free = command_line("restore", "--run", str(report.run_id)), command_line("purge", "--all")
        console.print(f"To undo: {undo}   To free the space: {free}")


def rescue_planned(console: Console, plan: RescuePlan) -> None:
    """What rescue would write, the first few files by name."""
    if not plan.returns:
        return
    folders = " and ".join(path(folder) for folder in plan.folders[:_NAMED])
    others = f" and {len(plan.folders) - _NAMED} more folders" if len(plan.folders) > _NAMED else ""
    console.print(f"{len(plan.returns)} files, {size(plan.size_bytes)}, would be written below {folders}{others}:")
    for one in plan.returns[:_NAMED]:
        console.print(f"  {path(one.target)}")
    if len(plan.returns) > _NAMED:
        console.print(f"  and {len(plan.returns) - _NAMED} more files")


def restored(console: Console, report: RestoreReport) -> None:
    """What restore brought back."""
    pinned = (
        " They and their keepers are pinned: no prune takes them again." if report.pinned and report.restored else ""
    )
    console.print(f"{report.restored} files brought back.{pinned}")
    named(console, report.failures)


def recovered(console: Console, report: RecoverReport) -> None:
    """What was cut off, and how it was settled."""
    console.print(f"{report.finished} removals finished, {report.undone} undone, {len(report.left_open)} open still.")
    named(console, report.left_open)
    if report.left_open:
        alone = command_line("recover", "--nobody-else")
        console.print(f"If no other command is at work on these files, on any host: {alone}")


def adopted(console: Console, report: AdoptReport) -> None:
    """What a quarantine held that the index knows now."""
    if report.adopted:
        console.print(f"{report.adopted} files of {report.runs} runs were taken in; restore and purge see them now.")
    else:
        console.print("Nothing was taken in.", "" if report.failures else "This index knows these files already.")
    named(console, report.failures)


def purged(console: Console, report: PurgeReport) -> None:
    """What purge freed."""
    console.print(f"{report.purged} files deleted for good, {size(report.size_bytes)} freed.")
    if report.gone:
        console.print(f"  {report.gone} were not in quarantine any more; the journal says so now")
    named(console, report.skipped)


def stated(console: Console, status: Status) -> None:
    """What is in the index."""
    console.print(f"{path(status.database)}, active profile {status.profile}")
    rows = [
        [c.camera, c.images, c.kept, c.duplicates, c.undecided, c.unreadable, c.missing, c.removed, size(c.size_bytes)]
        for c in status.cameras
    ]
    heads = ["camera", "images", "kept", "duplicates", "undecided", "unreadable", "missing", "removed", "size"]
    heads += ["first", "last", *(["profile"] if status.own_profiles else [])]
    for row, c in zip(rows, status.cameras, strict=True):
        row += [when(c.first_captured_at), when(c.last_captured_at)]
        row += [status.own_profiles.get(c.camera, status.profile)] if status.own_profiles else []
    if rows:
        sums = [sum(numbers) for numbers in zip(*(row[1:8] for row in rows), strict=True)]
        all_bytes = size(sum(camera.size_bytes for camera in status.cameras))
        totals = [(ALL, *sums, all_bytes, *[""] * (len(heads) - 9))] if len(rows) > SHOWN else []
        table(console, heads, rows, what="cameras", totals=totals)
    else:
        console.print("There is no image yet.")
    if status.unlikely_times:
        console.print(
            f"{status.unlikely_times} images have a time that a wrong clock gave; to list them: "
            f"{command_line('audit', 'unlikely_times')}"
        )
    _in_system_folders(console, status.in_system_folders)
    _alike(console, status.alike)
    if status.quarantined:
        console.print(f"{status.quarantined} files lie in quarantine, {size(status.quarantined_bytes)}.")
    if status.left_open:
        console.print(f"{status.left_open} removals were cut off; to finish or undo them: {command_line('recover')}")
    for unknown in status.unknown_runs:
        console.print(
            f"{path(unknown.folder)} holds files of {unknown.runs} runs that this index does not know, another index's "
            f"or forgotten with a backup. To take them in: "
            f"{command_line('db', 'adopt', names=[unknown.folder])}"
        )
    if status.unwitnessed:
        console.print(f"{len(status.unwitnessed)} removed images have no keeper present any more:")
        named(console, [(removal.path, f"keeper {path(removal.keeper_path)}") for removal in status.unwitnessed])


def pinned(console: Console, report: PinReport) -> None:
    """What was pinned or unpinned."""
    for one in report.changed:
        console.print(f"done: {path(one)}")
    for one in report.unchanged:
        console.print(f"it was so already: {path(one)}")
    if report.changed:
        console.print("This counts from the next compare on.")


def audits(console: Console, known: Sequence[Audit]) -> None:
    """The ready-made audit queries."""
    width = max(len(audit.name) for audit in known)
    for audit in known:
        words = [f"{one.name}={one.default or '…'}" for one in audit.parameters]
        console.print(f"{audit.name:<{width}}  {audit.title}{'  [' + ' '.join(words) + ']' if words else ''}")


def counted(console: Console, table: Rows) -> None:
    """How much a query answered, beside a document that has it."""
    console.print(f"{len(table)} rows.")


def reader_made(console: Console, reader: Reader) -> None:
    """The role that only reads, and how to ask as it."""
    if reader.state == NOT_NEEDED:
        console.print("An index of SQLite needs no reader: audit --sql opens the file for reading alone.")
        return
    console.print(f"The role {printable(reader.role)} may read this index and do nothing else.")
    console.print("Put its password into ~/.pgpass, and ask as this role:")
    console.print(f"  {command_line('--db', reader.url, 'audit', '--sql', 'SELECT * FROM audit_cameras')}")


def healthy(console: Console, health: Health) -> None:
    """What a check of the database found."""
    console.print(f"{path(health.database)}: revision {health.revision}, {len(health.problems)} problems")
    for problem in health.problems:
        console.print(f"  {problem}")


def copied(console: Console, report: CopyReport) -> None:
    """What was copied, and found equal."""
    console.print(grid(("table", "rows"), [(one.table, one.rows) for one in report.tables]))
    console.print(f"{report.rows} rows of {path(report.source)} are in {path(report.target)},")
    console.print("read back from there and found equal. Go on with one of the two: both name the same files.")


def named(console: Console, files: Sequence[tuple[str, str]]) -> None:
    """Files with what was the matter, the first few by name."""
    for one, reason in files[:_NAMED]:
        console.print(f"  {path(one)}: {printable(reason)}")
    if len(files) > _NAMED:
        console.print(f"  and {len(files) - _NAMED} more; --json names them all")


def path(text: str) -> str:
    """A path that is safe to show."""
    return printable(text)


def size(size_bytes: int) -> str:
    """A number of bytes for people."""
    number = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def when(time: datetime | None) -> str:
    """A time for people, in UTC."""
    return "unknown" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def _endings(endings: Mapping[str, int]) -> str:
    """The endings of files that were skipped, the most frequent first."""
    ranked = sorted(endings.items(), key=lambda one: (-one[1], one[0]))
    said = [f"{printable(ending or 'none')} {number}" for ending, number in ranked[:_NAMED]]
    return ", ".join([*said, *([f"and {len(ranked) - _NAMED} other endings"] if len(ranked) > _NAMED else [])])


def _left_out(console: Console, left_out: Mapping[str, int]) -> None:
    for reason, number in left_out.items():
        console.print(f"  {number} left out: {reason}")
    by_compare = {reason for reason in left_out if reason not in _BY_INGEST}
    if by_compare:
        console.print(f"  To settle these: {command_line('compare')}")
    if by_compare < left_out.keys():
        again = command_line("ingest", "FOLDER")
        console.print(f"  To settle those of such folders: {again}, then {command_line('compare')}")


def _held_back(console: Console, held_back: Mapping[str, str]) -> None:
    sentences(console, [f"camera {camera!a} is held back: {reason}" for camera, reason in held_back.items()])
    if held_back:
        console.print(f"  If that is right: {command_line('prune', '--max-share', '1')}")


def _not_walked(console: Console, folders: Mapping[str, int]) -> None:
    """The folders that were passed over, the most frequent names first."""
    if not folders:
        return
    ranked = sorted(folders.items(), key=lambda pair: (-pair[1], pair[0]))
    names = [f"{name!a} ({number})" for name, number in ranked[:_NAMED]]
    more = f" and {len(ranked) - _NAMED} other names" if len(ranked) > _NAMED else ""
    name_it = command_line("ingest", "FOLDER")
    console.print(f"    not walked: {', '.join(names)}{more}; to take one in, name it: {name_it}")


def _in_system_folders(console: Console, number: int) -> None:
    if number:
        console.print(
            f"{number} images lie in hidden folders, bins, snapshots or the like, which an earlier version took in. "
            "They and what they stand for are held back from prune. Ingest the folder above again, or name such a "
            f"folder itself to keep its images: {command_line('ingest', 'FOLDER')}"
        )


def _alike(console: Console, groups: Sequence[tuple[str, ...]]) -> None:
    for group in groups:
        console.print(
            f"{len(group)} cameras look the same, {', '.join(map(ascii, group))}; their images are not compared with "
            f"each other. To make them one, with the files of all: {command_line('ingest', '--camera', 'NAME', 'FILE')}"
        )
