"""What a comparison ranks, by column: the images of a camera, each with its pin and the shape of its thumbnail, and the
current decisions on them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, DateTime, Row, Select, exists, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from indexer.domain.camera_images import NO_IMAGE, CameraImages, DecisionColumns
from indexer.domain.images import ImageState
from indexer.files.system_folders import count_system_folders
from indexer.store.columns import BYTE_ORDERED, path_from_text
from indexer.store.pins import is_pinned, is_pinned_without_removals
from indexer.store.tables import DecisionRow, ImageRow, ThumbnailRow


def list_present(
    session: Session, camera_id: int, *, preparation_id: int | None, with_removed: bool = False
) -> CameraImages:
    """The ready images of a camera, in no particular order.

    The shape of an image is that of its thumbnail in this preparation; None if it has no such thumbnail.
    `with_removed`: the answer is as if nothing had been removed. Removed images that have a thumbnail are in it, and
    the pins of their keepers are not.
    """
    by_camera = list_present_by_camera(session, [camera_id], preparation_id=preparation_id, with_removed=with_removed)
    return by_camera[camera_id]


def list_removed(session: Session, camera_id: int) -> CameraImages:
    """The removed images of a camera that were decoded once; without a shape."""
    query = _select_images(None, pinned=is_pinned_without_removals(ImageRow.id))
    query = query.where(
        ImageRow.camera_id == camera_id, ImageRow.state == ImageState.REMOVED, ImageRow.sharpness.is_not(None)
    )
    return _make_columns(session.execute(query).all())


def list_present_by_camera(
    session: Session, camera_ids: Sequence[int], *, preparation_id: int | None, with_removed: bool = False
) -> dict[int, CameraImages]:
    """The ready images of each of a few cameras, as `list_present` gives them, by camera id."""
    is_counted = ImageRow.state == ImageState.READY
    pinned = is_pinned(ImageRow.id)
    if with_removed:
        was_decoded = ImageRow.sharpness.is_not(None) & ThumbnailRow.image_id.is_not(None)
        is_counted = or_(is_counted, (ImageRow.state == ImageState.REMOVED) & was_decoded)
        pinned = is_pinned_without_removals(ImageRow.id)
    query = _select_images(preparation_id, pinned=pinned).where(ImageRow.camera_id.in_(camera_ids), is_counted)
    rows: dict[int, list[Row[Any]]] = {camera_id: [] for camera_id in camera_ids}
    for row in session.execute(query):
        rows[row[0]].append(row)
    return {camera_id: _make_columns(camera_rows) for camera_id, camera_rows in rows.items()}


def list_images(
    session: Session, image_ids: Sequence[int], *, preparation_id: int | None, page_size: int
) -> CameraImages:
    """Those of these images that are ready, as `list_present` gives them; `page_size` of them are asked for at once."""
    query = _select_images(preparation_id, pinned=is_pinned(ImageRow.id)).where(ImageRow.state == ImageState.READY)
    pages = (image_ids[begin : begin + page_size] for begin in range(0, len(image_ids), page_size))
    return _make_columns([row for page in pages for row in session.execute(query.where(ImageRow.id.in_(page)))])


def list_newest_ids(session: Session, camera_id: int, *, preparation_id: int | None = None, limit: int) -> list[int]:
    """The ids of the newest ready images of a camera, the newest first; those without a time come last.

    `preparation_id`: only of those that have a thumbnail of this preparation.
    """
    query = select(ImageRow.id).where(ImageRow.camera_id == camera_id, ImageRow.state == ImageState.READY)
    if preparation_id is not None:
        has_thumbnail = exists().where(
            ThumbnailRow.image_id == ImageRow.id, ThumbnailRow.preparation_id == preparation_id
        )
        query = query.where(has_thumbnail)
    order = (ImageRow.captured_at.desc().nulls_last(), ImageRow.id.desc())
    return list(session.scalars(query.order_by(*order).limit(limit)))


def list_decisions(session: Session, camera_id: int) -> DecisionColumns:
    """The current decisions on the ready images of a camera."""
    query = (
        _SELECT_DECISIONS.join(ImageRow, ImageRow.id == DecisionRow.image_id)
        .where(ImageRow.camera_id == camera_id, ImageRow.state == ImageState.READY)
        .order_by(DecisionRow.image_id)
    )
    return _make_decisions(session.execute(query).all())


def list_decisions_of(session: Session, image_ids: Sequence[int], *, page_size: int) -> DecisionColumns:
    """The current decisions on these images; `page_size` of them are asked for at once."""
    ordered = sorted(image_ids)
    pages = (ordered[begin : begin + page_size] for begin in range(0, len(ordered), page_size))
    rows = (
        row
        for page in pages
        for row in sorted(session.execute(_SELECT_DECISIONS.where(DecisionRow.image_id.in_(page))), key=_image_id)
    )
    return _make_decisions(list(rows))


_SELECT_DECISIONS = select(
    DecisionRow.image_id,
    DecisionRow.profile_id,
    DecisionRow.reason,
    DecisionRow.keeper_id,
    DecisionRow.score,
    DecisionRow.reach_class,
).where(DecisionRow.superseded_at.is_(None))


def _image_id(row: Row[*tuple[Any, ...]]) -> int:
    return int(row[0])


def _make_decisions(rows: Sequence[Row[*tuple[Any, ...]]]) -> DecisionColumns:
    image_ids, profile_ids, reasons, keeper_ids, scores, reach_classes = zip(*rows, strict=True) if rows else ((),) * 6
    return DecisionColumns(
        image_ids=image_ids,
        keeper_ids=[NO_IMAGE if keeper_id is None else keeper_id for keeper_id in keeper_ids],
        profile_ids=profile_ids,
        reach_classes=[NO_IMAGE if reach_class is None else reach_class for reach_class in reach_classes],
        reasons=reasons,
        scores=scores,
    )


def _select_images(preparation_id: int | None, *, pinned: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The columns that `_make_columns` reads.

    Paths and times are as the database has them: to convert each of a million values by itself takes seconds.
    """
    return select(
        ImageRow.camera_id,
        ImageRow.id,
        ImageRow.width,
        ImageRow.height,
        ImageRow.sharpness,
        ImageRow.content_hash,
        type_coerce(ImageRow.path, BYTE_ORDERED),
        type_coerce(ImageRow.captured_at, DateTime()),
        pinned,
        func.coalesce(ThumbnailRow.height, 0),
        func.coalesce(ThumbnailRow.width, 0),
        ThumbnailRow.flat,
    ).outerjoin(
        ThumbnailRow,
        (ThumbnailRow.image_id == ImageRow.id) & (ThumbnailRow.preparation_id == preparation_id),
    )


