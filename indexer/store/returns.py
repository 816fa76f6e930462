"""What changes in the index when a removed file is back at its path: its state, its decision, and the pins."""

from datetime import datetime

from sqlalchemy.orm import Session

from indexer.store import decisions, images, pins, removals
from indexer.store.removals import JournalEntry


def mark_returned(session: Session, removal: JournalEntry, *, at: datetime, run_id: int) -> None:
    """Marks the image of a restored file as present; its journal row has the act that was begun.

    A restore that pins also pins the image and its keeper, and the image is decided again. A file that is held back
    keeps its decision, if nothing that the decision rests on has changed meanwhile.
    """
    images.mark_present(session, removal.image_id, path=removal.path)
    if not (removal.held_back and decisions.is_as_before_removal(session, removal.id)):
        decisions.supersede(session, [removal.image_id], at=at)
    decisions.withdraw_partial_place(session, removal.image_id)
    removals.release(session, removal.image_id, before=removal.id)
    for image_id in (removal.image_id, removal.keeper_id) if removal.pending == "restore" else ():
        pins.add_pin(session, image_id, reason="restore", at=at, run_id=run_id)
