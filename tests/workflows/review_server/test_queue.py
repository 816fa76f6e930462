"""The queue of a review: who gets which pair, and which pairs are in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import CameraError
from indexer.workflows.review_server.queue import ReviewQueue, list_queue
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture, prepared

PAIRS = [(number, number + 1) for number in range(1, 9)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8), st.integers(1, 4)), max_size=12))
def test_nobody_gets_what_another_has(asked: list[tuple[str, int, int]]) -> None:
    """While leases last, no pair is with two people, whoever asks for what."""
    queue, holders = ReviewQueue(PAIRS), dict[tuple[int, int], str]()
    for person, start, count in asked:
        for item in queue.take(person, start, count=count, now_s=0.0):
            assert holders.setdefault(item.pair, person) == person
            assert (queue.pairs[item.index], item.index >= start) == (item.pair, True)


def test_a_lease_ends_and_can_be_renewed() -> None:
    """A minute after the last sign of a person others get that person's pairs, unless they were renewed."""
    queue = ReviewQueue(PAIRS[:2], lease_s=60)
    assert len(queue.take("ada", 0, count=2, now_s=0)) == 2
    queue.renew("ada", [PAIRS[0]], now_s=50)
    queue.renew("ben", [PAIRS[0]], now_s=50)
    assert [item.pair for item in queue.take("ben", 0, count=2, now_s=59)] == []
    assert [item.pair for item in queue.take("ben", 0, count=2, now_s=61)] == [PAIRS[1]]
    assert [item.pair for item in queue.take("ben", 0, count=2, now_s=111)] == PAIRS[:2]


def test_judged_pairs_do_not_come_again() -> None:
    """A judged pair is passed over until its verdict is taken back."""
    queue = ReviewQueue(PAIRS[:3])
    queue.mark(PAIRS[1], judged=True)
    queue.mark((100, 200), judged=True)
    assert ([item.pair for item in queue.take("ada", 0, count=3, now_s=0)], queue.judged) == ([PAIRS[0], PAIRS[2]], 1)
    queue.mark(PAIRS[1], judged=False)
    assert [item.index for item in queue.take("ada", 1, count=1, skip=[PAIRS[2]], now_s=0)] == [1]


def test_a_closed_page_gives_its_pairs_back() -> None:
    """What a page had when it was closed, another gets at once; what others have stays with them."""
    queue = ReviewQueue(PAIRS[:3])
    queue.take("ada", 0, count=1, now_s=0)
    queue.take("ben", 0, count=1, now_s=0)
    queue.release("ada")
    assert [item.pair for item in queue.take("eva", 0, count=3, now_s=1)] == [PAIRS[0], PAIRS[2]]


def test_a_queue_that_is_filled_again_knows_who_has_what() -> None:
    """After it was filled again, nobody gets what another has, and nothing judged comes again."""
    queue = ReviewQueue(PAIRS[:3])
    queue.take("ada", 0, count=1, now_s=0)
    queue.mark(PAIRS[1], judged=True)
    queue.refill(PAIRS[:5])
    assert [item.pair for item in queue.take("ben", 0, count=9, now_s=1)] == PAIRS[2:5]
    assert queue.judged == 1


@prepared
def lot(index: Index) -> None:
    """A bare place, the same with a bird, a bike and a car on it, and two views of a yard."""
    for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,)]):
        index.put(name(minute), picture(*marks))
    index.put(name(9, "yard"), picture())
    index.put(name(10, "yard"), picture(BIRD))
    index.ingest()
    index.compare()


def test_orders_of_the_queue(lot: Index) -> None:
    """Duplicates come before kept pairs; the newest first, or those of one camera, on request."""
    pairs = {order: list_queue(lot.database, order=order, camera=None) for order in ("borderline", "newest", "removed")}
    yard = list_queue(lot.database, order="borderline", camera="yard")
    assert (len(yard), pairs["newest"][0], pairs["removed"]) == (1, yard[0], [])
    assert sorted(pairs["borderline"]) == sorted(pairs["newest"])
    assert len(pairs["borderline"]) > len(yard)
    with pytest.raises(CameraError):
        list_queue(lot.database, order="borderline", camera="pond")


def test_removed_and_judged_pairs(lot: Index) -> None:
    """On request only pairs of removed images, or only verdicts that contradict each other, are in the queue."""
    lot.prune()
    removed = list_queue(lot.database, order="removed", camera=None)
    assert len(removed) == len(lot.removals()) == 2
    lot.judge(name(0), name(2), "same")
    lot.judge(name(2), name(3), "same")
    lot.judge(name(0), name(3), "different")
    listed = list_queue(lot.database, order="contradictions", camera=None)
    assert len(listed) == 3
    assert set(listed).isdisjoint(removed)
