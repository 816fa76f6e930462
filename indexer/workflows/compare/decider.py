"""Decides the images of one camera: takes them in rank order, runs their searches, collects the evidence.

It promises the same decisions and the same evidence for any number of workers. A block of images is searched at once
among the keepers known when the block began. Then each image is resolved in rank order, after a search among the new
keepers of its own block. A search by blocks may score pairs that a search image by image would not reach: their
evidence is dropped. It does not know where pixels, verdicts and earlier scores come from.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import Evidence, ScoringParameters
from indexer.domain.keeper_index import IndexArray
from indexer.domain.selection import Decision, Reason, Search, Selection
from indexer.domain.similarity import is_similar
from indexer.domain.verdicts import Judgement
from indexer.imaging.matching import Match
from indexer.workflows.compare.searcher import Searcher

_BLOCK_PER_WORKER = 32
_MAX_LOOKBACK = 32  # how many images back in its block an image is compared
_NO_KEEPERS = np.empty(0, dtype=np.int64)

ScoredPair = tuple[int, int, Evidence]
"""The ids of two images, and their evidence."""


@dataclass(frozen=True)
class KnownPairs:
    """What is known of a camera's pairs before any is scored: verdicts by pair of ids, and a function that loads the
    recorded scores of an image, by the other's id."""

    judgements: Mapping[tuple[int, int], Judgement]
    load_scores: Callable[[int], Mapping[int, float]]


@dataclass
class PendingSearch:
    """A search in progress; all images by their index in rank order.

    Attributes
    ----------
    keepers : iterator of (N,) int64
        Keepers still to be compared.
    known_decisions : dict or None
        By keeper, what is known without pixels: the decision that the pair leads to, None if the two differ.
    decision : Decision or None
        The decision that the search found.
    fallback_decision : Decision or None
        The decision on the nearest keeper that is known to be similar. It holds if no nearer keeper turns out similar.
    closed : bool
        Whether no more keepers are to be compared.
    compared_keepers : list of (N,) int64
        Keepers whose pairs were scored.
    evidence : list
        Keepers and their evidence, where it is worth recording.
    """

    search: Search
    keepers: Iterator[IndexArray]
    known_decisions: dict[int, Decision | None] | None = None  # until there is a keeper to compare
    decision: Decision | None = None
    fallback_decision: Decision | None = None
    closed: bool = False
    compared_keepers: list[IndexArray] = field(default_factory=list)
    evidence: list[tuple[int, Evidence]] = field(default_factory=list)

    @property
    def scored(self) -> int:
        """How many pairs were scored."""
        return sum(map(len, self.compared_keepers))

    def discard_beyond(self, is_nearer: Callable[[IndexArray], NDArray[np.bool_]]) -> None:
        """Drops the pairs and evidence of keepers that are not nearer than a keeper found later."""
        self.compared_keepers = [indices[is_nearer(indices)] for indices in self.compared_keepers]
        self.evidence = [pair for pair in self.evidence if is_nearer(np.array([pair[0]]))[0]]


