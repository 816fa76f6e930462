"""What one path says about camera and time, before its siblings are asked.

Speed: `ingest` reads every new path here. What the folders say is kept for each folder; a file costs one regular
expression where its time has a usual form.
"""

import os
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from indexer.domain.naming.camera_words import CameraText, camera_around, classify, is_kind_of_file, storable_text
from indexer.domain.naming.file_times import Doubt, DoubtKind, find_stamp
from indexer.domain.naming.folders import FolderFacts, read_folder
from indexer.domain.naming.patterns import NamePattern
from indexer.domain.naming.schemes import SCHEMES

_CERTAIN = [NamePattern(scheme.pattern) for scheme in SCHEMES if scheme.certain]
_MAY_BE_CERTAIN = re.compile(r"image\d\d-|[AP]\d{14}|DCS|m\d{14}|.*-\d{4}, ")
_EVENT_FRAME = re.compile(r"[0-9]+-(?:capture|analyse)|snapshot|alarm|objdetect")
"""What ZoneMinder calls the files in the folder of an event; the number of that folder is no channel."""
_CAMERA_NEEDS_TIME = {DoubtKind.TEN_DIGITS, DoubtKind.SIX_DIGITS}
"""Doubts that decide about the camera, too: the text before ten digits is one only if these are a time."""
_YEAR_IS_CERTAIN = {DoubtKind.DAY_OR_MONTH, DoubtKind.FOUR_DIGITS}
_DAY = timedelta(days=1)


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
    hour: int | None
    """The hour that a folder says, where the file name has no time to confirm it."""
    no_year: tuple[str, ...] = ()
    """Folders that look like a year, and perhaps a month, and of which the name says another year; in `branch`, too."""

    @property
    def decided(self) -> bool:
        """Whether nothing about this path depends on its siblings."""
        return self.doubt is None and self.hour is None and self.kind is not CameraText.NUMBER


def read_path(path: str) -> PathReading:
    """What a path, absolute and with slashes, says about camera and time."""
    folder, _, name = path.rpartition("/")
    facts = read_folder(folder)
    stem = os.path.splitext(name)[0]
    if _MAY_BE_CERTAIN.match(name):
        certain = _read_certain(name)
        if certain is not None:
            return _reading(facts, stem, certain[0], certain[1], None)
    stamp = find_stamp(stem, facts)
    if stamp is None:
        return _reading(facts, stem, "", None, None)
    moment, doubt = stamp.moment, stamp.doubt
    text = "" if stamp.start == stamp.end == 0 else storable_text(camera_around(stem[: stamp.start], stem[stamp.end :]))
    return _reading(facts, stem, text, moment, doubt)


def with_camera_text(reading: PathReading, text: str) -> PathReading:
    """The reading of a path whose file name has this text in the place of the camera, and whose time is known."""
    text = "" if is_kind_of_file(text) else text
    return reading._replace(camera_text=text, kind=_kind(text) if text else None, doubt=None)


def _read_certain(name: str) -> tuple[str, datetime | None] | None:
    for pattern in _CERTAIN:
        reading = pattern.read(name)
        if reading is not None and reading.moment is not None:
            return reading.camera, reading.moment
    return None


def _reading(facts: FolderFacts, stem: str, text: str, moment: datetime | None, doubt: Doubt | None) -> PathReading:
    branch, hour = facts.branch, None
    if facts.clock and moment is not None and moment.tzinfo is None:
        branch = (*branch, *(f"{number:02}" for number in _contradicted(facts.clock, moment)))
    elif facts.clock and moment is None:
        hour = facts.clock[0]
    no_year = _contradicted_year(facts, moment, doubt)
    if branch and _EVENT_FRAME.fullmatch(stem):
        branch = tuple(part for part in branch if not part.isdecimal())
    kind = _kind(text) if text else None
    return PathReading(facts.camera_folder, (*no_year, *branch), text, kind, moment, doubt, hour, no_year)


def _contradicted(clock: tuple[int, ...], moment: datetime) -> tuple[int, ...]:
    """The folders from the first one on that is another hour, minute or second than the name's: these are no times."""
    times = (moment.hour, moment.minute, moment.second)
    return next((clock[at:] for at in range(len(clock)) if clock[at] != times[at]), ())


def _contradicted_year(facts: FolderFacts, moment: datetime | None, doubt: Doubt | None) -> tuple[str, ...]:
    """The folders of a year that is not the one of the name; a day around new year, and the zone, do not matter."""
    if moment is None and doubt is not None and doubt.kind in _YEAR_IS_CERTAIN:
        moment = doubt.moment or doubt.month_first
    if not facts.year or moment is None:
        return ()
    years = {(moment + shift).year for shift in (-_DAY, _DAY)}
    return () if int(facts.year[0][:4]) in years else facts.year


@lru_cache(maxsize=10_000)
def _kind(text: str) -> CameraText:
    return classify(text)


def camera_needs_time(doubt: Doubt) -> bool:
    """Whether the text beside a doubtful time is a camera only if it is a time."""
    return doubt.kind in _CAMERA_NEEDS_TIME
