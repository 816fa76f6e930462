"""The decision rule against a brute force written apart from it, from scratch and through whole histories of a camera.

The brute force knows only the sentences of the design: rank the images, walk down, and name the similar keeper that is
nearest in time. `decide_all` is what `workflows.equivalent_score` does, with a table of scores in the place of pixels.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from math import frexp
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numpy.typing import NDArray

from indexer.domain.images import Image
from indexer.domain.keeper_index import IndexArray
from indexer.domain.selection import Decision, Reason, Selection
from indexer.domain.verdicts import images_to_redecide

NOON = datetime(2021, 3, 27, 12, tzinfo=UTC)
MAX_SCORE = 1000.0
SCORES = [5000.0, 0.0, 1000.0, 999.5, 5000.0, 250.0]
MOST = 9  # images in a camera: enough for every case, few enough to shrink well
SIZES = [1, 2, 7]

Pair = tuple[int, int]


def pair_of(one: int, other: int) -> Pair:
    return min(one, other), max(one, other)


@dataclass(frozen=True)
class Truth:
    """What would be seen of every pair: its score (5000 unless told), and what a person said of it."""

    scores: dict[Pair, float] = field(default_factory=dict)
    verdicts: dict[Pair, Literal["same", "different"]] = field(default_factory=dict)

    def judge(self, image: Image, keeper: Image) -> Decision | None:
        """The decision that this pair alone leads to, None if the two are not similar."""
        pair = pair_of(image.id, keeper.id)
        if pair in self.verdicts:
            return Decision(image.id, Reason.VERDICT, keeper.id) if self.verdicts[pair] == "same" else None
        if image.content_hash == keeper.content_hash:
            return Decision(image.id, Reason.IDENTICAL, keeper.id, 0.0)
        score = self.scores.get(pair, 5000.0) if image.shape == keeper.shape else 5000.0
        return Decision(image.id, Reason.SIMILAR, keeper.id, score) if score < MAX_SCORE else None

    def first(self, image: Image, keepers: Iterable[Image]) -> tuple[Decision | None, list[Image]]:
        """The decision that the first similar keeper leads to, and the keepers met until then."""
        met = []
        for keeper in keepers:
            met.append(keeper)
            if (decision := self.judge(image, keeper)) is not None:
                return decision, met
        return None, met


def ranked(images: Iterable[Image]) -> list[Image]:
    """The images from the first rank down: one stable sort for each criterion, the weakest first."""
    order = sorted(images, key=lambda image: os.fsencode(image.path))
    order.sort(key=lambda image: image.content_hash)
    order.sort(key=lambda image: image.captured_at or datetime.max.replace(tzinfo=UTC))
    order.sort(key=lambda image: frexp(image.sharpness)[1], reverse=True)
    order.sort(key=lambda image: image.width * image.height, reverse=True)
    order.sort(key=lambda image: image.pinned, reverse=True)
    return order


def time_between(image: Image, keeper: Image) -> timedelta:
    """How far apart two images are; without a time, farther than any."""
    if image.captured_at is None or keeper.captured_at is None:
        return timedelta.max
    return abs(image.captured_at - keeper.captured_at)


def brute_force(images: Iterable[Image], truth: Truth) -> list[Decision]:
    """The decisions in rank order, each image compared with every keeper above it."""
    kept: list[Image] = []
    decisions = []
    for image in ranked(images):
        choices = []
        for place, keeper in enumerate([] if image.pinned else kept):
            decision = truth.judge(image, keeper)
            if decision is not None:
                choices.append((time_between(image, keeper), place, decision))
        if choices:
            decisions.append(min(choices)[2])
        else:
            decisions.append(Decision(image.id, Reason.PINNED if image.pinned else Reason.NEW))
            kept.append(image)
    return decisions


def told(walk: Selection, chunks: Iterable[IndexArray]) -> list[Image]:
    """The images at indices that come in chunks."""
    return [walk.ranked[place] for places in chunks for place in places]


def walk_down(
    images: Iterable[Image],
    truth: Truth,
    *,
    before: Mapping[int, Decision] | None = None,
    size: int = 1,
    max_opening_keepers: int = 1000,
    proved: list[int] | None = None,
) -> tuple[list[Decision], list[Pair]]:
    """What `Selection` decides and the pairs met on the way, searched block by block as `workflows.equivalent_score`
    does. With `proved`, of half of the pairs that differ this is proved beforehand; it gets the number that counts."""
    walk = Selection(images, previous=before or {}, max_opening_keepers=max_opening_keepers)
    pairs: list[Pair] = []

    def differs(place: int, others: IndexArray) -> NDArray[np.bool_]:
        keeper, below = walk.ranked[place], [walk.ranked[other] for other in others.tolist()]
        return np.array([(other.id + keeper.id) % 2 == 0 and truth.judge(other, keeper) is None for other in below])

    for block in walk.blocks(size=size):
        asked = [told(walk, walk.candidates(search)) for search in block]
        for search, candidates in zip(block, asked, strict=True):
            image = search.image
            found, met = truth.first(image, candidates)
            keeper = None if found is None or found.keeper_id is None else walk.index_of[found.keeper_id]
            closer, met_late = truth.first(image, told(walk, walk.block_keepers(search, match_index=keeper)))
            if closer is not None and closer.keeper_id is not None:
                places = np.array([walk.index_of[other.id] for other in met], dtype=np.int64)
                nearer = walk.nearer(search, places, than=walk.index_of[closer.keeper_id])
                met = [other for other, stays in zip(met, nearer, strict=True) if stays]
            pairs += [pair_of(image.id, other.id) for other in met + met_late]
            walk.resolve(search, closer or found, differs=None if proved is None else differs)
    if proved is not None:
        proved.append(walk.proved_pairs)
    return walk.decisions, pairs


def by_id(decisions: Iterable[Decision]) -> dict[int, Decision]:
    return {decision.image_id: decision for decision in decisions}


def image_of(image_id: int, minute: float | None = 0, **more: object) -> Image:
    """An image like all others but for what is said of it."""
    at = None if minute is None else NOON + timedelta(minutes=minute)
    plain = Image(image_id, f"/lot/{image_id}.png", 640, 480, 10.0, f"{image_id:02}", at, shape=(240, 320))
    return replace(plain, **more)  # type: ignore[arg-type]


def alike(*pairs: Pair) -> Truth:
    return Truth({pair: 10.0 for pair in pairs})


minutes = st.sampled_from([0, 1, 2, 3, 4, 0.5, None])
verdicts: st.SearchStrategy[Literal["same", "different"] | None] = st.sampled_from([None] * 8 + ["same", "different"])
names = st.sampled_from("abz\udcff！")


@st.composite
def facts_of(draw: st.DrawFn, image_id: int) -> Image:
    """An image whose every fact is easily equal to another's."""
    return image_of(
        image_id,
        draw(minutes),
        path=f"/lot/{draw(names)}/{image_id}.png",
        width=draw(st.sampled_from([640, 640, 320])),
        sharpness=draw(st.sampled_from([8.0, 9.0, 15.0, 16.0])),
        content_hash=draw(st.sampled_from([f"{image_id:02}", f"{MOST - image_id:02}", "50"])),
        pinned=draw(st.sampled_from([False, False, False, True])),
        shape=draw(st.sampled_from([(240, 320), (240, 320), (240, 320), (180, 320)])),
    )


