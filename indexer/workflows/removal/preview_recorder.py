"""The previews that a prune keeps of the files it removes and of their keepers, made while it checks the files.

It promises that

- a preview shows the very bytes that were verified against the index;
- no file is read once more for it; and
- a preview that cannot be made or stored stops nothing: a removal needs none.

Each image gets one preview, made the first time.

Decision 0035: previews are decoded in this process, unlike new files.
"""

from collections.abc import Iterable
from dataclasses import replace

from indexer.domain.descriptions import Limits, Preview
from indexer.domain.removal import IndexedFile
from indexer.files.verification import ContentDigest, FileIdentity, verify, verify_and_read
from indexer.imaging.previews import find_preview
from indexer.store import previews
from indexer.store.database import Session

MAX_PREVIEW_PIXELS, MAX_PREVIEW_BYTES = 50_000_000, 128 * 2**20
"""The largest image and file that get a preview, whatever the limits of ingest: 150 MB in colour, and the file."""


class PreviewRecorder:
    """Previews that wait to be written into the index; `recorded_ids`: the images that already have one."""

    def __init__(self, recorded_ids: Iterable[int], *, limits: Limits) -> None:
        self._done_ids = set(recorded_ids)
        self._limits = replace(
            limits,
            max_pixels=min(MAX_PREVIEW_PIXELS, limits.max_pixels),
            max_bytes=min(MAX_PREVIEW_BYTES, limits.max_bytes),
        )
        self._unwritten: dict[int, Preview] = {}

    def check(self, file: IndexedFile) -> FileIdentity:
        """As `indexer.files.verification.verify`; if the image has no preview yet, the verified bytes give one."""
        expected = ContentDigest(file.size_bytes, file.content_hash)
        if file.image_id in self._done_ids or file.size_bytes > self._limits.max_bytes:
            return verify(file.path, expected=expected)
        identity, data = verify_and_read(file.path, expected=expected)
        preview = find_preview(data, limits=self._limits)
        self._done_ids.add(file.image_id)
        if preview is not None:
            self._unwritten[file.image_id] = preview
        return identity

    def write(self, session: Session) -> None:
        """Writes the previews made since the last call; those that the database cannot store are dropped."""
        if self._unwritten:
            previews.add_pictures(session, self._unwritten)
        self._unwritten.clear()
