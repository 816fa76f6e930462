"""The pairs of a review as HTML, with their pictures in memory: the views of `report`, made on request.

It promises that picture files are only decoded by the guarded executor, one request at a time, and that a picture is
made once as long as it stays in memory.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from indexer.domain.decisions import ordered_pair
from indexer.domain.descriptions import Limits
from indexer.domain.verdict_changes import MAX_ID, PersonVerdict, verdict_to_json
from indexer.domain.verdicts import Pair
from indexer.execution import ParallelMap, WorkerFailure, serial
from indexer.store import pins, report_queries, verdicts
from indexer.store.database import Database
from indexer.store.report_queries import ImageFacts, PairFacts
from indexer.web import rendering
from indexer.web.server.service import Picture
from indexer.web.view_models import ImageView, PairView, Site
from indexer.workflows.image_files import PreviewTask, load_preview, read_indexed
from indexer.workflows.report.pairs import load_pair_views
from indexer.workflows.report.picture_cache import PictureCache
from indexer.workflows.report.pictures import LocalTimes, ReportPictures, find_path

PICTURE_WIDTH = 640
"""Width in pixels of the pictures of a pair, at most."""
MAX_NATIVE_WIDTH = 4096
"""Width in pixels of a picture in full size whose file a browser cannot show, or not two of them at a time."""
MAX_NATIVE_PIXELS, MAX_NATIVE_BYTES = 64_000_000, 32 * 2**20
"""The largest file that is given to a browser as it is. Decoded, it takes four bytes a pixel there."""

_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


@dataclass(frozen=True)
class PairPage:
    """A pair as HTML, and what the page must know to judge it. `pinned`: those of its images that a person pinned."""

    pair: Pair
    content_hashes: tuple[str, str]
    camera: str
    images: tuple[int, int]
    verdict: PersonVerdict | None
    pinned: frozenset[int]
    html: str

    def to_json(self, index: int | None = None) -> dict[str, Any]:
        """The pair as the page gets it; `index`: in the queue."""
        return {
            "key": pair_text(self.pair),
            "index": index,
            "pair": list(self.pair),
            "hashes": list(self.content_hashes),
            "camera": self.camera,
            "images": list(self.images),
            "verdict": verdict_to_json(self.verdict),
            "pinned": sorted(self.pinned),
            "html": self.html,
        }


@dataclass(frozen=True)
class AlikePairs:
    """Duplicates of one keeper, as pairs with it; hashes and the names of pictures (None: no picture) by image id."""

    keeper_id: int
    pairs: tuple[Pair, ...]
    content_hashes: Mapping[int, str]
    pictures: Mapping[int, str | None]

    def to_json(self) -> dict[str, Any]:
        """The duplicates as the page gets them."""
        return {
            "keeper": self.keeper_id,
            "picture": self.pictures.get(self.keeper_id),
            "pairs": [self._to_json(pair) for pair in self.pairs],
        }

    def _to_json(self, pair: Pair) -> dict[str, Any]:
        duplicate_id = pair[1] if pair[0] == self.keeper_id else pair[0]
        hashes = [self.content_hashes[image_id] for image_id in pair]
        return {"pair": list(pair), "hashes": hashes, "image": duplicate_id, "picture": self.pictures[duplicate_id]}


def pair_text(pair: Pair) -> str:
    """The name of a pair in messages to and from a page."""
    return f"{pair[0]}-{pair[1]}"


class PairPages:
    """Makes pairs and pictures for pages; may be used from any thread."""

    def __init__(
        self, database: Database, guarded_executor: ParallelMap, limits: Limits, local_times: LocalTimes, site: Site
    ) -> None:
        self._database, self._executor, self._limits, self._site = database, guarded_executor, limits, site
        self.cache = PictureCache()
        self._pictures = ReportPictures(database, self.cache, guarded_executor, limits, local_times, PICTURE_WIDTH)
        self._lock = threading.Lock()

    @contextmanager
    def workers(self) -> Iterator[None]:
        """Starts the workers that decode files, which takes a moment, while other things are done; at the end of the
        block they have been started."""
        starting = threading.Thread(target=self._start_workers, name="start workers")
        starting.start()
        try:
            yield
        finally:
            starting.join()

    def _start_workers(self) -> None:
        with self._lock:
            list(self._executor(load_preview, [PreviewTask("", "", self._limits)]))  # no such file

    def render(self, pairs: Sequence[Pair]) -> list[PairPage]:
        """These pairs as they are now, in order; those that are no longer decided are left out."""
        with self._database.read() as session:
            facts = report_queries.find_pairs(session, pairs)
            judged = {pair: verdicts.find_verdict(session, pair) for pair in facts}
            pinned = pins.list_pinned(session, sorted({image_id for pair in facts for image_id in pair}))
        chosen = [pair for pair in pairs if pair in facts]
        views = self._views([facts[pair] for pair in chosen])
        pages = []
        for pair, view in zip(chosen, views, strict=True):
            current = judged[pair]
            hashes = dict(zip((view.image.id, view.other.id), view.content_hashes, strict=True))
            held = None if current is None else PersonVerdict(current.verdict, current.by, current.note)
            pages.append(
                PairPage(
                    pair,
                    (hashes[pair[0]], hashes[pair[1]]),
                    view.image.camera,
                    (view.image.id, view.other.id),
                    held,
                    pinned & set(pair),
                    rendering.render_pair(view, self._site),
                )
            )
        return pages

    def list_alike(self, keeper_id: int, *, limit: int) -> AlikePairs:
        """The present duplicates of a keeper that nobody judged, at most `limit`, the closest to the limit first."""
        with self._database.read() as session:
            pairs = report_queries.list_unjudged_duplicates(session, keeper_id, limit=limit)
            facts = report_queries.load_images(session, sorted({image_id for pair in pairs for image_id in pair}))
        self._make_pictures(list(facts.values()))
        pictures = {image_id: self._pictures.image_view(image).picture.href for image_id, image in facts.items()}
        hashes = {image_id: image.content_hash for image_id, image in facts.items()}
        return AlikePairs(keeper_id, tuple(pairs), hashes, pictures)

    def show_image(self, image: ImageFacts) -> ImageView:
        """An image with the link to its small picture."""
        self._make_pictures([image])
        return self._pictures.image_view(image)

    def picture(self, name: str) -> Picture | None:
        """A small picture or a difference by its name; None if it is not in memory."""
        media_type = _MEDIA_TYPES.get(name.rpartition(".")[2])  # beside pictures, outlines are in memory
        data = None if media_type is None else self.cache.find(name)
        return None if data is None or media_type is None else Picture(data, media_type)

    def native(self, image_id: int, content_hash: str) -> Picture | None:
        """The picture of an image in full size: its file's own bytes if a browser can show them."""
        if image_id > MAX_ID:
            return None
        with self._database.read() as session:
            facts = report_queries.load_images(session, [image_id]).get(image_id)
            removals = report_queries.load_removals(session, [image_id])
        if facts is None or facts.content_hash != content_hash:
            return None
        path = find_path(facts, removals.get(image_id))
        if path is None:
            return None
        if facts.size_bytes > MAX_NATIVE_BYTES or (facts.width or 0) * (facts.height or 0) > MAX_NATIVE_PIXELS:
            return self._large_preview(path, facts)
        try:
            data = read_indexed(path, content_hash=content_hash, limits=self._limits)
        except Exception:  # whatever is wrong with a file costs its large picture and nothing else
            return None
        for signature, media_type in _SIGNATURES.items():
            if data.startswith(signature):
                return Picture(data, media_type)
        return self._large_preview(path, facts)

    def _large_preview(self, path: str, facts: ImageFacts) -> Picture | None:
        width = min(facts.width or MAX_NATIVE_WIDTH, MAX_NATIVE_WIDTH)
        task = PreviewTask(path, facts.content_hash, self._limits, width)
        with self._lock:
            (result,) = self._executor(load_preview, [task])
        if isinstance(result, WorkerFailure) or result.preview is None:
            return None
        return Picture(result.preview.data, "image/jpeg")

    def _views(self, pairs: Sequence[PairFacts]) -> list[PairView]:
        with self._lock, serial() as executor:
            return list(load_pair_views(self._pictures, executor, pairs, strip_hrefs={}, make_pictures=True))

    def _make_pictures(self, images: Sequence[ImageFacts]) -> None:
        with self._database.read() as session:
            removals = report_queries.load_removals(session, [facts.id for facts in images])
        with self._lock:
            self._pictures.make(images, removals, advance=lambda _count: None)


def parse_pair(value: Any) -> Pair | None:
    """The pair of a name that came from a page; None if it is none."""
    parts = value.split("-") if isinstance(value, str) and len(value) < 40 else ()
    if len(parts) != 2 or not all(part.isascii() and part.isdecimal() for part in parts):
        return None
    first, second = sorted(map(int, parts))
    return ordered_pair(first, second) if 0 < first < second <= MAX_ID else None
