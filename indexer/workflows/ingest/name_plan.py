"""What the files of an ingest are named, before anything of them is written.

It promises that

- a camera whose files may be of two cameras is held back;
- nothing else is; and
- a file which need not be named costs nothing.

It opens no file and writes nothing; `record_rules` writes what a person said.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from indexer.domain.names import USER_SOURCES, PathNaming, clamped_mtime
from indexer.domain.naming.cameras import TimeSpan, folder_of_source, overlap
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.moments import EPOCH, to_utc
from indexer.domain.naming.rules import NamingRule, RuleBook
from indexer.domain.naming.tree import PathFile, TreeNames, name_tree, rule_of
from indexer.domain.paths import lies_at_or_below, list_below
from indexer.errors import DatabaseError
from indexer.escaping import command_line, printable
from indexer.files.walking import Candidate
from indexer.store import camera_sources, confirmations, images, naming_rules
from indexer.store.database import Database, Session
from indexer.workflows.ingest.discovery import IngestRequest
from indexer.workflows.ingest.held_cameras import (
    HeldCamera,
    SourceCheck,
    check_new_times,
    check_sources,
    find_gone,
    find_moved,
)
from indexer.workflows.ingest.index_diff import IndexDiff
from indexer.workflows.ingest.kept_cameras import find_kept_cameras
from indexer.workflows.ingest.known_cameras import KnownCameras
from indexer.workflows.ingest.surroundings import KnownSurroundings
from indexer.workflows.ingest.word_check import check_words

_MANY_SINGLES = 5
"""So many new cameras of one image each, or that follow each other, are reported: they may be events of one."""
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class NamePlan:
    """What an ingest names its files, and what a person should know of it.

    `several_folders`: the folders of each camera that gets images from a folder of its own for the first time.
    `single_image_cameras`: new cameras of one image each, with those of the index beside them, if there are many.
    `successive_cameras`: new cameras whose names differ in numbers alone, and whose images follow each other, if there
    are many. `unread_times`: files whose names hold a time that stays in doubt. `unmatched`: new files that a stored
    pattern does not match. `earlier_folders`: folders whose new files are named by the rules of an earlier version.
    `reread_folders`: folders where the numbers in names are events or cameras, and known images have it the other way.
    `several_words`: the words in the names of a camera's files that may be cameras. `answered`: cameras of which an
    earlier ingest asked, and whose question this one ended. `held_of_known`: cameras that are held back for images
    which the index has.
    """

    held: tuple[HeldCamera, ...] = ()
    several_folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    single_image_cameras: tuple[str, ...] = ()
    unread_times: int = 0
    unmatched: int = 0
    earlier_folders: tuple[str, ...] = ()
    reread_folders: tuple[str, ...] = ()
    several_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answered: tuple[str, ...] = ()
    held_of_known: tuple[str, ...] = ()
    successive_cameras: tuple[str, ...] = ()


def describe_reread(folder: str) -> str:
    """What a person should know of one of `NamePlan.reread_folders`, and what to type."""
    return (
        f"The numbers in the names of {printable(folder)} are events, cameras or times by all its files, and known "
        "images are named the other way: one camera may be split, or two cameras joined. To name them again: "
        f"{command_line('ingest', '--new-rules', '--dry-run', names=[folder])}"
    )


def apply_rules(database: Database | None, request: IngestRequest) -> IngestRequest:
    """The request with the stored rules of its folders, changed by what its options say."""
    stored = RuleBook({})
    if database is not None:
        with database.read() as session:
            stored = RuleBook(naming_rules.list_rules(session))
    roots = {candidate.root for candidate in request.files}
    options = request.options.resolved(stored.rules, roots)
    return replace(request, options=options, rules=stored.after(options, roots), stored_rules=stored)


def record_rules(session: Session, request: IngestRequest) -> None:
    """Stores what a person said of the folders named, and that they are named by the rules of today.

    Raises `DatabaseError` if another command stored other rules of them since the request read the stored ones.
    """
    stored, current = request.stored_rules.rules, naming_rules.list_rules_to_change(session)
    for folder, rule in _list_changed_rules(request).items():
        if current.get(folder) not in (stored.get(folder), rule):
            raise DatabaseError(
                f"another command changed meanwhile how files of {folder!r} are named; run this command again"
            )
        if rule is None:
            naming_rules.delete_rule(session, folder)
        elif rule != current.get(folder):
            naming_rules.set_rule(session, rule)
    for folder in request.rule_folders:
        if request.options.is_new_rules:
            camera_sources.delete_sources_below(session, folder, is_confirmed=request.options.forgets_rules)


def _list_changed_rules(request: IngestRequest) -> dict[str, NamingRule | None]:
    """The new rule of each folder named, or below one, whose rule changes; None: it is deleted."""
    stored, rules = request.stored_rules.rules, request.rules.rules
    ordered = sorted(stored)
    known = {other for folder in request.rule_folders for other in list_below(ordered, folder)}
    new = {folder for folder in request.rule_folders if folder in rules}
    return {folder: rules.get(folder) for folder in sorted(known | new) if rules.get(folder) != stored.get(folder)}


def is_zone_new(request: IngestRequest) -> bool:
    """Whether a person says a time zone that is not stored of the folders yet."""
    stored, zone = request.stored_rules, request.options.timezone
    roots = {candidate.root for candidate in request.candidates}
    return zone is not None and any((rule := stored.find(root)) is None or rule.timezone != zone for root in roots)


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
        return request, diff, NamePlan(answered=_list_answered(database, request, ())), []
    names, known, tree = _name_files(database, request, named)
    request = replace(request, names=names, unclear_folders=tree.unclear_folders)
    unknown_paths = {candidate.path: candidate for candidate, row in diff.files_to_read if row is None}
    check = _check_sources(database, request, diff, known, gone=diff.gone)
    if check.held and not request.paths and database is not None:  # no walk could see what is gone
        gone = find_gone(database, [camera.camera for camera in check.held])
        check = _check_sources(database, request, diff, known, gone=gone) if gone else check
    held_names = {camera.camera for camera in check.held}
    added = {path: names[path] for path in unknown_paths}
    singles = _single_image_cameras(database, added, known, held=held_names)
    plan = NamePlan(
        check.held,
        check.several_folders,
        singles,
        sum(names[candidate.path].is_unread for candidate in new),
        _count_unmatched(request, new),
        tuple(sorted({rule.folder for path in unknown_paths if (rule := rule_of(path, request.rules)).is_earlier})),
        tree.reread_folders,
        check.several_words,
        _list_answered(database, request, held_names),
        _list_held_of_known(check, unknown_paths.keys(), names),
        () if singles else _successive_cameras([(names[path], file) for path, file in unknown_paths.items()], known),
    )
    held = check.held_paths
    if not held:
        return request, diff, plan, []
    files_to_read = [file for file in diff.files_to_read if file[0].path not in held]
    unchanged = [candidate for candidate in diff.unchanged if candidate.path not in held]
    held_files = [candidate for candidate in request.candidates if candidate.path in held]
    return request, replace(diff, files_to_read=files_to_read, unchanged=unchanged), plan, held_files


def _check_sources(
    database: Database | None, request: IngestRequest, diff: IndexDiff, known: KnownCameras, *, gone: Mapping[int, str]
) -> SourceCheck:
    """Which cameras are held back, for all that is known to be gone, paths by id."""
    names = request.names
    added = [candidate for candidate, row in diff.files_to_read if row is None]
    moved = {} if database is None else find_moved(database, added, names, gone=gone)
    claims = _list_claims(database, request, diff, moved=frozenset(moved.values()))
    moved_names = {image_id: names[path] for image_id, path in moved.items()}
    old_paths = {path: gone[image_id] for image_id, path in moved.items()}
    new_times = _list_new_times(request, old_paths) if request.options else {}
    roots = {candidate.root for candidate in request.candidates}
    check = check_sources(
        claims, known, gone=gone.keys(), moved=moved_names, new_times=new_times, roots=roots, rules=request.rules
    )
    overwritten = {
        file.path
        for file, row in diff.files_to_read
        if row is not None and not _NUMBER.search(os.path.basename(file.path))
    }
    words = check_words(
        claims | {path: names[path] for path in overwritten},
        known,
        request.candidates,
        walked=request.rule_folders,
        unclear_folders=request.unclear_folders,
        overwritten=overwritten,
    )
    check = check.joined(words)
    if is_zone_new(request) and database is not None:
        retimed = _list_retimed(database, diff)
        check = check.joined(check_new_times(retimed, known, gone=gone.keys(), new_times=new_times))
    return check


def _name_files(
    database: Database | None, request: IngestRequest, named: Sequence[Candidate]
) -> tuple[dict[str, PathNaming], KnownCameras, TreeNames]:
    """The names of files by path, the cameras that they may belong to, and what the files decide together."""
    files = [PathFile(candidate.path, candidate.mtime_ns) for candidate in named]
    siblings = (PathFile(candidate.path, candidate.mtime_ns) for candidate in request.candidates)
    is_level_new = request.options.camera_level is not None
    is_renamed = request.options.is_new_rules or is_level_new
    surroundings = KnownSurroundings(None if is_renamed else database)
    tree = name_tree(files, siblings=siblings, rules=request.rules, surroundings=surroundings)
    renamed_folders = request.rule_folders if is_renamed else ()
    known = KnownCameras(
        database,
        tree.possible_cameras,
        renamed_folders=renamed_folders,
        includes_confirmed=is_level_new or request.options.forgets_rules,
    )
    sources = known.sources_by_camera(tree.claims)
    levels = {claim.source for claim in tree.claims if claim.camera_source == "option"}
    owners = {**known.owners(tree.list_unknown_sources(sources), levels=levels), **tree.owners}
    names = tree.with_assigned_names(sources, owners=owners)
    if database is not None and not request.options.says_camera_or_pattern:
        kept = find_kept_cameras(database, names, renamed_folders=renamed_folders)
        names |= {path: names[path]._replace(camera=camera, is_kept=True) for path, camera in kept.items()}
        known.include(kept.values())
    return names, known, tree


def _list_claims(
    database: Database | None, request: IngestRequest, diff: IndexDiff, *, moved: Set[str]
) -> dict[str, PathNaming]:
    """The names of the files that a camera gets, by path: of new files, without moved ones, and of changed ones whose
    camera is another one now, by a pattern also of unchanged ones. Where the rules of today are asked for, all known
    files whose camera no person said are named again."""
    names, new = request.names, [candidate.path for candidate, row in diff.files_to_read if row is None]
    claims = {path: names[path] for path in new if path not in moved}
    known = {candidate.path: row for candidate, row in diff.files_to_read if row is not None}
    for path, row in known.items():
        if names[path].camera != row.naming.camera:
            claims[path] = names[path]
    if request.options and database is not None:
        by_pattern = [candidate.path for candidate in diff.unchanged if names[candidate.path].scope]
        with database.read() as session:
            rows = images.list_known(session, by_pattern)
        claims |= {path: names[path] for path, row in rows.items() if names[path].camera != row.naming.camera}
    if request.options.is_new_rules and database is not None:
        with database.read() as session:
            known |= images.list_known(session, [candidate.path for candidate in diff.unchanged])
        is_renamed = frozenset[str]() if request.options.forgets_rules else USER_SOURCES
        claims |= {path: names[path] for path, row in known.items() if row.naming.camera_source not in is_renamed}
    return claims


def _list_retimed(database: Database, diff: IndexDiff) -> dict[str, str]:
    """The cameras of the unchanged files, by path, where no person said them."""
    with database.read() as session:
        known = images.list_known(session, [candidate.path for candidate in diff.unchanged])
    return {path: row.naming.camera for path, row in known.items() if row.naming.camera_source not in USER_SOURCES}


def _list_new_times(request: IngestRequest, old_paths: Mapping[str, str]) -> dict[str, datetime | None]:
    """The times that images will have by what a person says now, by their path in the index.

    A time that is not in the path stays, but in another time zone it is unknown.
    """
    return {
        old_paths.get(path, path): None if naming.moment is None else to_utc(naming.moment, naming.zone)
        for path, naming in request.names.items()
        if naming.moment is not None or request.options.timezone is not None
    }


def _single_image_cameras(
    database: Database | None, claims: Mapping[str, PathNaming], known: KnownCameras, *, held: Set[str]
) -> tuple[str, ...]:
    """New cameras of one image each, and those of the index in the same folders: files may come one in a call.

    `claims`: the names of new files, by path; `held`: the cameras that are held back, which do not count.
    """
    counts = Counter(naming.camera for naming in claims.values())
    by_rules = {naming.camera for naming in claims.values() if not naming.is_by_person} - held
    new = {camera for camera in by_rules if counts[camera] == 1 and camera not in known}
    singles = set(new)
    if database is not None and 0 < len(new) < _MANY_SINGLES:
        beside = {_folder_of_cameras(naming) for naming in claims.values() if naming.camera in new}
        with database.read() as session:
            for folder, by_folder in beside:
                listed = camera_sources.list_single_image_cameras(session, folder, by_folder=by_folder)
                singles.update(set(listed) - counts.keys() - held)
    return tuple(sorted(singles)) if len(singles) >= _MANY_SINGLES else ()


def _folder_of_cameras(naming: PathNaming) -> tuple[str, bool]:
    """The folder in which a camera lies beside others, and whether they are its folders: else the names of its files
    say them."""
    by_folder = naming.camera_source == "folder"
    return (naming.folder.rpartition("/")[0] or "/" if by_folder else naming.folder), by_folder


def _successive_cameras(named: Sequence[tuple[PathNaming, Candidate]], known: KnownCameras) -> tuple[str, ...]:
    """New cameras whose names differ in numbers alone and whose images follow each other, if there are many."""
    cameras = {naming.camera for naming, _ in named if naming.claim is not None and naming.camera not in known}
    by_form: dict[str, set[str]] = defaultdict(set)
    for camera in cameras:
        by_form[_NUMBER.sub("*", camera)].add(camera)
    numbered = {camera for group in by_form.values() if len(group) >= _MANY_SINGLES for camera in group}
    spans: dict[str, TimeSpan] = defaultdict(TimeSpan)
    for naming, file in named if numbered else ():
        if naming.camera in numbered:
            written = EPOCH + timedelta(microseconds=clamped_mtime(file.mtime_ns) // 1000)
            spans[naming.camera].add(written if naming.moment is None else to_utc(naming.moment, naming.zone))
    groups = ({camera: spans[camera] for camera in group} for group in by_form.values() if group <= numbered)
    return tuple(sorted(camera for group in groups if not overlap(group) for camera in group))


def _list_held_of_known(check: SourceCheck, new: Set[str], names: Mapping[str, PathNaming]) -> tuple[str, ...]:
    """The cameras that are held back, and of which no new file is among those held."""
    of_new = {names[path].camera for path in check.held_paths & new}
    return tuple(sorted({camera.camera for camera in check.held} - of_new))


def _list_answered(database: Database | None, request: IngestRequest, held: Collection[str]) -> tuple[str, ...]:
    """The cameras that were held back once, and whose question this ingest ends.

    A question ends in two cases: a person said how a folder of the camera is named; or this walk of all its folders
    shows that the files that were held back are taken in, or are gone from a folder that exists.
    """
    if database is None or not request.rule_folders:
        return ()
    with database.read() as session:
        questions = confirmations.list_open_questions(session)
    has_rule = request.options.says_camera_or_pattern or request.options.is_new_rules
    answered = []
    files = request.candidates if questions else ()
    seen = {read_folder(os.path.dirname(candidate.path)).camera_folder for candidate in files}
    for camera, question in sorted(questions.items()):
        folders = [folder_of_source(source) for source in question.folders]
        walked = [any(lies_at_or_below(folder, root) for root in request.rule_folders) for folder in folders]
        are_there = all(folder in seen or os.path.isdir(folder) for folder in folders)
        is_seen = not question.is_of_known and all(walked) and are_there
        if camera not in held and (is_seen or (has_rule and any(walked))):
            answered.append(camera)
    return tuple(answered)


def _count_unmatched(request: IngestRequest, new: Sequence[Candidate]) -> int:
    """How many new files a stored pattern does not match."""
    if request.pattern is not None:
        return 0  # these are counted for all files
    rules = ((candidate.path, rule_of(candidate.path, request.rules)) for candidate in new)
    return sum(rule.compiled is not None and rule.compiled.read(rule.relative(path)) is None for path, rule in rules)
