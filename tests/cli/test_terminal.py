"""On a terminal: progress is shown, and a person is asked and answers."""

import io
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from indexer.cli.progress import progress_bars
from indexer.cli.word_wrap import cell_count
from tests.support.command import Answer, command
from tests.support.forked_commands import ForkedCommands

OnTerminal = Callable[..., Answer]


@pytest.fixture
def on_terminal(forked: ForkedCommands) -> OnTerminal:
    """Runs a command whose stdin and stderr are a terminal, and types an answer when it is asked; stdout is a pipe."""

    def answer(*words: object, types: str = "", out_too: bool = False) -> Answer:
        ours, theirs = pty.openpty()
        out, their_out = os.pipe()
        forked.start(*words, streams=(theirs, theirs if out_too else their_out, theirs))
        os.close(theirs)
        os.close(their_out)
        with open(out, "rb") as written:  # noqa: PTH123
            seen = _talk(ours, forked, types.encode())
            os.close(ours)
            return Answer(forked.wait(), written.read().decode(), seen.decode())

    return answer


def _talk(terminal: int, process: ForkedCommands, types: bytes) -> bytes:
    """What the terminal showed until the process ended; the answer is typed at the question."""
    seen, typed = b"", not types
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if not ready and process.poll() is not None:
            return seen
        try:
            seen += os.read(terminal, 65536) if ready else b""
        except OSError:  # Linux says EIO when the other side is closed
            return seen
        if not typed and b"[y/N]" in seen:
            os.write(terminal, types)
            typed = True


def files(folder: Path) -> dict[str, bytes]:
    """The files of a folder with their bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("types", ["y\n", "YES\n"])
def test_yes(decided: Path, on_terminal: OnTerminal, types: str) -> None:
    """A person who says yes has the planned files moved, and no others."""
    before = files(decided)
    answer = on_terminal("prune", types=types, out_too=True)
    assert answer.code == 0, answer
    assert "Move these files to quarantine? [y/N]" in answer.err
    assert len(files(decided)) == 3
    assert files(decided).items() <= before.items()


@pytest.mark.parametrize("types", ["n\n", "\n", "maybe\n", "\x04"])
def test_no(decided: Path, on_terminal: OnTerminal, types: str) -> None:
    """Any other answer, or none, leaves every file where it is: exit code 1."""
    before = files(decided)
    answer = on_terminal("prune", types=types, out_too=True)
    assert answer.code == 1, answer
    assert "you did not answer yes; nothing was done" in answer.err
    assert files(decided) == before


def test_permanent_says_so(decided: Path, on_terminal: OnTerminal) -> None:
    """Before files are deleted for good the question says so in capitals."""
    answer = on_terminal("prune", "--permanent", types="n\n", out_too=True)
    assert "DELETE THESE FILES FOR GOOD? [y/N]" in answer.err
    assert len(files(decided)) == 6


def test_purge_asks(decided: Path, on_terminal: OnTerminal) -> None:
    """purge asks too, and shows how many files it would delete."""
    on_terminal("prune", "--yes")
    quarantined = [path for path in (decided.parent / ".indexer-quarantine").rglob("*") if path.is_file()]
    answer = on_terminal("purge", "--all", types="n\n", out_too=True)
    assert "DELETE 3 QUARANTINED FILES FOR GOOD? [y/N]" in answer.err
    assert all(path.exists() for path in quarantined)


@pytest.mark.parametrize("command", ["relocate", "forget"])
def test_a_question_about_folders_comes_with_its_plan(decided: Path, on_terminal: OnTerminal, command: str) -> None:
    """Also with --quiet nobody is asked about what was not shown."""
    decided.rename(decided.with_name("parking"))
    words = ("parking",) if command == "relocate" else ()
    answer = on_terminal(command, "lot", *words, "--quiet", types="n\n", out_too=True)
    shown = re.search(r"\b6\s+images\b", answer.err)
    assert (shown is not None, "[y/N]" in answer.err, answer.code) == (True, True, 1)


@pytest.mark.parametrize(("types", "code", "back"), [("y\n", 0, 6), ("n\n", 1, 3), ("\n", 1, 3)])
def test_rescue_asks(decided: Path, on_terminal: OnTerminal, types: str, code: int, back: int) -> None:
    """rescue shows what it would write, and where, and asks; without a yes no file moves."""
    before = files(decided)
    on_terminal("prune", "--yes")
    answer = on_terminal("rescue", ".indexer-quarantine", types=types, out_too=True)
    assert answer.code == code, answer
    assert f"would be written below {decided.parent}:" in " ".join(answer.err.split())
    assert "Bring these files back? [y/N]" in answer.err
    assert len(files(decided)) == back
    assert files(decided).items() <= before.items()


def test_question_beside_json(decided: Path, on_terminal: OnTerminal) -> None:
    """With --json the question and the plan go to stderr; stdout has the document alone."""
    answer = on_terminal("prune", "--json", types="y\n")
    assert answer.document["removed"] == 3
    assert "to remove" in answer.err
    assert "[y/N]" in answer.err


def test_progress(lot: Path, own_home: Path, on_terminal: OnTerminal) -> None:
    """On a terminal each stage shows how far it is, how fast, and what is left; stdout has the report alone."""
    answer = on_terminal("ingest", lot, "--processes", 1)
    assert "reading images" in answer.err
    assert "6/6" in answer.err
    assert answer.out.startswith("6 files seen: 6 added.")
    assert "comparing gate" in on_terminal("compare").err


def test_the_time_of_a_bar_is_labelled() -> None:
    """A bar says that its time is what is left; while there is nothing to reckon it from, it says nothing."""
    shown = io.StringIO()
    with progress_bars(shown) as bars:
        task = bars.add_task("reading", total=100)
        bars.refresh()
        assert " left" not in shown.getvalue()
        for _ in range(10):
            time.sleep(0.01)
            bars.advance(task)
        bars.refresh()
    assert re.search(r"0:00:\d\d left", shown.getvalue())


@pytest.mark.parametrize("name", ["gate", "north/" * 9 + "gate", "駐車場" * 9], ids=["short", "long", "wide"])
def test_bars_have_one_line_each(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """At 80 columns every bar has one line with all of its figures, however long the name of the camera is."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = io.StringIO()
    with progress_bars(shown) as bars:
        stages = [
            bars.add_task(stage, total=1_000_000) for stage in (f"comparing {name}", "compiling the search, once")
        ]
        for stage in stages:
            bars.start_task(stage)
            bars.tasks[stage].start_time = bars.get_time() - 3 * 3600
            bars.update(stage, completed=999_999)
        bars.refresh()
        text = io.StringIO()
        Console(file=text, width=80).print(*bars.get_renderables())
    rows = text.getvalue().splitlines()
    assert [row[:9] for row in rows] == ["comparing", "compiling"]
    assert [row for row in rows if cell_count(row.rstrip()) > 80] == []
    assert [row.count("999999/1000000") for row in rows] == [1, 1]
    assert name[-3:] in rows[0]


