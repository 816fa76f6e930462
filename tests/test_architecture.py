"""The architecture: layers hold, and the test that says so can fail; modules are small, well named, and explained."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([ROOT / "manage.py", *(ROOT / "indexer").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")])
PROGRAM = [path for path in SOURCES if "migrations" not in path.parts]
TOP_LEVEL = {
    "indexer", "migrations", "tests", "docs", "manage.py", "pyproject.toml", "README.md",
    ".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".pre-commit-config.yaml",
    "MANIFEST.in", "setup.py", "SECURITY.md", "CITATION.cff", ".github",
}  # fmt: skip
OURS = ["indexer", "migrations", "tests", "docs", ".ci", ".github"]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of a tree, by the contract of its pyproject.toml."""
    return subprocess.run([sys.executable, "-c", LINT], cwd=tree, capture_output=True, text=True, timeout=120)


def name_of(path: Path) -> str:
    """The path of a source as people write it."""
    return str(path.relative_to(ROOT))


def tracked() -> Iterator[Path]:
    """Every file of the repository."""
    yield from (ROOT / name for name in sorted(TOP_LEVEL) if (ROOT / name).is_file())
    for folder in OURS:
        files = (path for path in sorted((ROOT / folder).rglob("*")) if path.is_file())
        yield from (path for path in files if "__pycache__" not in path.parts)


def test_contracts_hold() -> None:
    """A package imports only the layers below it, and each library only where it belongs."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


LAYERS = "A package imports only the layers below it"
GROUPS = "A group of workflows imports only the groups below it"
VIOLATIONS = [
    ("domain/names.py", "import indexer.files.walking", LAYERS),
    ("attic.py", "", LAYERS),
    ("workflows/compare/decider.py", "import indexer.workflows.tuning.sweep", GROUPS),
    ("workflows/attic.py", "", GROUPS),
    ("workflows/admin/status.py", "import PIL", "Only imaging knows images"),
    ("store/pins.py", "import indexer.imaging.masks", "The store takes plain values, not what makes them"),
    ("files/walking.py", "import sqlite3", "Only the store knows SQL"),
    ("errors.py", "import typer", "Only cli knows the command line"),
    ("workflows/admin/status.py", "import jinja2", "Only web knows Jinja2"),
    ("execution/executor.py", "import dask", "Only execution knows Dask"),
    ("web/rendering.py", "import starlette", "Only the web server knows Starlette and uvicorn"),
]


@pytest.fixture(scope="module")
def broken_contracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What import-linter reports of each broken contract, by its name, in a copy with all violations."""
    copy = tmp_path_factory.mktemp("violations")
    shutil.copytree(ROOT / "indexer", copy / "indexer", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for file, line, _ in VIOLATIONS:
        with (copy / "indexer" / file).open("a") as module:
            module.write(f"\n{line}\n")
    done = lint(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    sections = re.split(r"^(\S.*)\n-{5,}\n", done.stdout, flags=re.MULTILINE)
    return dict(zip(sections[1::2], sections[2::2], strict=True))


@pytest.mark.parametrize(("file", "line", "contract"), VIOLATIONS)
def test_violation_is_seen(broken_contracts: dict[str, str], file: str, line: str, contract: str) -> None:
    """A planted import, or a module on no layer, breaks its contract and is named."""
    module = "indexer." + file.removesuffix(".py").replace("/", ".")
    report = f"- {module} -> {line.removeprefix('import ')} (" if line else f"- {module}\n"
    assert report in broken_contracts[contract].replace("-   ", "- ")


def test_each_contract_was_broken_once() -> None:
    """Every contract of pyproject.toml has a planted violation above."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == {broken for _, _, broken in VIOLATIONS}


def test_top_level() -> None:
    """The top level holds what it should and nothing else that would be committed."""
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()} | {".git"}
    there = {path.name for path in ROOT.iterdir() if path.name not in ignored and not path.match("*.egg-info")}
    assert there == TOP_LEVEL


def test_module_names() -> None:
    """No module is named for the lack of a name."""
    vague = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc", "tools"}
    assert [name_of(path) for path in SOURCES if vague & {*path.parts, path.stem}] == []


PRIVATE_WORDS = {"told", "said", "heard", "anew", "wish", "shelf", "seat", "errand", "album", "tour", "wanted"}


def defined_names(source: str) -> Iterator[tuple[int, str]]:
    """The names that a source defines, with their lines: functions, classes, arguments, assignments, aliases."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.asname is not None:
            yield node.lineno, node.asname
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name is not None:
            yield node.lineno, node.name


def private_words(source: str) -> list[tuple[int, str]]:
    """The names defined in a source that hold a word of a private language; of its own columns there is none."""
    words = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")
    return [
        (line, name) for line, name in defined_names(source) if PRIVATE_WORDS & {*map(str.lower, words.findall(name))}
    ]


def test_names_are_the_fields_own() -> None:
    """No name that the program defines holds a word of a private language."""
    found = {name_of(path): names for path in PROGRAM if (names := private_words(path.read_text()))}
    assert found == {}


def test_names_of_tests_are_the_fields_own() -> None:
    """No name of a test holds a word of a private language."""
    tests = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if "old" not in path.parts]
    names = [name for path in tests for _, name in private_words(path.read_text()) if name.startswith("test_")]
    assert names == []


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("def told() -> None: ...", True),
        ("class _FarShelf: ...", True),
        ("lambda wanted_area: 1", True),
        ("self.album = 1", True),
        ("from x import y as tour", True),
        ("untold = seating = shelves = 1", False),
        ("told.append(1)", False),
    ],
)
def test_a_private_word_is_seen(line: str, seen: bool) -> None:
    """A planted definition is found, whole words alone, and a use of another's name is not."""
    assert bool(private_words(line)) is seen


