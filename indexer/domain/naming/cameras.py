"""Which paths are of one camera, and what it is called.

Every path claims a camera. A claim rests on a *source*: the camera's folder (``/data/gate``), that folder with its
branch (``/data/gate/*/001``), or that folder with a default word or a number of the file name (``/data/Reolink_00*``).
So no two of them are spelled alike. Claims with different sources are never one camera, whatever they are called. If
several want one name, all of them get a longer one: ``parent/name``.

A name that a person gave, and that stands in the file names (``c10-1623871098865.png``), is another matter. It may be
one camera in several folders, as when its images came in batches. It is, where the times in these folders do not
overlap; else it is *held back* until a person says so.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from indexer.domain.naming.camera_words import CameraText, classify, find_address, storable_text
from indexer.domain.naming.folders import list_own_names, read_folder
from indexer.domain.naming.reading import PathReading, camera_needs_time
from indexer.domain.naming.siblings import FolderVerdict, branch_of, decided_moment
from indexer.domain.naming.stamps import DoubtKind
from indexer.domain.paths import lies_at_or_below

_NAMELESS = "camera"
_BELOW_FOLDER = re.compile(r"/(?:\*/.*|[^/]*\*)\Z", re.DOTALL)


ClaimKey = tuple[str, str, bool]


class CameraClaim(NamedTuple):
    """The camera that a path claims; `names`: what it may be called, the shortest first."""

    source: str
    names: tuple[str, ...]
    camera_source: str
    """'name', 'folder', or 'option' where a person said which folders are cameras."""
    is_given: bool
    """Whether a person gave the name, so that other folders may hold the same camera."""
    has_branch: bool = False
    former_name: str = ""
    """What an index may call the camera by a word of the file name that is left out now; empty: by none."""
    is_counted: bool = False
    """Whether a number behind the name, in the name of the file, is left out as it seems to count events."""

    @property
    def possible_names(self) -> tuple[str, ...]:
        """What it may be called, and what an index may call it."""
        return (*self.names, self.former_name) if self.former_name else self.names

    @property
    def former_sources(self) -> set[str]:
        """The source as an index may have it: with a branch and a word spelled like folders, or without the word."""
        former = {self.source.replace("/*/", "/").removesuffix("*")}
        if self.source.endswith("*"):
            former.add(self.source.rpartition("/")[0])
        return former - {self.source}

    @property
    def key(self) -> ClaimKey:
        """What tells it from other claims: source, first name or former one, and whether a person gave it."""
        return self.source, self.former_name or self.names[0], self.is_given


class KnownSource(NamedTuple):
    """A source of a camera that the index has.

    `is_root`: of an earlier version, which knew only the folder ingested; the images tell which sources these are.
    `is_confirmed`: a person said that its images are of this camera.
    """

    source: str
    is_root: bool = False
    is_confirmed: bool = False


@dataclass
class TimeSpan:
    """The first and last time of the images of one camera in one folder; `is_complete`: all their times are known."""

    first: datetime | None = None
    last: datetime | None = None
    is_complete: bool = True

    def add(self, moment: datetime | None) -> None:
        """Adds the time of an image."""
        if moment is None:
            self.is_complete = False
            return
        self.first = moment if self.first is None else min(self.first, moment)
        self.last = moment if self.last is None else max(self.last, moment)

    def join(self, other: "TimeSpan") -> None:
        """Adds the images of another span."""
        self.is_complete &= other.is_complete
        for moment in (other.first, other.last):
            if moment is not None:
                self.add(moment)


def source_of_folder(folder: str) -> str:
    """The source of the files of a folder, as far as the folder alone says it: the camera's folder with its branch."""
    facts = read_folder(folder)
    return _with_branch(facts.camera_folder, facts.branch)


def folder_of_source(source: str) -> str:
    """The folder that a source lies in, without the branch and the word of the file names."""
    return _BELOW_FOLDER.sub("", source)


def _with_branch(folder: str, branch: Collection[str]) -> str:
    return "/".join((folder, "*", *branch)) if branch else folder


