"""The matcher finds what brute force finds, compiled and one by one."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.evidence import ScoringParameters
from indexer.domain.feature_layout import CHANNELS, GRID
from indexer.imaging import matching
from indexer.imaging.feature_search import load_distances
from indexer.imaging.features import packed, quantized
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.imaging.matching import Match, MatchTask, area_limits, evidence_of_pair, load_kernel, match
from indexer.imaging.scoring import area_unit

BALANCED = ScoringParameters(30, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)


@pytest.fixture(params=[0, 10**9], ids=["compiled", "plain"])
def before_compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The matcher with the kernel from the first pair on, or without it."""
    monkeypatch.setattr(matching, "PAIRS_BEFORE_COMPILED", request.param)
    load_kernel.cache_clear()
    yield
    assert load_kernel.cache_info().currsize == (request.param == 0)


def scene(kind: int, seed: int) -> NDArray[np.uint8]:
    """A frame of one of a few scenes: nothing, a small thing, a car, two cars; with a little noise."""
    random = np.random.default_rng(seed)
    image = random.integers(98, 103, (72, 128), dtype=np.uint8)
    for number in range(kind):
        image[20 : 20 + 8 * kind, 10 + 40 * number : 10 + 40 * number + 12] += 90
    return image


def brute_force(frames: list[NDArray[np.uint8]], measure: ScoringParameters) -> Match:
    """The first similar of the frames behind the first, each pair scored in full."""
    found = [evidence_of_pair(frames[0], frame, scoring=measure) for frame in frames[1:]]
    similar = [evidence.score < measure.max_score for evidence in found]
    met = similar.index(True) + 1 if any(similar) else len(found)
    within = [(place, one) for place, one in enumerate(found[:met]) if one.score <= measure.record_limit]
    return Match(met, any(similar), tuple(within))


PARTS = st.sampled_from([1, 2, 7, matching.PAIRS_PER_PART])


def searched(frames: list[NDArray[np.uint8]], measure: ScoringParameters, part: int = matching.PAIRS_PER_PART) -> Match:
    """What the matcher finds for the first frame among the others, searched in parts."""
    with (
        pytest.MonkeyPatch.context() as patch,
        ImageBuffer(required_bytes([frame.shape for frame in frames]), shared=False) as buffer,
    ):
        patch.setattr(matching, "PAIRS_PER_PART", part)
        image, *others = [buffer.put(frame) for frame in frames]
        return match(MatchTask(image, np.array([slot.offset for slot in others], dtype=np.int64), measure))


@pytest.mark.usefixtures("before_compiled")
@settings(deadline=None, max_examples=60)
@given(
    kinds=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    max_score=st.sampled_from([0.0, 1000.0, 5000.0]),
    factor=st.sampled_from([1, 4]),
    part=PARTS,
)
def test_match_is_brute_force(kinds: list[int], max_score: float, factor: int, part: int) -> None:
    """The match, its evidence and its order are those of scoring one pair after the other."""
    measure = ScoringParameters(30, 2, 1000.0, native=False, max_score=max_score, record_limit=factor * max_score)
    frames = [scene(kind, seed) for seed, kind in enumerate(kinds)]
    assert searched(frames, measure, part) == brute_force(frames, measure)


