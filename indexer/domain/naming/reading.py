"""What one path says about camera and time, before its siblings are asked.

Speed: `ingest` reads every new path here. What the folders say is kept for each folder; a file costs one regular
expression where its time has a usual form.
"""

import os
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from indexer.domain.naming.camera_words import (
    SEPARATORS,
    CameraText,
    camera_around,
    classify,
    find_address,
    storable_text,
    without_counter,
    without_kind,
)
from indexer.domain.naming.file_times import find_stamp
from indexer.domain.naming.folders import Date, FolderFacts, number_dates, read_folder, years_of
from indexer.domain.naming.moments import make_moment
from indexer.domain.naming.patterns import NamePattern
from indexer.domain.naming.recorder_paths import STEM_LENGTH, read_recorder_path
from indexer.domain.naming.schemes import SCHEMES
from indexer.domain.naming.stamps import Doubt, DoubtKind

_CERTAIN = [NamePattern(scheme.pattern) for scheme in SCHEMES if scheme.certain]
_MAY_BE_CERTAIN = re.compile(r"image\d\d-|[AP]\d{14}|DCS|m\d{14}|.*-\d{4}, ")
_EVENT_FRAME = re.compile(r"[0-9]+-(?:capture|analyse)|snapshot|alarm|objdetect")
"""What ZoneMinder calls the files in the folder of an event; the number of that folder is no channel."""
_CAMERA_NEEDS_TIME = {DoubtKind.TEN_DIGITS, DoubtKind.SIX_DIGITS, DoubtKind.HOUR_MINUTE}
"""Doubts that decide about the camera, too: the text before ten digits is one only if these are a time."""
_YEAR_IS_CERTAIN = {DoubtKind.DAY_OR_MONTH, DoubtKind.FOUR_DIGITS, DoubtKind.OFFSET}
_DAY = timedelta(days=1)
_HOURS = 24
_SPACES = {0xA0: " ", 0x2007: " ", 0x2009: " ", 0x202F: " "}
"""Spaces that macOS and others write before AM and PM."""
_MOTION_EVENT = re.compile(r"[0-9]{1,3}-[0-9]{2,}-[0-9]{14}(?:-[0-9]{1,3})?")
"""How Motion may begin a name: the number of the camera, that of the event, and the time."""
_TWO_DIGITS = re.compile(r"/[0-9]{2}(?:/|\Z)")
_SECONDS_DIGITS = 10
_FRACTIONAL_EPOCH = re.compile(r"[0-9]{10}\.[0-9]+")
_PARTED = re.compile(
    r"""
    (?P<year>20[0-9]{2}) (?P<dash>[-_.]?) (?P<month>0[1-9]|1[0-2]) (?P=dash) (?P<day>0[1-9]|[12][0-9]|3[01]) [-_. ]{1,2}
    (?P<name>[^\W\d_] .*? [^\W_]) [-_. ]{1,2}
    (?P<hour>[01][0-9]|2[0-3]) (?P<colon>[-_.:]) (?P<minute>[0-5][0-9]) (?P=colon) (?P<second>[0-5][0-9])
    (?![0-9A-Za-z]) (?![-_. ]?(?i:[ap]\.?m)(?![A-Za-z]))
    """,
    re.VERBOSE,
)
"""A camera between a date and its time; with AM or PM it is not read, as the hour would be wrong."""
_NO_NAME_BETWEEN = re.compile(r"t|at|um|kl|as|utc|[ap]\.?m\.?|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"[0-9]{4}")
_EVENT_ID = re.compile(r"-[0-9a-z]{6}(?![0-9A-Za-z])")
"""What Frigate writes behind seconds with a fraction."""


class PathReading(NamedTuple):
    """What a path says.

    `camera_text` is in the file name; `branch`: generic words and numbers below the camera's folder.
    """

    camera_folder: str
    branch: tuple[str, ...]
    camera_text: str
    kind: CameraText | None
    moment: datetime | None
    doubt: Doubt | None
    clock: tuple[int, ...]
    """Hour, minute and second, as far as there are folders of two digits for them; these may be channels instead. Empty
    where the names of these folders show that they are a time."""
    no_year: tuple[str, ...] = ()
    """Folders that look like a year, and perhaps a month, and of which the name says another year; in `branch`, too."""
    former_text: str = ""
    """The text before the time with the words that are left out now, where there are any."""
    may_lack_hour: bool = False
    """Whether the hour is that of `clock`, which may be a channel, as for `Stamp`."""
    uncounted_text: str = ""
    """`camera_text` without the number at its end, where that may count events."""
    date: Date | None = None
    """That of the folders; None also where it could have two meanings."""

    @property
    def decided(self) -> bool:
        """Whether nothing about this path depends on its siblings."""
        is_numbered = self.kind is CameraText.NUMBER or bool(self.uncounted_text)
        return self.doubt is None and not self.clock and not is_numbered

    @property
    def likely_moment(self) -> datetime | None:
        """The time of the path, else one that it may mean and that only its siblings can decide."""
        return self.moment if self.moment is not None or self.doubt is None else self.doubt.moment


def read_path(path: str) -> PathReading:
    """What a path, absolute and with slashes, says about camera and time."""
    folder, _, name = path.rpartition("/")
    name = name if name.isascii() else name.translate(_SPACES)
    stem = _stem_of(name)
    recorded = read_recorder_path(path) if len(stem) == STEM_LENGTH else None
    if recorded is not None:
        reading = _reading(read_folder(recorded.folder), stem, "", recorded.moment, None)
        return reading if recorded.moment.tzinfo else _with_doubtful_hour(reading, recorded.moment)
    facts = read_folder(folder)
    facts = facts if facts.if_dated is None else _dated_by(stem, facts)
    whole = _read_whole(name, stem)
    if whole is not None:
        return _reading(facts, stem, *whole, None)
    address = find_address(stem)
    if address is not None:
        return _read_with_address(facts, stem, address)
    return _read_usual(facts, folder, stem)


def _read_usual(facts: FolderFacts, folder: str, stem: str) -> PathReading:
    """What the stem of a file says, with text before or after a time."""
    stamp = find_stamp(stem, facts)
    if stamp is None:
        return _reading(facts, stem, "", None, None)
    moment, doubt = stamp.moment, stamp.doubt
    if stamp.start == stamp.end == 0:
        return _reading(facts, stem, "", moment, doubt)
    before, after = stem[: stamp.start], stem[stamp.end :]
    if stem[stamp.start + _SECONDS_DIGITS :][:1] == "." and _FRACTIONAL_EPOCH.fullmatch(stem[stamp.start : stamp.end]):
        after = _EVENT_ID.sub("", after, count=1)
    text = storable_text(camera_around(before, after))
    reading = _reading(facts, stem, text, moment, doubt)
    if stamp.may_lack_hour and _TWO_DIGITS.search(folder):
        reading = reading._replace(may_lack_hour=True)
    reading = _with_uncounted_text(reading, stem)
    former = before.rstrip(SEPARATORS)
    return reading if not former or former == text else reading._replace(former_text=storable_text(former))


def _stem_of(name: str) -> str:
    """A file name without its last extension, as `os.path.splitext` gives it, which takes longer."""
    return name[: name.rfind(".")] if name[:1] != "." and "." in name else os.path.splitext(name)[0]


def _dated_by(stem: str, facts: FolderFacts) -> FolderFacts:
    """What the folder of a file says; with a date below a name only where the name of the file has a time of it."""
    if facts.if_dated is None or facts.if_dated.date is None:
        return facts
    stamp, day = find_stamp(stem, facts.if_dated), datetime(*facts.if_dated.date)
    if stamp is None or stamp.moment is None:
        return facts
    return facts.if_dated if abs(stamp.moment.replace(tzinfo=None) - day - _DAY / 2) < 2 * _DAY else facts


def _read_whole(name: str, stem: str) -> tuple[str, datetime | None] | None:
    """The camera and the time of a name that only one maker writes, or that has the camera between date and time."""
    certain = _read_certain(name) if _MAY_BE_CERTAIN.match(name) else None
    if certain is not None or stem[:2] != "20":
        return certain
    match = _PARTED.match(stem)
    if match is None or _NO_NAME_BETWEEN.fullmatch(match["name"]) or _LONG_NUMBER.search(match["name"]):
        return None
    moment = make_moment(*(int(match[part]) for part in ("year", "month", "day", "hour", "minute", "second")))
    return None if moment is None else (storable_text(without_kind(match["name"])), moment)


def _read_with_address(facts: FolderFacts, stem: str, address: re.Match[str]) -> PathReading:
    """What a stem with the address of a camera says: that is the camera, perhaps with more before it."""
    masked = _masked(stem, address)
    stamp = find_stamp(masked, facts)
    if stamp is None or stamp.start == stamp.end == 0:
        return _reading(facts, stem, address[0], *((None, None) if stamp is None else (stamp.moment, stamp.doubt)))
    text = storable_text(camera_around(stem[: stamp.start], stem[stamp.end :]))
    return _reading(facts, stem, text if address[0] in text else address[0], stamp.moment, stamp.doubt)


def _masked(stem: str, address: re.Match[str]) -> str:
    return f"{stem[: address.start()]}{'_' * len(address[0])}{stem[address.end() :]}"


def _with_doubtful_hour(reading: PathReading, moment: datetime) -> PathReading:
    """The reading with the hour, which may be a channel, and the numbers of the name hour and minute."""
    return reading._replace(clock=(moment.hour,), may_lack_hour=moment.minute < _HOURS)


def _with_uncounted_text(reading: PathReading, stem: str) -> PathReading:
    """The reading with the text beside the time without its number, if that may count events."""
    text = reading.camera_text
    if not text or not text[-1].isdecimal() or text.isdecimal():
        return reading
    uncounted = _without_counter(text, is_motion=_MOTION_EVENT.fullmatch(stem) is not None)
    return reading._replace(uncounted_text=uncounted) if uncounted else reading


def find_time(path: str) -> tuple[int, int] | None:
    """Where the time is in the stem of a file name, first and last sign; None if it has none that counts."""
    folder, _, name = path.rpartition("/")
    name = name.translate(_SPACES)
    stem = _stem_of(name)
    if _read_whole(name, stem) is not None or read_recorder_path(path) is not None:
        return 0, len(stem)
    address = find_address(stem)
    stamp = find_stamp(stem if address is None else _masked(stem, address), _dated_by(stem, read_folder(folder)))
    return None if stamp is None else (stamp.start, stamp.end)


def with_camera_text(reading: PathReading, text: str) -> PathReading:
    """The reading of a path whose file name has this text in the place of the camera, and whose time is known."""
    text = without_kind(text)
    return reading._replace(camera_text=text, kind=_kind(text) if text else None, doubt=None, uncounted_text="")


def _read_certain(name: str) -> tuple[str, datetime | None] | None:
    for pattern in _CERTAIN:
        reading = pattern.read(name)
        if reading is not None and reading.moment is not None:
            return reading.camera, reading.moment
    return None


def _reading(facts: FolderFacts, stem: str, text: str, moment: datetime | None, doubt: Doubt | None) -> PathReading:
    branch, clock = facts.branch, () if facts.is_clock_sure else facts.clock
    no_year = _contradicted_year(facts, moment, doubt)
    if (branch or clock) and _EVENT_FRAME.fullmatch(stem):
        branch, clock = tuple(part for part in branch if not part.isdecimal()), ()
    kind = _kind(text) if text else None
    branch = (*no_year, *branch)
    return PathReading(facts.camera_folder, branch, text, kind, moment, doubt, clock, no_year, date=facts.date)


def _contradicted_year(facts: FolderFacts, moment: datetime | None, doubt: Doubt | None) -> tuple[str, ...]:
    """The folders of a year that is not the one of the name; a day around new year, and the zone, do not matter."""
    if moment is None and doubt is not None and doubt.kind in _YEAR_IS_CERTAIN:
        moment = doubt.moment or doubt.other
    if not facts.year or moment is None:
        return ()
    days = [moment + shift for shift in (-_DAY, timedelta(0), _DAY)]
    dates = number_dates(facts.year[0])
    if dates:  # six or seven digits are a number more often than a date
        return () if dates & {(day.year, day.month, day.day) for day in days} else facts.year
    return () if years_of(facts.year[0]) & {day.year for day in days} else facts.year


@lru_cache(maxsize=10_000)
def _without_counter(text: str, *, is_motion: bool) -> str:
    return without_counter(text, is_motion=is_motion)


@lru_cache(maxsize=10_000)
def _kind(text: str) -> CameraText:
    return classify(text)


def camera_needs_time(doubt: Doubt) -> bool:
    """Whether the text beside a doubtful time is a camera only if it is a time."""
    return doubt.kind in _CAMERA_NEEDS_TIME