def test_class_names_mean_one_thing() -> None:
    """No two classes of the program have one name."""
    classes = Counter(
        node.name
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in classes.items() if count > 1] == []


def limits_compared(source: str) -> list[int]:
    """The lines that compare something with a `max_score`, as only the rule of similarity may."""
    ordered = ast.Lt | ast.LtE | ast.Gt | ast.GtE
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ordered):
            sides = [node.left, *node.comparators]
            names = {getattr(side, "attr", getattr(side, "id", None)) for side in sides}
            if "max_score" in names and not any(isinstance(side, ast.Constant) for side in sides):
                lines.append(node.lineno)
    return lines


def test_similar_is_decided_in_one_place() -> None:
    """Only `is_similar` compares a score with the limit; a profile's numbers and SQL, which is asked in SQL, aside."""
    places = {name_of(path) for path in PROGRAM if limits_compared(path.read_text())}
    assert places == {
        "indexer/domain/similarity.py",
        "indexer/domain/profiles.py",  # whether the limits of a profile make sense
        "indexer/store/borderline.py",  # in SQL
    }


def test_modules_are_explained() -> None:
    """Every module opens with what it holds."""
    assert [name_of(path) for path in SOURCES if ast.get_docstring(ast.parse(path.read_text())) is None] == []


def public_functions(path: Path) -> Iterator[Function | ast.ClassDef]:
    """The functions, methods and classes of a file that others may use."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                yield node
                waiting += [node] if isinstance(node, ast.ClassDef) else []


def test_public_functions_are_explained() -> None:
    """Every public function, method and class says in one line what comes back, or what it is."""
    bare = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in public_functions(path)
        if ast.get_docstring(node) is None
    ]
    assert bare == []


def code_lines(function: Function) -> int:
    """Lines of code of a function: blank lines, comments and the docstring do not count."""
    first = function.body[1:] if ast.get_docstring(function) is not None else function.body
    lines = {function.lineno}
    for statement in first:
        for node in ast.walk(statement):
            lines |= {getattr(node, "lineno", function.lineno), getattr(node, "end_lineno", function.lineno)}
    signature = range(function.lineno, function.body[0].lineno)
    return len(lines | set(signature))


def test_functions_are_small() -> None:
    """No function has more than 40 lines of code; migrations are records of what was done, not functions to read."""
    large = [
        f"{name_of(path)}:{node.lineno} {node.name}: {code_lines(node)}"
        for path in SOURCES
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, Function) and code_lines(node) > 40
    ]
    assert large == []


def test_files_are_small() -> None:
    """No source file has more than 400 lines."""
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_tests_state_promises() -> None:
    """Every test says in its docstring what is promised."""
    silent = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, Function) and node.name.startswith("test_") and ast.get_docstring(node) is None
    ]
    assert silent == []


PUBLIC_OF_NAMED_TUPLES = {"_replace", "_asdict", "_fields", "_make"}
PATCHING = {"setattr", "getattr", "delattr", "hasattr"}


def is_private(name: object) -> bool:
    """Whether a name, or the last part of a dotted one, is private: `_name`, but not `__name__` or `_`."""
    return isinstance(name, str) and re.search(r"(^|\.)_[A-Za-z]\w*$", name) is not None


def own_names(tree: ast.AST) -> set[str]:
    """The names that a module defines itself, attributes of `self` among them."""
    attributes = (
        node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    )
    of_self = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "self"}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, Function | ast.ClassDef)}
    fields = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return of_self | defined | fields | PUBLIC_OF_NAMED_TUPLES


def foreign_private_names(source: str) -> list[tuple[int, str]]:
    """The private names of other modules that a source uses, with their lines; those of the standard library aside."""
    tree = ast.parse(source)
    own, used = own_names(tree), list[tuple[int, str]]()
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.Import))
    library = {name.name for node in imports for name in node.names} & sys.stdlib_module_names
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_library = isinstance(node.value, ast.Name) and node.value.id in library
            used += [(node.lineno, node.attr)] if not of_library else []
        elif isinstance(node, ast.ImportFrom):
            used += [(node.lineno, name.name) for name in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in PATCHING:
            texts = (word.value for word in node.args[:2] if isinstance(word, ast.Constant))
            used += [(node.lineno, text) for text in texts if isinstance(text, str)]
    return sorted((line, name) for line, name in used if is_private(name) and name not in own)


def test_tests_use_public_names() -> None:
    """No test uses or replaces a private name of another module."""
    tests = {name_of(path): path for path in sorted((ROOT / "tests").rglob("*.py"))}
    private = {name: foreign_private_names(path.read_text()) for name, path in tests.items()}
    assert {name: uses for name, uses in private.items() if uses} == {}


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('monkeypatch.setattr(searcher, "_LIMIT", 0)', True),
        ('monkeypatch.setattr("indexer.files.moving._drop", drop)', True),
        ("from indexer.store.pins import _rows", True),
        ("moving._drop(path)", True),
        ("writer._write([])", True),
        ('monkeypatch.setattr(searcher, "LIMIT", 0)', False),
        ("import os\nos._exit(0)", False),
        ("class Counter:\n    def count(self, other):\n        self._total = other._total", False),
        ("row._replace(id=1).__class__", False),
    ],
)
def test_a_foreign_private_name_is_seen(line: str, seen: bool) -> None:
    """A planted use of another module's private name is found; own names and those of the library are not."""
    assert bool(foreign_private_names(line)) is seen


