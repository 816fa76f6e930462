"""What a command works with: the index, the executor, the clock, and its output of text, JSON and progress.

Text for people goes to stdout; beside JSON there is none but questions and warnings, on stderr. Progress goes to stderr
and only to a terminal. On a terminal sentences are broken between words.
"""

import gc
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from getpass import getpass
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console

from indexer.cli.descriptors import FOR_A_CLUSTER_WORKER, FOR_A_COMMAND, FOR_A_PROCESS, require_descriptors
from indexer.cli.engine_options import EngineChoice, EngineOptions, choose_engine
from indexer.cli.json_documents.form import to_document
from indexer.cli.json_output import unfinished_document
from indexer.cli.render.known_indexes import name_known_indexes
from indexer.cli.streams import print_line, redirect_to_devnull
from indexer.cli.word_wrap import wrap_words
from indexer.errors import DeclinedError, InterruptedRunError, NoIndexError, UsageError
from indexer.escaping import printable
from indexer.execution import IN_FLIGHT, UNLIMITED, ParallelMap, ResourceLimits
from indexer.files.known_indexes import KnownIndexes
from indexer.settings import Settings
from indexer.store.database import Database
from indexer.store.query_result import QueryResult
from indexer.store.schema import open_database
from indexer.workflows.compare.workload import PRELOADED_MODULES, should_start_workers

if TYPE_CHECKING:
    from rich.progress import Progress

    from indexer.domain.descriptions import Limits

Report = TypeVar("Report")

_PLAIN: Any = {"markup": False, "highlight": False, "emoji": False, "soft_wrap": True}
_WIDTH = 400  # of text for a file or a pipe: without a terminal, no table is cut
_HARD_LIMIT = 1.5  # times the time of a video: then its worker is killed, if it did not end by itself
_READ_AT_ONCE = 8  # files that a worker gets in one task
_CAMERAS_IN_FLIGHT = 2  # per worker, because their thumbnails wait in memory


