"""The tables that triggers of the database keep, so that nothing that writes can forget them: images to look at, twins.

As `indexer.store.tables`, which names these tables too.
"""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from indexer.store.table_base import Base


class OpenImageRow(Base):
    """A ready image that compare must look at: it has no current decision, or lost a thumbnail. Triggers keep the
    table (migration 0015)."""

    __tablename__ = "open_images"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)


class TwinRow(Base):
    """Two captures of one camera within a second of each other under two forms of name. Triggers keep the table
    (migrations 0021 and 0022)."""

    __tablename__ = "twins"
    __table_args__ = (Index("ix_twins_image_b_id", "image_b_id"),)
    image_a_id: Mapped[int] = mapped_column(
        ForeignKey("images.id", ondelete="CASCADE"), primary_key=True, comment="named by the epoch"
    )
    image_b_id: Mapped[int] = mapped_column(
        ForeignKey("images.id", ondelete="CASCADE"), primary_key=True, comment="named by date and time"
    )