class Decider:
    """Decides the images of one camera's selection, and collects the evidence.

    `evidence` is what was collected since `take_evidence` was called; `scored` is the number of pairs that count as
    scored.
    """

    def __init__(
        self, selection: Selection, known_pairs: KnownPairs, *, searcher: Searcher, scoring: ScoringParameters
    ) -> None:
        self._selection = selection
        self._scoring = scoring
        self._load_scores = known_pairs.load_scores
        self._keeper_scores: dict[int, Mapping[int, float]] = {}
        self._searcher = searcher
        ranked = selection.ranked
        self._comparable_groups = ranked.thumbnail_shape_groups()
        flat = np.flatnonzero(ranked.flat & ~scoring.native)
        self._flat_ids = set(ranked.ids[flat].tolist())
        self._comparable_groups[flat] = -1 - np.arange(len(flat))  # a shape of its own for each
        # Whether each image may be compared with each:
        self._all_comparable = scoring.native or not len(ranked) or bool(np.ptp(self._comparable_groups) == 0)
        self._keepers_by_content: dict[str, list[int]] = defaultdict(list)  # indices of keepers, by content hash
        self._judgements: dict[int, list[tuple[int, Judgement]]] = defaultdict(list)
        for (image_a_id, image_b_id), judgement in known_pairs.judgements.items():
            self._judgements[image_a_id].append((image_b_id, judgement))
            self._judgements[image_b_id].append((image_a_id, judgement))
        self.evidence: list[ScoredPair] = []
        self.scored = 0

    @property
    def block_size(self) -> int:
        """How many images are searched at once."""
        workers = self._searcher.workers
        return 1 if workers == 1 else _BLOCK_PER_WORKER * workers

    def decide_all(self) -> Iterator[int]:
        """Decides every image of the camera; yields now and then how many more images are decided."""
        decided = 0
        for block in self._selection.blocks(size=self.block_size):
            for index in self._selection.take_standing_keepers():
                self._keepers_by_content[self._selection.ranked.content_hashes[index]].append(index)
            self.decide_block(block)
            yield block[-1].index + 1 - decided
            decided = block[-1].index + 1
        self.scored += self._selection.proved_pairs
        yield len(self._selection) - decided

    def decide_block(self, block: Sequence[Search]) -> None:
        """Decides the images of a block."""
        deferred = self._similar_within_block(block)
        pending = {search.index: self._start_search(search) for search in block if search.index not in deferred}
        self._run_searches(list(pending.values()))
        for search in block:
            if search.index in pending:
                decision = self._search_block_keepers(pending[search.index])
            else:
                deferred_search = self._start_search(search)  # by now the candidates include the keepers of its block
                self._run_searches([deferred_search])
                self._collect_evidence(deferred_search)
                decision = deferred_search.decision
            self._selection.resolve(search, decision, differs=self._differs)
            if self._selection.is_kept(search.index):
                self._keepers_by_content[search.image.content_hash].append(search.index)
            else:
                self._searcher.drop(search.index)

    def _differs(self, keeper: int, others: IndexArray) -> NDArray[np.bool_]:
        """Which of `others` are proved, without their pixels, not to be similar to a keeper: (M,), bool."""
        ranked, is_proved = self._selection.ranked, np.zeros(len(others), dtype=np.bool_)
        hashes, judged_ids = ranked.content_hashes, [other for other, _ in self._judgements.get(ranked[keeper].id, ())]
        is_comparable = self._comparable_groups[others] == self._comparable_groups[keeper]
        is_comparable &= ~np.isin(ranked.ids[others], judged_ids)
        is_comparable &= [hashes[other] != hashes[keeper] for other in others.tolist()]
        is_proved[is_comparable] = self._searcher.prove(keeper, others[is_comparable])
        return is_proved

    def _start_search(self, search: Search) -> PendingSearch:
        return PendingSearch(search, self._selection.candidates(search))

    def _search_block_keepers(self, pending: PendingSearch) -> Decision | None:
        """The decision on an image after a second search, among the keepers of its own block."""
        search = pending.search
        if pending.known_decisions is not None:
            pending.known_decisions |= self._known_identical(search)
        block_search = PendingSearch(
            search,
            self._selection.block_keepers(search, match_index=self._find_keeper_index(pending.decision)),
            pending.known_decisions,
        )
        self._run_searches([block_search])
        keeper_index = self._find_keeper_index(block_search.decision)
        if keeper_index is not None:
            pending.discard_beyond(partial(self._selection.nearer, search, than=keeper_index))
        self._collect_evidence(pending)
        self._collect_evidence(block_search)
        return pending.decision if keeper_index is None else block_search.decision

    def _similar_within_block(self, block: Sequence[Search]) -> set[int]:
        """The indices of images that are similar to an earlier image of the block.

        Most of them find their keeper in the block. So their search waits until the keepers of the block are known,
        and is then one search among these and all other keepers. No result depends on this.
        """
        if len(block) == 1 or self._scoring.native:
            return set()
        new_indices = [search.index for search in block if search.previous is None and not search.image.pinned]
        indices = np.array(new_indices, dtype=np.int64)
        similar = set[int]()
        for number, index in enumerate(new_indices):
            others = indices[max(0, number - _MAX_LOOKBACK) : number]
            others = others[self._comparable_groups[others] == self._comparable_groups[index]]
            if len(others) and self._searcher.search_local(index, others).matched:
                similar.add(index)
        return similar

    def take_evidence(self) -> list[ScoredPair]:
        """The evidence collected since the last call."""
        evidence, self.evidence = self.evidence, []
        return evidence

    def _run_searches(self, searches: Sequence[PendingSearch]) -> None:
        """Runs every search to its end: compares chunks of keepers, the nearest first, until one is similar or none is
        left."""
        active = list(searches)
        while active:
            chunks = [(pending, self._next_chunk(pending)) for pending in active]
            chunks = [(pending, chunk) for pending, chunk in chunks if len(chunk)]
            matches = self._searcher.search_many([(pending.search.index, chunk) for pending, chunk in chunks])
            for (pending, chunk), match in zip(chunks, matches, strict=True):
                self._apply_match(pending, chunk, match)
            for pending in active:
                if pending.closed and pending.decision is None:
                    pending.decision = pending.fallback_decision
            active = [pending for pending in active if not pending.closed]

    def _apply_match(self, pending: PendingSearch, chunk: IndexArray, match: Match) -> None:
        """Adds the match of a search among a chunk of keepers."""
        pending.compared_keepers.append(chunk[: match.compared])
        pending.evidence += [(int(chunk[number]), evidence) for number, evidence in match.evidence]
        if match.matched:
            keeper_index = int(chunk[match.compared - 1])
            score = next((evidence.score for other, evidence in pending.evidence[-1:] if other == keeper_index), None)
            pending.decision = Decision(
                pending.search.image.id, Reason.SIMILAR, self._selection.ranked[keeper_index].id, score
            )
            pending.closed = True

    def _next_chunk(self, pending: PendingSearch) -> IndexArray:
        """The next keepers whose pairs must be scored; closes the search if no more follow."""
        for chunk in pending.keepers:
            indices = self._without_known(pending, chunk) if len(chunk) else chunk
            if self._scoring.ignores_all_pairs:
                indices = _NO_KEEPERS
            if not self._all_comparable:
                indices = indices[self._comparable_groups[indices] == self._comparable_groups[pending.search.index]]
            if len(indices) or pending.closed:
                return indices
        pending.closed = True
        return _NO_KEEPERS

    def _without_known(self, pending: PendingSearch, indices: IndexArray) -> IndexArray:
        """The keepers of which nothing is known, up to the first that is known to be similar; that one closes the
        search."""
        if pending.known_decisions is None:
            pending.known_decisions = self._known_decisions(pending.search)
        if pending.search.previous is not None:
            self._add_recorded(pending.search.image.id, indices, pending.known_decisions)
        if not pending.known_decisions:
            return indices
        is_known = np.isin(indices, list(pending.known_decisions))
        for number in np.flatnonzero(is_known).tolist():
            pending.fallback_decision = pending.known_decisions[int(indices[number])]
            if pending.fallback_decision is not None:
                pending.closed = True
                return indices[:number][~is_known[:number]]
        return indices[~is_known]

    def _known_decisions(self, search: Search) -> dict[int, Decision | None]:
        """What is known of an image's pairs, by index: a verdict, else equal bytes, else a recorded score.

        Recorded scores are loaded here only for an image that must be compared with all keepers; for others see
        `_add_recorded`.
        """
        image, index_of = search.image, self._selection.index_of
        recorded = self._load_scores(image.id) if search.previous is None else {}
        scored = {other: self._decision_by_score(image.id, other, score) for other, score in recorded.items()}
        judged = {
            other: Decision(image.id, Reason.VERDICT, other) if judgement.verdict == "same" else None
            for other, judgement in self._judgements.get(image.id, ())
        }
        by_index = {index_of[other]: decision for other, decision in (scored | judged).items() if other in index_of}
        return by_index | self._known_identical(search)

    def _known_identical(self, search: Search) -> dict[int, Decision | None]:
        """The decisions by the keepers so far that have the image's bytes, except those with a verdict.

        This is computed again when there may be more keepers. So equal images that are not keepers are never scanned,
        even if a camera sent the same bytes for a year.
        """
        image, ranked = search.image, self._selection.ranked
        judged = {other for other, _ in self._judgements.get(image.id, ())}
        return {
            index: Decision(image.id, Reason.IDENTICAL, ranked[index].id, 0.0)
            for index in self._keepers_by_content[image.content_hash]
            if index != search.index and ranked[index].id not in judged
        }

    def _add_recorded(self, image_id: int, keepers: IndexArray, known: dict[int, Decision | None]) -> None:
        """Adds to `known` the decisions that recorded scores give between an image and the keepers that came after its
        last decision.

        Such keepers are few. The scores are loaded once per keeper, so that an unchanged image costs no query.
        """
        for index in keepers.tolist():
            keeper_id = self._selection.ranked[index].id
            if index not in self._keeper_scores:
                self._keeper_scores[index] = self._load_scores(keeper_id)
            score = self._keeper_scores[index].get(image_id)
            if score is not None:
                known.setdefault(index, self._decision_by_score(image_id, keeper_id, score))

    def _decision_by_score(self, image_id: int, keeper_id: int, score: float) -> Decision | None:
        similar = is_similar(score, max_score=self._scoring.max_score) and not self._flat_ids & {image_id, keeper_id}
        return Decision(image_id, Reason.SIMILAR, keeper_id, score) if similar else None

    def _find_keeper_index(self, decision: Decision | None) -> int | None:
        """The index of the keeper that a decision names; None without one."""
        return None if decision is None or decision.keeper_id is None else self._selection.index_of[decision.keeper_id]

    def _collect_evidence(self, pending: PendingSearch) -> None:
        """Counts the pairs that a search scored, and keeps the evidence worth recording."""
        image_id, ranked = pending.search.image.id, self._selection.ranked
        self.scored += pending.scored
        self.evidence += [(image_id, ranked[index].id, evidence) for index, evidence in pending.evidence]
