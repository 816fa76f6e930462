"""Other indexes that have images of the folders that an ingest names; found before the ingest writes anything.

Two indexes of one folder do not see each other's decisions, and both may remove files. In most cases the second one was
made by mistake, in another working directory. Once another index removed something in a folder, the quarantines near
that folder name it. An ingest alone leaves no mark beside images; for that case there is the list of the indexes that
this person used (`indexer.files.known_indexes`).

Decision 0034: a person is not asked again about an index that was used on a folder.
"""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from indexer.files.known_indexes import KnownIndex, KnownIndexes, index_exists
from indexer.files.markers import QUARANTINE_NAME
from indexer.files.mentions import iter_mentions
from indexer.files.owners import Owner, read_owners
from indexer.files.walking import iter_parents
from indexer.files.witness_record import find_quarantine_in
from indexer.store import image_folders, runs
from indexer.store.database import Database
from indexer.store.index_identity import get_copied_from, get_index_id
from indexer.store.schema import open_database
from indexer.workflows.context import Clock
from indexer.workflows.ingest.discovery import BESIDE_ARGUMENT, IngestRequest
from indexer.workflows.runs.run import name_of_user

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_UNREADABLE_PREFIX = "closed "
"""Stands before the path of a quarantine, where an id would stand, if the quarantine cannot be read."""


@dataclass(frozen=True)
class OtherIndex:
    """Another index, and a folder of images that it shares with an ingest. Unknown values are empty or None.

    `address`: what to type after `--db`, if it still exists; else `gone_from`: where it was. `is_source`: this index
    was copied from it. `is_same`: it is another file of this very index.
    """

    folder: str
    index_id: str = ""
    address: str = ""
    gone_from: str = ""
    username: str = ""
    hostname: str = ""
    last_used: datetime | None = None
    is_source: bool = False
    is_same: bool = False


@dataclass
class _CurrentIndex:
    """The index that the ingest writes to; without an id if it does not exist yet.

    `roots`: the folders that it ingested. `named_folders`: the folders for which quarantines name it.
    `is_source_unconfirmed`: no run said yet that it is wanted beside the index it was copied from. `adopted_tokens`:
    the tokens of the runs that it adopted.
    """

    address: str
    index_id: str = ""
    roots: list[str] = field(default_factory=list)
    named_folders: set[str] = field(default_factory=set)
    copied_from: str = ""
    is_source_unconfirmed: bool = False
    adopted_tokens: set[str] = field(default_factory=set)

    def was_used_on(self, folder: str, *, other_id: str) -> bool:
        """Whether it was used on images of a folder, so that a person need not be asked about the other index."""
        is_source = self.is_source_unconfirmed and other_id == self.copied_from
        return any(
            _shared_folder(folder, known_folder)
            for known_folder in (*self.named_folders, *(() if is_source else self.roots))
        )


@dataclass
class _Trace:
    """What the quarantines near the images say about one index: shared folders, its last removal, its owner entry."""

    folders: set[str] = field(default_factory=set)
    last_removal_at: str = ""
    owner: Owner | None = None
    is_adopted: bool = False
    username: str = ""


def list_other_indexes(
    database: Database | None, request: IngestRequest, *, address: str, known: Iterable[KnownIndex], is_named: bool
) -> tuple[OtherIndex, ...]:
    """The other indexes of the request's folders that this one was not used beside, the last used first.

    `database`: this index, None if it does not exist yet. `address`: where it is or will be. `known`: the indexes that
    this person used. They add the address to an index that a quarantine names. If no person named this index
    (`is_named` is false), they also count as other indexes themselves.
    """
    known = list(known)
    quarantines = dict(_iter_quarantines(request))
    nearby = [] if is_named else [index for index in known if _shared_folders(index.folders, request.folders)]
    listed = [
        index for index in nearby if index_exists(index.address) and not _is_same_database(index.address, address)
    ]
    if not quarantines and not listed:
        return ()
    current = _describe_current(database, address)
    by_id = {index.index_id: index for index in reversed(known)}
    others = [
        _from_trace(index_id, trace, by_id.get(index_id), current)
        for index_id, trace in _collect_traces(current, request, quarantines).items()
    ]
    reported_ids = {other.index_id for other in others}
    others += (
        other
        for index in listed
        if index.index_id not in reported_ids and (other := _from_listed(index, current, request))
    )
    return tuple(sorted(others, key=lambda other: other.last_used or _LONG_AGO, reverse=True))


