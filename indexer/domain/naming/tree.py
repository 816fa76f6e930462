"""The names of many paths at once: what each says, what siblings decide, and what the cameras are called.

Only folders in which a new name cannot decide alone are read with all their files, known ones included.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
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
from indexer.domain.naming.hour_folders import ALL_CHANNELS, NameTime, name_time
from indexer.domain.naming.known_files import KnownSibling
from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.reading import PathReading, read_path
from indexer.domain.naming.rules import NamingRule, RuleBook
from indexer.domain.naming.siblings import (
    NO_SIBLINGS,
    FolderVerdict,
    Sibling,
    is_in_single_channel,
    is_kept_by_folder,
    judge_folder,
)
from indexer.domain.naming.stamps import DoubtKind

_CHANNELS = FolderVerdict(hours=ALL_CHANNELS)

_MAX_TEXTS = 64
"""More texts in the names of one folder are no cameras."""


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
    owners: Mapping[str, str] = field(default_factory=dict)
    """The camera of each camera folder whose images were named by the only number that there was, an event."""
    unclear_folders: frozenset[str] = frozenset()
    """The camera folders with folders of two digits below a date of which nothing tells whether they are hours."""

    @property
    def possible_cameras(self) -> set[str]:
        """All names that a camera of the tree may get."""
        names = {naming.camera for naming in self.claimed.values()}
        return names.union(*(claim.possible_names for claim in self.claims))

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


class KnownNumbers(NamedTuple):
    """What the numbers in the names and folders of a camera's folder were taken for before. None: there were none.

    `are_channels`: whether folders of two digits were, as in `HourVerdict`; kinds of names are left out of which there
    were none. `lone_channel`: the camera of the only number before times, which only its being alone made a channel.
    `is_kept_by_folder`: new names keep the camera of their folder, as known ones have it, although they have a text,
    or known ones have it that lie in a channel.
    """

    are_events: bool | None = None
    are_channels: Mapping[NameTime, bool] = MappingProxyType({})
    lone_channel: str | None = None
    is_kept_by_folder: bool = False


class Surroundings:
    """What an ingest knows beside the paths of a tree; this one knows nothing."""

    def known_numbers(self, folder: str, *, in_names: bool, in_folders: Set[NameTime]) -> KnownNumbers:
        """What the index took the numbers of a camera's folder for, in names of files, and in names of folders with
        files of these kinds."""
        del folder, in_names, in_folders
        return KnownNumbers()

    def list_images(self, camera: str) -> Iterable[str]:
        """The paths of the images of a camera of the index."""
        del camera
        return ()

    def list_known(self, folder: str, texts: Collection[str]) -> Iterable[KnownSibling]:
        """Some files of a camera's folder that the index has, and some of the cameras called like one of these texts in
        the folders above."""
        del folder, texts
        return ()

    def list_numbered(self, folder: str, text: str) -> Iterable[str]:
        """The paths of some images of a camera's folder whose camera is this text, perhaps with a number behind it."""
        del folder, text
        return ()

    def is_counted(self, folder: str, text: str) -> bool:
        """Whether images of a camera's folder are of the camera called like this text, with a number behind it in their
        names: a person confirmed that it counts events."""
        del folder, text
        return False

    def list_folders(self, folder: str) -> Collection[str]:
        """The names of the folders in a folder on the disk."""
        del folder
        return ()


def name_tree(
    files: Sequence[PathFile],
    *,
    siblings: Iterable[PathFile],
    rules: RuleBook,
    surroundings: Surroundings | None = None,
) -> TreeNames:
    """What these files claim.

    `siblings`: the other files of the tree; `rules`: one at or above every folder of a file.
    """
    readings = {file.path: read_path(file.path) for file in files}
    verdicts = _judge(files, readings, siblings, rules, surroundings or Surroundings())
    kept, reread_folders, owners = _keep_known(verdicts)
    orders = _pattern_orders(files, rules)
    claimed = {}
    for path, reading in readings.items():
        rule = rule_of(path, rules)
        verdict = kept.get(reading.camera_folder, NO_SIBLINGS)
        claimed[path] = name_path(path, reading, rule=rule, verdict=verdict, pattern_day_first=orders.get(rule.folder))
    unclear = {folder for folder, verdict in kept.items() if verdict.hours.unclear}
    return TreeNames(claimed, reread_folders, owners, frozenset(unclear))


