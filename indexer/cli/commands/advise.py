"""The command `advise`: one command that parses its words, as most calls pass none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.commands.verdict import login_name
from indexer.cli.options import Camera, Json, Processes, open_session
from indexer.errors import UsageError
from indexer.escaping import command_line

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession
    from indexer.store.database import Database

_USAGE = (
    f"type: {command_line('advise')}, or: {command_line('advise', 'list')}, or: advise dismiss ID, or: "
    "advise picture CAMERA OUT.png"
)


@dataclass(frozen=True)
class ListFindings:
    """The request to list what was found."""


@dataclass(frozen=True)
class DismissFinding:
    """The request to dismiss a finding."""

    finding_id: int


@dataclass(frozen=True)
class DrawCamera:
    """The request to draw a camera's picture."""

    camera: str
    out: str


def advise(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="Nothing, or one of: list; dismiss ID; picture CAMERA OUT.png."),
    ] = None,
    camera: Camera = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, metavar="N", help="Look at the last N days of each camera. [default: 14]"),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(min=20, max=10_000, metavar="N", help="Look at most at N images of each camera. [default: 200]"),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit code 1 if there is an open finding.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="With list: also findings that are over or dismissed.")
    ] = False,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="With dismiss: who dismisses it. [default: your login name]")
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="With dismiss: the reason, in your words.")] = None,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Find what is wrong with each camera, and since when.

    \b
      advise                          look at all cameras
      advise list                     show the open findings
      advise dismiss ID               close a finding
      advise picture CAMERA OUT.png   draw where things come and go
    """
    request = parse_request(words or (), with_by=by is not None or note is not None)
    needs_person = False
    with open_session(context, json=json) as session, session.database() as database:
        match request:
            case None:
                needs_person = _examine(session, database, camera, days, frames, processes)
            case ListFindings():
                needs_person = _list(session, database, camera, with_past=everything)
            case DismissFinding(finding_id):
                _dismiss(session, database, finding_id, by=login_name() if by is None else by, note=note)
            case DrawCamera(name, out):
                _draw(session, database, name, out, processes)
    raise typer.Exit(1 if check and needs_person else 0)


def parse_request(words: Sequence[str], *, with_by: bool) -> ListFindings | DismissFinding | DrawCamera | None:
    """The request in these words; None: to look at the cameras. Raises `UsageError`."""
    if with_by and list(words[:1]) != ["dismiss"]:
        raise UsageError("--by and --note are options of advise dismiss ID; leave them out")
    match [*words]:
        case []:
            return None
        case ["list"]:
            return ListFindings()
        case ["dismiss", number] if number.isascii() and number.isdigit() and len(number) < 10:
            return DismissFinding(int(number))
        case ["picture", camera, out]:
            return DrawCamera(camera, out)
    raise UsageError(f"advise does not understand these words; {_USAGE}")


def _examine(
    session: "CommandSession",
    database: "Database",
    camera: str | None,
    days: int | None,
    frames: int | None,
    processes: int | None,
) -> bool:
    """Looks at the cameras; returns whether anything needs a person."""
    from indexer.cli.json_documents.advice import AdviceDocument
    from indexer.cli.render.advise import render_advice
    from indexer.workflows.advice import advise as workflow
    from indexer.workflows.context import ComparisonContext

    with session.guarded_engine(processes) as executor:
        context = ComparisonContext(database, executor, session.limits, session.clock, session.progress)
        report = workflow.advise(
            context,
            camera=camera,
            days=workflow.DAYS if days is None else days,
            frames=workflow.FRAMES if frames is None else frames,
        )
    session.show(report, render_advice, form=AdviceDocument)
    return report.needs_person


def _list(session: "CommandSession", database: "Database", camera: str | None, *, with_past: bool) -> bool:
    """Shows the findings of the index; returns whether one is open."""
    from indexer.cli.json_documents.advice import FindingListDocument
    from indexer.cli.render.advise import render_finding_list
    from indexer.workflows.advice.listing import list_findings

    listed = list_findings(database, camera=camera, with_past=with_past)
    session.show(listed, render_finding_list, form=FindingListDocument)
    return any(finding.is_open for finding in listed.findings)


def _dismiss(session: "CommandSession", database: "Database", finding_id: int, *, by: str, note: str | None) -> None:
    """Dismisses a finding."""
    from indexer.cli.json_documents.advice import DismissalDocument
    from indexer.cli.render.advise import render_dismissal
    from indexer.workflows.advice.listing import dismiss_finding

    dismissal = dismiss_finding(database, finding_id, by=by, note=note, clock=session.clock)
    session.show(dismissal, render_dismissal, form=DismissalDocument)


def _draw(session: "CommandSession", database: "Database", camera: str, out: str, processes: int | None) -> None:
    """Draws the picture of a camera."""
    from indexer.cli.json_documents.advice import CameraPictureDocument
    from indexer.cli.render.advise import render_picture
    from indexer.workflows.advice.picture import draw_camera
    from indexer.workflows.context import ComparisonContext

    with session.guarded_engine(processes) as executor:
        context = ComparisonContext(database, executor, session.limits, session.clock, session.progress)
        picture = draw_camera(context, camera, out=out)
    session.show(picture, render_picture, form=CameraPictureDocument)
