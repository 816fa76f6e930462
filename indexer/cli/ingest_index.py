"""Opens the index of an ingest, and asks whether it is wanted beside other indexes of the same folders."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from indexer.cli.render.tables import format_time
from indexer.cli.session import CommandSession
from indexer.cli.streams import print_line
from indexer.errors import UsageError
from indexer.escaping import quoted
from indexer.store import images
from indexer.store.database import Database, parse_address
from indexer.store.schema import find_database, open_database
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.other_indexes import OtherIndex, list_other_indexes, register_use

_MAX_LISTED = 3
_MODULES_OF_WORKERS = ("indexer.workflows.image_files",)
_MODULES_FOR_MANY = (*_MODULES_OF_WORKERS, "indexer.imaging.kernel.preloaded_contrast")
_MANY_FILES = 300  # they save the time that loading the compiled code takes


@contextmanager
def open_index(
    session: CommandSession, request: IngestRequest, *, also_here: bool
) -> Iterator[tuple[Database, IngestRequest]]:
    """The index, open until the end of the block and made if there is none, and the request.

    If other indexes have images of the request's folders, a person is asked before anything is made or written, unless
    `also_here` is the answer. The returned request names those other indexes in `beside`.
    """
    name, known = session.settings.database, session.known_indexes
    database = find_database(name)
    try:
        others = _list_others(session, database, request)
        if others:
            _confirm(session, others, also_here=also_here)
        database = database or open_database(name, create=True)
        register_use(database, request.folders, known=known, clock=session.clock)
        yield database, replace(request, beside=tuple(sorted({other.index_id for other in others} - {""})))
    finally:
        if database is not None:
            database.close()


def list_preloaded_modules(session: CommandSession, request: IngestRequest) -> tuple[str, ...]:
    """The modules that workers load while this process opens the index; none if the index has as many images as the
    request, as in a rerun."""
    database = find_database(session.settings.database)
    new_count = len(request.candidates)
    if database is not None:
        with closing(database), database.read() as reading:
            new_count -= images.count_present(reading)
    if new_count <= 0:
        return ()
    return _MODULES_FOR_MANY if new_count >= _MANY_FILES else _MODULES_OF_WORKERS


def require_alone(session: CommandSession, database: Database | None, request: IngestRequest) -> None:
    """Raises `UsageError` if other indexes have images of the request's folders. Asks nobody, and writes nothing.

    `database`: the index; None if there is none yet.
    """
    others = _list_others(session, database, request)
    if others:
        raise UsageError(_refusal_advice(others))


def _list_others(session: CommandSession, database: Database | None, request: IngestRequest) -> tuple[OtherIndex, ...]:
    return list_other_indexes(
        database,
        request,
        address=parse_address(session.settings.database),
        known=session.known_indexes.list_indexes(),
        is_named=session.settings.is_database_named,
    )


def _confirm(session: CommandSession, others: Sequence[OtherIndex], *, also_here: bool) -> None:
    """Prints the other indexes, and returns only if this index is wanted beside them."""
    if also_here or session.is_interactive:
        for other in others[:_MAX_LISTED]:
            print_line(f"indexer: {describe_other_index(other)}")
        if len(others) > _MAX_LISTED:
            print_line(f"indexer: and {len(others) - _MAX_LISTED} more")
    if not also_here:
        this = parse_address(session.settings.database)
        session.confirm(
            f"Two indexes do not see each other's decisions. Use {this} all the same?", instead=_refusal_advice(others)
        )


def _refusal_advice(others: Sequence[OtherIndex]) -> str:
    """What to type if nobody can be asked."""
    joint = ", or" if others[0].address else "; type"
    more = f" ({len(others) - 1} more have, too)" if len(others) > 1 else ""
    return f"{describe_other_index(others[0])}{joint} --also-here to use this one all the same{more}"


def describe_other_index(other: OtherIndex) -> str:
    """A sentence about another index that has images of a folder, with what to type to use it."""
    name = f"index {other.index_id[:8]}" if other.index_id else "an index"
    which = [f"{name}{_owner(other)}"]
    if other.is_source:
        which.append("which this one was copied from")
    if other.is_same:
        which.append("another file of this very index")
    if other.gone_from:
        which.append(f"which was at {other.gone_from} and is there no more")
    if other.last_used is not None:
        which.append(f"last used {format_time(other.last_used)} UTC")
    facts = ", ".join([*which, f"folder {other.folder}"])
    if not other.address:
        return f"another index has images of this folder: {facts}"
    use_it = f"type --db {quoted(other.address)} to use it"
    return f"another index has images of this folder: {other.address} ({facts}); {use_it}"


def _owner(other: OtherIndex) -> str:
    """The user and host of an index, as far as they are known."""
    return f" of {'@'.join(filter(None, (other.username, other.hostname)))}" if other.username else ""
