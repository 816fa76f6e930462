"""The watched folders: notes what they report, and what a look at them finds, as files that wait.

It promises that a file which exists when a walk ends is noted, unless the index has it as it is. Reports only make this
earlier. If some are lost, or if the kernel gives none, the folders are looked at.
"""

import errno
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice

from indexer.domain.arrivals import Arrivals, Signature
from indexer.domain.plurals import counted
from indexer.files.filesystems import find_remote
from indexer.files.inotify import EventKind, FileEvent, Inotify
from indexer.files.markers import REPORT_MARKER, find_quarantine
from indexer.files.walking import Candidate, is_image_name, is_video_name
from indexer.files.watched_folder import WatchedFolder
from indexer.workflows.context import SystemTime
from indexer.workflows.runs.notices import Notices

_CHUNK = 2_000
_MAX_KNOWN = 100_000
_MAX_RECENT = 1_000

ListUnknown = Callable[[Sequence[Candidate]], list[Candidate]]
"""Those of these files that the index does not have as they are."""


@dataclass(frozen=True)
class SourceOptions:
    """`with_videos`: they are taken in, too. `is_polled`: folders are looked at and report nothing."""

    with_videos: bool = False
    is_polled: bool = False


class WatchedSources:
    """All watched folders.

    `notices`: what a person should know of each folder, by a subject of which only the last sentence counts.
    """

    def __init__(
        self,
        folders: Sequence[str],
        arrivals: Arrivals,
        options: SourceOptions,
        *,
        list_unknown: ListUnknown,
        time: SystemTime,
    ) -> None:
        self._arrivals, self._options, self._list_unknown, self._time = arrivals, options, list_unknown, time
        self._inotify: Inotify | None = None
        self.notices: dict[str, str] = {}
        no_reports = self._open_inotify()
        self.folders = [
            WatchedFolder(folder, argument_folders=frozenset(folders), inotify=self._inotify) for folder in folders
        ]
        for folder in self.folders:
            if no_reports is not None:
                self._look_only(folder, no_reports)
        self._away: set[str] = set()
        self._known: dict[str, Signature] = {}
        self._recent: OrderedDict[str, WatchedFolder] = OrderedDict()

    @property
    def descriptors(self) -> list[int]:
        """What becomes readable when a folder reports something."""
        return [] if self._inotify is None else [self._inotify.fileno()]

    def close(self) -> None:
        """Ends the reports."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    def walk(self, *, is_first: bool = False) -> None:
        """Notes all files that the index does not have as they are; `is_first`: their times tell how old they are."""
        self._arrivals.is_incomplete = False
        for folder in self.folders:
            self._walk(folder, is_first=is_first)
            self._note_state(folder)

    def look(self, *, finds_new: bool = True) -> None:
        """Finds out which folders are gone or back, and looks for changes in those that report nothing.

        `finds_new`: False, if what is new in a folder that was there all the time, or can be read again, is left for
        another watch.
        """
        for folder in self.folders:
            is_other = folder.check()
            if is_other:
                self._walk(folder)
            elif folder.problem is None and folder.inotify is None and finds_new:
                self._note_found(folder, folder.look())
                self._note_rewritten(folder)
            if folder.problem is None and folder.unreadable and finds_new:
                self._enter(folder, folder.enter_unreadable)
            self._note_state(folder, is_other=is_other)

    def read_events(self) -> None:
        """Notes what the folders report now."""
        is_lost = False
        for event in () if self._inotify is None else self._inotify.iter_events():
            if event.kind is EventKind.REPORTS_LOST:
                is_lost = True
            elif (folder := next((folder for folder in self.folders if folder.owns(event.path)), None)) is not None:
                self._note_event(folder, event)
        if is_lost:
            self.walk()

    def describe(self, path: str) -> Candidate | None:
        """The file at a path as it is now; None if none is there that would be walked."""
        folder = next((folder for folder in self.folders if folder.owns(path)), None)
        return None if folder is None else folder.describe(path)

    def note_taken(self, candidates: Iterable[Candidate]) -> None:
        """Notes files that the index has now; the last of them are looked at one by one where nothing is reported."""
        for candidate in candidates:
            self._remember(candidate)
            folder = next((folder for folder in self.folders if folder.owns(candidate.path)), None)
            if folder is not None and folder.inotify is None:
                self._recent[candidate.path] = folder
                self._recent.move_to_end(candidate.path)
                if len(self._recent) > _MAX_RECENT:
                    self._recent.popitem(last=False)

    def _open_inotify(self) -> str | None:
        """Opens the queue of reports; returns why there is none."""
        if self._options.is_polled:
            return ""
        try:
            self._inotify = Inotify()
        except OSError as problem:
            return f"the kernel reports nothing ({problem.strerror})"
        return None

    def _look_only(self, folder: WatchedFolder, reason: str) -> None:
        folder.stop_reports()
        if reason:
            self.notices[f"reports {folder.root}"] = f"{folder.root!r} is looked at again and again: {reason}"

    def _note_state(self, folder: WatchedFolder, *, is_other: bool = False) -> None:
        if folder.problem is not None:
            self._away.add(folder.root)
            self.notices[folder.root] = f"{folder.root!r} is away ({folder.problem}); it is looked for again"
        elif folder.root in self._away:
            self._away.discard(folder.root)
            self.notices[folder.root] = f"{folder.root!r} is back"
        elif is_other:
            self.notices[folder.root] = f"{folder.root!r} is another folder now"

    def _walk(self, folder: WatchedFolder, *, is_first: bool = False) -> None:
        reason = None if folder.inotify is None else _describe_remote(folder.root)
        if reason is not None:
            self._look_only(folder, reason)
        try:
            self._note_found(folder, folder.walk(), is_first=is_first, uses_memory=False)
        except OSError as problem:
            if folder.inotify is None:
                raise
            limit = "raise fs.inotify.max_user_watches" if problem.errno == errno.ENOSPC else "see the kernel's log"
            self._look_only(folder, f"the kernel reports no more folders ({problem.strerror}; {limit})")
            self._note_found(folder, folder.walk(), is_first=is_first, uses_memory=False)

    def _enter(self, folder: WatchedFolder, enter: Callable[[], Iterator[Candidate]]) -> None:
        """Notes the files of a part of a folder; of all of it, if the kernel can report no more folders."""
        try:
            self._note_found(folder, enter(), uses_memory=False)
        except OSError:
            self._walk(folder)

    def _note_event(self, folder: WatchedFolder, event: FileEvent) -> None:
        path, now_s = event.path, self._time.monotonic()
        if event.kind is EventKind.FOLDER_MADE:
            if folder.may_enter(path):
                self._enter(folder, partial(folder.enter, path))
        elif event.kind is EventKind.GONE:
            self._arrivals.note_gone(path)
        elif event.kind is not EventKind.FOLDER_GONE and self._is_candidate(path):
            group, is_slow = os.path.dirname(path), _is_unfinished_name(path)
            if event.kind is EventKind.CLOSED or _is_link(path):
                self._arrivals.note_closed(path, folder=group, now_s=now_s, is_slow=is_slow)
            else:
                self._arrivals.note_created(path, folder=group, now_s=now_s, is_slow=is_slow)

    def _note_found(
        self, folder: WatchedFolder, found: Iterable[Candidate], *, is_first: bool = False, uses_memory: bool = True
    ) -> None:
        """Notes those of these files that the index does not have as they are."""
        rest: Iterator[Candidate] = iter(found)
        while chunk := list(islice(rest, _CHUNK)):
            candidates = [
                candidate
                for candidate in chunk
                if self._is_candidate(candidate.path)
                and not (uses_memory and self._known.get(candidate.path) == _signature(candidate))
            ]
            unknown = self._list_unknown(candidates)
            unknown_paths = {candidate.path for candidate in unknown}
            for candidate in candidates if folder.inotify is None else ():
                if candidate.path not in unknown_paths:
                    self._remember(candidate)
            for candidate in unknown:
                self._note_seen(candidate, is_first=is_first)

    def _note_rewritten(self, folder: WatchedFolder) -> None:
        """Notes those of the last files that were written again at their names, which their folders do not show."""
        for path in [path for path, owner in self._recent.items() if owner is folder]:
            described = folder.describe(path)
            if described is None:
                del self._recent[path]
            elif self._known.get(path) != _signature(described):
                self._note_seen(described)

    def _note_seen(self, candidate: Candidate, *, is_first: bool = False) -> None:
        age_s = self._time.wall() - candidate.mtime_ns / 1e9 if is_first else 0.0
        is_video = is_video_name(os.path.basename(candidate.path))
        self._arrivals.note_seen(
            candidate.path,
            _signature(candidate),
            folder=os.path.dirname(candidate.path),
            now_s=self._time.monotonic(),
            still_s=max(0.0, age_s),
            is_slow=is_video or _is_unfinished_name(candidate.path),
        )

    def _remember(self, candidate: Candidate) -> None:
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()  # the index is asked again
        self._known[candidate.path] = _signature(candidate)

    def _is_candidate(self, path: str) -> bool:
        name = os.path.basename(path)
        is_image = is_image_name(name) and not name.startswith("._")
        return is_image or (self._options.with_videos and is_video_name(name))


def _signature(candidate: Candidate) -> Signature:
    return candidate.size_bytes, candidate.mtime_ns


def _describe_remote(folder: str) -> str | None:
    """Why the kernel does not see all that happens in a folder; None if it does."""
    with suppress(OSError):
        remote = find_remote(folder)
        if remote is not None:
            return "its disk is one of the network" if remote == folder else f"{remote!r} is a disk of the network"
    return None


def _is_unfinished_name(path: str) -> bool:
    """Whether programs give such a name to a file until it is whole."""
    return os.path.basename(path).startswith(".")


def _is_link(path: str) -> bool:
    """Whether a file that was made is another name of one that is there: nobody will close it."""
    with suppress(OSError):
        return os.lstat(path).st_nlink > 1
    return False


def is_own_folder(folder: str) -> bool:
    """Whether a folder holds what indexer made: removed files, or pictures of a report."""
    return find_quarantine(folder) is not None or os.path.lexists(os.path.join(folder, REPORT_MARKER))


def say_unreadable(watched: WatchedFolder, notices: Notices) -> None:
    """Says of a watched folder that there are folders below it which cannot be read, and when there are none."""
    subject = f"rights below {watched.root}"
    if watched.unreadable:
        notices.begin(subject, _describe_unreadable(watched.unreadable))
    elif watched.problem is None:
        notices.end(subject, f"all folders below {watched.root!r} can be read again")


def _describe_unreadable(unreadable: Mapping[str, str]) -> str:
    """The sentence about folders that cannot be read, by the reasons; there is at least one."""
    (folder, reason), *others = unreadable.items()
    more = f" and {counted(len(others), 'more folder')}" if others else ""
    return f"{folder!r}{more} cannot be read ({reason}); what is in it is taken in when it can"