@st.composite
def cameras(draw: st.DrawFn) -> tuple[list[Image], Truth]:
    """The images of a camera, in any order, and what would be seen of each pair."""
    images = [draw(facts_of(image_id)) for image_id in range(draw(st.integers(0, MOST)))]
    truth = Truth()
    for pair in combinations(range(len(images)), 2):
        truth.scores[pair] = draw(st.sampled_from(SCORES))
        verdict = draw(verdicts)
        if verdict is not None:
            truth.verdicts[pair] = verdict
    return draw(st.permutations(images)), truth


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=150, deadline=None)
@given(camera=cameras())
def test_walk_decides_what_brute_force_decides(size: int, camera: tuple[list[Image], Truth]) -> None:
    """Ties, unknown times, pins, equal bytes, other shapes and verdicts: every decision is that of the brute force."""
    assert walk_down(*camera, size=size)[0] == brute_force(*camera)


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=50, deadline=None)
@given(camera=cameras(), data=st.data())
def test_no_order_changes_a_decision(size: int, camera: tuple[list[Image], Truth], data: st.DataObject) -> None:
    """Decisions do not depend on the order of the images."""
    images, truth = camera
    shuffled = data.draw(st.permutations(images))
    assert walk_down(shuffled, truth, size=size)[0] == walk_down(images, truth, size=size)[0]


