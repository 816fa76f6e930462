"""Which cameras of an ingest are held back: those whose files may be of two cameras.

It promises that a camera with files of several sources, at times that overlap or are unknown, is held back unless a
person said that it is one. A person's pattern says so below the folder of which they said it, and nowhere else: a
camera of the same name elsewhere is held back. So is one that names of files and the name of another folder say, and
one in several folders whose name is one that many cameras have. `word_check` looks at the words in the names of one
folder.

A file that moved was of its camera before, and is never held back; it counts where it is now. A source whose images are
all gone counts no more; one that cannot be looked at, as its disk is away, does.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from indexer.domain.names import PathNaming, clamped_mtime
from indexer.domain.naming.camera_words import is_common_name
from indexer.domain.naming.cameras import TimeSpan, overlap
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import scope_of, source_of_known, spans_by_source
from indexer.domain.paths import lies_at_or_below
from indexer.files.system_folders import find_system_folder, is_listed_folder
from indexer.files.walking import Candidate
from indexer.store import images
from indexer.store.database import Database
from indexer.workflows.ingest.known_cameras import KnownCameras, KnownTimes

_SEVERAL = 2
_FileFacts = tuple[str, str, int, int]
"""Camera, name, size and modification time of a file."""


@dataclass(frozen=True)
class HeldCamera:
    """A camera whose files come from several folders at the same or unknown times; they may be of several cameras.

    `words`: of the series in its folder, if these hold it back, and `forms` those of the folders between, as
    `forms_of_folders` gives them. `pattern`: the one that a person said of the folders `scopes`, if it says a camera
    that has images elsewhere.
    """

    camera: str
    files: int
    folders: tuple[str, ...]
    example: str
    words: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    pattern: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceCheck:
    """What was found of the cameras that get files: those held back, with the paths of their files.

    `several_folders`: the folders of each other camera that gets images from a folder of its own for the first time.
    `several_words`: the words in the names of a camera's files that may be cameras.
    """

    held: tuple[HeldCamera, ...] = ()
    held_paths: frozenset[str] = frozenset()
    several_folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    several_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def joined(self, other: "SourceCheck") -> "SourceCheck":
        """What both found; a camera is held back once."""
        cameras = {camera.camera for camera in self.held}
        return SourceCheck(
            (*self.held, *(camera for camera in other.held if camera.camera not in cameras)),
            self.held_paths | other.held_paths,
            {**self.several_folders, **other.several_folders},
            {**self.several_words, **other.several_words},
        )


def check_sources(
    claims: Mapping[str, PathNaming],
    known: KnownCameras,
    *,
    gone: Set[int],
    moved: Mapping[int, PathNaming],
    new_times: Mapping[str, datetime | None],
    roots: Set[str],
    rules: RuleBook,
) -> SourceCheck:
    """Which cameras are held back; `claims`: the names of all files that a camera gets, by path.

    `gone`: the ids of images whose files are gone; `moved`: the names of those at another path now, by id. `new_times`:
    the times that known images will have, as in `KnownCameras.times`. `roots`: the folders that a person named.
    `rules`: those by which the files are named.
    """
    named = cache(lambda: roots | known.roots())
    held, held_paths, several = list[HeldCamera](), set[str](), dict[str, tuple[str, ...]]()
    for camera, paths in sorted(_paths_by_camera((path, one.camera) for path, one in claims.items()).items()):
        names = [_as_recorded(path, claims[path], known.recorded(camera)) for path in paths]
        is_early = any(naming.is_by_earlier_rules for naming in names)
        new_sources = {naming.source for naming in names}
        moved_sources = {number: naming.source for number, naming in moved.items() if naming.camera == camera}
        if not _is_in_doubt(camera, names, known, new_sources.union(moved_sources.values()), by_earlier_rules=is_early):
            continue
        known_times = known.times(
            camera, without_ids=gone, without_paths=claims.keys(), moved=moved_sources, new_times=new_times
        )
        spans = _joined(spans_by_source(names), known_times.spans)
        one_camera = known.confirmed(camera) | _list_joined(names, known_times, by_earlier_rules=is_early)
        counted = _outside_bins(spans, named)
        scopes = _scopes_of_known(camera, known_times, [moved[number] for number in moved_sources], rules)
        settled = known_times.spans.keys()
        undone = settled if known.is_undone(camera) else set[str]()  # a person said that they are not one camera
        outside, covered = _split_scopes(names, scopes, counted, one_camera=one_camera, settled=settled, undone=undone)
        one_camera |= covered
        is_new = not new_sources <= known.recorded(camera) | known_times.spans.keys()
        is_common = is_new and len(counted) > 1 and is_common_name(camera) and not counted.keys() <= one_camera
        is_open = is_common or overlap(counted, confirmed=one_camera) or _is_elsewhere(names, known_times, one_camera)
        own_paths = sorted(one for one in paths if claims[one].scope in outside or not claims[one].is_by_person)
        if own_paths and (is_open or outside):  # none where a person named all, and known images alone overlap
            held.append(_make_held(camera, own_paths, spans.keys(), scopes=outside, rules=rules))
            held_paths.update(own_paths)
        elif len(spans) > 1 and is_new and not spans.keys() <= covered:
            several[camera] = tuple(sorted(spans))
    return SourceCheck(tuple(held), frozenset(held_paths), several)


def _paths_by_camera(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The paths of each camera, of pairs of a path and its camera."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, camera in pairs:
        paths[camera].append(path)
    return paths


def _is_in_doubt(
    camera: str, names: Iterable[PathNaming], known: KnownCameras, sources: Set[str], *, by_earlier_rules: bool
) -> bool:
    """Whether the files of a camera with these sources may be of several, and not all are as a person said."""
    if all(naming.is_by_person and not naming.scope for naming in names):
        return False
    return known.may_be_several(camera, sources, by_earlier_rules=by_earlier_rules)


def _scopes_of_known(camera: str, known: KnownTimes, moved: Iterable[PathNaming], rules: RuleBook) -> dict[str, str]:
    """The scope of each source that a camera has, and of those that its images move to."""
    scopes = {source: scope_of(path, camera, rules) for source, path in known.examples.items()}
    return scopes | {naming.source: naming.scope for naming in moved}


def _as_recorded(path: str, naming: PathNaming, recorded: Set[str]) -> PathNaming:
    """The naming of a new file with its source as a known image beside it would have it."""
    source = source_of_known(path, recorded) if recorded else naming.source
    return naming._replace(source=source) if source in recorded else naming


def _list_joined(names: Iterable[PathNaming], known: KnownTimes, *, by_earlier_rules: bool) -> set[str]:
    """The sources that a person named, not by a pattern now; with the rules of an earlier version all known ones."""
    by_person = {naming.source for naming in names if naming.is_by_person and not naming.scope}
    return by_person | (known.spans.keys() if by_earlier_rules else known.named_by_person)


def _make_held(
    camera: str, paths: Sequence[str], sources: Set[str], *, scopes: Set[str], rules: RuleBook
) -> HeldCamera:
    """A held camera of these files, with the scopes of the pattern that says it, if there are any."""
    pattern = next((rule.pattern for scope in sorted(scopes) if (rule := rules.find(scope)) is not None), None)
    folders, own_scopes = tuple(sorted(sources)), tuple(sorted(scopes))
    return HeldCamera(camera, len(paths), folders, paths[0], pattern=pattern or "", scopes=own_scopes)


def _split_scopes(
    names: Iterable[PathNaming],
    known: Mapping[str, str],
    sources: Collection[str],
    *,
    one_camera: Set[str],
    settled: Set[str],
    undone: Set[str],
) -> tuple[set[str], set[str]]:
    """The scopes of patterns that say a camera, while others of its `sources` lie outside of the scope; and the sources
    in all other scopes, which are of one camera.

    `known`: the scope of each source that the camera has. Where all sources in a scope are `settled`, nothing is asked,
    unless a person took that back: neither these nor those of `one_camera` count where they are `undone`.
    """
    one_camera, settled = one_camera - undone, settled - undone
    named: dict[str, set[str]] = defaultdict(set)
    for naming in names:
        if naming.scope:
            named[naming.scope].add(naming.source)
    outside, covered = set[str](), set[str]()
    for scope, new in named.items():
        group = new | {source for source, other in known.items() if other == scope}
        joined = group | one_camera if group & one_camera else group
        if new <= settled or joined.issuperset(sources):
            covered |= group
        else:
            outside.add(scope)
    return outside, covered


def _is_elsewhere(names: Iterable[PathNaming], known: KnownTimes, one_camera: Set[str]) -> bool:
    """Whether names of new files say a camera that has its name from a folder elsewhere: it may be of another place."""
    given = {naming.source for naming in names if naming.claim is not None and naming.claim.is_given}
    return any(
        not (lies_at_or_below(source, folder) or {source, folder} <= one_camera)
        for source in given - known.spans.keys()
        for folder in known.by_folder
    )


def check_new_times(
    rows: Mapping[str, str], known: KnownCameras, *, gone: Set[int], new_times: Mapping[str, datetime | None]
) -> SourceCheck:
    """Which cameras are held back because known images get new times: their folders overlap by these, and did not
    before.

    `rows`: the cameras of these images, by path, without images whose camera a person said.
    """
    times = {path: time for path, time in new_times.items() if time is not None}
    paths_by_camera = _paths_by_camera(rows.items())
    check = SourceCheck()
    for camera, paths in sorted(paths_by_camera.items()):
        if camera not in known or len(known.recorded(camera)) < _SEVERAL:
            continue
        before = known.times(camera, without_ids=gone, without_paths=())
        after = known.times(camera, without_ids=gone, without_paths=(), new_times=times)
        one_camera = known.confirmed(camera) | before.named_by_person
        if overlap(after.spans, confirmed=one_camera) and not overlap(before.spans, confirmed=one_camera):
            held = HeldCamera(camera, len(paths), tuple(sorted(after.spans)), min(paths))
            check = check.joined(SourceCheck((held,), frozenset(paths)))
    return check


def find_moved(
    database: Database, new: Iterable[Candidate], names: Mapping[str, PathNaming], *, gone: Mapping[int, str]
) -> dict[int, str]:
    """The new paths of gone files, by id: new files with their camera, name, size and time; one for each of these."""
    by_name: dict[str, list[Candidate]] = defaultdict(list)
    gone_names = {os.path.basename(path) for path in gone.values()}
    for candidate in new if gone_names else ():
        name = os.path.basename(candidate.path)
        if name in gone_names:
            by_name[name].append(candidate)
    gone_paths = [path for path in gone.values() if os.path.basename(path) in by_name]
    left: dict[_FileFacts, list[int]] = defaultdict(list)
    for image_id, facts in _iter_gone_facts(database, gone_paths):
        left[facts].append(image_id)
    moved = {}
    for name, candidates in sorted(by_name.items()):
        for candidate in sorted(candidates, key=lambda one: one.path):
            camera = names[candidate.path].camera
            facts = (camera, name, candidate.size_bytes, clamped_mtime(candidate.mtime_ns))
            if left.get(facts):
                moved[left[facts].pop()] = candidate.path
    return moved


def find_gone(database: Database, cameras: Sequence[str]) -> dict[int, str]:
    """The paths of the images of these cameras that are not at their paths, by id; of a folder that is away none."""
    with database.read() as session:
        present = images.list_present_of_cameras(session, cameras)
    is_there = cache(os.path.isdir)
    return {row.id: row.path for row in present if is_there(row.root) and not os.path.lexists(row.path)}


def _iter_gone_facts(database: Database, paths: Sequence[str]) -> Iterator[tuple[int, _FileFacts]]:
    with database.read() as session:
        known = images.list_known(session, paths)
    for path, row in known.items():
        yield row.id, (row.naming.camera, os.path.basename(path), row.size_bytes, row.mtime_ns)


def _joined(new: Mapping[str, TimeSpan], known: Mapping[str, TimeSpan]) -> dict[str, TimeSpan]:
    spans = dict(known)
    for source, span in new.items():
        spans.setdefault(source, TimeSpan()).join(span)
    return spans


def _outside_bins(spans: Mapping[str, TimeSpan], named: Callable[[], Set[str]]) -> dict[str, TimeSpan]:
    """The spans without those of bins, snapshots and hidden folders below what all folders share: copies lie there.

    A folder that is only hidden, and no bin or snapshot, counts where a person named it, a folder above or one in it;
    `named` gives all folders that were ever named.
    """
    shared = os.path.commonpath(list(spans))
    hidden = {folder for folder in spans if find_system_folder(f"{folder}/x", root=shared) is not None}
    may_count = {folder for folder in hidden if not any(map(is_listed_folder, folder[len(shared) :].split("/")))}
    roots = named() if may_count else ()
    counted = {folder for folder in may_count if any(_is_walked(folder, root=root) for root in roots)}
    return {folder: span for folder, span in spans.items() if folder not in hidden - counted}


def _is_walked(folder: str, *, root: str) -> bool:
    """Whether a directory walk of a root reaches the files of a folder, or begins in it."""
    if lies_at_or_below(root, folder):
        return True
    return lies_at_or_below(folder, root) and find_system_folder(f"{folder}/x", root=root) is None