def _keep_known(
    verdicts: Mapping[str, tuple[FolderVerdict, KnownNumbers]],
) -> tuple[dict[str, FolderVerdict], tuple[str, ...], dict[str, str]]:
    """What holds of each folder after what is known of it; the folders where known images have it another way, and the
    camera of each folder whose only number turns out to be an event.

    Where files tell nothing, what is known holds. Where the two differ, numbers are channels: so no two cameras become
    one.
    """
    kept, reread, owners = dict[str, FolderVerdict](), list[str](), dict[str, str]()
    for folder, (verdict, known) in sorted(verdicts.items()):
        events = verdict.numbers_are_events
        if events and known.lone_channel is not None:
            owners[folder] = known.lone_channel
            known = known._replace(are_events=True)
        if (
            known.is_kept_by_folder
            or _differ(events, known.are_events)
            or verdict.hours.contradicts(known.are_channels)
        ):
            reread.append(folder)
        kept[folder] = replace(
            verdict,
            numbers_are_events=_settled(events, known.are_events),
            hours=verdict.hours.with_known(known.are_channels),
        )
    return kept, tuple(reread), owners


def _differ(shown: bool | None, known: bool | None) -> bool:
    return shown is not None and known is not None and shown != known


def _settled(shown: bool | None, known: bool | None) -> bool | None:
    return False if _differ(shown, known) else known if shown is None else shown


def rule_of(path: str, rules: RuleBook) -> NamingRule:
    """The rule for a file; one that says nothing if there is none."""
    folder = path.rpartition("/")[0]
    return rules.find(folder) or NamingRule(folder)


def scope_of(path: str, camera: str, rules: RuleBook) -> str:
    """The folder of the pattern that says this camera of a path, as in `PathNaming`; empty if none does."""
    naming = name_path(path, read_path(path), rule=rule_of(path, rules))
    return naming.scope if naming.camera == camera else ""


def spans_by_source(names: Iterable[PathNaming]) -> dict[str, TimeSpan]:
    """The times that names say, by the source of their camera."""
    spans: dict[str, TimeSpan] = defaultdict(TimeSpan)
    for naming in names:
        spans[naming.source].add(None if naming.moment is None else to_utc(naming.moment, naming.zone))
    return spans


def has_number(path: str) -> bool:
    """Whether a number stands before or after the time in a file name, which may be an event or a channel."""
    return read_path(path).kind is CameraText.NUMBER


def clock_of_known(path: str) -> tuple[tuple[int, ...], Set[NameTime]]:
    """The folders of two digits below a date, which may be hours or channels, above a file, and the kinds that its name
    may be of."""
    reading = read_path(path)
    return reading.clock, _kinds_of(reading)


def _kinds_of(reading: PathReading) -> Set[NameTime]:
    """The kinds that a name may be of, whatever its siblings decide."""
    moments = {None if reading.may_lack_hour else reading.moment}
    if reading.doubt is not None and reading.moment is None:
        moments |= {reading.doubt.moment, reading.doubt.other}
    return {name_time(moment) for moment in moments}


def source_of_known(path: str, sources: Collection[str]) -> str:
    """The source of a known image of a camera that has these sources; another one if the image is of none of them."""
    possible = _list_sources(path)
    return next((source for source in possible if source in sources), possible[0])


def moved_source(old_path: str, new_path: str, sources: Collection[str]) -> str | None:
    """The source of an image that was at `old_path`, of a camera with these sources, at its new path; None if its old
    source is none of them."""
    pairs = zip(_list_sources(old_path), _list_sources(new_path), strict=True)
    return next((new for old, new in pairs if old in sources), None)


