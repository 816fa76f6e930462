"""Light that flickers: it goes up and down from frame to frame, all over the view, while nothing else changes.

Clouds let the light go up and down, too, but they multiply it. So two series are looked at: by how many levels the view
rises, and by how many where it is black. The second one stays still under clouds.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from math import exp, lgamma, log
from statistics import median

from indexer.domain.advice.episodes import MIN_SHARE, Episode, end_of, find_episodes
from indexer.domain.advice.findings import Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.measurements import MeasuredPair, Rise
from indexer.domain.plurals import counted

_MIN_LEVELS = 6.0
_MIN_EVEN_SHARE = 0.5  # of the frame: with less, the median is not that of the light
_MIN_TURN_SHARE = 0.6  # of three frames in a row, in series that clouds leave alone
_MIN_UNSETTLED_SHARE = 0.25  # of the frames: clouds alone let the brightness go up and down, too
_MIN_TURNS = 19
_TURN_CHANCE = 2 / 3  # of three values in any order the middle one is the least or the most: clouds turn as often
_MAX_CHANCE = 0.001

Turn = tuple[MeasuredPair, MeasuredPair]
"""Three frames in a row."""


def examine_flicker(pairs: Sequence[MeasuredPair], *, hint: bool = False) -> Iterator[Answer]:
    """Whether the light goes up and down from frame to frame while nothing else changes.

    Parameters
    ----------
    pairs : of MeasuredPair
        Neighbours in time of one light class, by time; pairs that follow each other share a frame.
    hint : bool
        As in `indexer.domain.advice.episodes.find_episodes`.
    """
    turns = [
        (one, other)
        for one, other in pairwise(pairs)
        if one.later.image_id == other.earlier.image_id
        and min(one.rise.even_share, other.rise.even_share) >= _MIN_EVEN_SHARE
    ]
    if len(turns) < _MIN_TURNS:
        reason = f"{counted(len(turns), 'time')} three frames in a row, at least {_MIN_TURNS} are needed"
        yield CannotTell(Kind.FLICKER, reason)
        return
    times = [one.later.captured_at for one, _ in turns]
    is_found = False
    for series, min_share in ((_offset, _MIN_TURN_SHARE), (_levels, MIN_SHARE)):
        is_large = [_swing(turn, series) > _MIN_LEVELS for turn in turns]
        for episode in find_episodes(is_large, times, min_share=min_share, hint=hint):
            if series is _levels and not hint and _is_chance(episode):
                continue
            is_found = True
            yield _flickers(turns[episode.first : episode.last + 1], series, episode, until=end_of(episode, times))
    if not is_found and sum(is_large) >= _MIN_UNSETTLED_SHARE * len(turns):
        yield CannotTell(Kind.FLICKER, f"the light changes by more than {_MIN_LEVELS:g} levels too often")


def _is_chance(episode: Episode) -> bool:
    """Whether light that goes anywhere, as under clouds, may turn as often as in these frames: the binomial tail."""
    number = episode.last - episode.first + 1
    return sum(_chance(number, hits) for hits in range(episode.hits, number + 1)) > _MAX_CHANCE


def _chance(number: int, hits: int) -> float:
    """The chance of so many turns, by logarithms: a float does not hold the binomial coefficient of 2 000 frames."""
    ways = lgamma(number + 1) - lgamma(hits + 1) - lgamma(number - hits + 1)
    return exp(ways + hits * log(_TURN_CHANCE) + (number - hits) * log(1 - _TURN_CHANCE))


def _flickers(
    turns: Sequence[Turn], series: Callable[[Rise], float], episode: Episode, *, until: datetime | None
) -> CameraFinding:
    large = [swing for turn in turns if (swing := _swing(turn, series)) > _MIN_LEVELS]
    return CameraFinding(
        Kind.FLICKER,
        since=turns[0][0].earlier.captured_at,
        until=until,
        strength=median(large) / _MIN_LEVELS,
        evidence={
            "levels": round(median(large), 1),
            "sign_changes": round(episode.hits / len(turns), 2),
            "frames": len(turns) + 2,
        },
        image_ids=(turns[-1][0].earlier.image_id, turns[-1][0].later.image_id),
        light_class=turns[0][0].later.condition.light_class,
    )


def _levels(rise: Rise) -> float:
    return rise.levels


def _offset(rise: Rise) -> float:
    return rise.offset


def _swing(turn: Turn, series: Callable[[Rise], float]) -> float:
    """By how many levels the light goes up and down again, or down and up; 0 if it does not."""
    rises = [series(pair.rise) for pair in turn]
    return min(map(abs, rises)) if rises[0] * rises[1] < 0 else 0.0
