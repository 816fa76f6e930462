"""status --check: what in the index needs a person; for a nightly job. It writes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from indexer.domain.capture_gaps import MAX_GAPS, usual_interval_s
from indexer.store import cameras, decisions, images, removals
from indexer.store.database import Database
from indexer.workflows.context import Clock

SILENT_AFTER = 3.0
"""How many of a camera's intervals may pass without an image."""
_NEW = timedelta(days=1)


@dataclass(frozen=True)
class SilentCamera:
    """A camera whose last image is older than it should be: how old, and the camera's interval, in seconds."""

    camera: str
    last_captured_at: datetime
    silent_s: float
    interval_s: float


@dataclass(frozen=True)
class StatusCheck:
    """What needs a person.

    `undecided`: present images that compare did not decide. `held_back`: the cameras that prune would leave alone, and
    why. `held_back_files`: files that came back after their removal: a person pins them, or has them removed again.
    `unwitnessed`: removed files whose keeper is not present. `unreadable_new`: files that could not be used, first
    seen within the last day. `left_open`: removals that a crash cut off. `silent`: cameras without an image for longer
    than some of their intervals (`indexer.domain.capture_gaps`).
    """

    undecided: int
    held_back: dict[str, str]
    held_back_files: int
    unwitnessed: int
    unreadable_new: int
    left_open: int
    silent: tuple[SilentCamera, ...]

    @property
    def needs_person(self) -> bool:
        """Whether anything here needs a person."""
        numbers = (self.undecided, self.held_back_files, self.unwitnessed, self.unreadable_new, self.left_open)
        return any(numbers) or bool(self.held_back) or bool(self.silent)


def check_status(database: Database, *, silent_after: float, clock: Clock) -> StatusCheck:
    """What needs a person now. `silent_after`: how many of its intervals a camera may be silent; 0: any."""
    from indexer.workflows.removal.prune import plan  # here, as it loads the image libraries

    held_back = {blocked.camera.camera: blocked.reason for blocked in plan(database).held_back}
    now = clock()
    with database.read() as session:
        silent = [
            camera
            for name, camera_id in cameras.list_cameras(session).items()
            if silent_after > 0
            and (
                camera := _find_silence(
                    name, cameras.list_last_captures(session, camera_id, limit=MAX_GAPS + 1), silent_after, now=now
                )
            )
            is not None
        ]
        return StatusCheck(
            undecided=decisions.count_undecided(session),
            held_back=held_back,
            held_back_files=removals.count_held_back(session),
            unwitnessed=len(removals.list_unwitnessed(session)),
            unreadable_new=images.count_unusable_since(session, now - _NEW),
            left_open=len(removals.list_pending(session)),
            silent=tuple(silent),
        )


def _find_silence(name: str, times: list[datetime], silent_after: float, *, now: datetime) -> SilentCamera | None:
    """How long a camera is silent, if that is too long; `times` of its last captures, the newest first."""
    interval_s = usual_interval_s(times)
    if interval_s is None:
        return None
    silent_s = (now - times[0]).total_seconds()
    return SilentCamera(name, times[0], silent_s, interval_s) if silent_s > silent_after * interval_s else None
