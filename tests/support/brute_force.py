"""The decision rule once more, written from the design alone: everything against everything, on stored thumbnails.

It reads the database with plain SQL and scores with OpenCV directly; nothing here comes from the project.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np

LIMITS = {
    "balanced": (30, 1000.0, 1),
    "plain": (45, 1000.0, 1),
    "colour": (30, 1000.0, 3),
    "learned": (30, 1000.0, 1),
}
"""Threshold, maximum and planes of the built-in profiles; all count contours from 1000 on."""
FEATURES = {"learned": (0.35, 0.6)}
"""Of the profiles with features: the distance below which images are alike, and that from which they differ."""
FEATURE_ROWS = 196  # of 320 columns: four cells of 80 numbers each

Verdict = tuple[str, int | None, float | None, str]
"""verdict, keeper, score, reason."""

Rows = Callable[..., list[tuple[Any, ...]]]
"""Gives what a query answers; it takes the query and its values."""

Said = dict[tuple[int, int], str]
"""What a person said of pairs of images: same or different."""


@dataclass(frozen=True)
class Frame:
    """A present image, with what the rule looks at."""

    id: int
    rank: tuple[Any, ...]
    time_us: int | None
    content_hash: str
    pinned: bool
    thumbnail: bytes
    flat: bool

    def distance(self, other: "Frame") -> float:
        """How far apart two images are in time, in microseconds."""
        return math.inf if None in (self.time_us, other.time_us) else abs(self.time_us - other.time_us)  # type: ignore[operator]


@cache
def pixels(thumbnail: bytes) -> np.ndarray:
    """The prepared image of a PNG."""
    return cv2.imdecode(np.frombuffer(thumbnail, np.uint8), cv2.IMREAD_UNCHANGED)


@cache
def evidence(thumbnail_a: bytes, thumbnail_b: bytes, profile: str) -> tuple[float | None, ...]:
    """Score, largest contour, number of counting contours and changed fraction of two prepared images of one shape;
    then the distance of their features and the score without it, which are None if the profile has no features."""
    threshold, _, planes = LIMITS[profile]
    a, b = pixels(thumbnail_a).astype(int), pixels(thumbnail_b).astype(int)
    if profile in FEATURES:
        cells_a, cells_b = (image[-FEATURE_ROWS:].reshape(-1, 80) for image in (a, b))
        a, b = a[:-FEATURE_ROWS], b[:-FEATURE_ROWS]
        distance = int(((cells_a - cells_b) ** 2).sum(axis=1).max()) / (2 * 127**2)
    changed_in = np.abs(a - b) > threshold
    changed = np.any(np.split(changed_in, planes), axis=0).astype(np.uint8)
    factor = 307200 / changed.size
    grown = cv2.dilate(changed, np.ones((3, 3), np.uint8), iterations=2)
    contours, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    areas = [cv2.contourArea(contour) * factor for contour in contours]
    counting = [area for area in areas if area >= 1000]
    found = sum(counting), max(areas, default=0.0), len(counting), float(changed.mean())
    if profile not in FEATURES:
        return *found, None, None
    alike, different = FEATURES[profile]
    score = 0.0 if distance < alike else found[0] if distance < different else 307200.0
    return score, *found[1:], distance, found[0]


def frames_of(rows: Rows, camera_id: int, profile: str) -> list[Frame]:
    """The present images of a camera, from the highest rank down."""
    found = rows(
        """
        SELECT image.id, path, image.width * image.height, sharpness, captured_at, content_hash, data, flat,
               EXISTS (SELECT 1 FROM pins WHERE image_id = image.id AND unpinned_at IS NULL)
               OR EXISTS (SELECT 1 FROM removals WHERE keeper_id = image.id
                          AND state IN ('planned', 'quarantined', 'deleted', 'purged'))
        FROM images AS image
        JOIN profiles AS profile ON profile.name = ?
        JOIN scorings AS scoring ON scoring.id = profile.scoring_id
        JOIN thumbnails AS thumbnail
          ON thumbnail.image_id = image.id AND thumbnail.preparation_id = scoring.preparation_id
        WHERE image.state = 'ready' AND image.camera_id = ?
        """,
        profile,
        camera_id,
    )
    frames = []
    for image_id, path, area, sharpness, captured_at, content_hash, data, flat, pinned in found:
        time_us = None if captured_at is None else int(np.datetime64(captured_at, "us").astype(int))
        step = math.floor(math.log2(sharpness))
        rank = (not pinned, -area, -step, time_us is None, time_us or 0, content_hash, path.encode())
        frames.append(Frame(image_id, rank, time_us, content_hash, bool(pinned), data, bool(flat)))
    return sorted(frames, key=lambda frame: frame.rank)


def said_of(rows: Rows) -> Said:
    """Every verdict that holds, either way round."""
    found = rows("SELECT image_a_id, image_b_id, verdict FROM verdicts WHERE withdrawn_at IS NULL")
    return {pair: word for a, b, word in found for pair in ((a, b), (b, a))}


def similarity(frame: Frame, keeper: Frame, profile: str, said: Said) -> tuple[float | None, str] | None:
    """Score and reason of two similar images; None if they are not similar."""
    _, max_score, _ = LIMITS[profile]
    if (frame.id, keeper.id) in said:
        return (None, "verdict") if said[frame.id, keeper.id] == "same" else None
    if frame.content_hash == keeper.content_hash:
        return 0.0, "identical"
    if pixels(frame.thumbnail).shape != pixels(keeper.thumbnail).shape:
        return None
    if frame.flat or keeper.flat:
        return None
    score = evidence(frame.thumbnail, keeper.thumbnail, profile)[0]
    assert score is not None
    return (score, "similar") if score < max_score else None


def decide(frames: list[Frame], profile: str, said: Said) -> dict[int, Verdict]:
    """What every image of a camera is, walking down the ranks."""
    decided: dict[int, Verdict] = {}
    keepers: list[Frame] = []
    for frame in frames:
        similar = [(keeper, similarity(frame, keeper, profile, said)) for keeper in keepers]
        witnesses = [(frame.distance(keeper), keeper.rank, keeper, found) for keeper, found in similar if found]
        if witnesses and not frame.pinned:
            _, _, keeper, (score, reason) = min(witnesses, key=lambda witness: witness[:2])
            decided[frame.id] = ("duplicate", keeper.id, score, reason)
        else:
            decided[frame.id] = ("keep", None, None, "pinned" if frame.pinned else "new")
            keepers.append(frame)
    return decided


def assert_promises(rows: Rows, profile: str) -> None:
    """The current decisions have witnesses, are independent, and are those of the brute force; so is all evidence."""
    said = said_of(rows)
    for (camera_id,) in rows("SELECT id FROM cameras"):
        frames = frames_of(rows, camera_id, profile)
        found = rows(
            """
            SELECT decision.image_id, verdict, keeper_id, score, reason FROM decisions AS decision
            JOIN images AS image ON image.id = decision.image_id
            WHERE superseded_at IS NULL AND state = 'ready' AND camera_id = ?
            """,
            camera_id,
        )
        current = {image_id: tuple(rest) for image_id, *rest in found}
        _assert_witnessed(frames, current, profile, said)
        _assert_independent(frames, current, profile, said)
        assert current == decide(frames, profile, said)
        _assert_evidence(rows, frames, profile)


def _assert_witnessed(frames: list[Frame], current: dict[int, Any], profile: str, said: Said) -> None:
    by_id = {frame.id: frame for frame in frames}
    for image_id, (verdict, keeper_id, score, reason) in current.items():
        if verdict == "duplicate":
            found = similarity(by_id[image_id], by_id[keeper_id], profile, said)
            assert (current[keeper_id][0], found) == ("keep", (score, reason))


def _assert_independent(frames: list[Frame], current: dict[int, Any], profile: str, said: Said) -> None:
    kept = [frame for frame in frames if current[frame.id][0] == "keep"]
    alike = [pair for pair in itertools.combinations(kept, 2) if similarity(*pair, profile, said)]
    assert [pair for pair in alike if not (pair[0].pinned and pair[1].pinned)] == []


def _assert_evidence(rows: Rows, frames: list[Frame], profile: str) -> None:
    by_id = {frame.id: frame for frame in frames}
    recorded = rows(
        "SELECT image_a_id, image_b_id, score, largest_contour, contour_count, changed_fraction, distance, "
        "changed_area FROM scores "
        "WHERE scoring_id = (SELECT scoring_id FROM profiles WHERE name = ?)",
        profile,
    )
    for id_a, id_b, *found in recorded:
        if id_a in by_id and id_b in by_id:
            expected = evidence(by_id[id_a].thumbnail, by_id[id_b].thumbnail, profile)
            assert [value is None for value in found] == [value is None for value in expected]
            numbers = ([value for value in values if value is not None] for values in (found, expected))
            assert np.allclose(*numbers, rtol=1e-12, atol=0)
