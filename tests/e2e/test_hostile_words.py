"""Hostile words: whatever a file, folder, camera or query is called is data, stored exactly and shown safely."""

import json
import os
import pty
import re
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from indexer.store.columns import path_from_text
from tests.support.apart import facts, images, rows
from tests.support.command import Answer, Run, command
from tests.support.index import picture

NAMES = [
    b"two\nlines.png",
    b"return\rcarriage.png",
    b"tab\tbed.png",
    b"\x1b[31mred\x1b[0m\x1b]0;title\x07.png",
    b"\x9b31mcsi-as-a-byte.png",
    "\u009b31mcsi.png".encode(),
    "\u202egnp.exe.png".encode(),
    "\u2066isolated\u2069\u200f.png".encode(),
    "line\u2028separator.png".encode(),
    "zero\u200bwidth\ufeff.png".encode(),
    b"caf\xe9 \xff\xfe.png",
    b"-rf.png",
    b"--yes.png",
    b"'; DROP TABLE images; --.png",
    b"\"quoted\" 'twice' `thrice`.png",
    b"[red]markup[bold] [link=x].png",
    b"%s {0} $HOME ;\\n.png",
    b"back\\slash.png",
    b"?query#fragment%41.png",
    b"\x7fdelete.png",
    b"1.png",
    "e\u0301 \U0001f600.png".encode(),
    b"n" * 251 + b".png",
    "ä".encode() * 125 + b"_.png",
]
CAMERAS = ["\x1b[31mred", "two\nlines", "\u202egate", "[/red] [bold", "'; DROP TABLE cameras; --", "-c", "%s{0}"]


def safe(answer: Answer) -> Answer:
    """The answer, after it was seen to hold no control sign, no direction mark and no lone byte."""
    for sign in answer.out + answer.err:
        assert sign == "\n" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}, answer
    return answer


@pytest.fixture
def lot(own_home: Path) -> Path:
    """A folder whose own name is hostile, with a keeper and a duplicate of it under each hostile name."""
    folder = own_home / os.fsdecode(b"fold\xe9r \x1b[1m\n\xe2\x80\xae'\"")
    folder.mkdir()
    (folder / "0.png").write_bytes(picture(stamp=150))
    os.utime(folder / "0.png", ns=(1, 1))
    for stamp, name in enumerate(NAMES):
        path = folder / os.fsdecode(name)
        path.write_bytes(picture(stamp=stamp))
        os.utime(path, ns=(10**18 + stamp,) * 2)
    return folder


def stored(home: Path, column: str = "path", table: str = "images") -> set[bytes]:
    """The file names that the index holds."""
    found = rows(home / "indexer.db", f"SELECT {column} FROM {table}")
    return {os.fsencode(os.path.basename(path_from_text(text))) for (text,) in found}


