"""A report as one file, to be sent to a phone: the numbers of the cameras, and the pairs closest to the limit.

It promises that the file needs nothing else, and that it replaces no file but an earlier report of this kind.
"""

import base64
import os
from dataclasses import replace

from indexer.errors import FolderError
from indexer.execution import ParallelMap
from indexer.files import private
from indexer.store import cameras, profiles, report_queries, timezones
from indexer.store.borderline import list_borderline
from indexer.web import rendering
from indexer.web.view_models import (
    CameraCard,
    ImageView,
    OneFilePage,
    Overview,
    PageNumber,
    PairsPage,
    PairView,
    PictureLink,
    Site,
)
from indexer.workflows.context import ComparisonContext
from indexer.workflows.report.cards import camera_card, next_steps, total_card
from indexer.workflows.report.pairs import load_pair_views
from indexer.workflows.report.picture_cache import PictureCache
from indexer.workflows.report.pictures import LocalTimes, ReportPictures
from indexer.workflows.report.report import ReportResult
from indexer.workflows.report.site import make_site

MAX_PAIRS = 100
"""Most pairs in a file: half of them duplicates. They take some five megabytes."""
MAX_CAMERAS = 200
"""Most cameras in a file: those with the most images."""

_CACHE_BYTES = 2**30
_START = b"<!doctype html>"
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


def write_one_file(
    context: ComparisonContext,
    *,
    guarded_executor: ParallelMap,
    file: str,
    camera: str | None = None,
    local: bool = False,
    paths: bool = False,
) -> ReportResult:
    """Writes the report of all cameras, or of one, into one file.

    Raises
    ------
    FolderError
        If the file exists and is no such report, or if it cannot be written.
    CameraError
        If there is no such camera.
    """
    _require_replaceable(file)
    with context.database.read() as session:
        camera_id = None if camera is None else cameras.get_camera(session, camera)
        local_times = LocalTimes(timezones.list_timezones(session), local)
        closest = list_borderline(session, limit=MAX_PAIRS // 2, camera_id=camera_id)
        facts = list(report_queries.find_pairs(session, closest).values())
    store = PictureCache(_CACHE_BYTES)
    pictures = ReportPictures(context.database, store, guarded_executor, context.limits, local_times)
    pairs = [
        _with_data(view, store)
        for view in load_pair_views(pictures, context.executor, facts, strip_hrefs={}, make_pictures=True)
    ]
    cards = _list_cards(context, pictures, camera)
    total = total_card(cards)
    site = make_site(context, borderline=len(pairs), paths=paths)
    page = PageNumber(1, 1, "index.html", "index")
    shown = tuple(replace(card, picture=_picture_with_data(card, store)) for card in cards[:MAX_CAMERAS])
    overview = Overview(site, page, shown, total, len(cards), next_steps(total, borderline=len(pairs)))
    _write(file, _render(site, overview, PairsPage(site, page, None, tuple(pairs), len(pairs))))
    page_path = os.path.abspath(file)
    return ReportResult(
        os.path.dirname(page_path),
        page_path,
        cameras=len(cards),
        images=total.images,
        pairs=len(pairs),
        borderline=len(pairs),
        pages=1,
        pictures=pictures.counts,
        undecided=total.undecided,
    )


def _render(site: Site, overview: Overview, pairs: PairsPage) -> bytes:
    assets = {name: data.decode() for name, data in rendering.read_assets().items()}
    page = OneFilePage(site, overview, pairs, assets["style.css"], assets["report.js"])
    return rendering.render_one_file(page).encode()


def _list_cards(context: ComparisonContext, pictures: ReportPictures, camera: str | None) -> list[CameraCard]:
    """The cameras with the most images first, each with the picture of its newest kept image."""
    cards = []
    with context.database.read() as session:
        camera_ids = cameras.list_cameras(session)
        in_force = profiles.list_in_force(session, camera_ids)
        summaries = [one for one in cameras.list_summaries(session) if camera in {None, one.camera}]
        for summary in sorted(summaries, key=lambda one: -one.images):
            camera_id = camera_ids[summary.camera]
            captures = report_queries.iter_captures(session, camera_id)
            cards.append(camera_card(summary, camera_id, in_force[summary.camera], captures, local=pictures.local))
    return [_with_newest(context, pictures, card, camera_ids[card.name]) for card in cards]


def _with_newest(context: ComparisonContext, pictures: ReportPictures, card: CameraCard, camera_id: int) -> CameraCard:
    with context.database.read() as session:
        decided = report_queries.list_decided_images(session, camera_id)
        kept_ids = [image.image_id for image in decided if image.keeper_id is None and not image.removed]
        newest = report_queries.load_images(session, kept_ids[-1:])
    pictures.make(list(newest.values()), {}, advance=lambda _count: None)
    return replace(card, picture=next((pictures.image_view(facts).picture for facts in newest.values()), None))


def _with_data(view: PairView, store: PictureCache) -> PairView:
    """A pair whose pictures are in its addresses."""
    difference = None if view.difference is None else _data_uri(view.difference, store)
    return replace(
        view,
        image=_image_with_data(view.image, store),
        other=_image_with_data(view.other, store),
        difference=difference,
    )


def _image_with_data(image: ImageView, store: PictureCache) -> ImageView:
    href = image.picture.href
    return image if href is None else replace(image, picture=replace(image.picture, href=_data_uri(href, store)))


def _picture_with_data(card: CameraCard, store: PictureCache) -> PictureLink | None:
    picture = card.picture
    if picture is None or picture.href is None:
        return picture
    return replace(picture, href=_data_uri(picture.href, store))


def _data_uri(name: str, store: PictureCache) -> str:
    data = store.find(name) or b""
    return f"data:{_MEDIA_TYPES[name.rpartition('.')[2]]};base64,{base64.b64encode(data).decode()}"


def _require_replaceable(file: str) -> None:
    """Refuses a path that holds anything but an earlier report of this kind."""
    if os.path.isdir(file):
        raise FolderError(f"{file!r} is a folder; name a file, for example {os.path.join(file, 'report.html')!r}")
    try:
        with open(file, "rb") as existing:  # noqa: PTH123
            start = existing.read(2000)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise FolderError(f"the file {file!r} cannot be read: {problem.strerror}; name another") from problem
    if not start.startswith(_START) or b'name="generator" content="indexer ' not in start:
        raise FolderError(f"the file {file!r} is no report of indexer; name another")


def _write(file: str, data: bytes) -> None:
    try:
        private.replace(file, data, partial=f"{file}.part")
    except OSError as problem:
        raise FolderError(f"the file {file!r} cannot be written: {problem.strerror}; name another") from problem
