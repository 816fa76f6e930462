"""Verdicts on pairs: contradictions are found, with the chain that proves each, and agreement is reported."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.selection import Decision, Reason
from indexer.domain.verdicts import (
    VERDICT_VALUES,
    Contradiction,
    Judgement,
    Pair,
    agrees,
    contradictions,
    images_to_redecide,
)

images = st.integers(1, 7)
pairs = st.tuples(images, images).filter(lambda pair: pair[0] < pair[1])
judgements = st.dictionaries(
    pairs, st.sampled_from(VERDICT_VALUES).map(lambda word: Judgement(word, "Ada")), max_size=12
)


def judged(**verdicts: str) -> dict[Pair, Judgement]:
    """Judgements by pair, written as `ab="same"`; images are numbered from a."""
    return {
        (ord(pair[0]) - 96, ord(pair[1]) - 96): Judgement(word, "Ada")  # type: ignore[arg-type]
        for pair, word in verdicts.items()
    }


def shortest(judgements: dict[Pair, Judgement], pair: Pair) -> int | None:
    """The number of images of a shortest chain between two, found by trying every order of every set of images."""
    same = {frozenset(pair) for pair, judgement in judgements.items() if judgement.verdict == "same"}
    others = {image for each in judgements for image in each} - set(pair)
    for between in range(len(others) + 1):
        for middle in itertools.permutations(others, between):
            chain = (pair[0], *middle, pair[1])
            if all(frozenset(link) in same for link in itertools.pairwise(chain)):
                return len(chain)
    return None


@given(judgements=judgements)
def test_contradictions_are_those_of_a_brute_force(judgements: dict[Pair, Judgement]) -> None:
    """Exactly the pairs judged different that a chain of pairs judged same joins are found, with a shortest chain."""
    found = contradictions(judgements)
    different = sorted(pair for pair, judgement in judgements.items() if judgement.verdict == "different")
    expected = [(pair, length) for pair in different if (length := shortest(judgements, pair)) is not None]
    assert [(one.different, len(one.chain)) for one in found] == expected
    for one in found:
        assert (one.chain[0], one.chain[-1]) == one.different
        links = (judgements[min(link), max(link)] for link in itertools.pairwise(one.chain))
        assert {link.verdict for link in links} == {"same"}


def test_a_chain_of_three() -> None:
    """A same B, B same C, A different C: the pair, and the way through B."""
    found = contradictions(judged(ab="same", bc="same", ac="different", ad="different", ef="same"))
    assert found == (Contradiction((1, 3), (1, 2, 3)),)


def test_a_long_chain() -> None:
    """A chain of ten thousand images is followed to its end."""
    chain = {(image, image + 1): Judgement("same", "Ada") for image in range(1, 10_000)}
    [found] = contradictions(chain | {(1, 10_000): Judgement("different", "Bob")})
    assert found == Contradiction((1, 10_000), tuple(range(1, 10_001)))


@pytest.mark.parametrize("verdicts", [{}, {"ab": "same", "bc": "same"}, {"ab": "different", "bc": "different"}])
def test_one_word_alone_contradicts_nothing(verdicts: dict[str, str]) -> None:
    """Without a verdict of either kind there is no contradiction."""
    assert contradictions(judged(**verdicts)) == ()


KEPT = [Decision(1, Reason.NEW), Decision(2, Reason.PINNED)]
NAMED = [Decision(1, Reason.NEW), Decision(2, Reason.SIMILAR, 1, 3.0)]
OF_A_THIRD = [Decision(1, Reason.SIMILAR, 3, 3.0), Decision(2, Reason.VERDICT, 3)]
ONE_OF_A_THIRD = [Decision(1, Reason.SIMILAR, 3, 3.0), Decision(2, Reason.NEW)]


@pytest.mark.parametrize(
    ("decisions", "same", "different"),
    [(KEPT, False, True), (NAMED, True, False), (OF_A_THIRD, True, True), (ONE_OF_A_THIRD, True, True)],
    ids=["both kept", "one for the other", "a third for both", "a third for one"],
)
def test_agreement(decisions: list[Decision], same: bool, different: bool) -> None:
    """Same agrees unless both are kept; different agrees unless one stands for the other."""
    assert (agrees("same", decisions), agrees("different", decisions)) == (same, different)


@pytest.mark.parametrize(
    ("decisions", "falls"),
    [(KEPT, [2]), (NAMED, [2]), (OF_A_THIRD, []), (ONE_OF_A_THIRD, [1]), (KEPT[:1], []), ([], [])],
    ids=["both kept", "one for the other", "a third for both", "a third for one", "one undecided", "both undecided"],
)
def test_what_rests_on_a_pair(decisions: list[Decision], falls: list[int]) -> None:
    """A duplicate rests on its pair with a keeper, of two keepers the later; without a keeper nothing rests on it."""
    assert images_to_redecide((1, 2), {decision.image_id: decision for decision in decisions}) == falls
