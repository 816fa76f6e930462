"""The words of `sweep` and `evaluate`."""

from pathlib import Path

from indexer.cli.render import tuning
from indexer.domain.evaluation import PairMetrics, StateMetrics
from indexer.workflows.tuning.evaluate import CameraEvaluation, Evaluation, EvaluationReport
from indexer.workflows.tuning.sweep import CameraSweep, SweepReport, SweepRow
from tests.cli.render.test_reports import said
from tests.support.command import Run

ROWS = (SweepRow(500.0, 1000.0, 8, 2, 2000, current=False), SweepRow(1000.5, 1000.0, 6, 4, 4000, current=True))
GATE = CameraSweep("gate", "mine", 1000.5, 1000.0, 10, ROWS, None)


def table(report: SweepReport | EvaluationReport) -> list[list[str]]:
    """The words of each line."""
    tell = tuning.render_sweep if isinstance(report, SweepReport) else tuning.render_evaluation
    return [line.split() for line in said(tell, report).splitlines() if line.strip(" ─")]


def test_swept() -> None:
    """A row for each limit, the one in force marked, and how to adopt another."""
    head, *rows, note, first, then, other = table(SweepReport((GATE,), ROWS))
    assert head == ["camera", "max_score", "kept", "duplicates", "share", "freed", "in", "force"]
    assert rows == [
        ["gate", "500", "8", "2", "20.0%", "2.0", "kB"],
        ["gate", "1000.5", "6", "4", "40.0%", "4.0", "kB", "yes"],
    ]
    assert [" ".join(line) for line in (note, first, then, other)] == [
        "No score lies between 0 and min_contour_area, so all limits up to that decide alike; --min-contour-area tries "
        "smaller areas.",
        "To adopt one: manage.py profile make NAME --base mine --max-score X",
        "then: manage.py compare --profile NAME",
        "or, for one camera alone: manage.py profile use NAME --camera CAMERA",
    ]


def test_swept_cameras() -> None:
    """Several cameras have totals, several areas a column; one that was left out is named with the reason."""
    other = CameraSweep("b\\n", "mine", 1000.5, 1000.0, 10, (SweepRow(500.0, 900.0, 9, 1, 0, current=False),), None)
    out = CameraSweep("c\n", "original", 1.0, 1.0, 3, (), "nothing is cached")
    head, *rows, left_out, _, waiting, first, _, _ = table(SweepReport((GATE, other, out), ROWS[:1], undecided=1))
    assert head[1:3] == ["min_contour_area", "max_score"]
    assert rows[2][:4] == ["b\\n", "900", "500", "9"]
    assert rows[3] == ["all", "of", "these", "1000", "500", "8", "2", "20.0%", "2.0", "kB"]
    assert " ".join(left_out) == r"camera 'c\n' was left out: nothing is cached"
    assert " ".join(waiting) == "1 image is not decided yet. Next: manage.py compare"
    assert first[-4:] == ["--max-score", "X", "--min-contour-area", "Y"]


def test_nothing_to_sweep() -> None:
    """An empty index says what comes first."""
    assert said(tuning.render_sweep, SweepReport(())) == "There is nothing to sweep yet. First: manage.py ingest FOLDER"


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


GOOD = StateMetrics(10, 0, 6, 4, 4, 1, 0.25, 3, (), 2)
BAD = StateMetrics(5, 1, 1, 4, 0, 0, None, 2, ("visit 1\n",), 0)
ALL = StateMetrics(15, 1, 7, 8, 4, 1, 0.25, 5, ("yard: visit 1\n",), 2)


def test_evaluated() -> None:
    """A row for each camera and for all, the lost states and what could not be judged by name."""
    found = (CameraEvaluation("gate", GOOD), CameraEvaluation("yard", BAD), CameraEvaluation("roof", None, "no file"))
    report = EvaluationReport((Evaluation("plain", 1000.0, found, ALL),), ("x\n.jpg",))
    head, *rows = table(report)
    assert " ".join(head[6:]) == "wrong share states lost redundant"
    assert rows[0] == ["plain", "1000", "gate", "10", "6", "4", "1", "25.0%", "3", "0", "2"]
    assert rows[1] == ["plain", "1000", "yard", "5", "1", "4", "0", "2", "1", "0"]
    assert rows[2][2:] == ["all", "of", "these", "15", "7", "8", "1", "25.0%", "5", "1", "2"]
    assert [" ".join(row) for row in rows[3:]] == [
        r"plain at 1000 loses yard: visit 1\n",
        "camera 'roof', plain at 1000: no file",
        "Labels of images that are not decided: up to 1; these are not counted.",
        "1 labelled image is not in the index:",
        r"x\n.jpg: not known by path, number or name",
    ]


def test_many_lost_states() -> None:
    """Of many lost states the first ten are named and the others counted."""
    lost = StateMetrics(0, 0, 0, 0, 0, 0, None, 13, tuple(f"gate: {number}" for number in range(13)), 0)
    report = EvaluationReport((Evaluation(None, None, (CameraEvaluation("gate", lost),), lost),), ())
    _, _, *lines = table(report)
    assert [" ".join(line) for line in (lines[0], lines[9])] == [
        "as decided loses gate: 0",
        "as decided loses gate: 9",
    ]
    assert (len(lines), "3 more" in " ".join(lines[10])) == (11, True)


def test_evaluated_pairs() -> None:
    """Judged pairs have figures of their own."""
    figures = PairMetrics(5, 0, 3, 2, 1, 2)
    head, *rows = table(EvaluationReport((Evaluation("mine", 5.5, (CameraEvaluation("gate", figures),), figures),), ()))
    assert " ".join(head[3:]) == "same redundant different wrong"
    assert rows == [["mine", "5.5", "gate", "3", "2", "2", "1"]]


def test_evaluate_command(run: Run, decided: Path, own_home: Path) -> None:
    """The command judges what is decided, or what would be; a lot with nothing wrong has nothing wrong."""
    states = ["empty", "empty", "one", "one", "two", "empty"]
    rows = zip(sorted(path.name for path in decided.iterdir()), states, strict=True)
    (own_home / "labels.csv").write_text("image,state\n" + "".join(f"{file},{state}\n" for file, state in rows))
    (now,) = run("evaluate", "labels.csv", "--json").document["evaluations"]
    (then,) = run("evaluate", "labels.csv", "--profile", "plain", "--max-score", 1000, "--json").document["evaluations"]
    total = StateMetrics(6, 0, 3, 3, 3, 0, 0.0, 3, (), 0)
    assert now["total"] == then["total"] == {**vars(total), "states_lost": []}
    assert ((now["profile"], now["max_score"]), (then["profile"], then["max_score"])) == ((None, None), ("plain", 1000))


def test_evaluation_that_cannot_be(run: Run, decided: Path, own_home: Path) -> None:
    """A slip in the labels, or a file of them that is not there, is a known problem; so is a camera without figures."""
    (own_home / "labels.csv").write_text("image;state\n1;empty\n")
    for words, said_ in ((["labels.csv"], "begin with image,state"), (["none.csv"], "none.csv")):
        answer = run("evaluate", *words)
        assert (answer.code, answer.out) == (1, "")
        assert said_ in answer.sentence
    (own_home / "labels.csv").write_text("image,state\n1,empty\n")
    for path in decided.iterdir():
        path.unlink()
    answer = run("evaluate", "labels.csv", "--profile", "original")
    assert answer.code == 1
    assert "run ingest again" in answer.out
