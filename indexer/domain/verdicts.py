"""What a person says of a pair of images: it outranks the score, the shape and equal bytes."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Judgement:
    """What a person said of a pair."""

    verdict: Literal["same", "different"]
    judged_by: str
