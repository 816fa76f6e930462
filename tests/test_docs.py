"""The documentation: its examples run, its outputs are what they print, its links and references lead somewhere.

`python -m pytest tests/test_docs.py --update-docs` writes what differs into the pages.
"""

import ast
import inspect
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import URL, make_url

from indexer.configuration.form import iter_keys
from indexer.store.schema import open_database
from tests.support import doc_generation, doc_sessions
from tests.support.databases import Maker, execute, on_postgresql
from tests.support.doc_pages import (
    LINKED_PAGES,
    PAGES,
    ROOT,
    anchors,
    blocks,
    broken_links,
    inline_code,
    page_name,
    prose,
    region,
    table_rows,
)
from tests.support.doc_sessions import (
    Step,
    as_shown,
    command_problems,
    difference,
    help_words,
    levelled,
    make_folder,
    play,
    run,
    shell_commands,
    unknown_options,
)

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = ROOT / "docs"
SHAPE = re.compile(
    r"python3 -m venv \.venv && \.venv/bin/pip install -q -e (\.|'\.\[test\]') && \.venv/bin/python (.+)"
)
WITH_SESSIONS = [page for page in PAGES if any(block.kind == "console" for block in blocks(page.read_text()))]
ADRS = sorted((DOCS / "adr").glob("[0-9]*.md"))
PICTURE = DOCS / "pair.jpg"


@pytest.fixture(autouse=True)
def one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few frames are decoded sooner by one worker than workers start."""
    monkeypatch.setenv("INDEXER_PROCESSES", "1")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether pages are rewritten."""
    return bool(request.config.getoption("--update-docs"))


def hold(page: Path, text: str, problems: list[str], *, update: bool) -> None:
    """Fails with the problems of a page, or writes the page as it should be."""
    if problems and update:
        page.write_text(text, encoding="utf-8")
    elif problems:
        pytest.fail(f"{page.name}: " + "\n\n".join([*problems, "--update-docs writes it as it should be"]))


@pytest.mark.parametrize("page", WITH_SESSIONS, ids=page_name)
def test_sessions(page: Path, tmp_path: Path, update: bool) -> None:
    """Every command of a page, run in its order, prints what is shown below it; every query has rows."""
    text = page.read_text(encoding="utf-8")
    played = play(text, folder=make_folder(tmp_path / "data"))
    assert played.steps
    assert played.text == text or played.differences
    hold(page, played.text, played.differences, update=update)


SESSION = """\
<!-- before:
python manage.py profile make day
-->
```console
$ python manage.py status
/data/nothing.db, active profile balanced

$ python manage.py profile show --help
Usage: nothing
```
```sql
SELECT path FROM audit_removals
```
"""


def test_a_wrong_session_is_seen_and_rewritten(tmp_path: Path) -> None:
    """A planted output, a help text and a query without rows are found; the page as it should be holds the outputs."""
    played = play(SESSION, folder=make_folder(tmp_path / "data"))
    assert [problem.partition("\n")[0] for problem in played.differences] == [
        "$ python manage.py status",
        "$ python manage.py profile show --help",
        "SELECT path FROM audit_removals",
    ]
    assert "$ python manage.py status\n/data/indexer.db, active profile balanced\n" in played.text
    again = play(played.text, folder=make_folder(tmp_path / "more"))
    assert (again.text, len(again.differences)) == (played.text, 1)


def readers_url(place: URL, reader: str) -> str:
    """The address of the same index for another role, without a password."""
    return URL.create(place.drivername, reader, None, place.host, place.port, place.database).render_as_string()