def make_claim(reading: PathReading, verdict: FolderVerdict) -> CameraClaim:
    """The camera that a path claims after its siblings were asked."""
    claim = _make_claim(reading, verdict)
    return claim._replace(former_name=reading.former_text) if reading.former_text else claim


def _make_claim(reading: PathReading, verdict: FolderVerdict) -> CameraClaim:
    text, folder = reading.camera_text, reading.camera_folder
    doubt = reading.doubt
    if doubt is not None and reading.moment is None:
        is_number = doubt.kind is DoubtKind.SHORT_YEAR and reading.kind is CameraText.NUMBER
        needs_time = is_number or (camera_needs_time(doubt) and find_address(text) is None)
        needs_time = needs_time and decided_moment(reading, verdict) is None
        text = "" if needs_time or doubt.kind in verdict.by_folder else text
    kind = reading.kind
    if text and reading.uncounted_text in verdict.counted_texts:
        text = reading.uncounted_text
        kind = CameraText.DEFAULT if text.isdecimal() else classify(text)
    if text and kind is CameraText.NAME:
        is_counted = text != reading.camera_text
        source = _with_branch(folder, reading.no_year)
        return CameraClaim(source, (text,), "name", is_given=True, is_counted=is_counted)
    branch = branch_of(reading, verdict)
    if text and kind is CameraText.MAKER:
        branch = (*branch, text)
    elif text and not (kind is CameraText.NUMBER and verdict.numbers_are_events):
        names = _longer_names(folder, ("/".join((*map(storable_text, reading.no_year), text)),))
        source, is_counted = f"{_with_branch(folder, reading.no_year)}/{text}*", text != reading.camera_text
        return CameraClaim(source, names, "name", is_given=False, is_counted=is_counted)
    return CameraClaim(_with_branch(folder, branch), _folder_names(folder, branch), "folder", False, bool(branch))


@lru_cache(maxsize=20_000)
def claim_of_level(folder: str) -> CameraClaim:
    """The camera of a folder of which a person said that it is one, by its level."""
    parts = [storable_text(part) or _NAMELESS for part in folder.strip("/").split("/")]
    names = tuple("/".join(parts[start:]) for start in range(len(parts) - 1, -1, -1))
    return CameraClaim(folder, names, "option", is_given=False)


@lru_cache(maxsize=20_000)
def _folder_names(folder: str, branch: tuple[str, ...]) -> tuple[str, ...]:
    own, *_ = list_own_names(folder) or [folder.rstrip("/").rpartition("/")[2]]
    name = storable_text(own) or _NAMELESS
    if not branch:
        return _longer_names(folder, (name,), own_count=1)
    numbers = tuple(part for part in branch if part.isdecimal())
    short = f"{name}/{storable_text('/'.join(numbers))}" if numbers else f"{name}/{storable_text('/'.join(branch))}"
    full = f"{name}/{storable_text('/'.join(branch))}"
    return tuple(dict.fromkeys((name, short, *_longer_names(folder, (full,), own_count=1))))


def _longer_names(folder: str, names: tuple[str, ...], *, own_count: int = 0) -> tuple[str, ...]:
    """A name, and the same behind the names of more and more folders that it lies in."""
    longest = [names[-1]]
    for parent in list_own_names(folder)[own_count:]:
        longest.append(f"{storable_text(parent) or _NAMELESS}/{longest[-1]}")
    return (*names[:-1], *longest)


