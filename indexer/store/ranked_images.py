"""The images that a comparison ranks: those of a camera, each with its pin and the shape of its thumbnail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from indexer.domain.images import Image, ImageState
from indexer.files.system_folders import count_system_folders
from indexer.store.pins import is_pinned, is_pinned_without_removals
from indexer.store.tables import ImageRow, ThumbnailRow


def list_present(
    session: Session, camera_id: int, *, preparation_id: int | None, with_removed: bool = False
) -> list[Image]:
    """The ready images of a camera, in no particular order.

    The shape of an image is that of its thumbnail in this preparation; None if it has no such thumbnail.
    `with_removed`: as if nothing had been removed, so with the removed images that have a thumbnail, and without the
    pins of their keepers.
    """
    by_camera = list_present_by_camera(session, [camera_id], preparation_id=preparation_id, with_removed=with_removed)
    return by_camera[camera_id]


def list_removed(session: Session, camera_id: int) -> list[Image]:
    """The removed images of a camera that were decoded once; without a shape."""
    query = _select_images(None, pinned=is_pinned_without_removals(ImageRow.id))
    query = query.where(
        ImageRow.camera_id == camera_id, ImageRow.state == ImageState.REMOVED, ImageRow.sharpness.is_not(None)
    )
    return [_present_image(*row) for _, *row in session.execute(query)]


def list_present_by_camera(
    session: Session, camera_ids: Sequence[int], *, preparation_id: int | None, with_removed: bool = False
) -> dict[int, list[Image]]:
    """The ready images of each of a few cameras, as `list_present` gives them, by camera id."""
    is_counted = ImageRow.state == ImageState.READY
    pinned = is_pinned(ImageRow.id)
    if with_removed:
        was_decoded = ImageRow.sharpness.is_not(None) & ThumbnailRow.image_id.is_not(None)
        is_counted = or_(is_counted, (ImageRow.state == ImageState.REMOVED) & was_decoded)
        pinned = is_pinned_without_removals(ImageRow.id)
    query = _select_images(preparation_id, pinned=pinned).where(ImageRow.camera_id.in_(camera_ids), is_counted)
    present: dict[int, list[Image]] = {camera_id: [] for camera_id in camera_ids}
    for camera_id, *row in session.execute(query):
        present[camera_id].append(_present_image(*row))
    return present


def _select_images(preparation_id: int | None, *, pinned: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The camera of images, and the arguments of `_present_image`."""
    return select(
        ImageRow.camera_id,
        ImageRow.id,
        ImageRow.path,
        ImageRow.width,
        ImageRow.height,
        ImageRow.sharpness,
        ImageRow.content_hash,
        ImageRow.captured_at,
        pinned.label("pinned"),
        ThumbnailRow.height.label("thumbnail_height"),
        ThumbnailRow.width.label("thumbnail_width"),
        ThumbnailRow.flat,
    ).outerjoin(
        ThumbnailRow,
        (ThumbnailRow.image_id == ImageRow.id) & (ThumbnailRow.preparation_id == preparation_id),
    )


def _present_image(
    image_id: int,
    path: str,
    width: int | None,
    height: int | None,
    sharpness: float | None,
    content_hash: str,
    captured_at: datetime | None,
    pinned: bool,
    thumbnail_height: int | None,
    thumbnail_width: int | None,
    flat: bool | None,
) -> Image:
    assert width is not None
    assert height is not None
    assert sharpness is not None
    shape = None if thumbnail_height is None or thumbnail_width is None else (thumbnail_height, thumbnail_width)
    return Image(
        image_id,
        path,
        width,
        height,
        sharpness,
        content_hash,
        captured_at,
        pinned=bool(pinned),
        shape=shape,
        flat=bool(flat),
        system_folders=count_system_folders(path),
    )
