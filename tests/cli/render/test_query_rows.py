"""Answers of audits on the command line: bounded, however large they would be; whole or not begun; in little memory."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from indexer.cli.render import query_rows
from indexer.cli.session import CommandSession
from indexer.errors import UsageError
from indexer.settings import read_settings
from indexer.store.query_result import QueryBounds, QueryResult
from tests.support.command import ROOT, Run
from tests.support.databases import Maker, execute, on_postgresql

MOST_KB = 300_000  # that a command may take for any question; the simplest takes 120 000
ANSWER = f"""
import json, os, sys
sys.path.insert(0, {str(ROOT)!r})
import psycopg, sqlalchemy.orm
from indexer.cli.app import app
from indexer.cli.main import main
from indexer.cli.render import query_rows
from indexer.store import audit_queries, schema
for line in sys.stdin:
    words, out, err, environment = json.loads(line)
    if os.fork() == 0:
        os.environ.clear()
        os.environ.update(environment)
        sys.argv[:] = ["manage.py", *words]
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        code = main(app, words)
        status = open("/proc/self/status").read()
        print(status[status.index("VmHWM:"):].split()[1], file=sys.stderr)
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""
"""Runs commands, each in a fork of a small process that has the command line loaded, and notes its peak of memory."""
FORMS = ((), ("--json",))
N = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "


