"""Whether new frames of a camera are stored now, or why not."""

from datetime import datetime, timedelta

from indexer.domain.spans import SpanReason
from indexer.workflows.record.messages import Progress

REFUSALS = (SpanReason.FULL_DISK, SpanReason.CAPPED)
_STORM_ENDS = timedelta(minutes=2)


class StorageRefusal:
    """Follows what the readers of one camera report, one recording after the other: a reconnect frees no disk."""

    def __init__(self) -> None:
        self._seen_until: datetime | None = None
        self._stored_at: datetime | None = None
        self._refused_at: dict[SpanReason, datetime] = {}

    @property
    def current(self) -> SpanReason | None:
        """Why new frames are not stored now: `full_disk`, `capped`, or None where they are.

        A full disk is over with the next frame that is stored, a storm two minutes after the last frame beyond the
        limit: within a storm, a few are stored each minute.
        """
        full_at, capped_at = self._refused_at.get(SpanReason.FULL_DISK), self._refused_at.get(SpanReason.CAPPED)
        if full_at is not None and (self._stored_at is None or self._stored_at <= full_at):
            return SpanReason.FULL_DISK
        if capped_at is None or self._seen_until is None or self._seen_until - capped_at >= _STORM_ENDS:
            return None
        return SpanReason.CAPPED

    def note(self, progress: Progress) -> None:
        """Notes what a reader reported."""
        if progress.last is not None:
            if self._seen_until is not None and progress.last.at < self._seen_until:  # the clock went back
                self._refused_at = {} if (reason := self.current) is None else {reason: progress.last.at}
                self._stored_at = None
            self._seen_until = progress.last.at
        if progress.stored is not None:
            self._stored_at = progress.stored.time.at
        for span in (*progress.ended, *progress.open):
            if span.reason in REFUSALS:
                self._refused_at[span.reason] = span.last.at
