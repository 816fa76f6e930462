"""The page that a command writes on: where its words and its JSON go, its progress, and the things it is given to
work with.

People's text goes to stdout, or to stderr when JSON has stdout; progress goes to stderr and only to a terminal.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from getpass import getpass
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from indexer.cli.descriptors import FOR_A_CLUSTER_WORKER, FOR_A_COMMAND, FOR_A_PROCESS, require_descriptors
from indexer.cli.engine_options import Asked, Workers, workers
from indexer.cli.main import fall_silent
from indexer.cli.render.known_indexes import with_known
from indexer.errors import Declined, NoIndexProblem, UsageProblem
from indexer.escaping import printable
from indexer.execution import IN_FLIGHT, UNBOUNDED, Bounds, Map, engine, processes
from indexer.files.known_indexes import KnownIndexes
from indexer.settings import Settings
from indexer.store.database import Database
from indexer.store.query_result import Table
from indexer.store.schema import open_database
from indexer.workflows.compare.workload import PRELOADED, is_worth_workers

if TYPE_CHECKING:
    from indexer.imaging.headers import Limits

Report = TypeVar("Report")

_WIDE = (
    400  # of text that goes to a file or a pipe: tables must not be cut to the width of a terminal that is not there
)
_READ_AT_ONCE = 8  # files that a worker is given together
_CAMERAS_IN_FLIGHT = 2  # per worker, as their thumbnails wait in memory


class Page:
    """What one command works with and writes on; a context manager that ends its progress."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self.settings = settings
        self._as_json = as_json
        stream = sys.stderr if as_json else sys.stdout
        self.words = _Words(
            file=stream,
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=True,
            width=None if stream.isatty() else _WIDE,
        )
        self._stack = ExitStack()
        self._bars: Progress | None = None

    def __enter__(self) -> "Page":
        require_descriptors(FOR_A_COMMAND)
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    @contextmanager
    def database(self, *, create: bool = False) -> Iterator[Database]:
        """The index, open until the end of the block."""
        try:
            opened = open_database(self.settings.database, create=create)
        except NoIndexProblem as problem:
            if self.settings.is_database_named:
                raise
            raise with_known(problem, self.known_indexes.list_indexes()) from problem
        try:
            yield opened
        finally:
            opened.close()

    @property
    def known_indexes(self) -> KnownIndexes:
        """The indexes that this person used."""
        return KnownIndexes(self.settings.state_folder)

    def engine(self, asked: Asked | int | None, database: Database) -> AbstractContextManager[Map]:
        """The engine that was asked for, or that the settings say; workers get ready at once if the index has work for
        them. A number is of processes."""
        who = self._workers(asked)
        if who.on_cluster:
            return who.cluster(bounds=UNBOUNDED, at_once=1, in_flight=_CAMERAS_IN_FLIGHT)
        preload = PRELOADED if is_worth_workers(database) else ()
        return engine(who.number, in_flight=_CAMERAS_IN_FLIGHT, preload=preload)

    def guarded_engine(self, asked: Asked | int | None) -> AbstractContextManager[Map]:
        """The same for files that nobody has decoded yet: never in this process, and within bounds."""
        who = self._workers(asked)
        bounds = Bounds(self.settings.max_memory_mb * 2**20, self.settings.max_seconds)
        if who.on_cluster:
            return who.cluster(bounds=bounds, at_once=_READ_AT_ONCE, in_flight=IN_FLIGHT)
        return processes(who.number, bounds=bounds, at_once=_READ_AT_ONCE)

    def _workers(self, asked: Asked | int | None) -> Workers:
        who = workers(asked if isinstance(asked, Asked) else Asked(asked, "processes"), self.settings)
        of_each = FOR_A_CLUSTER_WORKER if who.on_cluster else FOR_A_PROCESS
        require_descriptors(FOR_A_COMMAND + (0 if who.address else of_each * who.number))
        return who

    @property
    def limits(self) -> "Limits":
        """The limits of intake."""
        from indexer.imaging.headers import Limits  # with it come the libraries that know pictures

        return Limits(max_pixels=self.settings.max_pixels, max_bytes=self.settings.max_bytes)

    def clock(self) -> datetime:
        """The time now."""
        return datetime.now(UTC)

    def progress(self, stage: str, total: int | None) -> Callable[[int], None]:
        """Begins a bar, on a terminal, and gives the function that advances it."""
        if not sys.stderr.isatty() or not total:
            return lambda _count: None
        if self._bars is None:
            # A descriptor of its own: decoders write to number 2, which is turned away while they run.
            terminal = self._stack.enter_context(os.fdopen(os.dup(2), "w"))
            bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                _Rate(),
                TimeRemainingColumn(),
                console=Console(file=terminal, markup=False, force_terminal=True),
            )
            self._bars = self._stack.enter_context(bars)
        bars, task = self._bars, self._bars.add_task(printable(stage), total=total)
        return lambda count: bars.update(task, advance=count)

    def show(self, report: Report, in_words: Callable[[Console, Report], None]) -> None:
        """Shows a report: in words to people, as the one JSON document to programs."""
        self._stack.close()
        self._bars = None
        in_words(self.words, report)
        if self._as_json:
            try:
                sys.stdout.write(json.dumps(plain(report), indent=2) + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                fall_silent(sys.stdout)

    @property
    def can_ask(self) -> bool:
        """Whether a person is here to answer."""
        return sys.stdin.isatty()

    def show_table(self, table: Table) -> None:
        """Shows the answer of a query: as a table to people, as the one JSON document to programs, row by row."""
        from indexer.cli.render import query_rows, words

        self._stack.close()
        self._bars = None
        if self._as_json:
            words.counted(self.words, table)
            query_rows.write_json(sys.stdout, table)
        else:
            query_rows.write_rows(self.words, table)

    def ask_password(self) -> str:
        """A new password: from the settings, else typed twice on a terminal without being shown, else a line of
        stdin."""
        if self.settings.reader_password is not None:
            return self.settings.reader_password
        try:
            if not sys.stdin.isatty():
                return sys.stdin.readline().rstrip("\r\n")
            typed = getpass("Password of the reader: ")
            again = getpass("The same again: ")
        except (UnicodeDecodeError, EOFError):
            raise UsageProblem("the password cannot be read; give it in UTF-8") from None
        if typed != again:
            raise UsageProblem("the two passwords are not the same; nothing was done")
        return typed

    def ask(self, question: str, *, instead: str) -> None:
        """Goes on only if the person says yes; refused where nobody can answer."""
        if not self.can_ask:
            raise UsageProblem(f"nobody is here to be asked; {instead}")
        self.words.print(f"{question} [y/N] ", end="")
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise Declined("nothing was done, as you did not say yes")


class _Words(Console):
    """A console that goes on in silence when its reader has gone: a plan that nobody reads must not stop the work."""

    def on_broken_pipe(self) -> None:
        """Falls silent, where rich would end the process."""
        self.quiet = True
        fall_silent(self.file)


class _Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        """The rate so far."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f}/s")


def plain(value: Any) -> Any:
    """A report as JSON has it: objects, lists, text, numbers; times in ISO 8601; lone surrogates of paths escaped."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return None  # JSON has no such number
    return value
