"""How the images of one camera are decided: walk down the ranks, ask the matcher, remember the evidence.

It promises the same decisions and the same evidence for any number of workers: a block of images is searched at once
against the keepers known when the block began, then each is settled in rank order after meeting the keepers that its
own block brought, and evidence that the one-by-one walk would not have met is dropped. It does not know where pixels,
verdicts and earlier scores come from.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.domain.keeper_index import IndexArray
from indexer.domain.selection import Decision, Reason, Search, Selection
from indexer.domain.verdicts import Judgement
from indexer.imaging.matching import Match, Measure
from indexer.imaging.scoring import Evidence
from indexer.workflows.compare.searcher import Searches

_BLOCK_PER_WORKER = 32
_LOOKED_BACK = 32  # images of a block, from one of its images
_NOBODY = np.empty(0, dtype=np.int64)

MetPair = tuple[int, int, Evidence]
"""The evidence of two images, by their ids."""


@dataclass(frozen=True)
class Knowledge:
    """What is known of a camera's pairs before any is scored: verdicts by pair, and the scores recorded earlier, by the
    other's id, of the image that is asked about."""

    judgements: Mapping[tuple[int, int], Judgement]
    recorded: Callable[[int], Mapping[int, float]]


@dataclass
class Inquiry:
    """A search under way: which keepers are still to be met, what is known of pairs without their pixels (the decision
    that one leads to, None if the two differ), and what the others showed; all by place."""

    search: Search
    keepers: Iterator[IndexArray]
    known: dict[int, Decision | None] | None = None  # until there is a keeper to be met
    found: Decision | None = None
    hit: Decision | None = None
    closed: bool = False
    met: list[IndexArray] = field(default_factory=list)
    evidence: list[tuple[int, Evidence]] = field(default_factory=list)

    @property
    def scored(self) -> int:
        """How many pairs were scored."""
        return sum(map(len, self.met))

    def keep(self, nearer: Callable[[IndexArray], NDArray[np.bool_]]) -> None:
        """Forgets what was met beyond a keeper that was found after all."""
        self.met = [places[nearer(places)] for places in self.met]
        self.evidence = [pair for pair in self.evidence if nearer(np.array([pair[0]]))[0]]


