"""Signatures: the means of small blocks of a thumbnail. They prove most pairs dissimilar without the thumbnails.

It promises an exact bound: no pair whose score is within the record limit is ever proved. If the means of a block
differ by more than the threshold, so does one of its pixels. The dilation spreads this pixel over its whole block, as
it reaches as far as the block is wide, less one. So the changed blocks, with all their pixels, lie in the dilated
difference. As the score is monotone, it is at least that of these blocks. What counts as an area of one among blocks
(`indexer.imaging.kernel.components`) counts as at least `BLOCK_PX` squared among their pixels.

Decision 0046: signatures of keepers are stored, and searched by the same machine code as thumbnails.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import ScoringParameters
from indexer.imaging.matching import CompiledSearch, MatchTask

BLOCK_PX = 3
"""Width and height of a block. With two dilations, as all built-in profiles have, a larger one would prove nothing."""
_CHECKSUM_BYTES = 4


def can_prove(scoring: ScoringParameters) -> bool:
    """Whether signatures prove anything about pairs that are scored like this: a pixel is spread over its block, and no
    features make a large area score 0."""
    return not scoring.native and not scoring.has_features and scoring.dilations >= BLOCK_PX - 1


def signature_shape(thumbnail_shape: tuple[int, int], *, planes: int) -> tuple[int, int]:
    """The (height, width) of the signature of a thumbnail of this (height, width) with so many planes."""
    height, width = thumbnail_shape
    return planes * (height // planes // BLOCK_PX), width // BLOCK_PX


def signature_of(thumbnail: NDArray[np.uint8], *, planes: int) -> NDArray[np.uint8]:
    """The mean of each whole block of each plane, rounded down: `signature_shape`, uint8.

    Two means that were rounded down differ by more than an integer threshold only if the exact means do.

    Parameters
    ----------
    thumbnail : (planes * H, W), uint8
    planes : int, at least 1
    """
    rows, width = thumbnail.shape[0] // planes // BLOCK_PX, thumbnail.shape[1] // BLOCK_PX
    split = thumbnail.reshape(planes, thumbnail.shape[0] // planes, thumbnail.shape[1])
    whole = split[:, : rows * BLOCK_PX, : width * BLOCK_PX]
    sums = np.zeros((planes, rows, width), dtype=np.uint16)
    for row in range(BLOCK_PX):
        for column in range(BLOCK_PX):
            sums += whole[:, row::BLOCK_PX, column::BLOCK_PX]
    return (sums // BLOCK_PX**2).astype(np.uint8).reshape(planes * rows, width)


def encode_signature(signature: NDArray[np.uint8]) -> bytes:
    """The signature as it is stored: its rows, and a checksum."""
    data = signature.tobytes()
    return data + zlib.crc32(data).to_bytes(_CHECKSUM_BYTES, "big")


def decode_signature(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    """The stored signature of this (height, width); None if it is corrupt, or of another size."""
    pixels, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if len(pixels) != shape[0] * shape[1] or zlib.crc32(pixels).to_bytes(_CHECKSUM_BYTES, "big") != checksum:
        return None
    return np.frombuffer(pixels, dtype=np.uint8).reshape(shape)


def unproved(search: CompiledSearch, task: MatchTask, *, thumbnail_shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which candidates are not proved to score above the record limit: (M,), bool.

    Parameters
    ----------
    search : CompiledSearch
    task : MatchTask
        Among signatures: of one image, and by offset of its candidates. The scoring is that of the thumbnails.
    thumbnail_shape : (height, width)
        Of all these images.
    """
    if 0 in (task.image.height, task.image.width):  # the thumbnail has no whole block
        return np.ones(len(task.candidates), dtype=np.bool_)
    return ~search.exceeds(task, of_shape=thumbnail_shape, pixels_per_area=BLOCK_PX**2)