def drills(source: str) -> dict[str, bool]:
    """The tests of a source, and whether each bears the mark of what is left out by default."""
    tests = [node for node in ast.walk(ast.parse(source)) if isinstance(node, Function)]
    return {
        node.name: any("mark.drill" in ast.unparse(mark) for mark in node.decorator_list)
        for node in tests
        if node.name.startswith("test_")
    }


def test_drills_are_left_out_by_default() -> None:
    """The tests in tests/drills, and no others, bear the mark that leaves them out by default."""
    marked = {
        (path.parent == ROOT / "tests" / "drills", is_drill)
        for path in (ROOT / "tests").rglob("test_*.py")
        for is_drill in drills(path.read_text()).values()
    }
    assert marked == {(True, True), (False, False)}


def test_nothing_of_one_machine() -> None:
    """No file names a place of one machine, or the address of a package host."""
    places = "|".join(
        ["/ro" + "ot/", "/ho" + "me/[a-z]+/", "/wo" + "rk/", "/Us" + "ers/", "pyp" + r"i\.org", "pythonho" + "sted"]
    )
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in tracked()
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), start=1)
        if re.search(places, line)
    ]
    assert found == []


def proposals_by_hand(source: str) -> list[int]:
    """The lines of a source that write a command of ours into a message, or quote for a shell, by themselves.

    Docstrings propose nothing. Bytes hold no name of anything: they are not made from what is known.
    """
    tree = ast.parse(source)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, Function | ast.ClassDef | ast.Module)]
    silent = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in silent)
    lines = [node.lineno for node in texts if isinstance(node.value, str) and "manage.py" in node.value]
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    names = {node.lineno: [getattr(node, "module", None), *(one.name for one in node.names)] for node in imports}
    return sorted(lines + [line for line, said in names.items() if {"shlex", "program_name"} & set(said)])