class Decider:
    """Answers the searches of one camera's walk, and collects the evidence."""

    def __init__(self, walk: Selection, knowledge: Knowledge, *, searches: Searches, measure: Measure) -> None:
        self._walk = walk
        self._measure = measure
        self._recorded = knowledge.recorded
        self._recorded_with: dict[int, Mapping[int, float]] = {}
        self._searches = searches
        shapes = {image.shape: number for number, image in enumerate(walk.ranked)}
        self._shapes = np.array([shapes[image.shape] for image in walk.ranked], dtype=np.int64)
        self._flat = set() if measure.native else {image.id for image in walk.ranked if image.flat}
        for number, image_id in enumerate(self._flat):
            self._shapes[walk.index_of[image_id]] = -1 - number  # of a shape of its own
        self._comparable = measure.native or (len(shapes) <= 1 and not self._flat)  # all with all
        self._kept_copies: dict[str, list[int]] = defaultdict(list)  # places of keepers, by content
        self._judged: dict[int, list[tuple[int, Judgement]]] = defaultdict(list)
        for (image_a_id, image_b_id), judgement in knowledge.judgements.items():
            self._judged[image_a_id].append((image_b_id, judgement))
            self._judged[image_b_id].append((image_a_id, judgement))
        self.evidence: list[MetPair] = []
        self.scored = 0

    @property
    def block_size(self) -> int:
        """How many images are searched at once."""
        workers = self._searches.workers
        return 1 if workers == 1 else _BLOCK_PER_WORKER * workers

    def walk_down(self) -> Iterator[int]:
        """Settles every image of the camera; gives, block by block, how many images were settled."""
        for block in self._walk.blocks(size=self.block_size):
            self.decide(block)
            yield len(block)

    def decide(self, block: Sequence[Search]) -> None:
        """Settles the images of a block."""
        put_off = self._like_others(block)
        at_once = {search.index: self._inquiry(search) for search in block if search.index not in put_off}
        self._pursue(list(at_once.values()))
        for search in block:
            if search.index in at_once:
                found = self._meet_the_late(at_once[search.index])
            else:
                alone = self._inquiry(search)  # by now the keepers of its block are among all others
                self._pursue([alone])
                self._note(alone)
                found = alone.found
            self._walk.resolve(search, found)
            if self._walk.is_kept(search.index):
                self._kept_copies[search.image.content_hash].append(search.index)
            else:
                self._searches.drop(search.index)

    def _inquiry(self, search: Search) -> Inquiry:
        return Inquiry(search, self._walk.candidates(search))

    def _meet_the_late(self, inquiry: Inquiry) -> Decision | None:
        """What is found for an image after it met the keepers of its own block, too."""
        search = inquiry.search
        if inquiry.known is not None:
            inquiry.known |= self._known_by_bytes(search)
        late = Inquiry(search, self._walk.block_keepers(search, match_index=self._keeper(inquiry.found)), inquiry.known)
        self._pursue([late])
        keeper = self._keeper(late.found)
        if keeper is not None:
            inquiry.keep(partial(self._walk.nearer, search, than=keeper))
        self._note(inquiry)
        self._note(late)
        return inquiry.found if keeper is None else late.found

    def _like_others(self, block: Sequence[Search]) -> set[int]:
        """The places of images that are similar to one before them in the block.

        Most find their keeper there, so their search among all other keepers is put off until that is known: no result
        depends on it.
        """
        if len(block) == 1 or self._measure.native:
            return set()
        new = [search.index for search in block if search.previous is None and not search.image.pinned]
        places = np.array(new, dtype=np.int64)
        found = set[int]()
        for number, place in enumerate(new):
            others = places[max(0, number - _LOOKED_BACK) : number]
            others = others[self._shapes[others] == self._shapes[place]]
            if len(others) and self._searches.here(place, others).found:
                found.add(place)
        return found

    def take_evidence(self) -> list[MetPair]:
        """The evidence collected since the last call."""
        evidence, self.evidence = self.evidence, []
        return evidence

    def _pursue(self, inquiries: Sequence[Inquiry]) -> None:
        """Follows every inquiry to its end: chunks of keepers, outward, until one is similar or none is left."""
        going = list(inquiries)
        while going:
            asked = [(inquiry, self._next_chunk(inquiry)) for inquiry in going]
            asked = [(inquiry, chunk) for inquiry, chunk in asked if len(chunk)]
            answers = self._searches.answers([(inquiry.search.index, chunk) for inquiry, chunk in asked])
            for (inquiry, chunk), answer in zip(asked, answers, strict=True):
                self._hear(inquiry, chunk, answer)
            for inquiry in going:
                if inquiry.closed and inquiry.found is None:
                    inquiry.found = inquiry.hit
            going = [inquiry for inquiry in going if not inquiry.closed]

    def _hear(self, inquiry: Inquiry, chunk: IndexArray, answer: Match) -> None:
        """Takes what a search among a chunk of keepers found."""
        inquiry.met.append(chunk[: answer.met])
        inquiry.evidence += [(int(chunk[number]), evidence) for number, evidence in answer.evidence]
        if answer.found:
            keeper = int(chunk[answer.met - 1])
            score = next((evidence.score for other, evidence in inquiry.evidence[-1:] if other == keeper), None)
            inquiry.found = Decision(inquiry.search.image.id, Reason.SIMILAR, self._walk.ranked[keeper].id, score)
            inquiry.closed = True

    def _next_chunk(self, inquiry: Inquiry) -> IndexArray:
        """The next keepers whose pair must be scored; closes the inquiry where no more are to come."""
        for chunk in inquiry.keepers:
            places = self._unknown(inquiry, chunk) if len(chunk) else chunk
            if self._measure.is_blind:
                places = _NOBODY
            if not self._comparable:
                places = places[self._shapes[places] == self._shapes[inquiry.search.index]]
            if len(places) or inquiry.closed:
                return places
        inquiry.closed = True
        return _NOBODY

    def _unknown(self, inquiry: Inquiry, places: IndexArray) -> IndexArray:
        """The keepers of which nothing is known; up to the first that is known to be similar, which closes the
        inquiry."""
        if inquiry.known is None:
            inquiry.known = self._known(inquiry.search)
        if inquiry.search.previous is not None:
            self._look_up(inquiry.search.image.id, places, inquiry.known)
        if not inquiry.known:
            return places
        known = np.isin(places, list(inquiry.known))
        for number in np.flatnonzero(known).tolist():
            inquiry.hit = inquiry.known[int(places[number])]
            if inquiry.hit is not None:
                inquiry.closed = True
                return places[:number][~known[:number]]
        return places[~known]

    def _known(self, search: Search) -> dict[int, Decision | None]:
        """What is known of an image's pairs: a person's word, else equal bytes, else a score that was recorded.

        The recorded scores only of an image that meets all keepers; see `_look_up`.
        """
        image, places = search.image, self._walk.index_of
        recorded = self._recorded(image.id) if search.previous is None else {}
        scored = {other: self._by_score(image.id, other, score) for other, score in recorded.items()}
        judged = {
            other: Decision(image.id, Reason.VERDICT, other) if judgement.verdict == "same" else None
            for other, judgement in self._judged.get(image.id, ())
        }
        told = {places[other]: decision for other, decision in (scored | judged).items() if other in places}
        return told | self._known_by_bytes(search)

    def _known_by_bytes(self, search: Search) -> dict[int, Decision | None]:
        """The keepers so far of an image's own bytes, but for those that a person judged; asked again when there may be
        more, so that equal images that are no keepers, be it a year of one picture, are never looked through."""
        image, ranked = search.image, self._walk.ranked
        judged = {other for other, _ in self._judged.get(image.id, ())}
        return {
            place: Decision(image.id, Reason.IDENTICAL, ranked[place].id, 0.0)
            for place in self._kept_copies[image.content_hash]
            if place != search.index and ranked[place].id not in judged
        }

    def _look_up(self, image_id: int, keepers: IndexArray, known: dict[int, Decision | None]) -> None:
        """Adds what was recorded of an image with keepers that are new since it was decided: these are few, and are
        asked, each once, so that an unchanged image costs no question."""
        for place in keepers.tolist():
            keeper_id = self._walk.ranked[place].id
            if place not in self._recorded_with:
                self._recorded_with[place] = self._recorded(keeper_id)
            score = self._recorded_with[place].get(image_id)
            if score is not None:
                known.setdefault(place, self._by_score(image_id, keeper_id, score))

    def _by_score(self, image_id: int, keeper_id: int, score: float) -> Decision | None:
        similar = score < self._measure.max_score and not self._flat & {image_id, keeper_id}
        return Decision(image_id, Reason.SIMILAR, keeper_id, score) if similar else None

    def _keeper(self, found: Decision | None) -> int | None:
        """The place of the keeper that a decision names."""
        return None if found is None or found.keeper_id is None else self._walk.index_of[found.keeper_id]

    def _note(self, inquiry: Inquiry) -> None:
        """Counts the pairs that an image met, and keeps the evidence worth recording."""
        image_id, ranked = inquiry.search.image.id, self._walk.ranked
        self.scored += inquiry.scored
        self.evidence += [(image_id, ranked[place].id, evidence) for place, evidence in inquiry.evidence]