@lru_cache(maxsize=32_768)  # a watch asks for the last images of its cameras with each batch
def _list_sources(path: str) -> tuple[str, ...]:
    """The sources that an image may have: by its folder with or without the branch, and by its name and folders."""
    folder, reading = path.rpartition("/")[0], read_path(path)
    claims = (make_claim(reading, verdict) for verdict in (NO_SIBLINGS, _CHANNELS))
    return source_of_folder(folder), read_folder(folder).camera_folder, *(claim.source for claim in claims)


def _judge(
    files: Sequence[PathFile],
    readings: Mapping[str, PathReading],
    siblings: Iterable[PathFile],
    rules: RuleBook,
    surroundings: Surroundings,
) -> dict[str, tuple[FolderVerdict, KnownNumbers]]:
    """What the files of each camera's folder decide, for folders where one of the new names cannot alone, and what is
    known of them.

    Siblings are read where new names with what is known leave something open; of folders of two digits, some that the
    index has are always read, as they may contradict what is known.
    """
    new: dict[str, list[Sibling]] = defaultdict(list)
    undecided = {reading.camera_folder for reading in readings.values() if not reading.decided}
    for path, mtime_ns in files if undecided else ():
        if readings[path].camera_folder in undecided:
            new[readings[path].camera_folder].append(Sibling(path, mtime_ns, readings[path]))
    known = {
        folder: surroundings.known_numbers(folder, in_names=in_names, in_folders=in_folders)
        for folder, group in new.items()
        for in_names, in_folders in (_have_numbers(group),)
    }
    verdicts = {folder: judge_folder(group) for folder, group in new.items()}
    is_open = {folder for folder, group in new.items() if _is_open(group, verdicts[folder], known[folder])}
    has_clock = {folder for folder, group in new.items() if any(reading.clock for _, _, reading in group)}
    groups = {folder: list(new[folder]) for folder in is_open | has_clock}
    for path, mtime_ns in siblings if is_open else ():
        if path not in readings and read_folder(path.rpartition("/")[0]).camera_folder in is_open:
            reading = read_path(path)
            groups[reading.camera_folder].append(Sibling(path, mtime_ns, reading))
    for folder, group in groups.items():
        group += _list_lone_channel(group, known[folder], surroundings)
        group += _list_numbered(group, folder, surroundings)
        verdicts[folder], is_kept = _judge_with_known(group, new[folder], folder, rules, surroundings)
        known[folder] = known[folder]._replace(is_kept_by_folder=is_kept)
    return {folder: (verdict, known[folder]) for folder, verdict in verdicts.items()}


def _judge_with_known(
    group: Sequence[Sibling], new: Sequence[Sibling], folder: str, rules: RuleBook, surroundings: Surroundings
) -> tuple[FolderVerdict, bool]:
    """What the files of a folder decide with those that the index has, and whether new ones keep the folder's camera
    although they have a text for one, as known ones did, or known ones have it that lie in a single channel."""
    doubts = [reading.doubt for _, _, reading in new if reading.doubt is not None and reading.moment is None]
    kinds, new_paths = {doubt.kind for doubt in doubts}, {path for path, _, _ in new}
    texts = {reading.camera_text for _, _, reading in new} - {""}
    has_clock = any(reading.clock for _, _, reading in new)
    is_asked = bool(kinds) or has_clock
    known_files = surroundings.list_known(folder, texts if len(texts) <= _MAX_TEXTS else ()) if is_asked else ()
    siblings, by_folder, in_folders = {one.path: one for one in group}, set[DoubtKind](), list[str]()
    for known in known_files:
        sibling = known.sibling(rule_of(known.path, rules).zone)
        doubt, is_here = sibling.reading.doubt, sibling.reading.camera_folder == folder
        if known.path in new_paths:
            continue
        if doubt is not None and doubt.kind in kinds:
            siblings[known.path] = sibling
            by_folder |= {doubt.kind} if known.keeps_folder and is_here else set()
        elif has_clock and sibling.reading.clock and is_here:
            siblings[known.path] = sibling
            in_folders += [known.path] if known.is_by_folder else []
    verdict = judge_folder(list(siblings.values()), beside=_list_beside(new, surroundings))
    texts = set(_list_uncounted_texts(list(siblings.values())))
    counted = {text for text in texts if surroundings.is_counted(folder, text)}
    verdict = replace(verdict, counted_texts=verdict.counted_texts | counted, by_folder=frozenset(by_folder))
    is_kept = any(is_kept_by_folder(reading, verdict) for _, _, reading in new)
    return verdict, is_kept or any(is_in_single_channel(read_path(path), verdict) for path in in_folders)