def register_new_index(name: str, *, known: KnownIndexes, clock: Clock) -> None:
    """Lists a new index, at a URL or path, with the folders that it has rows of."""
    with closing(open_database(name)) as database:
        with database.read() as session:
            roots = image_folders.list_outermost_roots(session)
        register_use(database, roots, known=known, clock=clock)


def register_use(database: Database, folders: Sequence[str], *, known: KnownIndexes, clock: Clock) -> None:
    """Lists this index as used now, with the folders that it ingests; folders that were listed before stay listed."""
    with database.read() as session:
        index_id = get_index_id(session)
    user = name_of_user(os.geteuid())
    known.record_use(KnownIndex(database.address, index_id, tuple(folders), clock(), user, platform.node()))


def _describe_current(database: Database | None, address: str) -> _CurrentIndex:
    if database is None:
        return _CurrentIndex(address)
    with database.read() as session:
        current = _CurrentIndex(address, get_index_id(session), image_folders.list_outermost_roots(session))
        current.copied_from = get_copied_from(session) or ""
        if current.copied_from:
            accepting_runs = runs.list_arguments(session, command="ingest", key=BESIDE_ARGUMENT)
            current.is_source_unconfirmed = not any(
                current.copied_from in arguments[BESIDE_ARGUMENT] for arguments in accepting_runs
            )
            current.adopted_tokens = runs.list_adopted_tokens(session)
    return current


def _iter_quarantines(request: IngestRequest) -> Iterator[tuple[str, str]]:
    """The quarantines in and above the named folders, and below them where the directory walk met one.

    Each is given as its real path and the folder that it lies in.
    """
    for folder in request.folders:
        for above in (folder, *iter_parents(folder)):
            with suppress(OSError):  # what cannot be read says nothing; prune will refuse
                if quarantine := find_quarantine_in(above):
                    yield quarantine, above
    for path in request.quarantines:
        holder, name = os.path.split(path)
        with suppress(OSError):
            if quarantine := find_quarantine_in(holder) if name == QUARANTINE_NAME else path:
                yield quarantine, holder


def _collect_traces(current: _CurrentIndex, request: IngestRequest, quarantines: dict[str, str]) -> dict[str, _Trace]:
    """What the quarantines say about each other index that this one was not used beside, by its id.

    No line is read if this index ingested all of the folders before.
    """
    if not current.is_source_unconfirmed and _is_covered(request, current.roots):
        return {}
    traces: dict[str, _Trace] = {}
    for quarantine, holder in quarantines.items():
        if _is_covered(request, current.named_folders):
            return {}
        try:
            _add_traces(quarantine, holder, request, current, traces)
        except PermissionError:
            shared = _shared_folders([holder], request.folders)
            traces[f"{_UNREADABLE_PREFIX}{quarantine}"] = _Trace(shared, username=_file_owner(quarantine))
        except OSError:
            continue
    for index_id, trace in traces.items():
        trace.folders = {folder for folder in trace.folders if not current.was_used_on(folder, other_id=index_id)}
    return {index_id: trace for index_id, trace in traces.items() if trace.folders and not trace.is_adopted}


