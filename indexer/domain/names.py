"""Which camera took an image and when: from its path, EXIF and the disk, each from the first source that has one.

All functions here are pure functions of text and numbers. None raises on any input, except `compile_pattern`, which
tells a person what is wrong with a pattern. They do not read files: the path is text that may hold the lone surrogates
of `os.fsdecode`, and the values of EXIF and the disk are arguments.

Camera: an option, a pattern's group, the file name (`indexer.domain.naming.reading`), the innermost folder that is not
generic (`indexer.domain.naming.folders`). Time: a pattern's groups, the path, EXIF, mtime. What one name cannot decide
the other files of its folder may (`indexer.domain.naming.siblings`). Names of cameras are in NFC, however the path is
written.
"""

import os
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from indexer.domain.naming.camera_words import storable_text
from indexer.domain.naming.cameras import CameraClaim, claim_of_level, make_claim, source_of_folder
from indexer.domain.naming.earlier_rules import read_earlier
from indexer.domain.naming.exif_times import read_exif
from indexer.domain.naming.moments import EPOCH, happens_twice, to_utc
from indexer.domain.naming.patterns import NamePattern as NamePattern
from indexer.domain.naming.patterns import PatternReading
from indexer.domain.naming.patterns import compile_pattern as compile_pattern
from indexer.domain.naming.reading import PathReading, read_path, with_camera_text
from indexer.domain.naming.rules import NamingRule
from indexer.domain.naming.siblings import NO_SIBLINGS, FolderVerdict, decided_moment, is_left_in_doubt
from indexer.domain.namings import EARLIEST_NS, LATEST_NS
from indexer.domain.namings import USER_SOURCES as USER_SOURCES
from indexer.domain.namings import Naming as Naming
from indexer.domain.namings import clamped_mtime as clamped_mtime


class PathNaming(NamedTuple):
    """What a path says, read by a rule and with its siblings; a tuple, as there may be a million.

    `claim` is None where a person named the camera itself, or the rule of an earlier version. `moment` is naive without
    an offset, and then local time of `zone`.
    """

    camera: str
    camera_source: str
    claim: CameraClaim | None
    moment: datetime | None
    moment_source: str | None
    zone: tzinfo | None
    is_unread: bool
    """Whether the name holds a time that stays in doubt."""
    source: str
    """The camera's folder, with its channel if it has one: by this the index knows the camera again."""
    folder: str
    """The camera's folder."""
    scope: str = ""
    """The folder of which a person said the pattern that says the camera; empty where no pattern says it."""
    is_kept: bool = False
    """Whether the index has the camera by another source, as it read such names by earlier rules."""

    @property
    def is_by_person(self) -> bool:
        """Whether a person said the camera."""
        return self.camera_source in USER_SOURCES

    @property
    def is_by_earlier_rules(self) -> bool:
        """Whether the rules of an earlier version gave the camera, which say nothing of the folders above."""
        return self.claim is None and not self.is_by_person

    def naming(self, *, mtime_ns: int, exif_time: str | None = None, exif_offset: str | None = None) -> Naming:
        """Camera and time, with those of EXIF and the disk where the path has none."""
        captured_at = None if self.moment is None else to_utc(self.moment, self.zone)
        if captured_at is not None:
            return Naming(self.camera, self.camera_source, captured_at, self.moment_source)
        local = read_exif(exif_time, offset=exif_offset) if exif_time else None
        captured_at = None if local is None else to_utc(local, self.zone)
        if captured_at is not None:
            return Naming(self.camera, self.camera_source, captured_at, "exif")
        captured_at = _read_mtime(mtime_ns)
        return Naming(self.camera, self.camera_source, captured_at, None if captured_at is None else "mtime")

    def is_ambiguous(self, *, exif_time: str | None = None, exif_offset: str | None = None) -> bool:
        """Whether the local time of the path, else of EXIF, happens twice in its zone, when clocks go back."""
        if self.zone is None:
            return False
        local = self.moment if self.moment is not None or not exif_time else read_exif(exif_time, offset=exif_offset)
        return local is not None and happens_twice(local, self.zone)


def matches_pattern(path: str, *, root: str, pattern: NamePattern) -> bool:
    """Whether the pattern matches anywhere in the path relative to the root, written with slashes."""
    return pattern.read(_relative_path(path, root=root)) is not None


