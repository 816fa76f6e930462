"""The names of many paths at once: what each says, what siblings decide, and what the cameras are called.

Only folders in which a new name cannot decide alone are read with all their files, known ones included.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from indexer.domain.names import PathNaming, name_path
from indexer.domain.naming.camera_words import CameraText
from indexer.domain.naming.cameras import (
    CameraClaim,
    TimeSpan,
    assign_names,
    find_own_camera,
    make_claim,
    source_of_folder,
)
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.reading import PathReading, read_path
from indexer.domain.naming.rules import NamingRule, RuleBook
from indexer.domain.naming.siblings import NO_SIBLINGS, FolderVerdict, Sibling, judge_folder


class PathFile(NamedTuple):
    """A path, absolute and with slashes, and when its file was last written."""

    path: str
    mtime_ns: int


@dataclass(frozen=True)
class TreeNames:
    """What the paths of a tree claim, by path, before it is known what else the index has."""

    claimed: Mapping[str, PathNaming]
    reread_folders: tuple[str, ...] = ()
    """Camera folders whose files say now that numbers are events, or channels, and whose known images say the other."""

    @property
    def possible_cameras(self) -> set[str]:
        """All names that a camera of the tree may get."""
        names = {naming.camera for naming in self.claimed.values()}
        return names.union(*(claim.names for claim in self.claims))

    @cached_property
    def claims(self) -> Set[CameraClaim]:
        """The claims of all paths."""
        return frozenset(naming.claim for naming in self.claimed.values() if naming.claim is not None)

    def list_unknown_sources(self, known: Mapping[str, Collection[str]]) -> set[str]:
        """The sources of claims that none of the cameras of the index has which they may be called."""
        claims = (claim for claim in self.claims if not claim.is_given)
        return {claim.source for claim in claims if find_own_camera(claim, known) is None}

    def with_assigned_names(
        self, known: Mapping[str, Collection[str]], *, owners: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, PathNaming]:
        """The naming of each path; `known` and `owners` as in `assign_names`."""
        assigned = assign_names(self.claims, known=known, owners=owners)
        return {
            path: naming if naming.claim is None else naming._replace(camera=assigned[naming.claim.key])
            for path, naming in self.claimed.items()
        }


def name_tree(
    files: Sequence[PathFile],
    *,
    siblings: Iterable[PathFile],
    rules: RuleBook,
    known_numbers: Callable[[str], bool | None] = lambda _: None,
) -> TreeNames:
    """What these files claim.

    `siblings`: the other files of the tree; `rules`: one at or above every folder of a file. `known_numbers`: whether
    the numbers before the times in a camera's folder were taken for events before; None: there were none.
    """
    readings = {file.path: read_path(file.path) for file in files}
    verdicts = _judge(files, readings, siblings)
    numbered = {one.camera_folder for one in readings.values() if one.kind is CameraText.NUMBER}
    reread_folders = _keep_known(verdicts, numbered, known_numbers)
    orders = _pattern_orders(files, rules)
    claimed = {}
    for path, reading in readings.items():
        rule = rule_of(path, rules)
        verdict = verdicts.get(reading.camera_folder, NO_SIBLINGS)
        claimed[path] = name_path(path, reading, rule=rule, verdict=verdict, pattern_day_first=orders.get(rule.folder))
    return TreeNames(claimed, reread_folders)


def _keep_known(
    verdicts: dict[str, FolderVerdict], numbered: Set[str], known_numbers: Callable[[str], bool | None]
) -> tuple[str, ...]:
    """Decides by what is known where the files cannot tell; the folders where they tell another thing."""
    reread = []
    for folder in sorted(numbered & verdicts.keys()):
        verdict, known = verdicts[folder], known_numbers(folder)
        if known is None or known == verdict.numbers_are_events:
            continue
        if verdict.has_several_numbers:
            reread.append(folder)
        else:
            verdicts[folder] = replace(verdict, numbers_are_events=known)
    return tuple(reread)


def rule_of(path: str, rules: RuleBook) -> NamingRule:
    """The rule for a file; one that says nothing if there is none."""
    folder = path.rpartition("/")[0]
    return rules.find(folder) or NamingRule(folder)


def spans_by_source(names: Iterable[PathNaming]) -> dict[str, TimeSpan]:
    """The times that names say, by the source of their camera."""
    spans: dict[str, TimeSpan] = defaultdict(TimeSpan)
    for naming in names:
        spans[naming.source].add(None if naming.moment is None else to_utc(naming.moment, naming.zone))
    return spans


def has_number(path: str) -> bool:
    """Whether a number stands before or after the time in a file name, which may be an event or a channel."""
    return read_path(path).kind is CameraText.NUMBER


def source_of_known(path: str, sources: Collection[str]) -> str:
    """The source of a known image of a camera that has these sources; another one if the image is of none of them."""
    folder = path.rpartition("/")[0]
    by_folder = source_of_folder(folder)
    for source in (by_folder, read_folder(folder).camera_folder):
        if source in sources:
            return source
    by_name = make_claim(read_path(path), NO_SIBLINGS).source
    return by_name if by_name in sources else by_folder


def moved_source(old_path: str, new_path: str, sources: Collection[str]) -> str | None:
    """The source of an image that was at `old_path`, of a camera with these sources, at its new path; None if its old
    source is none of them."""
    source, folders = source_of_known(old_path, sources), [path.rpartition("/")[0] for path in (old_path, new_path)]
    if source not in sources:
        return None
    if source == source_of_folder(folders[0]):
        return source_of_folder(folders[1])
    if source == read_folder(folders[0]).camera_folder:
        return read_folder(folders[1]).camera_folder
    return make_claim(read_path(new_path), NO_SIBLINGS).source


def _judge(
    files: Sequence[PathFile], readings: Mapping[str, PathReading], siblings: Iterable[PathFile]
) -> dict[str, FolderVerdict]:
    """What the files of each camera's folder decide, for folders where one of the new names cannot alone."""
    undecided = {reading.camera_folder for reading in readings.values() if not reading.decided}
    if not undecided:
        return {}
    groups: dict[str, list[Sibling]] = defaultdict(list)
    for path, mtime_ns in files:
        if readings[path].camera_folder in undecided:
            groups[readings[path].camera_folder].append(Sibling(path, mtime_ns, readings[path]))
    for path, mtime_ns in siblings:
        if path not in readings and read_folder(path.rpartition("/")[0]).camera_folder in undecided:
            reading = read_path(path)
            groups[reading.camera_folder].append(Sibling(path, mtime_ns, reading))
    return {folder: judge_folder(group) for folder, group in groups.items()}


def _pattern_orders(files: Sequence[PathFile], rules: RuleBook) -> dict[str, bool]:
    """Whether the day comes first in the dates that a pattern reads, for the folder of each rule where it is known."""
    votes: dict[str, set[bool]] = defaultdict(set)
    for file in files:
        rule = rule_of(file.path, rules)
        if rule.compiled is not None and rule.compiled.reads_time:
            matched = rule.compiled.read(rule.relative(file.path))
            if matched is not None and matched.day_first is not None:
                votes[rule.folder].add(matched.day_first)
    return {folder: vote.pop() for folder, vote in votes.items() if len(vote) == 1}
