"""Decides a camera again after verdicts, in a process that stays, and says what changed.

It promises the rule of `compare`, as it is `compare_camera` that decides. It is imported with the first camera that is
due, because it loads the matcher.
"""

from typing import Any

from indexer.execution.memory import trim_memory
from indexer.imaging.image_buffer import keep_resident_below, release_pages
from indexer.store import cameras, decisions, profiles
from indexer.store.decisions import ChangedDecision
from indexer.workflows.compare.camera import compare_camera
from indexer.workflows.compare.reconsider import reconsider_removed
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache
from indexer.workflows.context import ComparisonContext
from indexer.workflows.review_server.recorder import VerdictRecorder

MAX_LISTED = 50
"""Most changed decisions that are listed in a message."""
_CACHED_BYTES = 1 << 28
"""Decoded thumbnails, in a file; more where one camera needs more."""
_RESIDENT_BYTES = 280 * 2**20
"""While a camera is decided. The thumbnails in memory are then those that the system reads again from that file."""


class CameraDecisions:
    """Decides cameras one after the other, and keeps their decoded thumbnails from one time to the next."""

    def __init__(self, context: ComparisonContext, recorder: VerdictRecorder) -> None:
        self._context, self._recorder = context, recorder
        self._thumbnails = ThumbnailCache(capacity_bytes=_CACHED_BYTES)
        keep_resident_below(_RESIDENT_BYTES)

    def close(self) -> None:
        """Frees the thumbnails."""
        self._thumbnails.clear()

    def decide(self, camera: str) -> dict[str, Any]:
        """Decides a camera, and what is said of it on the pages.

        Raises `IndexInUseError` if another command has the index, `CameraError` if there is no such camera.
        """
        database = self._context.database
        with self._recorder.batch([camera]) as run:
            with database.read() as session:  # with the lock: whoever had it may have chosen another profile
                camera_id = cameras.get_camera(session, camera)
                stored = profiles.get_camera_profile(session, camera_id)
                last_id = decisions.find_last_id(session)
            result = compare_camera(self._context, camera, camera_id, stored, run=run, cache=self._thumbnails)
            reconsider_removed(self._context, {camera: camera_id}, {camera: stored}, run=run)
            run_id = run.id
        with database.read() as session:
            changed = decisions.list_changed(session, run_id=run_id, after_id=last_id)
        release_pages(above_bytes=0)
        database.free_caches()
        trim_memory()
        return {
            "camera": camera,
            "kept": result.kept,
            "duplicates": result.duplicates,
            "problem": result.problem,
            "freed": sum(item.decision.keeps and item.kept_before is False for item in changed),
            "bound": sum(not item.decision.keeps and item.kept_before is True for item in changed),
            "changed": [_to_json(item) for item in changed[:MAX_LISTED]],
            "images": [item.decision.image_id for item in changed],
        }


def _to_json(changed: ChangedDecision) -> dict[str, Any]:
    decision = changed.decision
    return {
        "image": decision.image_id,
        "verdict": "kept" if decision.keeps else "duplicate",
        "keeper": decision.keeper_id,
        "reason": str(decision.reason),
    }
