"""Words in the file names of one folder that may be cameras: ``gate_0001.jpg`` beside ``yard_0001.jpg``.

A name without a time says its camera nowhere, and neither does a word behind the time. So all files of a folder tell:
words that many of them share, and that number the same things or stand at the same times, are *series* of their own.
Numbers and single letters are as well, see `indexer.domain.naming.columns`.
"""

import itertools
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from indexer.domain.naming.camera_words import CameraText, classify, is_common_name, is_kind_of_file
from indexer.domain.naming.cameras import TimeSpan, overlap
from indexer.domain.naming.columns import find_columns, is_label, pattern_of_label
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.moments import MONTH_WORD, to_utc
from indexer.domain.naming.patterns import compile_pattern
from indexer.domain.naming.reading import find_time, read_path
from indexer.domain.paths import lies_at_or_below

_TOKEN = re.compile(r"(?<![^\W_])[^\W\d_]{2,}(?![^\W\d_])[0-9]{0,3}(?![^\W_])")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS_OF_FOLDER = re.compile(r"[0-9]+")
_TIME_WORD = re.compile(rf"{MONTH_WORD}|[ap]m|utc", re.IGNORECASE)
_NO_WORDS = re.compile(
    r"(?<=\.)(?P<fraction>[0-9]{1,9})-[0-9a-z]{6}(?:-clean)?\Z"  # what Frigate writes behind seconds with a fraction
    r"|(?:_[A-Z]+)*_(?:DETECTION|CROSSING|ENTRANCE|EXITING|CHANGE)\Z"  # why Hikvision took an image
)
_DETECTED = frozenset(
    {"person", "people", "human", "face", "vehicle", "animal", "pet", "package", "object", "car"}
    | {"truck", "bus", "van", "bicycle", "bike", "motorcycle", "motorbike", "train", "boat", "dog", "cat"}
    | {"bird", "horse", "sheep", "cow", "bear", "deer", "fox", "squirrel", "rabbit", "raccoon", "license"}
    | {"plate", "licenseplate"}
)
"""What detectors find, and write behind the time."""
_SURELY_DETECTED = frozenset(
    {"person", "people", "human", "vehicle", "animal", "car", "truck", "bus", "motorcycle", "bicycle"}
)
"""Those of which nobody calls a camera: beside one of them the others are none either."""
_COUNTER_DIGITS = 3
_MIN_FILES = 2
"""The fewest files of a series that shares no number with another."""
_MAX_SERIES = 16
_NUMBER_LABEL = re.compile(r"<[0-9]+>")
_MIN_SHARE = 0.9
"""The least share of the files of a folder that are in a series; others have random names."""


@dataclass(frozen=True)
class Series:
    """The words of a folder's series, sorted. `at_once`: whether they number the same things, or overlap in time."""

    words: tuple[str, ...]
    at_once: bool


@lru_cache(maxsize=32_768)  # a watch asks for the last images of its cameras with each batch
def word_of(path: str, *, camera: str = "") -> str:
    """The words of a file name that are neither a time nor a kind of file; empty if there are none.

    Those of `camera`, the name that the file name says, are left out.
    """
    of_camera = _TOKEN.findall(camera) if camera else ()
    return "-".join(token for token in _TOKEN.findall(_stem(path)) if token not in of_camera and _is_word(token))


def find_series(files: Iterable[str], *, camera: str = "", covered: Set[str] = frozenset()) -> Series | None:
    """The series among the files of a camera, given by their paths; None if there are not two.

    Words come before numbers and single letters, and what stands side by side before what only follows each other.
    `camera`: the camera where the file names say it. `covered`: words of series that are left out, as they are known.
    """
    words_of = {path: word_of(path, camera=camera) for path in files}
    if _are_detected(words_of):
        words_of = dict.fromkeys(words_of, "")
    words = _find_word_series(words_of, is_beside_camera=bool(camera))
    if words is not None and covered >= set(words.words):
        words = None
    if words is not None and words.at_once:
        return words
    paths: dict[str, list[str]] = defaultdict(list)
    for path, word in words_of.items():
        paths[word if word in covered else ""].append(path)
    columns = [column for of_word in paths.values() for column in find_columns(of_word, covered=covered)]
    is_any_at_once = any(column.at_once for column in columns)
    if words is not None and not is_any_at_once:
        return words
    labels = {label for column in columns if column.at_once is is_any_at_once for label in column.labels}
    return Series(tuple(sorted(labels)), is_any_at_once) if labels else None