def test_the_whole_job_with_hostile_names(lot: Path, own_home: Path, run: Run) -> None:
    """Every command works on every name: stored, shown escaped, matched, moved and brought back, byte for byte."""
    before = {os.fsencode(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in lot.iterdir()}
    words: list[list[Any]] = [
        ["ingest", lot, "--camera", "gate", "--processes", 1],
        ["compare", "--processes", 1],
        ["status"],
        *(["explain", lot / os.fsdecode(name)] for name in NAMES),
        ["explain", lot / os.fsdecode(NAMES[0]), lot / os.fsdecode(NAMES[3])],
        ["audit", "--sql", "SELECT * FROM audit_decisions"],
        ["prune", "--dry-run", "--max-share", 1],
        ["prune", "--yes", "--max-share", 1],
        ["audit", "--sql", "SELECT * FROM audit_removals"],
        ["status"],
        *(["explain", lot / os.fsdecode(name)] for name in NAMES),
    ]
    assert [(one, safe(run(*one)).code) for one in words] == [(one, 0) for one in words]
    assert stored(own_home) == {b"0.png", *NAMES}
    assert [path.name for path in lot.iterdir()] == ["0.png"]
    assert stored(own_home, "path", "audit_removals") == set(NAMES)
    back = [["restore", "--", *(lot / os.fsdecode(name) for name in NAMES)], ["ingest", lot, "--processes", 1]]
    assert [safe(run(*one)).code for one in back] == [0, 0]
    assert {os.fsencode(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in lot.iterdir()} == before
    assert rows(own_home / "indexer.db", "SELECT DISTINCT state FROM images") == [("ready",)]


def test_names_are_matched_in_json_and_by_pins(lot: Path, own_home: Path, run: Run) -> None:
    """A name that JSON gives is the one on the disk, and a pin finds it, given from the folder it lies in as well."""
    assert run("ingest", lot, "--camera", "gate", "--processes", 1).code == 0
    os.chdir(lot)
    for name in NAMES:
        answer = safe(run("--db", own_home / "indexer.db", "pin", "--json", "--", f"./{os.fsdecode(name)}"))
        assert [os.fsencode(os.path.basename(path)) for path in answer.document["changed"]] == [name]
        story = safe(run("--db", own_home / "indexer.db", "explain", "--json", "--", lot / os.fsdecode(name)))
        assert os.fsencode(story.document["path"]) == os.fsencode(lot / os.fsdecode(name))
    assert rows(own_home / "indexer.db", "SELECT COUNT(*) FROM pins") == [(len(NAMES),)]


def test_hostile_names_that_are_refused(lot: Path, run: Run) -> None:
    """A name that is not in the index, or no image, is refused in one line that shows it escaped. Every name meets two
    of the commands, and every command eight of the names: all escape in the same place."""
    commands = [["explain"], ["pin"], ["restore"], ["ingest"], ["compare", "--camera"], ["audit"]]
    assert run("ingest", lot, "--processes", 1).code == 0
    for number, name in enumerate(map(os.fsdecode, NAMES)):
        for words in (commands[number % 6], commands[(number + 1 + number // 6) % 6]):
            last = ["--", f"{name}/x"] if words[-1] != "--camera" else [f"{name}/x"]
            answer = safe(run(*words, *last))
            assert (answer.code in {1, 2}, answer.err.count("\n")) == (True, 1), (words, answer)
            assert "Traceback" not in answer.err
            safe(run(*words, "--json", *last))
        assert safe(run(f"--{name}")).code == safe(run(f"x{name}")).code == 2


@pytest.mark.parametrize("camera", CAMERAS)
def test_hostile_cameras(lot: Path, own_home: Path, run: Run, camera: str) -> None:
    """A camera of any name, given or read with a pattern, is stored as it is and shown escaped by every command."""
    words: list[list[Any]] = [
        ["ingest", lot, f"--camera={camera}", "--processes", 1],
        ["compare", f"--camera={camera}", "--processes", 1],
        ["status"],
        ["explain", 1],
        ["prune", "--yes", f"--camera={camera}", "--max-share", 1],
        ["audit", "--sql", "SELECT * FROM audit_cameras"],
    ]
    assert [safe(run(*one)).code for one in words] == [0] * len(words)
    assert [name for (name,) in rows(own_home / "indexer.db", "SELECT name FROM cameras")] == [camera]
    held = safe(run("prune", "--dry-run", "--max-share", 0))
    assert held.code == 0
    assert json.loads(run("status", "--json").out)["cameras"][0]["camera"] == camera


def test_cameras_read_with_a_pattern(lot: Path, own_home: Path, run: Run) -> None:
    """A pattern that takes the camera from a hostile name stores what can be stored, and nothing hurts the terminal."""
    words: list[list[Any]] = [
        ["ingest", lot, "--pattern", r"(?s)(?P<camera>.+)\.png$", "--processes", 1],
        ["compare", "--processes", 1],
        ["status"],
        ["prune", "--dry-run"],
    ]
    assert [safe(run(*one)).code for one in words] == [0] * len(words)
    assert rows(own_home / "indexer.db", "SELECT COUNT(*) FROM cameras") == [(len(NAMES) + 1,)]
    refused = safe(run("ingest", lot, "--pattern", "\x1b[31m\u202e("))
    assert (refused.code, refused.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("camera", CAMERAS[:4])
def test_progress_on_a_terminal(lot: Path, own_home: Path, run: Run, camera: str) -> None:
    """The bar that a terminal shows names a hostile camera escaped, and takes no part of it for its own markup."""
    assert run("ingest", lot, f"--camera={camera}", "--processes", 1).code == 0
    leader, follower = pty.openpty()
    with subprocess.Popen(command("compare", "--processes", 1), cwd=own_home, stderr=follower, stdout=-1) as process:
        os.close(follower)
        shown = b""
        while piece := _read(leader):
            shown += piece
    os.close(leader)
    assert process.returncode == 0, shown
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r", "").replace("\n", "")
    assert "comparing " + "".join(s if s.isprintable() else ascii(s)[1:-1] for s in camera) in text
    assert "\u202e" not in text
    assert b"\x1b[31mred" not in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a terminal says that nobody is there any more
        return b""


def test_hostile_profiles_and_queries(lot: Path, run: Run) -> None:
    """Names of profiles, audits and columns, and whatever a query answers, are shown escaped too."""
    assert run("ingest", lot, "--processes", 1).code == 0
    hostile = "\x1b[31m\u202e'; DROP TABLE images; --"
    for words in (
        ["profile", "make", hostile, "--max-score", 5],
        ["profile", "make", "mine", "--base", hostile],
        ["profile", "show", hostile],
        ["profile", "list"],
        ["compare", "--profile", hostile, "--processes", 1],
        ["status"],
        ["explain", 1],
        ["audit", hostile],
        ["audit", "unwitnessed", f"{hostile}=1"],
        ["audit", "--sql", f"SELECT '{hostile.replace(chr(39), '')}' AS \"{hostile}\""],
        ["audit", "--sql", f"SELECT {hostile}"],
        ["restore", "--run", hostile],
        ["prune", "--max-share", hostile],
        ["--db", hostile, "status"],
        ["--db", f"{hostile}://x", "status"],
    ):
        assert safe(run(*words)).code in {0, 1, 2}, words
        assert safe(run(*words, "--json")).code in {0, 1, 2}, words


QUERIES = {
    "DELETE FROM images": 2,
    "INSERT INTO cameras (name) VALUES ('x')": 2,
    "ATTACH '{place}' AS other": 2,
    "VACUUM INTO '{place}'": 2,
    "SELECT load_extension('{place}')": 2,
    "SELECT readfile('/etc/hostname')": 2,
    "SELECT writefile('{place}', 'x')": 2,
    "PRAGMA writable_schema = ON": 2,
    "SELECT * FROM images; DROP TABLE images": 2,
    "SELECT 1": 0,
}


def test_queries_only_read(lot: Path, own_home: Path, run: Run) -> None:
    """`audit --sql` writes, attaches, loads and reads no file, whatever it is asked; the index is what it was."""
    assert run("ingest", lot, "--processes", 1).code == 0
    place, before, files = own_home / "place", facts(own_home / "indexer.db"), images(own_home)
    for json_too in ([], ["--json"]):
        ends = {sql: run("audit", "--sql", sql.format(place=place), *json_too).code for sql in QUERIES}
        assert ends == QUERIES
    assert (facts(own_home / "indexer.db"), images(own_home), place.exists()) == (before, files, False)


def test_queries_end(lot: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query without an end is ended, with one sentence."""
    from indexer.store import audit_queries
    from indexer.store.query_result import QueryBounds

    assert run("ingest", lot, "--processes", 1).code == 0
    monkeypatch.setattr(audit_queries.run_sql, "__kwdefaults__", {"bounds": QueryBounds(seconds=0.2)})
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
    ended = run("audit", "--sql", endless)
    assert (ended.code, ended.err.count("\n"), "longer than 0.2 s" in ended.err) == (1, 1, True)
