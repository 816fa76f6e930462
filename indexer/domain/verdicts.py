"""What a person says of a pair of images: it outranks the score, the shape and equal bytes.

It promises to find every verdict that other verdicts contradict, with the shortest chain that does, and to name the
decisions that rest on a pair. It does not know where verdicts are kept, and resolves nothing: two verdicts that
contradict each other both hold until a person takes one back.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from indexer.domain.selection import Decision

Word = Literal["same", "different"]
WORDS: tuple[Word, ...] = get_args(Word)

Pair = tuple[int, int]
"""The ids of two images, the smaller first."""


@dataclass(frozen=True)
class Judgement:
    """What a person said of a pair."""

    verdict: Word
    judged_by: str


@dataclass(frozen=True)
class Contradiction:
    """A pair judged `different` and a chain of images, from one of the pair to the other, each judged the `same` as the
    next."""

    different: Pair
    chain: tuple[int, ...]


def contradictions(judgements: Mapping[Pair, Judgement]) -> tuple[Contradiction, ...]:
    """Every verdict `different` that verdicts `same` contradict, in the order of pairs, each with a shortest chain."""
    alike: dict[int, list[int]] = defaultdict(list)
    for (image_a_id, image_b_id), judgement in sorted(judgements.items()):
        if judgement.verdict == "same":
            alike[image_a_id].append(image_b_id)
            alike[image_b_id].append(image_a_id)
    different = sorted(pair for pair, judgement in judgements.items() if judgement.verdict == "different")
    group = _groups(alike) if different else {}
    return tuple(
        Contradiction(pair, _chain(alike, *pair))
        for pair in different
        if pair[0] in group and group[pair[0]] == group.get(pair[1])
    )


def resting_on(pair: Pair, decisions: Mapping[int, Decision]) -> list[int]:
    """The images whose decisions must be taken back when what is known of a pair changes, given those that hold of the
    two.

    Only a pair with a keeper was ever asked about (`domain.selection`): of two duplicates, or where one is not decided,
    no decision rests on the pair. Else one of the two is enough, as it meets the other again: the
    duplicate, as nothing rests on it; of two keepers the one that came into the index later, which mostly ranks lower.
    Enforced by tests/domain/test_selection.py::test_incremental_equals_from_scratch.
    """
    held = [decisions[image_id] for image_id in pair if image_id in decisions]
    if len(held) < len(pair) or not any(decision.keeps for decision in held):
        return []
    return [decision.image_id for decision in held if not decision.keeps] or [pair[1]]


def agrees(verdict: Word, decisions: Sequence[Decision]) -> bool:
    """Whether what is decided of the two images of a pair is as a verdict says: of the same not both are kept, of
    different ones neither stands for the other."""
    if verdict == "same":
        return not all(decision.keeps for decision in decisions)
    images = {decision.image_id for decision in decisions}
    return not any(decision.keeper_id in images for decision in decisions)


def is_text(value: str) -> bool:
    """Whether a name or a note can be kept by any database: no NUL, no byte that is not UTF-8."""
    return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _groups(alike: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """For each image a number that it shares with all that a chain leads to."""
    group: dict[int, int] = {}
    for first in alike:
        waiting = [] if first in group else [first]
        while waiting:
            image_id = waiting.pop()
            if image_id not in group:
                group[image_id] = first
                waiting += alike[image_id]
    return group


def _chain(alike: Mapping[int, Sequence[int]], begin: int, end: int) -> tuple[int, ...]:
    """A shortest chain between two images of one group."""
    came_from = {end: end}
    waiting = deque([end])
    while begin not in came_from:
        image_id = waiting.popleft()
        for other_id in alike[image_id]:
            if other_id not in came_from:
                came_from[other_id] = image_id
                waiting.append(other_id)
    chain = [begin]
    while chain[-1] != end:
        chain.append(came_from[chain[-1]])
    return tuple(chain)
