"""The password of a database is nowhere: not in what a command says, its log, its runs, its lock or its traceback."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from indexer.store import schema
from tests.support.apart import answer, rows, shoot
from tests.support.command import Run

PASSWORD = "hunter2-9f"
URLS = [
    f"postgresql+psycopg://user:{PASSWORD}@127.0.0.1:1/x",
    f"postgresql://user:{PASSWORD}@127.0.0.1:1/x",
    f"postgresql+psycopg://user:a%40{PASSWORD}%2Fb@127.0.0.1:1/x",
    f"postgresql+psycopg://127.0.0.1:1/x?user=user&password={PASSWORD}",
    f"postgresql+psycopg://user@127.0.0.1:1/x?sslpassword={PASSWORD}&password={PASSWORD}",
    f"postgresql+psycopg://user:{PASSWORD}@127.0.0.1:port/x",
    f"postgresql+psycopg://user:{PASSWORD}@/x?host=/nowhere",
    f"postgresql+psycopg://user:{PASSWORD}@[127.0.0.1/x",
    f"postgresql+nonsense://user:{PASSWORD}@127.0.0.1:1/x",
    f"nonsense://user:{PASSWORD}@127.0.0.1:1/x",
]
COMMANDS: list[list[Any]] = [
    ["ingest", "frames", "--processes", 1],
    ["compare", "--processes", 1],
    ["prune", "--yes"],
    ["status"],
    ["audit", "--sql", "SELECT 1"],
    ["db", "upgrade"],
    ["db", "check"],
    ["profile", "list"],
]


def nothing_written(home: Path) -> None:
    """Holds if no file below the home knows the password."""
    telling = [file for file in home.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()]
    assert telling == []


@pytest.mark.parametrize("url", URLS)
def test_no_server(own_home: Path, run: Run, url: str) -> None:
    """Where no server answers, or no driver is there, every command says so in one sentence without the password."""
    shoot(own_home / "frames", cameras=1, frames=1)
    for words in COMMANDS:
        for more in ([], ["--json"]):
            ended = run("--db", url, *words, *more)
            assert (ended.code in {1, 2}, ended.err.count("\n"), PASSWORD in ended.out + ended.err) == (True, 1, False)
    nothing_written(own_home)


def test_no_server_in_the_environment(own_home: Path) -> None:
    """The same in a process of its own, with the address in its environment."""
    shoot(own_home / "frames", cameras=1, frames=1)
    ended = answer("ingest", "frames", folder=own_home, env={"INDEXER_DB": URLS[0]})
    assert (ended.code, PASSWORD in ended.out + ended.err) == (1, False)
    nothing_written(own_home)


@pytest.mark.parametrize("url", URLS)
def test_what_nobody_expected(own_home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """An unexpected problem that quotes the address goes to the terminal and the log without the password."""

    def break_down(name: str, **_how: Any) -> None:
        try:
            raise LookupError(f"in {name}")
        except LookupError as problem:
            raise RuntimeError(f"cannot use {name!r}, whatever it is") from problem

    monkeypatch.setattr(schema, "open_database", break_down)
    monkeypatch.setattr("indexer.cli.session.open_database", break_down)
    ended = run(f"--db={url}", "status", "--json")
    log = (own_home / "indexer.log").read_text()
    assert (ended.code, "RuntimeError" in log, "LookupError" in log) == (3, True, True)
    assert PASSWORD not in ended.out + ended.err + log


@pytest.mark.parametrize("url", URLS[:3])
def test_an_address_in_the_wrong_place(own_home: Path, run: Run, url: str) -> None:
    """An address that stands where a command does not want it is not said back with its password."""
    for words in (
        ["status", url],
        [url],
        ["compare", "--camera", url],
        ["explain", url],
        ["ingest", url],
        ["audit", url],
    ):
        ended = run(*words)
        assert ended.code in {1, 2}
        assert PASSWORD not in ended.out + ended.err, words
    nothing_written(own_home)


def test_runs_do_not_know_the_address(own_home: Path, run: Run) -> None:
    """A run remembers the words of its request and nothing of its database; nor does the lock."""
    shoot(own_home / "frames", cameras=1, frames=2)
    url = f"sqlite:///{own_home}/indexer.db?cache={PASSWORD}"
    run("--db", url, "ingest", "frames", "--processes", 1)
    assert run("ingest", "frames", "--processes", 1).code == 0
    remembered = json.dumps(rows(own_home / "indexer.db", "SELECT * FROM runs"))
    assert "ingest" in remembered
    assert PASSWORD not in remembered + (own_home / "indexer.db.lock").read_text()
    assert os.listdir(own_home)
