"""The profile `colour` tells cars of one grey and another hue apart, and decides all else as `balanced` does."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from indexer.domain.descriptions import Limits
from indexer.execution import processes, serial
from indexer.imaging.decoding import decode_grey
from indexer.imaging.headers import read_header
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw, encode
from indexer.workflows.context import ComparisonContext
from indexer.workflows.report.report import report
from indexer.workflows.review.explain import explain_pair
from indexer.workflows.review.pair_picture import PictureSource
from indexer.workflows.tuning.sweep import sweep
from tests.support.brute_force import assert_promises
from tests.support.databases import on_sqlite
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture, prepared
from tests.workflows.review.test_pair_picture import drawn, marked

Colour = tuple[int, int, int]
LOT = Scene("lot", seed=1)
RED, GREEN, BLUE, PALE_RED, PALE_GREEN, PALE_BLUE = "red", "green", "blue", "pale red", "pale green", "pale blue"
MIXED: dict[str, tuple[int, tuple[int | None, int | None, int | None]]] = {
    RED: (90, (50, 44, None)),
    GREEN: (90, (40, None, 40)),
    BLUE: (90, (None, 90, 40)),
    PALE_RED: (162, (150, 150, None)),
    PALE_GREEN: (162, (150, None, 150)),
    PALE_BLUE: (162, (None, 158, 150)),
}
"""The grey of a paint, and its blue, green and red, of which the one that is left open makes it that grey."""


def grey_of(colour: Colour) -> int:
    """What the project's own decoder makes of a colour in grey."""
    data = encode(np.full((64, 64, 3), colour, np.uint8), format="png")
    return int(decode_grey(data, header=read_header(data, limits=Limits()), work_width=None)[32, 32])


@cache
def paint(hue: str) -> Colour:
    """The colour of that hue."""
    grey, parts = MIXED[hue]
    mixed = (tuple(level if part is None else part for part in parts) for level in range(256))
    return next(colour for colour in mixed if grey_of(colour) == grey)  # type: ignore[arg-type, return-value]


def frame(hue: str | None = None, *, seed: int = 0, tint: str = "day") -> np.ndarray:
    """The lot, with a car of that hue in front: (480, 640, 3), uint8."""
    things = () if hue is None else (Thing("car", 140, 408, 118, paint(hue)),)
    return draw(LOT, things=things, light=Light(1.0, tint), seed=seed)  # type: ignore[arg-type]


def kept(index: Index) -> int:
    """How many images are kept."""
    return sum(verdict == "keep" for verdict, *_ in index.decisions().values())


@prepared
def cars(index: Index) -> None:
    """The lot without a car, with a red one twice, a green and a blue one of the same grey."""
    for minute, hue in enumerate([None, RED, GREEN, RED, BLUE]):
        index.put(name(minute, suffix="jpg"), encode(frame(hue, seed=minute)))
    index.ingest()


@on_sqlite
@pytest.mark.parametrize(
    ("hue", "other", "suffix"),
    [
        (RED, GREEN, "jpg"),
        (RED, BLUE, "jpg"),
        (GREEN, BLUE, "jpg"),
        (PALE_RED, PALE_GREEN, "jpg"),
        (PALE_RED, PALE_BLUE, "jpg"),
        (PALE_GREEN, PALE_BLUE, "jpg"),
        (RED, GREEN, "png"),
        (PALE_RED, PALE_BLUE, "png"),
    ],
)
def test_a_car_of_another_hue_is_another_car(index: Index, hue: str, other: str, suffix: str) -> None:
    """Of equal grey, saturated or pale, it is a duplicate to `balanced` and to `plain`, and kept by `colour`; the same
    car again, with other noise, is a duplicate to all three."""
    for minute, shown in enumerate([hue, other, hue, other]):
        index.put(name(minute, suffix=suffix), encode(frame(shown, seed=minute), format=suffix))  # type: ignore[arg-type]
    index.ingest()
    found = {}
    for profile in ("balanced", "plain", "colour"):
        index.compare(profile=profile)
        found[profile] = kept(index)
        assert_promises(index.rows, profile)
    assert found == {"balanced": 1, "plain": 1, "colour": 2}


@on_sqlite
@pytest.mark.parametrize("tint", [(0.96, 1.0, 1.04), (1.05, 1.0, 0.95), (1.0, 0.96, 1.0)])
def test_a_white_balance_that_drifts_is_no_change(index: Index, tint: Colour) -> None:
    """The same cars under channels some per cent stronger or weaker are duplicates."""
    for minute, factors in enumerate([(1.0, 1.0, 1.0), tint]):
        drifted = np.clip(frame(RED, seed=minute) * np.array(factors), 0, 255).round().astype(np.uint8)
        index.put(name(minute, suffix="jpg"), encode(drifted))
    index.ingest()
    index.compare(profile="colour")
    assert kept(index) == 1


