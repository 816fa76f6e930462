"""The matcher finds what brute force finds, with the prover and without it."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.pixels import matching
from indexer.pixels.matching import Match, MatchTask, Measure, evidence_of_pair, match
from indexer.pixels.shelf import Shelf

BALANCED = Measure(30, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)


@pytest.fixture(params=[0, 10**9], ids=["proving", "plain"])
def before_proving(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The matcher with the prover from the first pair on, or without it."""
    monkeypatch.setattr(matching, "PAIRS_BEFORE_PROVING", request.param)
    monkeypatch.setattr(matching._Pairs, "prover", None)
    yield
    assert (matching._Pairs.prover is None) is (request.param > 0)


def scene(kind: int, seed: int) -> NDArray[np.uint8]:
    """A frame of one of a few scenes: nothing, a small thing, a car, two cars; with a little noise."""
    random = np.random.default_rng(seed)
    image = random.integers(98, 103, (72, 128), dtype=np.uint8)
    for number in range(kind):
        image[20 : 20 + 8 * kind, 10 + 40 * number : 10 + 40 * number + 12] += 90
    return image


def brute_force(frames: list[NDArray[np.uint8]], measure: Measure) -> Match:
    """The first similar of the frames behind the first, each pair scored in full."""
    met = []
    for key, frame in enumerate(frames[1:]):
        evidence = evidence_of_pair(frames[0], frame, measure=measure)
        met.append((key, evidence if evidence.score <= measure.record_limit else None))
        if evidence.score < measure.max_score:
            return Match(key, tuple(met))
    return Match(None, tuple(met))


@pytest.mark.usefixtures("before_proving")
@settings(deadline=None, max_examples=60)
@given(
    kinds=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    max_score=st.sampled_from([0.0, 1000.0, 5000.0]),
    factor=st.sampled_from([1, 4]),
)
def test_match_is_brute_force(kinds: list[int], max_score: float, factor: int) -> None:
    """The match, its evidence and its order are those of scoring one pair after the other."""
    measure = Measure(30, 2, 1000.0, native=False, max_score=max_score, record_limit=factor * max_score)
    frames = [scene(kind, seed) for seed, kind in enumerate(kinds)]
    with Shelf() as shelf:
        image, *candidates = [shelf.put(frame) for frame in frames]
        found = match(MatchTask(image, tuple(enumerate(candidates)), measure))
    assert found == brute_force(frames, measure)


def test_evidence_does_not_depend_on_the_order() -> None:
    """A pair has the same evidence either way round."""
    image, other = scene(1, 1), scene(3, 2)
    assert evidence_of_pair(image, other, measure=BALANCED) == evidence_of_pair(other, image, measure=BALANCED)


def test_native_shapes_may_differ() -> None:
    """In the profile original the larger image is shrunk to the smaller; elsewhere other shapes are refused."""
    image, other = scene(0, 1), np.full((144, 256), 100, dtype=np.uint8)
    native = Measure(45, 2, 1000.0, native=True, max_score=1000.0, record_limit=4000.0)
    assert evidence_of_pair(image, other, measure=native).score == 0
    with pytest.raises(ValueError, match="shapes differ"):
        evidence_of_pair(image, other, measure=BALANCED)


@pytest.mark.parametrize("problem", [ImportError("no numba"), RuntimeError("cannot cache function")])
def test_without_numba_nothing_changes(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    """Where the kernel cannot be loaded the pairs are scored one by one, and nobody tries again."""
    tries: list[int] = []

    def refusing() -> None:
        tries.append(1)
        raise problem

    monkeypatch.setattr(matching, "PAIRS_BEFORE_PROVING", 0)
    monkeypatch.setattr(matching, "Prover", refusing)
    monkeypatch.setattr(matching._Pairs, "prover", None)
    monkeypatch.setattr(matching._Pairs, "can_prove", True)
    frames = [scene(kind, seed) for seed, kind in enumerate([2, 0, 2])]
    with Shelf() as shelf:
        image, *candidates = [shelf.put(frame) for frame in frames]
        task = MatchTask(image, tuple(enumerate(candidates)), BALANCED)
        assert [match(task), match(task)] == [brute_force(frames, BALANCED)] * 2
    assert tries == [1]
