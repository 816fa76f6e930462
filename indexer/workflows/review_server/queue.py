"""The queue of a review: the pairs to judge in order, who has which of them, and which are judged.

It promises that

- no other page gets the pairs that a page shows, for a minute from the last sign of that page; and
- a pair that was passed over because somebody else had it comes again at the end.

It may be used from any thread. It does not know how a pair is shown.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.domain.decisions import ordered_pair
from indexer.domain.verdicts import Pair, contradictions
from indexer.store import cameras, report_queries, verdicts
from indexer.store.borderline import list_borderline
from indexer.store.database import Database, Session

QueueOrder = Literal["borderline", "removed", "newest", "contradictions"]

MAX_PAIRS = 4_000
"""Most pairs in a queue: half of them duplicates and half kept pairs."""
LEASE_S = 60.0


@dataclass(frozen=True)
class Queued:
    """A pair in the queue: its index there, and its ids."""

    index: int
    pair: Pair


class ReviewQueue:
    """Pairs in the order in which they are shown."""

    def __init__(self, pairs: Sequence[Pair], *, lease_s: float = LEASE_S) -> None:
        self._lease_s = lease_s
        self._lock = threading.Lock()
        self._leases = dict[Pair, tuple[str, float]]()
        self._judged = set[Pair]()
        self.refill(pairs)

    def refill(self, pairs: Sequence[Pair]) -> None:
        """Puts other pairs in place of these. What a page has stays with it, and what is judged stays judged."""
        with self._lock:
            self.pairs, self._members = tuple(pairs), frozenset(pairs)

    def take(self, person: str, start: int, *, count: int, skip: Collection[Pair] = (), now_s: float) -> list[Queued]:
        """The next pairs for a person from an index on: not judged, not with somebody else, and none of `skip`.

        They are this person's until `lease_s` after `now_s`, in seconds of a clock that never goes back.
        """
        taken = list[Queued]()
        with self._lock:
            for index in range(max(start, 0), len(self.pairs)):
                pair = self.pairs[index]
                if len(taken) == count:
                    break
                if pair in skip or pair in self._judged or self._is_with_another(pair, person, now_s=now_s):
                    continue
                self._leases[pair] = (person, now_s + self._lease_s)
                taken.append(Queued(index, pair))
        return taken

    def renew(self, person: str, pairs: Collection[Pair], *, now_s: float) -> None:
        """Lets a person keep those of these pairs that nobody else has."""
        with self._lock:
            for pair in pairs:
                if not self._is_with_another(pair, person, now_s=now_s):
                    self._leases[pair] = (person, now_s + self._lease_s)

    def release(self, person: str) -> None:
        """Gives back all pairs of a page that was closed."""
        with self._lock:
            self._leases = {pair: lease for pair, lease in self._leases.items() if lease[0] != person}

    def mark(self, pair: Pair, *, judged: bool) -> None:
        """Notes that a pair is judged, or no longer is."""
        with self._lock:
            (self._judged.add if judged else self._judged.discard)(pair)

    @property
    def judged(self) -> int:
        """How many pairs of the queue are judged."""
        with self._lock:
            return len(self._judged & self._members)

    def _is_with_another(self, pair: Pair, person: str, *, now_s: float) -> bool:
        holder, until_s = self._leases.get(pair, (person, 0.0))
        return holder != person and until_s > now_s


def list_queue(database: Database, *, order: QueueOrder, camera: str | None) -> list[Pair]:
    """The pairs to judge, in order; raises `CameraError` if there is no such camera."""
    with database.read() as session:
        camera_id = None if camera is None else cameras.get_camera(session, camera)
        if order == "contradictions":
            return _list_contradicting(session, camera_id)
        pairs = list_borderline(session, limit=MAX_PAIRS // 2, camera_id=camera_id, removed=order == "removed")
        return _newest_first(session, pairs) if order == "newest" else pairs


def _newest_first(session: Session, pairs: Sequence[Pair]) -> list[Pair]:
    ids = sorted({image_id for pair in pairs for image_id in pair})
    times = {image.id: image.captured_at for image in report_queries.load_images(session, ids).values()}

    def newest_s(pair: Pair) -> float:
        known = [time.timestamp() for image_id in pair if (time := times.get(image_id)) is not None]
        return max(known, default=float("-inf"))

    return sorted(pairs, key=newest_s, reverse=True)


def _list_contradicting(session: Session, camera_id: int | None) -> list[Pair]:
    """The pairs of verdicts that contradict each other: each `different`, then the chain of `same` that denies it."""
    judgements = verdicts.list_judgements_by_camera(session, None if camera_id is None else [camera_id])
    listed = dict[Pair, None]()
    for of_camera in judgements.values():
        for contradiction in contradictions(of_camera):
            listed[contradiction.different] = None
            for link in zip(contradiction.chain, contradiction.chain[1:], strict=False):
                listed[ordered_pair(*link)] = None
    return list(listed)
