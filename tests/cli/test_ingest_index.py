"""Two indexes of one folder: the person is asked before the second one is made, and told where the first one is."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cli import test_terminal as terminal
from tests.support.command import Answer, Run, draw
from tests.support.databases import Maker, on_postgresql

on_terminal = terminal.on_terminal
FIRST = "first/indexer.db"


@pytest.fixture
def elsewhere(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another working directory, with spaces in its name."""
    folder = own_home / "another place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def taken_in(own_home: Path, lot: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The index that took in the lot from its own working directory."""
    folder = own_home / "its own place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run("ingest", lot, "--processes", 1).code == 0
    return folder / "indexer.db"


@pytest.fixture
def pruned(taken_in: Path, run: Run) -> Path:
    """The same, after it removed files."""
    assert [run(*words).code for words in (["compare"], ["prune", "--yes"])] == [0, 0]
    return taken_in


def refused(answer: Answer, index: Path) -> None:
    """Holds if an ingest was refused in one sentence that names the other index and what to type."""
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1), answer
    assert f"another index has images of this folder: {index}" in answer.err
    assert f"type --db {shlex.quote(str(index))} to use it, or --also-here" in answer.err


def test_second_index_by_mistake_is_refused(taken_in: Path, elsewhere: Path, lot: Path, run: Run) -> None:
    """In another working directory the same ingest is refused, and makes nothing; what it says to type works."""
    answer = run("ingest", lot, "--processes", 1)
    refused(answer, taken_in)
    assert os.listdir(elsewhere) == []
    db = shlex.split(answer.err.split("type ")[1])[1]
    assert run("--db", db, "ingest", lot, "--processes", 1).out.startswith("6 files seen: 6 unchanged.")
    assert run("ingest", lot, "--json").document["exit_code"] == 2


