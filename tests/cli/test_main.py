"""Exits: what went wrong becomes one sentence and an exit code, and what nobody expected goes to a log."""

import errno
import io
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from indexer.cli.main import main
from indexer.errors import DatabaseError, DeclinedError, FolderError, UsageError
from indexer.escaping import command_line
from tests.support.command import Run, command, run_here


def failing(problem: BaseException) -> typer.Typer:
    """An application whose one command meets this problem."""
    app = typer.Typer()

    @app.command()
    def act(json: bool = False) -> None:
        raise problem

    return app


@pytest.mark.parametrize(
    ("problem", "code", "sentence"),
    [
        (DatabaseError("the database is a teapot"), 1, "the database is a teapot"),
        (FolderError("no such folder"), 1, "no such folder"),
        (DeclinedError("nothing was done"), 1, "nothing was done"),
        (UsageError("say which"), 2, "say which"),
        (OSError(errno.ENOSPC, "No space left on device", "/frames/\udce9.jpg"), 1, None),
        (OSError(errno.EMFILE, "Too many open files", "/frames"), 1, None),
        (ImportError("x.so: cannot open shared object file: Too many open files"), 1, None),
        (KeyboardInterrupt(), 130, None),
    ],
)
def test_known_problems(
    problem: BaseException, code: int, sentence: str | None, capsys: pytest.CaptureFixture[str], own_home: Path
) -> None:
    """A known problem is one sentence on stderr and an exit code; nothing is logged."""
    assert main(failing(problem), []) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("indexer: ")
    assert err.count("\n") == 1
    assert sentence is None or err == f"indexer: {sentence}\n"
    assert list(own_home.iterdir()) == []


def test_unexpected(capsys: pytest.CaptureFixture[str], own_home: Path) -> None:
    """What nobody expected is exit code 3, one sentence, and a traceback in indexer.log."""
    assert main(failing(ZeroDivisionError("it was zero")), []) == 3
    log = (own_home / "indexer.log").read_text()
    assert capsys.readouterr().err == (
        f"indexer: unexpected: ZeroDivisionError: it was zero (the traceback is in {own_home / 'indexer.log'})\n"
    )
    assert "Traceback (most recent call last)" in log
    assert log.rstrip().endswith("ZeroDivisionError: it was zero")


def test_unexpected_where_nothing_can_be_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    """Where the log cannot be written, it goes to the folder for temporary files."""
    (own_home / "indexer.log").mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert main(failing(ZeroDivisionError()), []) == 3
    assert str(tmp_path / "indexer.log") in capsys.readouterr().err
    assert "ZeroDivisionError" in (tmp_path / "indexer.log").read_text()


@pytest.mark.parametrize("code", [0, 1, 7])
def test_a_command_chooses_its_exit_code(code: int) -> None:
    """A command that ends with an exit code of its own gets it."""
    assert main(failing(typer.Exit(code)), []) == code


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_reader_that_leaves(decided: Path, own_home: Path, more: list[str]) -> None:
    """A reader that closes the pipe before a word, such as `true`, is no problem: exit code 0 and no word of ours."""
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n"
    with (own_home / "said").open("w+") as said:
        process = subprocess.Popen(command("audit", "--sql", sql, *more), stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 0
        said.seek(0)
        assert "indexer:" not in said.read()


def test_options_end_with_their_command(run: Run, lot: Path, own_home: Path) -> None:
    """The index that was typed for a command is in its own advice, and not in what is said after it."""
    assert "--db other.db compare" in run("--db", "other.db", "ingest", lot, "--processes", 1).out
    assert command_line("compare") == "manage.py compare"


def test_broken_pipe_of_a_workflow_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe that breaks inside the work, and not on the way to the reader, is said and is no success."""
    assert main(failing(BrokenPipeError(32, "Broken pipe")), []) == 1
    assert capsys.readouterr().err == "indexer: Broken pipe\n"


@pytest.mark.parametrize(("words", "code"), [(["status"], 0), (["prune"], 2), (["nonsense"], 2)])
def test_closed_streams(decided: Path, own_home: Path, words: list[str], code: int) -> None:
    """A process without standard streams, as some daemons start it, works and ends as with them."""
    line = " ".join(map(shlex.quote, command(*words)))
    assert subprocess.run(["sh", "-c", f"exec {line} <&- >&- 2>&-"]).returncode == code


def test_full_disk_under_the_report(decided: Path, own_home: Path) -> None:
    """A report that finds no space is no success, and no traceback."""
    with open("/dev/full", "w") as full:  # noqa: PTH123
        answer = subprocess.run(command("status", "--json"), stdout=full, stderr=subprocess.PIPE, text=True)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == "indexer: No space left on device"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_streams_that_cannot_show_a_name(
    decided: Path, own_home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """A name is shown as it is; where a stream cannot, it is escaped, and no table needs more than the stream has."""
    folder = decided.rename(own_home / "Hütte 日本")
    assert run("relocate", "lot", folder, "--yes").code == 0
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding=encoding) for name in ("stdout", "stderr")}
    with monkeypatch.context() as patch:
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        codes = [run_here(*words) for words in (["explain", "1"], ["audit", "runs"], ["restore", folder / "x.png"])]
    for stream in streams.values():
        stream.flush()
    out, err = (stream.buffer.getvalue().decode(encoding) for stream in streams.values())  # type: ignore[attr-defined]
    shown = str(folder).encode(encoding, "backslashreplace").decode(encoding)
    assert codes == [0, 0, 1]
    assert f"image 1: {shown}/" in out
    assert f'"new": "{shown}"' in out
    assert f"nothing from '{shown}/x.png' is in quarantine" in err
    assert ("\\u2500" in out, "─" in out) == (False, encoding == "utf-8")
