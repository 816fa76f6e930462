"""`review` as a command: it starts, ends with Ctrl-C, has nothing to show, and loses no verdict to a kill."""

import http.client
import json
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command import Run
from tests.support.command import run as run
from tests.support.index import name, picture
from tests.support.review_kill_runs import all_changes, make_compared, review_process, rows_of, send_with_kills


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of eight images of one camera, and two of another."""
    folder = tmp_path_factory.mktemp("review")
    make_compared(folder, images=8)
    return folder


@pytest.fixture
def folder(compared: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which the index names where it was."""
    shutil.copy(compared / "indexer.db", tmp_path / "indexer.db")
    return tmp_path


def test_a_killed_server_loses_no_verdict(folder: Path) -> None:
    """Whatever was sent until it was answered is there, once, after servers were killed with SIGKILL."""
    changes = all_changes(folder / "indexer.db", 24)
    send_with_kills(folder, changes, kills=2, seed=7)
    expected = [(*change["pair"], change["after"]["verdict"], "Ada") for change in changes]
    assert rows_of(folder) == expected
    with closing(sqlite3.connect(folder / "indexer.db")) as connection:
        outcomes = connection.execute("SELECT outcome FROM runs WHERE command = 'review' ORDER BY id").fetchall()
    assert set(outcomes) <= {("interrupted",), ("done",)}


def test_ctrl_c_ends_the_session(folder: Path) -> None:
    """Ctrl-C, with an open page, ends the server in order, and the session says what it recorded."""
    (change,) = all_changes(folder / "indexer.db", 1)
    with review_process(folder) as server, closing(http.client.HTTPConnection("127.0.0.1", server.port)) as page:
        page.request("GET", "/events", headers={"Cookie": server.cookie})
        assert page.getresponse().status == 200
        server.post("/verdict", {"changes": [change]})
        server.process.send_signal(signal.SIGINT)
        out, err = server.process.communicate(timeout=60)
    assert (server.process.returncode, out, err) == (0, "1 verdict recorded by run 3.\n", "")


def test_nothing_to_review(run: Run, own_home: Path) -> None:
    """Without a pair near the limit there is no server, and that is no problem."""
    (own_home / "lot").mkdir()
    (own_home / "lot" / name(0)).write_bytes(picture())
    run("ingest", "lot")
    answer = run("review", "--no-open")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Nothing to review")


def test_what_waited_is_recorded_with_nothing_to_review(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdicts that an earlier session could not record are recorded, and counted, also if no pair is left to judge."""
    monkeypatch.chdir(folder)
    with closing(sqlite3.connect(folder / "indexer.db")) as connection:
        query = "SELECT images.id, content_hash FROM images JOIN cameras ON cameras.id = camera_id WHERE name = 'yard'"
        (a, hash_a), (b, hash_b) = connection.execute(f"{query} ORDER BY images.id").fetchall()
    run("verdict", str(a), str(b), "same", "--by", "Eva")
    said = {"verdict": "different", "by": "Ada", "note": None}
    change = {"pair": [a, b], "hashes": [hash_a, hash_b], "before": None, "after": said}
    entry = {"changes": [change], "at": "2099-01-01T00:00:00+00:00"}
    Path("indexer.db.review.jsonl").write_text(json.dumps({"number": 1, "entry": entry}) + "\n")
    answer = run("review", "--no-open", "--camera", "yard")
    assert answer.code == 0
    assert all(part in answer.out for part in ("Nothing to review", "1 verdict recorded"))
    assert sorted(rows_of(folder)) == [(a, b, "different", "Ada"), (a, b, "same", "Eva")]
    assert not Path("indexer.db.review.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (("--host", "0.0.0.0"), 2, "--name"),
        (("--host", "here"), 2, "no address"),
        (("--name", "http://gate"), 2, "--name"),
        (("--order", "newset"), 2, "borderline, removed"),
        (("--camera", "pond"), 1, "pond"),
    ],
)
def test_wrong_words_are_refused(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, part: str
) -> None:
    """What would open the page to others without a name, and what does not exist, is refused in one sentence."""
    monkeypatch.chdir(folder)
    answer = run("review", "--no-open", *words)
    assert (answer.code, part in answer.sentence) == (code, True)


def test_without_the_libraries(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Starlette the command says what to install."""
    monkeypatch.chdir(folder)
    monkeypatch.setitem(sys.modules, "starlette", None)
    answer = run("review", "--no-open")
    assert (answer.code, "pip install starlette uvicorn" in answer.sentence) == (1, True)
