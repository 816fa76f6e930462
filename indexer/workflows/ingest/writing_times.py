"""When the files of a camera were written, where their names do not say when they were taken.

A known image that no walk met counts with what the index has.
"""

import os
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

from indexer.domain.names import clamped_mtime
from indexer.domain.naming.moments import EPOCH
from indexer.domain.naming.series import (
    Series,
    are_written_at_once,
    find_lone_series,
    find_series,
)
from indexer.files.walking import Candidate
from indexer.workflows.ingest.known_cameras import KnownCameras

_NUMBER = re.compile(r"[0-9]")


class WritingTimes:
    """Tells of the words in names whether they are written at the same times, or again and again.

    `candidates`: all files of a walk; `overwritten`: those of them whose content is another one than the index has.
    """

    def __init__(self, candidates: Sequence[Candidate], known: KnownCameras, *, overwritten: Set[str]) -> None:
        self._candidates = candidates
        self._known = known
        self._overwritten = overwritten

    def find_series(self, paths: Iterable[str], /, *, covered: Set[str], camera: str, name: str = "") -> Series | None:
        """The series of files of a camera, as `find_series` finds it; also at once if their times of writing overlap.

        `name`: the camera where the file names say it.
        """
        paths = list(paths)
        series = find_series(paths, camera=name, covered=covered)
        if series is None or series.at_once:
            return series
        return replace(series, at_once=are_written_at_once(series, self._list(paths, camera), camera=name))

    def find_lone_series(self, paths: Iterable[str], /, *, covered: Set[str], camera: str) -> Series | None:
        """The words of files of a camera, as `find_lone_series` finds them."""
        paths = list(paths)
        if all(map(_NUMBER.search, map(os.path.basename, paths))):
            return None  # as nearly always: nothing is looked up
        overwritten = self._overwritten | self._known.replaced_paths(camera)
        return find_lone_series(paths, overwritten=overwritten, covered=covered)

    def _list(self, paths: Iterable[str], camera: str) -> dict[str, datetime]:
        """When each of these files was written; without those of which nothing tells it."""
        written_ns = {path: self._walked_ns[path] for path in paths if path in self._walked_ns}
        if missing := set(paths) - written_ns.keys():
            known_ns = self._known.written_ns(camera)
            written_ns |= {path: known_ns[path] for path in missing & known_ns.keys()}
        return {path: EPOCH + timedelta(microseconds=clamped_mtime(ns) // 1000) for path, ns in written_ns.items()}

    @cached_property
    def _walked_ns(self) -> dict[str, int]:
        return {candidate.path: candidate.mtime_ns for candidate in self._candidates}
