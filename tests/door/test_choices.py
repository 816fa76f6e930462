"""The words of `sweep` and `evaluate`."""

from indexer.door import choices
from indexer.workflows.sweep import CameraSweep, SweepReport, SweepRow
from tests.door.conftest import Run
from tests.door.test_words import said

ROWS = (SweepRow(500.0, 1000.0, 8, 2, 2000, current=False), SweepRow(1000.5, 1000.0, 6, 4, 4000, current=True))
GATE = CameraSweep("gate", "mine", 1000.5, 1000.0, 10, ROWS, None)


def table(report: SweepReport) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in said(choices.swept, report).splitlines() if line.strip(" ─")]


def test_swept() -> None:
    """A row for each limit, the one in force marked, and how to adopt another."""
    head, *rows, first, then, other = table(SweepReport((GATE,), ROWS))
    assert head == ["camera", "max_score", "kept", "duplicates", "share", "freed", "in", "force"]
    assert rows == [
        ["gate", "500", "8", "2", "20.0%", "2.0", "kB"],
        ["gate", "1000.5", "6", "4", "40.0%", "4.0", "kB", "yes"],
    ]
    assert [" ".join(line) for line in (first, then, other)] == [
        "To adopt one: manage.py profile make NAME --base mine --max-score X",
        "then: manage.py compare --profile NAME",
        "or, for one camera alone: manage.py profile use NAME --camera CAMERA",
    ]


def test_swept_cameras() -> None:
    """Several cameras have totals, several areas a column; one that was left out is named with the reason."""
    other = CameraSweep("b\\n", "mine", 1000.5, 1000.0, 10, (SweepRow(500.0, 900.0, 9, 1, 0, current=False),), None)
    out = CameraSweep("c\n", "original", 1.0, 1.0, 3, (), "nothing is cached")
    head, *rows, left_out, _, _, _ = table(SweepReport((GATE, other, out), ROWS[:1]))
    assert head[1:3] == ["min_contour_area", "max_score"]
    assert rows[2][:4] == ["b\\n", "900", "500", "9"]
    assert rows[3] == ["all", "of", "these", "1000", "500", "8", "2", "20.0%", "2.0", "kB"]
    assert " ".join(left_out) == r"camera 'c\n' was left out: nothing is cached"


def test_nothing_to_sweep() -> None:
    """An empty index says what comes first."""
    assert said(choices.swept, SweepReport(())) == "There is nothing to sweep yet. First: manage.py ingest FOLDER"


def test_sweep_command(run: Run, decided: object) -> None:
    """The command tries what is typed, beside what is in force."""
    answer = run("sweep", "--max-score", "0,5e4", "--json")
    assert [row["kept"] for row in answer.document["cameras"][0]["rows"]] == [3, 3, 1]
    assert [row["current"] for row in answer.document["totals"]] == [False, True, False]


def test_sweep_of_what_is_no_number(run: Run, decided: object) -> None:
    """A slip is a matter of usage: exit code 2, and how to type it."""
    for words in (["--max-score", "1;2"], ["--min-contour-area", "-1"], ["--max-score", "nan"]):
        answer = run("sweep", *words)
        assert (answer.code, answer.out) == (2, "")
        assert "500,1000,2000" in answer.sentence
