"""The verdicts of persons on pairs of images: a verdict outranks the score, the shape and equal bytes.

It promises to find every verdict that other verdicts contradict, with the shortest chain that does, and to name the
decisions that depend on a pair. It does not know where verdicts are stored. It resolves nothing: two verdicts that
contradict each other both hold until a person withdraws one.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from indexer.domain.decisions import Decision

VerdictValue = Literal["same", "different"]
VERDICT_VALUES: tuple[VerdictValue, ...] = get_args(VerdictValue)

Pair = tuple[int, int]
"""The ids of two images, the smaller first."""


@dataclass(frozen=True)
class Judgement:
    """A person's verdict on a pair."""

    verdict: VerdictValue
    judged_by: str


@dataclass(frozen=True)
class Contradiction:
    """A pair that was judged `different`, although a chain of verdicts `same` connects its two images.

    `chain` has the ids from the smaller to the larger id of the pair; each image was judged `same` as the next.
    """

    different: Pair
    chain: tuple[int, ...]


def contradictions(judgements: Mapping[Pair, Judgement]) -> tuple[Contradiction, ...]:
    """Every verdict `different` that verdicts `same` contradict, sorted by pair, each with a shortest chain."""
    alike: dict[int, list[int]] = defaultdict(list)
    for (image_a_id, image_b_id), judgement in sorted(judgements.items()):
        if judgement.verdict == "same":
            alike[image_a_id].append(image_b_id)
            alike[image_b_id].append(image_a_id)
    different = sorted(pair for pair, judgement in judgements.items() if judgement.verdict == "different")
    group = _groups(alike) if different else {}
    return tuple(
        Contradiction(pair, _shortest_chain(alike, *pair))
        for pair in different
        if pair[0] in group and group[pair[0]] == group.get(pair[1])
    )


def images_to_redecide(pair: Pair, decisions: Mapping[int, Decision]) -> list[int]:
    """The ids of the images whose decisions must be superseded when the verdict on a pair changes: none or one.

    `decisions` has the current decisions of the two images. Only pairs with a keeper are ever compared
    (`indexer.domain.selection`). So if both images are duplicates, or one is undecided, no decision depends on the
    pair. Otherwise one of the two is enough, because it is compared with the other again. If one is a duplicate, it is
    that one: no other decision depends on it. Of two keepers it is the one with the larger id: it came into the index
    later and mostly ranks lower. Enforced by
    tests/domain/test_selection.py::test_incremental_equals_from_scratch.
    """
    pair_decisions = [decisions[image_id] for image_id in pair if image_id in decisions]
    if len(pair_decisions) < len(pair) or not any(decision.keeps for decision in pair_decisions):
        return []
    return [decision.image_id for decision in pair_decisions if not decision.keeps] or [pair[1]]


def agrees(verdict: VerdictValue, decisions: Sequence[Decision]) -> bool:
    """Whether the decisions on the two images of a pair agree with a verdict.

    `same`: not both are kept. `different`: neither is the keeper of the other.
    """
    if verdict == "same":
        return not all(decision.keeps for decision in decisions)
    images = {decision.image_id for decision in decisions}
    return not any(decision.keeper_id in images for decision in decisions)


def is_storable_text(value: str) -> bool:
    """Whether every database can store a name or a note: no NUL, no byte that is not UTF-8."""
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _groups(alike: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """A group number for each image: images that a chain connects have the same number."""
    group: dict[int, int] = {}
    for first in alike:
        stack = [] if first in group else [first]
        while stack:
            image_id = stack.pop()
            if image_id not in group:
                group[image_id] = first
                stack += alike[image_id]
    return group


def _shortest_chain(alike: Mapping[int, Sequence[int]], begin: int, end: int) -> tuple[int, ...]:
    """A shortest chain between two images of one group."""
    came_from = {end: end}
    queue = deque([end])
    while begin not in came_from:
        image_id = queue.popleft()
        for other_id in alike[image_id]:
            if other_id not in came_from:
                came_from[other_id] = image_id
                queue.append(other_id)
    chain = [begin]
    while chain[-1] != end:
        chain.append(came_from[chain[-1]])
    return tuple(chain)