@on_postgresql
def test_session_on_a_server(maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update: bool) -> None:
    """The commands of the section on PostgreSQL print what is shown below them."""
    place, reader = make_url(maker.place(tmp_path)), f"lot_reader_{os.getpid()}"
    monkeypatch.setenv("INDEXER_READER_PASSWORD", "only-for-tests")
    monkeypatch.setenv("PGPASSWORD", "only-for-tests")
    owners = place.render_as_string(hide_password=False)
    names = {
        "postgresql+psycopg://localhost/lot": owners,
        "postgresql+psycopg://lot_reader@localhost/lot": readers_url(place, reader),
        "lot_reader": reader,
    }
    page = DOCS / "operations.md"
    try:
        folder = make_folder(tmp_path / "data")
        played = play(page.read_text(encoding="utf-8"), folder=folder, kind="console postgresql", names=names)
        assert played.steps == 4
        hold(page, played.text, played.differences, update=update)
    finally:
        with closing(open_database(owners)) as database:
            execute(database, f"DROP OWNED BY {reader}")
            execute(database, f"DROP ROLE {reader}")


def test_help_blocks(tmp_path: Path, update: bool) -> None:
    """docs/commands.md has the help of every command, as it is printed."""
    page = DOCS / "commands.md"
    text = page.read_text(encoding="utf-8")
    start, end = region(text, "help")
    printed = [(head, command, run(command, folder=tmp_path)) for head, command in doc_generation.help_commands()]
    should = "\n".join(f"## {head}\n\n```console\n$ {command}\n{out.strip()}\n```\n" for head, command, out in printed)
    problems = [] if help_words(text[start:end]) == help_words(should) else ["the help blocks differ"]
    hold(page, f"{text[:start]}{should}{text[end:]}", problems, update=update)


def test_json_page(update: bool) -> None:
    """docs/json.md has every key of every document, as the code writes it down."""
    page = DOCS / "json.md"
    text = page.read_text(encoding="utf-8")
    start, end = region(text, "documents")
    should = doc_generation.json_page()
    problems = [] if text[start:end] == should else ["the documents differ"]
    hold(page, f"{text[:start]}{should}{text[end:]}", problems, update=update)


def test_json_page_names_every_command() -> None:
    """Each command is in the index of docs/json.md."""
    rows = table_rows((DOCS / "json.md").read_text(), "<!-- generated: documents -->\n")
    named = {row[0].strip("`") for row in rows}
    starts = {" ".join(name.split()[:count]) for name in named for count in (1, 2)}
    assert set(doc_generation.command_names()) <= starts


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_other_commands(page: Path) -> None:
    """Commands in shell blocks are such as the command line takes, and options in the text exist."""
    text = page.read_text(encoding="utf-8")
    bodies = [block.body for block in blocks(text) if block.kind in {"sh", "before"}]
    assert [problem for body in bodies for words in shell_commands(body) for problem in command_problems(words)] == []
    assert [(code, options) for code in sorted({*inline_code(text)}) if (options := unknown_options(code))] == []


def test_a_wrong_command_is_seen() -> None:
    """A planted option, command and missing argument are found, in a block and in the text."""
    wrong = ["ingest lot --nonsense", "nonsense", "profile make", "restore --run x"]
    assert [len(list(command_problems(line.split()))) for line in wrong] == [1, 1, 1, 1]
    assert list(command_problems(["profile", "make", "day", "--max-score", "500"])) == []
    assert unknown_options("prune --dry-run --nonsense") == ["--nonsense"]
    assert unknown_options("git log --oneline") == []
    assert shell_commands("python manage.py pin 3  # why\npip install x\n") == [["pin", "3"]]


@pytest.mark.parametrize("page", LINKED_PAGES, ids=page_name)
def test_links(page: Path) -> None:
    """Every link leads to a file of the project, and to a heading of it if it names one."""
    assert list(broken_links(page, page.read_text(encoding="utf-8"))) == []


def test_a_broken_link_is_seen() -> None:
    """Planted links to no file, to no heading, out of the project and by plain http are found; code is left out."""
    text = "# A head, twice\n[a](nowhere.md) [b](#a-head-twice) [c](#nothing) [d](http://x.org) `[e](f)` [g](../../..)"
    assert list(broken_links(ROOT / "README.md", text)) == ["nowhere.md", "#nothing", "http://x.org", "../../.."]
    assert anchors("# A `b` (c)\n## A b c\n") == {"a-b-c", "a-b-c-1"}


