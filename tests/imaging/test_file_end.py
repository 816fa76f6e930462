"""Pictures of which the rest was not written yet, in a file that has its full length already."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.domain.descriptions import FileDescription, Limits
from indexer.imaging.file_description import describe_image
from indexer.imaging.formats import reads_avif

_GREY = np.random.default_rng(3).integers(60, 200, (96, 128, 3), np.uint8)
SAVED: dict[str, tuple[str, dict[str, Any]]] = {
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "tiff lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff jpeg": ("TIFF", {"compression": "jpeg"}),
    "webp": ("WEBP", {"quality": 80}),
    "webp lossless": ("WEBP", {"lossless": True}),
    "png": ("PNG", {}),
    "jpeg": ("JPEG", {}),
    "jpeg progressive": ("JPEG", {"progressive": True}),
    "avif": ("AVIF", {"quality": 80}),
}
UNNOTICED = {"bmp", "tiff", "webp", "webp lossless"}
"""Those whose decoders take zeros for a picture."""


def saved(kind: str, picture: NDArray[np.uint8] = _GREY) -> bytes:
    """A picture as Pillow saves it."""
    form, options = SAVED[kind]
    if form == "AVIF" and not reads_avif():
        pytest.skip("needs AVIF in OpenCV and Pillow")
    file = io.BytesIO()
    Image.fromarray(picture).save(file, form, **options)
    return file.getvalue()


def describe(data: bytes) -> FileDescription:
    """What the bytes of a file show."""
    return describe_image(data, description=FileDescription("x"), recipes=[], limits=Limits(), levels=None)


@pytest.mark.parametrize("kind", SAVED)
def test_no_file_with_zeros_at_its_end_passes_for_whole(kind: str) -> None:
    """Wherever the writing stopped, the picture is refused, or it is said that its end may be missing."""
    data = saved(kind)
    for part in range(1, 16):
        end = min(len(data) * part // 16, len(data) - 64)
        described = describe(data[:end] + bytes(len(data) - end))
        assert described.state in {"damaged", "unreadable"} or described.may_lack_its_end
        assert described.may_lack_its_end == (described.state == "ready" and kind in UNNOTICED)


@pytest.mark.parametrize("kind", SAVED)
def test_a_whole_picture_lacks_nothing(kind: str) -> None:
    """A whole picture is taken as it is, also with zeros behind its own end; those of a TIFF have no known end."""
    data = saved(kind)
    assert [describe(data).state, describe(data).may_lack_its_end] == ["ready", False]
    padded = describe(data + bytes(4096))
    assert (padded.state, padded.may_lack_its_end) == ("ready", kind.startswith("tiff"))


def test_a_black_edge_may_be_a_missing_end() -> None:
    """A BMP begins with its lowest row: one that is black at the top cannot be told apart from one that was not written
    to its end, and stays `ready`."""
    black = _GREY.copy()
    black[:8] = 0
    described = describe(saved("bmp", black))
    assert (described.state, described.may_lack_its_end) == ("ready", True)
