"""The work behind the requests of the page: what a `ReviewService` promises, done with the index.

It promises that nothing that a page sends removes or moves a file, and that a verdict is reported as recorded only
after it was committed. It does not know HTTP.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from indexer.domain.decisions import ordered_pair
from indexer.domain.verdict_changes import MAX_CHANGES, VerdictChange, parse_changes, to_json, verdict_to_json
from indexer.domain.verdicts import Pair
from indexer.errors import VerdictError
from indexer.store import cameras, report_queries
from indexer.store.database import Database
from indexer.store.verdicts import JudgedPair
from indexer.web import rendering
from indexer.web.review_models import ReviewedCamera, ReviewPage
from indexer.web.server.service import Json, Picture
from indexer.web.view_models import Site
from indexer.workflows.context import Clock
from indexer.workflows.review.judging import AppliedChange, VerdictConflictError
from indexer.workflows.review.pin import UnpinSelection, pin, unpin
from indexer.workflows.review.verdict import list_contradictions
from indexer.workflows.review_server.pair_pages import PairPages, pair_text, parse_pair
from indexer.workflows.review_server.queue import QueueOrder, ReviewQueue, list_queue
from indexer.workflows.review_server.recorder import VerdictRecorder
from indexer.workflows.review_server.updater import DecisionUpdater

if TYPE_CHECKING:
    from indexer.workflows.review_server.areas import AreaDrawing

MAX_AHEAD = 12
"""Most pairs in one answer."""
_TITLES: dict[QueueOrder, str] = {
    "borderline": "Closest to the limit",
    "removed": "Removed, closest to the limit",
    "newest": "Newest first",
    "contradictions": "Contradictions",
}


@dataclass(frozen=True)
class ReviewOptions:
    """What a person asked for: which pairs, in which order, and by whom they are judged (None: the page asks)."""

    camera: str | None = None
    order: QueueOrder = "borderline"
    by: str | None = None
    read_only: bool = False


@dataclass
class IndexReview:
    """A `ReviewService` of one index.

    Every method that takes a request raises `VerdictError` for one that no page sends.
    """

    database: Database
    options: ReviewOptions
    site: Site
    queue: ReviewQueue
    pages: PairPages
    recorder: VerdictRecorder
    updater: DecisionUpdater
    publish: Callable[[str, Mapping[str, Any]], None]
    clock: Clock

    @cached_property
    def areas(self) -> "AreaDrawing":
        """Where ignored areas are drawn."""
        from indexer.workflows.review_server.areas import AreaDrawing  # here, as it loads what tries profiles

        return AreaDrawing(self.database, self.site, self.recorder, self.pages, self.clock)

    def end(self) -> None:
        """Decides what is due, and ends the run of the session."""
        if not self.options.read_only:
            self.updater.stop()
        self.recorder.close()

    def page(self) -> str:
        """The HTML of the page."""
        listed = [] if self.options.read_only else self._list_cameras()
        return rendering.render_review(
            ReviewPage(
                self.site,
                _TITLES[self.options.order],
                len(self.queue.pairs),
                self.options.by,
                self.options.read_only,
                tuple(listed),
                shows_judged=self.options.order == "contradictions",
            )
        )

    def area_page(self, camera_id: int) -> str:
        """The HTML of the page on which the ignored areas of a camera are drawn; raises `CameraError`."""
        return self.areas.page(camera_id)

    def ahead(self, request: Json) -> Json:
        """The next pairs for a page, from an index of the queue on.

        `person`: what the page calls itself; `have`: the pairs that it has already; `keep`: those of them that nobody
        else should get now; `again`: the queue is first filled with what is closest to the limit now. Pairs whose
        images are just being decided again are passed over.
        """
        person, start = _text(request, "person"), _number(request, "start")
        count = min(_number(request, "count"), MAX_AHEAD)
        if request.get("again") is True:
            self.queue.refill(list_queue(self.database, order=self.options.order, camera=self.options.camera))
        now_s = time.monotonic()
        self.queue.renew(person, _pairs(request, "keep"), now_s=now_s)
        listed, have = list[Json](), set(_pairs(request, "have"))
        while len(listed) < count:
            taken = self.queue.take(person, start, count=count - len(listed), skip=have, now_s=now_s)
            if not taken:
                break
            rendered = {page.pair: page for page in self.pages.render([item.pair for item in taken])}
            listed += [rendered[item.pair].to_json(item.index) for item in taken if item.pair in rendered]
            start = taken[-1].index + 1
        return {
            "pairs": listed,
            "end": len(listed) < count,
            "judged": self.queue.judged,
            "total": len(self.queue.pairs),
        }

    def leave(self, request: Json) -> Json:
        """Gives the pairs of a page that is closed to others."""
        self.queue.release(_text(request, "person"))
        return {}

    def pairs(self, request: Json) -> Json:
        """Named pairs as they are now."""
        return {"pairs": [page.to_json() for page in self.pages.render(_pairs(request, "pairs")[:MAX_AHEAD])]}

    def alike(self, request: Json) -> Json:
        """All duplicates of a keeper that nobody judged: their pictures, and what to send to judge them `same`."""
        return self.pages.list_alike(_number(request, "keeper"), limit=MAX_CHANGES).to_json()

    def change(self, request: Json) -> Json:
        """Records or withdraws verdicts, all or none."""
        changes = parse_changes(request.get("changes"))
        try:
            result = self.recorder.record(changes)
        except VerdictConflictError as conflict:
            return {
                "state": "conflict",
                "pair": pair_text(conflict.change.pair),
                "current": _judged_to_json(conflict.current, now=self.clock()),
            }
        state = "recorded" if result.committed else "waiting"
        self._note(changes, state=state)
        if result.committed:
            self.updater.compare_soon(sorted({applied.camera for applied in result.applied}))
        else:
            self.updater.record_soon()
        return {
            "state": state,
            "holder": result.waiting_for,
            "waiting": self.recorder.waiting,
            "changes": [to_json(change) for change in changes],
            "judged": self.queue.judged,
        }

    def pin(self, request: Json) -> Json:
        """Pins an image, or takes a person's pin back, and lets its camera be decided again.

        Raises `IndexInUseError` if another command has the index.
        """
        image_id, is_pinned = _number(request, "image"), request.get("pinned") is True
        with self.database.read() as session:
            image = report_queries.load_images(session, [image_id]).get(image_id)
        if image is None or image.content_hash != request.get("hash"):
            raise VerdictError(f"image {image_id} has other bytes than the page showed; load the page again")
        with self.recorder.alone():
            if is_pinned:
                pin(self.database, [str(image_id)], clock=self.clock)
            else:
                unpin(self.database, UnpinSelection((str(image_id),)), clock=self.clock)
        pinned = {"image": image_id, "pinned": is_pinned}
        self.publish("pin", pinned)
        self.updater.compare_soon([image.camera])
        return pinned

    def note_applied(self, applied: Sequence[AppliedChange]) -> None:
        """Publishes that changes that had waited were made."""
        self._note([item.change for item in applied], state="recorded")

    def try_area(self, request: Json) -> Json:
        """How many images of a camera would be kept with a drawn area."""
        return self.areas.try_area(request)

    def save_area(self, request: Json) -> Json:
        """Makes a drawn area the camera's own profile, and lets the camera be decided by it."""
        saved = self.areas.save_area(request)
        self.updater.compare_soon([str(saved["camera"])])
        return saved

    def undo_area(self, request: Json) -> Json:
        """Gives a camera the profile that it had before, and lets the camera be decided by it."""
        undone = self.areas.undo_area(request)
        self.updater.compare_soon([str(undone["camera"])])
        return undone

    def picture(self, name: str) -> Picture | None:
        """A small picture or a difference picture by the name in its address."""
        return self.pages.picture(name)

    def native(self, image_id: int, content_hash: str) -> Picture | None:
        """The picture of an image in full size; None if the index has no such content."""
        return self.pages.native(image_id, content_hash)

    def status(self) -> Json:
        """Progress, the verdicts that wait, and the verdicts that contradict each other."""
        with self.database.read() as session:
            contradictions = list_contradictions(session)
        return {
            "total": len(self.queue.pairs),
            "judged": self.queue.judged,
            "recorded": self.recorder.counts.recorded,
            "waiting": self.recorder.waiting,
            "contradictions": [
                {"pair": pair_text(item.different), "chain": list(item.chain)} for item in contradictions
            ],
        }

    def _note(self, changes: Sequence[VerdictChange], *, state: str) -> None:
        for change in changes:
            self.queue.mark(change.pair, judged=change.after is not None)
        listed = [{"pair": list(change.pair), "after": verdict_to_json(change.after)} for change in changes]
        self.publish("verdicts", {"changes": listed, "state": state, "judged": self.queue.judged})

    def _list_cameras(self) -> list[ReviewedCamera]:
        with self.database.read() as session:
            camera_ids = cameras.list_cameras(session)
        chosen = {name: id_ for name, id_ in camera_ids.items() if self.options.camera in {None, name}}
        return [ReviewedCamera(camera_id, name) for name, camera_id in sorted(chosen.items())]


def _judged_to_json(judged: JudgedPair | None, *, now: datetime) -> dict[str, Any] | None:
    """The verdict of somebody else, and how long ago it was given."""
    if judged is None:
        return None
    ago_s = max(0, round((now - judged.judged_at).total_seconds()))
    return {"verdict": judged.verdict, "by": judged.by, "note": judged.note, "ago_s": ago_s}


def _pairs(request: Json, name: str) -> list[Pair]:
    """The pairs that a list of the request names; what is no pair is left out."""
    value = request.get(name)
    named = (parse_pair(item) for item in (value if isinstance(value, list) else ())[:10_000])
    return [ordered_pair(*pair) for pair in named if pair is not None]


def _number(request: Json, name: str) -> int:
    value = request.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise VerdictError(f"{name} is no whole number from 0 up")
    return value


def _text(request: Json, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise VerdictError(f"{name} is no text of 1 to 100 characters")
    return value