def test_every_page_is_on_the_map() -> None:
    """docs/index.md leads to every page, and the list of decisions to every decision."""
    index, decisions = (DOCS / "index.md").read_text(), (DOCS / "adr" / "README.md").read_text()
    assert [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and f"({page.name})" not in index] == []
    assert [page.name for page in ADRS if f"({page.name})" not in decisions] == []


def size_problems(text: str) -> list[str]:
    """Whether a README is too long to be read at once."""
    lines, size = len(text.splitlines()), len(text.encode())
    return [f"{lines} lines, {size} bytes"] if lines > 150 or size > 8000 else []


def test_readme_is_short() -> None:
    """The README has at most 150 lines and 8 kB."""
    assert size_problems(README) == []
    assert size_problems("\n" * 151) == ["151 lines, 151 bytes"]
    assert size_problems("ä" * 4001) == ["1 lines, 8002 bytes"]


def first_line(word: str) -> str:
    """The first line of the README that holds a word."""
    return next(line for line in README.splitlines() if word in line)


def test_demo_command(tmp_path: Path) -> None:
    """The first line with the demo is one whole command, and its last part, run here, does the demo; none of its
    processes loads the libraries of the network."""
    parts = SHAPE.fullmatch(first_line("manage.py demo"))
    assert parts is not None
    assert parts.groups() == (".", "manage.py demo")
    planted = tmp_path / "planted"
    planted.mkdir()
    for library in ("onnx", "onnxruntime"):
        (planted / f"{library}.py").write_text("open(__file__ + '.loaded', 'w').close()")
    done = subprocess.run(
        [sys.executable, *parts[2].split()],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(planted)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Go on with:" in done.stdout
    assert list(planted.glob("*.loaded")) == []


def test_test_command() -> None:
    """The first line with pytest is one whole command, and `.ci/run` takes it from there."""
    parts = SHAPE.fullmatch(first_line("pytest"))
    assert parts is not None
    assert parts.groups() == ("'.[test]'", "-m pytest")
    assert 'bash -c "$(grep -m1 pytest README.md)"' in (ROOT / ".ci" / "run").read_text()


def differing_share(a: bytes, b: bytes) -> float:
    """The share of the pixels that differ by more than JPEG and fonts explain; 1 if the sizes differ."""
    one, other = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16) for data in (a, b))
    return float((np.abs(one - other).max(axis=2) > 60).mean()) if one.shape == other.shape else 1.0


def test_picture(tmp_path: Path, update: bool) -> None:
    """The picture of the README is what `explain --picture` draws of the demo's frames, saved as a small JPEG."""
    folder = make_folder(tmp_path / "data")
    for command in ("ingest lot", "compare", "explain 13 9 --picture it.png", "explain 12 9 --picture other.png"):
        run(f"python manage.py {command}", folder=folder)
    drawn = (folder / "it.png").read_bytes()
    if update and differing_share(drawn, PICTURE.read_bytes()) > 0.005:
        Image.open(io.BytesIO(drawn)).convert("RGB").save(PICTURE, quality=80)
    assert differing_share(drawn, PICTURE.read_bytes()) <= 0.005
    assert differing_share(drawn, (folder / "other.png").read_bytes()) > 0.005
    assert len(PICTURE.read_bytes()) < 100_000