def _make_columns(rows: Sequence[Row[Any]]) -> CameraImages:
    if not rows:
        return CameraImages.of([])
    (
        _,
        ids,
        widths,
        heights,
        sharpness,
        content_hashes,
        texts,
        times,
        pinned,
        thumbnail_heights,
        thumbnail_widths,
        flat,
    ) = zip(*rows, strict=True)
    paths = list(map(path_from_text, texts))
    return CameraImages(
        ids=ids,
        times_us=np.array(times, dtype="datetime64[us]").astype(np.int64),  # no time becomes NO_TIME
        widths=widths,
        heights=heights,
        sharpness=sharpness,
        pinned=pinned,
        flat=list(map(bool, flat)),
        system_folders=_count_system_folders(paths),
        thumbnail_heights=thumbnail_heights,
        thumbnail_widths=thumbnail_widths,
        content_hashes=content_hashes,
        paths=paths,
    )


def _count_system_folders(paths: Sequence[str]) -> list[int]:
    """The number of system folders above each path, counted once for each folder."""
    counts: dict[str, int] = {}
    for path in paths:
        folder = path[: path.rfind("/") + 1]
        if folder not in counts:
            counts[folder] = count_system_folders(path)
    return [counts[path[: path.rfind("/") + 1]] for path in paths]
