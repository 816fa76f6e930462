"""What the files of an ingest are named, before anything of them is written.

It promises that a camera whose files may be of two cameras is held back, that nothing else is, and that a file which
need not be named costs nothing. It opens no file and writes nothing; `record_rules` writes what a person said.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexer.domain.names import PathNaming
from indexer.domain.naming.cameras import KnownSource, TimeSpan, overlap
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import PathFile, given_spans, name_tree, rule_of
from indexer.files.system_folders import find_system_folder
from indexer.files.walking import Candidate
from indexer.store import camera_sources, naming_rules
from indexer.store.database import Database, Session
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.index_diff import IndexDiff

_MANY_SINGLES = 5
"""So many new cameras of one image each are reported: their names may be numbers of events."""


@dataclass(frozen=True)
class HeldCamera:
    """A camera whose files come from several folders at the same or unknown times; they may be of several cameras."""

    camera: str
    files: int
    folders: tuple[str, ...]
    example: str


@dataclass(frozen=True)
class NamePlan:
    """What an ingest names its files, and what a person should know of it.

    `several_folders`: the folders of each camera that gets images from a folder of its own for the first time.
    `single_image_cameras`: new cameras of one image each, if there are many. `unread_times`: files whose names hold a
    time that stays in doubt. `unmatched`: new files that a stored pattern does not match. `earlier_folders`: folders
    whose new files are named by the rules of an earlier version.
    """

    held: tuple[HeldCamera, ...] = ()
    several_folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    single_image_cameras: tuple[str, ...] = ()
    unread_times: int = 0
    unmatched: int = 0
    earlier_folders: tuple[str, ...] = ()


def apply_rules(database: Database | None, request: IngestRequest) -> IngestRequest:
    """The request with the stored rules of its folders, changed by what its options say."""
    stored = RuleBook({}) if database is None else stored_rules(database)
    return replace(
        request,
        rules=stored.after(request.options, {candidate.root for candidate in (*request.candidates, *request.videos)}),
    )


def stored_rules(database: Database) -> RuleBook:
    """The rules that an index has."""
    with database.read() as session:
        return RuleBook(naming_rules.list_rules(session))


def record_rules(session: Session, request: IngestRequest) -> None:
    """Stores what a person said of the folders named, and that they are named by the rules of today."""
    stored = naming_rules.list_rules(session)
    for folder in request.rule_folders:
        rule = request.rules.rules.get(folder)
        if rule is not None and rule != stored.get(folder):
            naming_rules.set_rule(session, rule)
        for other in [other for other in stored if other.startswith(f"{folder.rstrip('/')}/")]:
            changed = request.rules.rules.get(other)
            if changed is None:
                naming_rules.delete_rule(session, other)
            elif changed != stored[other]:
                naming_rules.set_rule(session, changed)
        if request.options.is_new_rules:
            camera_sources.delete_sources_below(session, folder, is_root=True)


def needs_recording(request: IngestRequest, stored: RuleBook) -> bool:
    """Whether `record_rules` would write anything."""
    return any(
        request.rules.rules.get(folder) != stored.rules.get(folder)
        for folder in {*request.rule_folders, *(set(stored.rules) - set(request.rules.rules))}
    ) or any(request.rules.rules.get(folder) != rule for folder, rule in stored.rules.items())


def plan_names(
    database: Database | None, request: IngestRequest, diff: IndexDiff
) -> tuple[IngestRequest, IndexDiff, NamePlan, list[Candidate]]:
    """The request with names, the difference without files of cameras that are held back, the plan, and those files."""
    new = [candidate for candidate, _ in diff.files_to_read]
    named = list(request.candidates) if request.options else new
    if not named:
        return request, diff, NamePlan(), []
    files = [PathFile(candidate.path, candidate.mtime_ns) for candidate in named]
    siblings = (PathFile(candidate.path, candidate.mtime_ns) for candidate in request.candidates)
    tree = name_tree(files, siblings=siblings, rules=request.rules)
    known = _list_known(database, request, tree.possible_cameras)
    names = tree.with_assigned_names(known)
    request = replace(request, names=names)
    unknown_paths = {candidate.path for candidate, row in diff.files_to_read if row is None}
    claims = {path: names[path] for path in unknown_paths}
    spans = given_spans(claims)
    folders = {camera: _folders_of(by_folder, known.get(camera, ())) for camera, by_folder in spans.items()}
    held = tuple(_iter_held(database, claims, spans, known, diff))
    held_names = {camera.camera for camera in held}
    held_paths = {path for path, naming in claims.items() if naming.camera in held_names and _is_given(naming)}
    plan = NamePlan(
        held,
        {camera: names for camera, names in folders.items() if len(names) > 1 and camera not in held_names},
        _single_image_cameras(claims, known),
        sum(names[candidate.path].is_unread for candidate in new),
        _count_unmatched(request, new),
        tuple(sorted({rule.folder for path in unknown_paths if (rule := rule_of(path, request.rules)).is_earlier})),
    )
    held_files = [candidate for candidate in new if candidate.path in held_paths]
    rest = [file for file in diff.files_to_read if file[0].path not in held_paths]
    return request, replace(diff, files_to_read=rest), plan, held_files


def _list_known(
    database: Database | None, request: IngestRequest, cameras: Collection[str]
) -> dict[str, list[KnownSource]]:
    """The sources of these cameras.

    Where the rules of today are asked for, it does not count that a camera has images somewhere below the folder: one
    name may have been given to two cameras there.
    """
    if database is None:
        return {}
    with database.read() as session:
        known = camera_sources.list_sources(session, cameras)
    if not request.options.is_new_rules:
        return known
    kept = {camera: [one for one in sources if not _is_of_earlier(one, request)] for camera, sources in known.items()}
    return {camera: sources for camera, sources in kept.items() if sources or not known[camera]}


def _is_of_earlier(source: KnownSource, request: IngestRequest) -> bool:
    """Whether a source is a folder of this request as an earlier version knew it."""
    folders = request.rule_folders
    return source.is_root and any(f"{source.source.rstrip('/')}/".startswith(f"{one.rstrip('/')}/") for one in folders)


def _is_given(naming: PathNaming) -> bool:
    return naming.claim is not None and naming.claim.is_given


def _folders_of(spans: Mapping[str, TimeSpan], known: Collection[KnownSource]) -> tuple[str, ...]:
    """The folders of a camera, if new files bring one that the index does not have for it; else none."""
    new = [folder for folder in spans if not any(source.covers(folder) for source in known)]
    return tuple(sorted({*spans, *(source.source for source in known)})) if new else ()


def _iter_held(
    database: Database | None,
    claims: Mapping[str, PathNaming],
    spans: Mapping[str, Mapping[str, TimeSpan]],
    known: Mapping[str, Collection[KnownSource]],
    diff: IndexDiff,
) -> Iterator[HeldCamera]:
    """The cameras with files in several folders whose times overlap or are unknown.

    A file that has the name of one which is gone was moved. A folder whose images are all gone counts no more; one that
    cannot be looked at, as its disk is away, does.
    """
    gone_names = {os.path.basename(path) for path in diff.gone.values()}
    moved = {path for path in claims if os.path.basename(path) in gone_names} if gone_names else set[str]()
    if moved:
        spans = given_spans({path: naming for path, naming in claims.items() if path not in moved})
    for camera, new_spans in sorted(spans.items()):
        sources = list(known.get(camera, ()))
        if len({*new_spans, *(source.source for source in sources)}) < 2:
            continue
        all_spans = _with_known_spans(database, camera, new_spans, sources, gone=diff.gone)
        confirmed = [source.source for source in sources if source.is_confirmed]
        if overlap(_outside_bins(all_spans), confirmed=confirmed):
            paths = sorted(path for path, naming in claims.items() if naming.camera == camera and _is_given(naming))
            yield HeldCamera(camera, len(paths), tuple(sorted(all_spans)), paths[0])


def _with_known_spans(
    database: Database | None,
    camera: str,
    new_spans: Mapping[str, TimeSpan],
    sources: Sequence[KnownSource],
    *,
    gone: Mapping[int, str],
) -> dict[str, TimeSpan]:
    """The times of new and known images of a camera, by folder."""
    spans: dict[str, TimeSpan] = defaultdict(TimeSpan)
    if database is not None and sources:
        with database.read() as session:
            folders = [source.source for source in sources]
            spans.update(camera_sources.list_spans(session, camera, folders, without=gone.keys()))
    for folder, span in new_spans.items():
        owner = next((source.source for source in sources if source.covers(folder)), folder)
        spans[owner].join(span)
    return spans


def _outside_bins(spans: Mapping[str, TimeSpan]) -> dict[str, TimeSpan]:
    """The spans without those of bins, snapshots and hidden folders below what all folders share: copies lie there."""
    shared = os.path.commonpath(list(spans))
    return {folder: span for folder, span in spans.items() if find_system_folder(f"{folder}/x", root=shared) is None}


def _single_image_cameras(
    claims: Mapping[str, PathNaming], known: Mapping[str, Collection[KnownSource]]
) -> tuple[str, ...]:
    counts = Counter(naming.camera for naming in claims.values())
    singles = tuple(sorted(camera for camera, count in counts.items() if count == 1 and camera not in known))
    return singles if len(singles) >= _MANY_SINGLES else ()


def _count_unmatched(request: IngestRequest, new: Sequence[Candidate]) -> int:
    """How many new files a stored pattern does not match."""
    if request.pattern is not None:
        return 0  # these are counted for all files
    rules = ((candidate.path, rule_of(candidate.path, request.rules)) for candidate in new)
    return sum(rule.compiled is not None and rule.compiled.read(rule.relative(path)) is None for path, rule in rules)
