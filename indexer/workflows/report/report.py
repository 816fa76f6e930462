"""report: pages to look at, in a folder of their own, from what the index knows.

It promises that nothing is written into the index, that a page is whole or not there, that a cut report is completed by
the next one, which makes no picture twice, and that memory grows with light rows per image of one camera and with one
page, not with the index. How a page looks is `indexer.web`; what is written where, `indexer.files.output_folder`.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from indexer import __version__
from indexer.domain.images import ImageState
from indexer.errors import UsageProblem
from indexer.execution import Map
from indexer.files.output_folder import OutputFolder, open_output_folder
from indexer.store import cameras, profiles, report_queries
from indexer.store.cameras import CameraSummary
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.report_queries import DecidedImage, PairFacts
from indexer.web import pagination, rendering
from indexer.web.view_models import (
    CameraCard,
    CameraDetails,
    DuplicateGroup,
    Hour,
    Member,
    Overview,
    PageNumber,
    PairsPage,
    PairView,
    PictureLink,
    Site,
    StripPage,
    pair_key,
)
from indexer.workflows.compare.camera import Means
from indexer.workflows.ingested_folders import find_ingested_parent
from indexer.workflows.report.camera_details import SWEPT, about_camera
from indexer.workflows.report.pairs import Material, pair_views
from indexer.workflows.report.pictures import PictureCounts, Pictures

BORDERLINE = 200
"""Decisions nearest the limit that are shown."""

_OURS = re.compile(
    r"index\.html|overview-\d+\.html|borderline(-\d+)?\.html|style\.css|report\.js"
    r"|cameras/\d+/((index|strip-\d+|pairs(-\d+)?)\.html|ignored\.png)"
    r"|pictures/[0-9a-f]{2}/[0-9a-f]{64}(-index)?\.jpg|differences/[0-9a-f]{2}/[0-9a-f]{32}\.png"
)


@dataclass
class ReportMade:
    """What was written: `page` is the one to open; `dropped` files of an earlier report went."""

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


@dataclass(frozen=True)
class _Layout:
    """A camera's images and on which page each is, before any page is made."""

    folder: str
    decided: list[DecidedImage]
    pages: list[list[pagination.GroupPart]]
    strip_hrefs: dict[int, str]
    pair_places: list[int]
    pair_pages: list[range]
    pair_hrefs: dict[int, str]


def report(
    means: Means, *, reading: Map, folder: str, camera: str | None = None, sweep: bool | None = None
) -> ReportMade:
    """Writes the pages; `reading` takes pictures from files within bounds. `sweep` None: for small indexes."""
    root = find_ingested_parent(means.database, folder)
    if root is not None:
        raise UsageProblem(
            f"the folder {folder!a} lies inside {root!a}, and the next ingest would take the pictures in; "
            f"name a folder outside"
        )
    with means.database.read() as session:
        chosen = cameras.list_cameras(session) if camera is None else {camera: cameras.get_camera(session, camera)}
    return _Writing(means, open_output_folder(folder, own_names=_OURS), reading, folder).write(chosen, camera, sweep)


