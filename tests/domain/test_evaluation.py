"""The scorer: what it counts, by hand and against the definitions written out once more."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.evaluation import (
    PairMetrics,
    StateMetrics,
    pair_metrics,
    state_metrics,
    sum_pair_metrics,
    sum_state_metrics,
)

STATES = {1: "empty", 2: "empty", 3: "visit 1", 4: "visit 1", 5: "visit 2", 6: "empty"}

ids = st.integers(1, 8)
keepers = st.dictionaries(ids, st.none() | ids)
states = st.dictionaries(ids, st.sampled_from(["empty", "red", "blue"]))
pairs = st.lists(st.tuples(ids, ids, st.sampled_from(["same", "different"])), max_size=8)


def test_good_decisions() -> None:
    """One image kept of each state, and every duplicate stands with its own: nothing to blame."""
    found = state_metrics(STATES, {1: None, 2: 1, 3: None, 4: 3, 5: None, 6: 1})
    assert found == StateMetrics(6, 0, 3, 3, 3, 0, 0.0, 3, (), 0)


def test_wrong_removals_and_lost_states() -> None:
    """A duplicate of another state is wrong, and a state of which nothing is kept is lost, and named."""
    found = state_metrics(STATES, {1: None, 2: None, 3: 1, 4: 1, 5: 2, 6: 1})
    assert found == StateMetrics(6, 0, 2, 4, 4, 3, 0.75, 3, ("visit 1", "visit 2"), 1)


def test_keeper_without_a_label() -> None:
    """What stands with an image that nobody labelled is not wrong; a state that only such an image shows is lost."""
    found = state_metrics({1: "empty", 2: "red"}, {1: None, 2: 9, 9: None})
    assert found == StateMetrics(2, 0, 1, 1, 0, 0, None, 2, ("red",), 0)


def test_images_without_a_decision() -> None:
    """They are counted, and nothing else is said of them or of what they show; a keeper may be one of them."""
    found = state_metrics({1: "empty", 2: "red", 3: "blue"}, {1: 2})
    assert found == StateMetrics(1, 2, 0, 1, 1, 1, 1.0, 1, ("empty",), 0)


def test_judged_pairs() -> None:
    """Named as duplicate of the other though different is wrong, both kept though the same is redundant."""
    kept = {1: None, 2: None, 3: 1, 4: 1}
    said = [(1, 2, "same"), (3, 1, "different"), (1, 4, "same"), (3, 4, "different"), (1, 9, "same")]
    assert pair_metrics(said, kept) == PairMetrics(4, 1, 2, 2, 1, 1)  # type: ignore[arg-type]


def test_no_labels() -> None:
    """Without labels there is nothing to count."""
    assert state_metrics({}, {1: None}) == StateMetrics(0, 0, 0, 0, 0, 0, None, 0, (), 0)
    assert pair_metrics([], {1: None}) == PairMetrics(0, 0, 0, 0, 0, 0)


@given(states=states, keepers=keepers)
def test_states_by_definition(states: dict[int, str], keepers: dict[int, int | None]) -> None:
    """Every figure is what its definition says, image by image."""
    found = state_metrics(states, keepers)
    decided = [image for image in states if image in keepers]
    kept = [image for image in decided if keepers[image] is None]
    wrong = [image for image in decided if keepers[image] in states and states[image] != states[keepers[image]]]
    lost = [state for state in sorted({states[one] for one in decided}) if state not in {states[one] for one in kept}]
    assert (found.images, found.undecided) == (len(decided), len(states) - len(decided))
    assert (found.kept, found.duplicates) == (len(kept), len(decided) - len(kept))
    assert (found.wrong_removals, list(found.states_lost)) == (len(wrong), lost)
    assert found.redundant_keeps == len(kept) - (found.states - len(lost))
    assert found.wrong_removals <= found.witnessed <= found.duplicates


@given(states=states, keepers=keepers)
def test_pairs_agree_with_states(states: dict[int, str], keepers: dict[int, int | None]) -> None:
    """Where every pair is judged by the states, as many removals are wrong, and none is redundant unless by states."""
    listed = sorted(states)
    judged = [(a, b, "same" if states[a] == states[b] else "different") for a in listed for b in listed if a < b]
    decided = {image: keeper for image, keeper in keepers.items() if keeper is None or keepers.get(keeper, 0) is None}
    by_pairs, by_states = pair_metrics(judged, decided), state_metrics(states, decided)  # type: ignore[arg-type]
    assert by_pairs.wrong_removals == by_states.wrong_removals
    assert (by_pairs.redundant_keeps > 0) == (by_states.redundant_keeps > 0)


@given(parts=st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), st.tuples(states, keepers), min_size=1))
def test_sum_of_states(parts: dict[str, tuple[dict[int, str], dict[int, int | None]]]) -> None:
    """Over several cameras every number adds up, shares are made again, and lost states bear their camera."""
    single = {camera: state_metrics(*part) for camera, part in parts.items()}
    total = sum_state_metrics(single)
    numbers = {name for name, value in asdict(total).items() if isinstance(value, int)}
    assert len(numbers) == 8
    assert all(getattr(total, name) == sum(getattr(one, name) for one in single.values()) for name in numbers)
    assert len(total.states_lost) == sum(len(one.states_lost) for one in single.values())
    assert all(": " in state for state in total.states_lost)
    assert (total.wrong_share is None) == (total.witnessed == 0)


@given(parts=st.dictionaries(st.sampled_from(["c1", "c2"]), st.tuples(pairs, keepers)))
def test_sum_of_pairs(parts: dict[str, tuple[list[tuple[int, int, str]], dict[int, int | None]]]) -> None:
    """Over several cameras every number adds up."""
    single = {camera: pair_metrics(*part) for camera, part in parts.items()}  # type: ignore[arg-type]
    total = asdict(sum_pair_metrics(single))
    assert total == {name: sum(asdict(one)[name] for one in single.values()) for name in total}