def _are_detected(words_of: Mapping[str, str]) -> bool:
    """Whether all words are what a detector found, behind the times."""
    path_of = {word: path for path, word in words_of.items() if word}
    if not path_of or not {part.lower() for word in path_of for part in word.split("-")} <= _DETECTED:
        return False
    shown = {word.lower() for path in words_of for word in _LETTERS.findall(_stem(path))}
    times = map(find_time, path_of.values())
    return not _SURELY_DETECTED.isdisjoint(shown) and None not in times


def _find_word_series(words_of: Mapping[str, str], *, is_beside_camera: bool) -> Series | None:
    """The series of words; beside a camera in the name two files tell them, and names without a word tell nothing."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, word in words_of.items():
        if word or not is_beside_camera:
            paths[word].append(path)
    rests = {word: set(map(_rest, of_word)) - {None} for word, of_word in paths.items() if word}
    if len(rests) == len(words_of) and 2 <= len(rests) <= _MAX_SERIES and all(map(_is_called_like_a_camera, words_of)):
        return Series(tuple(sorted(rests)), at_once=True)  # each camera writes one file, again and again
    shared = _shared(rests)
    steady = {word: rests[word] for word in rests if len(paths[word]) >= _MIN_FILES}
    if (shared and is_beside_camera) or _shared(steady):  # also where strays lie beside them, or where there are many
        return Series(tuple(sorted(word for word in rests if rests[word] & shared)), at_once=True)
    days = {word: _days(paths[word]) for word in steady if not steady[word]}
    if each_day := _shared(days):
        return Series(tuple(sorted(word for word in days if days[word] & each_day)), at_once=True)
    words = sorted(word for word in rests if len(paths[word]) >= _MIN_FILES or rests[word] & shared)
    in_series = sum(len(paths[word]) for word in words)
    if not 2 <= len(words) <= _MAX_SERIES or in_series < _MIN_SHARE * sum(map(len, paths.values())):
        return None
    return Series(tuple(words), bool(shared) or _overlap({word: paths[word] for word in words}))


def _is_called_like_a_camera(path: str) -> bool:
    """Whether a file is called as many cameras are, and no more: `cam1.jpg`, `ch02.jpg`, but not `cam0001.jpg`."""
    stem = _stem(path)
    is_short = sum(map(str.isdecimal, stem)) < _COUNTER_DIGITS
    return is_short and (is_common_name(stem) or classify(stem) is CameraText.DEFAULT)


def _shared(rests: Mapping[str, set[str | None]]) -> set[str | None]:
    """What several words number."""
    return {rest for rest, count in Counter(itertools.chain(*rests.values())).items() if count > 1}


def _days(paths: Iterable[str]) -> set[str | None]:
    """The folders of dates that files lie in."""
    folders = {path.rpartition("/")[0] for path in paths}
    return {folder for folder in folders if read_folder(folder).date is not None}


def _overlap(paths_by_word: Mapping[str, Sequence[str]]) -> bool:
    """Whether the times in the names of two series overlap; False if a name has no time. A time that only other files
    can decide counts: it is enough that it may be one."""
    spans: dict[str, TimeSpan] = defaultdict(TimeSpan)
    for word, paths in paths_by_word.items():
        for path in paths:
            moment = read_path(path).likely_moment
            spans[word].add(None if moment is None else to_utc(moment, None))
    return all(span.is_complete for span in spans.values()) and overlap(spans)


def find_lone_series(paths: Iterable[str], *, overwritten: Set[str], covered: Set[str] = frozenset()) -> Series | None:
    """The words of names without a number, if each camera may write one file, again and again; None if it does not.

    Two of them are `overwritten`, or one lies in several folders, and another one beside it. Words that are all
    `covered` are left out.
    """
    stems = {path: _stem(path) for path in paths}
    words_of = {path: word_of(path) for path, stem in stems.items() if not any(map(str.isdecimal, stem))}
    folders: dict[str, set[str]] = defaultdict(set)
    for path, word in words_of.items():
        folders[word].add(path.rpartition("/")[0])
    words = sorted(folders.keys() - {""})
    if not 2 <= len(words) <= _MAX_SERIES or len(words_of) < _MIN_SHARE * len(stems) or covered >= set(words):
        return None
    are_beside = any(
        len(folders[one]) > 1 and folders[one] & folders[other] for one in words for other in words if one != other
    )
    is_overwritten = len({words_of[path] for path in overwritten & words_of.keys()} - {""}) > 1
    return Series(tuple(words), at_once=True) if is_overwritten or are_beside else None


def are_written_at_once(series: Series, written: Mapping[str, datetime], *, camera: str = "") -> bool:
    """Whether the files of two words of a series were written at overlapping times, where their names have no time.

    `written`: the times of writing, aware, by path. `camera` as in `find_series`.
    """
    labels = {label: compile_pattern(pattern_of_label(label)) for label in series.words if is_label(label)}
    spans: dict[str, TimeSpan] = defaultdict(TimeSpan)
    for path, at in written.items():
        if read_path(path).likely_moment is not None:
            continue
        word = word_of(path, camera=camera)
        if word not in series.words:
            word = next((label for label, pattern in labels.items() if pattern.read(path) is not None), "")
        if word:
            spans[word].add(at)
    ordered = sorted((span.first, span.last) for span in spans.values() if span.first and span.last)
    return any(after[0] < before[1] for before, after in itertools.pairwise(ordered))  # copies have one time


def pattern_of(
    words: Iterable[str], *, below: Iterable[str] = (), behind: Iterable[str] = (), forms: Iterable[str] = ()
) -> str:
    """The pattern by which each of these words, as `find_series` gives them, is a camera.

    With `below`, folders relative to that of the pattern, only in paths below one of these, whose name the cameras get
    in front: the same words below two folders are two cameras. An empty one is the folder itself, which gives no name.
    `behind`: the same with the names that files begin with. `forms`: those that folders between may have, as
    `forms_of_folders` gives them; other folders may be cameras of their own.
    """
    expression = _expression_of(sorted(words))
    names = "|".join(map(re.escape, sorted(behind)))
    expression = rf"(?:^|/)(?P<camera>{names})[^/]*?(?:{expression})" if names else expression
    between = "|".join(f"{form}/" if form else "" for form in sorted(forms, reverse=True))
    rest = f"(?:{between})[^/]*$" if between else "[^/]*$" if forms else ""
    below = set(below)
    if places := "|".join(map(re.escape, sorted(below - {""}))):
        begin = f"(?P<camera>{places})(?=/{rest})"
        begin = f"(?:{begin}|(?={rest}))" if "" in below else begin
        return f"^{begin}.*?(?:{expression})"
    return f"^(?={rest}).*?(?:{expression})" if rest else expression


def forms_of_folders(paths: Iterable[str], folder: str) -> tuple[str, ...]:
    """Regular expressions of the folders of files relative to one above: any numbers for those that they have, as other
    dates follow; none if a file is not below it."""
    folders = {path.rpartition("/")[0] for path in paths}
    if any(not lies_at_or_below(other, folder) for other in folders):
        return ()
    relative = {other.removeprefix(folder).strip("/") for other in folders}
    return tuple(sorted({_DIGITS_OF_FOLDER.sub("[0-9]+", re.escape(other)) for other in relative}))


def pattern_below(pattern: str, folders: Iterable[str]) -> str:
    """A pattern for a folder above: the same in paths below one of these folders, whose name the cameras get in front.

    `folders`, relative to the one above; an empty one is that itself, which gives no name.
    """
    folders = set(folders)
    places, optional = "|".join(map(re.escape, sorted(folders - {""}))), "?" if "" in folders else ""
    if pattern.startswith("^"):
        return f"^(?:(?P<camera>{places})/){optional}(?:{pattern.removeprefix('^')})"
    return f"^(?:(?P<camera>{places})(?=/)){optional}.*?(?:{pattern})"


def _expression_of(words: list[str]) -> str:
    if any(map(is_label, words)):
        if len(words) > _MAX_SERIES:  # one expression for all of a form
            words = sorted({_NUMBER_LABEL.sub("<*>", word) for word in words})
        return "|".join(map(pattern_of_label, words))
    expressions = [r"[\W_]+".join(map(re.escape, word.split("-"))) for word in words]
    return rf"(?<![^\W_])(?P<camera>{'|'.join(expressions)})(?![^\W_])[^/]*$"


def _rest(path: str) -> str | None:
    """The folder of a file and its name without the words; None if that has no number."""
    folder = path.rpartition("/")[0]
    rest = _TOKEN.sub(lambda match: "*" if _is_word(match[0]) else match[0], _stem(path))
    return f"{folder}/{rest}" if any(map(str.isdecimal, rest)) else None


def _stem(path: str) -> str:
    stem = os.path.splitext(path.rpartition("/")[2])[0]
    return _NO_WORDS.sub(lambda match: match["fraction"] or "", stem)


def _is_word(token: str) -> bool:
    if is_kind_of_file(token) or _TIME_WORD.fullmatch(token):
        return False
    return classify(token) in {CameraText.NAME, CameraText.DEFAULT}
