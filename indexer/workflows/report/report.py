"""report: writes HTML pages from the index into a folder of their own.

It promises that nothing is written into the index; that each page is whole or absent; that the next report completes an
interrupted one and makes no picture twice; and that memory grows with small rows per image of one camera and with one
page, not with the index. `indexer.web` knows how a page looks, `indexer.files.output_folder` how files are written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from indexer.domain.images import ImageState
from indexer.errors import FolderError
from indexer.execution import ParallelMap
from indexer.files.output_folder import OutputFolder, open_output_folder
from indexer.store import cameras, profiles, report_queries, timezones
from indexer.store.borderline import list_borderline
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.report_queries import DecidedImage, PairFacts
from indexer.web import pagination, rendering
from indexer.web.view_models import (
    CameraCard,
    CameraDetails,
    DuplicateGroup,
    Member,
    Overview,
    PageNumber,
    PairsPage,
    PairView,
    PictureLink,
    StripPage,
    pair_key,
)
from indexer.workflows.context import ComparisonContext
from indexer.workflows.ingested_folders import find_ingested_parent
from indexer.workflows.report.camera_details import MAX_SWEPT_IMAGES, camera_details
from indexer.workflows.report.cards import camera_card, next_steps, total_card
from indexer.workflows.report.findings import finding_views
from indexer.workflows.report.pairs import load_pair_views
from indexer.workflows.report.pictures import LocalTimes, PictureCounts, ReportPictures
from indexer.workflows.report.site import make_site

MAX_BORDERLINE = 200
"""Most pairs on the borderline pages: half of them duplicates and half kept pairs, those closest to the limit."""

_REPORT_FILES = re.compile(
    r"index\.html|overview-\d+\.html|borderline(-\d+)?\.html|style\.css|report\.js"
    r"|cameras/\d+/((index|strip-\d+|pairs(-\d+)?)\.html|ignored\.png|activity-[0-9a-f]{32}\.png|sweep-[0-9a-f]{32}\.json)"
    r"|pictures/[0-9a-f]{2}/[0-9a-f]{64}(-index)?\.jpg|differences/[0-9a-f]{2}/[0-9a-f]{32}\.(png|json)"
)


@dataclass
class ReportResult:
    """What was written: `page` is the one to open, `swept` says whether limits were tried, `dropped` counts the removed
    files of an earlier report."""

    folder: str
    page: str
    cameras: int = 0
    images: int = 0
    pairs: int = 0
    borderline: int = 0
    pages: int = 0
    swept: bool = False
    dropped: int = 0
    pictures: PictureCounts = field(default_factory=PictureCounts)
    undecided: int = 0


@dataclass(frozen=True)
class _Layout:
    """A camera's images and on which page each is, computed before any page is made.

    `pair_indices` are indices into `decided`, `pair_pages` ranges of `pair_indices`, one per page. The links are by
    image id.
    """

    folder: str
    decided: list[DecidedImage]
    pages: list[list[pagination.GroupPart]]
    strip_hrefs: dict[int, str]
    pair_indices: list[int]
    pair_pages: list[range]
    pair_hrefs: dict[int, str]


def report(
    context: ComparisonContext,
    *,
    guarded_executor: ParallelMap,
    folder: str,
    camera: str | None = None,
    sweep: bool | None = None,
    local: bool = False,
    paths: bool = False,
) -> ReportResult:
    """Writes the pages of all cameras, or of one.

    `guarded_executor` makes pictures from files, with limits on memory and time. `sweep`: whether other limits are
    tried; None: only if there are at most `MAX_SWEPT_IMAGES` images. `local`: times are shown in the zone of this
    machine where none is stored for a camera, else in UTC. `paths`: whole paths are shown, not only names of files.

    Raises
    ------
    FolderError
        If `folder` cannot be used, or lies inside an ingested folder.
    ImageError
        If there is no such camera.
    """
    root = find_ingested_parent(context.database, folder)
    if root is not None:
        raise FolderError(
            f"the folder {folder!r} lies inside {root!r}, and the next ingest would take the pictures in; "
            f"name a folder outside"
        )
    with context.database.read() as session:
        camera_ids = cameras.list_cameras(session) if camera is None else {camera: cameras.get_camera(session, camera)}
        local_times = LocalTimes(timezones.list_timezones(session), local)
    out = open_output_folder(folder, own_names=_REPORT_FILES)
    return _ReportWriter(context, out, guarded_executor, local_times, folder, paths=paths).write(
        camera_ids, camera, sweep
    )


class _ReportWriter:
    """Writes one report."""

    def __init__(
        self,
        context: ComparisonContext,
        out: OutputFolder,
        guarded_executor: ParallelMap,
        local_times: LocalTimes,
        folder: str,
        *,
        paths: bool,
    ) -> None:
        self._context, self._paths = context, paths
        self._database: Database = context.database
        self._out = out
        self._pictures = ReportPictures(context.database, out, guarded_executor, context.limits, local_times)
        self._result = ReportResult(folder, str(out.folder / "index.html"), pictures=self._pictures.counts)
        self._advance = context.progress("pictures", None)

    def write(self, camera_ids: dict[str, int], camera: str | None, sweep: bool | None) -> ReportResult:
        """Writes all pages, the overview last, and removes the files of an earlier report that are no longer used."""
        result = self._result
        with self._database.read() as session:
            in_force = profiles.list_in_force(session, camera_ids)
            summaries = {
                summary.camera: summary for summary in cameras.list_summaries(session) if summary.camera in camera_ids
            }
            cards = [
                camera_card(summaries[name], camera_id, in_force[name], captures, local=self._pictures.local)
                for name, camera_id in camera_ids.items()
                for captures in (report_queries.iter_captures(session, camera_id),)
            ]
            closest = list_borderline(
                session, limit=MAX_BORDERLINE // 2, camera_id=None if camera is None else camera_ids[camera]
            )
            borderline_pairs = list(report_queries.find_pairs(session, closest).values())
        result.cameras, result.images, result.borderline = (
            len(cards),
            sum(card.images for card in cards),
            len(borderline_pairs),
        )
        result.undecided = sum(card.undecided for card in cards)
        result.swept = result.images <= MAX_SWEPT_IMAGES if sweep is None else sweep
        self._advance = self._context.progress("pictures", sum(card.taken for card in cards))
        self._site = make_site(self._context, borderline=len(borderline_pairs), paths=self._paths)
        for name, data in rendering.read_assets().items():
            self._out.write(name, data)
        hrefs = dict[int, str]()
        other_ids = {pair.other_id for pair in borderline_pairs}
        for number, (name, camera_id) in enumerate(camera_ids.items()):
            layout = self._write_camera(cards[number], camera_id, in_force[name])
            cards[number] = replace(cards[number], picture=self._newest_picture(layout))
            hrefs |= {image_id: href for image_id, href in layout.strip_hrefs.items() if image_id in other_ids}
        self._write_borderline(borderline_pairs, hrefs)
        self._write_overview(cards)
        result.dropped = self._out.remove_stale_files()
        return result

    def _write_camera(self, card: CameraCard, camera_id: int, stored: StoredProfile) -> _Layout:
        with self._database.read() as session:
            layout = _camera_layout(card.folder, report_queries.list_decided_images(session, camera_id))
        count, jumps = max(1, len(layout.pages)), self._jumps(card, layout)
        for number in (*range(2, count + 1), 1):  # the first page last: it uses a picture that the others make
            groups = self._duplicate_groups(layout, layout.pages[number - 1] if layout.pages else [])
            details = self._camera_details(card, camera_id, stored, layout) if number == 1 else None
            page = PageNumber(number, count, "index.html", "strip")
            text = rendering.render_strip(StripPage(self._site, page, card, groups, details, jumps))
            self._write_page(f"{card.folder}/{page.file(number)}", text)
        for number, indices in enumerate(layout.pair_pages, start=1):
            page = PageNumber(number, len(layout.pair_pages), "pairs.html", "pairs")
            decision_ids = [layout.decided[layout.pair_indices[index]].decision_id for index in indices]
            with self._database.read() as session:
                facts = report_queries.load_pairs(session, decision_ids)
            pairs = self._pair_views([facts[decision_id] for decision_id in decision_ids], layout.strip_hrefs)
            self._write_page(
                f"{card.folder}/{page.file(number)}",
                rendering.render_pairs(
                    PairsPage(self._site, page, card, pairs, len(layout.pair_indices), indices.start)
                ),
            )
            self._result.pairs += len(pairs)
        return layout

    def _camera_details(
        self, card: CameraCard, camera_id: int, stored: StoredProfile, layout: _Layout
    ) -> CameraDetails:
        newest = self._newest_picture(layout)
        return camera_details(
            self._context,
            camera_id,
            out=self._out,
            card=card,
            stored=stored,
            newest=newest,
            findings=finding_views(self._database, self._pictures, card.name),
            sweep=self._result.swept,
        )

    def _newest_picture(self, layout: _Layout) -> PictureLink | None:
        """The picture of the newest kept image of a camera; None if it has none."""
        kept_ids = [image.image_id for image in layout.decided if image.keeper_id is None and not image.removed]
        if not kept_ids:
            return None
        with self._database.read() as session:
            newest = report_queries.load_images(session, kept_ids[-1:])[kept_ids[-1]]
        return self._pictures.image_view(newest).picture

    def _jumps(self, card: CameraCard, layout: _Layout) -> tuple[tuple[datetime | None, str], ...]:
        """For each page of a film strip, when its first image was taken, and the link to it."""
        heads = [page[0].head for page in layout.pages]
        with self._database.read() as session:
            facts = report_queries.load_images(session, heads)
        times = (self._pictures.local.of(facts[head].captured_at, camera=card.name) for head in heads)
        hrefs = (layout.strip_hrefs[head].rpartition("/")[2] for head in heads)
        return tuple(zip(times, hrefs, strict=True))

    def _duplicate_groups(self, layout: _Layout, parts: Sequence[pagination.GroupPart]) -> tuple[DuplicateGroup, ...]:
        ids = list(
            {
                image_id
                for part in parts
                for image_id in (part.head, *(layout.decided[index].image_id for index in part.members))
            }
        )
        decisions = [layout.decided[index].decision_id for part in parts for index in part.members]
        with self._database.read() as session:
            facts = report_queries.load_images(session, ids)
            removals = report_queries.load_removals(session, ids)
            pairs = {pair.image_id: pair for pair in report_queries.load_pairs(session, decisions).values()}
        self._pictures.make(list(facts.values()), removals, advance=self._advance)
        views = {image_id: self._pictures.image_view(image_facts) for image_id, image_facts in facts.items()}
        return tuple(
            DuplicateGroup(
                head=views[part.head],
                reason="kept" if facts[part.head].state is ImageState.READY else str(facts[part.head].state),
                members=tuple(
                    Member(views[image_id], pairs[image_id].score, pairs[image_id].reason, layout.pair_hrefs[image_id])
                    for image_id in (layout.decided[index].image_id for index in part.members)
                ),
                start=part.start,
                total=part.total,
                removed=sum(layout.decided[index].removed for index in part.members),
            )
            for part in parts
        )

    def _pair_views(self, pairs: Sequence[PairFacts], strip_hrefs: dict[int, str]) -> tuple[PairView, ...]:
        return tuple(load_pair_views(self._pictures, self._context.executor, pairs, strip_hrefs=strip_hrefs))

    def _write_borderline(self, borderline_pairs: Sequence[PairFacts], strip_hrefs: dict[int, str]) -> None:
        with self._database.read() as session:
            facts = report_queries.load_images(
                session, [image_id for pair in borderline_pairs for image_id in (pair.image_id, pair.other_id)]
            )
        ranges = pagination.pair_pages(
            len(facts[pair.image_id].path) + len(facts[pair.other_id].path) for pair in borderline_pairs
        )
        for number, indices in enumerate(ranges, start=1):
            page = PageNumber(number, len(ranges), "borderline.html", "borderline")
            pairs = self._pair_views([borderline_pairs[index] for index in indices], strip_hrefs)
            content = PairsPage(self._site, page, None, pairs, len(borderline_pairs), indices.start)
            self._write_page(page.file(number), rendering.render_pairs(content))

    def _write_overview(self, cards: Sequence[CameraCard]) -> None:
        total = total_card(cards)
        ranges = pagination.card_pages(len(cards)) or [range(0)]
        for number, indices in reversed(list(enumerate(ranges, start=1))):
            page = PageNumber(number, len(ranges), "index.html", "overview")
            page_cards = tuple(cards[index] for index in indices)
            steps = next_steps(total, borderline=self._result.borderline)
            overview = Overview(self._site, page, page_cards, total, len(cards), steps)
            self._write_page(page.file(number), rendering.render_overview(overview))

    def _write_page(self, name: str, text: str) -> None:
        self._out.write(name, text.encode("utf-8"))
        self._result.pages += 1


def _camera_layout(folder: str, decided: list[DecidedImage]) -> _Layout:
    """The layout of a camera's pages: which image and which pair is on which."""
    parts = list(pagination.divide_groups(_iter_duplicate_groups(decided)))
    pages = pagination.strip_pages(parts)
    strip_hrefs = dict[int, str]()
    for number, page in enumerate(pages, start=1):
        file = PageNumber(number, len(pages), "index.html", "strip").file(number)
        for part in page:
            strip_hrefs.setdefault(part.head, f"{folder}/{file}#image-{part.head}")
    path_lengths = {image.image_id: image.path_length for image in decided}
    indices = [index for page in pages for part in page for index in part.members]
    ranges = pagination.pair_pages(
        decided[index].path_length + path_lengths.get(decided[index].keeper_id or 0, 4096) for index in indices
    )
    pair_hrefs = {
        decided[
            index
        ].image_id: f"{_pairs_file(number)}#{pair_key(decided[index].image_id, decided[index].keeper_id or 0)}"
        for number, page_indices in enumerate(ranges, start=1)
        for index in map(indices.__getitem__, page_indices)
    }
    return _Layout(folder, decided, pages, strip_hrefs, indices, ranges, pair_hrefs)


def _iter_duplicate_groups(decided: Sequence[DecidedImage]) -> Iterator[tuple[int, list[int]]]:
    """The id of every image that is kept or named as keeper, with the indices of its duplicates; in the order of
    `decided`."""
    members = dict[int, list[int]]()
    for index, image in enumerate(decided):
        if image.keeper_id is not None:
            members.setdefault(image.keeper_id, []).append(index)
    for image in decided:
        if image.keeper_id is None or image.image_id in members:
            yield image.image_id, members.pop(image.image_id, [])
    yield from members.items()  # keepers that are neither present nor removed


def _pairs_file(number: int) -> str:
    return PageNumber(number, number, "pairs.html", "pairs").file(number)