def test_commands_are_proposed_in_one_way() -> None:
    """Every command that a message proposes is made by `command_line`, so that no name in it runs when it is pasted."""
    # The second names the program to the command line, the third knows a command in a sentence by it.
    by_itself = {"indexer/escaping.py", "indexer/cli/main.py", "indexer/cli/word_wrap.py"}
    assert {
        name_of(path): lines
        for path in SOURCES
        if name_of(path) not in by_itself and (lines := proposals_by_hand(path.read_text()))
    } == {}


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('raise ImageError(f"gone; type: manage.py restore {path}")', True),
        ('say("Next: manage.py compare")', True),
        ('say("Next: " "manage.py " + name)', True),
        ("import shlex", True),
        ("from shlex import quote", True),
        ("from indexer.escaping import program_name", True),
        ("say(f\"Next: {command_line('compare')}\")", False),
        ('def act():\n    """As `manage.py compare` does."""', False),
    ],
)
def test_a_command_by_hand_is_seen(line: str, seen: bool) -> None:
    """A message that writes a command by itself is found; one that calls `command_line`, and a docstring, are not."""
    assert bool(proposals_by_hand(line)) is seen


def escapes_by_hand(source: str) -> list[int]:
    """The lines of a source that escape all that is not ASCII: by `!a` in an f-string, or by `ascii`."""
    nodes = list(ast.walk(ast.parse(source)))
    lines = [node.lineno for node in nodes if isinstance(node, ast.FormattedValue) and node.conversion == ord("a")]
    return sorted(lines + [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == "ascii"])


def test_names_are_shown_in_one_way() -> None:
    """A message shows names of any alphabet as they are: by `!r` in a sentence, by `printable` alone on a line."""
    # The second tells names apart that look the same, the third compares with what earlier versions stored.
    by_itself = {"indexer/escaping.py", "indexer/cli/render/notes.py", "indexer/workflows/admin/watches.py"}
    assert {name_of(path) for path in SOURCES if escapes_by_hand(path.read_text())} == by_itself


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('say(f"no {name!a}")', True),
        ("map(ascii, names)", True),
        ("ascii(name)[1:-1]", True),
        ('say(f"no {name!r}")', False),
        ('text.encode("ascii")', False),
    ],
)
def test_an_escape_by_hand_is_seen(line: str, seen: bool) -> None:
    """A planted line that escapes a name in another way is found."""
    assert bool(escapes_by_hand(line)) is seen


def test_pages_propose_what_never_changes() -> None:
    """A command on a page has the name that was typed, and holds nothing that is filled in."""
    files = [path for path in (ROOT / "indexer" / "web").rglob("*") if path.suffix in {".html", ".js"}]
    texts = [path.read_text() for path in files]
    commands = [command for text in texts for command in re.findall(r"command\((.*?)\) \}\}", text)]
    assert commands
    assert [command for command in commands if not re.fullmatch(r'"[\w.-]+"(, "[\w.-]+")*|"FOLDER"', command)] == []
    assert [path.name for path, text in zip(files, texts, strict=True) if "manage.py" in text] == []


WRITING = {
    "write_text",
    "write_bytes",
    "mkdir",
    "makedirs",
    "touch",
    "O_CREAT",
    "mkstemp",
    "NamedTemporaryFile",
    "copyfile",
}
WRITERS = {
    "indexer/files/private.py": "the way for all others",
    "indexer/files/io_steps.py": "copies of images on their way, under new names, with the rights of the image",
    "indexer/files/known_indexes.py": "in a folder that it holds open and has looked at, under a new name",
    "indexer/imaging/private_cache.py": "what can be made again, in a package that knows no files; closed by itself",
    "indexer/store/index_disk.py": "a file of its own beside the index, by tempfile, that goes at once",
    "indexer/cli/main.py": "a log with a name of its own, made by tempfile",
    "indexer/workflows/compare/shared_progress.py": "numbers for a bar, in a file made by tempfile that goes at once",
}