def _add_traces(
    quarantine: str, holder: str, request: IngestRequest, current: _CurrentIndex, traces: dict[str, _Trace]
) -> None:
    """Adds what one quarantine says. Stops once it names this index for all folders: then nothing else matters."""
    os.scandir(quarantine).close()  # without read permission this raises; else the quarantine would look empty
    owners = list(read_owners(quarantine))
    shared: dict[str, set[str]] = {}
    for mention in iter_mentions(quarantine, parent_folder=holder, owners=owners):
        if mention.folder not in shared:
            shared[mention.folder] = _shared_folders([mention.folder], request.folders)
        if mention.index_id == current.index_id != "":
            current.named_folders |= shared[mention.folder]
            if _is_covered(request, current.named_folders):
                return
        elif shared[mention.folder] and mention.index_id:  # lines of versions before 0.1.0 have no index id
            trace = traces.setdefault(mention.index_id, _Trace())
            trace.folders |= shared[mention.folder]
            trace.last_removal_at = max(trace.last_removal_at, mention.at)
            trace.is_adopted |= mention.run_token in current.adopted_tokens
    for owner in owners:
        if owner.index_id in traces:
            traces[owner.index_id].owner = owner


def _from_trace(index_id: str, trace: _Trace, known: KnownIndex | None, current: _CurrentIndex) -> OtherIndex:
    """The other index that a quarantine names, with all that is known about it."""
    owner = trace.owner
    address = known.address if known is not None else owner.database if owner is not None else ""
    is_typable = bool(address) and not _is_same_database(address, current.address) and index_exists(address)
    times = [*([] if known is None else [known.last_used]), *_parse_time(trace.last_removal_at)]
    who = known or owner
    return OtherIndex(
        folder=min(trace.folders),
        index_id="" if index_id.startswith(_UNREADABLE_PREFIX) else index_id,
        address=address if is_typable else "",
        gone_from="" if is_typable else address,
        username=trace.username if who is None else who.username,
        hostname="" if who is None else who.hostname,
        last_used=max(times, default=None),
        is_source=index_id == current.copied_from,
    )


def _from_listed(index: KnownIndex, current: _CurrentIndex, request: IngestRequest) -> OtherIndex | None:
    """The other index that the person's list names; None if this one was used beside it, or is the same on a server."""
    shared = _shared_folders(index.folders, request.folders)
    shared = {folder for folder in shared if not current.was_used_on(folder, other_id=index.index_id)}
    is_same = index.index_id == current.index_id
    if not shared or (is_same and "://" in index.address):
        return None
    return OtherIndex(
        folder=min(shared),
        index_id=index.index_id,
        address=index.address,
        username=index.username,
        hostname=index.hostname,
        last_used=index.last_used,
        is_source=index.index_id == current.copied_from,
        is_same=is_same,
    )


def _shared_folder(folder: str, other: str) -> str | None:
    """The deeper of two folders if it is or lies in the other one; else None."""
    deeper, above = (folder, other) if len(folder) >= len(other) else (other, folder)
    return deeper if f"{deeper}/".startswith(above.rstrip("/") + "/") else None


def _shared_folders(folders: Sequence[str], others: Sequence[str]) -> set[str]:
    return {shared for folder in folders for other in others if (shared := _shared_folder(folder, other))}


def _is_covered(request: IngestRequest, folders: Iterable[str]) -> bool:
    """Whether each folder of the request is one of these folders, or lies in one."""
    return all(any(_shared_folder(folder, above) == folder for above in folders) for folder in request.folders)


def _is_same_database(address: str, other: str) -> bool:
    """Whether two addresses name one database, as far as this can be seen without connecting."""
    try:
        return address == other or os.path.samefile(address, other)
    except (OSError, ValueError):
        return False


def _file_owner(path: str) -> str:
    """The user who owns the file at a path; empty if it cannot be read."""
    try:
        return name_of_user(os.stat(path).st_uid)
    except OSError:
        return ""


def _parse_time(text: str) -> list[datetime]:
    """The time in a line, as a list of one value; empty if it cannot be read or has no time zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return []
    return [time.astimezone(UTC)] if time.tzinfo is not None else []
