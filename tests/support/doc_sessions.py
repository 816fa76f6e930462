"""Runs the sessions of the documentation, and compares what is printed with what a page shows.

Each page has one session: its `console` blocks, in order, in a folder of its own with the demo's frames. A `toml` block
is the configuration file from there on. Some things
differ from run to run or between versions. They are made equal first: the folder, times of the clock, sizes of files
(they depend on the JPEG encoder), white space, and how Typer sets arguments and types in a help text.
"""

import contextlib
import difflib
import io
import re
import shlex
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import typer

from indexer.cli.app import app
from indexer.cli.main import main
from indexer.workflows.admin.demo import write_frames
from tests.support.doc_pages import Block, blocks
from tests.support.videos import make_video

SHOWN_FOLDER = "/data"
_RECORDED_FRAMES = 10


@dataclass(frozen=True)
class Step:
    """A command that a page shows, with the output shown below it."""

    command: str
    shown: str


@dataclass
class Played:
    """A page after its session: its text as it should be, and how the page differs from that."""

    text: str
    differences: list[str]
    steps: int


def make_folder(folder: Path) -> Path:
    """A folder with what a session begins with: the frames of the lot, in `lot`, and a video of them, in `recorder`."""
    folder.mkdir()
    (folder / "lot").mkdir(0o700)
    for name, data in _lot_frames().items():
        (folder / "lot" / name).write_bytes(data)
    (folder / "recorder").mkdir(0o700)
    (folder / "recorder" / "gate_2026_03_01__12_00_00.mp4").write_bytes(_lot_video())
    return folder


@cache
def _lot_frames() -> dict[str, bytes]:
    """The demo's frames of the lot, by name; made once, as drawing them takes seconds."""
    with TemporaryDirectory() as folder:
        write_frames(Path(folder))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("lot*"))}


@cache
def _lot_video() -> bytes:
    """A video of the first frames of the lot, each for two seconds, with a keyframe each second."""
    frames = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) for data in _lot_frames().values()]
    pictures = [frame for frame in frames[:_RECORDED_FRAMES] if frame is not None for _ in range(10)]
    height, width = pictures[0].shape[:2]
    with TemporaryDirectory() as folder:
        path = make_video(Path(folder) / "lot.mp4", rate=5, keyframe_every=5, pictures=pictures, size=(height, width))
        return path.read_bytes()


@cache
def _command_line() -> Any:
    return typer.main.get_command(app)


def run(command: str, *, folder: Path) -> str:
    """What a command prints, run in a folder as the pages have it."""
    program, name, *words = shlex.split(command)
    assert (program, name) == ("python", "manage.py"), command
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = main(app, words)
    assert code == 0, f"{command}\n{printed.getvalue()}"
    return printed.getvalue()


