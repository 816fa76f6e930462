"""A profile: all numbers that a decision depends on, in three layers, immutable and named.

It promises that two equal sets of numbers have the same digest, on every machine, and that the digest covers all of
them. It does not know how a thumbnail is made or a score computed (`indexer.imaging`), nor where profiles are stored.

Decision 0004: *preparation*, *scoring* and *limit* are three layers, each with a digest.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from typing import Any

from indexer.domain.descriptions import Levels
from indexer.domain.evidence import REFERENCE_PIXELS, ScoringParameters
from indexer.domain.feature_layout import CHANNELS, MEASURE
from indexer.domain.masks import Border, Rectangle
from indexer.errors import ProfileError

RECORD_FACTOR = 4
"""Pairs are recorded up to this many times `max_score`, so that recorded scores can decide for another limit."""

MAX_PIXELS = 10**9
"""An upper limit for areas in native pixels; no frame has more."""

_FLOAT_PARAMETERS = {"min_contour_area", "max_score", "record_limit", "max_distance", "veto_distance"}
_OMITTED_IF_EMPTY = {"ignore", "ignore_picture", "levels", "chroma", "features", "max_distance", "veto_distance"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class EncodedMaskImage:
    """A mask that a person drew over the frame: its size in pixels, its number of ignored pixels, and a PNG in base64.

    Black is ignored, white is compared. Equal masks must be encoded as equal text, because the text is part of the
    digest of a profile.
    """

    width: int
    height: int
    ignored_px: int
    png: str

    @property
    def ignored_share(self) -> float:
        """The share of the frame that this mask ignores, 0 to 1."""
        return self.ignored_px / (self.width * self.height)


@dataclass(frozen=True)
class Preparation:
    """How a thumbnail is made: its width in pixels (None: native size, nothing cached), local contrast or not, a mask.

    `mask` is the border that is painted black: (left, top, right, bottom) in per cent of the width or height. `ignore`
    (rectangles) and `ignore_picture` (a drawn mask) are painted black too. `levels` is the scale of 16-bit images;
    without it a 16-bit image is refused if its 8-bit form would keep too little contrast. `chroma`: a difference of one
    level in colour becomes a difference of this many levels in the thumbnail; 0 compares grey only. `features`: the
    name of the measure whose features a thumbnail has, with its version; empty: it has none.
    """

    work_width: int | None = 320
    contrast: bool = True
    mask: Border = (5, 10, 5, 0)
    ignore: tuple[Rectangle, ...] = ()
    ignore_picture: EncodedMaskImage | None = None
    levels: Levels | None = None
    chroma: int = 0
    features: str = ""

    @property
    def planes(self) -> int:
        """How many planes a thumbnail has, stacked vertically: grey, and with chroma two of colour."""
        return 3 if self.chroma else 1

    @property
    def has_features(self) -> bool:
        """Whether a thumbnail has features."""
        return bool(self.features)

    @property
    def native(self) -> bool:
        """Whether scores are computed from images in native size, as the original script did."""
        return self.work_width is None

    @property
    def digest(self) -> str:
        """SHA-256 of these numbers, in hex."""
        return _digest(self.parameters)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of this layer by name, as they are stored.

        Empty `ignore`, `ignore_picture`, `levels`, `chroma` and `features` are left out: profiles that are older than
        these parameters keep their digest.
        """
        return _without_empty(asdict(self))


@dataclass(frozen=True)
class Scoring:
    """How a score is computed from two thumbnails.

    `threshold` is in grey levels. `dilations`: how often the changed pixels are dilated. `min_contour_area`: a smaller
    contour does not count; in reference pixels, or in native pixels without a work width. With features: below
    `max_distance` a pair is similar whatever its area, and from `veto_distance` on it is not. Both are 0 without.
    """

    preparation: Preparation
    threshold: int = 30
    dilations: int = 2
    min_contour_area: float = 1000.0
    max_distance: float = 0.0
    veto_distance: float = 0.0

    @property
    def digest(self) -> str:
        """SHA-256 of these numbers and those of the preparation, in hex."""
        return _digest(self.parameters | {"preparation": self.preparation.digest})

    @property
    def parameters(self) -> dict[str, Any]:
        """The numbers of this layer by name, as they are stored; distances of 0 are left out, as in older profiles."""
        return _without_empty({key: value for key, value in asdict(self).items() if key != "preparation"})


