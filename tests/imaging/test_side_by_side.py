"""Side by side: two pictures, their outlines and their difference, readable whatever the words."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.descriptions import Preview
from indexer.domain.evidence import ScoringParameters
from indexer.imaging.change_regions import BLUE, ORANGE, Changes, changes
from indexer.imaging.side_by_side import PANEL_HEIGHT, PANEL_WIDTH, Captions, in_ascii, side_by_side

GREY = np.full((180, 320), 128, np.uint8)
MEASURE = ScoringParameters(30, 2, 1000.0, native=False, max_score=1000.0, record_limit=4000.0)
PLAIN = Captions("left", "right")


def photo(*, height: int = 180, width: int = 320, level: int = 128) -> Preview:
    """A picture all of one grey."""
    return Preview(height, width, cv2.imencode(".jpg", np.full((height, width, 3), level, np.uint8))[1].tobytes())


def changed(*boxes: tuple[int, int, int, int]) -> Changes:
    """What differs if boxes (row, column, height, width) came into an empty frame."""
    image = GREY.copy()
    for row, column, height, width in boxes:
        image[row : row + height, column : column + width] = 255
    return changes(GREY, image, scoring=MEASURE)


def drawn(*, left: Preview | None = None, found: Changes | None = None, words: Captions = PLAIN) -> np.ndarray:
    """What a viewer shows: (H, W, 3), red, green, blue."""
    data = side_by_side(left or photo(), photo(), changes=found, captions=words)
    assert data.startswith(b"\x89PNG")
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def near(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """The (row, column) of every pixel of about a colour."""
    return np.argwhere(np.abs(image.astype(int) - colour).max(axis=2) < 12)


def test_a_change_is_outlined_on_both_pictures_and_marked_in_the_difference() -> None:
    """A box that came is surrounded in both pictures where it stands, and stands out in the third."""
    image = drawn(found=changed((60, 100, 40, 60)))
    for panel in range(3):
        left = 12 + panel * (PANEL_WIDTH + 12)
        rows, columns = near(image[:, left : left + PANEL_WIDTH], ORANGE).T
        box = [rows.min() - 22, rows.max() - 22, columns.min(), columns.max()]
        assert box == pytest.approx([60 * 1.5, 100 * 1.5, 100 * 1.5, 160 * 1.5], abs=6)


def test_each_picture_is_on_its_side() -> None:
    """The left picture is left and the right one right, with nothing drawn over where nothing changed."""
    image = drawn(left=photo(level=60), found=changed())
    assert image[100, 12 + 240].tolist() == [60, 60, 60]
    assert image[100, 12 + PANEL_WIDTH + 12 + 240].tolist() == [128, 128, 128]
    assert len(near(image, (60, 60, 60))) == pytest.approx(480 * 270, abs=500)


def test_what_is_too_small_has_the_other_colour() -> None:
    """A change that does not count is outlined in blue, and nothing is orange."""
    image = drawn(found=changed((60, 100, 4, 4)))
    assert len(near(image, BLUE)) > 0
    assert len(near(image, ORANGE)) == 0


def test_a_pair_that_cannot_be_compared_is_two_pictures() -> None:
    """Without changes there is no third panel and no outline."""
    image = drawn()
    assert image.shape[1] == 2 * PANEL_WIDTH + 3 * 12
    assert len(near(image, ORANGE)) == 0


@pytest.mark.parametrize(("height", "width"), [(180, 320), (64, 64), (1280, 320), (64, 320), (1080, 1920), (90, 1)])
def test_a_picture_of_any_aspect_fits(height: int, width: int) -> None:
    """However tall or wide, a picture is brought to its panel whole."""
    image = drawn(left=photo(height=height, width=width))
    assert image.shape[1] == 2 * PANEL_WIDTH + 3 * 12
    grey = near(image[22:, : PANEL_WIDTH + 12], (128, 128, 128))
    across, down = np.ptp(grey[:, 1]) + 1, np.ptp(grey[:, 0]) + 1
    assert (across <= PANEL_WIDTH, down <= PANEL_HEIGHT, across == PANEL_WIDTH or down == PANEL_HEIGHT) == (True,) * 3


def test_words_are_written_and_a_line_below_adds_to_the_height() -> None:
    """Each title and each line leaves ink on the paper."""
    bare, told = drawn(words=Captions("", "")), drawn(words=Captions("left", "right", below=("one", "two")))
    assert len(near(bare[:20], (235, 235, 235))) == 0
    assert len(near(told[:20, :PANEL_WIDTH], (235, 235, 235))) > 0
    assert told.shape[0] == bare.shape[0] + 2 * 22
    assert len(near(told[-50:], (235, 235, 235))) > 0


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("caf\u00e9 \u00fcber", "cafe uber"),
        ("640 \u00d7 480", "640 \\xd7 480"),
        ("\u65e5\u672c", "\\u65e5\\u672c"),
        ("a\nb\t\x1b[31m", "a\\nb\\t\\x1b[31m"),
        ("\udce9.jpg", "\\udce9.jpg"),
    ],
)
def test_other_signs_are_written_in_ascii(text: str, plain: str) -> None:
    """Accents go, other signs and control characters are escaped; nothing is left out."""
    assert in_ascii(text) == plain


@given(st.text(max_size=40), st.integers(1, 30))
@settings(deadline=None, max_examples=30)
def test_no_words_break_the_picture(text: str, times: int) -> None:
    """Whatever a file is called and however long, its title stays within its panel."""
    image = drawn(words=Captions(text * times, ""))
    assert len(near(image[:20, PANEL_WIDTH + 12 :], (235, 235, 235))) == 0


def test_a_spoiled_picture_is_refused() -> None:
    """What is no picture is not drawn."""
    with pytest.raises(ValueError, match="not a picture"):
        side_by_side(Preview(1, 1, b"spoiled"), photo(), changes=None, captions=PLAIN)