def grey_file(kind: str, image: np.ndarray) -> bytes:
    """A grey picture as a file of that kind."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return {
        "one channel": lambda: encode(grey),
        "three channels": lambda: encode(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)),
        "png": lambda: encode(grey, format="png"),
    }[kind]()


@on_sqlite
@pytest.mark.parametrize("kind", ["one channel", "three channels", "png"])
def test_grey_frames_are_decided_as_balanced_does(index: Index, kind: str) -> None:
    """By infrared, and of a camera without colour, decisions and evidence of both profiles are equal to the bit."""
    suffix = "png" if kind == "png" else "jpg"
    shown = [(None, "infrared"), (RED, "infrared"), (None, "infrared"), (RED, "day"), (GREEN, "day"), (None, "day")]
    for minute, (hue, tint) in enumerate(shown):
        index.put(name(minute, suffix=suffix), grey_file(kind, frame(hue, seed=minute, tint=tint)))
    for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,)]):
        index.put(name(minute, "yard"), picture(*marks))
    index.ingest()
    index.compare()
    decisions, evidence = index.decisions(), index.evidence("balanced")
    index.compare(profile="colour")
    found = index.rows(
        "SELECT image_a_id, image_b_id, score, largest_contour, contour_count, changed_fraction, profile.name "
        "FROM scores JOIN profiles AS profile ON profile.scoring_id = scores.scoring_id ORDER BY 1, 2"
    )
    assert index.decisions() == decisions
    assert len(evidence) > 3
    by_profile = [[row[:-1] for row in found if row[-1] == profile] for profile in ("balanced", "colour")]
    assert by_profile[0] == by_profile[1]


@on_sqlite
@pytest.mark.parametrize("workers", [1, 2])
def test_real_frames_hold_the_promises(frames_index: Callable[[str], Index], workers: int) -> None:
    """On the sample frames decisions and evidence are those of brute force over the stored thumbnails."""
    index = frames_index("balanced")
    with processes(workers) as spread:
        index.compare(profile="colour", spread=spread)
    assert_promises(index.rows, "colour")


def test_balanced_thumbnails_are_the_first_plane(cars: Index) -> None:
    """What `colour` keeps begins with what `balanced` keeps, to the bit, and that is not made again."""
    before = cars.rows("SELECT image_id, preparation_id, data FROM thumbnails ORDER BY 1")
    cars.compare(profile="colour")
    after = cars.rows("SELECT image_id, preparation_id, data FROM thumbnails ORDER BY 1")
    assert set(before) < set(after)
    planes = {
        image_id: cv2.imdecode(np.frombuffer(data, np.uint8), -1) for image_id, _, data in set(after) - set(before)
    }
    for image_id, _, data in before:
        assert planes[image_id].shape == (720, 320)
        assert np.array_equal(planes[image_id][:240], cv2.imdecode(np.frombuffer(data, np.uint8), -1))


def test_sweep_and_own_profiles_see_colour(cars: Index) -> None:
    """A profile made from `colour` decides like it, and `sweep` tells of it what compare decides."""
    cars.make_profile("mine", base="colour", max_score=1500.0)
    cars.compare(profile="mine")
    with serial() as here:
        (camera,) = sweep(
            ComparisonContext(cars.database, here, Limits(), cars.clock), max_scores=[1000.0, 1500.0, 50_000.0]
        ).cameras
    assert [(row.max_score, row.kept) for row in camera.rows] == [(1000.0, 4), (1500.0, 4), (50_000.0, 1)]
    assert kept(cars) == 4
    cars.make_profile("grey", base="colour", chroma=0)
    cars.compare(profile="grey")
    assert kept(cars) == 2


def test_what_differs_in_colour_is_outlined_in_the_frame(cars: Index, tmp_path: Path) -> None:
    """`explain --picture` marks the car where it stands, on all three panels, though it differs in colour alone."""
    cars.compare(profile="colour")
    red, green = (name(minute, suffix="jpg") for minute in (1, 2))
    found = drawn(cars, tmp_path / "out.png", red, green)
    computed = explain_pair(cars.database, *(str(cars.folder / file) for file in (red, green)))
    scores = [one.evidence.score for one in computed.recorded] or [computed.computed and computed.computed.score]
    assert found.score is not None
    assert (found.score in scores, found.score > 1000) == (True, True)
    columns = marked(tmp_path / "out.png") - 12
    panels = [columns[(columns >= start) & (columns < start + 480)] - start for start in (0, 492, 984)]
    for panel in panels:
        assert 50 < panel.min() < 80
        assert 130 < panel.max() < 160
    rows = np.flatnonzero(
        (np.abs(_pixels(tmp_path / "out.png").astype(int) - (230, 159, 0)).max(axis=2) < 12).any(axis=1)
    )
    assert rows.min() > 260
    assert rows.max() < 390


def _pixels(path: Path) -> Any:
    return cv2.imread(str(path))[:, :, ::-1]


def test_a_thumbnail_is_shown_as_one_frame(cars: Index, tmp_path: Path) -> None:
    """Where there is nothing left but the thumbnail of `colour`, people see its grey frame, not three planes."""
    cars.compare(profile="colour")
    cars.execute("DELETE FROM thumbnails WHERE height = 240")
    for path in cars.folder.iterdir():
        path.unlink()
    found = drawn(cars, tmp_path / "out.png", name(1, suffix="jpg"), name(2, suffix="jpg"))
    assert (found.left.source, found.right.source) == (PictureSource.THUMBNAIL, PictureSource.THUMBNAIL)
    assert _pixels(tmp_path / "out.png").shape[0] < 450
    with serial() as here:
        means = ComparisonContext(cars.database, here, Limits(), cars.clock)
        assert report(means, guarded_executor=here, folder=str(tmp_path / "pages")).pictures.from_index == 5
    shapes = {_pixels(path).shape for path in (tmp_path / "pages" / "pictures").rglob("*.jpg")}
    assert shapes == {(240, 320, 3)}