@pytest.mark.usefixtures("before_compiled")
def test_a_long_search_looks_at_the_memory_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many candidates a search has, pages are released after each part of it and not at its end alone."""
    looks = list[None]()
    monkeypatch.setattr(matching, "release_pages", lambda: looks.append(None))
    monkeypatch.setattr(matching, "pair_count", 0)
    assert searched([scene(1, 0), *(scene(3, seed) for seed in range(40))], BALANCED, 4).compared == 40
    assert len(looks) == 10


LEARNED = replace(BALANCED, max_distance=0.35, veto_distance=0.6)


def with_features(image: NDArray[np.uint8], turned: float, cell: int) -> NDArray[np.uint8]:
    """The frame with features: those of a plain scene, and in one cell a vector that is turned by an angle."""
    vectors = np.zeros((GRID, GRID, CHANNELS), dtype=np.float32)
    vectors[:, :, 0] = 1
    vectors[cell // GRID, cell % GRID, :2] = np.cos(turned), np.sin(turned)
    return np.vstack([image, packed(quantized(vectors), width=image.shape[1])])


@pytest.mark.usefixtures("before_compiled")
@settings(deadline=None, max_examples=40)
@given(
    scenes=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.4, 0.9, 1.0, 1.5]), st.sampled_from([0, 400, 783])),
        min_size=1,
        max_size=12,
    ),
    max_score=st.sampled_from([0.0, 1000.0, 5000.0, 400_000.0]),
    factor=st.sampled_from([1, 4, 100]),
    distances=st.sampled_from([(0.35, 0.6), (0.0, 0.6), (0.5, 0.5), (0.7, 0.6), (0.35, 2.0)]),
    part=PARTS,
)
@example(scenes=[(0, 0.0, 0), (0, 0.9, 0), (0, 0.0, 0)], max_score=1000.0, factor=4, distances=(0.35, 0.6), part=7)
def test_match_by_features_is_brute_force(
    scenes: list[tuple[int, float, int]], max_score: float, factor: int, distances: tuple[float, float], part: int
) -> None:
    """With features the match, its evidence and its order are those of scoring one pair after the other, too."""
    measure = replace(
        BALANCED,
        max_score=max_score,
        record_limit=factor * max_score,
        max_distance=distances[0],
        veto_distance=distances[1],
    )
    frames = [with_features(scene(kind, seed), *cell) for seed, (kind, *cell) in enumerate(scenes)]
    assert searched(frames, measure, part) == brute_force(frames, measure)


def test_distance_decides_before_the_area() -> None:
    """What the features call alike scores 0, what they call different scores the whole frame, whatever changed."""
    image = with_features(scene(0, 1), 0.0, 0)
    alike, between, different = (with_features(scene(3, 2), angle, 400) for angle in (0.4, 1.0, 1.5))
    found = [evidence_of_pair(image, other, scoring=LEARNED) for other in (alike, between, different)]
    area = evidence_of_pair(scene(0, 1), scene(3, 2), scoring=BALANCED).score
    assert [(one.score, one.changed_area) for one in found] == [(0.0, area), (area, area), (307_200.0, area)]
    assert [one.distance for one in found] == pytest.approx(
        [1 - math.cos(angle) for angle in (0.4, 1.0, 1.5)], abs=0.01
    )
    assert evidence_of_pair(image, image, scoring=LEARNED).distance == 0.0


def test_evidence_does_not_depend_on_the_order() -> None:
    """A pair has the same evidence either way round."""
    image, other = scene(1, 1), scene(3, 2)
    assert evidence_of_pair(image, other, scoring=BALANCED) == evidence_of_pair(other, image, scoring=BALANCED)
    image, other = with_features(image, 0.2, 5), with_features(other, 1.0, 7)
    assert evidence_of_pair(image, other, scoring=LEARNED) == evidence_of_pair(other, image, scoring=LEARNED)


def test_native_shapes_may_differ() -> None:
    """In the profile original the larger image is shrunk to the smaller; elsewhere other shapes are refused."""
    image, other = scene(0, 1), np.full((144, 256), 100, dtype=np.uint8)
    native = ScoringParameters(45, 2, 1000.0, native=True, max_score=1000.0, record_limit=4000.0)
    assert evidence_of_pair(image, other, scoring=native).score == 0
    with pytest.raises(ValueError, match="shapes differ"):
        evidence_of_pair(image, other, scoring=BALANCED)


def test_native_candidates_are_slots() -> None:
    """Whole pictures of any size are searched one by one."""
    frames = [scene(2, 1), scene(0, 2), np.full((144, 256), 100, dtype=np.uint8), scene(2, 3)]
    native = ScoringParameters(45, 2, 100.0, native=True, max_score=100.0, record_limit=4000.0)
    with ImageBuffer(required_bytes([frame.shape for frame in frames]), shared=False) as buffer:
        image, *others = [buffer.put(frame) for frame in frames]
        found = match(MatchTask(image, tuple(others), native))
    assert (found.compared, found.matched) == (3, True)


@pytest.mark.parametrize("limit", [0.0, 0.3, 1000.0, 4000.0, 123456.789, 1e19, 1e300])
@pytest.mark.parametrize("shape", [(180, 320), (241, 99), (1, 1)])
def test_limits_are_those_of_the_floating_point_comparison(shape: tuple[int, int], limit: float) -> None:
    """In doubled pixels the limits say of every area what comparing the scores says."""
    unit = area_unit(*shape)
    measure = ScoringParameters(30, 2, limit, native=False, max_score=limit, record_limit=limit)
    least, similar, recorded = area_limits(measure, *shape)
    most = 2 * shape[0] * shape[1]
    near = range(max(0, min(most, int(2 * limit / unit)) - 50), min(most, int(2 * limit / unit) + 50) + 1)
    assert [area >= least for area in near] == [area / 2 * unit >= limit for area in near]
    assert [area <= similar for area in near] == [area / 2 * unit < limit for area in near]
    assert [area <= recorded for area in near] == [area / 2 * unit <= limit for area in near]


def test_without_numba_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel cannot be loaded the pairs are scored one by one, and nobody tries again."""
    tries: list[int] = []
    monkeypatch.setattr(matching, "PAIRS_BEFORE_COMPILED", 0)
    monkeypatch.setattr(matching, "load_search", lambda: tries.append(1))
    load_kernel.cache_clear()
    frames = [scene(kind, seed) for seed, kind in enumerate([2, 0, 2])]
    assert [searched(frames, BALANCED), searched(frames, BALANCED)] == [brute_force(frames, BALANCED)] * 2
    assert tries == [1]
    load_kernel.cache_clear()  # for the tests that follow


@pytest.mark.parametrize(
    ("stored", "loaded_after"), [(True, [False, False, True]), (False, [False, False, False])], ids=["stored", "not"]
)
def test_few_pairs_compile_nothing(stored: bool, loaded_after: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored machine code is loaded as soon as that saves time; to compile it, many more pairs are needed."""
    monkeypatch.setattr(matching, "pair_count", 0)
    monkeypatch.setattr(matching, "PAIRS_BEFORE_COMPILED", 2)
    monkeypatch.setattr(matching, "is_kernel_stored", lambda: stored)
    load_kernel.cache_clear()
    frames = [scene(kind, seed) for seed, kind in enumerate([2, 0])]
    loaded = []
    for _ in loaded_after:
        assert searched(frames, BALANCED) == brute_force(frames, BALANCED)
        loaded.append(load_kernel.cache_info().currsize == 1)
    assert loaded == loaded_after


def test_distances_are_loaded_with_the_search() -> None:
    """Where the kernel is loaded, before a camera, that of the features is: no worker loads it in the middle of one."""
    load_distances.cache_clear()
    load_kernel.cache_clear()
    load_kernel()
    assert load_distances.cache_info().misses == 1
    load_distances()
    assert load_distances.cache_info().misses == 1