class CommandSession:
    """The resources and outputs of one command; a context manager that ends its progress bars."""

    def __init__(self, settings: Settings, *, as_json: bool, quiet: bool = False) -> None:
        self.settings = settings
        self._as_json = as_json
        self._quiet = quiet
        stream = sys.stderr if as_json else sys.stdout
        width = None if stream.isatty() else _WIDTH
        self.console = _PatientConsole(file=stream, width=width, quiet=as_json or quiet, **_PLAIN)
        self._stack = ExitStack()
        self._bars: Progress | None = None

    def __enter__(self) -> "CommandSession":
        gc.freeze()  # what was imported stays to the end: no collection looks at it
        gc.enable()
        require_descriptors(FOR_A_COMMAND)
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    @contextmanager
    def database(self, *, create: bool = False) -> Iterator[Database]:
        """The index, open until the end of the block."""
        try:
            opened = open_database(self.settings.database, create=create)
        except NoIndexError as problem:
            if self.settings.is_database_named:
                raise
            raise name_known_indexes(problem, self.known_indexes.list_indexes()) from problem
        try:
            yield opened
        finally:
            opened.close()

    @property
    def known_indexes(self) -> KnownIndexes:
        """The indexes that this person used."""
        return KnownIndexes(self.settings.state_folder)

    def engine(self, options: EngineOptions | int | None, database: Database) -> AbstractContextManager[ParallelMap]:
        """The executor that the options or the settings name; its workers start at once if the index has work for them.

        `options` as a number is a number of processes.
        """
        choice = self._workers(options)
        if choice.on_cluster:
            return choice.cluster(
                resource_limits=UNLIMITED,
                file_limits=self._file_limits,
                max_batch=1,
                in_flight=_CAMERAS_IN_FLIGHT,
            )
        from indexer.execution import local_executor  # here, as most commands need no workers

        preload = PRELOADED_MODULES if should_start_workers(database) else ()
        return local_executor(choice.number, in_flight=_CAMERAS_IN_FLIGHT, preload=preload)

    def guarded_engine(
        self,
        options: EngineOptions | int | None,
        *,
        max_seconds: float | None = None,
        preload: Sequence[str] = (),
    ) -> AbstractContextManager[ParallelMap]:
        """An executor for files that were never decoded before: never in this process, with memory and time limits.

        `max_seconds`: for one file, if that is less than the settings allow. `preload`: modules that its workers need,
        which are loaded at once, while this process does something else.
        """
        from indexer.execution import processes

        choice = self._workers(options)
        bounds = self._file_limits
        if max_seconds is not None:
            bounds = replace(bounds, time_s=min(max_seconds, self.settings.max_seconds))
        if choice.on_cluster:
            return choice.cluster(
                resource_limits=bounds, file_limits=bounds, max_batch=_READ_AT_ONCE, in_flight=IN_FLIGHT
            )
        return processes(choice.number, resource_limits=bounds, max_batch=_READ_AT_ONCE, preload=preload)

    def video_engine(
        self,
        options: EngineOptions | int | None,
        time_s: float,
        is_over: Callable[[], bool] | None = None,
        *,
        processes_at_once: int | None = None,
    ) -> AbstractContextManager[ParallelMap]:
        """The same for videos: a worker gets one at a time, and may work on it for `time_s` seconds.

        `is_over`: whether processes of this machine are to give the work up. `processes_at_once`: of this machine, in
        place of the number in the options.
        """
        from indexer.execution import processes

        choice = self._workers(options)
        bounds = ResourceLimits(self.settings.max_memory_mb * 2**20, time_s * _HARD_LIMIT + self.settings.max_seconds)
        if choice.on_cluster:
            return choice.cluster(resource_limits=bounds, file_limits=bounds, max_batch=1, in_flight=1)
        number = processes_at_once or choice.number
        return processes(number, resource_limits=bounds, max_batch=1, in_flight=1, is_over=is_over)

    @property
    def _file_limits(self) -> ResourceLimits:
        """The memory and time that one image file may take."""
        return ResourceLimits(self.settings.max_memory_mb * 2**20, self.settings.max_seconds)

    def _workers(self, options: EngineOptions | int | None) -> EngineChoice:
        typed = options if isinstance(options, EngineOptions) else EngineOptions(options, "processes")
        choice = choose_engine(typed, self.settings)
        of_each = FOR_A_CLUSTER_WORKER if choice.on_cluster else FOR_A_PROCESS
        require_descriptors(FOR_A_COMMAND + (0 if choice.address else of_each * choice.number))
        return choice

    @property
    def limits(self) -> "Limits":
        """The limits of ingest."""
        from indexer.domain.descriptions import Limits  # this import loads the image libraries

        return Limits(max_pixels=self.settings.max_pixels, max_bytes=self.settings.max_bytes)

    def clock(self) -> datetime:
        """The current time, aware UTC."""
        return datetime.now(UTC)

    def progress(self, stage: str, total: int | None) -> Callable[[int], None]:
        """Starts a progress bar on a terminal. Returns the function that advances it."""
        if not total or not self.is_watched:
            return lambda _count: None
        if self._bars is None:
            from indexer.cli.progress import progress_bars

            self._bars = self._stack.enter_context(progress_bars())
        bars, task = self._bars, self._bars.add_task(printable(stage), total=total)
        return lambda count: bars.update(task, advance=count)

    def _end_progress(self) -> None:
        """Ends the progress bars, so that text can be printed."""
        self._stack.close()
        self._bars = None

    def show_step(self, report: Report, render: Callable[[Console, Report], None]) -> None:
        """Shows people the report of one step, while the command goes on."""
        self._end_progress()
        if not self.console.quiet:
            render(self.console, report)

    def keep_document(self, report: Report, *, form: Any) -> None:
        """Keeps what a command of several steps did so far: if a later step ends it, its document says this, too."""
        if self._as_json:
            unfinished_document.set(to_document(report, form))

    def show_plan(self, report: Report, render: Callable[[Console, Report], None], *, asks: bool) -> None:
        """Shows people what is about to be done; beside JSON and with --quiet only if somebody is asked about it."""
        was_quiet = self.console.quiet
        self.console.quiet = was_quiet and not (asks and self.is_interactive)
        render(self.console, report)
        self.console.quiet = self.console.quiet or was_quiet

    def show(
        self,
        report: Report,
        render: Callable[[Console, Report], None],
        *,
        form: Any,
        failed: bool = False,
        render_failure: Callable[[Console, Report], None] | None = None,
    ) -> None:
        """Shows a report: as text to people, as the one JSON document to programs.

        `form`: the document, one of `indexer.cli.json_documents`. If the command `failed`, in whole or in part, its
        sentences go to stderr where there is no text for people; `render_failure` prints them, if they are not all that
        `render` prints.
        """
        self._end_progress()
        if not self.console.quiet:
            render(self.console, report)
        elif failed:
            (render_failure or render)(_SentencesConsole(file=sys.stderr, **_PLAIN), report)
        if self._as_json:
            try:
                sys.stdout.write(json.dumps(to_document(report, form), indent=2) + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                redirect_to_devnull(sys.stdout)

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees progress bars."""
        return sys.stderr.isatty() and not self._quiet

    @property
    def is_interactive(self) -> bool:
        """Whether a person can answer on the terminal."""
        return sys.stdin.isatty()

    def show_table(self, table: QueryResult, *, csv: bool = False) -> None:
        """Shows a query's result row by row: as a table to people, as CSV or as the one JSON document to programs.

        Where a limit cut the result, a warning says so on stderr.
        """
        from indexer.cli.render import query_rows

        self._end_progress()
        if csv:
            query_rows.write_csv(sys.stdout, table)
        elif self._as_json:
            query_rows.write_json(sys.stdout, table)
        elif not self.console.quiet:
            query_rows.write_rows(self.console, table)
        if (cut := query_rows.describe_cut(table)) is not None:
            self.warn(cut)

    def announce(self, line: str) -> None:
        """Prints a line at once that a person needs while the command runs; beside JSON on stderr."""
        if self._as_json:
            print_line(line)
        else:
            self.console.print(line)

    def warn(self, sentence: str) -> None:
        """Prints a warning on stderr, also beside JSON."""
        print_line(f"indexer: {sentence}")

    def warn_without_kernel(self) -> None:
        """Warns if the search of this process could not be compiled, which makes it slow and changes no decision."""
        from indexer.imaging.matching import lacks_kernel  # this import loads the image libraries

        if lacks_kernel():
            self.warn("OpenCV compares the pairs, many times slower: the search cannot be compiled. Is NUMBA_OPT set?")

    def read_password(self) -> str:
        """A new password: from the settings, else typed twice on a terminal without echo, else a line of stdin.

        Raises `UsageError` if it cannot be read, or if the two inputs differ.
        """
        if self.settings.reader_password is not None:
            return self.settings.reader_password
        try:
            if not sys.stdin.isatty():
                return sys.stdin.readline().rstrip("\r\n")
            typed = getpass("Password of the reader: ")
            again = getpass("The same again: ")
        except (UnicodeDecodeError, EOFError):
            raise UsageError("the password is not UTF-8 text; give it in UTF-8") from None
        if typed != again:
            raise UsageError("the two passwords are not the same; nothing was done")
        return typed

    def confirm(self, question: str, *, instead: str) -> None:
        """Returns only if the person answers yes.

        Raises `DeclinedError` for another answer, `UsageError` if nobody can answer, and `InterruptedRunError` after
        Ctrl-C.
        """
        if not self.is_interactive:
            raise UsageError(f"a question must be answered, and nobody is there to answer; {instead}")
        was_quiet, self.console.quiet = self.console.quiet, False
        self.console.print(f"{question} [y/N] ", end="")
        self.console.quiet = self.console.quiet or was_quiet
        try:
            answer = sys.stdin.readline()
        except KeyboardInterrupt:
            raise InterruptedRunError("interrupted: nothing was done") from None
        if answer.strip().lower() not in {"y", "yes"}:
            raise DeclinedError("you did not answer yes; nothing was done")


class _PatientConsole(Console):
    """A console that becomes silent when its reader is gone: a plan that nobody reads must not stop the work.

    On a terminal a sentence is broken between words.
    """

    def print(self, *objects: Any, **how: Any) -> None:
        """Prints as rich does; one text alone is a sentence."""
        match objects:
            case (str() as text,) if self.is_terminal:
                super().print(wrap_words(text, self.width), **how)
            case _:
                super().print(*objects, **how)

    def on_broken_pipe(self) -> None:
        """Silences the console, where rich would end the process."""
        self.quiet = True
        redirect_to_devnull(self.file)


class _SentencesConsole(_PatientConsole):
    """A console that prints sentences and leaves out tables."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Prints texts only."""
        if all(isinstance(item, str) for item in objects):
            super().print(*objects, **how)