def assign_names(
    claims: Iterable[CameraClaim], *, known: Mapping[str, Collection[str]], owners: Mapping[str, str]
) -> dict[ClaimKey, str]:
    """The name of the camera of each claim, by its key.

    `known`: the sources of each camera of the index. Such a camera keeps its name, and no other source gets it. A
    source that a camera has keeps that one, whichever name it would get now; `owners`: the camera of sources that no
    longer lead to its name, as their folders were renamed.
    """
    unique = {claim.key: claim for claim in claims}
    assigned = _Assigned()
    for key, claim in unique.items():
        camera = _find_former_camera(claim, known)
        if camera is None:
            camera = claim.names[0] if claim.is_given else find_own_camera(claim, known) or owners.get(claim.source)
        if camera is not None:
            assigned.add(key, camera)
    pending = {key: claim for key, claim in unique.items() if key not in assigned.names}
    for level in range(max((len(claim.names) for claim in pending.values()), default=0)):
        _assign_level(level, pending, assigned, known=known)
    for key, claim in sorted(pending.items()):
        taken = assigned.sources_by_name.keys() | known.keys()
        assigned.add(key, next(name for name in _last_names(claim) if name not in taken))
    return assigned.names


@dataclass
class _Assigned:
    """The names that claims have got, and the sources of the claims with each name."""

    names: dict[ClaimKey, str] = field(default_factory=dict)
    sources_by_name: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, key: ClaimKey, name: str) -> None:
        self.names[key] = name
        self.sources_by_name[name].add(key[0])


def _assign_level(
    level: int,
    pending: dict[ClaimKey, CameraClaim],
    assigned: _Assigned,
    *,
    known: Mapping[str, Collection[str]],
) -> None:
    """Gives claims their names of this level where no other source wants them, and takes these claims out."""
    groups: dict[str, list[ClaimKey]] = defaultdict(list)
    for key, claim in pending.items():
        if level < len(claim.names):
            groups[claim.names[level]].append(key)
    for name, keys in groups.items():
        for key in _owners(name, keys, pending, taken=assigned.sources_by_name.get(name), known=known.get(name)):
            assigned.add(key, name)
            del pending[key]


def find_own_camera(claim: CameraClaim, known: Mapping[str, Collection[str]]) -> str | None:
    """The camera that has the source of a claim already, among those that it may be called; None if there is none."""
    return next((name for name in claim.names if claim.source in known.get(name, ())), None)


def _find_former_camera(claim: CameraClaim, known: Mapping[str, Collection[str]]) -> str | None:
    """The camera that the index calls by a word of the name that is left out now, in the same folder; None if none."""
    is_known = claim.source.partition("/*/")[0] in known.get(claim.former_name, ())
    return claim.former_name if claim.former_name and is_known else None


def _last_names(claim: CameraClaim) -> Iterator[str]:
    """The names behind the longest one: the source itself, then with a number. Sources may differ in what no name
    shows: white space at the end, or how a letter with an accent is written."""
    name = storable_text(claim.source) or _NAMELESS
    yield name
    yield from (f"{name} ({number})" for number in itertools.count(2))


def _owners(
    name: str,
    keys: Sequence[ClaimKey],
    claims: Mapping[ClaimKey, CameraClaim],
    *,
    taken: Collection[str] | None,
    known: Collection[str] | None,
) -> list[ClaimKey]:
    """Which of the claims that want a name get it."""
    if taken:
        return [key for key in keys if key[0] in taken]
    if known is not None:
        return [key for key in keys if key[0] in known]
    if len({key[0] for key in keys}) == 1:
        return list(keys)
    unbranched = [key for key in keys if not claims[key].has_branch]
    return (
        unbranched if len(unbranched) == 1 and all(lies_at_or_below(key[0], unbranched[0][0]) for key in keys) else []
    )


def overlap(spans: Mapping[str, TimeSpan], *, confirmed: Collection[str] = ()) -> bool:
    """Whether times in two of these folders overlap or are unknown; folders that a person confirmed are one."""
    if len(spans) < 2:
        return False
    joined, groups = TimeSpan(), [span for folder, span in spans.items() if folder not in confirmed]
    for folder in spans.keys() & set(confirmed):
        joined.join(spans[folder])
    groups += [joined] if spans.keys() & set(confirmed) else []
    if len(groups) < 2:
        return False
    if not all(span.is_complete and span.first is not None for span in groups):
        return True
    ordered = sorted((span.first, span.last) for span in groups if span.first is not None and span.last is not None)
    return any(after[0] <= before[1] for before, after in itertools.pairwise(ordered))