def test_no_progress_without_a_terminal(lot: Path, own_home: Path) -> None:
    """Where stderr is no terminal, nothing is drawn on it."""
    done = subprocess.run(command("ingest", lot, "--processes", 1), capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def colours(shown: str) -> set[str]:
    """The colours that a terminal was asked for: the parts of its escape sequences that are no mere bold or dim."""
    parts = {part for sequence in re.findall(r"\x1b\[([\d;]*)m", shown) for part in sequence.split(";")}
    return {part for part in parts if re.fullmatch(r"[349]\d|10\d", part) and part not in {"39", "49"}}


@pytest.mark.parametrize("no_colour", [False, True])
def test_no_colours_if_nobody_wants_them(
    lot: Path, on_terminal: OnTerminal, monkeypatch: pytest.MonkeyPatch, no_colour: bool
) -> None:
    """NO_COLOR turns off all colours on a terminal, those of progress bars too; without it bars have some."""
    monkeypatch.setenv("TERM", "xterm-256color")
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    answer = on_terminal("ingest", lot, out_too=True)
    assert answer.code == 0
    assert "6 files seen" in answer.err
    assert bool(colours(answer.err)) is not no_colour


def test_a_pipe_gets_plain_text(decided: Path, on_terminal: OnTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to a pipe has no escape sequence, whatever terminal is around it."""
    monkeypatch.setenv("TERM", "xterm-256color")
    answer = on_terminal("status")
    assert (answer.code, "gate" in answer.out, "\x1b" in answer.out) == (0, True, False)
