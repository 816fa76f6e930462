"""What the files of an ingest are named, before anything of them is written.

It promises that a camera whose files may be of two cameras is held back, that nothing else is, and that a file which
need not be named costs nothing. It opens no file and writes nothing; `record_rules` writes what a person said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from indexer.domain.names import USER_SOURCES, PathNaming
from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import PathFile, name_tree, rule_of
from indexer.domain.paths import lies_below
from indexer.files.walking import Candidate
from indexer.store import camera_sources, images, naming_rules
from indexer.store.database import Database, Session
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.held_cameras import HeldCamera, check_sources, find_moved
from indexer.workflows.ingest.index_diff import IndexDiff
from indexer.workflows.ingest.known_cameras import KnownCameras, find_known_numbers

_MANY_SINGLES = 5
"""So many new cameras of one image each are reported: their names may be numbers of events."""


@dataclass(frozen=True)
class NamePlan:
    """What an ingest names its files, and what a person should know of it.

    `several_folders`: the folders of each camera that gets images from a folder of its own for the first time.
    `single_image_cameras`: new cameras of one image each, if there are many. `unread_times`: files whose names hold a
    time that stays in doubt. `unmatched`: new files that a stored pattern does not match. `earlier_folders`: folders
    whose new files are named by the rules of an earlier version. `reread_folders`: folders where the numbers in names
    are events or cameras, and known images have it the other way.
    """

    held: tuple[HeldCamera, ...] = ()
    several_folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    single_image_cameras: tuple[str, ...] = ()
    unread_times: int = 0
    unmatched: int = 0
    earlier_folders: tuple[str, ...] = ()
    reread_folders: tuple[str, ...] = ()


def apply_rules(database: Database | None, request: IngestRequest) -> IngestRequest:
    """The request with the stored rules of its folders, changed by what its options say."""
    stored = RuleBook({})
    if database is not None:
        with database.read() as session:
            stored = RuleBook(naming_rules.list_rules(session))
    roots = {candidate.root for candidate in (*request.candidates, *request.videos)}
    return replace(request, rules=stored.after(request.options, roots), stored_rules=stored)


def record_rules(session: Session, request: IngestRequest) -> None:
    """Stores what a person said of the folders named, and that they are named by the rules of today."""
    stored = request.stored_rules.rules
    for folder in request.rule_folders:
        rule = request.rules.rules.get(folder)
        if rule is not None and rule != stored.get(folder):
            naming_rules.set_rule(session, rule)
        for other in [other for other in stored if lies_below(other, folder)]:
            changed = request.rules.rules.get(other)
            if changed is None:
                naming_rules.delete_rule(session, other)
            elif changed != stored[other]:
                naming_rules.set_rule(session, changed)
        if request.options.is_new_rules:
            camera_sources.delete_sources_below(session, folder, is_confirmed=False)


def needs_recording(request: IngestRequest) -> bool:
    """Whether `record_rules` would write anything."""
    stored = request.stored_rules.rules
    return any(
        request.rules.rules.get(folder) != stored.get(folder)
        for folder in {*request.rule_folders, *(set(stored) - set(request.rules.rules))}
    ) or any(request.rules.rules.get(folder) != rule for folder, rule in stored.items())


def plan_names(
    database: Database | None, request: IngestRequest, diff: IndexDiff
) -> tuple[IngestRequest, IndexDiff, NamePlan, list[Candidate]]:
    """The request with names, the difference without files of cameras that are held back, the plan, and those files."""
    new = [candidate for candidate, _ in diff.files_to_read]
    named = list(request.candidates) if request.options else new
    if not named:
        return request, diff, NamePlan(), []
    names, known, reread_folders = _name_files(database, request, named)
    request = replace(request, names=names)
    unknown_paths = {candidate.path for candidate, row in diff.files_to_read if row is None}
    added = [candidate for candidate in new if candidate.path in unknown_paths]
    moved = {} if database is None else find_moved(database, added, names, gone=diff.gone)
    claims = _list_claims(database, request, diff, moved=frozenset(moved.values()))
    moved_names = {image_id: names[path] for image_id, path in moved.items()}
    old_paths = {path: diff.gone[image_id] for image_id, path in moved.items()}
    new_times = _list_new_times(request, old_paths) if request.options else {}
    roots = {candidate.root for candidate in request.candidates}
    check = check_sources(claims, known, gone=diff.gone.keys(), moved=moved_names, new_times=new_times, roots=roots)
    plan = NamePlan(
        check.held,
        check.several_folders,
        _single_image_cameras({path: names[path] for path in unknown_paths}, known),
        sum(names[candidate.path].is_unread for candidate in new),
        _count_unmatched(request, new),
        tuple(sorted({rule.folder for path in unknown_paths if (rule := rule_of(path, request.rules)).is_earlier})),
        reread_folders,
    )
    held = check.held_paths
    if not held:
        return request, diff, plan, []
    files_to_read = [file for file in diff.files_to_read if file[0].path not in held]
    unchanged = [candidate for candidate in diff.unchanged if candidate.path not in held]
    held_files = [candidate for candidate in request.candidates if candidate.path in held]
    return request, replace(diff, files_to_read=files_to_read, unchanged=unchanged), plan, held_files


def _name_files(
    database: Database | None, request: IngestRequest, named: Sequence[Candidate]
) -> tuple[dict[str, PathNaming], KnownCameras, tuple[str, ...]]:
    """The names of files by path, the cameras that they may belong to, and the folders whose numbers are read anew."""
    files = [PathFile(candidate.path, candidate.mtime_ns) for candidate in named]
    siblings = (PathFile(candidate.path, candidate.mtime_ns) for candidate in request.candidates)
    is_level_new = request.options.camera_level is not None
    is_renamed = request.options.is_new_rules or is_level_new
    known_numbers = partial(find_known_numbers, None if is_renamed else database)
    tree = name_tree(files, siblings=siblings, rules=request.rules, known_numbers=known_numbers)
    renamed_folders = request.rule_folders if is_renamed else ()
    known = KnownCameras(
        database, tree.possible_cameras, renamed_folders=renamed_folders, includes_confirmed=is_level_new
    )
    sources = known.sources_by_camera(tree.claims)
    levels = {claim.source for claim in tree.claims if claim.camera_source == "option"}
    owners = known.owners(tree.list_unknown_sources(sources), levels=levels)
    names = tree.with_assigned_names(sources, owners=owners)
    return names, known, tree.reread_folders


def _list_claims(
    database: Database | None, request: IngestRequest, diff: IndexDiff, *, moved: Set[str]
) -> dict[str, PathNaming]:
    """The names of the files that a camera gets, by path: of new files, without moved ones, and of changed ones whose
    camera is another one now. Where the rules of today are asked for, all known files whose camera no person said are
    named again."""
    names, new = request.names, [candidate.path for candidate, row in diff.files_to_read if row is None]
    claims = {path: names[path] for path in new if path not in moved}
    known = {candidate.path: row for candidate, row in diff.files_to_read if row is not None}
    for path, row in known.items():
        if names[path].camera != row.naming.camera:
            claims[path] = names[path]
    if request.options.is_new_rules and database is not None:
        with database.read() as session:
            known |= images.list_known(session, [candidate.path for candidate in diff.unchanged])
        claims |= {path: names[path] for path, row in known.items() if row.naming.camera_source not in USER_SOURCES}
    return claims


def _list_new_times(request: IngestRequest, old_paths: Mapping[str, str]) -> dict[str, datetime | None]:
    """The times that images will have by what a person says now, by their path in the index.

    A time that is not in the path stays, but in another time zone it is unknown.
    """
    return {
        old_paths.get(path, path): None if naming.moment is None else to_utc(naming.moment, naming.zone)
        for path, naming in request.names.items()
        if naming.moment is not None or request.options.timezone is not None
    }


def _single_image_cameras(claims: Mapping[str, PathNaming], known: KnownCameras) -> tuple[str, ...]:
    counts = Counter(naming.camera for naming in claims.values())
    singles = tuple(sorted(camera for camera, count in counts.items() if count == 1 and camera not in known))
    return singles if len(singles) >= _MANY_SINGLES else ()


def _count_unmatched(request: IngestRequest, new: Sequence[Candidate]) -> int:
    """How many new files a stored pattern does not match."""
    if request.pattern is not None:
        return 0  # these are counted for all files
    rules = ((candidate.path, rule_of(candidate.path, request.rules)) for candidate in new)
    return sum(rule.compiled is not None and rule.compiled.read(rule.relative(path)) is None for path, rule in rules)
