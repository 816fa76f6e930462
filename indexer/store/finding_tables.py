"""The table of findings: what advise found about cameras, and what a person said of it.

As `indexer.store.tables`, which names this table too.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from indexer.store.table_base import Base, PartialIndex

_OPEN = "until IS NULL AND dismissed_at IS NULL"


class FindingRow(Base):
    """Something that is wrong with a camera, with its evidence."""

    __tablename__ = "findings"
    __table_args__ = (
        CheckConstraint("light_class IN ('colour', 'mono', 'dark')", name="light_class"),
        CheckConstraint("until IS NULL OR since <= until", name="ordered"),
        CheckConstraint("(dismissed_at IS NULL) = (dismissed_by IS NULL)", name="dismissed"),
        Index("ix_findings_camera_id", "camera_id"),
        PartialIndex("uq_findings_open", "camera_id", "kind", "region", where=_OPEN, unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    kind: Mapped[str] = mapped_column(comment="moved, sways, blurred and so on")
    light_class: Mapped[str | None] = mapped_column(comment="light that it was seen in; NULL: all")
    region: Mapped[str] = mapped_column(comment="X,Y,W,H in per cent, several with a semicolon; empty: the whole frame")
    opened_at: Mapped[datetime] = mapped_column(comment="when it was first told")
    since: Mapped[datetime] = mapped_column(comment="capture time of the first frame that shows it")
    until: Mapped[datetime | None] = mapped_column(comment="capture time at which it was over; NULL: it is not")
    strength: Mapped[float] = mapped_column(comment="how far over its limit, from 1; if dismissed, as it was then")
    evidence: Mapped[str] = mapped_column(comment="JSON object: numbers and texts by name, image_ids")
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), comment="the run that first told it")
    dismissed_at: Mapped[datetime | None] = mapped_column(comment="NULL: nobody dismissed it")
    dismissed_by: Mapped[str | None] = mapped_column(comment="a person's name; NULL: nobody dismissed it")
    note: Mapped[str | None] = mapped_column(comment="what that person said; NULL: nothing")