def _have_numbers(group: Sequence[Sibling]) -> tuple[bool, Set[NameTime]]:
    """Whether numbers in names may be channels, and the kinds of names in folders whose numbers may be."""
    in_names = any(reading.kind is CameraText.NUMBER for _, _, reading in group)
    return in_names, {kind for _, _, reading in group if reading.clock for kind in _kinds_of(reading)}


def _is_open(group: Sequence[Sibling], verdict: FolderVerdict, known: KnownNumbers) -> bool:
    """Whether a folder's siblings are to be asked, too."""
    readings = [reading for _, _, reading in group]
    return (
        any(reading.doubt or reading.kind is CameraText.NUMBER or reading.uncounted_text for reading in readings)
        or not known.are_channels.keys() >= _have_numbers(group)[1]
        or NameTime.ZONED in _have_numbers(group)[1]  # with the other ones they show the zone that one contradicts
        or verdict.hours.contradicts(known.are_channels)
    )


def _list_lone_channel(group: Iterable[Sibling], known: KnownNumbers, surroundings: Surroundings) -> Iterable[Sibling]:
    """The known images of the only number before times in a folder, if there is another number now."""
    read = {reading.camera_text for _, _, reading in group if reading.kind is CameraText.NUMBER}
    paths = {path for path, _, _ in group}
    if known.lone_channel is None or not read:
        return
    for path in surroundings.list_images(known.lone_channel):
        if path not in paths and (reading := read_path(path)).kind is CameraText.NUMBER:
            if read == {reading.camera_text}:
                return
            yield Sibling(path, 0, reading)


def _list_uncounted_texts(group: Iterable[Sibling]) -> list[str]:
    """The texts of a folder with numbers behind them that may count; none if there are too many to be cameras."""
    texts = {reading.uncounted_text for _, _, reading in group} - {""}
    return sorted(texts) if len(texts) <= _MAX_TEXTS else []


def _list_numbered(group: Iterable[Sibling], folder: str, surroundings: Surroundings) -> list[Sibling]:
    """Known images of a folder whose names have the same texts with numbers behind them."""
    paths = {path for path, _, _ in group}
    texts = _list_uncounted_texts(group)
    known = {path for text in texts for path in surroundings.list_numbered(folder, text)} - paths
    return [Sibling(path, 0, read_path(path)) for path in sorted(known)]


def _list_beside(group: Iterable[Sibling], surroundings: Surroundings) -> set[str]:
    """The names of the folders beside those of two digits below a date, of names without a time."""
    parents = set()
    for folder in {path.rpartition("/")[0] for path, _, reading in group if reading.clock and reading.moment is None}:
        while read_folder(above := folder.rpartition("/")[0]).clock:
            folder = above
        parents.add(above)
    return {name for parent in parents for name in surroundings.list_folders(parent)}


def _pattern_orders(files: Sequence[PathFile], rules: RuleBook) -> dict[str, bool]:
    """Whether the day comes first in the dates that a pattern reads, for the folder of each rule where it is known."""
    votes: dict[str, set[bool]] = defaultdict(set)
    has_pattern = any(rule.compiled is not None for rule in rules.rules.values())
    for file in files if has_pattern else ():
        rule = rule_of(file.path, rules)
        if rule.compiled is not None and rule.compiled.reads_time:
            matched = rule.compiled.read(rule.relative(file.path))
            if matched is not None and matched.day_first is not None:
                votes[rule.folder].add(matched.day_first)
    return {folder: vote.pop() for folder, vote in votes.items() if len(vote) == 1}
