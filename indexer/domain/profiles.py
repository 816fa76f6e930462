"""What a profile is: every number that a decision rests on, in three layers, immutable and named.

It promises that two equal sets of numbers have the same digest, on every machine, and that nothing is left out of it.
It does not know how a thumbnail is made or a score computed (`indexer.pixels`), nor where profiles are kept.

Decision: three layers with a digest each. *Preparation* says what a thumbnail is, *scoring* what a score is, the
*limit* what is similar. A new limit therefore reuses every score, a new minimum area every thumbnail.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from indexer.errors import ProfileProblem

Mask = tuple[int, int, int, int]

RECORD_FACTOR = 4
"""Pairs are recorded up to this many times `max_score`, so that another limit is answered from the table."""

_REAL = {"min_contour_area", "max_score", "record_limit"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Preparation:
    """What a thumbnail is: a width in pixels (None: native size, nothing cached), local contrast or not, a mask.

    The mask is the border painted black: (left, top, right, bottom) in per cent of the width or height.
    """

    work_width: int | None = 320
    contrast: bool = True
    mask: Mask = (5, 10, 5, 0)

    @property
    def native(self) -> bool:
        """Whether scores are made from whole images, as the original script did."""
        return self.work_width is None

    @property
    def digest(self) -> str:
        """A name for exactly these numbers."""
        return _digest(self.parameters)

    @property
    def parameters(self) -> dict[str, Any]:
        """The numbers by name, as they are stored."""
        return asdict(self)


@dataclass(frozen=True)
class Scoring:
    """What a score is: grey levels that count as change, growth of the changed pixels, least area of a contour."""

    preparation: Preparation
    threshold: int = 30
    dilations: int = 2
    min_contour_area: float = 1000.0

    @property
    def digest(self) -> str:
        """A name for exactly these numbers and those of the preparation."""
        return _digest(self.parameters | {"preparation": self.preparation.digest})

    @property
    def parameters(self) -> dict[str, Any]:
        """The numbers of this layer by name, as they are stored."""
        return {key: value for key, value in asdict(self).items() if key != "preparation"}


@dataclass(frozen=True)
class Profile:
    """A named set of all parameters: similar means a score below `max_score`."""

    name: str
    scoring: Scoring
    max_score: float = 1000.0
    record_limit: float = RECORD_FACTOR * 1000.0

    @property
    def preparation(self) -> Preparation:
        """The first layer."""
        return self.scoring.preparation

    @property
    def digest(self) -> str:
        """A name for exactly these numbers; the profile's own name is no part of it."""
        limits = {"max_score": self.max_score, "record_limit": self.record_limit}
        return _digest(limits | {"scoring": self.scoring.digest})

    @property
    def parameters(self) -> dict[str, Any]:
        """All numbers by name, for people."""
        limits = {"max_score": self.max_score, "record_limit": self.record_limit}
        return self.preparation.parameters | self.scoring.parameters | limits


BALANCED = Profile("balanced", Scoring(Preparation()))
PLAIN = Profile("plain", Scoring(Preparation(contrast=False), threshold=45))
ORIGINAL = Profile("original", Scoring(Preparation(work_width=None, contrast=False), threshold=45))
BUILT_IN = (BALANCED, PLAIN, ORIGINAL)
DEFAULT = BALANCED


def parse_mask(text: str) -> Mask:
    """The mask that "left,top,right,bottom" says, in whole per cent."""
    parts = text.split(",")
    try:
        left, top, right, bottom = (int(part) for part in parts)
    except ValueError:
        raise ProfileProblem(f"mask {text!r} is not four whole numbers; type for example --mask 5,10,5,0") from None
    return left, top, right, bottom


def derive_profile(base: Profile, *, name: str, changes: Mapping[str, Any]) -> Profile:
    """A new profile: the base with some parameters changed, checked.

    `record_limit` follows `max_score` unless it is among the changes. None means "as in the base".
    """
    if not _NAME.fullmatch(name):
        raise ProfileProblem(f"profile name {name!r}: use letters, digits, dot, dash, underscore, at most 64")
    given = {key: value for key, value in changes.items() if value is not None}
    if "max_score" in given:
        given.setdefault("record_limit", RECORD_FACTOR * given["max_score"])
    unknown = given.keys() - base.parameters.keys()
    if unknown:
        raise ProfileProblem(f"unknown parameter {sorted(unknown)[0]!r}; there are {', '.join(base.parameters)}")
    preparation = replace(base.preparation, **_among(given, base.preparation.parameters))
    scoring = replace(base.scoring, preparation=preparation, **_among(given, base.scoring.parameters))
    profile = Profile(
        name, scoring, given.get("max_score", base.max_score), given.get("record_limit", base.record_limit)
    )
    _check(profile)
    return profile


def _among(given: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key in layer}


def _check(profile: Profile) -> None:
    """Refuses numbers that make no sense, one sentence each."""
    preparation, scoring = profile.preparation, profile.scoring
    left, top, right, bottom = preparation.mask
    width = preparation.work_width
    rules = [
        (width is None or 64 <= width <= 4096, f"work width {width} is not within 64 to 4096 pixels"),
        (min(preparation.mask) >= 0, f"mask {preparation.mask} has a side below 0 per cent"),
        (left + right < 100 and top + bottom < 100, f"mask {preparation.mask} covers the whole picture"),
        (not (preparation.native and preparation.contrast), "local contrast needs a work width; native size has none"),
        (0 <= scoring.threshold <= 254, f"threshold {scoring.threshold} is not within 0 to 254 grey levels"),
        (0 <= scoring.dilations <= 50, f"dilations {scoring.dilations} is not within 0 to 50"),
        (
            0 <= scoring.min_contour_area < float("inf"),
            f"min contour area {scoring.min_contour_area} is not a number from 0 up",
        ),
        (0 <= profile.max_score < float("inf"), f"max score {profile.max_score} is not a number from 0 up; try 1000"),
        (
            profile.max_score <= profile.record_limit < float("inf"),
            f"record limit {profile.record_limit} is not a number from max score {profile.max_score} up",
        ),
    ]
    for holds, sentence in rules:
        if not holds:
            raise ProfileProblem(f"profile {profile.name!r}: {sentence}")


def _digest(parameters: Mapping[str, Any]) -> str:
    # 1000 and 1000.0 are one number, and -0.0 is 0.0: they must have one digest.
    exact = {key: float(value) + 0.0 if key in _REAL else value for key, value in parameters.items()}
    text = json.dumps(exact, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