class _Writing:
    """One report on its way."""

    def __init__(self, means: Means, out: OutputFolder, reading: Map, folder: str) -> None:
        self._means = means
        self._database: Database = means.database
        self._out = out
        self._pictures = Pictures(means.database, out, reading, means.limits)
        self._made = ReportMade(folder, str(out.folder / "index.html"), pictures=self._pictures.counts)
        self._advance = means.progress("pictures", None)

    def write(self, chosen: dict[str, int], camera: str | None, sweep: bool | None) -> ReportMade:
        """Writes all pages, the overview last."""
        made = self._made
        with self._database.read() as session:
            in_force = profiles.list_in_force(session, chosen)
            summaries = {one.camera: one for one in cameras.list_summaries(session) if one.camera in chosen}
            cards = [
                _card(summaries[name], number, in_force[name], report_queries.list_hour_counts(session, number))
                for name, number in chosen.items()
            ]
            close = report_queries.list_borderline(
                session, limit=BORDERLINE, camera_id=None if camera is None else chosen[camera]
            )
        made.cameras, made.images, made.borderline = len(cards), sum(card.images for card in cards), len(close)
        made.swept = made.images <= SWEPT if sweep is None else sweep
        self._advance = self._means.progress("pictures", sum(card.taken for card in cards))
        key = hashlib.sha256(self._database.name.encode(errors="surrogateescape")).hexdigest()[:16]
        self._site = Site(self._database.name, __version__, self._means.clock(), key, len(close))
        for name, data in rendering.read_assets().items():
            self._out.write(name, data)
        hrefs = dict[int, str]()
        wanted = {pair.other_id for pair in close}
        for card, (name, number) in zip(cards, chosen.items(), strict=True):
            layout = self._camera(card, number, in_force[name])
            hrefs |= {image: href for image, href in layout.strip_hrefs.items() if image in wanted}
        self._borderline(close, hrefs)
        self._overview(cards)
        made.dropped = self._out.remove_stale_files()
        return made

    def _camera(self, card: CameraCard, camera_id: int, stored: StoredProfile) -> _Layout:
        with self._database.read() as session:
            layout = _lay_out(card.folder, report_queries.list_decided_images(session, camera_id))
        count = max(1, len(layout.pages))
        for number in (*range(2, count + 1), 1):  # the first one last: it shows a picture of the others
            families = self._families(layout, layout.pages[number - 1] if layout.pages else [])
            about = self._about(card, camera_id, stored, layout) if number == 1 else None
            page = PageNumber(number, count, "index.html", "strip")
            text = rendering.render_strip(StripPage(self._site, page, card, families, about))
            self._write(f"{card.folder}/{page.file(number)}", text)
        for number, places in enumerate(layout.pair_pages, start=1):
            page = PageNumber(number, len(layout.pair_pages), "pairs.html", "pairs")
            decisions = [layout.decided[layout.pair_places[at]].decision_id for at in places]
            with self._database.read() as session:
                found = report_queries.load_pairs(session, decisions)
            pairs = self._pairs([found[decision] for decision in decisions], layout.strip_hrefs)
            self._write(
                f"{card.folder}/{page.file(number)}", rendering.render_pairs(PairsPage(self._site, page, card, pairs))
            )
            self._made.pairs += len(pairs)
        return layout

    def _about(self, card: CameraCard, camera_id: int, stored: StoredProfile, layout: _Layout) -> CameraDetails:
        kept = [one.image_id for one in layout.decided if one.keeper_id is None and not one.removed]
        newest: PictureLink | None = None
        if kept:
            with self._database.read() as session:
                newest = self._pictures.show(report_queries.load_images(session, kept[-1:])[kept[-1]]).picture
        return about_camera(
            self._means, camera_id, out=self._out, card=card, stored=stored, newest=newest, sweep=self._made.swept
        )

    def _families(self, layout: _Layout, parts: Sequence[pagination.GroupPart]) -> tuple[DuplicateGroup, ...]:
        ids = list(
            {image for part in parts for image in (part.head, *(layout.decided[at].image_id for at in part.members))}
        )
        decisions = [layout.decided[at].decision_id for part in parts for at in part.members]
        with self._database.read() as session:
            facts = report_queries.load_images(session, ids)
            removals = report_queries.load_removals(session, ids)
            pairs = {pair.image_id: pair for pair in report_queries.load_pairs(session, decisions).values()}
        self._pictures.make(list(facts.values()), removals, advance=self._advance)
        shown = {image: self._pictures.show(one) for image, one in facts.items()}
        return tuple(
            DuplicateGroup(
                head=shown[part.head],
                reason="kept" if facts[part.head].state is ImageState.READY else str(facts[part.head].state),
                members=tuple(
                    Member(shown[image], pairs[image].score, pairs[image].reason, layout.pair_hrefs[image])
                    for image in (layout.decided[at].image_id for at in part.members)
                ),
                start=part.start,
                total=part.total,
                removed=sum(layout.decided[at].removed for at in part.members),
            )
            for part in parts
        )

    def _pairs(self, pairs: Sequence[PairFacts], strip_hrefs: dict[int, str]) -> tuple[PairView, ...]:
        ids = list({image for pair in pairs for image in (pair.image_id, pair.other_id)})
        with self._database.read() as session:
            facts = report_queries.load_images(session, ids)
            removals = report_queries.load_removals(session, ids)
            stored = {one.id: one for one in profiles.list_profiles(session)}  # one may have been made meanwhile
        shown = {image: self._pictures.show(one) for image, one in facts.items()}
        material = Material(tuple(pairs), facts, shown, removals, strip_hrefs)
        return tuple(pair_views(self._database, self._out, self._means.spread, stored=stored, material=material))

    def _borderline(self, close: Sequence[PairFacts], strip_hrefs: dict[int, str]) -> None:
        with self._database.read() as session:
            facts = report_queries.load_images(
                session, [image for pair in close for image in (pair.image_id, pair.other_id)]
            )
        ranges = pagination.pair_pages(
            len(facts[pair.image_id].path) + len(facts[pair.other_id].path) for pair in close
        )
        for number, places in enumerate(ranges, start=1):
            page = PageNumber(number, len(ranges), "borderline.html", "borderline")
            pairs = self._pairs([close[at] for at in places], strip_hrefs)
            self._write(page.file(number), rendering.render_pairs(PairsPage(self._site, page, None, pairs)))

    def _overview(self, cards: Sequence[CameraCard]) -> None:
        total = _total(cards)
        ranges = pagination.card_pages(len(cards)) or [range(0)]
        for number, places in reversed(list(enumerate(ranges, start=1))):
            page = PageNumber(number, len(ranges), "index.html", "overview")
            shown = tuple(cards[at] for at in places)
            self._write(
                page.file(number), rendering.render_overview(Overview(self._site, page, shown, total, len(cards)))
            )

    def _write(self, name: str, text: str) -> None:
        self._out.write(name, text.encode("utf-8"))
        self._made.pages += 1