def steps(body: str) -> list[Step]:
    """The commands of a console block."""
    parts = re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]
    return [Step(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def play(text: str, *, folder: Path, kind: str = "console", names: Mapping[str, str] | None = None) -> Played:
    """Plays the session of a page in a folder; `names`: what stands for what in its commands and outputs."""
    played = Played("", [], 0)
    position = 0
    for block in blocks(text):
        played.text += text[position : block.start]
        position = block.end
        if block.kind == kind:
            played.text += "\n".join(_play_steps(block, played, folder=folder, names=names or {})) + "\n"
            continue
        played.text += block.body
        if block.kind == "toml" and kind == "console":
            (folder / "indexer.toml").write_text(block.body)
        if block.kind == "before" and kind == "console":
            for command in block.body.splitlines():
                run(command, folder=folder)
        if block.kind == "sql" and kind == "console":
            played.differences += query_problems(block.body, folder=folder)
            played.steps += 1
    played.text += text[position:]
    return played


def _play_steps(block: Block, played: Played, *, folder: Path, names: Mapping[str, str]) -> Iterator[str]:
    """Yields each command of a block and its output, with an empty line before the next command."""
    back = {there: here for here, there in names.items()}
    for number, step in enumerate(steps(block.body)):
        printed = _replaced(run(_replaced(step.command, names), folder=folder), back)
        found = difference(step, printed, folder=folder)
        played.steps += 1
        if found:
            played.differences.append(f"$ {step.command}\n{found}")
        yield f"\n$ {step.command}" if number else f"$ {step.command}"
        yield (as_shown(printed, folder=folder) if found else step.shown).rstrip("\n")


def query_problems(query: str, *, folder: Path) -> list[str]:
    """What is wrong with a query: it must have rows, as many by `audit --sql` as by SQLite itself."""
    with closing(sqlite3.connect(f"{(folder / 'indexer.db').as_uri()}?mode=ro", uri=True)) as reader:
        rows = reader.execute(query).fetchall()
    lines = levelled(run(shlex.join(["python", "manage.py", "audit", "--sql", query]), folder=folder), folder=folder)
    return [] if rows and len(lines) == 1 + len(rows) else [f"{query}has {len(rows)} rows and {len(lines)} lines"]


def _replaced(text: str, names: Mapping[str, str]) -> str:
    return re.sub("|".join(map(re.escape, names)), lambda match: names[match[0]], text) if names else text


def levelled(text: str, *, folder: Path) -> list[str]:
    """The lines of an output without what may differ."""
    text = text.replace(str(folder), SHOWN_FOLDER)
    text = re.sub(r"(?!2026-03-01)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "NOW", text)
    text = re.sub(r"\d[\d,]*(\.\d+)? ([kMG]B|bytes?)\b", "SIZE", text)
    lines = (" ".join(line.replace("─", "").split()) for line in text.splitlines())
    return [line for line in lines if line]


def help_words(text: str) -> list[str]:
    """The words of a help text, one a line, without the signs and types that Typer sets around arguments."""
    return re.sub(r"<[a-z\[\]]+>|\.\.\.|[{}\[\]]", " ", text).split()


def difference(step: Step, printed: str, *, folder: Path) -> str:
    """How the output that a step shows differs from what was printed; empty if it does not."""
    level: Callable[[str], list[str]] = lambda text: levelled(text, folder=folder)  # noqa: E731
    level = help_words if "--help" in step.command else level
    return "\n".join(difflib.unified_diff(level(step.shown), level(printed), "shown", "printed", lineterm=""))


def as_shown(printed: str, *, folder: Path) -> str:
    """An output as a page shows it: with the short name of the folder, and with tables as narrow as that allows."""
    paragraphs = groupby(printed.splitlines(), key=lambda line: bool(line.strip()))
    lines = [line for _, group in paragraphs for line in _shorten_folder(list(group), str(folder))]
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def _shorten_folder(lines: list[str], folder: str) -> list[str]:
    """The lines of a paragraph with the short name of the folder; the columns of a table stay aligned."""
    if not any(folder in line for line in lines):
        return lines
    if not any("─" in line and line.strip(" ─") == "" for line in lines):
        return [line.replace(folder, SHOWN_FOLDER) for line in lines]
    blanks = " " * (len(folder) - len(SHOWN_FOLDER))
    path = re.compile(rf"{re.escape(folder)}(\S*)")
    return _narrowed([path.sub(rf"{SHOWN_FOLDER}\1{blanks}", line) for line in lines])


def _narrowed(lines: list[str]) -> list[str]:
    """The lines of a table without columns of blanks beyond three."""
    width = max(map(len, lines))
    padded = [line.ljust(width) for line in lines]
    blank = [all(line[column] in " ─" for line in padded) for column in range(width)]
    kept = [column for column in range(width) if column < 3 or not all(blank[column - 3 : column + 1])]
    return ["".join(line[column] for column in kept) for line in padded]


def command_problems(words: Sequence[str]) -> Iterator[str]:
    """Yields why the command line does not take these words; it runs nothing."""
    rest = list(words[2:] if words[:1] == ["--db"] else words)
    command = _find_command(rest)
    if hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        yield f"{shlex.join(words)}: no such command"
        return
    try:
        command.make_context("manage.py", rest)
    except Exception as problem:
        if not hasattr(problem, "format_message"):
            raise
        yield f"{shlex.join(words)}: {problem.format_message()}"


def _find_command(words: list[str]) -> Any:
    """The command that words begin with; its name is taken out of them."""
    command = _command_line()
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    return command


def shell_commands(body: str) -> list[list[str]]:
    """The words of each command of ours in a shell block."""
    lines = re.findall(r"^python manage\.py (.*)$", body, flags=re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def unknown_options(code: str) -> list[str]:
    """The options in inline code that the command named there does not have; none if it names no command."""
    words = re.sub(r"^(python )?(manage\.py )?", "", code).split()
    command = _find_command(words)
    if hasattr(command, "commands"):
        return []
    known = {"--help", *(option for item in command.params for option in (*item.opts, *item.secondary_opts))}
    return [option for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", " ".join(words)) if option not in known]
