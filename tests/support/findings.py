"""Findings of advise that are put into an index without looking at frames."""

from datetime import UTC, datetime

from indexer.domain.advice.findings import CameraFinding
from indexer.domain.advice.ledger import LedgerChanges
from indexer.store import findings
from indexer.store.database import Database

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)


def add_finding(database: Database, finding: CameraFinding, *, dismissed_by: str | None = None) -> None:
    """Adds an open finding of the first camera, by the first run; a dismissed one if a name is given."""
    with database.write() as session:
        findings.write_changes(session, LedgerChanges((finding,), {}), camera_id=1, at=SINCE, run_id=1)
    if dismissed_by is not None:
        with database.read() as session:
            (newest,) = [one.id for one in findings.list_findings(session) if one.finding == finding]
        with database.write() as session:
            findings.dismiss(session, newest, by=dismissed_by, note=None, at=SINCE)
