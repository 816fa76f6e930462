"""Decoded thumbnails and signatures that a process keeps from one comparison of a camera to the next.

It promises bounded space, and thumbnails that are those of the index: they are kept by image id and content hash, and
those of one content never change. An id alone is not enough: SQLite gives the ids of forgotten images to new ones. So
nothing that other commands write makes a cached thumbnail wrong. Rows and decisions are not kept: they are read for
each comparison.
"""

from collections.abc import MutableMapping
from types import TracebackType

from indexer.domain.camera_images import CameraImages, ImageKey
from indexer.imaging.image_buffer import ImageBuffer, Slot, row_bytes
from indexer.workflows.compare.camera_task import MAX_BUFFER_BYTES
from indexer.workflows.compare.sieve import SignatureBuffer

CAPACITY_BYTES = 1 << 30
"""Bytes of thumbnails that a process keeps, on the disk for temporary files; more only where one camera needs more."""


class ThumbnailCache:
    """A context manager that frees its space. `capacity_bytes`: bytes of thumbnails after which it begins empty again.

    `signatures` are kept in bounded space of their own.
    """

    def __init__(self, *, capacity_bytes: int = 0) -> None:
        self.signatures = SignatureBuffer()
        self._capacity_bytes = capacity_bytes
        self._buffer: ImageBuffer | None = None
        self._slots: dict[int, dict[ImageKey, Slot]] = {}

    def __enter__(self) -> "ThumbnailCache":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
        self.signatures.clear()

    def clear(self) -> None:
        """Frees all thumbnails."""
        buffer, self._buffer, self._slots = self._buffer, None, {}
        if buffer is not None:
            buffer.__exit__(None, None, None)

    def reserve(self, images: CameraImages, *, preparation_id: int) -> ImageBuffer:
        """The buffer, with space for those of these images that it lacks; a new, empty one if there is no space."""
        slots = self._slots.get(preparation_id, {})
        sizes = (images.thumbnail_heights * row_bytes(images.thumbnail_widths)).tolist()
        lacking = (size for key, size in zip(images.image_keys(), sizes, strict=True) if key not in slots)
        if self._buffer is None or sum(lacking) > self._buffer.remaining_bytes:
            self.clear()
            buffer_bytes = max(2 * sum(sizes), self._capacity_bytes)
            self._buffer = ImageBuffer(buffer_bytes, shared=buffer_bytes > MAX_BUFFER_BYTES)
        return self._buffer

    def slots(self, preparation_id: int) -> MutableMapping[ImageKey, Slot]:
        """The slots of the buffer by image key, of one preparation, to be read and added to."""
        return self._slots.setdefault(preparation_id, {})
