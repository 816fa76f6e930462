"""What advise found as text: what is wrong with each camera, since when, by which numbers, and what to do."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console

from indexer.cli.render.tables import format_utc
from indexer.domain.advice.findings import CannotTell
from indexer.domain.advice.ledger import StoredFinding
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.workflows.advice.advise import AdviceReport, CameraAdvice
from indexer.workflows.advice.descriptions import describe_finding
from indexer.workflows.advice.listing import Dismissal, FindingList
from indexer.workflows.advice.picture import CameraPicture

_MAX_FINDINGS = 100


def render_advice(console: Console, report: AdviceReport) -> None:
    """Prints what was found about each camera."""
    for camera in report.cameras:
        _render_camera(console, camera)
    number = sum(len(camera.findings) for camera in report.cameras)
    if number:
        console.print(f"To close a finding: {command_line('advise', 'dismiss', 'ID')}")
    else:
        console.print("Nothing wrong was found.")


def _render_camera(console: Console, camera: CameraAdvice) -> None:
    name = printable(camera.camera)
    if camera.problem is not None:
        console.print(f"{name}: not looked at: {printable(camera.problem)}")
        return
    if camera.since is None or camera.last is None:
        console.print(f"{name}: there is no present image with a time, so nothing can be said")
        return
    unusable = f", {camera.unusable} more could not be read" if camera.unusable else ""
    console.print(
        f"{name}: {camera.frames} of {counted(camera.images, 'image')} looked at{unusable}, "
        f"{format_utc(camera.since)} to {format_utc(camera.last)}"
    )
    for stored in camera.findings:
        _render_finding(console, stored)
    if not camera.findings:
        console.print("  nothing wrong was found")
    for sentence in _describe_untold(camera.untold):
        console.print(f"  cannot be told: {printable(sentence)}")


def render_finding_list(console: Console, listed: FindingList) -> None:
    """Prints the findings, by camera."""
    for camera, findings in groupby(listed.findings[:_MAX_FINDINGS], key=lambda stored: stored.camera):
        console.print(f"{printable(camera)}:")
        for stored in findings:
            _render_finding(console, stored)
    if len(listed.findings) > _MAX_FINDINGS:
        console.print(f"These are {_MAX_FINDINGS} of {len(listed.findings)} findings; --json has all of them.")
    if not listed.findings:
        console.print(f"There is no open finding. To look again: {command_line('advise')}")


def render_dismissal(console: Console, dismissal: Dismissal) -> None:
    """Prints that a finding was dismissed."""
    stored = dismissal.finding
    was = "is dismissed" if dismissal.changed else "was dismissed before"
    console.print(
        f"Finding {stored.id} ({stored.finding.kind}, camera {printable(stored.camera)}) {was}. "
        "It is reported again only if it becomes twice as strong."
    )


def render_picture(console: Console, picture: CameraPicture) -> None:
    """Prints what was drawn."""
    console.print(f"{printable(picture.picture)}: camera {printable(picture.camera)}")
    console.print(
        f"Orange is where things come and go, in {counted(picture.pairs, 'pair')} of neighbours in time. In "
        f"{picture.never_share:.0%} of the frame nothing ever came or went."
    )


def _render_finding(console: Console, stored: StoredFinding) -> None:
    finding = stored.finding
    until = "" if finding.until is None else f" until {format_utc(finding.until)}"
    dismissed = "" if stored.dismissed_by is None else f"; dismissed by {printable(stored.dismissed_by)}"
    note = "" if stored.note is None else f" ({printable(stored.note)})"
    console.print(f"  {stored.id} {finding.kind} since {format_utc(finding.since)}{until}{dismissed}{note}")
    description = describe_finding(finding, stored.camera)
    console.print(f"    {printable(description.what)}")
    console.print(f"    {printable(description.advice)}")
    for command in description.commands:
        console.print(f"      {printable(command)}")
    if finding.image_ids:
        console.print(f"    See: {_see(finding.image_ids)}")
    elif finding.regions:
        console.print(f"    See: {command_line('advise', 'picture', stored.camera, 'OUT.png')}")


def _see(image_ids: Sequence[int]) -> str:
    if len(image_ids) == 1:
        return command_line("explain", str(image_ids[0]))
    return command_line("explain", *map(str, image_ids[:2]), "--picture", "OUT.png")


def _describe_untold(untold: Sequence[CannotTell]) -> list[str]:
    """One sentence for each reason, with all kinds that it holds for."""
    by_reason: dict[str, list[str]] = {}
    for answer in untold:
        light = "" if answer.light_class is None else f"in {answer.light_class} light: "
        by_reason.setdefault(f"{light}{answer.reason}", []).append(answer.kind)
    return [f"{', '.join(kinds)} ({reason})" for reason, kinds in by_reason.items()]
