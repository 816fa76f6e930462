"""Pasting: whatever files, cameras and profiles are called, the commands that messages propose name them exactly."""

import html
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Answer, Run
from tests.support.index import picture
from tests.test_escaping import taken

HOSTILE = [
    b"$(touch owned)",
    b"`touch owned`",
    b";touch owned;",
    b"'; touch owned; '",
    b'"; touch owned; "',
    b"&touch owned&|touch owned",
    b"two\ntouch owned\nlines",
    b"-rf",
    b"--all",
    b"caf\xe9 \xff",
    b"\x1b[31mred\x1b]0;t\x07",
    "\u202egnp ä".encode(),
    b"!! ~ * ? {a,b} #",
    b"back\\slash\\",
    b"$'\\x41'",
]
CAMERAS = [b"$(touch owned)", b"'; touch owned; '", b"two\ntouch owned\nlines", b"-rf", b"caf\xe9", b"$'\\x41'"]
"""One for each way of quoting; that it holds for any text is shown by tests/test_escaping.py."""
FOLDER = os.fsdecode(b"lot $(touch owned) \xe9'\n;")


@pytest.fixture
def lot(own_home: Path) -> Path:
    """A folder whose own name is hostile, with a keeper and a duplicate of it under each hostile name."""
    folder = own_home / FOLDER
    folder.mkdir()
    (folder / "0.png").write_bytes(picture(stamp=150))
    os.utime(folder / "0.png", ns=(1, 1))
    for stamp, name in enumerate(HOSTILE):
        path = folder / os.fsdecode(name + b".png")
        path.write_bytes(picture(stamp=stamp))
        os.utime(path, ns=(10**18 + stamp,) * 2)
    return folder


def proposed(answer: Answer) -> Iterator[str]:
    """The commands in what a command wrote, each to the end of its line, as a person would mark it."""
    for line in (answer.out + answer.err).splitlines():
        if (at := line.find("manage.py ")) >= 0:
            yield from line[at:].split("   To free the space: ")


def names_of(folder: Path) -> list[str]:
    """The paths of the hostile files."""
    return [str(folder / os.fsdecode(name + b".png")) for name in HOSTILE]


def pruned(lot: Path, run: Run) -> None:
    """Takes every file with a hostile name away."""
    for words in (
        ["ingest", lot, "--camera", "gate", "--processes", 1],
        ["compare", "--processes", 1],
        ["prune", "--yes", "--max-share", 1],
    ):
        assert run(*words).code == 0
    assert [path.name for path in lot.iterdir()] == ["0.png"]


@pytest.mark.parametrize("act", ["pin", "verdict", "purge"])
def test_ways_back(lot: Path, own_home: Path, tmp_path: Path, run: Run, act: str) -> None:
    """The command that brings a removed file back names that file, whatever it is called."""
    pruned(lot, run)
    ids = {path: number for number, path in enumerate(sorted(names_of(lot)))}
    lines = []
    for path in ids:
        if act == "pin":
            lines += proposed(run("pin", "--", path))
        else:
            lines += proposed(run("verdict", "--", lot / "0.png", path, "different"))
    if act == "purge":
        answers = [run("purge", "--all", "--yes", "--json")]
        lines = [reason.partition("with: ")[2] for _, reason in answers[0].document["skipped"]]
    words = taken(tmp_path, lines)
    named = [word for word in words if word.startswith(os.sep)]
    assert sorted(named) == sorted(ids)
    assert {word for word in words if not word.startswith(os.sep)} == {"restore"}
    assert len(lines) == len(ids)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_index_and_a_quarantine(lot: Path, own_home: Path, tmp_path: Path, run: Run, name: bytes) -> None:
    """Commands that name the index, the folder it may be put in, or a quarantine, name these very paths."""
    at = own_home / os.fsdecode(name)
    missing = list(proposed(run("--db", at, "status")))
    at.write_bytes(b"")
    empty = list(proposed(run("--db", at, "status")))
    assert taken(tmp_path, missing + empty) == ["--db", str(at), "ingest", "FOLDER"] * 2
    at.unlink()
    at.mkdir()
    said = run("--db", at, "status").sentence
    inside = said.partition("for example ")[2]
    assert taken(tmp_path, [f"manage.py {inside}"]) == ["--db", str(at / "indexer.db")]


def test_an_older_index(own_home: Path, tmp_path: Path, run: Run, lot: Path) -> None:
    """So does the command that upgrades an index."""
    at = own_home / os.fsdecode(HOSTILE[0])
    assert run("--db", at, "ingest", lot, "--processes", 1).code == 0
    with closing(sqlite3.connect(at)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    told = list(proposed(run("--db", at, "status")))
    assert taken(tmp_path, told) == ["--db", str(at), "db", "upgrade"]


@pytest.mark.parametrize("camera", CAMERAS)
def test_nothing_runs_whatever_is_pasted(lot: Path, own_home: Path, tmp_path: Path, run: Run, camera: bytes) -> None:
    """Of all commands that the outputs of all commands propose, none runs what a file or camera is called."""
    named = f"--camera={os.fsdecode(camera)}"
    one = names_of(lot)[0]
    words: list[list[Any]] = [
        ["ingest", lot, named, "--processes", 1],
        ["status"],
        ["explain", "--", one],
        ["compare", "--processes", 1],
        ["sweep", "--processes", 1],
        ["verdict", "list"],
        ["verdict", one, lot / "0.png"],
        ["verdict", "undo", one, lot / "0.png"],
        ["prune", "--max-share", 0, "--dry-run"],
        ["prune", "--yes", "--max-share", 1],
        ["verdict", one, lot / "0.png", "different"],
        ["pin", one],
        ["pin", lot / "none"],
        ["purge", "--all", "--yes"],
        ["restore", lot / "none"],
        ["restore", "--run", 77],
        ["compare", named, "--profile", "none"],
        ["compare", "--camera", "none"],
        ["profile", "use", named],
        ["report", "pages", "--processes", 1],
        ["--db", "other.db", "ingest", lot / "0.png", "--processes", 1],
        ["--db", "other.db", "status"],
        ["--db", own_home / os.fsdecode(camera), "status"],
        ["audit", "history"],
    ]
    lines = [line for one in words for line in proposed(run(*one))]
    assert len(lines) > 12
    taken(tmp_path, lines)
    pages = "".join(page.read_text() for page in (own_home / "pages").rglob("*.html"))
    shown = [html.unescape(line) for line in re.findall(r"<code>(manage\.py [^<]*)</code>", pages)]
    assert shown
    taken(tmp_path, shown)