@pytest.mark.parametrize("size", SIZES[1:])
@settings(max_examples=50, deadline=None)
@given(camera=cameras())
def test_blocks_meet_what_single_images_meet(size: int, camera: tuple[list[Image], Truth]) -> None:
    """Searching a block at once leaves the evidence of exactly those pairs that the one-by-one walk meets."""
    assert sorted(walk_down(*camera, size=size)[1]) == sorted(walk_down(*camera)[1])


@settings(max_examples=50, deadline=None)
@given(camera=cameras())
def test_no_pair_is_met_twice(camera: tuple[list[Image], Truth]) -> None:
    """In one walk every pair is asked for at most once."""
    _, pairs = walk_down(*camera)
    assert len(pairs) == len(set(pairs))


@settings(max_examples=50, deadline=None)
@given(camera=cameras())
def test_every_duplicate_has_a_witness(camera: tuple[list[Image], Truth]) -> None:
    """The keeper of a duplicate is itself kept, and the two are similar with exactly the score named."""
    images, truth = camera
    shown = {image.id: image for image in images}
    decided = by_id(walk_down(images, truth, size=2)[0])
    for decision in decided.values():
        if decision.keeper_id is not None:
            assert decided[decision.keeper_id].keeps
            assert truth.judge(shown[decision.image_id], shown[decision.keeper_id]) == decision


@settings(max_examples=50, deadline=None)
@given(camera=cameras())
def test_kept_images_are_independent(camera: tuple[list[Image], Truth]) -> None:
    """No two kept images are similar, unless both are pinned; every pinned image is kept."""
    images, truth = camera
    decided = by_id(walk_down(images, truth, size=2)[0])
    kept = [image for image in images if decided[image.id].keeps]
    assert [image for image in images if image.pinned and image not in kept] == []
    for one, other in combinations(kept, 2):
        assert truth.judge(one, other) is None or (one.pinned and other.pinned)


def test_no_chains() -> None:
    """Of A~B and B~C only B goes: C does not fall with an image that fell itself."""
    images = [image_of(1, 1), image_of(2, 2), image_of(3, 3)]
    assert walk_down(images, alike((1, 2), (2, 3)))[0] == [
        Decision(1, Reason.NEW),
        Decision(2, Reason.SIMILAR, 1, 10.0),
        Decision(3, Reason.NEW),
    ]


def test_nearest_keeper_is_the_witness() -> None:
    """The named keeper is the nearest in time, earlier or later; at equal distance the one of higher rank."""
    images = [image_of(1, 0, width=900), image_of(2, 3, width=800), image_of(3, 5, width=700), image_of(4, 4)]
    near = walk_down(images, alike((1, 4), (2, 4), (3, 4)))
    assert near[0][-1] == Decision(4, Reason.SIMILAR, 2, 10.0)
    assert near[1][-1] == (2, 4)


def test_keeper_without_a_time_comes_last() -> None:
    """A keeper without a time is infinitely far, and named only where no other is similar."""
    images = [image_of(1, None, width=900), image_of(2, 99, width=700), image_of(3, 0)]
    assert walk_down(images, alike((1, 3), (2, 3)))[0][-1].keeper_id == 2
    assert walk_down(images, alike((1, 3)))[0][-1].keeper_id == 1


