"""advise list and advise dismiss: the findings of the index, and what a person says of one."""

from dataclasses import dataclass

from indexer.domain.advice.ledger import StoredFinding
from indexer.domain.verdicts import is_storable_text
from indexer.errors import FindingError
from indexer.store import cameras, findings
from indexer.store.database import Database
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import record_run


@dataclass(frozen=True)
class FindingList:
    """Findings by camera; `with_past`: whether those that are over or dismissed are among them."""

    findings: tuple[StoredFinding, ...]
    with_past: bool


@dataclass(frozen=True)
class Dismissal:
    """A dismissed finding; `changed`: whether it was not dismissed before."""

    finding: StoredFinding
    changed: bool


def list_findings(database: Database, *, camera: str | None = None, with_past: bool = False) -> FindingList:
    """The findings of all cameras, or of one; raises `CameraError` if there is no such camera."""
    with database.read() as session:
        if camera is not None:
            cameras.get_camera(session, camera)
        return FindingList(tuple(findings.list_findings(session, camera=camera, with_past=with_past)), with_past)


def dismiss_finding(database: Database, finding_id: int, *, by: str, note: str | None, clock: Clock) -> Dismissal:
    """Records that a person dismissed a finding: it is not told again, unless it becomes twice as strong.

    Raises `FindingError` if there is no such finding, if it is over, or if a text cannot be stored.
    """
    if not by.strip() or not all(is_storable_text(text) for text in (by, note or "")):
        raise FindingError("the name or the note cannot be stored; type plain text")
    with database.read() as session:
        stored = findings.get_finding(session, finding_id)
    if stored.finding.until is not None and stored.dismissed_at is None:
        raise FindingError(
            f"finding {finding_id} is over since {stored.finding.until:%Y-%m-%d %H:%M} UTC: nothing to dismiss"
        )
    arguments = {"dismiss": finding_id, "by": by, "note": note}
    with record_run(database, "advise", arguments=arguments, clock=clock) as run:
        with database.write() as session:
            changed = findings.dismiss(session, finding_id, by=by, note=note, at=clock())
        run.counts = {"dismissed": int(changed)}
        with database.read() as session:
            return Dismissal(findings.get_finding(session, finding_id), changed)
