"""How well decisions agree with the labels of a person: pure counting, with the definitions below.

It knows labels and decisions. A decision is the id of the keeper, None for an image that is kept. It does not know
where labels and decisions come from.

A person labels images of one camera with a *state*. Images with equal states show the same, as far as the person cares:

- *images*: the labelled images that are decided; the others are *undecided* and count in no other figure;
- *kept* and *duplicates*: the decisions on these images;
- *wrong removals*: duplicates whose keeper is labelled with another state. Their *share* is taken of the *witnessed*
  duplicates, those whose keeper is labelled;
- *states lost*: states of which no labelled image is kept, even if an unlabelled image stands for them;
- *redundant keeps*: images kept beyond the first of each state. Of n images kept that show k states, n - k.

A person judges pairs of images *same* or *different*. A pair counts if both images are decided:

- *wrong removals*: pairs judged different of which one image is a duplicate and the other its keeper;
- *redundant keeps*: pairs judged same of which both images are kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Keepers = Mapping[int, int | None]
"""The keeper's id for each decided image; None for an image that is kept."""
LabelledPair = tuple[int, int, Literal["same", "different"]]


@dataclass(frozen=True)
class StateMetrics:
    """How well decisions agree with states; the terms are defined above.

    `wrong_share` is from 0 to 1; None if no duplicate is witnessed. `states_lost` is sorted.
    """

    images: int
    undecided: int
    kept: int
    duplicates: int
    witnessed: int
    wrong_removals: int
    wrong_share: float | None
    states: int
    states_lost: tuple[str, ...]
    redundant_keeps: int


@dataclass(frozen=True)
class PairMetrics:
    """How well decisions agree with judged pairs; the terms are defined above."""

    pairs: int
    undecided: int
    same: int
    different: int
    wrong_removals: int
    redundant_keeps: int


Metrics = StateMetrics | PairMetrics


def state_metrics(states: Mapping[int, str], keepers: Keepers) -> StateMetrics:
    """The metrics of one camera; `states` is the state of each labelled image, by image id."""
    decided = {image_id: state for image_id, state in states.items() if image_id in keepers}
    kept = [state for image_id, state in decided.items() if keepers[image_id] is None]
    # Look the keeper up in `states`, not in `decided`: the label of an undecided keeper is valid too.
    keeper_states = {image_id: states.get(keeper) for image_id in decided if (keeper := keepers[image_id]) is not None}
    witnessed = [(decided[image_id], state) for image_id, state in keeper_states.items() if state is not None]
    return _state_metrics(
        undecided=len(states) - len(decided),
        kept=len(kept),
        duplicates=len(keeper_states),
        witnessed=len(witnessed),
        wrong_removals=sum(own != keeper_s for own, keeper_s in witnessed),
        states=len(set(decided.values())),
        states_lost=tuple(sorted(set(decided.values()) - set(kept))),
        redundant_keeps=len(kept) - len(set(kept)),
    )


def pair_metrics(pairs: Iterable[LabelledPair], keepers: Keepers) -> PairMetrics:
    """The metrics of these judged pairs."""
    listed = list(pairs)
    decided = [pair for pair in listed if pair[0] in keepers and pair[1] in keepers]
    same = [(a, b) for a, b, verdict in decided if verdict == "same"]
    different = [(a, b) for a, b, verdict in decided if verdict == "different"]
    return PairMetrics(
        pairs=len(decided),
        undecided=len(listed) - len(decided),
        same=len(same),
        different=len(different),
        wrong_removals=sum(keepers[a] == b or keepers[b] == a for a, b in different),
        redundant_keeps=sum(keepers[a] is None and keepers[b] is None for a, b in same),
    )


def sum_state_metrics(cameras: Mapping[str, StateMetrics]) -> StateMetrics:
    """The metrics of several cameras together; equal states of two cameras are two states."""
    parts = cameras.values()
    return _state_metrics(
        undecided=sum(part.undecided for part in parts),
        kept=sum(part.kept for part in parts),
        duplicates=sum(part.duplicates for part in parts),
        witnessed=sum(part.witnessed for part in parts),
        wrong_removals=sum(part.wrong_removals for part in parts),
        states=sum(part.states for part in parts),
        states_lost=tuple(f"{camera}: {state}" for camera, part in cameras.items() for state in part.states_lost),
        redundant_keeps=sum(part.redundant_keeps for part in parts),
    )


def sum_pair_metrics(cameras: Mapping[str, PairMetrics]) -> PairMetrics:
    """The metrics of several cameras together."""
    parts = cameras.values()
    return PairMetrics(
        pairs=sum(part.pairs for part in parts),
        undecided=sum(part.undecided for part in parts),
        same=sum(part.same for part in parts),
        different=sum(part.different for part in parts),
        wrong_removals=sum(part.wrong_removals for part in parts),
        redundant_keeps=sum(part.redundant_keeps for part in parts),
    )


def _state_metrics(
    *,
    undecided: int,
    kept: int,
    duplicates: int,
    witnessed: int,
    wrong_removals: int,
    states: int,
    states_lost: tuple[str, ...],
    redundant_keeps: int,
) -> StateMetrics:
    return StateMetrics(
        images=kept + duplicates,
        undecided=undecided,
        kept=kept,
        duplicates=duplicates,
        witnessed=witnessed,
        wrong_removals=wrong_removals,
        wrong_share=wrong_removals / witnessed if witnessed else None,
        states=states,
        states_lost=states_lost,
        redundant_keeps=redundant_keeps,
    )