def test_also_here(taken_in: Path, elsewhere: Path, lot: Path, run: Run) -> None:
    """`--also-here` makes the second index, says once what the first one is, and neither is asked again."""
    answer = run("ingest", lot, "--also-here", "--processes", 1)
    assert (answer.code, answer.out.startswith("6 files seen: 6 added.")) == (0, True)
    assert f"another index has images of this folder: {taken_in}" in answer.err
    for index in (elsewhere / "indexer.db", taken_in):
        os.chdir(index.parent)
        answer = run("ingest", lot, "--also-here", "--processes", 1)
        assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize(("types", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_question(
    taken_in: Path, elsewhere: Path, lot: Path, on_terminal: terminal.OnTerminal, types: str, code: int
) -> None:
    """A person is told and asked; anything but yes makes nothing."""
    answer = on_terminal("ingest", lot, "--processes", 1, types=types, out_too=True)
    assert (answer.code, (elsewhere / "indexer.db").exists()) == (code, code == 0), answer
    told = " ".join(answer.err.split())  # a terminal's lines are broken between words
    assert f"another index has images of this folder: {taken_in}" in told
    assert f"Use {elsewhere / 'indexer.db'} all the same? [y/N]" in told


def test_named_index_is_meant(
    taken_in: Path, elsewhere: Path, lot: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names an index, by `--db` or INDEXER_DB, knows which one: the list is not asked about."""
    assert run("--db", "mine.db", "ingest", lot, "--processes", 1).err == ""
    monkeypatch.setenv("INDEXER_DB", "other.db")
    assert run("ingest", lot, "--processes", 1).err == ""


@pytest.mark.parametrize("state", ["off", None])
def test_removals_are_known_from_the_folder_itself(
    pruned: Path, elsewhere: Path, lot: Path, run: Run, monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    """Where the other index removed files, also a named index asks, once, and without any list."""
    if state is not None:
        monkeypatch.setenv("INDEXER_STATE", state)
    refused(run("--db", "mine.db", "ingest", lot), pruned)
    assert os.listdir(elsewhere) == []
    assert run("--db", "mine.db", "ingest", lot, "--also-here", "--processes", 1).code == 0
    answer = run("--db", "mine.db", "ingest", lot, "--processes", 1)
    assert (answer.code, answer.err) == (0, "")


def test_copy_asks_once(pruned: Path, elsewhere: Path, lot: Path, run: Run) -> None:
    """A copy of an index is told that it is one, and asks until it was answered."""
    assert run("db", "copy", pruned, "copy.db").code == 0
    answer = run("--db", "copy.db", "ingest", lot, "--processes", 1)
    refused(answer, pruned)
    assert "which this one was copied from" in answer.err
    assert run("--db", "copy.db", "ingest", lot, "--also-here", "--processes", 1).code == 0
    assert run("--db", "copy.db", "ingest", lot, "--processes", 1).err == ""
    assert run("--db", pruned, "ingest", lot, "--processes", 1).err == ""


@on_postgresql
def test_index_on_a_server(maker: Maker, own_home: Path, lot: Path, run: Run, tmp_path: Path) -> None:
    """An index on a server asks and is named, by an address without a password."""
    place = maker.place(tmp_path)
    words = ["--db", f"{place}?password=hunter2" if "?" not in place else place]
    for more in (["ingest", lot, "--processes", 1], ["compare", "--processes", 1], ["prune", "--yes"]):
        assert run(*words, *more).code == 0
    for answer in (run("ingest", lot), run("--db", "mine.db", "ingest", lot)):
        assert (answer.code, f"type --db {place} to use it" in answer.err, "hunter2" in answer.err) == (2, True, False)
    kept = [path.read_bytes() for path in [*(tmp_path / "state").iterdir(), *own_home.glob(".indexer-*/.indexer-*")]]
    assert (len(kept), [data for data in kept if b"hunter2" in data]) == (2, [])
    assert run(*words, "ingest", lot, "--processes", 1).err == ""


NOWHERE = [
    ["status"],
    ["compare"],
    ["prune", "--yes"],
    ["explain", "1"],
    ["audit", "families"],
    ["db", "check"],
    ["pin", "1"],
]


@pytest.mark.parametrize("words", NOWHERE)
def test_no_index_here(taken_in: Path, elsewhere: Path, lot: Path, run: Run, words: list[str]) -> None:
    """Where there is no index every command names those that were made before, with what to type, and makes none."""
    answer = run(*words)
    assert (answer.code, answer.out, os.listdir(elsewhere)) == (1, "", [])
    heading, entry, sentence = answer.err.splitlines()
    assert heading == "Indexes that were made before, the last used first (times are UTC):"
    assert entry.startswith(f"  --db {shlex.quote(str(taken_in))}   last used 2")
    assert entry.endswith(f"   {lot}")
    assert sentence.startswith(f"indexer: there is no index at {elsewhere / 'indexer.db'}; ")
    assert sentence.endswith(f"--db {shlex.quote(str(taken_in))}")
    assert run(*words, "--json").document == {"error": sentence.removeprefix("indexer: "), "exit_code": 1}


def test_what_is_typed_works(own_home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that no terminal shows can be pasted into a shell as it is printed."""
    odd = own_home / os.fsdecode(b"it's a\nbell\a \xe9\\")
    odd.mkdir()
    draw(own_home / "gate" / "gate-1772366400000.png")
    monkeypatch.chdir(odd)
    assert run("ingest", own_home / "gate", "--processes", 1).code == 0
    monkeypatch.chdir(own_home)
    entry = run("status").err.splitlines()[1]
    assert entry.isprintable()
    typed = entry.split("   ")[0].split("--db ")[1]
    done = subprocess.run(["bash", "-c", f"printf %s {typed}"], capture_output=True, check=True)
    assert os.fsdecode(done.stdout) == str(odd / "indexer.db")


def test_indexes_that_are_not_named(taken_in: Path, elsewhere: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose file is gone is not named; a person who names an index that is not there, or has no list, hears of
    none."""
    assert run("--db", "nowhere.db", "status").err.count("\n") == 1
    with monkeypatch.context() as off:
        off.setenv("INDEXER_STATE", "off")
        assert run("status").err.count("\n") == 1
    taken_in.unlink()
    assert run("status").err.count("\n") == 1


def test_made_and_copied_indexes_are_listed(taken_in: Path, elsewhere: Path, lot: Path, run: Run) -> None:
    """Also what `db upgrade` and `db copy` make is named; a demo, which is there to be deleted, is not."""
    assert run("--db", "empty.db", "db", "upgrade").code == 0
    assert run("db", "copy", taken_in, "copy.db").code == 0
    entries = [line.strip() for line in run("status").err.splitlines()[1:-1]]
    assert [shlex.split(line)[1] for line in entries] == [
        str(path) for path in (elsewhere / "copy.db", elsewhere / "empty.db", taken_in)
    ]
    assert [line.endswith(str(lot)) for line in entries] == [True, False, True]


@pytest.mark.parametrize("harm", ["file", "link", "closed", "unset"])
def test_without_a_list_everything_works(
    lot: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """Where the list cannot be written or read, commands do what they do and say nothing of it."""
    state = tmp_path / "state"
    if harm == "file":
        state.write_text("in the way")
    elif harm == "link":
        (tmp_path / "target").mkdir()
        state.symlink_to(tmp_path / "target")
    elif harm == "closed":
        monkeypatch.setenv("INDEXER_STATE", "/proc/nowhere")
    else:
        monkeypatch.delenv("HOME")
        monkeypatch.delenv("INDEXER_STATE")
    for words, code in ((["status"], 1), (["ingest", lot, "--processes", 1], 0), (["status"], 0)):
        answer = run(*words)
        assert (answer.code, answer.err.count("\n")) == (code, code), answer
    assert not (tmp_path / "target").exists() or os.listdir(tmp_path / "target") == []


def test_list_is_private_and_small(taken_in: Path, tmp_path: Path, lot: Path) -> None:
    """One file for the index, closed to others, with these facts and nothing more."""
    [path] = (tmp_path / "state").iterdir()
    assert ((tmp_path / "state").stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    told = json.loads(path.read_text())
    assert (told["address"], told["folders"]) == (str(taken_in), [str(lot)])
    assert set(told) == {"address", "index_id", "folders", "last_used", "username", "hostname"}
