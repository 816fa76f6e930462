"""The command `review`, and its result as text."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.commands.verdict import login_name
from indexer.cli.options import Camera, Json, Local, Processes, open_session
from indexer.domain.plurals import counted
from indexer.errors import UsageError
from indexer.escaping import command_line, printable

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.cli.session import CommandSession
    from indexer.execution import ParallelMap
    from indexer.web.server.events import Broadcast
    from indexer.workflows.context import ComparisonContext
    from indexer.workflows.review_server.queue import QueueOrder
    from indexer.workflows.review_server.review import ReviewReport
    from indexer.workflows.review_server.service import IndexReview, ReviewOptions

ORDERS: tuple["QueueOrder", ...] = ("borderline", "removed", "newest", "contradictions")
DEFAULT_PORT = 8765
_PRELOADED_MODULES = ("indexer.workflows.image_files",)
_PICTURE_S = 20  # for a picture from a file; then what the index keeps of it is shown

Order = Annotated[str, typer.Option(metavar="ORDER", help="borderline, newest, removed, or contradictions.")]
Port = Annotated[
    int, typer.Option(min=0, max=65535, metavar="N", help="The port, or the next free one. 0: any free port.")
]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="The address of this machine to listen on.")]
Name = Annotated[
    str | None, typer.Option(metavar="DNSNAME", help="Another name of this machine under which the page is opened.")
]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who judges. [default: your login name]")]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Show the pairs, and record nothing.")]


def review(
    context: typer.Context,
    camera: Camera = None,
    order: Order = "borderline",
    port: Port = DEFAULT_PORT,
    host: Host = "127.0.0.1",
    name: Name = None,
    by: By = None,
    open_browser: Open = True,
    read_only: ReadOnly = False,
    local: Local = False,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Judge pairs in a browser: same or different, at once, with undo.

    Prints the address of a page that only this machine can open. Ctrl-C ends it. Each verdict is recorded at once with
    your name, and its camera is decided again. The page cannot move or remove a file.
    """
    from indexer.cli.json_documents.review import ReviewDocument
    from indexer.web.server.libraries import require_server_libraries

    require_server_libraries()
    parsed_order, address = _parse_order(order), _Address(host, port, name)
    with open_session(context, json=json) as session:
        _require_name(session, address)
        with (
            # First, so that what its workers need is loaded while this process loads the server.
            session.guarded_engine(processes, max_seconds=_PICTURE_S, preload=_PRELOADED_MODULES) as guarded,
            session.database() as database,
            session.engine(processes, database) as executor,
        ):
            from indexer.workflows.context import ComparisonContext
            from indexer.workflows.review_server.service import ReviewOptions

            options = ReviewOptions(camera, parsed_order, login_name() if by is None else by, read_only)
            comparison = ComparisonContext(database, executor, session.limits, session.clock)
            browser = _open_browser if open_browser and _has_screen() else None
            report = _serve(session, comparison, guarded, options, address, local, browser)
        session.show(report, render_review, form=ReviewDocument)


@dataclass(frozen=True)
class _Address:
    """Where the page is served."""

    host: str
    port: int
    name: str | None


def _serve(
    session: "CommandSession",
    comparison: "ComparisonContext",
    guarded_executor: "ParallelMap",
    options: "ReviewOptions",
    address: _Address,
    local: bool,
    browser: Callable[[str], object] | None,
) -> "ReviewReport":
    """Serves the page until it is stopped; what the session did."""
    from indexer.web.server.events import Broadcast
    from indexer.workflows.review_server.review import ReviewReport, open_review

    events = Broadcast()
    state_folder = session.settings.state_folder or os.getcwd()
    with open_review(
        comparison,
        options,
        guarded_executor=guarded_executor,
        state_folder=state_folder,
        publish=events.publish,
        failed=session.warn,
        local=local,
    ) as service:
        pairs = len(service.queue.pairs)
        shown = _serve_until_stopped(session, service, events, address, browser) if pairs else None
        service.end()
        counts = service.recorder.counts
        return ReviewReport(
            pairs, shown, service.recorder.run_id, counts.recorded, counts.withdrawn, service.recorder.waiting
        )


def _serve_until_stopped(
    session: "CommandSession",
    service: "IndexReview",
    events: "Broadcast",
    address: _Address,
    browser: Callable[[str], object] | None,
) -> str:
    """Serves the page until Ctrl-C; its address without the token."""
    from indexer.web.server import running

    with running.bound_socket(address.host, address.port) as opened, ExitStack() as stack:
        rules = running.make_rules(opened, name=address.name)
        session.announce(rules.address)
        if browser is not None:
            stack.enter_context(_redirecting_page(rules.address, browser))
        running.serve(
            opened,
            service,
            rules,
            events,
            refused=session.warn,
            failed=lambda problem: session.warn(f"unexpected: {type(problem).__name__}: {problem}"),
            read_only=service.options.read_only,
        )
        return f"http://{rules.hosts[0]}/"


def render_review(console: "Console", report: "ReviewReport") -> None:
    """Prints what the session did, and what to do next."""
    if report.address is None:
        console.print("Nothing to review: no pair that nobody judged lies within four times the limit.")
        if report.run is None and not report.waiting:
            return
    undone = f", {report.withdrawn} taken back" if report.withdrawn else ""
    by_run = f" by run {report.run}" if report.run is not None else ""
    console.print(f"{counted(report.recorded, 'verdict')} recorded{undone}{by_run}.")
    if report.waiting:
        again = command_line("review")
        console.print(f"{counted(report.waiting, 'verdict')} wait for the index: the next {again} records them.")


def _parse_order(order: str) -> "QueueOrder":
    for known in ORDERS:
        if order == known:
            return known
    raise UsageError(f"--order is {order!r}; give one of {', '.join(ORDERS)}")


def _require_name(session: "CommandSession", address: _Address) -> None:
    """Refuses an address that other machines reach without a name, and warns of one that they do reach."""
    from indexer.web.server.addresses import is_host_name, is_loopback

    if address.name is not None and not is_host_name(address.name):
        raise UsageError(f"--name {address.name!r} is no name of a host; type for example --name cameras.example")
    if is_loopback(address.host):
        return
    if address.name is None:
        raise UsageError(
            f"--host {address.host} can be reached from other machines; give a name with --name, or better leave "
            f"--host out and type on the other machine: ssh -L {address.port}:127.0.0.1:{address.port} THIS_MACHINE"
        )
    session.warn(
        f"the way to {printable(address.name)} is not encrypted: who listens there can judge as you; better: ssh -L"
    )


def _has_screen() -> bool:
    """Whether a browser could show a window, and would not take the terminal."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _open_browser(address: str) -> None:
    import webbrowser

    webbrowser.open(address)


@contextmanager
def _redirecting_page(address: str, browser: Callable[[str], object]) -> Iterator[None]:
    """Opens the address in a browser by way of a file that only its owner reads: others see the words of a command."""
    import tempfile

    from indexer.files.private import write_new

    with tempfile.TemporaryDirectory(prefix="indexer-review-") as folder:
        path = Path(folder, "open.html")
        write_new(str(path), f'<meta http-equiv="refresh" content="0; url={address}">'.encode())
        with suppress(OSError):
            browser(path.as_uri())
        yield
