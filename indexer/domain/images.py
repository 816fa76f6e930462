"""An image as the decision rule sees it: plain facts, no pixels.

It does not know where images are stored, nor how these facts were measured.
"""

import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ImageState(StrEnum):
    """The state of an image file; only `ready` images are scored and decided, or are keepers."""

    READY = "ready"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    TOO_SMALL = "too_small"
    MISSING = "missing"
    REMOVED = "removed"


ABSENT_STATES = (ImageState.MISSING, ImageState.REMOVED)
"""The states of an image whose file is not at its path."""


@dataclass(frozen=True)
class Image:
    """One present image of a camera, as the decision rule sees it.

    `captured_at` is aware UTC or None; `shape` is the (height, width) of its thumbnail, None where shapes do not
    matter. An image with a `flat` thumbnail, which shows nothing, is not similar to any image, whatever the score.
    `system_folders`: how many hidden folders, bins, snapshots and the like are in its path.
    """

    id: int
    path: str
    width: int
    height: int
    sharpness: float
    content_hash: str
    captured_at: datetime | None = None
    pinned: bool = False
    shape: tuple[int, int] | None = None
    flat: bool = False
    system_folders: int = 0

    @cached_property
    def captured_us(self) -> int | None:
        """Capture time in whole microseconds since 1970, None if unknown.

        Whole numbers make distances between times exact, so that equal distances compare as equal.
        """
        return None if self.captured_at is None else (self.captured_at - _EPOCH) // timedelta(microseconds=1)

    @cached_property
    def rank(self) -> tuple[bool, int, int, int, bool, int, str, bytes]:
        """The sort key of a camera's images, the highest rank first: only an image before another can be its keeper.

        Pinned first; more pixels; higher sharpness step (floor of log2, so that noise between equal images does not
        decide); fewer system folders, as copies come and go there; earlier capture, unknown last; smaller content hash;
        smaller path bytes.

        Where no image lies in a system folder, that criterion changes nothing. It stands before the time, as a copy may
        have an earlier modification time than its original.
        """
        time_us = self.captured_us
        return (
            not self.pinned,
            -self.width * self.height,
            -math.frexp(self.sharpness)[1],  # the exponent: floor(log2) + 1, but exact just below a power of two too
            self.system_folders,
            time_us is None,
            time_us or 0,
            self.content_hash,
            os.fsencode(self.path),
        )


class Criterion(StrEnum):
    """What can rank one image above another, in the order of the rank's fields."""

    PINNED = "pinned"
    PIXELS = "pixels"
    SHARPNESS = "sharpness"
    FOLDER = "folder"
    TIME = "time"
    CONTENT = "content"
    PATH = "path"


_RANK_CRITERIA = (
    Criterion.PINNED,
    Criterion.PIXELS,
    Criterion.SHARPNESS,
    Criterion.FOLDER,
    Criterion.TIME,  # whether the time is known
    Criterion.TIME,
    Criterion.CONTENT,
    Criterion.PATH,
)


def find_ranking_criterion(higher: Image, lower: Image) -> Criterion | None:
    """The first criterion in which two images differ, if it ranks `higher` above `lower`; else None."""
    if higher.rank >= lower.rank:
        return None
    pairs = zip(_RANK_CRITERIA, higher.rank, lower.rank, strict=True)
    return next(criterion for criterion, higher_value, lower_value in pairs if higher_value != lower_value)
