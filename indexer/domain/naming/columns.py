"""Numbers and single letters in the file names of one folder that may be cameras: ``1_0001.jpg`` beside ``2_0001.jpg``.

Names that differ only in numbers and single letters are the rows of a table, with a column for each of these. A column
of few values numbers cameras where two of its values stand beside the same rest of a name, or take turns in time. A
column that only counts is a counter. The parts of a time are no columns, and neither is what stands in brackets.

A value is written as a *label*: the name with the value between ``<`` and ``>``, other numbers as ``*`` and other
letters as ``?``: ``<1>_*``. A label of a folder ends with a slash.
"""

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from indexer.domain.naming.camera_words import CameraText
from indexer.domain.naming.cameras import TimeSpan, overlap
from indexer.domain.naming.doubts import HOUR_AFTER_CHANGES
from indexer.domain.naming.folders import dcf_word, read_folder
from indexer.domain.naming.hour_folders import NameTime, name_time
from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.reading import find_time, read_path
from indexer.domain.naming.stamps import DoubtKind

_TOKEN = re.compile(r"[0-9]+|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
_NUMBER = re.compile(r"[0-9]+")
_LETTER = re.compile(r"(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
_LONG_NUMBER = re.compile(r"[0-9]{6,}")
_NO_COLUMN = re.compile(
    r"\[[^\]]*\]"  # what recorders write in brackets
    r"|(?<![0-9])[0-9]{10}\.[0-9]+-[0-9a-z]{6}(?![0-9A-Za-z])"  # seconds with a fraction and an event, as by Frigate
    r"|(?<![0-9])[0-9]{9}\.[0-9]{1,2}\Z"  # the number of an alert behind milliseconds, as by Blue Iris
    r"|(?:19[7-9][0-9]|20[0-9]{2})([-_.]?)(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])(?![0-9])"
    r"|[0-9]{1,2}([-_.])[0-9]{1,2}\2(?:19[7-9]|20[0-9])[0-9](?:, [0-9]{1,2}(?:[.:][0-9]{2}){2})?"  # as UniFi
)
_ID_LAST = re.compile(r"[-_.](?P<id>[0-9a-f]{6,}|[0-9A-F]{6,})\Z")
_HEX_LETTERS = "ABCDEFabcdef"
"""Behind a number that counts they make no id of it: `000001F` is the first image of a camera called F."""
_MOSTLY = 0.9
_TO_ZERO = str.maketrans("123456789", "0" * 9)
_COPY = re.compile(r"[ _]?\([0-9]+\)\Z")
"""What a browser adds to the name of a copy."""
_YEAR_FOLDER = re.compile(r"[0-9]{4}(?:-?[0-9]{3})?|[0-9]{2}([-_.]?)[0-9]{2}\1[0-9]{2}")
_YEAR_DIGITS = 4
_HOUR_MINUTE = re.compile(r"(?:[01]?[0-9]|2[0-3])[-.:h][0-5][0-9](?![0-9])")
_FRAME_OF_SECOND = re.compile(r"(?:[0-9]+-)?[0-9]{14}-[0-9]{2}|[A-Z_]+_[0-9]{4}(?:-[0-9]{2}){5}-[0-9]{3}_[0-9]{3}")
"""How Motion and GeoVision number the frames of a second, or of an event."""
_MAX_VALUES = 64
_MAX_TIMED_VALUES = 16
"""Numbers beside a time also count events, or measure something. More are cameras only if most stand side by side."""
_FRACTION_DIGITS = 3
_MIN_REPEATS = 3
_PARTS_OF_LABEL = re.compile(r"<([^>]*)>|([*?])")
_EXTENSION_LABEL = re.compile(r"\.<[^>]*>\Z")
_BEFORE_HOUR = r"(?:^|/|(?<=[0-9]{4}[-_. ][0-9]{2}[-_. ][0-9]{2}[-_. T])|(?<=[0-9]{8}[-_. T]))"
"""An hour may stand behind a whole date, in one folder; a day behind a month is none."""
_DIGITS, _SIGN = "*", "?"
_MAY_HAVE_OFFSET = re.compile(r"[0-9]{2}-[0-9]{4}(?![0-9])")


class Column(NamedTuple):
    """The labels of a column that may number cameras. `at_once`: whether they number the same things, or take turns."""

    labels: tuple[str, ...]
    at_once: bool


class _Row(NamedTuple):
    path: str
    folder: str
    stem: str
    tokens: tuple[str, ...]


def find_columns(paths: Iterable[str], *, covered: Set[str] = frozenset()) -> list[Column]:
    """The columns that may number cameras in the names of files of one camera, at most one for each form of a name.

    Columns whose labels are all `covered` are left out, and tell no files apart.
    """
    tables: dict[str, list[_Row]] = defaultdict(list)
    paths = list(paths)
    stems = [os.path.splitext(path.rpartition("/")[2])[0] for path in paths]
    is_with_ids = _end_with_ids(stems)
    for path, name in zip(paths, stems, strict=True):
        folder = path.rpartition("/")[0]
        stem = _COPY.sub("", name) if name.endswith(")") else name
        stem = _ID_LAST.sub("", stem) if is_with_ids else stem
        tokens = tuple(_TOKEN.findall(stem))
        if tokens:
            tables[_form(stem.translate(_TO_ZERO))].append(_Row(path, folder, stem, tokens))
    columns = (_find_column(rows, covered) for rows in tables.values() if len(rows) > 1)
    return [column for column in columns if column is not None]


def _end_with_ids(stems: Sequence[str]) -> bool:
    """Whether most names end with an id of their own, of digits and the letters a to f."""
    ids = [match["id"] for match in map(_ID_LAST.search, stems) if match is not None]
    if len(ids) < _MOSTLY * len(stems) or len(set(ids)) < _MOSTLY * len(ids):
        return False
    return 2 * sum(not one.isalpha() and not one.rstrip(_HEX_LETTERS).isdecimal() for one in ids) > len(ids)


def find_dcf_column(paths: Iterable[str]) -> Column | None:
    """The words in the names of the `DCIM` folders that files of one camera lie in, if there are several."""
    labels = {f"*<{word}>/" for folder in {path.rpartition("/")[0] for path in paths} if (word := dcf_word(folder))}
    return Column(tuple(sorted(labels)), at_once=True) if len(labels) > 1 else None


def find_hour_column(paths: Iterable[str]) -> Column | None:
    """The folders of two digits below a date in which files of one camera lie, if there are several.

    Files do not count whose names have a local time with its hour.
    """
    readings = (reading for reading in map(read_path, paths) if reading.clock)
    timeless = (one for one in readings if name_time(None if one.may_lack_hour else one.moment) is not NameTime.LOCAL)
    labels = {f"<{reading.clock[0]:02}>/" for reading in timeless}
    return Column(tuple(sorted(labels)), at_once=True) if len(labels) > 1 else None


def find_offset_column(paths: Iterable[str]) -> Column | None:
    """The four digits behind the times in names of one camera, if they take turns on a day: no place has two offsets
    then, but in the night in which clocks go back. None if they do not, or if one of them is no offset, as of a
    counter."""
    days: dict[date, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    labels = set[str]()
    for path in filter(_MAY_HAVE_OFFSET.search, paths):
        doubt = read_path(path).doubt
        if doubt is not None and doubt.kind is DoubtKind.OFFSET and doubt.other is not None:
            if doubt.moment is None:
                return None
            local = doubt.other.replace(tzinfo=None)
            days[local.date()][doubt.number].append(local)
            before, _, after = os.path.splitext(path.rpartition("/")[2])[0].rpartition(f"-{doubt.number}")
            labels.add(f"{_NUMBER.sub(_DIGITS, before)}-<{doubt.number}>{_NUMBER.sub(_DIGITS, after)}")
    for numbers in days.values():
        spans = sorted((min(times), max(times)) for times in numbers.values())
        for (_, last), (first, end) in itertools.pairwise(spans):
            if first <= last and min(last, end).hour >= HOUR_AFTER_CHANGES:
                return Column(tuple(sorted(labels)), at_once=True)
    return None


def find_year_column(paths: Iterable[str]) -> Column | None:
    """The folders called like a year, or a date with a year of two digits, that files of one camera lie in; None if
    there is one, or if names have times. Dates have one label for all of their form, as each day has another."""
    names = {name for path in paths if (name := find_year(path))}
    is_year = {name: name.isdecimal() and len(name) == _YEAR_DIGITS for name in names}
    labels = {f"<{name if is_year[name] else _NUMBER.sub(_DIGITS, name)}>/" for name in names}
    is_asked = len(names) > 1 or any(name.isdecimal() and len(name) > _YEAR_DIGITS for name in names)
    return Column(tuple(sorted(labels)), at_once=True) if is_asked else None


def find_month_column(paths: Iterable[str]) -> Column | None:
    """The folders with the number of a month below a year that files of one camera lie in, if there are several."""
    years = (facts.year for path in paths if (facts := read_folder(path.rpartition("/")[0])).date is None)
    labels = {f"<{year[1]}>/" for year in years if len(year) > 1 and year[1].isdecimal()}
    return Column(tuple(sorted(labels)), at_once=True) if len(labels) > 1 else None


def is_no_month(path: str) -> bool:
    """Whether a file lies in a folder below a year whose number is too high for a month."""
    facts = read_folder(path.rpartition("/")[0])
    return len(facts.year) == 1 and bool(facts.branch) and facts.branch[0].isdecimal() and len(facts.branch[0]) < 4


def find_year(path: str) -> str:
    """The name of the folder above a file that looks like a year, if nothing else in the path shows whether it is one.

    Empty if there is no such folder.
    """
    folder, _, name = path.rpartition("/")
    year = read_folder(folder).year
    if not year or _YEAR_FOLDER.fullmatch(year[0]) is None:
        return ""
    is_number = year[0].isdecimal() and len(year[0]) > _YEAR_DIGITS
    reading = read_path(f"/{name}" if is_number else path)  # a date that only such a number says is none yet
    is_open = reading.doubt is None or reading.doubt.kind is DoubtKind.SHORT_YEAR
    return year[0] if reading.moment is None and is_open else ""


def find_counted_column(paths: Iterable[str]) -> Column | None:
    """The numbers behind the camera in names that seem to count events, as one label for each form of a name."""
    labels = set()
    for path in paths:
        reading = read_path(path)
        if reading.uncounted_text:
            stem = os.path.splitext(path.rpartition("/")[2])[0]
            end = stem.find(reading.camera_text) + len(reading.camera_text)
            at = sum(token.end() < end for token in _TOKEN.finditer(stem))
            labels.add(_label(stem, at, _DIGITS))
    return Column(tuple(sorted(labels)), at_once=True) if labels else None


def find_events(paths: Iterable[str]) -> Column | None:
    """The number before the time in names of files that are all of the camera of their folder, as one label."""
    path = next((path for path in paths if read_path(path).kind is CameraText.NUMBER), None)
    if path is None:
        return None
    stem = os.path.splitext(path.rpartition("/")[2])[0]
    return Column((_label(stem, 0, _DIGITS),), at_once=False)


def pattern_of_label(label: str) -> str:
    """The pattern of the paths that a label stands for, with the value as the camera."""
    expression, start = "", 0
    for part in _PARTS_OF_LABEL.finditer(label):
        expression += re.escape(label[start : part.start()])
        if part[2]:
            expression += "[0-9]+" if part[2] == _DIGITS else r"[^\W\d_]"
        else:
            value = "[0-9]+".join(map(re.escape, part[1].split(_DIGITS)))
            expression += f"(?P<camera>{value})"
        start = part.end()
    end = ".*$" if label.endswith("/") else "$" if _EXTENSION_LABEL.search(label) else r"\.[^/.]+$"
    begin = _BEFORE_HOUR if label.endswith(">/") else "(?:^|/)"
    return f"{begin}{expression}{re.escape(label[start:])}{end}"


def is_label(word: str) -> bool:
    """Whether a text is the label of a column, and no word of a name."""
    return "<" in word


@lru_cache(maxsize=10_000)
def _form(name: str) -> str:
    """The form of names that are this one if all digits are 0."""
    return _NUMBER.sub(_DIGITS, _LONG_NUMBER.sub("#", _LETTER.sub(_SIGN, name)))


def _find_column(rows: Sequence[_Row], covered: Set[str]) -> Column | None:
    """The column of a table that may number cameras: one whose values stand side by side, and of several the one with
    the fewest values."""
    values = list(zip(*(row.tokens for row in rows), strict=True))
    candidates = {at: set(column) for at, column in enumerate(values) if len(set(column)) > 1}
    fixed = _fixed_tokens(rows[0], values) if candidates else set[int]()
    labels = {
        at: tuple(sorted(_label(rows[0].stem, at, value) for value in candidates[at]))
        for at in candidates.keys() - fixed
    }
    known = {
        at for at in labels if covered and (covered >= set(labels[at]) or _label(rows[0].stem, at, _DIGITS) in covered)
    }
    found = []
    for at in sorted(labels.keys() - known, key=lambda at: (len(candidates[at]), at)):
        at_once = _are_at_once(rows, at, values[at], without=known)
        if at_once is not None:
            found.append(Column(labels[at], at_once))
            if at_once:
                return found[-1]
    return found[0] if found else None


def _are_at_once(rows: Sequence[_Row], at: int, values: Sequence[str], *, without: Set[int]) -> bool | None:
    """Whether the values of a column stand beside one rest, or take turns in time; None if it is a counter.

    The rest is without the columns `without`, which are known to number no cameras.
    """
    is_number, count = values[0].isdecimal(), len(set(values))
    others = [other for other in range(len(rows[0].tokens)) if other != at and other not in without]
    by_rest: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row, value in zip(rows, values, strict=True):
        by_rest[row.folder, *(row.tokens[other] for other in others)].add(value)
    shared = sum(len(one) > 1 for one in by_rest.values())
    if not any(rows[0].tokens[other].isdecimal() for other in others):  # nothing but folders tells them apart
        is_each_day = all(len(one) == count for one in by_rest.values()) and _are_of_days(rows, values)
        return True if shared > 1 and (is_each_day or not is_number) else None
    numbered = {(value, *(row.tokens[known] for known in without)) for row, value in zip(rows, values, strict=True)}
    is_counter = is_number and len(numbered) == len(rows)
    if is_number and count > _MAX_TIMED_VALUES and (is_counter or not shared):
        return None
    spans = _spans_by_value(rows, values)
    is_timed = all(span.is_complete for span in spans.values())
    if is_number and count > (_MAX_TIMED_VALUES if is_timed else _MAX_VALUES):
        at_once = _stand_mostly_side_by_side(by_rest)
    else:
        at_once = bool(shared and (is_timed or not is_counter)) or (not is_counter and is_timed and overlap(spans))
    if at_once:
        return None if _are_frames_of_a_second(rows, values) else True
    return False if not is_counter and count <= _MAX_TIMED_VALUES and len(rows) >= 2 * count else None


def _spans_by_value(rows: Sequence[_Row], values: Sequence[str]) -> dict[str, TimeSpan]:
    """The times of the rows with each value."""
    spans: dict[str, TimeSpan] = defaultdict(TimeSpan)
    for row, value in zip(rows, values, strict=True):
        moment = read_path(row.path).likely_moment
        spans[value].add(None if moment is None else to_utc(moment, None))
    return spans


def _stand_mostly_side_by_side(by_rest: Mapping[tuple[str, ...], Set[str]]) -> bool:
    """Whether more values stand beside a rest that has another one, too, than alone; then also many are no counter."""
    beside = [len(values) for values in by_rest.values() if len(values) > 1]
    return len(beside) > 1 and 2 * sum(beside) > sum(map(len, by_rest.values()))


def _are_frames_of_a_second(rows: Sequence[_Row], values: Sequence[str]) -> bool:
    """Whether a last number counts the frames of a second: as known makers write it, each only behind all lower ones,
    and the highest one missing in most seconds."""
    if not all(_FRAME_OF_SECOND.fullmatch(row.stem) for row in rows):
        return False
    frames: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for row, value in zip(rows, values, strict=True):
        frames[row.folder, *row.tokens[:-1]].add(int(value))
    first, last = min(map(int, values)), max(map(int, values))
    is_nested = first <= 1 and all(one == set(range(first, first + len(one))) for one in frames.values())
    return is_nested and 2 * sum(last in one for one in frames.values()) <= len(frames)


def _fixed_tokens(row: _Row, values: Sequence[Sequence[str]]) -> set[int]:
    """The tokens of a name that are a date, a time, or what stands in brackets, by their index."""
    spans = [match.span() for match in _NO_COLUMN.finditer(row.stem)]
    time = find_time(row.path)
    if time is not None:  # a number before it is an event: else it would be the camera
        spans.append((0, time[1]) if read_path(row.path).kind is CameraText.NUMBER else time)
    if read_folder(row.folder).date is not None and (clock := _HOUR_MINUTE.match(row.stem)):
        spans.append(clock.span())
    starts = [token.start() for token in _TOKEN.finditer(row.stem)]
    fixed = {at for at, start in enumerate(starts) if any(first <= start < end for first, end in spans)}
    if time is None:
        return fixed
    last = max((at for at, start in enumerate(starts) if start < time[1]), default=0)
    if _is_no_fraction(row, last, values[last]):
        fixed.discard(last)
    return fixed | {at for at in range(len(values) - 1) if _is_one_of_several(values[at], values[at + 1])}


def _is_one_of_several(values: Sequence[str], following: Sequence[str]) -> bool:
    """Whether a number counts the images of a burst, as in `1_3`, `2_3`, `3_3`."""
    total = following[0]
    if total not in {"3", "4", "5", "6", "7", "8", "9", "10"}:
        return False
    return set(following) == {total} and set(values) == {str(number) for number in range(1, int(total) + 1)}


def _are_of_days(rows: Sequence[_Row], values: Sequence[str]) -> bool:
    """Whether short numbers are all that tells files of one day apart, each day in a folder of its own."""
    is_short = all(len(value) < _FRACTION_DIGITS for value in values)
    return is_short and all(
        facts.date is not None and not facts.clock for facts in map(read_folder, {row.folder for row in rows})
    )


def _is_no_fraction(row: _Row, at: int, values: Sequence[str]) -> bool:
    """Whether three digits that may be milliseconds are too few different numbers for that."""
    token, moment = row.tokens[at], read_path(row.path).moment
    if len(token) != _FRACTION_DIGITS or moment is None or moment.microsecond != int(token) * 1000:
        return False
    return "000" not in values and len(values) >= _MIN_REPEATS * len(set(values))


def _label(stem: str, at: int, value: str) -> str:
    """The label of a value of the column `at` in names like this one."""
    tokens = enumerate(_TOKEN.finditer(stem))
    parts, start = list[str](), 0
    for number, token in tokens:
        sign = f"<{value}>" if number == at else _DIGITS if token[0].isdecimal() else _SIGN
        parts += [stem[start : token.start()], sign]
        start = token.end()
    return "".join(parts) + stem[start:]
