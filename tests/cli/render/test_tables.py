"""Tables of thousands of cameras are cut for people, with a sentence that says so; the sums stay."""

import re

from indexer.cli.render import tuning
from indexer.cli.render.compare import render_compare
from indexer.cli.render.ingest import render_ingest
from indexer.cli.render.removal import render_plan
from indexer.cli.render.status import render_status
from indexer.cli.render.tables import list_files
from indexer.domain.evaluation import StateMetrics
from indexer.domain.removal import CameraPlan, IndexedFile, Plan, RemovalCandidate
from indexer.store.cameras import CameraSummary
from indexer.workflows.admin.status import Status
from indexer.workflows.compare.compare import CameraResult, CompareReport
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.tuning.evaluate import CameraEvaluation, Evaluation, EvaluationReport
from indexer.workflows.tuning.sweep import CameraSweep, SweepReport, SweepRow
from tests.cli.render.test_reports import said

MANY = 2000


def cells(text: str, first: str) -> list[str]:
    """The cells of the row that begins so."""
    (line,) = [line for line in text.splitlines() if line.strip().startswith(first)]
    return re.split(r"\s{2,}", line.strip())


def results(number: int) -> list[CameraResult]:
    """Cameras of which every hundredth has something new."""
    return [
        CameraResult(f"c{place:04}", "balanced", 3, kept=2, duplicates=1, decided=int(place % 100 == 99))
        for place in range(number)
    ]


def test_compare_shows_what_is_new_first() -> None:
    """Of many cameras those with new decisions are shown, then others up to a hundred, and the sums of all."""
    text = said(render_compare, CompareReport(cameras=results(MANY)))
    shown = re.findall(r"^ ?(c\d{4}) ", text, re.MULTILINE)
    assert (len(shown), shown[:2], shown[20]) == (100, ["c0099", "c0199"], "c0000")
    assert cells(text, "all of these") == ["all of these", "6000", "4000", "2000", "20", "0", "0"]
    assert "100 of 2000 cameras" in text
    assert "--json" in text


def test_few_cameras_are_shown_whole() -> None:
    """A hundred cameras are no long table: every row, in order, and nothing else."""
    text = said(render_compare, CompareReport(cameras=results(100)))
    assert re.findall(r"^ ?(c\d{4}) ", text, re.MULTILINE) == [f"c{place:04}" for place in range(100)]
    assert ("all of these" in text, "--json" in text) == (False, False)


def test_status_of_many_cameras() -> None:
    """Status shows the sums of all cameras below the first of them."""
    summaries = tuple(CameraSummary(f"c{n:04}", 3, 2, 1, 0, 0, 0, 0, 1000, None, None) for n in range(MANY))
    text = said(render_status, Status("/i.db", "balanced", {}, summaries, 0, 0, 0, (), ()))
    assert cells(text, "all of these")[1:] == ["6000", "4000", "2000", "2.0 MB"]
    assert len(text.splitlines()) < 110


def test_plan_of_many_cameras() -> None:
    """A plan shows the cameras that lose the largest shares."""
    plans = tuple(CameraPlan(f"c{n:04}", 100, n % 90, 1000 * (n % 90)) for n in range(MANY))
    files = [IndexedFile(n, f"/lot/{n}.png", "/lot", 1000, "00") for n in range(2)]
    victim = RemovalCandidate(1, "c0089", *files, 0.0, 1000.0, "balanced", None, True, True, True, False, False)
    text = said(render_plan, Plan((victim,), plans))
    assert cells(text, "c0089") == ["c0089", "100", "89", "89.0%", "89.0 kB"]
    assert ("c0000" in text, "100 of 2000 cameras" in text) == (False, True)
    assert cells(text, "all of these")[:3] == ["all of these", "200000", "1"]


def test_sweep_of_many_cameras() -> None:
    """A sweep shows whole cameras, and the sums of all."""
    rows = tuple(SweepRow(limit, 1000.0, 2, 1, 1000, current=limit == 1000) for limit in (500.0, 1000.0, 2000.0))
    swept = tuple(CameraSweep(f"c{n:04}", "balanced", 1000.0, 1000.0, 3, rows, None) for n in range(MANY))
    text = said(tuning.render_sweep, SweepReport(swept, rows))
    shown = re.findall(r"^ ?(c\d{4}) ", text, re.MULTILINE)
    assert (len(shown), len(set(shown)), text.count("all of these")) == (99, 33, 3)


def test_evaluation_of_many_cameras() -> None:
    """An evaluation shows the first cameras, and the sums of each way of deciding."""
    figures = StateMetrics(3, 0, 2, 1, 1, 0, 0.0, 1, (), 0)
    one = Evaluation(None, None, tuple(CameraEvaluation(f"c{n:04}", figures) for n in range(MANY)), figures)
    text = said(tuning.render_evaluation, EvaluationReport((one,), ()))
    assert (len(re.findall("c\\d{4}", text)), text.count("all of these")) == (100, 1)


def test_sentences_on_many_cameras() -> None:
    """Of cameras on which others are at work the first ten are named, and the others counted."""
    text = said(render_ingest, IngestReport(held={f"c{n:04}": "'compare'" for n in range(MANY)}))
    assert (text.count("is being written by"), "1990 more" in text) == (10, True)


def test_a_reason_of_many_files_stands_once() -> None:
    """A reason that more than three files share is printed with the first of them; every file is counted."""
    files = [(f"/a{number}", "gone") for number in range(679)] + [(f"/b{number}", "full") for number in range(3)]
    lines = said(list_files, files).splitlines()
    assert lines == ["  /a0 and 678 more: gone", *(f"  /b{number}: full" for number in range(3))]
    mixed = [(f"/{number}", str(number)) for number in range(10)] + [("/x", "gone")] * 5
    assert said(list_files, mixed).splitlines()[-1] == "  and 5 more; --json names them all"
