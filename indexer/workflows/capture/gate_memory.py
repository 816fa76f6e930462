"""The images that the first frames of a video or of a recording are compared with.

It promises that an image whose file is gone, or has other bytes, stands for nothing, whatever the index says of it.
"""

from indexer.domain.camera_images import ImageKey
from indexer.imaging.novelty import MemoryImage
from indexer.store import images, spans
from indexer.store.database import Database
from indexer.workflows.ingest.equal_rows import is_still_at_path


def find_memory(database: Database, camera_id: int, *, preparation_id: int) -> dict[ImageKey, MemoryImage]:
    """The latest images of a camera that are kept or not decided yet, and have their files; oldest first, by their
    keys."""
    with database.read() as session:
        latest = spans.list_latest_kept(session, camera_id, preparation_id=preparation_id)
        known = images.list_known(session, [image.path for image in latest])
    return {
        (image.image_id, known[image.path].content_hash): MemoryImage(image.path, image.thumbnail, image.flat)
        for image in latest
        if image.path in known and is_still_at_path(known[image.path])
    }
