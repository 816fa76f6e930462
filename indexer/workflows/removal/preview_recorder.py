"""The pictures that a prune keeps of what it takes away and of what stands for it, made while it checks the files.

It promises that a picture is of the very bytes that were found as indexed, that no file is read once more for it, and
that a picture that cannot be made or kept stops nothing: a removal needs none. Each image has one, made the first time.

Decision: decoded in this process, where all other decoding of new files is done by workers that may die of it. Ingest
decoded these very bytes in such a worker; here the same decoder reads them in colour instead of grey, and smaller. What
is much larger than any camera's picture is left out: there the memory of this process would be at stake. Nothing is
moved or written down yet when a picture is made: if it should take the process with it, no file is lost.
"""

from collections.abc import Iterable
from dataclasses import replace

from indexer.domain.removal import IndexedFile
from indexer.files.verification import ContentDigest, FileIdentity, verify, verify_and_read
from indexer.imaging.headers import Limits
from indexer.imaging.previews import Preview, find_preview
from indexer.store import previews
from indexer.store.database import Session

MAX_PREVIEW_PIXELS, MAX_PREVIEW_BYTES = 50_000_000, 128 * 2**20
"""Of what pictures are made at most, whatever the limits of intake: 150 MB in colour, and the file."""


class PreviewRecorder:
    """Pictures on their way into the index; `there`: the images that have one."""

    def __init__(self, recorded_ids: Iterable[int], *, limits: Limits) -> None:
        self._done_ids = set(recorded_ids)
        self._limits = replace(
            limits,
            max_pixels=min(MAX_PREVIEW_PIXELS, limits.max_pixels),
            max_bytes=min(MAX_PREVIEW_BYTES, limits.max_bytes),
        )
        self._unwritten: dict[int, Preview] = {}

    def check(self, file: IndexedFile) -> FileIdentity:
        """As `files.checking.verify`; if the image has no picture yet, one is made of the bytes that were checked."""
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
        """Writes the pictures that were made since the last time; those that the database cannot take are given up."""
        if self._unwritten:
            previews.add_pictures(session, self._unwritten)
        self._unwritten.clear()
