"""The reference itself: areas counted by hand, the order of the search, and the two ways of deciding agree."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.benchmarks import plain
from tests.benchmarks.cameras import Camera, many
from tests.benchmarks.filling import fill_index
from tests.benchmarks.plain import Answers, Frame, Index

UNIT = 307200 / (320 * 180)


def frame(number: int, time_us: int | None, rank: int = 0) -> Frame:
    """A frame at a time; the rank is a number."""
    return Frame(number, (rank, number), time_us, f"hash {number}", (180, 320), f"/{number}")


def test_area_counted_by_hand() -> None:
    """A square of 20 pixels grows to 24, whose outline encloses 23 x 23, in reference pixels."""
    dark, marked = np.zeros((180, 320), np.uint8), np.zeros((180, 320), np.uint8)
    marked[100:120, 150:170] = 31
    assert plain.evidence(dark, marked) == (23 * 23 * UNIT, 23 * 23 * UNIT, 1, 400 / (180 * 320))


def test_change_at_the_threshold_does_not_count() -> None:
    """Thirty levels are no change, and a small square is a contour that does not count."""
    dark, marked = np.zeros((180, 320), np.uint8), np.zeros((180, 320), np.uint8)
    marked[100:120, 150:170], marked[30:35, 40:45] = 30, 200
    assert plain.evidence(dark, marked) == (0.0, 8 * 8 * UNIT, 0, 25 / (180 * 320))


def test_prepared_by_hand() -> None:
    """A flat picture is middle grey within the mask, at the working size."""
    data = cv2.imencode(".jpg", np.full((720, 1280, 3), 90, np.uint8))[1].tobytes()
    image = plain.prepare(data, width=1280)
    inside = np.zeros((180, 320), bool)
    inside[19:, 17:304] = True
    assert (image.shape, set(image[inside]), set(image[~inside])) == ((180, 320), {128}, {0})


@pytest.mark.parametrize("width", [320, 639, 1280, 1920])
def test_prepared_as_the_project_does(width: int) -> None:
    """The reference and the project make the same image of the same file, whatever the decoder's reduction."""
    from indexer.domain.descriptions import Limits
    from indexer.domain.masks import Mask
    from indexer.imaging.decoding import decode_grey
    from indexer.imaging.headers import read_header
    from indexer.imaging.preprocessing import preprocess, resize_area, thumbnail_height

    noise = np.random.default_rng(width).integers(0, 256, (width * 9 // 16, width, 3), np.uint8)
    data = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 3))[1].tobytes()
    header = read_header(data, limits=Limits())
    size = thumbnail_height(width=header.width, height=header.height, work_width=320), 320
    grey = resize_area(decode_grey(data, header=header, work_width=320), size=size)
    assert np.array_equal(plain.prepare(data, width=width), preprocess(grey, contrast=True, mask=Mask((5, 10, 5, 0))))


def test_keepers_are_walked_outward() -> None:
    """The nearest comes first, at one distance the higher rank, and what has no time last."""
    keepers = plain.Outward()
    for number, time_us, rank in ((1, 10, 0), (2, 30, 5), (3, 10, 2), (4, 50, 1), (5, None, 0), (6, 30, 3), (7, 20, 0)):
        keepers.add(frame(number, time_us, rank))
    assert [keeper.id for keeper in keepers.around(frame(9, 20))] == [7, 1, 3, 6, 2, 4, 5]
    assert [keeper.id for keeper in keepers.around(frame(9, None))] == [1, 5, 7, 4, 3, 6, 2]


def test_search_and_brute_force_agree(tmp_path: Path) -> None:
    """Searching outward and choosing afterwards come to the same decisions and evidence."""
    fill_index(tmp_path / "index.db", many(3, frames=120))
    searched, forced = plain.search(tmp_path / "index.db"), plain.brute_force(tmp_path / "index.db")
    assert plain.differences(searched, forced) == {"decisions": 0, "scores": 0}
    assert (searched.pairs, len(searched.decisions)) == (forced.pairs, 120)


def test_differences_are_counted() -> None:
    """A row that is missing, too many or other by one bit is a difference."""
    kept = ("keep", None, None, "new")
    one = Answers({1: kept, 2: kept}, {(1, 2): (5.0, 5.0, 1, 0.1)})
    other = Answers({1: kept, 3: ("duplicate", 1, 0.0, "similar")}, {(1, 2): (np.nextafter(5.0, 6), 5.0, 1, 0.1)})
    assert plain.differences(one, other) == {"decisions": 2, "scores": 1}


def test_equal_bytes_are_not_scored(tmp_path: Path) -> None:
    """A file that is there twice is identical, without evidence."""
    camera = Camera("gate", 2, busy=0.0, fresh=0.0)
    fill_index(tmp_path / "index.db", [camera])
    with Index(tmp_path / "index.db") as index:
        (first, second) = next(index.cameras())
    twin = Frame(second.id, second.rank, second.time_us, first.content_hash, second.shape, second.path)
    answers = Answers()
    assert plain.first_similar(twin, [first], {}, answers) == ("duplicate", first.id, 0.0, "identical")
    assert answers == Answers()