Ask = Callable[..., tuple[int, str, int]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Runs a command: its exit code, its sentence and its peak of memory in kB; its stdout goes to a file."""
    err = tmp_path_factory.mktemp("asked") / "err"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", ANSWER], text=True, **pipes) as answering:
        assert answering.stdin is not None
        assert answering.stdout is not None

        def answer(place: str, *words: str, out: Path) -> tuple[int, str, int]:
            line = json.dumps([["--db", place, *words], str(out), str(err), dict(os.environ)])
            print(line, file=answering.stdin, flush=True)
            code = int(answering.stdout.readline())
            *said, peak = err.read_text().splitlines()
            return code, said[-1] if said else "", int(peak)

        yield answer


def holds(
    ask: Ask, place: str, sql: str, code: int, said: str, folder: Path, *, forms: Sequence[Sequence[str]] = FORMS
) -> None:
    """Asserts that a question ends as it should, as a table and as JSON, in little memory, and leaves no file."""
    out = folder / "out"
    temporary = folder / "temporary"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        for more in forms:
            found, sentence, peak = ask(place, "audit", "--sql", sql, *more, out=out)
            assert (found, said in sentence) == (code, True), sentence
            assert peak < MOST_KB
            assert list(temporary.iterdir()) == []
            if code != 0 and not more:
                assert out.read_text() == ""
            if more:
                assert set(json.loads(out.read_text())) == ({"error", "exit_code"} if code else KEYS)


KEYS = {"columns", "rows", "complete", "total"}
ROWS = "indexer: the answer has more than 100000 rows; count, group, or add LIMIT and OFFSET"
SIZE = "indexer: the answer is longer than 100000000 bytes; ask for fewer rows or columns"
VALUE = "indexer: the query makes a value of more than "
WIDE = ", ".join(["hex(zeroblob(20000))"] * 20)
WIDER = ", ".join(["hex(zeroblob(500000))"] * 2000)


@pytest.mark.parametrize(
    ("sql", "code", "said"),
    [
        (f"{N}SELECT x, 'image ' || x FROM n LIMIT 100000", 0, ""),
        (f"{N}SELECT x FROM n", 2, ROWS),
        (f"{N}SELECT {WIDE} FROM n", 2, SIZE),
        (f"{N}SELECT hex(zeroblob(7999999)) FROM n", 2, SIZE),
        (f"SELECT {WIDER}", 2, VALUE),
        ("SELECT hex(zeroblob(7999999))", 0, ""),
        ("SELECT hex(zeroblob(300000000))", 2, VALUE),
        (f"{N}SELECT printf('%.*c', 20000000, 'x') FROM n LIMIT 5000", 2, VALUE),
        (f"{N}SELECT group_concat(hex(zeroblob(9999))) FROM (SELECT x FROM n LIMIT 5000)", 2, VALUE),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_memory_on_sqlite(
    ask: Ask, decided: Path, tmp_path: Path, own_home: Path, sql: str, code: int, said: str
) -> None:
    """Many rows, wide rows, one giant value, a recursion without end: little memory, and one sentence where too
    much."""
    # What is refused is refused before it is written in any form: one of them is enough, but for the first.
    holds(
        ask,
        str(own_home / "indexer.db"),
        sql,
        code,
        said,
        tmp_path,
        forms=FORMS if code == 0 or said == ROWS else FORMS[1:],
    )


WIDE_ON_SERVER = ", ".join(f"repeat('ab', 20000) AS a{number}" for number in range(20))
WIDER_ON_SERVER = ", ".join(f"repeat('x', 50000) AS a{number}" for number in range(1600))


@pytest.fixture
def reading(maker: Maker, tmp_path: Path) -> Iterator[str]:
    """The address of an empty index on a server, for who may only read it."""
    database = maker.new(tmp_path)
    with closing(maker.reader(database)) as reader:
        yield reader.url.render_as_string(hide_password=False)
    maker.drop(database)


@on_postgresql
@pytest.mark.parametrize(
    ("sql", "code", "said"),
    [
        (f"{N}SELECT x, 'image ' || x FROM n LIMIT 100000", 0, ""),
        (f"{N}SELECT x FROM n", 2, ROWS),
        (f"SELECT {WIDE_ON_SERVER} FROM generate_series(1, 1000000)", 2, SIZE),
        ("SELECT repeat('x', 3999999) FROM generate_series(1, 1000000)", 2, SIZE),
        (f"SELECT {WIDER_ON_SERVER}", 2, VALUE),
        ("SELECT repeat('x', 3999999)", 0, ""),
        ("SELECT repeat('x', 200000000)", 2, VALUE),
        ("SELECT convert_to(repeat('x', 200000000), 'UTF8')", 0, ""),
        ("SELECT array_agg(x) FROM generate_series(1, 2000000) AS x", 2, VALUE),
        (f"SELECT {', '.join(['10::numeric ^ 100000'] * 100)}", 2, VALUE),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_memory_on_a_server(ask: Ask, reading: str, tmp_path: Path, sql: str, code: int, said: str) -> None:
    """The same on a server, in one form: what is too much is not sent, or no further."""
    holds(ask, reading, sql, code, said, tmp_path, forms=FORMS[1:])


def test_a_full_disk_for_temporary_files(run: Run, decided: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no temporary file can be written, that is a known problem, and nothing is answered in part."""
    with open("/dev/full", "r+b", buffering=0) as full:  # noqa: PTH123
        monkeypatch.setattr("indexer.store.query_result.tempfile.TemporaryFile", lambda: full)
        answer = run("audit", "--sql", "SELECT path FROM images")
    assert (answer.code, answer.out, answer.sentence) == (1, "", "indexer: No space left on device")


def test_json_is_what_was_answered(run: Run, decided: Path) -> None:
    """One document with the columns and all rows, and that they are all; nothing beside it."""
    sql = "SELECT 1 AS a, NULL AS b, 'caf\u00e9' AS c, 1.5 AS d, 9e999 AS e, x'00' AS f "
    sql += "UNION ALL SELECT 2, 2, '', 2, 2, 2"
    answer = run("audit", "--sql", sql, "--json")
    assert answer.document == {
        "columns": ["a", "b", "c", "d", "e", "f"],
        "rows": [[1, None, "caf\u00e9", 1.5, None, "<1 bytes>"], [2, 2, "", 2, 2, 2]],
        "complete": True,
        "total": 2,
    }
    assert answer.err == ""
    empty = {"columns": ["a"], "rows": [], "complete": True, "total": 0}
    assert run("audit", "--sql", "SELECT 1 AS a WHERE 0", "--json").document == empty


def shown(*rows: tuple[object, ...], columns: tuple[str, ...], width: int = 400) -> list[str]:
    """The lines that a table is written as."""
    stream = io.StringIO()
    with QueryResult(columns, bounds=QueryBounds()) as table:
        for row in rows:
            table.add(row)
        query_rows.write_rows(Console(file=stream, width=width, soft_wrap=True), table)
    return stream.getvalue().splitlines()


def test_tables() -> None:
    """Numbers stand to the right, text to the left, and signs that are wide count as two."""
    assert shown((1, "\u8def", None), (20, "abc", 1.25), columns=("id", "name", "n")) == [
        " id   name      n",
        " " + "\u2500" * 16,
        "  1   \u8def",
        " 20   abc    1.25",
    ]


def test_tables_without_rows() -> None:
    """An answer without rows shows its columns."""
    assert shown(columns=("id", "name")) == [" id   name", " " + "\u2500" * 9]


def test_tables_that_are_too_wide() -> None:
    """What is wider than its column goes on in the next line, and no line is wider than there is room."""
    lines = shown(("x" * 50, "one two three", 7), columns=("a", "b", "c"), width=30)
    assert max(map(len, lines)) <= 30
    assert "".join(line[1:].split("   ")[0] for line in lines[2:]).count("x") == 50
    assert " ".join("".join(lines).split()).count("three") == 1


def test_long_values_are_cut_for_people_alone(run: Run, decided: Path) -> None:
    """A table shows the beginning of a long value and says how much is left out; JSON has all of it."""
    sql = "SELECT hex(zeroblob(10000)) AS zeros"
    assert "(10000 more characters; --json has them)" in " ".join(run("audit", "--sql", sql).out.split())
    assert run("audit", "--sql", sql, "--json").document["rows"] == [["0" * 20000]]


PASSWORD = "hunter2-only"


@on_postgresql
@pytest.mark.parametrize("way", ["stdin", "environment"])
def test_a_reader_is_made(maker: Maker, tmp_path: Path, way: str) -> None:
    """`db make-reader` takes the password from stdin or the environment, shows it nowhere, and the role can ask."""
    database = maker.new(tmp_path)
    place, name = database.url.render_as_string(hide_password=False), f"indexer_test_{os.getpid()}_{way}"
    environment = os.environ | ({"INDEXER_READER_PASSWORD": PASSWORD} if way == "environment" else {})
    given = {"input": f"{PASSWORD}\n"} if way == "stdin" else {"stdin": subprocess.DEVNULL}
    line = [sys.executable, str(ROOT / "manage.py"), "--db", place, "db", "make-reader", name, "--json"]
    made = subprocess.run(line, capture_output=True, text=True, env=environment, **given)
    try:
        assert (made.returncode, json.loads(made.stdout)["state"]) == (0, "made"), made.stderr
        assert PASSWORD not in made.stdout + made.stderr
        asked = [*line[:3], json.loads(made.stdout)["url"], "audit", "--sql", "SELECT 7 AS seven", "--json"]
        answer = subprocess.run(asked, capture_output=True, text=True, env=os.environ | {"PGPASSWORD": PASSWORD})
        assert json.loads(answer.stdout)["rows"] == [[7]]
    finally:
        execute(database, f'DROP OWNED BY "{name}"')
        execute(database, f'DROP ROLE "{name}"')
        maker.drop(database)


def test_sqlite_needs_no_reader(run: Run, decided: Path) -> None:
    """On SQLite the command says that no reader is needed, and asks for no password."""
    answer = run("db", "make-reader", "ada")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "An index of SQLite needs no reader: audit --sql opens the file for reading alone.\n"


@pytest.mark.parametrize(
    ("typed", "answer"), [(["a secret", "a secret"], "a secret"), (["a secret", "a sekret"], None)]
)
def test_a_password_is_typed_twice(monkeypatch: pytest.MonkeyPatch, typed: list[str], answer: str | None) -> None:
    """On a terminal a new password is typed twice, unseen; two that differ are refused, and neither is said."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("indexer.cli.session.getpass", lambda _asked: typed.pop(0))
    with CommandSession(read_settings({}), as_json=False) as page:
        if answer is not None:
            assert page.read_password() == answer
        else:
            with pytest.raises(UsageError, match=r"^the two passwords are not the same; nothing was done$"):
                page.read_password()


def test_settings_do_not_show_the_password() -> None:
    """A password that came by the environment is not in what the settings look like."""
    settings = read_settings({"INDEXER_READER_PASSWORD": PASSWORD})
    assert (settings.reader_password, PASSWORD in repr(settings)) == (PASSWORD, False)