def _lay_out(folder: str, decided: list[DecidedImage]) -> _Layout:
    """Which image and which pair is on which page of a camera."""
    parts = list(pagination.divide_groups(_families(decided)))
    pages = pagination.strip_pages(parts)
    strip_hrefs = dict[int, str]()
    for number, page in enumerate(pages, start=1):
        file = PageNumber(number, len(pages), "index.html", "strip").file(number)
        for part in page:
            strip_hrefs.setdefault(part.head, f"{folder}/{file}#image-{part.head}")
    signs = {one.image_id: one.path_length for one in decided}
    places = [at for page in pages for part in page for at in part.members]
    ranges = pagination.pair_pages(
        decided[at].path_length + signs.get(decided[at].keeper_id or 0, 4096) for at in places
    )
    pair_hrefs = {
        decided[at].image_id: f"{_pairs_file(number)}#{pair_key(decided[at].image_id, decided[at].keeper_id or 0)}"
        for number, page_places in enumerate(ranges, start=1)
        for at in map(places.__getitem__, page_places)
    }
    return _Layout(folder, decided, pages, strip_hrefs, places, ranges, pair_hrefs)


def _families(decided: Sequence[DecidedImage]) -> Iterator[tuple[int, list[int]]]:
    """Every image that is kept or named as keeper, in time, with the places of its duplicates."""
    members = dict[int, list[int]]()
    for at, one in enumerate(decided):
        if one.keeper_id is not None:
            members.setdefault(one.keeper_id, []).append(at)
    for one in decided:
        if one.keeper_id is None or one.image_id in members:
            yield one.image_id, members.pop(one.image_id, [])
    yield from members.items()  # keepers that are neither there nor removed


def _pairs_file(number: int) -> str:
    return PageNumber(number, number, "pairs.html", "pairs").file(number)


def _card(
    summary: CameraSummary, number: int, stored: StoredProfile, hours: Sequence[report_queries.HourCount]
) -> CameraCard:
    counted = {hour.hour: Hour(hour.captured, hour.kept) for hour in hours}
    return CameraCard(
        name=summary.camera,
        folder=f"cameras/{number}",
        profile=stored.profile.name,
        images=summary.images,
        kept=summary.kept,
        duplicates=summary.duplicates,
        undecided=summary.undecided,
        unreadable=summary.unreadable,
        missing=summary.missing,
        removed=summary.removed,
        size_bytes=summary.size_bytes,
        first_captured_at=summary.first_captured_at,
        last_captured_at=summary.last_captured_at,
        hours=tuple(counted.get(hour, Hour()) for hour in range(24)),
    )


def _total(cards: Sequence[CameraCard]) -> CameraCard:
    names = ("images", "kept", "duplicates", "undecided", "unreadable", "missing", "removed", "size_bytes")
    sums = {name: sum(getattr(card, name) for card in cards) for name in names}
    return CameraCard(name="", folder="", profile="", first_captured_at=None, last_captured_at=None, **sums)
