"""Keepers come outward in time, whatever the order in which they were taken in."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.domain.keeper_index import INFINITE_DISTANCE, NO_TIME, KeeperIndex, distances_us

times = st.one_of(st.none(), st.integers(-5, 5), st.integers(-(10**16), 10**16))


def microseconds(known: list[int | None]) -> np.ndarray:
    """The times as the keepers are given them."""
    return np.array([NO_TIME if time is None else time for time in known], dtype=np.int64)


def distance(here: int | None, there: int | None) -> int:
    """How far apart two times are; unknown ones farther than any."""
    return INFINITE_DISTANCE if here is None or there is None else abs(here - there)


@given(known=st.lists(times, min_size=1, max_size=60), data=st.data())
@example([0] * 40, None)
def test_outward_is_sorted_by_nearness(known: list[int | None], data: st.DataObject | None) -> None:
    """They are sorted by distance, and at one distance by rank; each comes once."""
    places = list(range(len(known)))
    taken = places if data is None else data.draw(st.lists(st.sampled_from(places), unique=True))
    here = 0 if data is None else data.draw(st.sampled_from(places))
    keepers = KeeperIndex(microseconds(known))
    for place in taken:
        keepers.add(place)
    found = [int(place) for chunk in keepers.iter_nearest(here) for place in chunk]
    assert found == sorted(taken, key=lambda place: (distance(known[here], known[place]), place))
    assert len(keepers) == len(taken)


@given(known=st.lists(times, min_size=1, max_size=20), data=st.data())
def test_distances(known: list[int | None], data: st.DataObject) -> None:
    """The distance is that of the times, exact to the microsecond."""
    here = data.draw(st.integers(0, len(known) - 1))
    away = distances_us(microseconds(known), here, np.arange(len(known)))
    assert away.tolist() == [distance(known[here], there) for there in known]


@pytest.mark.parametrize("known", [range(100_000), [0] * 100_000, [NO_TIME] * 100_000, [0] * 9 + [NO_TIME] * 99_991])
def test_the_nearest_come_first_and_few(known: Sequence[int]) -> None:
    """The first chunk is small, as most images find their keeper in it; the later ones grow, to a limit, also where
    many are equally near."""
    keepers = KeeperIndex(np.array(known, dtype=np.int64))
    for place in range(0, 100_000, 10):
        keepers.add(place)
    sizes = [len(chunk) for chunk in keepers.iter_nearest(50_005)]
    assert (sizes[0] <= 16, max(sizes) <= 2 * 4096, sum(sizes), len(sizes) < 30) == (True, True, 10_000, True)
