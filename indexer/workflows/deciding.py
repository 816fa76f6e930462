"""How the images of one camera are decided: walk down the ranks, ask the matcher, remember the evidence.

It promises the same decisions and the same evidence for any number of workers: a block of images is searched at once
against the keepers known when the block began, then each is settled in rank order after meeting the keepers that its
own block brought, and evidence that the one-by-one walk would not have met is dropped. It does not know where pixels,
verdicts and earlier scores come from.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.domain.images import Image
from indexer.domain.selection import Decision, Reason, Search, Walk, nearness
from indexer.domain.verdicts import Judgement
from indexer.engines import Lost, Map
from indexer.pixels.matching import Match, MatchTask, Measure, match
from indexer.pixels.scoring import Evidence
from indexer.workflows.prepared import PreparedImages, found_by

_FIRST_CHUNK = 8  # most duplicates find their keeper within a handful
_LARGEST_CHUNK = 4096
_BLOCK_PER_WORKER = 8
_PAIRS_WORTH_SENDING = 1024

Known = Mapping[int, Decision | None]
"""What is known of an image's pairs without their pixels, by the other's id: the decision one leads to, None if they
differ."""


PairEvidence = tuple[int, int, Evidence]
"""The evidence of two images, by their ids."""


@dataclass(frozen=True)
class Knowledge:
    """What is known of a camera's pairs before any is scored: verdicts by pair, and the scores recorded earlier, by the
    other's id, of the image that is asked about."""

    judgements: Mapping[tuple[int, int], Judgement]
    recorded: Callable[[int], Mapping[int, float]]


@dataclass
class Inquiry:
    """A search under way: which keepers are still to be met, and what the others showed."""

    search: Search
    keepers: Iterator[Image]
    known: Known
    found: Decision | None = None
    hit: Decision | None = None
    closed: bool = False
    chunk: int = _FIRST_CHUNK
    met: list[Image] = field(default_factory=list)
    evidence: list[tuple[Image, Evidence]] = field(default_factory=list)

    def keep_nearer_than(self, keeper: Image) -> None:
        """Forgets what was met beyond a keeper."""
        image, limit = self.search.image, nearness(self.search.image, keeper)
        self.met = [other for other in self.met if nearness(image, other) < limit]
        self.evidence = [pair for pair in self.evidence if nearness(image, pair[0]) < limit]


