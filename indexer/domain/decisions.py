"""A decision on one image, as it is stored; how images are decided is told in `indexer.domain.selection`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

Verdict = Literal["keep", "duplicate"]


class Reason(StrEnum):
    """Why an image is kept (`new`, `pinned`) or a duplicate (`similar`, `identical`, `verdict`)."""

    NEW = "new"
    PINNED = "pinned"
    SIMILAR = "similar"
    IDENTICAL = "identical"
    VERDICT = "verdict"


@dataclass(frozen=True)
class Decision:
    """The decision on one image: it is kept, or it is a duplicate of `keeper_id`.

    `score` is that of the image and its keeper; None if the image is kept, or if a person's verdict decided.
    """

    image_id: int
    reason: Reason
    keeper_id: int | None = None
    score: float | None = None

    @property
    def keeps(self) -> bool:
        """Whether the image is kept."""
        return self.keeper_id is None


class Placement(NamedTuple):
    """The place of an image at its decision. `captured_us` is None for an unknown time; of a kept image all but the
    camera are None, of an unplaced one all."""

    of_camera_id: int | None
    rank_class: int | None = None
    reach_class: int | None = None
    captured_us: int | None = None


def ordered_pair(image_a_id: int, image_b_id: int) -> tuple[int, int]:
    """The key of a pair, in whichever order the ids are passed: the smaller id first."""
    return min(image_a_id, image_b_id), max(image_a_id, image_b_id)
