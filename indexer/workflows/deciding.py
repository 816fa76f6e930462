"""How the images of one camera are decided: walk down the ranks, ask the matcher, remember the evidence.

It promises the same decisions and the same evidence for any number of workers: a block of images is searched at once
against the keepers known when the block began, then each is settled in rank order after meeting the keepers that its
own block brought, and evidence that the one-by-one walk would not have met is dropped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from indexer.domain.images import Image
from indexer.domain.selection import Decision, Reason, Search, Walk, nearness, pair_of
from indexer.engines import Lost, Map
from indexer.errors import EngineProblem
from indexer.pixels.describing import read_native
from indexer.pixels.headers import ImageRefused, Limits
from indexer.pixels.matching import MatchTask, match
from indexer.pixels.scoring import Evidence
from indexer.pixels.shelf import FillTask, Shelf, Slot, fill
from indexer.store import images, scores
from indexer.store.database import Database
from indexer.store.decisions import Judgement
from indexer.store.profiles import StoredProfile
from indexer.store.scores import PairEvidence
from indexer.workflows.measures import measure_of
from indexer.workflows.watching import Clock, Progress, silent

_FIRST_CHUNK = 8  # most duplicates find their keeper within a handful
_LARGEST_CHUNK = 256
_BLOCK_PER_WORKER = 8
_FETCHED_ALONG = 256


class HeldBack(Exception):
    """A camera cannot be decided now: an image's pixels cannot be had. Its decisions stay as they are."""


class Spoiled(Exception):
    """Thumbnails in the index cannot be read; they can be made again from their files."""

    def __init__(self, image_ids: Sequence[int]) -> None:
        super().__init__(image_ids)
        self.image_ids = image_ids


@dataclass(frozen=True)
class Means:
    """What a comparison works with: the memory, the workers, the limits of reading, the clock, the watcher."""

    database: Database
    spread: Map
    limits: Limits
    clock: Clock
    progress: Progress = silent


@dataclass
class Inquiry:
    """A search under way: which keepers are still to be met, and what the others showed."""

    search: Search
    keepers: Iterator[Image]
    found: Decision | None = None
    hit: Decision | None = None
    closed: bool = False
    chunk: int = _FIRST_CHUNK
    met: list[tuple[Image, Evidence | None]] = field(default_factory=list)


class PreparedImages:
    """The prepared images of one camera, fetched when a search needs them.

    `upcoming` are images that will be asked for, in that order: they are fetched along, many at a time, so that the
    database is asked seldom and all workers decode.
    """

    def __init__(
        self,
        means: Means,
        stored: StoredProfile,
        present: Mapping[int, Image],
        shelf: Shelf,
        *,
        upcoming: Iterable[int],
    ) -> None:
        self._means = means
        self._stored = stored
        self._present = present
        self._shelf = shelf
        self._upcoming = iter(upcoming)
        self._slots: dict[int, Slot] = {}

    def slots(self, image_ids: Sequence[int]) -> list[Slot]:
        """Where the prepared images lie, in the order asked for."""
        wanted = [image_id for image_id in dict.fromkeys(image_ids) if image_id not in self._slots]
        if self._stored.profile.preparation.native:
            for image_id in wanted:
                self._slots[image_id] = self._read_whole(self._present[image_id])
        elif wanted:
            self._fetch(wanted)
        return [self._slots[image_id] for image_id in image_ids]

    def _fetch(self, wanted: Sequence[int]) -> None:
        along = (image_id for image_id in self._upcoming if image_id not in self._slots)
        chosen = list(dict.fromkeys([*wanted, *islice(along, _FETCHED_ALONG)]))
        with self._means.database.read() as session:
            found = images.load_thumbnails(session, chosen, preparation_id=self._stored.preparation_id)
        for image_id in chosen:
            self._slots[image_id] = self._shelf.reserve(*(self._present[image_id].shape or (0, 0)))
        tasks = (FillTask(self._slots[image_id], found[image_id]) for image_id in chosen)
        spoiled = []
        for image_id, answer in zip(chosen, self._means.spread(fill, tasks), strict=True):
            if isinstance(answer, Lost):
                raise lost(answer)
            if answer is not None:
                spoiled.append(image_id)
        if spoiled:
            raise Spoiled(spoiled)

    def _read_whole(self, image: Image) -> Slot:
        mask = self._stored.profile.preparation.mask
        try:
            whole = read_native(image.path, content_hash=image.content_hash, mask=mask, limits=self._means.limits)
        except OSError as problem:
            raise HeldBack(f"{image.path!a}: {problem.strerror}") from problem
        except ImageRefused as problem:
            raise HeldBack(f"{image.path!a}: {problem.reason}") from problem
        return self._shelf.put(whole)


def lost(answer: Lost) -> EngineProblem:
    """What it means that a worker was lost over pixels of our own making."""
    return EngineProblem(f"a worker {answer.reason}; run compare again, with fewer --processes")