def files_by_hand(source: str) -> list[int]:
    """The lines of a source that make or write a file or a folder without `indexer.files.private`."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in WRITING:
            lines.append(node.lineno)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "open":
            words = [*node.args, *(word.value for word in node.keywords)]
            modes = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
            lines += [node.lineno for mode in modes if re.fullmatch(r"[rbt]*[wax+][rwaxbt+]*", mode)]
    return sorted(lines)


def test_files_are_written_in_one_way() -> None:
    """Whatever makes or writes a file of ours does so by `indexer.files.private`: closed to others, through no link."""
    found = {name_of(path) for path in SOURCES if files_by_hand(path.read_text())}
    assert found == WRITERS.keys()


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('Path(name).write_text("x")', True),
        ('Path(name).open("xb")', True),
        ('open(name, mode="a", encoding="utf-8")', True),
        ("os.open(name, os.O_WRONLY | os.O_CREAT)", True),
        ("folder.mkdir()", True),
        ('open(name, encoding="utf-8-sig", errors="surrogateescape", newline="")', False),
        ("Path(name).open()", False),
        ("private.write_new(name, data)", False),
    ],
)
def test_a_file_by_hand_is_seen(line: str, seen: bool) -> None:
    """A planted line that makes or writes a file by itself is found."""
    assert bool(files_by_hand(line)) is seen


REMOVING = {"unlink", "rmtree", "rename", "renames", "remove", "removedirs", "replace", "truncate"}
TAKING = {"move_no_replace", "delete_witnessed"}
REMOVERS = {
    "indexer/files/io_steps.py": "the steps of a removal, each by itself",
    "indexer/files/moving.py": "how a file is moved and deleted, by those steps",
    "indexer/workflows/removal/remove_file.py": "prune",
    "indexer/workflows/removal/purge.py": "purge",
    "indexer/workflows/removal/restore.py": "restore, out of quarantine",
    "indexer/workflows/removal/rescue.py": "rescue, out of quarantine",
    "indexer/workflows/runs/recovery.py": "finishes or undoes what a crash left",
    "indexer/workflows/removal/safeguards.py": "a probe that it made",
    "indexer/files/quarantine.py": "the manifest of a run whose files are all gone from quarantine",
    "indexer/files/private.py": "files of the program that it writes, on their way",
    "indexer/files/output_folder.py": "pages of an earlier report, by their names",
    "indexer/files/new_output.py": "an export on its way",
    "indexer/files/partial_frames.py": "frames on their way, before they are images",
    "indexer/files/frame_files.py": "a frame that no row has",
    "indexer/files/pending_entries.py": "lines of the record that wait, once they are written",
    "indexer/files/known_indexes.py": "notes about other indexes",
    "indexer/workflows/record/read_source.py": "a frame on its way",
    "indexer/workflows/capture/store_frames.py": "frames on their way",
    "indexer/imaging/private_cache.py": "what can be made again",
    "indexer/store/index_disk.py": "a probe that it made",
    "indexer/store/locks/run_lock.py": "the lock of a run that ended",
    "indexer/store/transfer/backup.py": "a backup on its way",
    "indexer/store/transfer/new_index.py": "an index that could not be filled",
}


def removals_by_hand(source: str) -> list[int]:
    """The lines of a source that take a file away, or give it another name."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in REMOVING:
            of_module = getattr(node.value, "id", "") in {"os", "shutil", "io_steps"}
            lines += [node.lineno] * (of_module or node.attr in {"unlink", "rename"})
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "replace" and len(node.args) == 1:
            lines.append(node.lineno)  # of a Path; that of a text has two arguments, that of a time names them
        if isinstance(node, ast.ImportFrom) and node.module in {"os", "shutil"}:
            lines += [node.lineno for name in node.names if name.name in REMOVING]
        if isinstance(node, ast.Name) and node.id in TAKING:
            lines.append(node.lineno)
    return sorted(lines)


def test_files_are_removed_in_few_modules() -> None:
    """No other module takes a file away: of images only those of prune and purge, and of recovery, do."""
    found = {name_of(path) for path in PROGRAM if removals_by_hand(path.read_text())}
    assert found == REMOVERS.keys()


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("os.unlink(path)", True),
        ("Path(path).unlink()", True),
        ("shutil.rmtree(folder)", True),
        ("os.replace(partial, path)", True),
        ("Path(path).rename(target)", True),
        ("Path(path).replace(target)", True),
        ("from shutil import rmtree", True),
        ("move_no_replace(path, target, expected=identity)", True),
        ('path.replace("a", "b")', False),
        ("io_steps.sync_folder(folder)", False),
    ],
)
def test_a_removal_by_hand_is_seen(line: str, seen: bool) -> None:
    """A planted line that takes a file away is found."""
    assert bool(removals_by_hand(line)) is seen
