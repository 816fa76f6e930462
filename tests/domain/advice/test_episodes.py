"""Episodes: what lasted, from the first frame that shows it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.advice.episodes import Episode, end_of, find_episodes

BEGIN = datetime(2026, 5, 14, tzinfo=UTC)
TIMES = [BEGIN + number * timedelta(minutes=5) for number in range(200)]


def test_begin_and_end() -> None:
    """An episode begins with its first frame and ends before the first frame without it."""
    flags = [False] * 5 + [True] * 20 + [False] * 10
    (episode,) = find_episodes(flags, TIMES[:35])
    assert episode == Episode(first=5, last=24, hits=20, open=False)
    assert end_of(episode, TIMES[:35]) == TIMES[25]


def test_what_lasts_is_open() -> None:
    """What the last frames show has no end, also if one of them misses it."""
    (episode,) = find_episodes([False] * 5 + [True] * 20 + [False], TIMES[:26])
    assert (episode.open, end_of(episode, TIMES[:26])) == (True, None)


def test_single_frames_are_no_episode() -> None:
    """A frame now and then, or too few for too short, is nothing that lasts."""
    assert find_episodes([number % 3 == 0 for number in range(100)], TIMES[:100]) == []
    assert find_episodes([True] * 9, TIMES[:9]) == []
    assert find_episodes([True] * 12, [BEGIN + number * timedelta(seconds=1) for number in range(12)]) == []


@pytest.mark.parametrize("misses", [1, 2, 3])
def test_lone_hit_before_is_not_the_begin(misses: int) -> None:
    """A frame that shows it some frames before the others does not date the begin, and is not its picture."""
    flags = [False] * 5 + [True] + [False] * misses + [True] * 30
    assert find_episodes(flags, TIMES[: len(flags)])[0].first == 6 + misses


def test_few_frames_need_their_first_hit() -> None:
    """Where each frame is needed, a lone hit at the begin counts: as hints of what shows in few frames."""
    flags = [False] * 5 + [True, False, True, True] + [False] * 5
    (episode,) = find_episodes(flags, TIMES[: len(flags)], min_share=0.6, hint=True)
    assert (episode.first, episode.hits) == (5, 3)


@given(st.lists(st.booleans(), max_size=120))
def test_episodes_lie_apart_and_in_order(flags: list[bool]) -> None:
    """Episodes begin and end with a frame that shows it, do not overlap, and are ordered."""
    episodes = find_episodes(flags, TIMES[: len(flags)])
    assert all(flags[episode.first] and flags[episode.last] for episode in episodes)
    bounds = [bound for episode in episodes for bound in (episode.first, episode.last)]
    assert bounds == sorted(bounds)


def test_lengths_must_agree() -> None:
    """Flags without times are refused."""
    with pytest.raises(ValueError, match="3 flags, 2 times"):
        find_episodes([True] * 3, TIMES[:2])