class Decider:
    """Answers the searches of one camera's walk, and collects the evidence."""

    def __init__(
        self,
        means: Means,
        stored: StoredProfile,
        *,
        judgements: Mapping[tuple[int, int], Judgement],
        prepared: PreparedImages,
        recorded_before: bool,
    ) -> None:
        self._database = means.database
        self._spread = means.spread
        self._stored = stored
        self._judgements = judgements
        self._prepared = prepared
        self._recorded_before = recorded_before
        self._recorded: dict[int, dict[int, float]] = {}
        self.evidence: list[PairEvidence] = []
        self.scored = 0

    @property
    def block_size(self) -> int:
        """How many images are searched at once."""
        return 1 if self._spread.workers == 1 else _BLOCK_PER_WORKER * self._spread.workers

    def decide(self, walk: Walk, block: Sequence[Search]) -> None:
        """Settles the images of a block."""
        inquiries = [Inquiry(search, walk.candidates(search)) for search in block]
        self._pursue(inquiries)
        for inquiry in inquiries:
            found = inquiry.found
            keeper = None if found is None or found.keeper_id is None else walk.keepers[found.keeper_id]
            late = Inquiry(inquiry.search, walk.late(inquiry.search, found=keeper))
            self._pursue([late])
            if late.found is not None and late.found.keeper_id is not None:
                found = late.found
                limit = nearness(inquiry.search.image, walk.keepers[late.found.keeper_id])
                inquiry.met = [pair for pair in inquiry.met if nearness(inquiry.search.image, pair[0]) < limit]
            self._note(inquiry.search.image, inquiry.met + late.met)
            self._recorded.pop(inquiry.search.image.id, None)
            walk.settle(inquiry.search, found)

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
            tasks = [self._task(inquiry, chunk) for inquiry, chunk in asked]
            for (inquiry, chunk), answer in zip(asked, self._spread(match, tasks), strict=True):
                if isinstance(answer, Lost):
                    raise lost(answer)
                inquiry.met += [(keeper, evidence) for keeper, (_, evidence) in zip(chunk, answer.met, strict=False)]
                if answer.found is not None:
                    keeper, evidence = inquiry.met[-1]
                    score = None if evidence is None else evidence.score
                    inquiry.found = Decision(inquiry.search.image.id, Reason.SIMILAR, keeper.id, score)
                    inquiry.closed = True
            for inquiry in going:
                if inquiry.closed and inquiry.found is None:
                    inquiry.found = inquiry.hit
            going = [inquiry for inquiry in going if not inquiry.closed]

    def _next_chunk(self, inquiry: Inquiry) -> list[Image]:
        """The next keepers whose pair must be scored; closes the inquiry where no more are to come."""
        chunk: list[Image] = []
        for keeper in inquiry.keepers:
            known = self._known(inquiry.search.image, keeper)
            if isinstance(known, Decision):
                inquiry.hit, inquiry.closed = known, True
                return chunk
            if not known:
                chunk.append(keeper)
            if len(chunk) == inquiry.chunk:
                inquiry.chunk = min(inquiry.chunk * 4, _LARGEST_CHUNK)
                return chunk
        inquiry.closed = True
        return chunk

    def _known(self, image: Image, keeper: Image) -> Decision | bool:
        """What is known of a pair without its pixels: the decision it leads to, True if they differ, False if
        nothing."""
        judgement = self._judgements.get(pair_of(image.id, keeper.id))
        if judgement is not None:
            if judgement.verdict == "different":
                return True
            return Decision(image.id, Reason.VERDICT, keeper.id)
        if image.content_hash == keeper.content_hash:
            return Decision(image.id, Reason.IDENTICAL, keeper.id, 0.0)
        if not self._stored.profile.preparation.native and image.shape != keeper.shape:
            return True
        score = self._scores_of(image).get(keeper.id)
        if score is None or score >= self._stored.profile.max_score:
            return score is not None
        return Decision(image.id, Reason.SIMILAR, keeper.id, score)

    def _scores_of(self, image: Image) -> dict[int, float]:
        """The scores of an image that were recorded before this run."""
        if not self._recorded_before:
            return {}
        if image.id not in self._recorded:
            with self._database.read() as session:
                self._recorded[image.id] = scores.list_scores(session, image.id, scoring_id=self._stored.scoring_id)
        return self._recorded[image.id]

    def _task(self, inquiry: Inquiry, chunk: Sequence[Image]) -> MatchTask:
        keys = [keeper.id for keeper in chunk]
        image, *candidates = self._prepared.slots([inquiry.search.image.id, *keys])
        return MatchTask(image, tuple(zip(keys, candidates, strict=True)), measure_of(self._stored))

    def _note(self, image: Image, met: Sequence[tuple[Image, Evidence | None]]) -> None:
        """Counts the pairs that an image met, and keeps the evidence of those worth recording."""
        self.scored += len(met)
        self.evidence += [
            PairEvidence(image.id, keeper.id, evidence) for keeper, evidence in met if evidence is not None
        ]
