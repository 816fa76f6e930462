"""Numbers and words that look like dates, weeks or a maker's: a place stays a camera, and what is none divides none."""

import pytest

from indexer.domain.naming.columns import pattern_of_label
from indexer.domain.naming.patterns import compile_pattern
from tests.support.names import named_tree


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (["EV1_2024-05-01/IMG_0001.JPG", "EV2_2024-05-02/IMG_0001.JPG"], ["EV1", "EV2"]),
        (["FB1_2024-05-01/IMG_0001.JPG", "Part1_2024-05-02/IMG_0001.JPG"], ["FB1", "Part1"]),
        (["EV1_20240501_120000.jpg", "EV2_20240502_120000.jpg"], ["EV1", "EV2"]),
        (["DS2001/IMG_0001.JPG", "DS2002/IMG_0001.JPG", "DT2024/IMG_0001.JPG"], ["DS2001", "DS2002", "DT2024"]),
        (["2024/W1/IMG_0001.JPG", "2024/W2/IMG_0001.JPG"], ["W1", "W2"]),
        (["2024/W18/IMG_0001.JPG", "2024/W19/IMG_0001.JPG"], ["lot", "lot"]),
        (["x/0001_240512_133045.jpg", "x/0002_240512_143045.jpg", "x/0003_240512_153045.jpg"], ["x", "x", "x"]),
    ],
)
def test_cameras(files: list[str], cameras: list[str]) -> None:
    """The camera of each file of a tree."""
    names = named_tree("/data/lot", files)
    assert [names[file].camera for file in files] == cameras


def test_a_counter_before_date_and_minute_is_no_time() -> None:
    """Six digits before a date are a time of day only if none follows the date."""
    files = [f"x/{number:06}_20240501_{hour:02}30.jpg" for number, hour in ((101523, 9), (111524, 10), (121725, 11))]
    names = named_tree("/data", files)
    assert [f"{names[file].captured_at:%H:%M:%S}" for file in files] == ["09:30:00", "10:30:00", "11:30:00"]


def test_a_pattern_for_hours_takes_no_day() -> None:
    """The number of a channel below a date is not looked for in the date."""
    pattern = compile_pattern("|".join(map(pattern_of_label, ("<05>/", "<09>/"))))
    paths = ("2024-05-09/05/a.jpg", "2024-05-05/09/a.jpg", "2024-05-01_05/a.jpg")
    readings = [pattern.read(path) for path in paths]
    assert [reading and reading.camera for reading in readings] == ["05", "09", "05"]