@dataclass(frozen=True)
class Profile:
    """A named set of all parameters; two images are similar if their score is below `max_score`."""

    name: str
    scoring: Scoring
    max_score: float = 1000.0
    record_limit: float = RECORD_FACTOR * 1000.0

    @property
    def preparation(self) -> Preparation:
        """The first layer."""
        return self.scoring.preparation

    @property
    def distances(self) -> tuple[float, float]:
        """`max_distance` and `veto_distance`; both are 0 without features."""
        return self.scoring.max_distance, self.scoring.veto_distance

    @property
    def digest(self) -> str:
        """SHA-256 of these numbers, in hex; the profile's name is not part of it."""
        limits = {"max_score": self.max_score, "record_limit": self.record_limit}
        return _digest(limits | {"scoring": self.scoring.digest})

    @property
    def scoring_parameters(self) -> ScoringParameters:
        """How pairs are scored and decided under this profile."""
        return ScoringParameters(
            threshold=self.scoring.threshold,
            dilations=self.scoring.dilations,
            min_contour_area=self.scoring.min_contour_area,
            native=self.preparation.native,
            max_score=self.max_score,
            record_limit=self.record_limit,
            planes=self.preparation.planes,
            max_distance=self.scoring.max_distance,
            veto_distance=self.scoring.veto_distance,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """All numbers by name, for people."""
        limits = {"max_score": self.max_score, "record_limit": self.record_limit}
        return self.preparation.parameters | self.scoring.parameters | limits


_PREPARATION_PARAMETERS = tuple(field.name for field in fields(Preparation))
_SCORING_PARAMETERS = tuple(field.name for field in fields(Scoring) if field.name != "preparation")
PARAMETERS = (*_PREPARATION_PARAMETERS, *_SCORING_PARAMETERS, "max_score", "record_limit")
"""The names of all parameters of a profile."""

BALANCED = Profile("balanced", Scoring(Preparation()))
PLAIN = Profile("plain", Scoring(Preparation(contrast=False), threshold=45))
ORIGINAL = Profile("original", Scoring(Preparation(work_width=None, contrast=False), threshold=45))
COLOUR = Profile("colour", Scoring(Preparation(chroma=2)))
LEARNED = Profile("learned", Scoring(Preparation(features=MEASURE), max_distance=0.35, veto_distance=0.6))
BUILT_IN = (BALANCED, PLAIN, ORIGINAL, COLOUR, LEARNED)
DEFAULT = BALANCED


def parse_mask(text: str) -> Border:
    """The border in a text "left,top,right,bottom", in whole per cent; raises `ProfileError` for any other text."""
    parts = text.split(",")
    try:
        left, top, right, bottom = (int(part) for part in parts)
    except ValueError:
        raise ProfileError(f"mask {text!r} is not four whole numbers; type for example --mask 5,10,5,0") from None
    return left, top, right, bottom


def parse_levels(text: str) -> Levels:
    """The scale in a text "low,high", in values of 16-bit images; raises `ProfileError` for any other text."""
    try:
        low, high = (int(part) for part in text.split(","))
    except ValueError:
        raise ProfileError(
            f"levels {text!r} are not two whole numbers; type for example --levels 28000,33000"
        ) from None
    return low, high


def parse_rectangle(text: str) -> Rectangle:
    """The rectangle in a text "left,top,wide,high", in per cent of the frame; decimals are allowed.

    Raises `ProfileError` for any other text.
    """
    try:
        left, top, wide, high = (float(part) + 0.0 for part in text.split(","))  # -0.0 is 0.0
    except ValueError:
        raise ProfileError(
            f"ignore {text!r} is not four numbers (left, top, width, height, in per cent); "
            "type for example --ignore 70,0,30,12.5"
        ) from None
    return left, top, wide, high


def is_below_all_scores(max_score: float, *, min_contour_area: float) -> bool:
    """Whether a limit lies between 0 and the minimum area, where no score does: all such limits are one."""
    return 0 < max_score < min_contour_area


def decides_alike(profile: Profile, other: Profile) -> bool:
    """Whether two profiles decide every pair alike: by the same scores, with limits that no score lies between.

    No score lies between 0 and the minimum area, so all limits above 0 and up to that area are one.
    """
    if profile.scoring.digest != other.scoring.digest:
        return False
    limits = sorted((profile.max_score, other.max_score))
    return limits[0] == limits[1] or 0 < limits[0] <= limits[1] <= profile.scoring.min_contour_area


def derive_profile(base: Profile, *, name: str, changes: Mapping[str, Any]) -> Profile:
    """A new profile: `base` with another name and some parameters changed.

    A change to None leaves a parameter as in the base. If `max_score` changes and `record_limit` does not, the new
    record limit is `RECORD_FACTOR` times the new `max_score`.

    Raises
    ------
    ProfileError
        For a bad name, an unknown parameter, or a value out of its range.
    """
    if not _NAME.fullmatch(name):
        raise ProfileError(f"profile name {name!r}: use letters, digits, dot, dash, underscore, at most 64")
    overrides = {key: value for key, value in changes.items() if value is not None}
    if "max_score" in overrides:
        overrides.setdefault("record_limit", RECORD_FACTOR * overrides["max_score"])
    if "ignore" in overrides:
        overrides["ignore"] = tuple(
            sorted(set(overrides["ignore"]))
        )  # the order of the rectangles does not change the area
    if unknown := overrides.keys() - set(PARAMETERS):
        raise ProfileError(f"unknown parameter {sorted(unknown)[0]!r}; there are {', '.join(PARAMETERS)}")
    preparation = replace(base.preparation, **_subset(overrides, _PREPARATION_PARAMETERS))
    scoring = replace(base.scoring, preparation=preparation, **_subset(overrides, _SCORING_PARAMETERS))
    profile = Profile(
        name, scoring, overrides.get("max_score", base.max_score), overrides.get("record_limit", base.record_limit)
    )
    _validate(profile)
    return profile


def _subset(parameters: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key in names}


def _validate(profile: Profile) -> None:
    """Raises `ProfileError` for the first parameter that is out of its range."""
    scoring = profile.scoring
    rules = [
        *_preparation_rules(profile.preparation),
        (0 <= scoring.threshold <= 254, f"threshold {scoring.threshold} is not within 0 to 254 grey levels"),
        (0 <= scoring.dilations <= 50, f"dilations {scoring.dilations} is not within 0 to 50"),
        (
            0 <= scoring.min_contour_area <= (MAX_PIXELS if profile.preparation.native else REFERENCE_PIXELS),
            f"min contour area {scoring.min_contour_area:g} is not a number from 0 up to the whole frame "
            f"({REFERENCE_PIXELS} reference pixels); with a larger one no contour would count",
        ),
        (0 <= profile.max_score < float("inf"), f"max score {profile.max_score} is not a number from 0 up; try 1000"),
        (
            profile.max_score <= profile.record_limit < float("inf"),
            f"record limit {profile.record_limit} is not a number from max score {profile.max_score} up",
        ),
        *_distance_rules(scoring),
        (
            not scoring.preparation.features or profile.max_score <= REFERENCE_PIXELS,
            f"max score {profile.max_score:g} is above the whole frame ({REFERENCE_PIXELS}); the veto distance would "
            "not count",
        ),
    ]
    for holds, sentence in rules:
        if not holds:
            raise ProfileError(f"profile {profile.name!r}: {sentence}")


def _distance_rules(scoring: Scoring) -> Iterator[tuple[bool, str]]:
    """The rules for distances, as `_preparation_rules`."""
    nearest, farthest = scoring.max_distance, scoring.veto_distance
    if scoring.preparation.features:
        yield 0 < farthest <= 2, f"veto distance {farthest:g} is not a number above 0 and up to 2"
        yield 0 <= nearest <= farthest, f"max distance {nearest:g} is not a number from 0 up to {farthest:g}"
    else:
        without = not nearest and not farthest
        yield without, "distances need features, which this profile has not; make it with --base learned"


def _preparation_rules(preparation: Preparation) -> Iterator[tuple[bool, str]]:
    """The rules for a preparation: for each, whether it holds, and the error message if it does not."""
    left, top, right, bottom = preparation.mask
    width, mask_image = preparation.work_width, preparation.ignore_picture
    yield width is None or 64 <= width <= 4096, f"work width {width} is not within 64 to 4096 pixels"
    yield min(preparation.mask) >= 0, f"mask {preparation.mask} has a side below 0 per cent"
    yield left + right < 100 and top + bottom < 100, f"mask {preparation.mask} covers the whole picture"
    yield not (preparation.native and preparation.contrast), "local contrast needs a work width; native size has none"
    yield not (preparation.native and preparation.chroma), "chroma needs a work width; native size has none"
    features = preparation.features
    yield features in ("", MEASURE), f"features {features!r} are not known to this version; it has {MEASURE!r}"
    wide_enough = not features or (width is not None and width >= CHANNELS)
    yield wide_enough, f"features need a work width of {CHANNELS} pixels or more"
    yield 0 <= preparation.chroma <= 8, f"chroma {preparation.chroma} is not within 0 to 8; 2 is usual, 0 is grey alone"
    if preparation.levels is not None:
        low, high = preparation.levels
        yield 0 <= low < high <= 65535, f"levels {low},{high}: black must be below white, both within 0 to 65535"
    for rectangle in preparation.ignore:
        yield _is_within_frame(rectangle), f"ignore {rectangle} does not lie within the frame, 0 to 100 per cent"
    if mask_image is not None:
        size = f"of its {mask_image.width} x {mask_image.height} pixels"
        yield mask_image.ignored_px > 0, f"the picture ignores none {size}; paint black what is to be ignored"
        yield mask_image.ignored_share < 1, f"the picture ignores all {size}; leave white what is to be compared"


def _is_within_frame(rectangle: Rectangle) -> bool:
    left, top, wide, high = (Decimal(repr(number)) for number in rectangle)  # as typed: 0.1 + 99.9 is 100
    if not all(number.is_finite() for number in (left, top, wide, high)):
        return False
    return left >= 0 and top >= 0 and wide > 0 and high > 0 and left + wide <= 100 and top + high <= 100


def _without_empty(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key not in _OMITTED_IF_EMPTY or value}


def _digest(parameters: Mapping[str, Any]) -> str:
    # 1000 and 1000.0 are one number, and -0.0 is 0.0: they must have one digest.
    exact = {key: float(value) + 0.0 if key in _FLOAT_PARAMETERS else value for key, value in parameters.items()}
    text = json.dumps(exact, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
