"""db shrink: free the thumbnails and previews of what was removed long ago, and give the space back to the disk.

Decisions, scores and the journal stay: an audit goes on telling why an image was removed, without its picture. A file
that comes back gets a new thumbnail at the next compare.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from indexer.errors import UsageError
from indexer.store import space
from indexer.store.database import Database
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run


@dataclass(frozen=True)
class ShrinkReport:
    """How many thumbnails and previews were deleted; `size_bytes` is the size of the index before and after."""

    thumbnails: int
    previews: int
    size_bytes: tuple[int, int]

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as the run stores them."""
        return {"thumbnails": self.thumbnails, "previews": self.previews, "size_bytes": list(self.size_bytes)}


@dataclass(frozen=True)
class ShrinkPlan:
    """How many thumbnails and previews would be deleted, and their bytes; `in_quarantine` of these images are in
    quarantine, and can still come back."""

    thumbnails: int
    previews: int
    size_bytes: int
    in_quarantine: int


def parse_date(date: str) -> datetime:
    """The beginning of a day in UTC, or a time; raises `UsageError` if the text is neither."""
    try:
        parsed = datetime.fromisoformat(date)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{date!r} is not a date; type it as 2026-01-31") from None


def plan_shrink(database: Database, *, removed_before: datetime | None, clock: Clock) -> ShrinkPlan:
    """What `shrink` would delete. Raises `UsageError` if the time is still to come."""
    if removed_before is None:
        return ShrinkPlan(0, 0, 0, 0)
    if removed_before > clock():
        raise UsageError("this date is still to come; type a date up to today")
    with database.read() as session:
        would_go = space.count_removed_pictures(session, removed_before=removed_before)
        in_quarantine = space.count_quarantined(session, removed_before=removed_before)
    return ShrinkPlan(would_go.thumbnails, would_go.previews, would_go.size_bytes, in_quarantine)


def shrink(database: Database, *, removed_before: datetime | None, clock: Clock) -> ShrinkReport:
    """Deletes the pictures of images removed before a time (None: of none), and gives free space back."""
    arguments = {"removed_before": None if removed_before is None else removed_before.isoformat()}
    with record_run(database, "db shrink", arguments=arguments, clock=clock) as run:
        thumbnails = previews = 0
        if removed_before is not None:
            with database.write() as session:
                freed = space.delete_removed_pictures(session, removed_before=removed_before)
            thumbnails, previews = freed.thumbnails, freed.previews
        report = ShrinkReport(thumbnails, previews, space.give_back(database))
        run.counts = report.counts
    return report
