"""Which cameras of an ingest are held back as the names of their files, or of folders, have several words that may be
cameras.

It promises that such words are never taken for one camera silently: new ones are held back or reported, whichever files
of the folder come in one call. A person's word covers the words that were shown, and no later ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import timedelta
from functools import cache, partial
from typing import Protocol

from indexer.domain.names import PathNaming, clamped_mtime
from indexer.domain.naming.cameras import folder_of_source, source_of_folder
from indexer.domain.naming.columns import (
    Column,
    find_counted_column,
    find_dcf_column,
    find_events,
    find_hour_column,
    find_month_column,
    find_offset_column,
    find_year,
    find_year_column,
    is_no_month,
)
from indexer.domain.naming.folders import number_dates, years_of
from indexer.domain.naming.moments import EPOCH
from indexer.domain.naming.prefixes import find_prefix_column
from indexer.domain.naming.series import Series, find_series, forms_of_folders, word_of
from indexer.domain.paths import lies_at_or_below
from indexer.files.walking import Candidate
from indexer.workflows.ingest.held_cameras import HeldCamera, SourceCheck
from indexer.workflows.ingest.known_cameras import KnownCameras
from indexer.workflows.ingest.writing_times import WritingTimes

_DAY = timedelta(days=1)
RECENT_IMAGES = 1000
"""So many known images of a camera are looked at before all are."""


def check_words(
    claims: Mapping[str, PathNaming],
    known: KnownCameras,
    candidates: Sequence[Candidate],
    *,
    walked: Sequence[str],
    unclear_folders: Set[str],
    overwritten: Set[str] = frozenset(),
) -> SourceCheck:
    """Which cameras are held back, or reported, as several words may be cameras.

    `claims` as in `check_sources`. `candidates`: all files, of which those not in `claims` are known; `walked`: the
    folders of which they are all files. `unclear_folders`: those of cameras where nothing tells whether numbers below a
    date are hours. `overwritten`: known files whose content is another one now.
    """
    paths_by_source = _group_by_source(claims)
    of_folders = {source for source, _, name in paths_by_source if not name}
    walked_paths = _list_walked(claims, candidates, of_folders)
    mtimes_ns = {candidate.path: candidate.mtime_ns for candidate in candidates if candidate.path in claims}
    no_months = {claims[path].folder for paths in paths_by_source.values() for path in paths if is_no_month(path)}
    written, check = WritingTimes(candidates, known, overwritten=overwritten), SourceCheck()
    for (source, camera, name), paths in sorted(paths_by_source.items()):
        naming = claims[paths[0]]
        is_walked = not name and any(lies_at_or_below(source, folder) for folder in walked)
        before = walked_paths.get(source, [])
        if not is_walked:
            before = sorted({*before, *_list_known(paths, known, naming, source)} - claims.keys())
        is_counted = any((claim := claims[path].claim) is not None and claim.is_counted for path in paths)
        series = _find_open_series(
            paths,
            before,
            find_words=partial(written.find_series, camera=camera, name=name),
            find_lone=None if name else partial(written.find_lone_series, camera=camera),
            covered=known.confirmed_words(camera),
            undone=known.undone_words(camera),
            is_confirmed=source in known.confirmed(camera),
            is_counted=is_counted and naming.claim is not None and naming.claim.is_given,
            is_unclear=not name and naming.folder in unclear_folders,
            is_year_unclear=not name and _are_years_unclear(paths, mtimes_ns),
            are_no_months=not name and naming.folder in no_months,
        )
        if series is None and camera not in known:
            series = find_event_series(paths) if not name else _find_counted_channels(paths) if is_counted else None
        if series is not None:
            check = check.joined(_check_of(series, camera, source, paths))
    return check


def _check_of(series: Series, camera: str, source: str, paths: Sequence[str]) -> SourceCheck:
    """What follows from words that may be cameras: the camera is held back, or only reported."""
    if not series.at_once:
        return SourceCheck(several_words={camera: series.words})
    forms = forms_of_folders(paths, folder_of_source(source))
    held = HeldCamera(camera, len(paths), (source,), paths[0], series.words, forms)
    return SourceCheck((held,), frozenset(paths))


def _group_by_source(claims: Mapping[str, PathNaming]) -> dict[tuple[str, str, str], list[str]]:
    """The paths of each source, camera, and camera as the names say it, where no person said the camera."""
    paths_by_source: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for path, naming in claims.items():
        if naming.claim is not None and naming.camera_source in {"folder", "name"}:
            paths_by_source[naming.source, naming.camera, _camera_in_name(naming)].append(path)
    return {key: sorted(paths) for key, paths in paths_by_source.items()}


def _camera_in_name(naming: PathNaming) -> str:
    """The camera as the file name says it; empty if the folder says it."""
    return naming.claim.names[0] if naming.claim is not None and naming.camera_source == "name" else ""


def _are_years_unclear(paths: Iterable[str], mtimes_ns: Mapping[str, int]) -> bool:
    """Whether folders look like years, and a file in one was written in another year, as where they are numbers; or,
    of six or seven digits, on another day."""
    for path in paths:
        year = find_year(path)
        if year and path in mtimes_ns:
            written = EPOCH + timedelta(microseconds=clamped_mtime(mtimes_ns[path]) // 1000)
            days = [written + shift for shift in (-_DAY, timedelta(0), _DAY)]
            dates = number_dates(year)
            is_of_day = bool(dates & {(day.year, day.month, day.day) for day in days})
            if not (is_of_day if dates else years_of(year) & {day.year for day in days}):
                return True
    return False


def _find_open_series(
    paths: Sequence[str],
    before: Sequence[str],
    *,
    find_words: "_Finder",
    find_lone: "_Finder | None",
    covered: frozenset[str],
    undone: frozenset[str],
    is_confirmed: bool,
    is_counted: bool,
    is_unclear: bool,
    is_year_unclear: bool,
    are_no_months: bool,
) -> Series | None:
    """The first series of these files and of those known before that nobody answered and that is not reported yet; one
    that holds the camera comes before others.

    `find_words`: finds words, numbers and letters; `find_lone`: finds words of single files, None if file names say the
    camera. `covered`: the words that a person confirmed; `undone`: those that they took back; `is_confirmed`: they
    confirmed what is known, in whatever words. `is_counted`: a number behind the camera was taken for one of an event.
    `is_unclear`, `is_year_unclear`: nothing tells whether folders are hours, and years. `are_no_months`: numbers beside
    them are too high for months.
    """
    finders: list[_Finder] = [
        find_words,
        find_offset_series,
        *([] if find_lone is None else [find_dcf_series, find_prefix_series, find_lone]),
    ]
    finders += [find_counted_series] if is_counted else []
    finders += [find_hour_series] if is_unclear else []
    finders += [find_year_series] if is_year_unclear else []
    finders += [find_month_series] if are_no_months else []
    reported: Series | None = None
    for find in finders:
        left_out = covered
        while (series := find([*paths, *before], covered=left_out)) is not None:
            known = find(before, covered=left_out)
            is_known = known is not None and {*known.words, *left_out}.issuperset(series.words)
            is_known = is_known and undone.isdisjoint(series.words)
            if known is None or not is_known or not (known.at_once or is_confirmed or not series.at_once):
                if series.at_once:
                    return series
                reported = reported or series  # what another finder shows may hold the camera
            left_out = left_out.union(series.words)
    return reported


class _Finder(Protocol):
    """Finds a series in files, without those of which all words are covered."""

    def __call__(self, paths: Iterable[str], /, *, covered: Set[str]) -> Series | None: ...


def find_dcf_series(paths: Iterable[str], *, covered: Set[str]) -> Series | None:
    """The words of `DCIM` folders, as a series."""
    return _open_series(find_dcf_column(paths), covered)


def _open_series(column: Column | None, covered: Set[str]) -> Series | None:
    return None if column is None or covered >= set(column.labels) else Series(column.labels, column.at_once)


def find_offset_series(paths: Iterable[str], *, covered: Set[str]) -> Series | None:
    """The four digits behind times that take turns, as a series."""
    return _open_series(find_offset_column(paths), covered)


def find_prefix_series(paths: Iterable[str], *, covered: Set[str]) -> Series | None:
    """The letters beside the same numbers, as a series."""
    return _open_series(find_prefix_column(paths), covered)


def _find_counted_channels(paths: Iterable[str]) -> Series | None:
    """The numbers behind that of a camera which count events, as a series that is reported alone."""
    column = find_counted_column(paths)
    return None if column is None else Series(column.labels, at_once=False)


def find_counted_series(paths: Iterable[str], *, covered: Set[str]) -> Series | None:
    """The numbers behind the camera that seem to count events, as a series."""
    return _open_series(find_counted_column(paths), covered)


def find_hour_series(paths: Iterable[str], *, covered: Set[str]) -> Series | None:
    """The folders of two digits below dates, as a series."""
    return _open_series(find_hour_column(paths), covered)


def find_year_series(paths: Iterable[str], *, covered: Set[str]) -> Series | None:
    """The folders that look like years, as a series."""
    return _open_series(find_year_column(paths), covered)


def find_month_series(paths: Iterable[str], *, covered: Set[str]) -> Series | None:
    """The folders with the number of a month below a year, as a series."""
    return _open_series(find_month_column(paths), covered)


def find_event_series(paths: Iterable[str]) -> Series | None:
    """The number before times in names that is taken for one of an event, as a series that follows each other."""
    column = find_events(paths)
    return None if column is None else Series(column.labels, column.at_once)


def _list_walked(
    claims: Mapping[str, PathNaming], candidates: Iterable[Candidate], sources: Set[str]
) -> dict[str, list[str]]:
    """The known files of the walk, by source."""
    paths: dict[str, list[str]] = defaultdict(list)
    source_of = cache(source_of_folder)
    for candidate in candidates if sources else ():
        if candidate.path not in claims and (source := source_of(candidate.path.rpartition("/")[0])) in sources:
            paths[source].append(candidate.path)
    return paths


def _list_known(paths: Sequence[str], known: KnownCameras, naming: PathNaming, source: str) -> list[str]:
    """The known images of a source that a walk did not meet; the last ones only where they show that nothing is new."""
    recent = known.recent_paths(naming.camera, source, limit=RECENT_IMAGES)
    if len(recent) < RECENT_IMAGES:
        return recent
    is_known = set(map(word_of, paths)) <= set(map(word_of, recent))
    every, confirmed = [*paths, *recent], known.confirmed_words(naming.camera)
    finders: tuple[_Finder, ...] = (
        partial(find_series, camera=_camera_in_name(naming)),
        find_offset_series,
        find_dcf_series,
        find_prefix_series,
    )
    if is_known and all(find(every, covered=confirmed) is None for find in finders):
        return recent
    return known.list_paths(naming.camera, source)
