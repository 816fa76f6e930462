"""The findings of advise: stored, continued, dismissed and listed.

`indexer.domain.advice.ledger` decides what becomes of a finding; this module reads and writes.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from indexer.domain.advice.findings import CameraFinding, Kind
from indexer.domain.advice.ledger import LedgerChanges, StoredFinding
from indexer.domain.advice.measurements import LightClass
from indexer.domain.masks import Rectangle
from indexer.errors import FindingError
from indexer.escaping import command_line
from indexer.store.tables import CameraRow, FindingRow

_IMAGES = "image_ids"


def list_findings(session: Session, *, camera: str | None = None, with_past: bool = False) -> list[StoredFinding]:
    """The findings by camera, then the oldest first; `with_past`: also those that are over or dismissed."""
    query = select(FindingRow, CameraRow.name).join(CameraRow, CameraRow.id == FindingRow.camera_id)
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    if not with_past:
        query = query.where(FindingRow.until.is_(None), FindingRow.dismissed_at.is_(None))
    query = query.order_by(CameraRow.name, FindingRow.since, FindingRow.id)
    return [_stored_finding(row, name) for row, name in session.execute(query)]


def get_finding(session: Session, finding_id: int) -> StoredFinding:
    """The finding of that number; raises `FindingError` if there is none."""
    query = select(FindingRow, CameraRow.name).join(CameraRow, CameraRow.id == FindingRow.camera_id)
    row = session.execute(query.where(FindingRow.id == finding_id)).first()
    if row is None:
        raise FindingError(f"there is no finding {finding_id}; see: {command_line('advise', 'list', '--all')}")
    return _stored_finding(row[0], row[1])


def write_changes(session: Session, changes: LedgerChanges, *, camera_id: int, at: datetime, run_id: int) -> None:
    """Writes what an examination of a camera changed: first what is over, then what is new."""
    for finding_id, finding in sorted(changes.continued.items(), key=lambda item: item[1].until is None):
        session.execute(update(FindingRow).where(FindingRow.id == finding_id).values(**_values(finding)))
    for finding in changes.added:
        values = _values(finding) | {"camera_id": camera_id, "opened_at": at, "run_id": run_id}
        session.execute(insert(FindingRow).values(**values))


def dismiss(session: Session, finding_id: int, *, by: str, note: str | None, at: datetime) -> bool:
    """Records that a person dismissed a finding. Returns False if it was dismissed before; then nothing changes."""
    is_undismissed = (FindingRow.id == finding_id) & FindingRow.dismissed_at.is_(None)
    statement = update(FindingRow).where(is_undismissed).values(dismissed_at=at, dismissed_by=by, note=note)
    return session.execute(statement.returning(FindingRow.id)).first() is not None


def count_open(session: Session) -> dict[str, int]:
    """The number of findings of each camera that last and that nobody dismissed, by name; cameras without any are left
    out."""
    query = select(CameraRow.name, func.count()).join(FindingRow, FindingRow.camera_id == CameraRow.id)
    query = query.where(FindingRow.until.is_(None), FindingRow.dismissed_at.is_(None)).group_by(CameraRow.name)
    return {name: number for name, number in session.execute(query)}


def region_text(regions: Sequence[Rectangle]) -> str:
    """Regions as they are stored: X,Y,W,H in per cent, several with a semicolon."""
    return ";".join(",".join(f"{number:g}" for number in region) for region in regions)


def _regions(text: str) -> tuple[Rectangle, ...]:
    parts = (part.split(",") for part in text.split(";") if part)
    return tuple((float(left), float(top), float(width), float(height)) for left, top, width, height in parts)


def _values(finding: CameraFinding) -> dict[str, Any]:
    evidence = dict(finding.evidence) | {_IMAGES: list(finding.image_ids)}
    return {
        "kind": finding.kind,
        "light_class": finding.light_class,
        "region": region_text(finding.regions),
        "since": finding.since,
        "until": finding.until,
        "strength": finding.strength,
        "evidence": json.dumps(evidence, sort_keys=True),
    }


def _stored_finding(row: FindingRow, camera: str) -> StoredFinding:
    evidence = json.loads(row.evidence)
    image_ids = tuple(evidence.pop(_IMAGES, ()))
    finding = CameraFinding(
        kind=Kind(row.kind),
        since=row.since,
        until=row.until,
        strength=row.strength,
        evidence=evidence,
        image_ids=image_ids,
        light_class=None if row.light_class is None else LightClass(row.light_class),
        regions=_regions(row.region),
    )
    return StoredFinding(
        row.id, camera, finding, row.opened_at, row.run_id, row.dismissed_at, row.dismissed_by, row.note
    )