def test_views(migrated_file: Path) -> None:
    """docs/audits.md names every view and every column that a view has."""
    import sqlite3

    with closing(sqlite3.connect(migrated_file)) as reader:
        views = [name for (name,) in reader.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
        columns = {view: [row[1] for row in reader.execute(f"PRAGMA table_info({view})")] for view in views}
    rows = re.findall(r"^\| `(audit_\w+)` \| [^|]+ \| (.+) \|$", (DOCS / "audits.md").read_text(), flags=re.MULTILINE)
    assert {view: re.findall(r"`(\w+)`", named) for view, named in rows} == columns


def test_there_are_three_queries() -> None:
    """Three queries of one's own are there to be tested."""
    assert [block.kind for block in blocks((DOCS / "audits.md").read_text())].count("sql") == 3


def test_settings() -> None:
    """Every environment variable that is read is in docs/commands.md, with its default."""
    from indexer.configuration.file import find_configuration
    from indexer.settings import read_settings

    modules = (read_settings.__module__, find_configuration.__module__)
    source = "".join(Path(sys.modules[name].__file__ or "").read_text() for name in modules)
    rows = {row[0]: row for row in table_rows((DOCS / "commands.md").read_text(), "## Environment variables\n")}
    assert {f"`{name}`" for name in re.findall(r'"(INDEXER_\w+)"', source)} == rows.keys()
    defaults = read_settings({})
    limits = ("max_pixels", "max_bytes", "max_memory_mb", "max_seconds")
    assert [rows[f"`INDEXER_{limit.upper()}`"][-1] for limit in limits] == [str(getattr(defaults, x)) for x in limits]


def test_configuration_keys() -> None:
    """docs/configuration.md has every key that the file may have, and no other one."""
    rows = table_rows((DOCS / "configuration.md").read_text(), "## Keys\n")
    assert [row[0].strip("`") for row in rows if row[0] != "`folders`"] == list(iter_keys())


def test_layers() -> None:
    """The diagram of docs/architecture.md has the layers of the contract, top to bottom, and nothing else."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "layers")
    diagram = next(block.body for block in blocks((DOCS / "architecture.md").read_text()) if block.kind == "text")
    shown = [line.split("|")[1].split() for line in diagram.splitlines() if line.startswith("|")]
    assert shown == [layer.replace("|", " ").split() for layer in layers]


def missing_tests(text: str) -> Iterator[str]:
    """Yields the tests that a text names and that are not there: a file, or a function of it."""
    for name in re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", prose(text)):
        file, _, function = name.partition("::")
        path = ROOT / file
        if not path.is_file() or (function and f"\ndef {function}(" not in path.read_text()):
            yield name


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_named_tests_exist(page: Path) -> None:
    """Every test that a page names is there."""
    assert list(missing_tests(page.read_text(encoding="utf-8"))) == []


def test_a_missing_test_is_seen() -> None:
    """A planted file and a planted function are found."""
    text = "`tests/test_docs.py` `tests/test_docs.py::test_links` `tests/test_nothing.py` `tests/test_docs.py::test_x`"
    assert list(missing_tests(text)) == ["tests/test_nothing.py", "tests/test_docs.py::test_x"]


def test_guarantees_have_tests() -> None:
    """Each guarantee of docs/architecture.md names a test function that enforces it."""
    rows = table_rows((DOCS / "architecture.md").read_text(), "## Guarantees and their tests\n")
    assert len(rows) >= 8
    assert [row[0] for row in rows if not re.search(r"`tests/[\w/]+\.py::\w+`", row[-1])] == []


PLANTED: list[tuple[Callable[..., None], str, str, str]] = [
    (test_help_blocks, "commands.md", "Remove pins.", "Remove a pin."),
    (test_json_page, "json.md", "| `seen` | integer |", "| `seen` | number |"),
    (test_json_page_names_every_command, "json.md", "| `recover` |", "| `rescue` |"),
    (test_every_page_is_on_the_map, "index.md", "(report.md)", "(audits.md)"),
    (test_every_page_is_on_the_map, "adr/README.md", "(0002-own-main.md)", "(0001-text-apart-from-commands.md)"),
    (test_views, "audits.md", "`reason`, `decided_by`", "`decided_by`"),
    (test_there_are_three_queries, "audits.md", "```sql", "```text"),
    (test_settings, "commands.md", "| 4096 |", "| 4097 |"),
    (test_settings, "commands.md", "| `INDEXER_STATE` |", "| `INDEXER_FOLDER` |"),
    (test_configuration_keys, "configuration.md", "| `frames` |", "| `frame` |"),
    (test_layers, "architecture.md", "| domain ", "| rules "),
    (
        test_guarantees_have_tests,
        "architecture.md",
        "`tests/e2e/test_pasting.py::test_nothing_runs_whatever_is_pasted`",
        "",
    ),
]


@pytest.mark.parametrize(("check", "name", "old", "new"), PLANTED)
def test_a_planted_fault_is_seen(
    check: Callable[..., None],
    name: str,
    old: str,
    new: str,
    tmp_path: Path,
    migrated_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each check of a page fails when one word of that page is another one."""
    copied = shutil.copytree(DOCS, tmp_path / "docs")
    text = (copied / name).read_text()
    assert old in text
    (copied / name).write_text(text.replace(old, new))
    monkeypatch.setitem(globals(), "DOCS", copied)
    given = {"update": False, "tmp_path": tmp_path, "migrated_file": migrated_file}
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(**{parameter: given[parameter] for parameter in inspect.signature(check).parameters})


PARTS = ["## What we knew", "## What we chose", "## What it costs", "## Where", "## Enforced by"]


def adr_problems(number: str, text: str, sources: dict[str, str]) -> Iterator[str]:
    """Yields what is wrong with the page of a decision: its parts, or the modules that it and that name each other."""
    if re.findall(r"^## .*$", text, flags=re.MULTILINE) != PARTS:
        yield f"{number}: its parts are not {PARTS}"
    named = set(re.findall(r"`((?:indexer|tests)/[\w/]+\.py)`", text.partition("## Where")[2].partition("## En")[0]))
    naming = {name for name, docstring in sources.items() if f"Decision {number}:" in docstring}
    if not named or named != naming:
        yield f"{number}: it names {sorted(named)}, and is named by {sorted(naming)}"


def all_docstrings(source: str) -> str:
    """The docstrings of a source."""
    nodes = ast.walk(ast.parse(source))
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return "\n".join(ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds))


