"""The plan of `prune`: what it would remove now, from the index and the records beside the images.

It loads no image library, so that `status --check` can ask for the plan. It writes nothing.
"""

from collections import Counter
from dataclasses import replace

from indexer.domain.removal import ExclusionReason, Plan, RemovalGuard, plan_removal
from indexer.store import cameras, confirmations, decisions, open_images, removals, runs
from indexer.store.database import Database, Session
from indexer.workflows.removal.returned_files import hold_back_recorded


def plan(
    database: Database, *, camera: str | None = None, max_share: float | None = None, include_restored: bool = False
) -> Plan:
    """What prune would remove now; a camera that would lose more than is plausible is held back.

    Files that came back after their removal are held back, and left out, unless `include_restored`: those that this
    index brought back, and those that the records beside the images name.
    """
    with database.read() as session:
        camera_id = None if camera is None else cameras.get_camera(session, camera)
        flagged = decisions.list_removal_candidates(session, camera=camera)
        recorded = undecided_held = 0
        if include_restored:
            flagged = [replace(item, held_back=False) for item in flagged]
        else:
            held_before = sum(item.held_back for item in flagged)
            flagged = hold_back_recorded(session, flagged)
            recorded = sum(item.held_back for item in flagged) - held_before
            undecided_held = removals.count_held_back(session, camera_id=camera_id, undecided=True)
        shares = _largest_shares(session)
        questions = confirmations.list_open_questions(session)
        guard = RemovalGuard(max_share, shares, {camera: question.folders for camera, question in questions.items()})
        planned = plan_removal(flagged, image_counts=cameras.count_present(session), guard=guard)
        undecided = open_images.count_undecided(session, camera_id=camera_id)
        left_out = Counter(planned.left_out) + Counter({ExclusionReason.HELD_BACK: undecided_held})
        return replace(planned, left_out=dict(left_out), undecided=undecided, recorded_returns=recorded)


def largest_shares(database: Database) -> dict[str, float]:
    """The largest share (0..1) of each camera's images that an earlier prune removed, if not all of it came back."""
    with database.read() as session:
        return _largest_shares(session)


def _largest_shares(session: Session) -> dict[str, float]:
    largest: dict[str, float] = {}
    for counts in runs.list_counts(session, command="prune"):
        for camera, (removed, present) in counts.get("cameras", {}).items():
            largest[camera] = max(largest.get(camera, 0.0), removed / present)
    return largest
