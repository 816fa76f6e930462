"""What the files of a folder decide together, where one name cannot."""

from datetime import UTC, datetime

import pytest

from tests.support.names import named_tree


def cameras_of(*files: str) -> list[str]:
    """The camera of each file."""
    named = named_tree("/data/lot", files)
    return [named[file].camera for file in files]


def times_of(*files: str) -> list[str | None]:
    """The time that each file has from its name, to the minute."""
    named = named_tree("/data/lot", files)
    return [
        f"{naming.captured_at:%m-%d %H:%M}" if naming.captured_at_source == "name" and naming.captured_at else None
        for naming in (named[file] for file in files)
    ]


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (["cam1/01-20210327130000-00.jpg"], ["01"]),
        (["cam1/01-20210327130000-00.jpg", "cam1/02-20210327130500-00.jpg"], ["cam1", "cam1"]),
        (["cam1/000123_20210327_135337.jpg", "cam1/000124_20210327_135337.jpg"], ["cam1", "cam1"]),
        (["x/1_20210327_135337.jpg", "x/2_20210327_135337.jpg"], ["1", "2"]),
        (["x/1_20210327_135337.jpg", "x/2_20210327_135338.jpg", "x/1_20210327_135339.jpg"], ["1", "2", "1"]),
        (["1/2021-03-27/1/00001-capture.jpg", "1/2021-03-27/2/00001-capture.jpg"], ["1", "1"]),
        (["a/2021Y03M27D13H/E153M37S60.jpg", "a/2021Y03M27D14H/E153M37S60.jpg"], ["a", "a"]),
    ],
)
def test_events_and_channels(files: list[str], cameras: list[str]) -> None:
    """Numbers that only count up are events of one camera; numbers that take turns are channels."""
    assert cameras_of(*files) == cameras


@pytest.mark.parametrize(
    ("files", "times"),
    [
        (["c_01-05-2024_12-30-45.jpg"], [None]),
        (["c_01-05-2024_12-30-45.jpg", "c_13-05-2024_12-30-45.jpg"], ["05-01 12:30", "05-13 12:30"]),
        (["c_01-05-2024_12-30-45.jpg", "c_05-13-2024_12-30-45.jpg"], ["01-05 12:30", "05-13 12:30"]),
        (
            ["c_01-05-2024_12-30-45.jpg", "c_13-05-2024_12-30-45.jpg", "c_05-13-2024_12-30-45.jpg"],
            [None, "05-13 12:30", "05-13 12:30"],
        ),
        (["1714566645.jpg"], [None]),
        (["1714566645.jpg", "1714566705.jpg"], ["05-01 12:30", "05-01 12:31"]),
        (["2021032712.jpg", "2021032713.jpg"], [None, None]),
        (
            ["2024-05-01_1230.jpg", "2024-05-01_1245.jpg", "2024-05-01_1300.jpg"],
            ["05-01 12:30", "05-01 12:45", "05-01 13:00"],
        ),
        (["2024-05-01_0007.jpg", "2024-05-01_0008.jpg"], [None, None]),
        (["2024-05-01_1230.jpg", "2024-05-01_1245.jpg", "2024-05-01_1375.jpg"], [None, None, None]),
        (
            ["c/2024-05-01/123045.jpg", "c/2024-05-01/124045.jpg", "c/2024-05-01/133045.jpg"],
            ["05-01 12:30", "05-01 12:40", "05-01 13:30"],
        ),
        (["c/2024-05-01/000001.jpg", "c/2024-05-01/000002.jpg", "c/2024-05-01/000003.jpg"], [None, None, None]),
        (["c/01-05-2024/12-30-45.jpg"], [None]),
        (["c/01-05-2024/12-30-45.jpg", "c/13-05-2024/12-30-45.jpg"], ["05-01 12:30", "05-13 12:30"]),
        (["front-1714566645.5-abc123.jpg"], ["05-01 12:30"]),
    ],
)
def test_doubtful_times(files: list[str], times: list[str | None]) -> None:
    """What one name cannot decide is decided by all, or not read."""
    assert times_of(*files) == times


def test_hours_of_folders_are_read_with_the_name() -> None:
    """A folder of two digits below a date is an hour; where the name shows another hour it is a channel."""
    assert cameras_of("c/2024-05-01/12/2024-05-01_12-30-45.jpg", "c/2024-05-01/13/2024-05-01_13-30-45.jpg") == [
        "c",
        "c",
    ]
    assert cameras_of("c/2024-05-01/01/2024-05-01_12-30-45.jpg", "c/2024-05-01/02/2024-05-01_12-30-45.jpg") == [
        "c/01",
        "c/02",
    ]


@pytest.mark.parametrize(
    ("file", "camera", "time"),
    [
        ("c/2024-05-01/13/13-30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13h/1-30-45 PM.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30/13-30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30/45/13-30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30-45-50.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30/45.png", "c", "13:30:45"),
    ],
)
def test_a_full_time_of_day_below_hours(file: str, camera: str, time: str) -> None:
    """A name with hour, minute and second is that time; folders give what the name lacks."""
    naming = named_tree("/data/lot", [file])[file]
    assert (naming.camera, f"{naming.captured_at:%H:%M:%S}", naming.captured_at_source) == (camera, time, "name")


@pytest.mark.parametrize("folders", [("01", "02"), ("01h", "02h"), ("13/01", "13/02"), ("01/30/45", "02/30/45")])
@pytest.mark.parametrize("name", ["13.30.45.png", "13-30-45.png", "2024-05-01_13-30-45.png"])
def test_folders_that_contradict_a_full_time_of_day(folders: tuple[str, str], name: str) -> None:
    """A folder of another hour or minute than the name is a channel; the time is that of the name."""
    files = [f"c/2024-05-01/{folder}/{name}" for folder in folders]
    named = named_tree("/data/lot", files)
    assert len({named[file].camera for file in files}) == 2
    assert {f"{named[file].captured_at:%H:%M:%S}" for file in files} == {"13:30:45"}


def test_a_time_of_day_needs_its_date() -> None:
    """The date of a folder above the camera's counts, too."""
    named = named_tree("/data", ["2021-03-27/gate/13-53-37.jpg"])["2021-03-27/gate/13-53-37.jpg"]
    assert (named.camera, named.captured_at) == ("gate", datetime(2021, 3, 27, 13, 53, 37, tzinfo=UTC))