@pytest.fixture(scope="module")
def docstrings() -> dict[str, str]:
    """The docstrings of every module of the program, by path."""
    return {page_name(path): all_docstrings(path.read_text()) for path in (ROOT / "indexer").rglob("*.py")}


def test_decisions(docstrings: dict[str, str]) -> None:
    """Each decision has a page with its five parts, and the page and the modules that it governs name each other."""
    pages = {page.name[:4]: page.read_text(encoding="utf-8") for page in ADRS}
    assert [problem for number, text in pages.items() for problem in adr_problems(number, text, docstrings)] == []
    assert {number for text in docstrings.values() for number in re.findall(r"Decision (\d{4}):", text)} == pages.keys()
    assert [name for name, text in docstrings.items() if "Decision:" in text] == []


def test_a_wrong_decision_is_seen() -> None:
    """A planted page without a part, and one that a module does not name, are found."""
    text = "\n\n".join([*PARTS[:4], "`indexer/errors.py`", PARTS[4]])
    assert list(adr_problems("0001", text, {"indexer/errors.py": "Decision 0001: so."})) == []
    assert len(list(adr_problems("0001", text, {"indexer/errors.py": ""}))) == 1
    assert len(list(adr_problems("0001", text.replace(PARTS[2], ""), {}))) == 2


def test_tables_are_narrowed() -> None:
    """A table that was printed with a long folder is shown without columns of blanks."""
    folder = Path("/a/very/long/folder")
    printed = f" a{' ' * 24}   b\n {'─' * 29}\n {folder}/x.jpg   1\n"
    assert as_shown(printed, folder=folder) == f" a{' ' * 10}   b\n {'─' * 15}\n /data/x.jpg   1\n"
    assert levelled(as_shown(printed, folder=folder), folder=folder) == levelled(printed, folder=folder)
    assert difference(Step("x", "1 kB\n"), "2 kB\n", folder=folder) == ""
    assert doc_sessions.SHOWN_FOLDER == "/data"