def test_verdicts_outrank_everything() -> None:
    """What a person said of a pair outranks its score, its shapes and equal bytes; only a pin stands above it."""
    one = image_of(1, 1)
    other = image_of(2, 2, shape=(9, 9))
    twin = image_of(3, 3, content_hash=one.content_hash)
    truth = Truth(verdicts={(1, 2): "same", (1, 3): "different"})
    assert walk_down([one, other, twin], truth)[0][1:] == [Decision(2, Reason.VERDICT, 1), Decision(3, Reason.NEW)]
    pinned = replace(other, pinned=True)
    assert walk_down([one, pinned], truth)[0] == [Decision(2, Reason.PINNED), Decision(1, Reason.VERDICT, 2)]


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=50, deadline=None)
@given(camera=cameras())
def test_unchanged_camera_meets_nothing(size: int, camera: tuple[list[Image], Truth]) -> None:
    """Deciding again with nothing new asks for no pair and decides the same."""
    decided, _ = walk_down(*camera)
    assert walk_down(*camera, before=by_id(decided), size=size) == (decided, [])


def test_new_image_is_met_by_those_below_it() -> None:
    """A new image at the end meets the keepers; one at the top is met by each image below it and nothing else is."""
    images = [image_of(number, number) for number in (1, 2, 3)]
    before = by_id(walk_down(images, Truth())[0])
    last, first = image_of(4, 4), image_of(5, 5, width=900)
    assert walk_down([*images, last], Truth(), before=before)[1] == [(3, 4), (2, 4), (1, 4)]
    assert walk_down([*images, first], Truth(), before=before)[1] == [(1, 5), (2, 5), (3, 5)]


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=50, deadline=None)
@given(camera=cameras(), known=st.integers(0, MOST))
def test_proved_pairs_count_and_are_not_met(size: int, camera: tuple[list[Image], Truth], known: int) -> None:
    """Old keepers that are proved to differ from a new one above them stay as they are; all is decided, and as many
    pairs count, as if they were compared."""
    images, truth = camera
    before, proved = by_id(walk_down(images[:known], truth)[0]), list[int]()
    decided, pairs = walk_down(images, truth, before=before, size=size, proved=proved)
    compared, met = walk_down(images, truth, before=before, size=size)
    assert (decided, len(pairs) + proved[0]) == (compared, len(met))


def test_a_proved_keeper_is_not_looked_at() -> None:
    """Of three keepers below a new one those that are proved to differ are not compared with it."""
    images = [image_of(number, number) for number in (1, 2, 3)]
    before, proved = by_id(walk_down(images, Truth())[0]), list[int]()
    _, pairs = walk_down([*images, image_of(5, 5, width=900)], Truth(), before=before, proved=proved)
    assert (pairs, proved) == ([(2, 5)], [2])


