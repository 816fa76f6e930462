"""Searches among many keepers: signatures prove most of them dissimilar, and only the others are loaded.

It promises the match of a search without signatures, evidence included: what is proved is above the record limit. It
writes nothing, and makes no decisions.

Decision 0046: signatures of keepers are stored, and searched by the same machine code as thumbnails.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
from numpy.typing import NDArray

from indexer.domain.camera_images import CameraImages, ImageKey
from indexer.domain.evidence import ScoringParameters
from indexer.domain.keeper_index import IndexArray
from indexer.execution import ParallelMap
from indexer.imaging.image_buffer import ImageBuffer, Slot, required_bytes, view
from indexer.imaging.matching import CompiledSearch, Match, MatchTask, compiled_search
from indexer.imaging.signatures import decode_signature, signature_of, signature_shape, unproved
from indexer.workflows.compare.prepared_images import Fetch, PreparedImages
from indexer.workflows.compare.searcher import LocalSearcher, SearchRequest

MIN_KEEPERS = 2000
"""Where fewer images are kept, all are decoded before the machine code that reads signatures would be loaded."""
MIN_CANDIDATES = 256
"""A search among fewer keepers loads them all: they are the nearest in time, and most images are compared with them."""
CAPACITY_BYTES = 1 << 28
"""Bytes of signatures in memory: some 30 000. Keepers beyond are loaded, as those without a signature are."""
SPARE_BYTES = 1 << 20
"""Bytes beyond the capacity, for images that are searched: one signature of each shape."""
_PAGE_SIZE = 500
_ABSENT = -1  # the offset of a signature that is not in the buffer


class SignatureBuffer:
    """Signatures of images, by their keys, in bounded memory of this process.

    There is space for the signature of the image that is searched, too, however many others are there.
    """

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._capacity_bytes = capacity_bytes
        self._buffer: ImageBuffer | None = None
        self._used_bytes = 0
        self._preparation_id: int | None = None
        self._spare_shapes = set[tuple[int, int]]()
        self.slots: dict[ImageKey, Slot] = {}

    def clear(self) -> None:
        """Frees all signatures."""
        if self._buffer is not None:
            self._buffer.__exit__(None, None, None)
        self._buffer, self._used_bytes, self._spare_shapes, self.slots = None, 0, set(), {}

    def reserve(self, shapes: Mapping[ImageKey, tuple[int, int]], *, preparation_id: int) -> None:
        """Makes space for the signatures of keepers, of these (height, width), as far as there is any.

        Begins empty again if signatures of another preparation are here, or if those of other images leave too little.
        """
        missing_bytes = required_bytes([shape for key, shape in shapes.items() if key not in self.slots])
        is_too_full = self._used_bytes + missing_bytes > self._capacity_bytes
        if preparation_id != self._preparation_id or (is_too_full and self.slots.keys() - shapes.keys()):
            self.clear()
        self._preparation_id = preparation_id

    def add(self, key: ImageKey, signature: NDArray[np.uint8]) -> bool:
        """Adds the signature of an image, (H, W), uint8; False if there is no space for it."""
        size_bytes = required_bytes([(signature.shape[0], signature.shape[1])])
        if self._used_bytes + size_bytes > self._capacity_bytes:
            return False
        self.slots[key] = self._memory().put(signature)
        self._used_bytes += size_bytes
        return True

    @contextmanager
    def spare(self, signature: NDArray[np.uint8]) -> Iterator[Slot | None]:
        """A slot with the signature of a searched image until the block ends; None if searched images had too many
        shapes."""
        shapes = self._spare_shapes | {(signature.shape[0], signature.shape[1])}
        if required_bytes([*shapes]) > SPARE_BYTES:
            yield None
            return
        self._spare_shapes, buffer = shapes, self._memory()
        slot = buffer.put(signature)
        try:
            yield slot
        finally:
            buffer.free(slot)

    def _memory(self) -> ImageBuffer:
        if self._buffer is None:
            self._buffer = ImageBuffer(self._capacity_bytes + SPARE_BYTES, shared=False)
        return self._buffer


class SievedSearcher(LocalSearcher):
    """Searches of this process. `fetch` loads stored signatures by image id; they are kept in `signatures`."""

    def __init__(
        self,
        prepared: PreparedImages,
        *,
        scoring: ScoringParameters,
        executor: ParallelMap,
        ranked: CameraImages,
        signatures: SignatureBuffer,
        fetch: Fetch,
    ) -> None:
        super().__init__(prepared, scoring=scoring, executor=executor)
        self._ranked = ranked
        self._signatures = signatures
        self._fetch = fetch
        self._offsets = np.full(len(ranked), _ABSENT, dtype=np.int64)
        self._asked = np.zeros(len(ranked), dtype=np.bool_)
        for index, key in enumerate(ranked.image_keys()):
            self._note(index, key)

    def search_local(self, index: int, others: IndexArray) -> Match:
        """The match of one search."""
        search = compiled_search(len(others)) if len(others) >= MIN_CANDIDATES else None
        if search is None:
            return super().search_local(index, others)
        with self._signature(index) as signature:
            if signature is None:
                return super().search_local(index, others)
            self._load(others)
            positions = np.flatnonzero(self._unproved(search, signature, others, self._thumbnail_shape(index)))
        match = super().search_local(index, others[positions])
        compared = int(positions[match.compared - 1]) + 1 if match.matched else len(others)
        return Match(
            compared, match.matched, tuple((int(positions[number]), found) for number, found in match.evidence)
        )

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """The matches of searches, in order."""
        return [self.search_local(index, others) for index, others in requests]

    def prove(self, index: int, others: IndexArray) -> NDArray[np.bool_]:
        """Which of `others` are proved by signatures to be above the record limit: (M,), bool.

        As `search_local`, it asks no signatures for a few: where none is stored, that would cost more than it saves.
        """
        search = compiled_search(len(others)) if len(others) >= MIN_CANDIDATES else None
        if search is None:
            return super().prove(index, others)
        with self._signature(index) as signature:
            if signature is None:
                return super().prove(index, others)
            self._load(others)
            return ~self._unproved(search, signature, others, self._thumbnail_shape(index))

    def _unproved(
        self, search: CompiledSearch, signature: Slot, others: IndexArray, thumbnail_shape: tuple[int, int]
    ) -> NDArray[np.bool_]:
        """Which of `others` are not proved to be above the record limit: (M,), bool."""
        offsets = self._offsets[others]
        has_signature = offsets != _ABSENT
        remaining: NDArray[np.bool_] = ~has_signature
        task = MatchTask(signature, offsets[has_signature], self._scoring)
        remaining[has_signature] = unproved(search, task, thumbnail_shape=thumbnail_shape)
        return remaining

    def _signature(self, index: int) -> AbstractContextManager[Slot | None]:
        """The slot of an image's signature. If none is stored, it is made from the thumbnail, for this search alone."""
        self._load(np.array([index], dtype=np.int64))
        stored = self._signatures.slots.get(self._ranked.image_key(index))
        if stored is not None:
            return nullcontext(stored)
        thumbnail = self._prepared.task(index, np.empty(0, dtype=np.int64), self._scoring).image
        return self._signatures.spare(signature_of(view(thumbnail), planes=self._scoring.planes))

    def _load(self, indices: IndexArray) -> None:
        """Loads those signatures that were not asked for before, as far as there are any, and space for them."""
        lacking = indices[~self._asked[indices]]
        self._asked[lacking] = True
        for begin in range(0, len(lacking), _PAGE_SIZE):
            page = lacking[begin : begin + _PAGE_SIZE]
            ids = self._ranked.ids[page].tolist()
            stored = self._fetch(ids)
            for index, image_id in zip(page.tolist(), ids, strict=True):
                shape = signature_shape(self._thumbnail_shape(index), planes=self._scoring.planes)
                signature = decode_signature(stored[image_id], shape) if image_id in stored else None
                key = self._ranked.image_key(index)
                if signature is not None and self._signatures.add(key, signature):
                    self._note(index, key)

    def _note(self, index: int, key: ImageKey) -> None:
        slot = self._signatures.slots.get(key)
        if slot is not None:
            self._offsets[index] = slot.offset
            self._asked[index] = True

    def _thumbnail_shape(self, index: int) -> tuple[int, int]:
        return int(self._ranked.thumbnail_heights[index]), int(self._ranked.thumbnail_widths[index])
