"""Times in which something lasted: what a single frame shows is no finding.

An episode begins with a frame that shows it, and ends before the frames that do not show it any more. A few frames
without it do not end an episode, and a few frames with it do not make one. The module does not know what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MIN_FRAMES = 10
"""Frames that must show something before it is told."""
MIN_LENGTH = timedelta(minutes=30)
"""How long it must last, from the first frame to the last."""
MIN_SHARE = 0.8
"""Share of the frames of an episode that must show it."""
_HINT_FRAMES = 3
_CLOSING_FRAMES = 4  # frames in a row without it that end an episode


@dataclass(frozen=True)
class Episode:
    """The frames `first` to `last` of a series, both included; `hits` of them show it. `open`: it did not end."""

    first: int
    last: int
    hits: int
    open: bool


def find_episodes(
    flags: Sequence[bool],
    times: Sequence[datetime],
    *,
    min_frames: int = MIN_FRAMES,
    min_length: timedelta = MIN_LENGTH,
    min_share: float = MIN_SHARE,
    hint: bool = False,
) -> list[Episode]:
    """The episodes in a series of frames, in order.

    Parameters
    ----------
    flags : of bool
        Whether each frame shows it.
    times : of datetime
        When each frame was taken, ascending; as many as `flags`.
    min_frames, min_length, min_share
        What an episode needs at least.
    hint : bool
        Whether few frames of any length are enough, to know where to look at more of them.

    Raises
    ------
    ValueError
        If there are not as many times as flags.
    """
    if len(flags) != len(times):
        raise ValueError(f"{len(flags)} flags, {len(times)} times")
    if hint:
        min_frames, min_length = _HINT_FRAMES, timedelta()

    def is_enough(episode: Episode) -> bool:
        return (
            episode.hits >= min_frames
            and episode.hits >= min_share * (episode.last - episode.first + 1)
            and times[episode.last] - times[episode.first] >= min_length
        )

    ways = (False,) if hint or min_share < MIN_SHARE else (True, False)
    trimmed = ([_trimmed(flags, first, last, two=two) for two in ways] for first, last in _runs(flags))
    enough = ([episode for episode in both if is_enough(episode)] for both in trimmed)
    return [episodes[0] for episodes in enough if episodes]


def _runs(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """The first and last hit of each run of hits with fewer than `_CLOSING_FRAMES` misses in a row between them."""
    runs: list[tuple[int, int]] = []
    for index, flag in enumerate(flags):
        if not flag:
            continue
        if runs and index - runs[-1][1] <= _CLOSING_FRAMES:
            runs[-1] = runs[-1][0], index
        else:
            runs.append((index, index))
    return runs


def _trimmed(flags: Sequence[bool], first: int, last: int, *, two: bool) -> Episode:
    """The episode of a run, without lone hits at its begin, such as a passing lorry just before.

    `two`: its first two frames must show it, as the first one is its picture. Hints, and what shows in few of the
    frames, as flicker does, need all of them.
    """
    while first < last and (
        (two and not flags[first + 1]) or sum(flags[first : first + _CLOSING_FRAMES]) < _CLOSING_FRAMES / 2
    ):
        first = next(index for index in range(first + 1, last + 1) if flags[index])
    hits = sum(flags[first : last + 1])
    return Episode(first, last, hits, open=len(flags) - 1 - last < _CLOSING_FRAMES)


def end_of(episode: Episode, times: Sequence[datetime]) -> datetime | None:
    """When an episode was over: the first frame after it. None if it did not end."""
    return None if episode.open else times[episode.last + 1]