class Decider:
    """Answers the searches of one camera's walk, and collects the evidence."""

    def __init__(
        self, present: Iterable[Image], knowledge: Knowledge, *, prepared: PreparedImages, measure: Measure, spread: Map
    ) -> None:
        self._measure = measure
        self._recorded = knowledge.recorded
        self._prepared = prepared
        self._spread = spread
        self._copies: dict[str, list[int]] = defaultdict(list)
        for image in present:
            self._copies[image.content_hash].append(image.id)
        self._judged: dict[int, list[tuple[int, Judgement]]] = defaultdict(list)
        for (image_a_id, image_b_id), judgement in knowledge.judgements.items():
            self._judged[image_a_id].append((image_b_id, judgement))
            self._judged[image_b_id].append((image_a_id, judgement))
        self.evidence: list[PairEvidence] = []
        self.scored = 0

    @property
    def block_size(self) -> int:
        """How many images are searched at once."""
        return 1 if self._spread.workers == 1 else _BLOCK_PER_WORKER * self._spread.workers

    def decide(self, walk: Walk, block: Sequence[Search]) -> None:
        """Settles the images of a block."""
        inquiries = [Inquiry(search, walk.candidates(search), self._known(search.image)) for search in block]
        self._pursue(inquiries)
        for inquiry in inquiries:
            search, found = inquiry.search, inquiry.found
            keeper = None if found is None or found.keeper_id is None else walk.keepers[found.keeper_id]
            late = Inquiry(search, walk.late(search, found=keeper), inquiry.known)
            self._pursue([late])
            if late.found is not None and late.found.keeper_id is not None:
                found = late.found
                inquiry.keep_nearer_than(walk.keepers[late.found.keeper_id])
            self._note(inquiry)
            self._note(late)
            walk.settle(search, found)
            if search.image.id not in walk.keepers:
                self._prepared.drop(search.image)

    def take_evidence(self) -> list[PairEvidence]:
        """The evidence collected since the last call."""
        evidence, self.evidence = self.evidence, []
        return evidence

    def _pursue(self, inquiries: Sequence[Inquiry]) -> None:
        """Follows every inquiry to its end: chunks of keepers, outward, until one is similar or none is left."""
        going = list(inquiries)
        while going:
            asked = [(inquiry, self._next_chunk(inquiry)) for inquiry in going]
            asked = [(inquiry, chunk) for inquiry, chunk in asked if chunk]
            tasks = [self._prepared.task(inquiry.search.image, chunk, self._measure) for inquiry, chunk in asked]
            for (inquiry, chunk), answer in zip(asked, self._match(tasks), strict=True):
                self._hear(inquiry, chunk, found_by(answer))
            for inquiry in going:
                if inquiry.closed and inquiry.found is None:
                    inquiry.found = inquiry.hit
            going = [inquiry for inquiry in going if not inquiry.closed]

    def _match(self, tasks: Sequence[MatchTask]) -> Iterable[Match | Lost]:
        """The answers, from the workers where that is worth the way."""
        pairs = sum(len(task.candidates) for task in tasks)
        return (self._spread if self._measure.native or pairs >= _PAIRS_WORTH_SENDING else map)(match, tasks)

    def _hear(self, inquiry: Inquiry, chunk: Sequence[Image], answer: Match) -> None:
        """Takes what a search among a chunk of keepers found."""
        inquiry.met += chunk[: answer.met]
        inquiry.evidence += [(chunk[place], evidence) for place, evidence in answer.evidence]
        if answer.found:
            keeper = chunk[answer.met - 1]
            score = next((evidence.score for other, evidence in inquiry.evidence[-1:] if other is keeper), None)
            inquiry.found = Decision(inquiry.search.image.id, Reason.SIMILAR, keeper.id, score)
            inquiry.closed = True

    def _next_chunk(self, inquiry: Inquiry) -> list[Image]:
        """The next keepers whose pair must be scored; closes the inquiry where no more are to come."""
        image, known = inquiry.search.image, inquiry.known
        chunk: list[Image] = []
        for keeper in inquiry.keepers:
            if keeper.id in known:
                inquiry.hit = known[keeper.id]
                if inquiry.hit is not None:
                    break
            elif keeper.shape == image.shape or self._measure.native:
                chunk.append(keeper)
                if len(chunk) == inquiry.chunk:
                    inquiry.chunk = min(inquiry.chunk * 4, _LARGEST_CHUNK)
                    return chunk
        inquiry.closed = True
        return chunk

    def _known(self, image: Image) -> Known:
        """What is known of an image's pairs: a person's word, else equal bytes, else a score that was recorded."""
        known: dict[int, Decision | None] = {}
        for other_id, score in self._recorded(image.id).items():
            similar = score < self._measure.max_score
            known[other_id] = Decision(image.id, Reason.SIMILAR, other_id, score) if similar else None
        for other_id in self._copies[image.content_hash]:
            known[other_id] = Decision(image.id, Reason.IDENTICAL, other_id, 0.0)
        for other_id, judgement in self._judged.get(image.id, ()):
            same = judgement.verdict == "same"
            known[other_id] = Decision(image.id, Reason.VERDICT, other_id) if same else None
        return known

    def _note(self, inquiry: Inquiry) -> None:
        """Counts the pairs that an image met, and keeps the evidence worth recording."""
        image_id = inquiry.search.image.id
        self.scored += len(inquiry.met)
        self.evidence += [(image_id, keeper.id, evidence) for keeper, evidence in inquiry.evidence]
