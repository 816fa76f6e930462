"""How much fits on a page: everything once, in order, and no page too large."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.web.charts import HOURS_SIZE, hour_bars, sweep_dots
from indexer.web.pagination import MAX_PART_MEMBERS, divide_groups, paginate
from indexer.web.view_models import Hour, SweepPoint


@given(st.lists(st.integers(0, 50)), st.integers(1, 100))
def test_pages_hold_everything_once(sizes: list[int], most: int) -> None:
    """Pages are consecutive, not empty, and hold at most so much, or one item alone."""
    pages = paginate(sizes, max_bytes=most)
    assert [place for page in pages for place in page] == list(range(len(sizes)))
    assert all(len(page) == 1 or (page and sum(sizes[place] for place in page) <= most) for page in pages)


@given(st.lists(st.integers(0, 3 * MAX_PART_MEMBERS), max_size=5))
def test_large_families_are_divided(counts: list[int]) -> None:
    """Every member of a family is on one part, in order, and no part is too large."""
    parts = list(divide_groups((head, list(range(count))) for head, count in enumerate(counts)))
    for head, count in enumerate(counts):
        own = [part for part in parts if part.head == head]
        assert [member for part in own for member in part.members] == list(range(count))
        assert [part.start for part in own] == list(range(0, max(1, count), MAX_PART_MEMBERS))
    assert all(len(part.members) <= MAX_PART_MEMBERS for part in parts)


def test_hours_are_drawn_to_scale() -> None:
    """The hour with the most images is as high as the chart, and one kept image of many can be seen."""
    bars = hour_bars((Hour(1000, 1), Hour(500, 250), *(Hour() for _ in range(22))))
    assert [(bar.taken, bar.kept) for bar in bars[:3]] == [(HOURS_SIZE[1], 2), (HOURS_SIZE[1] // 2, 16), (0, 0)]
    assert bars[0].label == "00 h: 1 of 1000 kept"


def test_limits_are_drawn_to_scale() -> None:
    """Limits lie along the chart at the area in force, what keeps all at its top."""
    points = [
        SweepPoint(limit, area, kept, 10 - kept, 0, (limit, area) == (1000, 1000))
        for area in (500, 1000)
        for limit, kept in ((0, 10), (1000, 5), (4000, 0))
    ]
    dots = sweep_dots(points)
    assert [(dot.x, dot.y, dot.share) for dot in dots] == [(0.0, 0.0, 1.0), (399.8, 100.0, 0.5), (480.0, 200.0, 0.0)]


def test_nothing_decided_draws_nothing() -> None:
    """Without images there is no chart."""
    assert sweep_dots([SweepPoint(1000, 1000, 0, 0, 0, True)]) == []