def test_only_what_is_concerned_is_looked_at() -> None:
    """Of a thousand images one new one concerns those below it that it is nearer to, and the keepers below it."""
    images = [image_of(number, number, width=900 if number % 10 == 0 else 640) for number in range(1000)]
    truth = alike(*((number // 10 * 10, number) for number in range(1000) if number % 10))
    before = by_id(walk_down(images, truth)[0])
    assert sum(decision.keeps for decision in before.values()) == 100
    new = image_of(1000, 503.2, width=700)
    walk = Selection([*images, new], previous=before)
    assert list(walk.iter_open()) == [walk.index_of[1000]]
    looked_at = set[int]()
    for block in walk.blocks(size=1):
        for search in block:
            looked_at.add(search.image.id)
            walk.resolve(search, truth.first(search.image, told(walk, walk.candidates(search)))[0])
    assert looked_at == {1000, 497, 498, 499, *range(502, 510)}  # nearer to 503.2 than to the last multiple of ten
    assert (walk.kept_count, len(walk.new_decisions), len(walk.decisions)) == (101, 12, 1001)


def test_duplicate_meets_only_nearer_news() -> None:
    """A duplicate whose keeper still keeps meets no new keeper that is farther than its own."""
    images = [image_of(1, 0), image_of(2, 10)]
    before = by_id(walk_down(images, alike((1, 2)))[0])
    far, near = image_of(3, 30, width=900), image_of(4, 12, width=900)
    assert walk_down([*images, far, near], Truth(), before=before)[1] == [(3, 4), (1, 4), (1, 3), (2, 4)]


def test_missing_keeper_frees_its_duplicates() -> None:
    """Where a keeper is gone its duplicates are decided again, and the first of them keeps for the others."""
    images = [image_of(1, 1), image_of(2, 2), image_of(3, 3)]
    truth = alike((1, 2), (1, 3), (2, 3))
    before = by_id(walk_down(images, truth)[0])
    again = walk_down(images[1:], truth, before=before)
    assert again == ([Decision(2, Reason.NEW), Decision(3, Reason.SIMILAR, 2, 10.0)], [(2, 3)])


def test_keeper_that_moved_in_time_frees_its_duplicates() -> None:
    """A keeper with another time is no nearest witness any more: its duplicate looks for the nearest again."""
    keeper, other, image = image_of(1, 9, width=900), image_of(2, 5, width=800), image_of(3, 10)
    truth = alike((1, 3), (2, 3))
    before = by_id(walk_down([keeper, other, image], truth)[0])
    renamed = image_of(1, 0, width=900)
    del before[renamed.id]
    assert walk_down([renamed, other, image], truth, before=before)[0][-1].keeper_id == other.id


def test_keeper_that_lost_its_pin_frees_its_duplicates() -> None:
    """At equal distance the rank decides between two witnesses, so a pin taken back can change the keeper named."""
    keeper, other, image = image_of(1, None, pinned=True), image_of(2, None, width=900), image_of(3, None)
    truth = alike((1, 3), (2, 3))
    before = by_id(walk_down([keeper, other, image], truth)[0])
    assert before[3].keeper_id == keeper.id
    unpinned = replace(keeper, pinned=False)
    assert by_id(walk_down([unpinned, other, image], truth, before=before)[0])[3].keeper_id == other.id


@pytest.mark.parametrize("size", SIZES)
def test_raised_keeper_is_met_from_above(size: int) -> None:
    """An image that kept below a duplicate stands above it once pinned, and is named where it is the nearest."""
    first, second = image_of(1, 0, width=900, pinned=True), image_of(2, 99, width=800, pinned=True)
    image, raised = image_of(3, 10, width=700), image_of(4, 11, width=640)
    truth = alike((1, 3), (3, 4))
    before = by_id(walk_down([first, second, image, raised], truth)[0])
    assert before[3].keeper_id == first.id
    now = [first, second, image, replace(raised, pinned=True)]
    assert walk_down(now, truth, before=before, size=size)[0] == brute_force(now, truth)
    assert brute_force(now, truth)[-1].keeper_id == raised.id


class History(RuleBasedStateMachine):
    """A camera that changes in every way it can, and is decided again now and then.

    Whatever changes a premise of a decision takes the decision back, as `workflows.arriving`, `ingest`, `restore` and
    the verdicts do; pins and files that go missing take nothing back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.present: dict[int, Image] = {}
        self.missing: dict[int, Image] = {}
        self.truth = Truth()
        self.current: dict[int, Decision] = {}

    def pick(self, number: int) -> Image:
        return self.present[sorted(self.present)[number % len(self.present)]]

    def has_images(self) -> bool:
        return bool(self.present)

    @initialize(camera=cameras())
    def begin(self, camera: tuple[list[Image], Truth]) -> None:
        images, self.truth = camera
        self.present = {image.id: image for image in images}
        self.compare()

    @rule(data=st.data(), scores=st.lists(st.sampled_from(SCORES), min_size=MOST, max_size=MOST))
    @precondition(lambda self: len(self.present) + len(self.missing) < MOST)
    def add(self, data: st.DataObject, scores: list[float]) -> None:
        image_id = len(self.present) + len(self.missing)
        self.truth.scores.update({(other, image_id): scores[other] for other in range(image_id)})
        self.present[image_id] = data.draw(facts_of(image_id))

    @rule(number=st.integers(0, MOST - 1))
    @precondition(has_images)
    def lose(self, number: int) -> None:
        image = self.pick(number)
        self.missing[image.id] = self.present.pop(image.id)

    @rule(number=st.integers(0, MOST - 1))
    @precondition(lambda self: self.missing)
    def return_(self, number: int) -> None:
        image_id = sorted(self.missing)[number % len(self.missing)]
        self.present[image_id] = self.missing.pop(image_id)
        self.current.pop(image_id, None)

    @rule(number=st.integers(0, MOST - 1))
    @precondition(has_images)
    def pin_or_unpin(self, number: int) -> None:
        image = self.pick(number)
        self.present[image.id] = replace(image, pinned=not image.pinned)

    @rule(number=st.integers(0, MOST - 1), minute=minutes)
    @precondition(has_images)
    def rename(self, number: int, minute: float | None) -> None:
        image = self.pick(number)
        self.present[image.id] = replace(image, captured_at=image_of(0, minute).captured_at)
        self.current.pop(image.id, None)

    @rule(number=st.integers(0, MOST - 1), name=names)
    @precondition(has_images)
    def move(self, number: int, name: str) -> None:
        image = self.pick(number)
        self.present[image.id] = replace(image, path=f"/lot/{name}/{image.id}.png")
        if any(other.content_hash == image.content_hash for other in self.present.values() if other.id != image.id):
            self.current.pop(image.id, None)

    @rule(one=st.integers(0, MOST - 1), other=st.integers(0, MOST - 1), verdict=st.sampled_from(["same", "different"]))
    @precondition(has_images)
    def judge(self, one: int, other: int, verdict: Literal["same", "different"]) -> None:
        pair = pair_of(self.pick(one).id, self.pick(other).id)
        if pair[0] == pair[1]:
            return
        if self.truth.verdicts.pop(pair, None) != verdict:
            self.truth.verdicts[pair] = verdict
        for image_id in images_to_redecide(pair, {one: self.current[one] for one in pair if one in self.current}):
            del self.current[image_id]

    @rule()
    def compare(self) -> None:
        images = list(self.present.values())
        decided, pairs = walk_down(images, self.truth, before=self.current)
        assert decided == brute_force(images, self.truth)
        decided_at_once, pairs_at_once = walk_down(images, self.truth, before=self.current, size=5)
        assert (decided_at_once, sorted(pairs_at_once)) == (decided, sorted(pairs))
        for most in (0, 1):
            looked_at = walk_down(images, self.truth, before=self.current, max_opening_keepers=most)
            assert looked_at == (decided, pairs)
        assert [pair for pair in pairs if self.is_known(*pair)] == []
        self.current.update(by_id(decided))

    def is_known(self, *pair: int) -> bool:
        """Whether decisions that still stand say of a pair that it differs (both kept) or is similar (one names the
        other)."""
        if not all(image_id in self.current for image_id in pair):
            return False
        one, other = (self.current[image_id] for image_id in pair)
        if any(each.reason is Reason.PINNED and not self.present[each.image_id].pinned for each in (one, other)):
            return False
        named = [each for each in (one, other) if each.keeper_id in pair and not self.present[each.image_id].pinned]
        return named != [] or (one.keeps and other.keeps)

    def teardown(self) -> None:
        self.compare()


def test_incremental_equals_from_scratch() -> None:
    """Through any history, deciding what changed gives what deciding everything gives, in blocks of 1 and 5."""
    run_state_machine_as_test(History, settings=settings(max_examples=120, stateful_step_count=25, deadline=None))
