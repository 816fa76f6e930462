"""The page: reports as JSON, words where they belong."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypedDict

import pytest
from rich.console import Console

from indexer.cli.json_output import to_json
from indexer.cli.render.tables import make_table
from indexer.cli.session import CommandSession
from indexer.errors import UsageError
from indexer.settings import Settings


@dataclass(frozen=True)
class Report:
    """What reports are made of."""

    name: str


class NameDocument(TypedDict):
    """A document with the name alone."""

    name: Annotated[str, "The name."]


def in_words(console: Console, report: Report) -> None:
    console.print(f"it is {report.name}")


def test_to_json() -> None:
    """Single values become lists, text and numbers; times are ISO 8601, and what is not finite is null."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    values = ("a", noon, 1.5, float("inf"), {1: None}, [True])
    assert json.loads(json.dumps(to_json(values))) == ["a", "2026-01-01T12:00:00+00:00", 1.5, None, {"1": None}, [True]]


@pytest.mark.parametrize("as_json", [False, True])
def test_show(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """Words go to stdout; where the document has stdout there are none."""
    with CommandSession(Settings("x.db", 1), as_json=as_json) as page:
        page.show(Report("red"), in_words, form=NameDocument)
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {"name": "red"} if as_json else out == "it is red\n"


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("failed", [False, True])
def test_quiet(capsys: pytest.CaptureFixture[str], as_json: bool, failed: bool) -> None:
    """With --quiet nothing is said, unless something failed: then the sentences go to stderr, and no table."""

    def render(console: Console, report: Report) -> None:
        in_words(console, report)
        console.print(make_table(("a", "b"), [(1, 2)]))

    with CommandSession(Settings("x.db", 1), as_json=as_json, quiet=True) as page:
        page.show(Report("red"), render, form=NameDocument, failed=failed)
    out, err = capsys.readouterr()
    assert err == ("it is red\n" if failed else "")
    assert (out != "") == as_json


def test_long_words_stay_on_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A path of any length is not broken by a line end, so that it can be copied."""
    with CommandSession(Settings("x.db", 1), as_json=False) as page:
        page.show(Report("/long folder" * 300), in_words, form=NameDocument)
    assert capsys.readouterr().out == f"it is {'/long folder' * 300}\n"


def test_nobody_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stdin is no terminal nobody is asked: the command is refused with what to type."""
    with CommandSession(Settings("x.db", 1), as_json=False) as page, pytest.raises(UsageError, match="type --yes"):
        page.confirm("Sure?", instead="type --yes")
    assert capsys.readouterr().out == ""


def test_progress_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress that nobody sees is counted by nobody."""
    with CommandSession(Settings("x.db", 1), as_json=False) as page:
        page.progress("reading", 10)(5)
    assert capsys.readouterr() == ("", "")
