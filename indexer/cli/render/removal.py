"""The reports of `prune`, `restore`, `rescue`, `recover`, `db adopt` and `purge` as text."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rich import filesize
from rich.console import Console

from indexer.cli.render.notes import note_undecided
from indexer.cli.render.tables import (
    ALL_ROWS,
    MAX_LISTED,
    MAX_ROWS,
    list_files,
    print_sentences,
    print_table,
)
from indexer.domain.plurals import counted
from indexer.domain.removal import UNANSWERED, ExclusionReason, Plan
from indexer.escaping import command_line, printable
from indexer.workflows.removal.adopt import AdoptReport
from indexer.workflows.removal.missing_folders import relocate_hint
from indexer.workflows.removal.prune import PruneReport
from indexer.workflows.removal.purge import PurgePlan, PurgeReport
from indexer.workflows.removal.recover import RecoverReport
from indexer.workflows.removal.rescue_plan import RescuePlan
from indexer.workflows.removal.restore import RestorePlan, RestoreReport

_NOT_RESOLVED_BY_COMPARE = {str(reason) for reason in ExclusionReason if not reason.is_resolved_by_compare}
_RESOLVED_BY_INGEST = {str(reason) for reason in ExclusionReason if reason.is_resolved_by_ingest}
_INCLUDE = "--include-restored"
_NOTHING_IN_QUARANTINE = "  None of what was asked for lies in quarantine."


@dataclass(frozen=True)
class TypedPrune:
    """The options of `prune` that a person typed; the commands that its reports propose repeat them."""

    camera: str | None = None
    max_share: float | None = None
    include_restored: bool = False
    permanent: bool = False
    quarantine: str | None = None

    def command(self) -> str:
        """The command with these options."""
        words = ["prune"]
        for option, value in (
            ("--camera", self.camera),
            ("--max-share", None if self.max_share is None else str(self.max_share).removesuffix(".0")),
            ("--quarantine", self.quarantine),
        ):
            words += [] if value is None else [option, value]
        words += [_INCLUDE] if self.include_restored else []
        words += ["--permanent"] if self.permanent else []
        return command_line(*words)


_NOTHING_TYPED = TypedPrune()


def render_nothing(_console: Console, _report: object) -> None:
    """Prints nothing: what there is to say was printed before."""


def render_plan(console: Console, plan: Plan, *, typed: TypedPrune = _NOTHING_TYPED) -> None:
    """Prints what prune would remove."""
    if plan.victims:
        cameras = list(plan.cameras)
        if len(cameras) > MAX_ROWS:
            cameras.sort(key=lambda camera: -camera.share)
        rows = [
            (camera.camera, camera.images, camera.victims, f"{camera.share:.1%}", filesize.decimal(camera.size_bytes))
            for camera in cameras
        ]
        total = sum(camera.images for camera in plan.cameras)
        all_of_them = (
            ALL_ROWS,
            total,
            len(plan.victims),
            f"{len(plan.victims) / total:.1%}",
            filesize.decimal(plan.size_bytes),
        )
        heads = ("camera", "images", "to remove", "share", "size")
        print_table(console, heads, rows, what="cameras, the largest shares first", totals=[all_of_them])
    else:
        console.print("There is nothing to remove.")
    _render_left_out(console, _left_out(plan), typed=typed)
    _render_held_back(console, _held_back(plan), typed=typed)
    note_undecided(console, plan.undecided)


def render_dry_run(console: Console, plan: Plan, *, typed: TypedPrune = _NOTHING_TYPED) -> None:
    """Prints what prune would remove, where to look at it, and how to act."""
    render_plan(console, plan, typed=typed)
    _render_prune_failures(console, plan)
    _render_stop(console, plan)
    if plan.victims:
        camera = typed.camera
        report = command_line("report", "pages", *(() if camera is None else ("--camera", camera)))
        weakest = command_line("audit", "borderline", "removed", *(() if camera is None else (f"camera={camera}",)))
        console.print(f"To look at them: {report}")
        console.print(f"To see the weakest cases: {weakest}")
        console.print(f"To act: {typed.command()}")


def render_plan_failures(console: Console, plan: Plan, *, typed: TypedPrune = _NOTHING_TYPED) -> None:
    """Prints which cameras prune would hold back, and which files it could not remove, and nothing else."""
    _render_held_back(console, _held_back(plan), typed=typed)
    _render_prune_failures(console, plan)
    _render_stop(console, plan)


def render_prune(
    console: Console, report: PruneReport, *, shown: Plan | None = None, typed: TypedPrune = _NOTHING_TYPED
) -> None:
    """Prints what prune removed; what the plan that was `shown` said of the rest only if it changed."""
    if report.run_id is not None:
        files = counted(report.removed, "file")
        console.print(f"{files} removed, {filesize.decimal(report.size_bytes)}, by run {report.run_id}.")
    for folder, number in report.quarantines.items():
        console.print(f"  {counted(number, 'lies', 'lie')} in {printable(folder)}")
    if report.hard_links:
        console.print(f"  {report.hard_links} left alone: the same file on disk as their keeper (hard links)")
    if report.protected:
        console.print(f"  {len(report.protected)} must stay, whatever this index decided:")
        list_files(console, report.protected)
    if report.outdated:
        console.print(f"  {report.outdated} left alone: their decision changed after the plan was shown")
    _render_rest(console, report, shown=shown, typed=typed)
    _render_prune_failures(console, report)
    _render_stop(console, report)
    if report.quarantines:
        undo, free = (command_line(verb, "--run", str(report.run_id)) for verb in ("restore", "purge"))
        console.print(f"To undo: {undo}   To free the space: {free}")


def render_prune_failures(console: Console, report: PruneReport, *, typed: TypedPrune = _NOTHING_TYPED) -> None:
    """Prints which cameras and files prune left alone that a person must look at, and nothing else."""
    _render_held_back(console, report.held_back, typed=typed)
    _render_prune_failures(console, report)
    _render_stop(console, report)


def _render_stop(console: Console, report: PruneReport | Plan) -> None:
    """Prints why not all files of a plan were removed, or can be."""
    if report.stopped and isinstance(report, Plan):
        console.print(f"Not all of it can be removed: {printable(report.stopped)}.")
    elif report.stopped:
        last_problem = report.failures[-1][1] if 0 < len(report.failures) <= MAX_LISTED else None  # it is listed above
        stopped = report.stopped.removeprefix(f"{last_problem}; ")
        console.print(f"Stopped: {printable(stopped)}.")


def _render_prune_failures(console: Console, report: PruneReport | Plan) -> None:
    """Prints which files could not be removed, or cannot be, and what to do about it."""
    list_files(console, report.failures)
    for folder in report.missing_folders[:MAX_LISTED]:
        console.print(f"The folder {printable(folder)} is not there; {relocate_hint(folder)}")
    if report.changed_in:
        console.print(f"To have changed files read again: {command_line('ingest', '--again', names=report.changed_in)}")


def render_rescue_plan(console: Console, plan: RescuePlan) -> None:
    """Prints what rescue would write, with the first few files."""
    if not plan.items:
        return
    folders = " and ".join(printable(folder) for folder in plan.folders[:MAX_LISTED])
    others = f" and {counted(len(plan.folders) - MAX_LISTED, 'more folder')}" if len(plan.folders) > MAX_LISTED else ""
    console.print(
        f"{counted(len(plan.items), 'file')}, {filesize.decimal(plan.size_bytes)}, would be written below "
        f"{folders}{others}:"
    )
    for folder in plan.missing_folders[:MAX_LISTED]:
        console.print(f"  The folder {printable(folder)} does not exist and would be made; {printable(plan.elsewhere)}")
    for item in plan.items[:MAX_LISTED]:
        console.print(f"  {printable(item.target)}")
    if len(plan.items) > MAX_LISTED:
        console.print(f"  and {counted(len(plan.items) - MAX_LISTED, 'more file')}")


def render_restore(console: Console, report: RestoreReport) -> None:
    """Prints what restore brought back."""
    console.print(f"{counted(report.restored, 'file')} brought back.{_describe_protection(report)}")
    if not (report.restored or report.copies or report.failures):
        console.print(_NOTHING_IN_QUARANTINE)
    _render_folders(console, report.folders)
    for folder in report.made_folders[:MAX_LISTED]:
        hint = "" if report.run_id is None else f"; {relocate_hint(folder)}"  # relocate needs an index
        console.print(f"  The folder {printable(folder)} did not exist and was made{hint}")
    if report.restored and report.pinned and report.run_id is not None:
        console.print(f"  To take these pins back: {command_line('unpin', '--run', str(report.run_id))}")
    if report.copies:
        back = counted(report.copies, "image is back already; its copy", "images are back already; their copies")
        stay = "stays" if report.copies == 1 else "stay"
        in_all = "" if report.quarantined == 1 else f" of all {counted(report.quarantined, 'file')} there"
        console.print(f"  {back} {stay} in quarantine. To free the space{in_all}: {command_line('purge', '--all')}")
    list_files(console, report.failures)


def render_restore_plan(console: Console, plan: RestorePlan) -> None:
    """Prints what restore would bring back."""
    size = f", {filesize.decimal(plan.size_bytes)}" if plan.files else ""
    console.print(f"{counted(plan.files, 'file')} would come back{size}.")
    if not (plan.files or plan.copies or plan.failures):
        console.print(_NOTHING_IN_QUARANTINE)
    _render_folders(console, plan.folders)
    for folder in plan.missing_folders[:MAX_LISTED]:
        console.print(f"  The folder {printable(folder)} does not exist and would be made; {relocate_hint(folder)}")
    if plan.copies:
        console.print(f"  {counted(plan.copies, 'image is', 'images are')} back already.")
    list_files(console, plan.failures)
    act = " To act: type the same command without --dry-run" if plan.files else ""
    console.print(f"Nothing was moved or written.{act}")


def _render_folders(console: Console, numbers: Mapping[str, int]) -> None:
    """Prints how many files each folder gets."""
    folders = sorted(numbers.items())
    for folder, number in folders[:MAX_LISTED]:
        console.print(f"  {number} to {printable(folder)}")
    if len(folders) > MAX_LISTED:
        console.print(f"  and the others to {counted(len(folders) - MAX_LISTED, 'more folder')}")


def render_restore_failures(console: Console, report: RestoreReport | RestorePlan) -> None:
    """Prints which files did not come back, or would not, and nothing else."""
    list_files(console, report.failures)


def _describe_protection(report: RestoreReport) -> str:
    """What keeps the files from a later prune; empty if nothing does, or if none came back."""
    is_one = report.restored == 1
    if not report.restored:
        return ""
    if report.pinned:
        return f" {'It and its keeper' if is_one else 'They and their keepers'} are pinned: no prune takes them again."
    if not report.held_back:
        return ""
    are, them = ("It is", "it") if is_one else ("They are", "them")
    return f" {are} held back: prune takes {them} again only with {_INCLUDE}."


def render_recover(console: Console, report: RecoverReport) -> None:
    """Prints which removals were interrupted, and how they were resolved."""
    console.print(
        f"{counted(report.finished, 'removal')} finished, {report.undone} undone, {len(report.left_open)} open still."
    )
    render_recover_failures(console, report)


def render_recover_failures(console: Console, report: RecoverReport) -> None:
    """Prints which removals are open still, and nothing else."""
    list_files(console, report.left_open)
    alone = command_line("recover", "--nobody-else")
    if any(alone in reason for _, reason in report.left_open):
        console.print(f"If no other command is at work on these files, on any host: {alone}")


def render_adopt(console: Console, report: AdoptReport) -> None:
    """Prints what the index adopted from a quarantine."""
    if report.adopted:
        console.print(
            f"{counted(report.adopted, 'file')} of {counted(report.runs, 'run')} taken in; restore and purge "
            "see all of it now."
        )
    else:
        console.print("Nothing was taken in.", "" if report.failures else "This index knows these files already.")
    list_files(console, report.failures)


def render_purge_plan(console: Console, plan: PurgePlan) -> None:
    """Prints which files purge would delete, or which are gone, by quarantine."""
    files = counted(len(plan.files), "file")
    if not plan.files:
        console.print("No file is gone with its quarantine." if plan.gone else "There is nothing to delete.")
    elif plan.gone:
        console.print(f"{files} of which nothing is there any more:")
    else:
        console.print(f"{files} in quarantine, {filesize.decimal(plan.size_bytes)}:")
    for folder, number in sorted(plan.quarantines.items()):
        console.print(f"  {number} in {printable(folder)}")
    if interrupted := [file.path for file in plan.files if file.quarantine_path is None]:
        console.print("  Their deletion was cut off:")
        list_files(console, [(path, "it is not there") for path in interrupted])


def render_purge_dry_run(console: Console, plan: PurgePlan) -> None:
    """Prints what purge would do: also which files would stay, which it names itself when it acts."""
    render_purge_plan(console, plan)
    list_obstacles(console, plan)


def list_obstacles(console: Console, plan: PurgePlan) -> None:
    """Prints which files purge would skip, and nothing else."""
    list_files(console, [(file.path, file.reason) for file in plan.skipped])


def render_purge(console: Console, report: PurgeReport) -> None:
    """Prints what purge freed."""
    if report.purged or not report.gone:
        console.print(
            f"{counted(report.purged, 'file')} deleted for good, {filesize.decimal(report.size_bytes)} freed."
        )
    if report.gone:
        gone = counted(report.gone, "file was", "files were")
        console.print(f"{gone} not there any more; the journal says so now.")
    list_files(console, report.skipped)


def _render_rest(console: Console, report: PruneReport, *, shown: Plan | None, typed: TypedPrune) -> None:
    """Prints what was left out and held back, unless the plan that was shown said the same."""
    if shown is None or report.left_out != _left_out(shown):
        _render_left_out(console, report.left_out, typed=typed)
    if shown is None or report.held_back != _held_back(shown):
        _render_held_back(console, report.held_back, typed=typed)


def render_purge_failures(console: Console, report: PurgeReport) -> None:
    """Prints which files purge skipped, and nothing else."""
    list_files(console, report.skipped)


def _left_out(plan: Plan) -> dict[str, int]:
    """What a plan leaves out, as the report of prune has it."""
    return {str(reason): number for reason, number in plan.left_out.items()}


def _held_back(plan: Plan) -> dict[str, str]:
    """Which cameras a plan holds back and why, as the report of prune has it."""
    return {held_back.camera.camera: held_back.reason for held_back in plan.held_back}


def _render_left_out(console: Console, left_out: Mapping[str, int], *, typed: TypedPrune) -> None:
    for reason, number in left_out.items():
        console.print(f"  {number} left out, {'each because' if number > 1 else 'because'} {reason}")
    if left_out.keys() - _NOT_RESOLVED_BY_COMPARE:
        console.print(f"  To settle these: {command_line('compare')}")
    if ExclusionReason.HELD_BACK in left_out:
        console.print(f"  To also remove those that are held back: {replace(typed, include_restored=True).command()}")
    if ExclusionReason.REMOVED in left_out:
        adopt = command_line("db", "adopt", "QUARANTINE")
        console.print(f"  To add these removals to the index, for example after a backup was put back: {adopt}")
    if left_out.keys() & _RESOLVED_BY_INGEST:
        again = command_line("ingest", "FOLDER")
        console.print(f"  To settle those of such folders: {again}, then {command_line('compare')}")


def _render_held_back(console: Console, held_back: Mapping[str, str], *, typed: TypedPrune) -> None:
    print_sentences(console, [f"camera {camera!r} is held back: {reason}" for camera, reason in held_back.items()])
    if set(held_back.values()) - {UNANSWERED}:
        console.print(f"  If that is right: {replace(typed, max_share=1).command()}")
    for camera, reason in list(held_back.items())[:MAX_LISTED]:
        if reason == UNANSWERED:
            console.print(f"  If it is one camera: {command_line('camera', 'confirm', names=[camera])}")
