"""Which cameras are compared next: those that got images, the longest waiting first, none of them too often.

It promises that after a comparison of N seconds a camera is not compared again for 10 N seconds. So a large camera
costs at most a tenth of the time. It compares nothing.
"""

from dataclasses import dataclass

_SHARE = 10.0


@dataclass
class _CameraTimes:
    """When a camera got its first image since its last comparison, None: none; and when it may be compared again.

    `refused_until_s`: when it may be tried again.
    """

    touched_s: float | None = None
    not_before_s: float = float("-inf")
    refused_until_s: float = float("-inf")


class DueCameras:
    """The cameras with images that were not compared yet. Times are seconds of a clock that never steps."""

    def __init__(self) -> None:
        self._cameras: dict[str, _CameraTimes] = {}

    @property
    def waiting(self) -> int:
        """How many cameras are to be compared."""
        return sum(times.touched_s is not None for times in self._cameras.values())

    def note_changed(self, camera: str, *, now_s: float) -> None:
        """Notes that a camera got an image, or lost one."""
        times = self._cameras.setdefault(camera, _CameraTimes())
        times.touched_s = now_s if times.touched_s is None else times.touched_s

    def list_due(self, *, now_s: float, at_once: bool = False) -> list[str]:
        """The cameras that may be compared now, the longest waiting first; `at_once`: however often."""
        due = [
            (times.touched_s, camera)
            for camera, times in self._cameras.items()
            if times.touched_s is not None
            and times.refused_until_s <= now_s
            and (at_once or times.not_before_s <= now_s)
        ]
        return [camera for _, camera in sorted(due)]

    def note_compared(self, camera: str, *, start_s: float, now_s: float) -> None:
        """Notes that a camera was compared, from `start_s` until now."""
        self._cameras[camera] = _CameraTimes(None, start_s + _SHARE * (now_s - start_s))

    def note_refused(self, camera: str, *, until_s: float) -> None:
        """Notes that a camera could not be compared, and is to be tried later."""
        self._cameras[camera].refused_until_s = until_s

    @property
    def next_due_s(self) -> float | None:
        """When the next camera may be compared; None if none is to be."""
        waiting = [times for times in self._cameras.values() if times.touched_s is not None]
        return min((max(times.not_before_s, times.refused_until_s) for times in waiting), default=None)