def name_image(
    path: str,
    *,
    root: str,
    mtime_ns: int,
    exif_time: str | None = None,
    exif_offset: str | None = None,
    camera: str | None = None,
    pattern: NamePattern | None = None,
) -> Naming:
    """Camera and capture time of an image, by its own path alone.

    Without a readable offset times are UTC. A pattern is searched in the path relative to the root.
    """
    posix_root = root.replace(os.sep, "/")
    rule = NamingRule(posix_root, camera=camera, pattern=None if pattern is None else pattern.pattern)
    posix_path = path.replace(os.sep, "/")
    if "/" not in posix_path:
        posix_path = f"{posix_root.rstrip('/')}/{posix_path}"
    named = name_path(posix_path, read_path(posix_path), rule=rule)
    return named.naming(mtime_ns=mtime_ns, exif_time=exif_time, exif_offset=exif_offset)


def name_path(
    path: str,
    reading: PathReading,
    *,
    rule: NamingRule,
    verdict: FolderVerdict = NO_SIBLINGS,
    pattern_day_first: bool | None = None,
) -> PathNaming:
    """What a path says, by a rule and with what its siblings decide.

    `pattern_day_first`: whether the dates that the rule's pattern reads have the day first; None: not known.
    """
    matched = None if rule.compiled is None else rule.compiled.read(rule.relative(path))
    source = reading.camera_folder
    claim: CameraClaim | None = None
    if rule.is_earlier:
        camera, camera_source, moment = read_earlier(path)
        source = source_of_folder(path.rpartition("/")[0])
        is_unread = False
    else:
        claim = make_claim(reading, verdict)
        camera, camera_source, source = claim.names[0], claim.camera_source, claim.source
        moment = decided_moment(reading, verdict)
        is_unread = is_left_in_doubt(reading, verdict)
    moment_source = None if moment is None else "name"
    if matched is not None:
        matched_moment = _pattern_moment(matched, pattern_day_first)
        if matched_moment is not None:
            moment, moment_source, is_unread = matched_moment, "pattern", False
        if matched.camera and rule.pattern is not None:
            camera, camera_source, claim, source = matched.camera, "pattern", None, reading.camera_folder
        elif matched.camera:
            claim = _claim_of_scheme(path, reading, rule, verdict)
            camera, camera_source, source = claim.names[0], claim.camera_source, claim.source
    level_claim = _claim_at_level(path, rule)
    if level_claim is not None:
        camera, camera_source, claim, source = level_claim.names[0], "option", level_claim, level_claim.source
    elif person := storable_text(rule.camera):
        camera, camera_source, claim, source = person, "option", None, reading.camera_folder
    folder, scope = reading.camera_folder, rule.scope if camera_source == "pattern" else ""
    return PathNaming(camera, camera_source, claim, moment, moment_source, rule.zone, is_unread, source, folder, scope)


def _pattern_moment(matched: PatternReading, day_first: bool | None) -> datetime | None:
    if matched.month_first is None:
        return matched.moment
    return None if day_first is None else matched.moment if day_first else matched.month_first


def _claim_of_scheme(path: str, reading: PathReading, rule: NamingRule, verdict: FolderVerdict) -> CameraClaim:
    """The claim of a path that the pattern of a scheme matches: a person chose the scheme, and no name of a camera.

    It rests on what the file name has in the camera's place, else on the folder.
    """
    in_name = None if rule.compiled is None else rule.compiled.read(path.rpartition("/")[2])
    if in_name is None or not in_name.camera:
        return make_claim(reading, verdict)
    return make_claim(with_camera_text(reading, in_name.camera), replace(verdict, numbers_are_events=False))


def _claim_at_level(path: str, rule: NamingRule) -> CameraClaim | None:
    """The claim of the folder so many levels below the rule's folder; None if the rule has no level, or the path is not
    so deep."""
    if rule.camera_level is None:
        return None
    relative = rule.relative(path)
    folders = relative.split("/")[:-1]
    if not 0 < rule.camera_level <= len(folders) or not storable_text(folders[rule.camera_level - 1]):
        return None
    return claim_of_level(f"{path.removesuffix(relative)}{'/'.join(folders[: rule.camera_level])}")


def _relative_path(path: str, *, root: str) -> str:
    """The path relative to the root, with slashes; a path outside the root stays as it is."""
    path, root = path.replace(os.sep, "/"), root.replace(os.sep, "/")
    return path.removeprefix(root.rstrip("/") + "/")


def _read_mtime(mtime_ns: int) -> datetime | None:
    if not EARLIEST_NS < mtime_ns < LATEST_NS:
        return None
    return EPOCH + timedelta(microseconds=mtime_ns // 1000)
