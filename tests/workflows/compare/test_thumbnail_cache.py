"""Decoded thumbnails are kept in bounded space."""

from indexer.domain.camera_images import CameraImages
from indexer.domain.images import Image
from indexer.imaging.image_buffer import ImageBuffer, required_bytes
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache

SHAPE = (4, 64)
SIZE_BYTES = required_bytes([SHAPE])


def images(*ids: int) -> CameraImages:
    """Images with thumbnails of one shape."""
    return CameraImages.of([Image(number, f"/{number}", 640, 480, 1.0, "", shape=SHAPE) for number in ids])


def fill(cache: ThumbnailCache, wanted: CameraImages) -> ImageBuffer:
    """Adds the thumbnails of images that are missing; gives the buffer."""
    buffer = cache.reserve(wanted, preparation_id=1)
    slots = cache.slots(1)
    for image in wanted:
        if (image.id, image.content_hash) not in slots:
            slots[image.id, image.content_hash] = buffer.reserve(*SHAPE)
    return buffer


def test_thumbnails_are_kept_while_there_is_space() -> None:
    """What was added stays until the space is used up; then the cache begins empty again."""
    with ThumbnailCache(capacity_bytes=4 * SIZE_BYTES) as cache:
        buffer = fill(cache, images(1, 2))
        assert fill(cache, images(2, 3, 4)) is buffer
        assert {image_id for image_id, _ in cache.slots(1)} == {1, 2, 3, 4}
        assert fill(cache, images(5)) is not buffer
        assert {image_id for image_id, _ in cache.slots(1)} == {5}
    assert cache.slots(1) == {}


def test_a_camera_that_needs_more_gets_more() -> None:
    """The space is never too small for the images that one comparison needs."""
    with ThumbnailCache(capacity_bytes=SIZE_BYTES) as cache:
        fill(cache, images(*range(9)))
        assert len(cache.slots(1)) == 9


def test_space_of_a_comparison_that_failed_counts() -> None:
    """What was reserved and never kept, as of a corrupt thumbnail, is used all the same: no slot is beyond the end."""
    with ThumbnailCache(capacity_bytes=4 * SIZE_BYTES) as cache:
        buffer = cache.reserve(images(1, 2), preparation_id=1)
        for _ in range(2):
            buffer.reserve(*SHAPE)
        fill(cache, images(1, 2))
        last = fill(cache, images(3))
        assert last is not buffer
        assert {image_id for image_id, _ in cache.slots(1)} == {3}
        assert last.remaining_bytes == 3 * SIZE_BYTES


def test_preparations_are_kept_apart() -> None:
    """The thumbnail of an image in another preparation is another one."""
    with ThumbnailCache(capacity_bytes=4 * SIZE_BYTES) as cache:
        fill(cache, images(1))
        assert cache.slots(2) == {}
