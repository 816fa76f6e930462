"""Whether the keyframes of a live stream come often enough, or all its frames must be decoded."""

from collections import deque

from indexer.domain.videos import Sampling

_LARGEST_DISTANCE_S = 2.0  # or twice the interval that was asked for, as of a video file
_SURE_AFTER = 4


class KeyframeChoice:
    """Chooses between keyframes and all frames while a stream runs; times are seconds that never go back.

    It begins with keyframes. All frames are decoded once a keyframe is too late, and keyframes alone again after four
    that were not.
    """

    def __init__(self, sampling: Sampling, *, every_s: float) -> None:
        self._is_auto = sampling is Sampling.AUTO
        self._limit_s = max(_LARGEST_DISTANCE_S, 2 * every_s)
        self._times: deque[float] = deque(maxlen=_SURE_AFTER + 1)
        self.current = Sampling.KEYFRAMES if self._is_auto else sampling

    @property
    def interval_s(self) -> float | None:
        """The mean distance of the last keyframes; None before the second one."""
        if len(self._times) < 2:
            return None
        return (self._times[-1] - self._times[0]) / (len(self._times) - 1)

    def note(self, *, is_keyframe: bool, now_s: float) -> Sampling:
        """Notes a packet; returns what is to be decoded from here on."""
        late = bool(self._times) and now_s - self._times[-1] > self._limit_s
        if is_keyframe:
            self._times.append(now_s)
        if self._is_auto and late:
            self.current = Sampling.ALL
            self._times = deque(list(self._times)[-1:], maxlen=_SURE_AFTER + 1)
        elif self._is_auto and len(self._times) > _SURE_AFTER:
            self.current = Sampling.KEYFRAMES
        return self.current
