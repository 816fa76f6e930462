"""audit on the command line: what a limit cut off is told, and CSV is complete or says that it is not."""

import csv
import io
from pathlib import Path

from tests.support.command import Run


def test_csv_is_the_whole_answer(run: Run, decided: Path) -> None:
    """CSV has one line for the columns and one for each row, the same values as JSON, and nothing beside it."""
    assert run("prune", "--yes").code == 0
    answer, document = run("audit", "removals", "--csv"), run("audit", "removals", "--json").document
    rows = list(csv.reader(io.StringIO(answer.out)))
    assert (answer.code, answer.err) == (0, "")
    assert rows[0] == document["columns"]
    assert rows[1:] == [["" if value is None else str(value) for value in row] for row in document["rows"]]
    assert (len(document["rows"]), document["complete"], document["total"]) == (3, True, 3)


def test_what_is_cut_says_so(run: Run, decided: Path) -> None:
    """A table, CSV and JSON that a limit cut say how many rows there are: on stderr, and in the document."""
    assert run("prune", "--yes").code == 0
    said = "indexer: these are 2 of 3 rows; limit=3 shows all of them, and so does --csv\n"
    for more in ([], ["--csv"], ["--json"]):
        answer = run("audit", "removals", "limit=2", *more)
        assert (answer.code, answer.err) == (0, said)
    assert (answer.document["complete"], answer.document["total"]) == (False, 3)


def test_one_side_of_the_borderline(run: Run, decided: Path) -> None:
    """A side is a word of its own, or KEY=VALUE; another word is refused with the words that there are."""
    removed, named = (run("audit", "borderline", word, "--json").document for word in ("removed", "side=removed"))
    assert removed == named
    place = removed["columns"].index("decided")
    assert {row[place] for row in removed["rows"]} <= {"duplicate"}
    answer = run("audit", "borderline", "left")
    assert (answer.code, answer.sentence) == (
        2,
        "indexer: parameter 'left' is not KEY=VALUE, and not one of removed, kept, both",
    )


def test_csv_holds_line_breaks(run: Run, decided: Path) -> None:
    """A carriage return in a value ends no row."""
    answer = run("audit", "--csv", "--sql", "SELECT 'a' || char(13) || 'b' AS one, 'c' || char(10) AS two")
    assert list(csv.reader(io.StringIO(answer.out, newline=""))) == [["one", "two"], ["a\rb", "c\n"]]


def test_csv_needs_a_query(run: Run, decided: Path) -> None:
    """CSV of the list of queries, or beside JSON, is refused."""
    for words in (["--csv"], ["runs", "--csv", "--json"]):
        assert run("audit", *words).code == 2
