"""The command `verdict`: one command that parses its words, as most calls pass only two images and a verdict."""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import Json, open_session
from indexer.errors import UsageError
from indexer.escaping import command_line

if TYPE_CHECKING:
    from indexer.domain.verdicts import VerdictValue

_USAGE = (
    "type: verdict A B same, or: verdict A B different, or: verdict undo A B, or: verdict --from FILE; "
    f"to see those that hold: {command_line('verdict', 'list')}"
)

RequestWords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORD",
        help="Two images (path, file name or number), and same or different; or undo and two images; or list. "
        "Type ./list for a file of that name.",
    ),
]


@dataclass(frozen=True)
class SetVerdict:
    """The request to set a verdict on a pair."""

    image_a: str
    image_b: str
    verdict: "VerdictValue"


@dataclass(frozen=True)
class UndoVerdict:
    """The request to withdraw a verdict."""

    image_a: str
    image_b: str


@dataclass(frozen=True)
class ImportVerdicts:
    """The request to read verdicts from a file."""

    file: str


def verdict(
    context: typer.Context,
    words: RequestWords = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who judges. [default: your login name]")] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="The reason, in your words.")] = None,
    file: Annotated[
        str | None,
        typer.Option("--from", metavar="CSV", help="Columns image_a,image_b,verdict[,by,note,path_a,path_b]."),
    ] = None,
    json: Json = False,
) -> None:
    """Judge a pair of images: the same, or different.

    A verdict counts more than the score, from the next compare on.

    \b
      verdict A B same        both show the same: keep one of them
      verdict A B different   they show different things: keep both
      verdict undo A B        take the verdict on A and B back
      verdict list            all verdicts, and their contradictions
      verdict --from CSV      many verdicts: all are recorded, or none
    """
    from indexer.cli.json_documents.review import VerdictListDocument, VerdictReportDocument
    from indexer.cli.render import verdict as judgements
    from indexer.workflows.review import verdict as workflow

    request = parse_request(words or (), file=file, signed=by is not None or note is not None)
    with open_session(context, json=json) as session, session.database() as database:
        if request is None:
            verdicts = workflow.list_verdicts(database)
            session.show(verdicts, judgements.render_verdict_list, form=VerdictListDocument)
            return
        who = login_name() if by is None else by
        match request:
            case SetVerdict(image_a, image_b, judgement):
                report = workflow.set_verdict(
                    database, image_a, image_b, judgement, by=who, note=note, clock=session.clock
                )
            case UndoVerdict(image_a, image_b):
                report = workflow.undo_verdict(database, image_a, image_b, clock=session.clock)
            case ImportVerdicts(name):
                report = workflow.import_verdicts(database, name, by=who, note=note, clock=session.clock)
        session.show(report, judgements.render_verdicts, form=VerdictReportDocument, failed=bool(report.refused))
        if json:
            for sentence in judgements.describe_both_pinned(report):
                session.warn(sentence)
    raise typer.Exit(1 if report.refused else 0)


def parse_request(
    words: Sequence[str], *, file: str | None, signed: bool
) -> SetVerdict | UndoVerdict | ImportVerdicts | None:
    """The request in these words; None: the list. `signed`: a name or a note was given. Raises `UsageError`."""
    match [*words]:
        case [] if file is not None:
            return ImportVerdicts(file)
        case _ if file is not None:
            raise UsageError("give either --from with a file of verdicts or words, not both")
        case ["list" | "undo", *_] if signed:
            raise UsageError("--by and --note are options of a verdict; leave them out")
        case ["list"]:
            return None
        case ["undo", image_a, image_b]:
            return UndoVerdict(image_a, image_b)
        case [image_a, image_b, ("same" | "different") as judgement] if image_a not in {"list", "undo"}:
            return SetVerdict(image_a, image_b, judgement)
    raise UsageError(f"these words are not a verdict; {_USAGE}")


def login_name() -> str:
    """The login name of the person at the terminal; "a person" if the system does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # KeyError until Python 3.12: no such user
        return "a person"
